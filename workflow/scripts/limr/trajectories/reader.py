"""The one reader of rollout logs: from any trainer's files to samples per problem and visit.

It finds out format, columns, steps, repeats, evaluation rows, filters, problems and epochs, and
says what it found (`findings`) before anything is scored. What is in doubt is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from limr.core import progress, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, Number, key
from limr.trajectories import log_files, recognition, records, visits
from limr.trajectories.decisions import Decisions
from limr.trajectories.findings import Findings
from limr.trajectories.json_records import Expand
from limr.trajectories.log import Log
from limr.trajectories.log_builder import Builder
from limr.trajectories.log_files import LogFile
from limr.trajectories.reading import BadRows, Imported


class Options(Keys):
    """Keys of every log of rollouts."""

    steps_per_epoch: int | None = key(
        None,
        "Steps per epoch, as the LIMR code counts epochs. null: a problem's k-th visit is its "
        "epoch k, which needs no setting and holds for every trainer.",
        ge=1,
    )
    reward: str | None = key(
        None,
        "The column of the reward, or of what says that a response is correct; a dotted path is "
        "possible. null: it is found by its name.",
    )
    correct_above: float | None = key(
        None,
        "A response is correct where its reward is above this number; for scales such as shares of "
        "tests, judges, or 0.9 for a right answer. null: the values must leave no doubt.",
    )
    correct_rewards: list[Number] = key(
        [1.0], "Rewards that mean a correct response.", min_length=1
    )
    other_rewards: list[Number] | None = key(
        [0.0, -0.5, -1.0],
        "Rewards that mean a response that is not correct; any further reward is refused. null: "
        "every other number.",
    )
    missing_scores: Literal["leave-out", "wrong"] = key(
        "leave-out", "What to do with rows without a score: leave them out, or count them as wrong."
    )
    first_step: int = key(1, "With steps_per_epoch: number of the first step of the first epoch.")
    missing_steps: Literal["refuse", "allow"] = key(
        "refuse",
        "With steps_per_epoch: what to do where the log lacks a step, whose problems lack that "
        "epoch.",
    )
    visits: Literal["once", "any"] = key(
        "once",
        "With steps_per_epoch: `once`: a problem is sampled in one step of an epoch, and a log "
        "that does otherwise is refused. `any`: its visits within an epoch are pooled.",
    )
    bad_rows: BadRows = "refuse"


def check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that cannot serve, before a log is read.

    Raises:
        InputError: a reward that means two things.
    """
    both = set(settings["correct_rewards"]) & set(settings["other_rewards"] or [])
    if both:
        raise InputError(
            f"{min(both):g} is in correct_rewards and in other_rewards: take it out of one."
        )


def read(
    paths: Sequence[str | Path],
    problems: Sequence[Problem] | None = None,
    options: Mapping[str, Any] | None = None,
    format_: str | None = None,
    spool: Path | None = None,
) -> Imported:
    """Return the trajectories of a log, and what was found in it.

    Args:
        paths: files, folders, patterns or pipes; several are parts of one run, in order.
        problems: the problems that were trained on; None: every text is a problem.
        options: of the format; what is not given has its default.
        format_: name of the importer; None: it is recognised.
        spool: a folder for what comes through a pipe.

    Raises:
        InputError: whatever is in doubt; see the modules of this room.
    """
    found = Findings()
    files = log_files.find(paths, found, spool)
    name, module, sample = recognition.recognise(files, dict(options or {}), format_)
    settings = validation.complete(
        dict(options or {}), validation.options(module), f"format '{name}'"
    )
    return _read(files, problems, settings, (name, module, sample), found)


def read_files(
    paths: Sequence[Path],
    problems: Sequence[Problem] | None,
    options: Mapping[str, Any],
    format_: str,
) -> Imported:
    """Return the trajectories of files that are one log together; see `read`.

    Args:
        paths: the files.
        problems: see `read`.
        options: all of the format's; further keys do no harm.
        format_: the importer.

    Raises:
        InputError: see `read`.
    """
    found = Findings()
    files = log_files.series(paths, found)
    return _read(files, problems, options, recognition.recognise(files, {}, format_), found)


def _read(
    files: Sequence[LogFile],
    problems: Sequence[Problem] | None,
    settings: Mapping[str, Any],
    format_: tuple[str, ModuleType, records.Sample],
    found: Findings,
) -> Imported:
    name, module, sample = format_
    if not hasattr(module, "columns"):  # no log of rollouts: counts, curves or pass rates
        paths = [file.path for file in files]
        counted: Imported = module.read(paths, problems, settings)
        if module.PROVIDES == "trajectories":
            samples = counted.samples
            if visits.filtered(samples.n, samples.n_correct):
                visits.note_filtered(samples, problems is not None, found)
            visits.note_lengths(samples, samples.n_epochs, problems is not None, found)
        return replace(counted, format=name, findings=(*found, *counted.findings))
    check(settings)
    columns = recognition.columns(module, sample, settings)
    if columns is None:
        found_ = recognition.named_columns(sample)
        looks = recognition.looks_like(sample)
        raise InputError(f"{sample.file.name}: not of the format '{name}'; found {found_}.{looks}")
    expand = module.expander(sample, settings) if hasattr(module, "expander") else None
    log = _rows(files, columns, expand)
    return Decisions(log, problems, settings, found, expand).result(name)


def _rows(files: Sequence[LogFile], columns: Mapping[str, str], expand: Expand | None) -> Log:
    """Return all rows of a log."""
    builder = Builder(files, columns)
    wanted = {name: path for name, path in columns.items() if name != "response"}
    for place_, file in enumerate(progress.over(files, len(files), "files")):
        for batch in records.batches(file, wanted, expand):
            builder.add(place_, batch)
    return builder.finish()
