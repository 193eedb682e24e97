"""Where the problems that the published reward cannot reward lie among the scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, subset_records
from limr.core.errors import InputError
from limr.core.validation import Keys, Number, key
from limr.report.figures import _style
from limr.statistics.intervals import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Scores and gradable answers"
REQUIRES = ("scores", "subsets", "findings")


class Options(Keys):
    """Keys of `figures.gradability`."""

    score: str | None = key(None, "The score to show; null: that of the first chosen subset.")
    lowest: Number = key(-3.0, "Scores below this are counted in the first bar.")


# What the published reward reads of a gold answer (`limr.problems.answer_audit`) -> colour, dashes,
# hatch.
KINDS = {
    "dead": ("#D55E00", "-", "////"),
    "a fragment": ("#B8860B", "--", "\\\\\\\\"),
    "whole": ("#56B4E9", ":", ""),
}


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per scored problem: problem_id, score, reads, selected, and the cut.

    `reads` is what the published reward reads of the gold answer: dead (nothing: no response can be
    rewarded), a fragment of it, or the whole.

    Raises:
        InputError: no subset is cut from the score, or its problem set was not audited.
    """
    record = subset_records.scored_by(inputs, options["score"])
    frame = inputs.scores[record["score"]]
    found = [f for f in inputs.findings.values() if len(f) and _of(f, frame)]
    if not found:
        raise InputError("figure 'gradability': the gold answers of this score were not audited.")
    audit = found[0]
    dead = set(audit.loc[audit["finding"] == "paper-dead", "problem_id"])
    lossy = set(audit.loc[audit["finding"] == "paper-lossy", "problem_id"])
    scored = frame.dropna(subset="score")[["problem_id", "score"]].reset_index(drop=True)
    ids = scored["problem_id"]
    reads = np.where(ids.isin(dead), "dead", np.where(ids.isin(lossy), "a fragment", "whole"))
    return scored.assign(
        reads=reads,
        selected=ids.isin(set(record["problem_ids"])),
        threshold=record["rule"].get("threshold", record["selected_score_range"][0]),
        n_problems=len(frame),
        n_dead=len(dead),
        score_name=record["score"],
    )


def _of(audit: pd.DataFrame, scores: pd.DataFrame) -> bool:
    return bool(audit["problem_id"].isin(scores["problem_id"]).all())


def counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return kind -> n, selected, share with its Wilson interval, expected by chance, p.

    `p` is that of as few or fewer (where fewer than expected, else of as many or more) among the
    selected, had they been drawn at random from the scored problems: hypergeometric, one-sided.
    """
    total, selected = len(frame), int(frame["selected"].sum())
    rows = {}
    for kind in KINDS:
        of_kind = frame["reads"] == kind
        n, k = int(of_kind.sum()), int((of_kind & frame["selected"]).sum())
        low, high = wilson(k, n) if n else (np.nan, np.nan)
        rows[kind] = {
            "n": n,
            "selected": k,
            "share": k / n if n else np.nan,
            "low": low,
            "high": high,
            "expected": selected * n / total,
            "p": tail(k, n, selected, total),
        }
    return pd.DataFrame(rows).T


def tail(k: int, n: int, drawn: int, total: int) -> float:
    """Return the smaller side's hypergeometric tail, k itself in it.

    Args:
        k: of a kind among the drawn.
        n: of the kind in all.
        drawn: problems drawn.
        total: problems.
    """
    from scipy.stats import hypergeom  # imported here, since it takes half a second

    chance = hypergeom(total, n, drawn)
    return float(chance.cdf(k) if k * total <= drawn * n else chance.sf(k - 1))


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the distribution on the left, the share selected by kind on the right."""
    from matplotlib.patches import Patch

    drawn = _style.figure(10.4, 4.2)
    left, right = drawn.subplots(1, 2, width_ratios=[1.6, 1])
    _draw_distribution(left, frame, options["lowest"])
    _draw_shares(right, frame)
    found = frame["reads"].value_counts()
    handles = [
        Patch(facecolor=colour, edgecolor="white", hatch=2 * hatch)
        for colour, _, hatch in KINDS.values()
    ]
    labels = [f"{kind}: {found.get(kind, 0):,}" for kind in KINDS]
    title = "The published reward reads of the gold answer"
    drawn.legend(handles, labels, title=title, loc="outside upper left", ncols=3, alignment="left")
    return drawn


def _draw_distribution(ax: Axes, frame: pd.DataFrame, lowest: float) -> None:
    """Draw each kind's share of its own problems by score, so that sizes do not hide shapes."""
    shown = frame.assign(score=frame["score"].clip(lower=lowest))
    edges = np.linspace(lowest, max(1.0, float(shown["score"].max())), 41)
    for kind, (colour, dashes, _) in KINDS.items():
        values = shown.loc[shown["reads"] == kind, "score"]
        heights = 100 * np.histogram(values, edges)[0] / max(1, len(values))
        ax.stairs(heights, edges, color=colour, linestyle=dashes, linewidth=1.8)
    threshold = float(frame["threshold"].iloc[0])
    _style.draw_cut(ax, threshold, f"kept from {threshold:.2g}")
    ax.set_xlabel(_style.score_label(frame["score"], lowest))
    ax.set_ylabel("% of the kind's problems")
    ax.set_title(f"Scores '{frame['score_name'].iloc[0]}'")


def _draw_shares(ax: Axes, frame: pd.DataFrame) -> None:
    found = counts(frame)
    for place, (kind, row) in enumerate(found.iterrows()):
        colour, _, hatch = KINDS[str(kind)]
        share = 100 * row["share"]
        ax.bar(place, share, color=colour, hatch=hatch, edgecolor="white", width=0.7)
        ends = [[share - 100 * row["low"]], [100 * row["high"] - share]]
        ax.errorbar(place, share, ends, fmt="none", ecolor=_style.INK, elinewidth=1.3)
        text = f"{row['selected']:,.0f} of {row['n']:,.0f}\nby chance {row['expected']:,.0f}"
        _style.note(ax, text, (place, 100 * row["high"]), (0, 4), ha="center", fontsize=9)
    overall = 100 * frame["selected"].mean()
    ax.axhline(overall, color=_style.INK, linestyle="--", linewidth=1.3)
    ax.set_xticks(range(len(found)), list(found.index))
    ax.set_ylim(0, 1.3 * 100 * float(found["high"].max()))
    ax.set_ylabel("% selected")
    ax.set_title("Selected")
    ax.grid(False, axis="x")


def caption(frame: pd.DataFrame) -> str:
    """Say how many dead problems were selected, how many chance would give, and what is drawn."""
    found = counts(frame).loc["dead"]
    selected, overall = int(frame["selected"].sum()), 100 * frame["selected"].mean()
    p = "p < 1e-15" if found["p"] < 1e-15 else f"p = {found['p']:.2g}"
    return (
        f"Of {int(frame['n_problems'].iloc[0]):,} problems {int(frame['n_dead'].iloc[0]):,} have a "
        "gold answer of which the published reward reads nothing: no response to them can be "
        f"rewarded. {found['n']:,.0f} of these are among the {len(frame):,} scored problems, and "
        f"{found['selected']:,.0f} among the {selected:,} selected ones; a random choice of that "
        f"size would hold {found['expected']:,.0f} (hypergeometric, one-sided: {p}). Left: scores, "
        "each kind in percent of its own. Right: share selected, with Wilson's 95 % interval; "
        f"dashed: over all, {overall:.1f} %. One published run: nothing here says how other seeds "
        "would score."
    )
