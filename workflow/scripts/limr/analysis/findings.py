"""What a study found, in words; every sentence is computed from its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limr.analysis import cells, contrasts, map_text, overfitting, results, subset_records
from limr.analysis.number_text import p_equation, percent, points
from limr.analysis.results import Group, Inputs
from limr.statistics import power
from limr.statistics.estimates import Estimate
from limr.statistics.intervals import Interval


@dataclass(frozen=True)
class ArmResult:
    """A group's headline: mean accuracy over benchmarks at its reported step."""

    group: Group
    problems: int | None
    interval: Interval
    step: int | str
    n_seeds: int


@dataclass(frozen=True)
class Comparison:
    """The difference `first` - `second`, paired by question."""

    first: Group
    second: Group
    interval: Interval
    estimate: Estimate


def arm_results(inputs: Inputs) -> list[ArmResult]:
    """Return every evaluated group's headline, in the study's order; empty without evaluations."""
    if inputs.evaluations is None:
        return []
    found = []
    for group in results.evaluated_groups(inputs):
        record = subset_records.group_record(inputs, group)
        found.append(
            ArmResult(
                group,
                record["n_selected"] if record else None,
                contrasts.group_interval(inputs, group.name),
                results.reported_step(inputs, group.name),
                results.n_seeds(inputs, group.name),
            )
        )
    return found


def selected_groups(inputs: Inputs) -> list[Group]:
    """Return the groups trained by PPO on a subset that was chosen, neither full nor random."""
    found = []
    for group in inputs.groups:
        record = subset_records.group_record(inputs, group)
        if group.train == "ppo" and subset_records.is_chosen(record):
            found.append(group)
    return found


def main_group(inputs: Inputs) -> Group | None:
    """Return the group of the primary comparison: the declared one, else the first chosen one."""
    wanted = results.declared(inputs).arm
    if wanted is not None:
        return next((group for group in inputs.groups if group.name == wanted), None)
    return next(iter(selected_groups(inputs)), None)


@results.remembered
def comparisons(inputs: Inputs) -> list[Comparison]:
    """Return the chosen subsets against the full set and random draws, the primary one first."""
    if inputs.evaluations is None:
        return []
    main = main_group(inputs)
    chosen = {group.name for group in [*selected_groups(inputs), *([main] if main else [])]}
    pairs = [pair for pair in contrasts.pairs(inputs) if pair[0].name in chosen]
    first = _primary_pair(inputs, pairs)
    ordered = [first, *(pair for pair in pairs if pair != first)] if first else pairs
    return [_comparison(inputs, *pair) for pair in ordered]


def primary(inputs: Inputs) -> Comparison | None:
    """Return the primary comparison, None where the study has none that is evaluated."""
    found = comparisons(inputs)
    main = main_group(inputs)
    return found[0] if found and main and found[0].first.name == main.name else None


def _primary_pair(inputs: Inputs, pairs: list[tuple[Group, Group]]) -> tuple[Group, Group] | None:
    main, against = main_group(inputs), results.declared(inputs).against
    groups = {group.name: group for group in results.evaluated_groups(inputs)}
    if main is None or main.name not in groups:
        return None
    if against is not None:
        return (groups[main.name], groups[against]) if against in groups else None
    return next((pair for pair in pairs if pair[0].name == main.name), None)


def _comparison(inputs: Inputs, first: Group, second: Group) -> Comparison:
    found = contrasts.difference(inputs, first.name, second.name)
    return Comparison(first, second, found.interval(results.declared(inputs).level), found)


def verdict(inputs: Inputs, estimate: Estimate) -> str:
    """Return in a few words what a difference shows at the declared level and margin."""
    declared = results.declared(inputs)
    interval = estimate.interval(declared.level)
    small = declared.margin is not None and estimate.equivalent(declared.margin, declared.level)
    margin = f"{100 * declared.margin:g} points" if declared.margin is not None else ""
    if interval.excludes_zero:
        word = "better" if interval.mean > 0 else "worse"
        return f"{word}, but within the margin of {margin}" if small else word
    if small:
        return f"equivalent within {margin}"
    least = 100 * power.detectable(estimate, declared.level)
    return f"no difference detectable (MDE {least:.1f} points)"


def primary_sentence(inputs: Inputs) -> str | None:
    """Return what the primary comparison says, and whether it was declared; None without one."""
    found = primary(inputs)
    declared = results.declared(inputs)
    if found is None:
        return None
    how = "declared before the run" if declared.arm else "not declared: the first chosen arm"
    text = (
        f"Primary comparison ({how}): {found.first.title} against {found.second.title}: "
        f"{verdict(inputs, found.estimate)}; {points(found.interval)}, "
        f"{p_equation(found.estimate.p_value())}."
    )
    if declared.claim == "equivalence" and declared.margin is not None:
        shown = found.estimate.equivalent(declared.margin, declared.level)
        text += f" The declared equivalence is {'shown' if shown else 'not shown'}."
    return text


