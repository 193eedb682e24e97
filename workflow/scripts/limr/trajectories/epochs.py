"""Epochs by a given number of steps, as the LIMR code counts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Findings, steps_in_words
from limr.trajectories.log import Places


def by_steps(
    problem: Ints,
    step: Places,
    options: Mapping[str, Any],
    where: Callable[[int], str],
    name: Callable[[int], str],
    shared: set[int],
    found: Findings,
) -> Ints:
    """Return (n_blocks,) the epoch of each block, from 0; -1 in a last epoch that is not whole.

    Args:
        problem: (n_blocks,) places of their problems.
        step: (n_blocks,) steps as the log numbers them.
        options: `steps_per_epoch`, `first_step`, `missing_steps`, `visits`.
        where: block -> where it is.
        name: place of a problem -> its id.
        shared: problems that share their text: their visits cannot be told apart.
        found: takes what is noticed.

    Raises:
        InputError: a step before the first one, a problem that was visited twice in an epoch, steps
            that are lacking, no whole epoch.
    """
    size, first = int(options["steps_per_epoch"]), int(options["first_step"])
    if step.min() < first:
        row = int(np.argmin(step))
        raise InputError(
            f"{where(row)}: step {step[row]} lies before the first one, {first}. If the log counts "
            f"from {step[row]}, set `first_step: {step[row]}`."
        )
    epoch = (step - first) // size
    if options["visits"] == "once":
        _refuse_second_visits(problem, step, epoch, size, where, name, shared)
    last = int(step.max())
    _refuse_gaps(step, first, last, options, where, found)
    over = (last - first + 1) % size
    if over and last - first + 1 < size:
        raise InputError(
            f"{where(0)}: {over} steps are less than one epoch of {size} steps. Is steps_per_epoch "
            "wrong?"
        )
    if over:
        epoch = np.where(epoch == (last - first) // size, -1, epoch)
        found.add(
            "cut-epoch",
            f"the last {over} steps begin an epoch of {size} steps and are left "
            "out: it is not whole.",
            count=over,
        )
    return epoch


def _refuse_second_visits(
    problem: Ints,
    step: Places,
    epoch: Ints,
    size: int,
    where: Callable[[int], str],
    name: Callable[[int], str],
    shared: set[int],
) -> None:
    visits = np.unique(np.stack([problem, epoch, step]), axis=1)
    again = np.flatnonzero((np.diff(visits[0]) == 0) & (np.diff(visits[1]) == 0))
    again = again[~np.isin(visits[0][again], list(shared))]
    if len(again):
        which = again[np.argmin(visits[2][again + 1])]
        one, later = int(visits[0][which]), int(visits[2][which + 1])
        row = int(np.argmax((problem == one) & (step == later)))
        raise InputError(
            f"{where(row)}: problem '{name(one)}' was sampled in step {visits[2][which]} and again "
            f"in step {later}, in one epoch of {size} steps ({len(again)} such visits). Is "
            "steps_per_epoch wrong? Without it a prompt's k-th visit is its epoch k; `visits: any` "
            "pools visits within an epoch."
        )


def _refuse_gaps(
    step: Places,
    first: int,
    last: int,
    options: Mapping[str, Any],
    where: Callable[[int], str],
    found: Findings,
) -> None:
    lacking = sorted(set(range(first, last + 1)) - set(np.unique(step).tolist()))
    if not lacking:
        return
    if options["missing_steps"] == "refuse":
        raise InputError(
            f"{where(0)}: step {steps_in_words(lacking)} is lacking ({len(lacking)} of the steps "
            f"{first} to {last}): the problems of such a step would lack an epoch. Complete the "
            "log, or set `missing_steps: allow`."
        )
    found.add(
        "steps-missing",
        f"{len(lacking)} steps are lacking; their problems lack that epoch.",
        "warning",
        len(lacking),
    )
