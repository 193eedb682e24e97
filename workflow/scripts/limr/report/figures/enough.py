"""How much scoring is enough: how sure a choice would be from other numbers of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, which_scores
from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.report.figures import _style
from limr.scores import prospects
from limr.trajectories import curves as tr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "How much scoring is enough"
REQUIRES = ("trajectories", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.enough`."""

    scores: which_scores.Names = None
    draws: int = key(10, "True curves that are drawn.", ge=1, le=1000)


SHOWN = 4  # scores, unless they are named: each of a long log takes a second


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each score's choice would share with that of unlimited samples.

    Returns:
        One row per score, samples (per problem and epoch) and epochs (the first so many): score,
        colour, samples, epochs, rollouts (of a problem), truth and again
        (`limr.scores.prospects.Prospect`), recorded (whether the study has so many), n_epochs,
        share (of the problems that are chosen).

    Raises:
        InputError: no subset is cut from a score that the study has learning curves of.
    """
    wanted = options["scores"]
    names = which_scores.names(inputs, wanted, "figure 'enough'")
    known = {
        name: (table, record)
        for name in names
        if (table := which_scores.curves(inputs, name)) is not None
        and (record := which_scores.first_subset(inputs, name)) is not None
    }
    if not known:
        raise InputError(
            "figure 'enough': no subset is cut from a score of learning curves that the study has."
        )
    colours = _style.score_colours(inputs)
    parts = []
    for name, (table, record) in list(known.items())[: None if wanted else SHOWN]:
        part = _of_score(inputs, name, table, record, options["draws"])
        parts.append(part.assign(score=name, colour=colours.get(name, _style.BASE)))
    return pd.concat(parts, ignore_index=True)


def _of_score(
    inputs: results.Inputs, name: str, table: Any, record: Mapping[str, Any], draws: int
) -> pd.DataFrame:
    scores = inputs.scores[name]
    given = dict(record.get("options") or {})
    samples = tr.samples(table, scores["problem_id"].tolist()).within(given.pop("epochs", None))
    share = record["n_selected"] / max(1, int(scores["score"].notna().sum()))
    typical = int(np.median(samples.n[samples.n > 0]))
    n_epochs = samples.n_epochs
    sizes = sorted({*prospects.SAMPLES, typical})
    pairs = [(m, k) for k in sorted({max(1, n_epochs // 2), n_epochs}) for m in sizes]
    found = prospects.of_log(
        samples, str(record["selector"]), given, pairs, share=min(1.0, share), draws=draws
    )
    rows = [{**vars(one), "rollouts": one.cost} for one in found]
    recorded = [(one.samples, one.epochs) == (typical, n_epochs) for one in found]
    return pd.DataFrame(rows).assign(recorded=recorded, n_epochs=n_epochs, share=share)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw, for each score, the overlap against the rollouts of a problem."""
    drawn = _style.figure(7.6, 4.6)
    ax = drawn.subplots()
    for place, (name, rows) in enumerate(frame.groupby("score", sort=False)):
        for epochs, line in rows.groupby("epochs"):
            every = epochs == line["n_epochs"].iloc[0]
            ax.plot(
                line["rollouts"], line["truth"], color=line["colour"].iloc[0],
                linestyle="-" if every else "--", linewidth=_style.width(place), markersize=5,
                marker=_style.MARKERS[place % len(_style.MARKERS)], markeredgecolor="white",
                label=f"{name}, {epochs} epochs",
            )  # fmt: skip
        here = rows[rows["recorded"]]
        ax.plot(
            here["rollouts"], here["truth"], "o", markersize=13, fillstyle="none", color=_style.INK
        )
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel("samples of a problem, over all epochs")
    ax.set_ylabel("share that unlimited samples would choose")
    ax.legend(loc="lower right", fontsize=9)
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, from what it is computed, and what a ring is."""
    n, share = int(frame["n_epochs"].max()), frame["share"].iloc[0]
    return (
        f"Of the best {100 * share:.0f} % that a scoring would choose, the expected share that "
        f"unlimited samples in all {n} epochs would choose too, by the samples that the scoring "
        "takes. From 1 sample per problem and epoch on the left of a line to 32 on its right; "
        "dashed: the first half of the epochs only. A ring is what the study has. Computed from "
        "true curves that are drawn given the study's samples (docs/noise.md); it says whether the "
        "samples suffice to rank by the score, not whether the score picks what trains best."
    )
