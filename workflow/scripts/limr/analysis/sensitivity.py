"""What would change the answer: the main comparisons with other choices of step, seed or data."""

from __future__ import annotations

from dataclasses import dataclass

from limr.analysis import contrasts, findings, results
from limr.analysis.contrasts import Choice
from limr.analysis.findings import Comparison
from limr.analysis.results import Group, Inputs
from limr.statistics import power
from limr.statistics.estimates import Estimate
from limr.statistics.intervals import Interval


@dataclass(frozen=True)
class Variant:
    """A comparison with another choice, for example `step 12` of the kind `step`."""

    kind: str
    name: str
    interval: Interval
    same: bool  # whether it says what the reported one says


@dataclass(frozen=True)
class Answer:
    """A main comparison as reported, with its variants."""

    first: Group
    second: Group
    interval: Interval
    estimate: Estimate
    level: float
    variants: tuple[Variant, ...]

    @property
    def detectable(self) -> float:
        """The smallest true difference that would be found in 80 % of such studies."""
        return power.detectable(self.estimate, self.level)

    @property
    def others(self) -> list[Variant]:
        """The variants that say something else."""
        return [variant for variant in self.variants if not variant.same]


def answers(inputs: Inputs) -> list[Answer]:
    """Return the primary arm's comparisons: the primary one, then with full and random sets."""
    main = findings.main_group(inputs)
    return [
        _answer(inputs, comparison)
        for comparison in findings.comparisons(inputs)
        if main is not None and comparison.first.name == main.name
    ]


def _answer(inputs: Inputs, comparison: Comparison) -> Answer:
    first, second, reported = comparison.first, comparison.second, comparison.interval
    variants = []
    for kind, name, choice in _choices(inputs, first, second):
        found = contrasts.group_difference(inputs, first.name, second.name, choice)
        variants.append(Variant(kind, name, found, found.verdict == reported.verdict))
    level = results.declared(inputs).level
    return Answer(first, second, reported, comparison.estimate, level, tuple(variants))


def _choices(inputs: Inputs, first: Group, second: Group) -> list[tuple[str, str, Choice]]:
    frame, declared = results.evaluated(inputs), results.declared(inputs)
    found = _steps(inputs, first, second)
    runs = frame[frame["group"].isin([first.name, second.name])]
    seeds = sorted(set.intersection(*(set(rows["seed"]) for _, rows in runs.groupby("group"))))
    if len(seeds) > 1:
        found += [("seed", f"seed {seed} alone", Choice(seed=int(seed))) for seed in seeds]
    titles = results.benchmarks(inputs)
    if len(titles) > 1:
        found += [
            ("benchmark", f"{title} alone", Choice(benchmarks=(name,)))
            for name, title in titles.items()
        ]
        if declared.weights:
            found.append(("weights", "all benchmarks alike (not as declared)", Choice(alike=True)))
    return found + [
        ("decoding", f"decoding '{name}'", Choice(decoding=name)) for name in _decodings(inputs)
    ]


def _steps(inputs: Inputs, first: Group, second: Group) -> list[tuple[str, str, Choice]]:
    last = results.final_step(inputs, first.name)
    shared = contrasts.shared_steps(inputs, first.name, second.name)
    by_last = results.declared(inputs).checkpoint == "last"
    steps = [step for step in shared if not by_last or step != last]
    found = [("step", f"step {step}", Choice(step=step)) for step in steps]
    if not by_last:
        found.append(("step", "last step (not as declared)", Choice(step="last")))
    if len(shared) > 1:
        # Optimistic, since the step is chosen on the questions that are reported.
        found.append(("step", "each arm's best step (optimistic)", Choice(step="best")))
    return found


def _decodings(inputs: Inputs) -> list[str]:
    """Return the decodings that every benchmark has and that no benchmark reports by default."""
    frame = results.evaluated(inputs)
    each = [results.decodings(frame, name) for name in results.benchmarks(inputs)]
    headline = {names[0] for names in each}
    return [n for n in each[0] if n not in headline and all(n in names for names in each)]


def sentences(found: list[Answer]) -> list[str]:
    """Return in words how far each answer depends on such choices."""
    lines = []
    for answer in found:
        pair = f"{answer.first.title} − {answer.second.title}"
        if answer.variants:
            lines.append(f"{pair}: {_counted(answer)}")
        lines.append(
            f"{pair}: with so few runs and questions, true differences below about "
            f"{100 * answer.detectable:.0f} points would often be missed (larger ones are found in "
            "at least 80 % of such studies)."
        )
    return lines


def _counted(answer: Answer) -> str:
    reported, n = answer.interval.verdict, len(answer.variants)
    if not answer.others:
        return f"all {n} other choices of step, seed, benchmark or decoding say the same."
    parts = []
    for word, verb, rest in (
        ("level", "cannot tell the two apart", ""),
        ("above", "put", f" {answer.first.title} above"),
        ("below", "put", f" {answer.first.title} below"),
    ):
        names = [variant.name for variant in answer.others if variant.interval.verdict == word]
        if names and word != reported:
            s = "s" if verb == "put" and len(names) == 1 else ""
            parts.append(f"{len(names)} {verb}{s}{rest} ({', '.join(names)})")
    return f"{n - len(answer.others)} of {n} other choices say the same; {'; '.join(parts)}."
