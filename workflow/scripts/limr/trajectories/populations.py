"""Rows of an evaluation among rows of training, and steps that the log does not hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.findings import Findings, steps_in_words
from limr.trajectories.log import Log, Places

_SHOWN = 60
_FEWEST_STEPS = 6  # before it can be seen that some prompts come back and others are drawn anew


def training_rows(log: Log, at: Places, found: Findings) -> Flags:
    """Return (n_rows,) which rows are of training.

    Rows are of an evaluation where their file's name says so, or where a set of prompts comes back
    whole at steps in between, and none of it is ever trained on.

    Args:
        log: the rows, in the order of training.
        at: (n_rows,) numbers of their steps.
        found: takes what is noticed.

    Raises:
        InputError: two files of one step hold different prompts, and no name tells them apart.
    """
    named = np.array([file.held_out for file in log.files], bool)[log.file]
    if named.any() and not named.all():
        _note(log, named, "their files' names say so", found)
        return ~named
    _refuse_two_files(log, at)
    held_out = _between(log, at)
    if held_out.any():
        _note(
            log,
            held_out,
            "the same prompts come back whole at these steps, between others, and "
            "are never trained on",
            found,
        )
        lost = np.unique(steps_of(log, at)[held_out])
        found.add(
            "overwritten-steps",
            f"the evaluation took the place of the training rows of steps "
            f"{steps_in_words(lost.tolist())}: those are not in the log.",
            "warning",
            len(lost),
        )
    return ~held_out


def _note(log: Log, rows: Flags, why: str, found: Findings) -> None:
    prompts = {log.prompts[place][0] for place in np.unique(log.prompt[rows])}
    found.add(
        "evaluation-rows",
        f"{int(rows.sum()):,} rows of {len(prompts):,} prompts are of an evaluation ({why}) and "
        "are left out.",
        "warning",
        int(rows.sum()),
        log.where(int(np.argmax(rows))),
    )


def steps_of(log: Log, at: Places) -> Places:
    """Return (n_rows,) the steps as the log numbers them."""
    if log.step is not None:
        return log.step
    numbers = np.array([-1 if f.number is None else f.number for f in log.files], np.int64)
    of_file = numbers[log.file]
    return at if (of_file < 0).any() else of_file


def _between(log: Log, at: Places) -> Flags:
    """Return (n_rows,) the rows of steps whose prompts are of one set that is never trained on."""
    none: Flags = np.zeros(len(log), bool)
    sets: dict[frozenset[int], list[int]] = {}
    bounds = np.flatnonzero(np.r_[True, np.diff(at) != 0, True])
    for step, (begin, end) in enumerate(pairwise(bounds)):
        sets.setdefault(frozenset(np.unique(log.prompt[begin:end]).tolist()), []).append(step)
    n_steps = len(bounds) - 1
    if n_steps < _FEWEST_STEPS:
        return none
    for prompts, steps in sets.items():
        if len(steps) < 2 or len(steps) * 2 > n_steps or np.diff(steps).min() < 2:
            continue
        others = [other for other in sets if other is not prompts]
        if len(others) > 1 and not any(prompts & other for other in others):
            gaps = np.diff(steps)
            if gaps.max() <= 1.5 * np.median(gaps) + 1 and _more_often(prompts, steps, sets):
                return none | np.isin(at, np.array(steps) + at[0])
    return none


def _more_often(
    prompts: frozenset[int], steps: list[int], sets: dict[frozenset[int], list[int]]
) -> bool:
    """Tell whether no other set of prompts ever came back whole: batches are drawn anew."""
    return all(len(places) == 1 for other, places in sets.items() if other is not prompts)


def steps_of_problems(log: Log, at: Places, problem: Ints, found: Findings) -> Flags:
    """Return (n_rows,) which rows are of steps with a known problem, if steps are either or.

    Args:
        log: the rows, in the order of training.
        at: (n_rows,) numbers of their steps.
        problem: (n_rows,) places of their problems; -1: in no problem file.
        found: takes what is noticed.
    """
    steps, inverse = np.unique(at, return_inverse=True)
    known = np.bincount(inverse, weights=problem >= 0)
    rows = np.bincount(inverse)
    foreign = known == 0
    if not foreign.any() or foreign.sum() * 2 > len(steps) or not (known == rows)[~foreign].all():
        return np.ones(len(log), bool)
    out = np.asarray(foreign[inverse])
    _note(
        log, out, "at these steps no prompt is among the problems, at all others every one", found
    )
    return ~out


def _refuse_two_files(log: Log, at: Places) -> None:
    """Refuse two files of one step whose prompts have nothing in common, unless all steps do so."""
    pairs = np.stack(np.divmod(np.unique(at * len(log.files) + log.file), len(log.files)))
    steps, counts = np.unique(pairs[0], return_counts=True)
    if not (counts > 1).any() or (counts > 1).all():
        return
    folders = {(str(log.files[file].path.parent), step) for step, file in pairs.T.tolist()}
    if len({folder for folder, _ in folders}) == len(folders) > 1:
        return  # a folder for each step, and in it a file for each group
    step = steps[np.argmax(counts > 1)]
    files = pairs[1][pairs[0] == step]
    first = {int(p) for p in log.prompt[(at == step) & (log.file == files[0])]}
    second = {int(p) for p in log.prompt[(at == step) & (log.file == files[1])]}
    if not first & second:
        raise InputError(
            f"{log.files[files[0]].name} and {log.files[files[1]].name} are of one step and hold "
            "different prompts: is one of them an evaluation? Name the files of the training, such "
            "as 'FOLDER/[0-9]*.jsonl'."
        )


def missing_steps(log: Log, at: Places, found: Findings) -> None:
    """Say where steps are not in the log, whose rollouts are lost for it."""
    numbers = np.unique(steps_of(log, at))
    parts = {file.part for file in log.files}
    if len(numbers) < 3 or len(parts) > 1 or numbers[0] < 0:
        return
    gaps = np.diff(numbers)
    if (gaps == 1).all():
        return
    sizes = np.array([len(np.unique(log.prompt[at == one])) for one in np.unique(at)[:200]])
    if sizes.max() == len(np.unique(log.prompt)):  # every step holds every prompt: nothing is lost
        return
    lost = sorted(set(range(int(numbers[0]), int(numbers[-1]) + 1)) - set(numbers.tolist()))
    regular = (gaps == gaps[0]).all()
    what = (
        f"only every {gaps[0]}. step is in the log (logging_steps, perhaps)"
        if regular
        else f"steps {steps_in_words(lost)} are not in the log"
    )
    found.add(
        "steps-missing",
        f"{what}: the rollouts of {len(lost):,} steps are lost, so that a prompt's k-th visit in "
        "the log is not its k-th in training. Trust pass rates more than curves.",
        "warning",
        len(lost),
    )


def shown(text: str) -> str:
    """Return the end of a prompt for a message: its beginning is mostly a system prompt."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else f"…{flat[-_SHOWN:]}")
