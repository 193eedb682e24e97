"""After how many uses of its subset has an arm paid back its scoring run?

An arm A whose problems were chosen after a scoring run costs S once, and a for each use of its
subset (a seed, another model, a rerun); a reference R, such as training on everything, costs r for
each use. n uses of A cost S + n a, of R n r. A has paid from the smallest n >= 1 with
S + n a <= n r,

    n = max(1, ceil(S / (r - a))) where r > a,    never where r <= a and S > 0.

a and r are what it costs to reach the same accuracy, at the first evaluated step that has it: what
R ends with (its last evaluated step), and what A ends with. Where A never reaches it, it never
pays; where R never does, A pays from its first use, as R cannot do what is paid for. Or, at equal
steps, what both cost up to the last step that they share, with the difference of their accuracies.

Accuracies are uncertain, and so is n: runs and questions are resampled (n - 1 of n items, as in
`limr.statistics.bootstrap`; the same questions for both arms), and the target, both steps, both
costs and n are computed from each draw. S comes from one run and is not resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limr.analysis import contrasts, cost_curves
from limr.analysis.cost_curves import Curve, Floats
from limr.analysis.findings import selected_groups
from limr.analysis.number_text import points
from limr.analysis.results import Inputs
from limr.core.random_streams import stream
from limr.statistics.intervals import Interval

LEVEL = 0.95
RESAMPLES = 4000
NEVER = np.inf
AT_END, AT_OWN_END, AT_STEPS = "what it ends with", "what the arm ends with", "equal steps"


@dataclass(frozen=True)
class BreakEven:
    """An arm against a reference; costs are in a unit, uses are infinite for never, NaN unknown.

    Attributes:
        arm: the arm whose problems were chosen.
        against: the reference.
        unit: of the costs.
        question: `AT_END`, `AT_OWN_END` or `AT_STEPS`.
        target: the accuracy that both must reach; at equal steps the reference's.
        each: a, cost of a use of the arm; NaN: it does not reach the target.
        each_against: r, of the reference; NaN as above.
        uses: n.
        low: lower end of the interval of n.
        high: upper end.
        never: share of the draws in which it never pays.
        gap: accuracy of the arm less the reference's, at the last step that both share.
    """

    arm: Curve
    against: Curve
    unit: str
    question: str
    target: float
    each: float
    each_against: float
    uses: float
    low: float
    high: float
    never: float
    gap: Interval

    @property
    def at_base(self) -> bool:
        """Whether both have what is to be reached before any training: there is nothing to pay."""
        return self.question != AT_STEPS and self.each == 0 == self.each_against

    @property
    def says_something(self) -> bool:
        """Whether it prices something.

        Not `at_base`, nor what both reach in a part that they share, nor what a worse arm saves at
        equal steps.
        """
        free = self.arm.scoring(self.unit) == 0 and self.each == self.each_against
        if free and self.question != AT_STEPS:
            return False
        worse = self.question == AT_STEPS and self.gap.verdict == "below"
        return not self.at_base and not (worse and np.isfinite(self.uses))


@dataclass(frozen=True)
class _Drawn:
    """(..., n_steps) accuracy and cost of an arm, in each draw or as observed."""

    accuracy: Floats
    cost: Floats


def uses(scoring: float, each: Floats, each_against: Floats) -> Floats:
    """Return n (see the module), whole numbers from 1; infinite: never; NaN: S is not known.

    Args:
        scoring: S >= 0, or NaN.
        each: (...,) a; NaN: the arm never gets there.
        each_against: (...,) r; NaN as above.
    """
    reference = np.where(np.isnan(each_against), np.inf, each_against)
    saved = np.asarray(reference - each, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.ceil(scoring / saved - 1e-9)
    pays = np.where(scoring == 0, saved >= 0, saved > 0)
    found = np.where(pays, np.maximum(1.0, np.nan_to_num(ratio, nan=1.0)), NEVER)
    return np.full_like(found, np.nan) if np.isnan(scoring) else np.asarray(found)


def compare(inputs: Inputs, unit: str, draws: int = RESAMPLES) -> list[BreakEven]:
    """Return every chosen arm against the full set and random draws, for both questions.

    Args:
        inputs: what the study has.
        unit: of the costs, see `limr.analysis.cost_curves.UNITS`.
        draws: of the bootstrap.

    Raises:
        InputError: the study has no evaluations.
    """
    chosen = {group.name for group in selected_groups(inputs)}
    found = {curve.group.name: curve for curve in cost_curves.curves(inputs)}
    rows: list[BreakEven] = []
    for first, second in contrasts.pairs(inputs):
        if first.name in chosen and {first.name, second.name} <= found.keys():
            rows += _compared(inputs, found[first.name], found[second.name], unit, draws)
    return rows


def _compared(inputs: Inputs, arm: Curve, against: Curve, unit: str, draws: int) -> list[BreakEven]:
    step = max(step for step in arm.steps if step in against.steps)
    both = (arm, against)
    rng = stream(0, "break-even", arm.group.name, against.group.name)
    drawn = _draw(both, unit, draws, rng)
    seen = [_Drawn(curve.mean, curve.costs[unit].mean(axis=0)) for curve in both]
    # A cost that is not recorded is not known, which is not never.
    lacking = any(np.isnan(curve.costs[unit]).any() for curve in both)
    price = np.nan if lacking else arm.scoring(unit)
    choice = contrasts.Choice(step=step)
    gap = contrasts.group_difference(inputs, arm.group.name, against.group.name, choice)
    places = (arm.steps.index(step), against.steps.index(step))
    rows = []
    for question in (AT_END, AT_OWN_END, AT_STEPS):
        target, a, r = _each(seen, question, places)
        n = float(uses(price, a, r))
        again = uses(price, *_each(drawn, question, places)[1:])
        ends = np.quantile(again, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], method="inverted_cdf")
        never = float("nan") if np.isnan(n) else float(np.isinf(again).mean())
        costs = (float(a), float(r), n, float(ends[0]), float(ends[1]), never)
        rows.append(BreakEven(arm, against, unit, question, float(target), *costs, gap))
    return rows


def _each(
    both: Sequence[_Drawn], question: str, places: tuple[int, int]
) -> tuple[Floats, Floats, Floats]:
    """Return (...,) the target, a and r; `places` are those of the last step that both share."""
    ours, theirs = both
    if question == AT_STEPS:
        target = theirs.accuracy[..., places[1]]
        return target, ours.cost[..., places[0]], theirs.cost[..., places[1]]
    target = (ours if question == AT_OWN_END else theirs).accuracy[..., -1]
    return target, _reaching(ours, target), _reaching(theirs, target)


def _reaching(drawn: _Drawn, target: Floats) -> Floats:
    place = cost_curves.first_at(drawn.accuracy, target)
    cost = np.take_along_axis(drawn.cost, np.expand_dims(np.maximum(place, 0), -1), -1)[..., 0]
    return np.where(place >= 0, cost, np.nan)


def _draw(both: Sequence[Curve], unit: str, draws: int, rng: np.random.Generator) -> list[_Drawn]:
    """Return both arms with resampled runs and questions: (draws, n_steps) each."""
    runs = [_weights(curve.n_runs, draws, rng) for curve in both]
    accuracy = [np.zeros((draws, len(curve.steps))) for curve in both]
    for name, values in both[0].accuracy.items():
        questions = _weights(values.shape[2], draws, rng)
        for side, curve in enumerate(both):
            _add(accuracy[side], runs[side], curve.accuracy[name], questions)
    n_benchmarks = len(both[0].accuracy)
    return [
        _Drawn(accuracy[side] / n_benchmarks, runs[side] @ curve.costs[unit])
        for side, curve in enumerate(both)
    ]


def _add(total: Floats, runs: Floats, accuracy: Floats, questions: Floats) -> None:
    for step in range(total.shape[1]):
        total[:, step] += ((runs @ accuracy[:, step]) * questions).sum(axis=1)


def _weights(n: int, draws: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    drawn = max(n - 1, 1)
    return np.asarray(rng.multinomial(drawn, np.full(n, 1 / n), size=draws) / drawn)


def sentences(inputs: Inputs, unit: str = "tokens") -> list[str]:
    """Return in words whether chosen subsets pay; empty without evaluations or costs."""
    if inputs.evaluations is None:
        return []
    found: dict[tuple[str, str], list[BreakEven]] = {}
    for row in compare(inputs, unit):
        found.setdefault((row.arm.group.name, row.against.group.name), []).append(row)
    return [_sentence(rows) for rows in found.values()]


def _sentence(rows: Sequence[BreakEven]) -> str:
    first = rows[0]
    arm, against = first.arm.group.title, first.against.group.title
    if np.isnan(first.uses):
        why = first.arm.scored_from or "a run's costs were not recorded"
        return f"Whether {arm} pays against {against} is not known: {why}."
    price = f"{_amount(first.arm.scoring(first.unit))} {cost_curves.UNITS[first.unit][2]}"
    reached = [row for row in rows if row.question != AT_STEPS]
    if all(row.at_base for row in reached):
        both = " and ".join(f"{100 * row.target:.1f} %" for row in reached)
        parts = [
            f"The base is already at {both}, what {against} and {arm} end with: nothing has to be "
            "trained, so nothing can pay."
        ]
    else:
        parts = [_part(row, arm, against) for row in reached]
    return (
        f"{arm} against {against}: scoring costs {price} once. {' '.join(parts)} At equal steps "
        f"{arm} − {against} is {points(first.gap)}."
    )


def _part(row: BreakEven, arm: str, against: str) -> str:
    target = (
        f"{100 * row.target:.1f} %, what {against if row.question == AT_END else arm} ends with"
    )
    if row.at_base:
        return f"The base is already at {target}: nothing has to be trained, so nothing can pay."
    if np.isnan(row.each):
        costs = f"{arm} never reaches it"
    elif np.isnan(row.each_against):
        costs = f"{arm} takes {_amount(row.each)} each time, {against} never reaches it"
    else:
        costs = f"{arm} takes {_amount(row.each)} each time, {against} {_amount(row.each_against)}"
    return f"To reach {target}: {costs}, so it {_pays(row)}."


def _pays(row: BreakEven) -> str:
    """Return from which use on an arm pays, with its uncertainty in words."""
    doubt = f"{100 * row.never:.0f} %"
    if np.isinf(row.uses):
        would = f"{100 * (1 - row.never):.0f} % of the resampled studies it would"
        return "never pays" + (f" (in {would})" if row.never < 1 else "")
    ends = f"95 % interval: {number(row.low)} to {number(row.high)}"
    return f"pays from use {row.uses:,.0f} on ({ends}; never in {doubt} of the resampled studies)"


def _amount(value: float) -> str:
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.3g}"


def number(value: float) -> str:
    """Return uses as a text: a whole number, never, or that it is not known."""
    if np.isnan(value):
        return "not known"
    return "never" if np.isinf(value) else f"{value:,.0f}"
