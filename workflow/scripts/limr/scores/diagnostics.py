"""The diagnostics of one score: how certain each problem's is, and how many epochs it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import DIAGNOSTICS, STABILITY
from limr.scores import agreement, resampling
from limr.scores.agreement import Rescore
from limr.scores.scoring import ProblemSet, Scores
from limr.scores.thresholds import best, reached
from limr.trajectories import curves as tr

_SHOWN = (1, 2, 5, 10, 20, 50)  # numbers of first epochs in a summary
SIXTH = "the best sixth"  # about what the paper keeps: 1,389 of 8,523
# A shrunk score has no interval where it has no debiased score beside it: one sample in an epoch.
# Those of the others are of the debiased score, whose mean curve is that of the others; where more
# than this share is left out, that may be another curve, and there is no interval at all.
MOST_WITHOUT_DEBIASED = 0.05
NO_INTERVAL = (
    "No intervals, and no chance to be selected again: how far a shrunk score may be off is told "
    "by the debiased one, which too many problems have not. It needs two samples in every epoch "
    "and no problem set that is always solved; a correlation has none."
)


@dataclass(frozen=True)
class Subject:
    """A score to be diagnosed.

    Attributes:
        problems: every problem, in order.
        samples: the samples behind the score, of its `epochs` only.
        rescore: the score as a function of such samples.
        scores: (n_problems,) the observed score; NaN = not scorable.
        redrawn: of a shrunk score the debiased one, which is drawn instead: a shrunk score spreads
            less than it may be off, as it is pulled to what is usual, and how far differs from
            problem to problem.
        published: whether the noise is ignored, as in the published formulas.
        about: (n_problems,) of a shrunk score the observed debiased one, about which the intervals
            lie, and which may leave a shrunk score out; NaN = no interval.
        scale: on which draws are centred.
    """

    problems: ProblemSet
    samples: tr.Samples
    rescore: Rescore
    scores: tr.Floats
    redrawn: Rescore | None = None
    published: bool = True
    about: tr.Floats | None = None
    scale: resampling.Scale | None = None


@dataclass(frozen=True)
class Cut:
    """What was selected from a score.

    Attributes:
        rule: see `limr.subsets.cut.cut`, with a size as a number.
        words: the rule in words.
        selected: (n_problems,) whether a problem was selected.
    """

    rule: Mapping[str, Any]
    words: str
    selected: tr.Flags


def subject(
    problems: ProblemSet,
    samples: tr.Samples,
    selector: str,
    options: Mapping[str, Any],
    *,
    seed: int,
    name: str,
) -> Subject:
    """Return a score that can be recomputed; the arguments are `limr.scores.scoring.score`'s.

    Raises:
        InputError: see `limr.scores.scoring.score`.
    """
    module = plugins.load("selectors", selector)
    settings = validation.complete(
        dict(options), validation.options(module), f"selector '{selector}'"
    )
    if "epochs" in settings:
        samples = samples.within(settings["epochs"])
        settings["epochs"] = None  # `rescore` also gets fewer epochs than that

    def scored_by(options: Mapping[str, Any]) -> Rescore:
        def rescore(redrawn: tr.Samples) -> tr.Floats:
            found: Scores = module.score(problems, redrawn, options, stream(seed, "select", name))
            return found.values

        return rescore

    rescore, noise = scored_by(settings), settings.get("noise", "ignore")
    scores = rescore(samples)
    scale = None if noise == "ignore" else getattr(module, "SCALE_WITHOUT_NOISE", None)
    if noise != "shrink":
        plain = noise == "ignore"
        return Subject(problems, samples, rescore, scores, published=plain, scale=scale)
    redrawn = scored_by({**settings, "noise": "debias"})
    try:
        about = redrawn(samples)
    except InputError:  # a correlation has no debiased score
        about = np.full(len(scores), np.nan)
    scored = ~np.isnan(scores)
    if np.isnan(about[scored]).sum() > MOST_WITHOUT_DEBIASED * scored.sum():
        about[:] = np.nan
    if np.isnan(about).all():
        redrawn = rescore
    return Subject(problems, samples, rescore, scores, redrawn, False, about, scale)


def check_same(of: Subject, scores: pa.Table) -> None:
    """Refuse scores that are not what the samples give.

    Raises:
        InputError: a score differs.
    """
    if scores["problem_id"].to_pylist() != list(of.problems.problem_ids) or not np.allclose(
        scores["score"].to_numpy(), of.scores, rtol=1e-9, atol=1e-9, equal_nan=True
    ):
        raise InputError(
            "the scores are not those that the learning curves give. Score the problems again."
        )


def cut(of: Subject, subset: Mapping[str, Any] | None, rng: np.random.Generator) -> Cut:
    """Return what was selected: a subset, or without one the best sixth of the scored.

    Args:
        of: the score.
        subset: a subset's record with its `problem_ids` (`limr.subsets.cut.read_subset`).
        rng: breaks ties at the last place of the best sixth.
    """
    if subset is not None:
        rule = subset["rule"]
        kept = set(subset["problem_ids"])
        selected = np.array([key in kept for key in of.problems.problem_ids], bool)
        return Cut(rule, _in_words(rule), selected)
    return cut_best(of, None, rng)


def cut_best(of: Subject, size: int | None, rng: np.random.Generator) -> Cut:
    """Return the `size` best of the scored problems; None: a sixth. `rng` breaks ties."""
    n_scored = int((~np.isnan(of.scores)).sum())
    number = min(n_scored, max(1, round(n_scored / 6)) if size is None else size)
    rule = {"size": number}
    words = SIXTH if size is None else _in_words(rule)
    return Cut(rule, words, best(of.scores, number, rng))


def cut_by(of: Subject, rule: Mapping[str, Any]) -> Cut:
    """Return what a threshold selects, which may be nothing or everything."""
    selected = reached(of.scores, rule["threshold"], bool(rule.get("strict")))
    return Cut(rule, _in_words(rule), selected)


def _in_words(rule: Mapping[str, Any]) -> str:
    if "threshold" in rule:
        return f"score {'>' if rule.get('strict') else '≥'} {rule['threshold']:g}"
    return f"the best {rule['size']:,}" if "size" in rule else "all with a score"


def problem_table(
    of: Subject, made: Cut, draws: int, level: float, rng: np.random.Generator
) -> pa.Table:
    """Return `limr.core.tables.DIAGNOSTICS`: how certain each problem's score and selection are.

    Args:
        of: the score.
        made: the cut whose outcome is in question.
        draws: of the bootstrap (`limr.scores.resampling`).
        level: of the intervals.
        rng: a named stream.
    """
    drawn = resampling.draw_scores(of.samples, of.redrawn or of.rescore, draws, rng)
    about = of.scores if of.about is None else of.about
    centred = resampling.centre(drawn, about, of.scale)
    found = resampling.spread(centred, level)
    if not of.published:
        found = found.holding(about, of.scale)
    if of.about is not None:
        centred = resampling.centre(centred, of.scores, of.scale)
    n = len(of.scores)
    columns: dict[str, Any] = {
        "problem_id": list(of.problems.problem_ids),
        "score": of.scores,
        **vars(found),
        "selected": made.selected,
        "probability": resampling.selected_share(centred, made.rule),
        "rule": [made.words] * n,
        "draws": [draws] * n,
        "level": [level] * n,
    }
    return _table(columns, DIAGNOSTICS)


def epoch_table(of: Subject, made: Cut, level: float) -> pa.Table:
    """Return `limr.core.tables.STABILITY`: the score from some epochs against that from others.

    The share of best problems that is compared is the cut's. No rows where there is one epoch only.
    """
    share = float(made.selected.sum() / max(1, (~np.isnan(of.scores)).sum()))
    n_epochs = of.samples.n_epochs
    prefixes = agreement.first_epochs(of.samples, of.rescore, share)
    compared = [("first", epochs, found) for epochs, found in prefixes.items()]
    halves = agreement.odd_even(of.samples, of.rescore, share)
    if halves is not None:
        compared.append(("odd-even", n_epochs, halves))
    rows = []
    for kind, epochs, found in compared:
        low, high = found.interval(level)
        row = {"kind": kind, "epochs": epochs, "n_epochs": n_epochs, **vars(found), "level": level}
        row |= {"overlap": found.overlap, "low": low, "high": high, "chance": found.chance}
        rows.append(row)
    return _table({name: [row[name] for row in rows] for name in STABILITY.names}, STABILITY)


def _table(columns: Mapping[str, Any], contract: pa.Schema) -> pa.Table:
    """Return a table of columns, NaN as null."""
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in contract]
    return pa.Table.from_arrays(arrays, schema=contract)


def in_sentences(problems: pa.Table, epochs: pa.Table) -> list[str]:
    """Return the diagnostics of a score in short sentences, from `problem_table`, `epoch_table`."""
    selected = np.array(problems["selected"].to_pylist(), bool)
    share = np.nan_to_num(np.array(problems["probability"].to_pylist(), float))
    rule, draws = problems["rule"][0].as_py(), problems["draws"][0].as_py()
    if not selected.any():
        return [f"Nothing is selected ({rule}), so there is nothing to draw again."]
    surely = int((share[selected] >= 0.95).sum())
    perhaps = int((share[~selected] > 0.05).sum())
    lines = [
        f"Drawn again {draws:,} times: of the {int(selected.sum()):,} selected ({rule}) "
        f"{share[selected].mean():.0%} are selected again, {surely:,} of them surely; {perhaps:,} "
        "left out might be in."
    ]
    if problems["low"].null_count == len(problems):
        lines = [NO_INTERVAL]
    for row in epochs.to_pylist():
        prefix = row["kind"] == "first"
        if row["overlap"] is None or (prefix and row["epochs"] not in _SHOWN):
            continue
        first = "epoch" if row["epochs"] == 1 else f"{row['epochs']} epochs"
        which = f"The first {first} and all" if prefix else "Odd and even epochs"
        correlation = "–" if row["spearman"] is None else f"{row['spearman']:.2f}"
        lines.append(
            f"  {which} share {row['overlap']:.0%} of the selection (by chance "
            f"{row['chance']:.0%}); rank correlation {correlation}."
        )
    return lines
