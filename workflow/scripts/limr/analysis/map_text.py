"""What a map says, in words: where choosing pays, where not, and how sure that is.

Only what holds after Holm's correction is called better or worse. What the study declared is one
comparison; all else on the map is said to be exploratory.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from limr.analysis import cells, overfitting, results
from limr.analysis import map as mapping
from limr.analysis.cells import Pair
from limr.analysis.map import Difference, Region
from limr.analysis.number_text import p_equation, p_text, points
from limr.analysis.results import Inputs

_NAMED = 3  # cells that are named one by one


def answer(inputs: Inputs) -> str:
    """Return the map's answer in one sentence; that nothing is evaluated, where it is so."""
    pairs = evaluated(inputs)
    if not pairs:
        return "No two arms of one cell have been evaluated by two seeds (yet)."
    parts = [_counted(inputs, pair) for pair in pairs if _is_choice(inputs, pair)]
    parts = parts or [_counted(inputs, pairs[0])]
    found = [one for one in mapping.differences(inputs, pairs[0]) if one.tested]
    first = found[0].estimate
    seeds = sorted({n for one in found for n in one.seeds})
    many = " to ".join(str(n) for n in dict.fromkeys((seeds[0], seeds[-1])))
    step = mapping.last(found)[0].step
    return (
        f"At step {step:,}, {'; '.join(parts)} (after Holm’s correction over all cells and steps; "
        f"{many} seed{'' if seeds[-1] == 1 else 's'}, "
        f"{first.n_questions if first else 0} questions)."
    )


def evaluated(inputs: Inputs) -> list[Pair]:
    """Return the pairs that have results of several runs."""
    if inputs.evaluations is None:
        return []
    return [pair for pair in mapping.pairs(inputs) if mapping.regions(inputs, pair)]


def _is_choice(inputs: Inputs, pair: Pair) -> bool:
    return mapping.kind(inputs, pair[0]) == "chosen"


def _counted(inputs: Inputs, pair: Pair) -> str:
    """Return in how many cells the first is better and worse, and which these are."""
    everywhere = mapping.last(mapping.differences(inputs, pair))
    there = [one for one in everywhere if one.tested]
    better, worse = (_called(inputs, there, word) for word in ("above", "below"))
    first, second = (cells.title(inputs, name) for name in pair)
    left = len(there) - len(better) - len(worse)
    missing = len(everywhere) - len(there)
    text = (
        f"{first} is better than {second} in {_of(better)} of {len(there)} cells{_where(better)}, "
        f"worse in {_of(worse)}{_where(worse)}, and {left} cannot be told apart"
    )
    be = "is" if missing == 1 else "are"
    return f"{text} ({missing} more {be} not evaluated by two seeds)" if missing else text


def _called(inputs: Inputs, there: Sequence[Difference], word: str) -> list[Difference]:
    alpha = 1 - results.declared(inputs).level
    return [
        one
        for one in there
        if one.interval is not None and one.holm < alpha and one.interval.verdict == word
    ]


def _of(found: Sequence[Difference]) -> str:
    return str(len(found)) if found else "none"


def _where(found: Sequence[Difference]) -> str:
    """Return which cells these are: a few by name, many by what they have in common."""
    if not found or not found[0].match.cell:
        return ""
    if len(found) <= _NAMED:
        return f" ({'; '.join(cells.text(one.match.cell) for one in found)})"
    common = set.intersection(*(set(one.match.cell) for one in found))
    shared = tuple(part for part in found[0].match.cell if part in common)
    return f" (all at {cells.text(shared)})" if shared else ""


def sentences(inputs: Inputs) -> list[str]:
    """Return what the map shows beside its answer: regions, power, and what was declared."""
    found = [_declared(inputs)]
    for pair in evaluated(inputs):
        found.append(_regions(inputs, pair))
    found += _power(inputs)
    courses = overfitting.courses(inputs)
    onsets = [one for course in courses if (one := overfitting.onset(inputs, course.group))]
    if courses:
        found.append(
            f"Overfitting is seen in {_number(len(onsets))} of {len(courses)} trained arms and "
            "cells: training improved in every run while held-out accuracy fell from an earlier "
            "step."
        )
    return found


def _number(n: int) -> str:
    return str(n) if n else "none"


def _declared(inputs: Inputs) -> str:
    declared = results.declared(inputs)
    if declared.arm is None:
        return "The study declared no comparison before it ran: all of the map is exploratory."
    against = f" against {declared.against}" if declared.against else ""
    return (
        f"Declared before the run was one comparison, {declared.arm}{against}. All other cells are "
        "exploratory."
    )


def _regions(inputs: Inputs, pair: Pair) -> str:
    """Return the mean over all cells, and the regions that differ after Holm."""
    whole, *regions = mapping.regions(inputs, pair)
    first, second = (cells.title(inputs, name) for name in pair)
    text = f"{first} − {second}, {over(whole)}, is {points(whole.interval)}, {_p(whole)}"
    alpha = 1 - results.declared(inputs).level
    called = [one for one in regions if one.holm < alpha]
    if whole.n == 1:
        return f"{text}."
    if not called:
        return f"{text}; no region by a single axis differs from 0 after Holm."
    named = ", ".join(
        f"{region_text(one)} {points(one.interval)} (after Holm {p_text(one.holm)})"
        for one in called
    )
    return f"{text}. Regions that differ from 0 after Holm: {named}."


def over(region: Region) -> str:
    """Return over how many cells a region's mean is, for people."""
    return f"mean of {region.n} cells" if region.n > 1 else "in one cell"


def _p(region: Region) -> str:
    return p_equation(region.estimate.p_value())


def _power(inputs: Inputs) -> list[str]:
    """Return what a cell could have found, and where less is as good as the full set."""
    found: dict[str, list[str]] = {}  # points -> pairs
    as_good = []
    for pair in evaluated(inputs):
        there = [one for one in mapping.last(mapping.differences(inputs, pair)) if one.tested]
        first, second = (cells.title(inputs, name) for name in pair)
        least = 100 * median(mapping.least(inputs, one) for one in there)
        found.setdefault(f"{least:.0f}", []).append(f"{first} − {second}")
        if mapping.kind(inputs, pair[1]) == "full":
            within = mapping.margin(inputs)
            good = sum(mapping.as_good(inputs, one, within) for one in there)
            as_good.append(
                f"{first} is shown to be no more than {100 * within:g} points worse than {second} "
                f"in {_number(good)} of {len(there)} cells, each taken alone."
            )
    return [
        *(
            f"A single cell of {', '.join(pairs)} finds true differences from about {least} points "
            "on in 80 % of such studies (the median over cells, before Holm): smaller ones are "
            "mostly missed."
            for least, pairs in found.items()
        ),
        *as_good,
    ]


def place_text(one: Difference) -> str:
    """Return where a difference is, for people."""
    return ", ".join(part for part in (cells.text(one.match.cell), f"step {one.step:,}") if part)


def region_text(one: Region) -> str:
    """Return which cells a region has, for people."""
    if one.axis is None or one.value is None:
        return "all cells"
    return f"{one.axis} {cells.value_text(one.value)}"
