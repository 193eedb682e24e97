"""Two anchors: pass rates predicted from those of a weaker and a stronger model (BOTS).

a_i and b_i are the published pass rates of a weaker and a stronger model. Over the visits of the
used epochs,

    c = Σ_ik (r_i^k - a_i) / Σ_ik (b_i - a_i),   p_i = a_i + c (b_i - a_i), cut to [0, 1],

are how far this model stands on the way from the weaker to the stronger one, and what it should
solve of problem i; s_i = -|p_i - target|, in [-1, 0]. Problems that were never sampled have a score
too. The interpolation is BOTS's (arXiv 2510.26374, and its code in Trinity-RFT); BOTS takes c as a
moving average over batches and mixes p into a decayed Beta posterior as counts, which is left out
here: for a recent c, use `epochs: {last: K}`. Where a problem's rates cross (a_i > b_i) the formula
holds all the same, as in BOTS's code, or with `crossed: drop` the problem has no score; if the
stronger model is not the better one over all visits, it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.errors import InputError
from limr.core.validation import Keys, Number, key
from limr.problems import own_numbers
from limr.scores.scoring import ProblemSet, Scores
from limr.trajectories import curves as tr

TITLE = "Between two anchors (BOTS)"
NEEDS_TRAJECTORIES = True
SEEDED = False
OWN_FILES = ("weaker", "stronger")  # options that name a file of the user's own
NO_RATE = "no pass rate of the {} model"
_LEAST_WAY = 1e-6  # between the models' mean rates; less is rounding
CROSSED = "the weaker model's pass rate lies above the stronger one's"


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    weaker: str | None = key(
        None, "File of the weaker model's pass rates, {id: rate} or rows; it must be given."
    )
    stronger: str | None = key(
        None, "File of the stronger model's pass rates; it must be given, and may be the same file."
    )
    weaker_column: str = key("pass_rate", "Column of the weaker model's rates, in a file of rows.")
    stronger_column: str = key(
        "pass_rate", "Column of the stronger model's rates, in a file of rows."
    )
    target: Number = key(0.5, "The pass rate to be near to.", ge=0, le=1)
    crossed: Literal["keep", "drop"] = key(
        "keep",
        "Problems that the weaker model solves more often than the stronger one. `keep`: predicted "
        "like any other; `drop`: not scored.",
    )


def check(options: Mapping[str, Any]) -> None:
    """Refuse options that lack a file, or name the same rates twice.

    Raises:
        InputError: they do.
    """
    for name in OWN_FILES:
        if options[name] is None:
            raise InputError(f"selector 'two-anchor' needs `{name}`: a file of {{id: pass rate}}.")
    rates = [(options[name], options[f"{name}_column"]) for name in OWN_FILES]
    if rates[0] == rates[1]:
        raise InputError(
            f"selector 'two-anchor': `weaker` and `stronger` are the same rates, {rates[0][0]}. "
            "Give `weaker_column` and `stronger_column`, or two files."
        )


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return minus the distance of every predicted pass rate to the target.

    Raises:
        InputError: a file is missing or not such a file, a rate outside 0 to 1, or anchors that
            cross over all visits.
    """
    check(options)
    used = samples.within(options["epochs"])
    (weaker, first), (stronger, second) = (
        _rates(options[name], options[f"{name}_column"], problems) for name in OWN_FILES
    )
    place = _place(used, weaker, stronger)
    predicted = np.clip(weaker + place * (stronger - weaker), 0.0, 1.0)
    values = 0.0 - np.abs(predicted - options["target"])
    lacking, lacking_too = np.isnan(weaker), np.isnan(stronger)
    reasons = {
        NO_RATE.format("weaker"): lacking,
        NO_RATE.format("stronger"): lacking_too & ~lacking,
    }
    crossed = weaker > stronger
    if options["crossed"] == "drop":
        values[crossed] = np.nan
        reasons[CROSSED] = crossed
    notes = [
        *first,
        *second,
        f"The model stands at {place:.2f} of the way from the weaker to the stronger one.",
        f"The weaker model's rate lies above the stronger one's for {int(crossed.sum()):,} of "
        f"{len(crossed):,} problems.",
    ]
    if not 0 <= place <= 1:
        beyond = "stronger" if place > 1 else "weaker"
        notes.append(
            f"That is beyond the {beyond} one: rates are extrapolated there, and cut to 0 and 1. "
            "Take models that enclose this one."
        )
    return Scores(values, reasons, notes)


def _rates(path: str, column: str, problems: ProblemSet) -> tuple[tr.Floats, list[str]]:
    """Return (n_problems,) rates in [0, 1], NaN where there is none, and what was noticed."""
    values, notes = own_numbers.aligned(own_numbers.read(path, column), problems.problem_ids, path)
    outside = (values < 0) | (values > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"{path}: '{problems.problem_ids[row]}': {values[row]:g} is no pass rate from 0 to 1."
        )
    return values, notes


def _place(samples: tr.Samples, weaker: tr.Floats, stronger: tr.Floats) -> float:
    """Return c: where the model stands, 0 = at the weaker one, 1 = at the stronger one."""
    visits = (samples.n > 0).sum(axis=1)
    known = (visits > 0) & ~np.isnan(weaker + stronger)
    rates = (samples.n_correct / np.maximum(samples.n, 1)).sum(axis=1)[known]
    weight = visits[known]
    way = float(weight @ (stronger - weaker)[known])
    if not known.any():
        raise InputError(
            "selector 'two-anchor': no problem was sampled that both models have a rate of."
        )
    if way <= _LEAST_WAY * weight.sum():
        raise InputError(
            "selector 'two-anchor': the stronger model's mean pass rate is "
            f"{weight @ stronger[known] / weight.sum():.3f} over the visits, the weaker one's "
            f"{weight @ weaker[known] / weight.sum():.3f}: the anchors cross. Swap `weaker` and "
            "`stronger`, or take models further apart."
        )
    return float((rates - weight * weaker[known]).sum() / way)
