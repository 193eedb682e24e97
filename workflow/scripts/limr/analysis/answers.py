"""What a study asks, and its answer: a sentence, verdicts beside it, lines for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from limr.analysis import (
    cells,
    choices,
    contrasts,
    findings,
    map_text,
    overfitting,
    results,
    subset_records,
    tested,
)
from limr.analysis import map as mapping
from limr.analysis.cells import Pair
from limr.analysis.findings import ArmResult
from limr.analysis.number_text import p_equation, p_text, percent, points
from limr.analysis.overfitting import Course, Signal
from limr.analysis.results import Group, Inputs
from limr.analysis.tested import Tested

# By `Interval.verdict`, as the answer says it: of (kind of reference, verdict), and of the base.
_DID = {
    ("random", "above"): "beat",
    ("random", "below"): "did worse than",
    ("random", "level"): "did not measurably beat",
    ("full", "above"): "ended above",
    ("full", "below"): "ended below",
    ("full", "level"): "cannot be told apart from",
}
_TRAINED = {
    "above": "raised held-out accuracy above the untrained base",
    "below": "lowered held-out accuracy below the untrained base",
    "level": "did not measurably change held-out accuracy against the untrained base",
}
_ENDED = {
    "above": ", still above the untrained base",
    "below": ", below the untrained base",
    "level": ", not measurably different from the untrained base",
}

_SHOWS = {"above": "better", "below": "worse", "level": "no difference shown"}


@dataclass(frozen=True)
class Verdict:
    """A comparison of the primary arm as a chip: what it is against, and what it shows.

    Attributes:
        what: what is compared, in words.
        word: above, below or level; by the interval.
        shows: the same in words.
        after: the same after Holm's correction within its family.
        gap: the difference in points with its interval.
        p: p and Holm's p as text.
    """

    what: str
    word: str
    shows: str
    after: str
    gap: str
    p: str


def question(inputs: Inputs) -> str:
    """Return what the study asks."""
    if inputs.evaluations is None:
        return "Which problems are worth training on?"
    if cells.axes(inputs):
        return "Where does choosing problems pay, and where not?"
    if findings.selected_groups(inputs):
        return "Do a few chosen problems train as well as all of them, and better than random ones?"
    if any(group.train != "none" for group in results.evaluated_groups(inputs)):
        return "How do the arms compare?"
    return "How many of the questions are solved?"


def answer(inputs: Inputs) -> str:
    """Return the answer in one sentence: what training did, and what the choice was worth."""
    if cells.axes(inputs) and inputs.evaluations is not None:
        return map_text.answer(inputs)
    arm = _main_result(inputs)
    compared = of_main(inputs)
    if inputs.evaluations is None and (chosen := choices.answer(inputs)):
        return chosen
    if arm is None or not compared:
        lines = findings.sentences(inputs)
        return lines[0] if lines else "There is nothing yet to answer it from."
    parts = [_trained(inputs, arm)]
    others = _compared(inputs, compared)
    if others:
        parts.append(f"it {others}")
    over = (
        f"{arm.n_seeds} seed{'s' if arm.n_seeds > 1 else ''}, {arm.interval.n_questions} "
        f"questions, {results.declared(inputs).percent} intervals"
    )
    return f"{'; '.join(parts)} ({over})."


def verdicts(inputs: Inputs) -> list[Verdict]:
    """Return the primary arm's comparisons, the base first; of a sweep, the means over all cells.

    Empty without any.
    """
    level = results.declared(inputs).level
    if cells.axes(inputs):
        return [_of_cells(inputs, pair) for pair in map_text.evaluated(inputs)]
    found = []
    for test in of_main(inputs):
        word = test.interval.verdict
        after = word if test.holm < 1 - level else "level"
        p = f"{p_equation(test.p)}, after Holm {p_text(test.holm)}"
        what = f"against {_reference(inputs, test.second)}"
        found.append(Verdict(what, word, _SHOWS[word], after, points(test.interval), p))
    return found


def _of_cells(inputs: Inputs, pair: Pair) -> Verdict:
    whole = mapping.regions(inputs, pair)[0]
    names = " − ".join(cells.title(inputs, name) for name in pair)
    word, gap = whole.interval.verdict, points(whole.interval)
    what, p = f"{names}, mean of {whole.n} cells", p_equation(whole.estimate.p_value())
    return Verdict(what, word, _SHOWS[word], word, gap, p)


def headline(inputs: Inputs) -> list[str]:
    """Return lines for a terminal: the answer, accuracies, differences; then warnings."""
    warned = [f"Warning, {arms}: {text}" for arms, text in warnings(inputs)]
    return [*_headline(inputs), *warned]


def warnings(inputs: Inputs) -> list[tuple[str, str]]:
    """Return (arms, warning) for each different warning in the records of subsets."""
    titles = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    found: dict[str, list[str]] = {}
    for arm, record in inputs.subsets.items():
        for text in record.get("warnings", ()):
            found.setdefault(text, []).append(titles.get(arm, arm))
    return [(", ".join(dict.fromkeys(arms)), text) for text, arms in found.items()]


def _headline(inputs: Inputs) -> list[str]:
    if cells.axes(inputs) and inputs.evaluations is not None:
        return [answer(inputs), *findings.sentences(inputs)[:2]]
    results_of = findings.arm_results(inputs)
    arms = [arm for arm in results_of if arm.group.train == "ppo"]
    if not arms:
        chosen = choices.answer(inputs) if inputs.evaluations is None else None
        return [chosen] if chosen else findings.sentences(inputs)[:2]
    tests = of_main(inputs)
    shown = {group.name for test in tests for group in (test.first, test.second)}
    listed = [arm for arm in results_of if arm.group.name in shown] or arms
    what = ", ".join(f"{findings.named(arm)} {percent(arm.interval)}" for arm in listed)
    seeds = sorted({arm.n_seeds for arm in listed})
    many = " to ".join(str(n) for n in dict.fromkeys((seeds[0], seeds[-1])))
    plural = "" if seeds == [1] else "s"
    lines = [f"{what}; {many} seed{plural}, {listed[0].interval.n_questions} questions."]
    gaps = [
        f"{test.first.title} − {test.second.title} {points(test.interval)}, "
        f"{'excludes' if test.interval.excludes_zero else 'contains'} 0"
        for test in tests
    ]
    return [answer(inputs), *lines, "; ".join(gaps) + "."] if gaps else lines


def _main_result(inputs: Inputs) -> ArmResult | None:
    arms = {arm.group.name: arm for arm in findings.arm_results(inputs)}
    groups = [findings.main_group(inputs), *findings.selected_groups(inputs)]
    return next((arms[group.name] for group in groups if group and group.name in arms), None)


def of_main(inputs: Inputs) -> list[Tested]:
    """Return the tests of the primary arm's mean: against the base, then the others."""
    arm = _main_result(inputs)
    if arm is None:
        return []
    own = [t for t in tested.tests(inputs, benchmarks=False) if t.first.name == arm.group.name]
    base = contrasts.base(inputs)
    return sorted(own, key=lambda test: base is None or test.second.name != base.name)


