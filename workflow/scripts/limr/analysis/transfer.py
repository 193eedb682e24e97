"""Does what helps inside help outside? Differences on benchmarks of what a pool has, and of others.

With several pools, each benchmark is inside of some and outside of others, so that the same
questions are asked on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from limr.analysis import cells, contrasts, results
from limr.analysis.cells import Pair
from limr.analysis.contrasts import Choice
from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.statistics.estimates import Estimate

Inside = Mapping[str, Sequence[str]]  # value of the axis of pools, as text -> benchmarks
INSIDE, OUTSIDE, GAP = SIDES = ("inside", "outside", "inside − outside")


def check(inputs: Inputs, axis: str, inside: Inside) -> None:
    """Raise an `InputError` where the axis, a value of it or a benchmark is none of the study's."""
    axes = cells.axes(inputs)
    if axis not in axes:
        raise InputError(f"axis: there is no axis '{axis}'.{nearest(axis, axes)}")
    values = [cells.value_text(value) for value in axes[axis]]
    if sorted(inside) != sorted(values):
        raise InputError(
            f"inside: benchmarks were given for {', '.join(inside) or 'none'}; the axis '{axis}' "
            f"has the values {', '.join(values)}. Name those of each value."
        )
    known = results.benchmarks(inputs)
    for name in (name for names in inside.values() for name in names):
        if name not in known:
            raise InputError(f"inside: there is no benchmark '{name}'.{nearest(name, known)}")
    if not _shared(known, inside, values):
        raise InputError(
            "inside: no benchmark is inside of one pool and outside of another, so that nothing "
            "can be compared. Give each pool the benchmarks of what it has."
        )


def difference(inputs: Inputs, pair: Pair, axis: str, inside: Inside, side: str) -> Estimate | None:
    """Return the mean difference of a pair over pools, each at its reported step; None: no result.

    The mean over the benchmarks that are inside of a pool and outside of another, each asked of
    the runs of the pools on the wanted side of it.

    Args:
        inputs: what the study has.
        pair: two arms in the study's file.
        axis: whose values are pools.
        inside: see `check`.
        side: one of `SIDES`.

    Raises:
        InputError: a run lacks a question.
    """
    found = cells.matches(inputs, *pair)
    groups = {group.name for match in found for group in (match.first, match.second)}
    if not groups or not all(cells.steps(inputs, name) for name in groups):
        return None
    pools = [cells.value_text(dict(match.cell)[axis]) for match in found]
    shared = _shared(results.benchmarks(inputs), inside, pools)

    def factor(name: str, pool: str) -> float:
        within = name in inside[pool]
        if side != GAP and within != (side == INSIDE):
            return 0
        share = 1 / (shared[name] if within else len(pools) - shared[name])
        return share if within or side == OUTSIDE else -share

    parts = [
        (key, {name: frames[name] * factor(name, pool) for name in shared})
        for match, pool in zip(found, pools, strict=True)
        for key, frames in contrasts.terms(inputs, match.first.name, match.second.name, Choice())
    ]
    return contrasts.sum_of(inputs, parts)


def _shared(benchmarks: Iterable[str], inside: Inside, pools: Sequence[str]) -> dict[str, int]:
    """Return benchmark -> of how many pools it is inside, for those that are outside of others."""
    found = {name: sum(name in inside[pool] for pool in pools) for name in benchmarks}
    return {name: count for name, count in found.items() if 0 < count < len(pools)}
