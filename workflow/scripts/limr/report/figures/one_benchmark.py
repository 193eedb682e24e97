"""One benchmark over training for a few arms: the paper's figure 1a."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis import results, subset_records
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.figures import _accuracy, _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The main comparison on one benchmark"
REQUIRES = ("evaluations", "subsets")


class Options(Keys):
    """Keys of `figures.one-benchmark`."""

    benchmark: str | None = key(None, "The benchmark to show; null: the study's first.")
    arms: list[str] | None = key(
        None, "Arms to show; null: the full set, the first chosen subset, the random ones."
    )


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per run and step: accuracy in percent at the benchmark's first decoding.

    Raises:
        InputError: there is no such benchmark or arm.
    """
    titles = results.benchmarks(inputs)
    name = options["benchmark"] or next(iter(titles))
    _known("benchmark", name, list(titles))
    frame = _accuracy.headline_only(inputs, _accuracy.by_run(results.evaluated(inputs)))
    frame = frame[frame["benchmark"] == name]
    groups = _groups(inputs, options["arms"])
    base = [g.name for g in results.evaluated_groups(inputs) if g.train == "none"]
    frame = frame[frame["group"].isin([*groups, *base])]
    found = _style.titled(frame.assign(panel=titles[name]), inputs)
    decoding = results.decodings(results.evaluated(inputs), name)[0]
    found = _accuracy.from_base(found, inputs).reset_index(drop=True)
    return _accuracy.with_intervals(found, inputs, {titles[name]: {name: decoding}})


def _groups(inputs: results.Inputs, wanted: Sequence[str] | None) -> list[str]:
    known = [group for group in results.evaluated_groups(inputs) if group.train != "none"]
    if wanted is not None:
        for name in wanted:
            _known("arm", name, [group.name for group in known])
        return list(wanted)
    ppo = [group for group in known if group.train == "ppo"]
    records = {group.name: subset_records.group_record(inputs, group) for group in ppo}
    chosen = [
        name
        for name, record in records.items()
        if not (subset_records.is_full(record) or subset_records.is_random(record))
    ]
    return [name for name in records if name not in chosen[1:]] or [g.name for g in known]


def _known(what: str, name: str, among: Sequence[str]) -> None:
    if name not in among:
        raise InputError(
            f"figure 'one-benchmark': there is no evaluated {what} '{name}'.{nearest(name, among)}"
        )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel, labelled at the lines' ends."""
    drawn = _style.figure(6.4, 4.2)
    [ax] = _style.panels(drawn, frame, 1, _accuracy.draw_panel)
    _style.label_ends(ax, frame, "accuracy")
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what lines and intervals are."""
    return (
        f"Accuracy on {frame['panel'].iloc[0]} ({int(frame['questions'].max()):,} questions, "
        f"{frame['decoding'].dropna().iloc[0]}) over training. {_accuracy.intervals(frame)}"
    )
