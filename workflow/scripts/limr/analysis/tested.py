"""Every comparison as a test: its p value, and Holm's within the family that it belongs to.

The primary comparison is alone. Means of the other comparisons are a family, their single
benchmarks another. Comparisons with the untrained base answer another question (does training help
at all?), so they are families of their own, and change nothing of what the others' tests say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limr.analysis import contrasts, findings, results
from limr.analysis.contrasts import Choice
from limr.analysis.results import Group, Inputs
from limr.statistics import hypothesis_tests
from limr.statistics.estimates import Estimate
from limr.statistics.intervals import Interval

PRIMARY = "primary"
FAMILIES = {
    (False, True): "secondary, means",
    (False, False): "secondary, benchmarks",
    (True, True): "against the base, means",
    (True, False): "against the base, benchmarks",
}


@dataclass(frozen=True)
class Tested:
    """The difference `first` - `second` as a test.

    Attributes:
        first: a group.
        second: another.
        benchmark: the one benchmark it is taken over; None: the mean over all.
        family: the tests that it was corrected together with.
        estimate: the difference.
        interval: at the declared level.
        p: its p value.
        holm: corrected for its family, at least `p`.
    """

    first: Group
    second: Group
    benchmark: str | None
    family: str
    estimate: Estimate
    interval: Interval
    p: float
    holm: float


@results.remembered
def tests(inputs: Inputs, *, benchmarks: bool = True) -> list[Tested]:
    """Return all comparisons, the primary one first; empty without evaluations.

    Args:
        inputs: what the study has.
        benchmarks: whether to test each benchmark beside the mean, where there are several.
    """
    if inputs.evaluations is None:
        return []
    first = findings.primary(inputs)
    main = (first.first, first.second) if first else None
    base = contrasts.base_pairs(inputs)
    pairs = dict.fromkeys([*([main] if main else []), *contrasts.pairs(inputs), *base])
    names = list(results.benchmarks(inputs)) if benchmarks else []
    found = []
    for pair in pairs:
        family = FAMILIES[pair in base, True]
        found.append(_tested(inputs, pair, None, PRIMARY if pair == main else family))
        for name in names if len(names) > 1 else ():
            found.append(_tested(inputs, pair, name, FAMILIES[pair in base, False]))
    return _corrected(found)


def _tested(
    inputs: Inputs, pair: tuple[Group, Group], benchmark: str | None, family: str
) -> Tested:
    choice = Choice(benchmarks=(benchmark,) if benchmark else None)
    found = contrasts.difference(inputs, pair[0].name, pair[1].name, choice)
    interval, p = found.interval(results.declared(inputs).level), found.p_value()
    return Tested(*pair, benchmark, family, found, interval, p, p)


def _corrected(found: Sequence[Tested]) -> list[Tested]:
    holm: dict[int, float] = {}
    for family in dict.fromkeys(test.family for test in found):
        places = [place for place, test in enumerate(found) if test.family == family]
        values = hypothesis_tests.holm([found[place].p for place in places])
        holm.update(zip(places, values, strict=True))
    return [replace(test, holm=holm[place]) for place, test in enumerate(found)]
