"""What a reader must know before believing a study's findings: warnings, costs, certainty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.analysis import contamination, contrasts, costs, results
from limr.analysis.findings import selected_groups
from limr.analysis.number_text import points
from limr.analysis.results import Inputs
from limr.core import plugins
from limr.evaluate import second_opinion

FEW_SEEDS = 5
SURE = 0.95


def bill(inputs: Inputs) -> list[str]:
    """Return what chosen subsets cost in total, with the run that had to be scored first.

    One sentence per run that was scored; tokens are means over seeds.
    """
    chosen = {group.name for group in selected_groups(inputs)}
    scored: dict[str, list[costs.Entry]] = {}
    for entry in costs.entries(inputs):
        before = entry.scoring.cost if entry.scoring else None
        if entry.group.name in chosen and entry.scoring and before and before.tokens:
            scored.setdefault(entry.scoring.text, []).append(entry)
    found = []
    for source, arms in scored.items():
        tokens = arms[0].scoring.cost.tokens  # type: ignore[union-attr]
        own = ", ".join(
            f"{arm.group.title} {arm.own.tokens / 1e6:.2f} million, in total "
            f"{1 + arm.own.tokens / tokens:.1f} times the scoring run"
            for arm in arms
        )
        found.append(
            f"Costs: {' and '.join(arm.group.title for arm in arms)} could only be chosen after a "
            f"run on other problems ({source}: {tokens / 1e6:.2f} million tokens). Their own "
            f"training comes on top: {own}. Fewer problems do not mean less computing."
        )
    return found


def certainty(inputs: Inputs) -> list[str]:
    """Return how sure each chosen subset's problems are, where its score was diagnosed."""
    found: dict[str, list[str]] = {}  # how sure -> arms
    for arm in inputs.study["arms"]:
        record = inputs.subsets.get(arm["name"])
        if record is None or not record["rule"] or record["score"] not in inputs.diagnostics:
            continue
        frame = inputs.diagnostics[record["score"]].problems
        kept = frame[frame["selected"]]
        if kept["probability"].isna().all():  # nothing is known of its noise
            continue
        # A score is diagnosed at the first cut that is made from it.
        if set(kept["problem_id"]) == set(record.get("problem_ids", kept["problem_id"])):
            again, sure = kept["probability"].mean(), int((kept["probability"] >= SURE).sum())
            text = f"{100 * again:.0f} % of {len(kept):,} ({sure:,} surely)"
            found.setdefault(text, []).append(arm["title"])
    if not found:
        return []
    parts = [f"{', '.join(dict.fromkeys(arms))} {text}" for text, arms in found.items()]
    return [
        "When the samples of the scored run are redrawn, the same cut selects again: "
        f"{'; '.join(parts)}. Surely: in at least {100 * SURE:.0f} % of the draws."
    ]


def doubts(inputs: Inputs) -> list[str]:
    """Return how often a second grading rule disagrees, where the study asks for one."""
    frame = inputs.opinions
    if frame is None or frame.empty:
        return []
    n, differ = int(frame["n"].sum()), frame[second_opinion.differ(frame)]
    ours = int(differ.loc[differ["verdict"].astype(str) == "correct", "n"].sum())
    other = int(differ["n"].sum())
    rule = frame["rule"].iloc[0]
    if not other:
        return [f"A second grading rule ({rule}) agrees on all {n:,} responses of all evaluations."]
    return [
        f"A second grading rule ({rule}) disagrees on {other:,} of the {n:,} "
        f"responses of all evaluations ({100 * other / n:.1f} %): {ours:,} are correct by this "
        f"study's rule only, {other - ours:,} by the second only."
    ]


def not_understood(inputs: Inputs) -> list[str]:
    """Return how many responses the grader has no reading for, by benchmark; [] where unknown."""
    frame = inputs.evaluations
    if frame is None or "not_understood" not in frame:
        return []
    counts = (frame["not_understood"] * frame["n"]).groupby(frame["benchmark"], sort=False).sum()
    n, found = int(frame["n"].sum()), round(counts.sum())
    if not found:
        return [f"The grader understood all {n:,} responses of all evaluations."]
    share = "less than 0.1" if 0 < found / n < 0.001 else f"{100 * found / n:.1f}"
    titles = {one["name"]: one["title"] for one in inputs.study["benchmarks"]}
    by = "; ".join(f"{titles[name]}: {round(k):,}" for name, k in counts.items() if k > 0)
    return [
        f"Of the {n:,} responses of all evaluations the grader did not understand {found:,} "
        f"({share} %; {by}). They count as incorrect; the "
        "evaluations' column 'reason' has which ones."
    ]


def contaminated(inputs: Inputs) -> list[str]:
    """Return what comparisons say without the questions that overlap with training problems."""
    if inputs.overlaps is None or inputs.evaluations is None:
        return []
    n = sum(map(len, contamination.left_out(inputs).values()))
    total = results.evaluated(inputs).drop_duplicates(["benchmark", "problem_id"]).shape[0]
    if not n:
        return ["No benchmark question overlaps with a training problem set by the study's rule."]
    chosen = {group.name for group in selected_groups(inputs)}
    clean = contamination.clean(inputs)
    gaps = [
        f"{first.title} − {second.title} is "
        f"{points(contrasts.group_difference(clean, first.name, second.name))}"
        for first, second in contrasts.pairs(clean)
        if first.name in chosen
    ]
    without = f" Without them {', '.join(gaps)}." if gaps else ""
    return [
        f"{n:,} of {total:,} benchmark questions overlap with a training problem set by the "
        f"study's rule.{without}"
    ]


def _reported(inputs: Inputs) -> str:
    declared = results.declared(inputs)
    if declared.checkpoint == "last":
        return (
            "The last step is reported, whichever step was best; the benchmarks were not used to "
            "choose it."
        )
    return (
        "The step reported for each run is the best on the held-out benchmark "
        f"'{declared.validation}', which is not reported itself; the reported benchmarks were not "
        "used to choose it."
    )


def caveats(inputs: Inputs, config: Mapping[str, Any]) -> list[str]:
    """Return what a reader must know before believing the findings."""
    found = []
    engine = config.get("engine", {}).get("train")
    if engine is not None and inputs.evaluations is not None:
        text = getattr(plugins.load("engines", engine), "CAVEAT", None)
        if text:
            found.append(str(text))
    found += bill(inputs)
    found += contaminated(inputs)
    found += certainty(inputs)
    found += doubts(inputs)
    found += not_understood(inputs)
    n_seeds = len(inputs.study["seeds"])
    if inputs.evaluations is not None and n_seeds < FEW_SEEDS:
        found.append(
            f"{n_seeds} seed{'s' if n_seeds > 1 else ''}: intervals over so few runs are rough, "
            "and with other seeds arms that are close may well come in another order."
        )
    if inputs.evaluations is not None:
        found.append(
            f"{_reported(inputs)} Only the primary comparison can be read as a single test: of the "
            "others, some exclude 0 by chance (the table 'comparisons' has Holm's correction)."
        )
    if inputs.evaluations is None:
        found.append(
            "Nothing was trained in this study: it shows what is selected, not what that is worth."
        )
    return found
