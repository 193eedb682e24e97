"""Where choosing pays, by region: mean differences over the cells of every value of every axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import cells, results
from limr.analysis import map as mapping
from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.tables import _map
from limr.statistics import power

TITLE = "The map by region"
REQUIRES = ("evaluations", "subsets")
DECIMALS = 3
NUMBERS = ("cells", "of", "step", "difference", "low", "high", "p", "Holm p", "MDE", "level")
COLUMNS = ["arm", "against", "region", "cells", "of", "step", "decoding", "difference", "low",
           "high", "p", "Holm p", "shows", "after Holm", "MDE", "level"]  # fmt: skip


class Options(Keys):
    """Keys of `tables.map-regions`."""

    pairs: mapping.Pairs = None
    axes: list[str] | None = key(
        None, "Axes whose values are regions, which are corrected together; null: all."
    )
    decodings: list[str] | None = key(
        None, "Decodings to show beside each other; null: the first of each benchmark."
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per decoding, pair and region: all cells, then every value of every axis.

    Raises:
        InputError: an axis, a decoding or an arm that the study does not have.
    """
    known = cells.axes(inputs)
    for axis in options["axes"] or ():
        if axis not in known:
            raise InputError(
                f"table 'map-regions': there is no axis '{axis}'.{nearest(axis, known)}"
            )
    if options["decodings"] is None:
        return _rows(inputs, options, "first")
    parts = [
        _rows(mapping.by_decoding(inputs, name), options, name) for name in options["decodings"]
    ]
    return pd.concat(parts, ignore_index=True)


def _rows(inputs: Inputs, options: Mapping[str, Any], decoding: str) -> pd.DataFrame:
    level = results.declared(inputs).level
    axes = None if options["axes"] is None else tuple(options["axes"])
    rows = []
    for pair in mapping.pairs(inputs, options["pairs"]):
        everywhere = mapping.last(mapping.differences(inputs, pair))
        for one in mapping.regions(inputs, pair, axes):
            own = [d for d in everywhere if one.axis is None or d.place.get(one.axis) == one.value]
            word = one.interval.verdict
            called = word if one.holm < 1 - level else "level"
            rows.append(
                {
                    "arm": cells.title(inputs, pair[0]),
                    "against": cells.title(inputs, pair[1]),
                    "region": mapping.region_text(one),
                    "cells": one.n,
                    "of": len(own),
                    "step": everywhere[0].step,
                    "decoding": decoding,
                    **one.interval.percent("difference"),
                    "p": one.estimate.p_value(),
                    "Holm p": one.holm,
                    "shows": _map.SHOWS[word],
                    "after Holm": _map.SHOWS[called],
                    "MDE": 100 * power.detectable(one.estimate, level),
                    "level": 100 * level,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def caption(frame: pd.DataFrame) -> str:
    """Say what a region is, and that its interval knows what its cells share."""
    if frame.empty:
        return "No pair of arms has been evaluated yet."
    return (
        "Mean of the differences arm − against, in points, over all cells and over the cells of "
        "each value of an axis, at the last evaluated step, every evaluated cell counted the same; "
        f"{frame['level'].max():g} % interval over runs and questions. What a run adds to several "
        "cells, as a full set does to all sizes, is summed before runs are said to vary. Holm p is "
        "corrected for all regions of the pair and decoding that are shown here; the whole stands "
        "alone. A region whose interval excludes 0 does not say that each of its cells differs."
    )
