"""The same work logged twice: turns of one rollout, repeated generations, doubled rows, resumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags
from limr.trajectories.findings import Findings, steps_in_words
from limr.trajectories.log import Log, Places
from limr.trajectories.visits import runs

_MOST_ATTEMPTS = 50
_PRIME = np.int64(1_000_003)
Responses = Callable[[Log, Places], Places]
_FEWEST_STEPS = 6  # before it can be seen which number of rows is common
_MIXED = 5  # groups with different rows, before equal halves can be no chance


def steps(log: Log, found: Findings) -> tuple[Log, Places]:
    """Return the log in the order of training, and (n_blocks,) the number of each block's step.

    Numbers count steps in order, over all parts; a row's own step counts, else its file's number.
    """
    part = np.array([f.part for f in log.files], np.int64)[log.file]
    several = len({file.number for file in log.files}) > 1
    if log.step is not None and several and log.step.min() == log.step.max():
        log = replace(log, step=None)  # a field `step` that never moves, for all that ask for steps
    at = log.step if log.step is not None else log.file_numbers()
    if log.step is None and (len(log.files) == 1 or (at < 0).any()):
        found.add(
            "no-steps",
            "neither rows nor file names tell the step: rows of a prompt that follow each "
            "other count as one visit.",
            "warning",
        )
        return log, _blocks(log)
    return _last_attempts(log, part, at, found)


def _blocks(log: Log) -> Places:
    """Return (n_blocks,) numbers that rise whenever the prompt changes or a group begins."""
    key = log.prompt if log.group is None else log.group
    change = np.flatnonzero(np.diff(key)) + 1
    blocks = np.zeros(len(key), np.int64)
    blocks[change] = 1
    return np.cumsum(blocks)


def _last_attempts(log: Log, part: Places, at: Places, found: Findings) -> tuple[Log, Places]:
    """Leave out rows of steps that a later attempt repeated; sort by part and step."""
    if _twice_as_long(log, at):  # perhaps within a block
        part, at, log = log.per_row(part), log.per_row(at), log.single()
    keep = np.ones(len(at), bool)
    repeated: set[int] = set()
    of_file = _streams(log, at)
    for one in sorted(set(of_file.tolist())):
        rows = np.flatnonzero(of_file[log.file] == one)
        again = _superseded(log, rows, at[rows])
        keep[rows[again]] = False
        repeated |= set(at[rows[again]].tolist())
    for again in (_gone_on(part, at), _appended(log, at)):
        repeated |= set(at[again & keep].tolist())
        keep &= ~again
    if not keep.all():
        first = int(np.argmax(~keep))
        found.add(
            "resumed",
            f"steps {steps_in_words(sorted(repeated))} were logged by more than one attempt: the "
            f"run was resumed. The last attempt counts; {log.rows(~keep):,} rows of earlier "
            "ones are left out.",
            "warning",
            log.rows(~keep),
            log.where(first),
        )
        log, part, at = log.kept(keep), part[keep], at[keep]
    falls = at[1:] < at[:-1]
    if (falls & (part[1:] <= part[:-1])).any() or (part[1:] < part[:-1]).any():
        order = np.lexsort((np.arange(len(at)), at, part))
        log, part, at = log.kept(order), part[order], at[order]
    change = np.zeros(len(at), bool)
    change[1:] = (part[1:] != part[:-1]) | (at[1:] != at[:-1])
    return log, np.cumsum(change)


def _gone_on(part: Places, at: Places) -> Flags:
    """Return (n_blocks,) what a later part repeats, which goes on before an earlier one ended.

    A part that counts its steps anew, from the first one on, repeats nothing.
    """
    bad: Flags = np.zeros(len(at), bool)
    for one in np.unique(part)[1:]:
        first = at[part == one].min()
        before = part < one
        if at[before].min() < first:
            bad |= before & (at >= first)
    return bad


def _streams(log: Log, at: Places) -> Places:
    """Return (n_files,) numbers of what was written one after the other: parts, or their writers.

    Writers, such as ranks, count apart where most of them have most of the steps.
    """
    part = np.array([file.part for file in log.files], np.int64)
    names = sorted({file.writer for file in log.files})
    if len(names) == 1:
        return part
    writer = np.array([names.index(file.writer) for file in log.files], np.int64)
    stream: Places = part * len(names) + writer
    pairs = np.unique(np.stack([stream[log.file], at]), axis=1)
    have = np.unique(pairs[0], return_counts=True)[1]
    return stream if 2 * np.median(have) > len(np.unique(at)) else part


def _twice_as_long(log: Log, at: Places) -> list[int]:
    """Return which runs of rows of a step and file have twice the rows that all others have.

    They must be neighbours, and fewer than the others.
    """
    sizes = np.add.reduceat(log.n, runs(log.file, at))
    common = np.bincount(sizes).argmax()
    twice = np.flatnonzero(sizes == 2 * common)
    if len(sizes) < _FEWEST_STEPS or not 0 < len(twice) < len(sizes) / 2:
        return []
    return [] if twice[-1] - twice[0] >= len(twice) else twice.tolist()


def _appended(log: Log, at: Places) -> Flags:
    """Return (n_rows,) which rows a later attempt repeats within the same files.

    That is so where neighbouring steps have twice the rows that all others have, of as many prompts
    in either half.
    """
    bad: Flags = np.zeros(len(at), bool)
    bounds = np.r_[runs(log.file, at), len(at)].tolist()
    for place in _twice_as_long(log, at):
        begin, end = bounds[place], bounds[place + 1]
        middle = (begin + end) // 2
        if len({*log.prompt[begin:middle]}) != len({*log.prompt[middle:end]}):
            return np.zeros(len(at), bool)
        bad[begin:middle] = True
    return bad


def _superseded(log: Log, rows: Places, at: Places) -> Flags:
    """Return (n_blocks,) which rows of one part belong to steps that a later attempt repeated.

    Raises:
        InputError: a second run that begins anew with other prompts.
    """
    none: Flags = np.zeros(len(at), bool)
    files = log.file[rows]
    blocks = runs(files, at)
    if len(np.unique(files[blocks])) == len(blocks):
        return none  # one step a file, and files in whatever order
    falls = np.flatnonzero(at[1:] < at[:-1]) + 1
    if not len(falls) or len(falls) >= min(len(np.unique(at)), _MOST_ATTEMPTS):
        return none  # in order; or written by several at once
    starts = [0, *falls.tolist(), len(at)]
    attempts = list(pairwise(starts))
    seen: set[int] = set()
    bad = none.copy()
    for begin, end in attempts:
        steps_here = set(at[begin:end].tolist())
        if steps_here & seen:
            first = int(at[begin])
            _refuse_second_run(log, rows, at, begin, end, seen)
            bad[:begin] |= at[:begin] >= first
        seen |= steps_here
    return bad


def _refuse_second_run(
    log: Log, rows: Places, at: Places, begin: int, end: int, seen: set[int]
) -> None:
    """Refuse a run that begins at the very first step again, with other prompts than there."""
    first = int(at[begin])
    if first > min(seen):
        return
    before = set(log.prompt[rows[:begin][at[:begin] == first]].tolist())
    now = set(log.prompt[rows[begin:end][at[begin:end] == first]].tolist())
    if before != now:
        raise InputError(
            f"{log.where(int(rows[begin]))}: the steps begin again at {first}, with other prompts "
            "than before. If these are two runs, read one of them; if the second one goes on where "
            "the first one ended, put them into two files and name both, in order."
        )


def turns(log: Log, at: Places, found: Findings) -> Flags:
    """Return (n_blocks,) which rows to keep: the last one of each rollout that has several.

    Args:
        log: the rows; where it names rollouts, each block is a row.
        at: (n_blocks,) numbers of the steps.
        found: takes what is noticed.
    """
    keep: Flags = np.ones(len(log), bool)
    if log.rollout is None or not (log.rollout != 0).any():
        return keep
    known = np.flatnonzero(log.rollout != 0)[::-1]
    key = np.stack([at[known], log.rollout[known]])
    _, last = np.unique(key, axis=1, return_index=True)
    if len(last) == len(known):
        return keep
    keep[known] = False
    keep[known[last]] = True
    dropped = int((~keep).sum())
    found.add(
        "turns",
        f"{dropped:,} rows are further turns of a rollout that has several rows: "
        "each rollout counts once, by its last row.",
        count=dropped,
    )
    return keep


def without_repeats(
    log: Log, at: Places, responses: Responses, found: Findings
) -> tuple[Log, Places]:
    """Return the log and the steps without generations and rows that are there twice.

    A step whose rows are those of the step before it, in the same order, is the same generation
    logged again (TRL logs its buffer at every step). Responses are read where the rest is equal.

    Args:
        log: the rows, in the order of training.
        at: (n_blocks,) numbers of their steps.
        responses: the log, places of its rows -> equal numbers for equal responses.
        found: takes what is noticed.
    """
    if not _may_repeat(log, at):
        return log, at
    at, log = log.per_row(at), log.single()
    keep = _not_repeated(log, at, responses, found)
    return log.kept(keep), at[keep]


def _may_repeat(log: Log, at: Places) -> bool:
    """Tell whether a step has the sums of the step before, or the first one its rows twice."""
    if not len(at):
        return False
    first = log.kept(at == at[0]).single()
    if _doubled(_row_keys(first), [(0, len(first))]):
        return True
    starts = runs(log.prompt, at)
    prompt, n = log.prompt[starts], np.add.reduceat(log.n, starts)
    sums = np.zeros(len(starts))
    for column in (log.reward, log.correct):
        if column is not None:
            sums += np.add.reduceat(log.sums(column, np.nan_to_num(column.values)), starts)
    bounds = np.flatnonzero(np.r_[True, np.diff(at[starts]) != 0, True]).tolist()
    for begin, middle, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        now, before = slice(middle, end), slice(begin, middle)
        if (
            np.array_equal(prompt[now], prompt[before])
            and np.array_equal(n[now], n[before])
            and np.allclose(sums[now], sums[before])
        ):
            return True
    return False


def _not_repeated(log: Log, at: Places, responses: Responses, found: Findings) -> Flags:
    """Return (n_rows,) which rows to keep; see `without_repeats`."""
    keep: Flags = np.ones(len(log), bool)
    key = _row_keys(log)
    bounds = np.flatnonzero(np.r_[True, np.diff(at) != 0, True]) if len(at) else np.zeros(1, int)
    steps = list(pairwise(bounds.tolist()))
    suspects = np.flatnonzero(_equal_to_others(key, steps))
    if len(suspects):
        with np.errstate(over="ignore"):
            key[suspects] = key[suspects] * _PRIME ^ responses(log, suspects)
    _drop_doubled(log, key, steps, keep, found)
    repeats: list[int] = []
    previous: Places | None = None
    for begin, end in steps:
        mine = key[begin:end][keep[begin:end]]
        if previous is not None and np.array_equal(mine, previous):
            keep[begin:end] = False
            repeats.append(begin)
        else:
            previous = mine
    if repeats:
        n = len(repeats)
        found.add(
            "repeated-generations",
            f"{n:,} of {len(steps):,} steps repeat the rows of the step before them (the trainer "
            "reuses a generation for several updates); each generation counts once.",
            count=n,
            where=log.where(repeats[0]),
        )
    return keep


def _row_keys(log: Log) -> Places:
    """Return (n_rows,) numbers that are equal where prompt, rollout and reward are."""
    key = log.prompt.astype(np.int64) * _PRIME
    with np.errstate(over="ignore"):
        if log.rollout is not None:
            key = key * _PRIME ^ log.rollout
        for column in (log.reward, log.correct):
            if column is not None:
                bits = np.nan_to_num(column.row_values, nan=-12345.678).view(np.int64)
                key = key * _PRIME ^ bits
    return key


def _equal_to_others(key: Places, steps: Sequence[tuple[int, int]]) -> Flags:
    """Return (n_rows,) the rows of steps that equal the step before, or that repeat themselves."""
    equal: Flags = np.zeros(len(key), bool)
    before = (0, 0)
    for begin, end in steps:
        if np.array_equal(key[begin:end], key[slice(*before)]):
            equal[before[0] : end] = True
        before = (begin, end)
    if _doubled(key, steps):
        equal[:] = True
    return equal


def _doubled(key: Places, steps: Sequence[tuple[int, int]]) -> str:
    """Return how rows are in every step twice: in `pairs`, or as two `halves`; empty: not."""
    if not steps or any((end - begin) % 2 for begin, end in steps):
        return ""
    if np.array_equal(key[::2], key[1::2]):  # every step begins at an even place
        return "pairs"
    halves = (((a + b) // 2, a, b) for a, b in steps)
    return "halves" if all(np.array_equal(key[a:m], key[m:b]) for m, a, b in halves) else ""


def _drop_doubled(
    log: Log, key: Places, steps: Sequence[tuple[int, int]], keep: Flags, found: Findings
) -> None:
    """Drop every second row where, in every step, rows are there twice."""
    how = _doubled(key, steps)
    if not how or _mixed(log, key, steps) < _MIXED:
        return
    for begin, end in steps:
        if how == "pairs":
            keep[begin + 1 : end : 2] = False
        else:
            keep[(begin + end) // 2 : end] = False
    n = int((~keep).sum())
    found.add(
        "doubled-rows",
        f"every row is in the log twice; {n:,} rows are left out.",
        "warning",
        n,
        log.where(int(np.argmax(~keep))),
    )


def _mixed(log: Log, key: Places, steps: Sequence[tuple[int, int]]) -> int:
    """Return how many groups hold different rows: equal halves say nothing where all are equal."""
    step = np.repeat(np.arange(len(steps)), [end - begin for begin, end in steps])
    groups = np.unique(np.stack([step, log.prompt, key]), axis=1)[:2]
    return int((np.unique(groups, axis=1, return_counts=True)[1] > 1).sum())