def named(result: ArmResult) -> str:
    """Return a group's title with the number of its problems."""
    if result.problems is None:
        return result.group.title
    return f"{result.group.title} ({result.problems:,} problems)"


def compared(comparison: Comparison) -> str:
    """Return a comparison in words, with its interval and what it shows."""
    first, second = comparison.first.title, comparison.second.title
    gap = f"{first} − {second} is {points(comparison.interval)}, an interval that"
    if not comparison.interval.excludes_zero:
        return f"{first} and {second} cannot be told apart here: {gap} contains 0."
    return f"{first} ends {comparison.interval.verdict} {second}: {gap} excludes 0."


def sentences(inputs: Inputs) -> list[str]:
    """Return what was found, most important first."""
    if cells.axes(inputs) and inputs.evaluations is not None:
        first = primary_sentence(inputs) if results.declared(inputs).arm else None
        return [*([first] if first else []), *map_text.sentences(inputs)]
    arms = arm_results(inputs)
    if not arms:
        return _of_subsets(inputs)
    trained = [arm for arm in arms if arm.group.train != "none"]
    found = []
    if trained:
        best = max(trained, key=lambda arm: arm.interval.mean)
        policy = contrasts.base(inputs)
        base = next((arm for arm in arms if policy and arm.group.name == policy.name), None)
        start = f"; the base policy has {percent(base.interval)}" if base else ""
        found.append(
            f"{named(best)} ends highest, with {percent(best.interval)} correct on average over "
            f"the benchmarks{start}."
        )
    else:
        found += [
            f"{named(arm)} solves {percent(arm.interval)} of the questions, on average over the "
            "benchmarks."
            for arm in arms
        ]
    first = primary_sentence(inputs)
    found += [first] if first else []
    found += [compared(comparison) for comparison in comparisons(inputs)]
    return found + _against_base(inputs) + _courses(inputs) + _early(inputs)


def _against_base(inputs: Inputs) -> list[str]:
    """Return every trained group's difference from the untrained base, in one sentence."""
    gaps = []
    for first, second in contrasts.base_pairs(inputs):
        gap = contrasts.group_difference(inputs, first.name, second.name)
        gaps.append(f"{first.title} {points(gap)} ({gap.verdict})")
    if not gaps:
        return []
    return [
        f"Against the untrained base: {', '.join(gaps)}. Above and below: the interval excludes 0; "
        "level: it contains 0."
    ]


def _courses(inputs: Inputs) -> list[str]:
    said = map(overfitting.sentence, overfitting.courses(inputs))
    return [text for text in said if text]


def _early(inputs: Inputs) -> list[str]:
    """Return the PPO groups' means at the first evaluated step that they share."""
    frame = results.evaluated(inputs)
    ppo = frame[(frame["train"] == "ppo") & (frame["step"] > 0)]
    steps = [set(rows["step"]) for _, rows in ppo.groupby("group")]
    shared = sorted(set.intersection(*steps)) if steps else []
    if len(shared) < 2:
        return []
    first = shared[0]
    means = []
    for group in results.evaluated_groups(inputs):
        if group.train == "ppo":
            frames = results.headline_frames(inputs, group.name, first)
            found = contrasts.mean_of(inputs, frames)
            mean = found.interval(results.declared(inputs).level)
            means.append((mean.mean, f"{group.title} {percent(mean)}"))
    order = ", ".join(text for _, text in sorted(means, reverse=True))
    return [f"Early on, at step {first} of {shared[-1]}, the means were: {order}."]


def _of_subsets(inputs: Inputs) -> list[str]:
    """Return how many problems thresholds keep; a size that was asked for is no finding."""
    found = []
    for arm in inputs.study["arms"]:
        record = inputs.subsets.get(arm["name"])
        if record is not None and "threshold" in record["rule"]:
            found.append(
                f"{arm['title']} keeps {record['n_selected']:,} of {record['n_problems']:,} "
                f"problems ({record['n_scored']:,} of them have a score): {cut_text(record)}."
            )
    return found


def cut_text(record: Mapping[str, Any]) -> str:
    """Return in words how a subset was cut."""
    rule, score = record["rule"], record["score"]
    if "size" in rule and subset_records.is_random(dict(record)):
        return f"{rule['size']:,} drawn at random (score '{score}')"
    if "threshold" in rule:
        return f"score '{score}' {'>' if rule.get('strict') else '≥'} {rule['threshold']:g}"
    if "size" in rule:
        return f"the {rule['size']:,} best by score '{score}'"
    return "all that could be scored"
