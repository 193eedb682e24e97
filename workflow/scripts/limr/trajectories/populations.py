"""Rows of an evaluation among rows of training, and steps that the log does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.findings import Findings, steps_in_words
from limr.trajectories.log import Log, Places
from limr.trajectories.visits import runs

_SHOWN = 60
_FEWEST_STEPS = 6  # before it can be seen that some prompts come back and others are drawn anew


def training_rows(log: Log, at: Places, found: Findings) -> Flags:
    """Return (n_blocks,) which blocks are of training.

    Rows are of an evaluation where their file's name says so, or where their prompts come back
    together at steps in between, and never else.

    Args:
        log: the rows, in the order of training.
        at: (n_blocks,) numbers of their steps.
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
            "their prompts come back together at even distances, and never else",
            found,
        )
        lost = np.unique(steps_of(log, at)[held_out])
        found.add(
            "overwritten-steps",
            f"the evaluation took the place of training rows of steps "
            f"{steps_in_words(lost.tolist())}: those are not in the log, or not all of them.",
            "warning",
            len(lost),
        )
    return ~held_out


def _note(log: Log, rows: Flags, why: str, found: Findings) -> None:
    prompts = {log.prompts[place][0] for place in np.unique(log.prompt[rows])}
    found.add(
        "evaluation-rows",
        f"{log.rows(rows):,} rows of {len(prompts):,} prompts are of an evaluation ({why}) and "
        "are left out.",
        "warning",
        log.rows(rows),
        log.where(int(np.argmax(rows))),
    )


def steps_of(log: Log, at: Places) -> Places:
    """Return (n_blocks,) the steps as the log numbers them."""
    if log.step is not None:
        return log.step
    of_file = log.file_numbers()
    return at if (of_file < 0).any() else of_file


def _between(log: Log, at: Places) -> Flags:
    """Return (n_blocks,) the blocks of prompts that come back together at steps in between.

    Such prompts share all their steps, which lie at even distances, come last within each, and
    others do not: batches of training are drawn anew.
    """
    starts = runs(log.prompt, at)
    prompt, step = log.prompt[starts], steps_of(log, at)[starts]
    n_steps = len(np.unique(step))
    if n_steps < _FEWEST_STEPS:
        return np.zeros(len(log), bool)
    together: dict[tuple[int, ...], list[int]] = {}
    for one, whens in _at_even_distances(prompt, step, n_steps):
        together.setdefault(whens, []).append(one)
    wanted = np.isin(step, list({when for whens in together for when in whens}))
    by_step: dict[int, list[int]] = {}
    for one, when in zip(prompt[wanted].tolist(), step[wanted].tolist(), strict=True):
        by_step.setdefault(when, []).append(one)
    found = [
        (len(whens) * len(group), whens, group)
        for whens, group in together.items()
        if _comes_last(whens, group, by_step)
    ]
    found.sort(reverse=True)
    # Where a loader never shuffles, all batches come back.
    if not found or (len(found) > 1 and 2 * found[1][0] > found[0][0]):
        return np.zeros(len(log), bool)
    return np.isin(log.prompt, found[0][2])


def _at_even_distances(
    prompt: Places, step: Places, n_steps: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield prompts that come back at even distances, the last one no greater, and their steps.

    Args:
        prompt: (n,) prompts in the order of training.
        step: (n,) their steps.
        n_steps: how many steps there are; a prompt in more than half of them is left out.
    """
    order = np.argsort(prompt, kind="stable")
    prompt, step = prompt[order], step[order]
    first = np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])
    size = np.diff(first, append=len(prompt))
    of_prompt = np.repeat(np.arange(len(first)), size)
    gap = np.diff(step, append=step[-1])  # the last one of each prompt leads to another prompt
    usual = gap[first][of_prompt]
    place = np.arange(len(step)) - first[of_prompt]
    inside, last = place < size[of_prompt] - 1, place == size[of_prompt] - 2
    uneven = inside & ((gap < 2) | np.where(last, gap > usual, gap != usual))
    fits = (size > 1) & (size * 2 <= n_steps) & (np.bincount(of_prompt, weights=uneven) == 0)
    for one in np.flatnonzero(fits).tolist():
        begin = first[one]
        yield int(prompt[begin]), tuple(step[begin : begin + size[one]].tolist())


def _comes_last(whens: tuple[int, ...], group: list[int], by_step: dict[int, list[int]]) -> bool:
    """Tell whether prompts come last within each of their steps, or alone."""
    if any(set(by_step[when][-len(group) :]) != set(group) for when in whens):
        return False
    alone = all(len(by_step[when]) == len(group) for when in whens)
    return alone or (len(whens) > 2 and len(group) > 1)


def steps_of_problems(log: Log, at: Places, problem: Ints, found: Findings) -> Flags:
    """Return (n_blocks,) which blocks are of steps with a known problem, if steps are either or.

    Args:
        log: the rows, in the order of training.
        at: (n_blocks,) numbers of their steps.
        problem: (n_blocks,) places of their problems; -1: in no problem file.
        found: takes what is noticed.
    """
    everything = np.ones(len(log), bool)
    if (problem >= 0).all():
        return everything
    steps, inverse = np.unique(at, return_inverse=True)
    known = np.bincount(inverse, weights=problem >= 0)
    foreign, mixed = known == 0, (known > 0) & (known < np.bincount(inverse))
    if not foreign.any() or foreign.sum() * 2 > len(steps) or mixed.any():
        return everything
    out = np.asarray(foreign[inverse])
    _note(
        log, out, "at these steps no prompt is among the problems, at all others every one", found
    )
    return ~out


def _refuse_two_files(log: Log, at: Places) -> None:
    """Refuse two files of one step whose prompts have nothing in common, unless all steps do so."""
    starts = runs(log.file, at)
    keys = np.unique(at[starts] * len(log.files) + log.file[starts])
    pairs = np.stack(np.divmod(keys, len(log.files)))
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
    bounds = np.flatnonzero(np.r_[True, at[1:] != at[:-1], True])
    numbers = np.unique(steps_of(log, at)[bounds[:-1]])
    parts = {file.part for file in log.files}
    if len(numbers) < 3 or len(parts) > 1 or numbers[0] < 0:
        return
    gaps = np.diff(numbers)
    if (gaps == 1).all():
        return
    most = max(len(np.unique(log.prompt[a:b])) for a, b in pairwise(bounds[:200].tolist()))
    if most == len(np.unique(log.prompt)):  # every step holds every prompt: nothing is lost
        return
    regular = bool((gaps[:-1] == gaps[0]).all() and gaps[-1] <= gaps[0])
    first = 1 if regular and numbers[0] == gaps[0] else int(numbers[0])
    lost = sorted(set(range(first, int(numbers[-1]) + 1)) - set(numbers.tolist()))
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