def _trained(inputs: Inputs, arm: ArmResult) -> str:
    """Return what training on the primary arm's problems did."""
    size = f"{arm.problems:,} " if arm.problems else ""
    start = f"Training on {arm.group.title}’s {size}problems"
    base = contrasts.base(inputs)
    gap = base and contrasts.group_difference(inputs, arm.group.name, base.name)
    course = overfitting.course(inputs, arm.group)
    if course.overfitted and course.signal:
        ended = _ENDED[gap.verdict] if gap else ""
        return f"{start} overfitted: {_overfitted(course, course.signal)}{ended}"
    return f"{start} {_TRAINED[gap.verdict] if gap else f'ended at {percent(arm.interval)}'}"


def _overfitted(course: Course, signal: Signal) -> str:
    said = f"the training {overfitting.signal_text(signal)}"
    if not course.fell:
        return f"{said} while held-out accuracy fell"
    before, after = (f"{100 * mean:.1f} %" for mean in course.accuracy)
    return f"{said} while held-out accuracy fell after step {course.best}, from {before} to {after}"


def _compared(inputs: Inputs, tests: list[Tested]) -> str:
    """Return what the primary arm did against full and random sets."""
    parts = []
    for test in tests:
        if test.second.train != "none":
            record = subset_records.group_record(inputs, test.second)
            kind = "random" if subset_records.is_random(record) else "full"
            parts.append(f"{_DID[kind, test.interval.verdict]} {_reference(inputs, test.second)}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _reference(inputs: Inputs, group: Group) -> str:
    record = subset_records.group_record(inputs, group) or {}
    if group.train == "none":
        return "the untrained base"
    what = "a random" if subset_records.is_random(record) else "all"
    if not record:
        return group.title
    if subset_records.is_chosen(record):
        what = "its"
    return f"{group.title} on {what} {record.get('n_selected', 0):,}"
