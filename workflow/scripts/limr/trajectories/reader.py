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

import numpy as np
import pyarrow as pa

from limr.core import plugins, progress, validation
from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, Number, key
from limr.trajectories import (
    attempts,
    curves,
    epochs,
    log_files,
    matching,
    populations,
    records,
    verdicts,
    visits,
)
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.findings import Findings
from limr.trajectories.json_records import Expand
from limr.trajectories.log import Log, Places, place
from limr.trajectories.log_builder import Builder
from limr.trajectories.log_files import LogFile
from limr.trajectories.reading import UNKNOWN_PROMPT, BadRows, Imported, Refusals, coverage
from limr.trajectories.rollout_rows import Rollouts, response_hashes

_CURVES_NEED = 2  # visits


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
    name, module, sample = recognise(files, dict(options or {}), format_)
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
    return _read(files, problems, options, recognise(files, {}, format_), found)


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
    columns = module.columns(sample, settings)
    if columns is None:
        raise InputError(f"{sample.file.name}: not of the format '{name}'; found {_names(sample)}.")
    expand = module.expander(sample, settings) if hasattr(module, "expander") else None
    log = _rows(files, columns, expand)
    return _Reading(log, problems, settings, found, expand).result(name)


def recognise(
    files: Sequence[LogFile], options: Mapping[str, Any], format_: str | None
) -> tuple[str, ModuleType, records.Sample]:
    """Return the name of a log's format, its module, and the first rows.

    Raises:
        InputError: no format fits, or several do.
    """
    training = next((file for file in files if not file.held_out), files[0])
    if training.kind == "pickle":
        raise InputError(
            f"{training.name}: a file of torch.save or pickle can run code when it is loaded, so "
            "limr does not read it. Convert it where you trust it (docs/logs.md has the lines for "
            "slime), or let the trainer write JSON lines."
        )
    sample = records.sample(training)
    if format_ is not None:
        return format_, plugins.load("importers", format_), sample
    by_priority: dict[int, list[str]] = {}
    for name in plugins.names("importers"):
        module = plugins.load("importers", name)
        by_priority.setdefault(getattr(module, "PRIORITY", 0), []).append(name)
    fitting: list[str] = []
    for priority in sorted(by_priority, reverse=True):
        names = by_priority[priority]
        fitting = fitting or [name for name in names if _fits(name, sample, options)]
    if not fitting:
        raise InputError(
            f"{training.name}: no known format; found {_names(sample)}. If each row is a rollout, "
            "say which columns are which: `format: table` with `map` (on the command line --map "
            "prompt=…,reward=…,step=…)."
        )
    if len(fitting) > 1:
        raise InputError(f"{training.name}: may be {' or '.join(fitting)}. Name the format.")
    return fitting[0], plugins.load("importers", fitting[0]), sample


def _fits(name: str, sample: records.Sample, options: Mapping[str, Any]) -> bool:
    """Tell whether a file is of a format."""
    module = plugins.load("importers", name)
    if hasattr(module, "recognises"):
        return bool(module.recognises(sample))
    if not hasattr(module, "columns"):
        return False
    keys = validation.options(module)
    known = {k: v for k, v in options.items() if k in keys.model_fields}
    return module.columns(sample, validation.complete(known, keys, name)) is not None


def _names(sample: records.Sample) -> str:
    names = sorted(sample.names)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"the columns {shown}" if names else "no rows of named values"


def _rows(files: Sequence[LogFile], columns: Mapping[str, str], expand: Expand | None) -> Log:
    """Return all rows of a log."""
    builder = Builder(files, columns)
    wanted = {name: path for name, path in columns.items() if name != "response"}
    for place_, file in enumerate(progress.over(files, len(files), "files")):
        for batch in records.batches(file, wanted, expand):
            builder.add(place_, batch)
    return builder.finish()


class _Reading:
    """What is decided about a log, step by step; the rows that count become fewer."""

    def __init__(
        self,
        log: Log,
        problems: Sequence[Problem] | None,
        settings: Mapping[str, Any],
        found: Findings,
        expand: Expand | None,
    ) -> None:
        self.expand = expand
        self._shared: set[int] = set()  # problems that share their text with others
        self.settings, self.found, self.problems = settings, found, problems
        self.refusals = Refusals(settings["bad_rows"])
        self.rows_read = len(log) + len(log.broken)
        self.log = log
        self._broken()
        if not len(log):
            raise InputError(f"{log.files[0].name}: no rows in it.")
        self.log, self.at = attempts.steps(self.log, found)
        self._keep(attempts.turns(self.log, self.at, found))
        populations.missing_steps(self.log, self.at, found)
        self._keep(attempts.without_repeats(self.log, self.at, self._responses, found))
        self._keep(populations.training_rows(self.log, self.at, found))
        self.log = self.log.compacted()
        self.ids, self.prompts, self._of_prompt, self._of_name = self._join()
        if problems is not None:
            self._keep(populations.steps_of_problems(self.log, self.at, self._problem(), found))
        self.verdicts = verdicts.decide(self.log, settings, found)
        self._leave_out()

    def _broken(self) -> None:
        """Take a last line that is cut short for what it is; refuse or leave out other rows."""
        last = {file: row for file, row, _ in self.log.broken}
        counted = np.zeros(len(self.log.files), np.int64)
        if last:
            np.maximum.at(counted, self.log.file, self.log.row)
        for file, row, why in self.log.broken:
            where = place(self.log.files[file], row)
            if "cut short" in why and row == last[file] and row > counted[file]:
                self.found.add(
                    "cut-last-line",
                    "a last line is cut short: the run was killed while it wrote, or "
                    "still writes. It is left out.",
                    "warning",
                    1,
                    where,
                )
            else:
                self.refusals.add(f"it is not a rollout ({why})", 1, where)

    def _join(self) -> tuple[Any, list[str], Ints, Ints | None]:
        """Return ids, texts behind made ids, and the problem of each prompt or of each name."""
        log = self.log
        doubtful = matching.ids_of_several_texts(log)
        if doubtful:
            self.found.add(
                "ids-not-unique",
                f"'{log.taken['id']}' is no id of a prompt: {len(doubtful):,} stand with several "
                f"texts, such as '{doubtful[0]}'. Prompts are told apart by their texts.",
                "warning",
                len(doubtful),
            )
            log = replace(log, name=None)
        if self.problems is not None:
            ids = strings([problem.problem_id for problem in self.problems])
            if log.name is not None and matching.ids_of_log(log.names, self.problems):
                known = {p.problem_id: place for place, p in enumerate(self.problems)}
                of_name = np.array([known.get(name, -1) for name in log.names], np.int64)
                self.found.add(
                    "joined-by-id",
                    f"rows are joined to the problems by their ids ('{log.taken['id']}').",
                )
                return ids, [], np.zeros(0, np.int64), of_name
            places, self._shared = matching.to_problems(log.prompts, self.problems, self.found)
            return ids, [], places, None
        if log.name is not None and (log.name >= 0).all():
            texts = [""] * len(log.names)
            for row in np.unique(log.name, return_index=True)[1]:
                texts[log.name[row]] = log.prompts[log.prompt[row]][0]
            return strings(log.names), texts, np.zeros(0, np.int64), np.arange(len(log.names))
        names, texts, of_prompt = matching.made(log.prompts, self.found)
        return strings(names), texts, of_prompt, None

    def _problem(self) -> Ints:
        """Return (n_rows,) places of the rows' problems; -1: none."""
        if self._of_name is not None and self.log.name is not None:
            places: Ints = self._of_name[self.log.name].copy()
            places[self.log.name < 0] = -1
            return places
        found: Ints = self._of_prompt[self.log.prompt]
        return found

    def _responses(self, rows: Places) -> Places:
        return response_hashes(self.log, self.expand, rows)

    def _keep(self, rows: Flags) -> None:
        if not rows.all():
            self.log, self.at = self.log.kept(rows), self.at[rows]

    def _leave_out(self) -> None:
        """Leave out rows without a verdict, and those whose prompt is in no problem file."""
        unknown = self._problem() < 0
        if unknown.any():
            first = int(np.argmax(unknown))
            text = populations.shown(self.log.prompts[self.log.prompt[first]][0])
            self.refusals.add(
                UNKNOWN_PROMPT,
                int(unknown.sum()),
                f"{self.log.where(first)} (prompt {text})",
                "Is it the log of another data set?",
            )
        self.usable, self.correct = self.verdicts.usable[~unknown], self.verdicts.correct[~unknown]
        self.reward = self.verdicts.reward[~unknown]
        self._keep(~unknown)

    def result(self, format_: str) -> Imported:
        """Count, and return the trajectories with all that was found."""
        problem = self._problem()
        if not self.usable.any():
            raise InputError("no row of the log belongs to any of the problems.")
        epoch = self._epochs(problem)  # a visit whose samples all lack a score is a visit still
        table, samples = self._count(problem, epoch)
        by_visits = self.settings["steps_per_epoch"] is None
        if by_visits and visits.filtered(samples.n, samples.n_correct):
            epoch = visits.by_passes(problem, epoch)
            table, samples = self._count(problem, epoch)
            whole = samples.n_epochs
            visits.note_filtered(samples, self.problems is not None, self.found)
        else:
            whole = visits.whole_epochs(samples.n) if by_visits else samples.n_epochs
        visits.note_lengths(samples, whole, self.problems is not None, self.found)
        if 0 < whole < samples.n_epochs:
            table = table.replace_schema_metadata({curves.WHOLE: str(whole)})
        return Imported(
            self.ids,
            table,
            self.rows_read,
            int(self.usable.sum()),
            self.refusals.refused,
            coverage(table, len(self.ids)),
            self.prompts,
            tuple(self.found),
            format_,
            dict(self.log.taken),
            self.verdicts.column,
            tuple(self.verdicts.values),
            self._rollouts(problem, epoch),
        )

    def _count(self, problem: Ints, epoch: Ints) -> tuple[pa.Table, curves.Samples]:
        """Return the trajectories of the rows that count, as a table and as matrices."""
        rows = self.usable & (epoch >= 0)
        counts, one = Counts(), np.ones(int(rows.sum()), np.int64)
        counts.add(problem[rows], epoch[rows], one, self.correct[rows], self.reward[rows])
        table = counts.table(self.ids)
        return table, curves.samples(table, self.ids)

    def _rollouts(self, problem: Ints, epoch: Ints) -> Rollouts:
        rows = self.usable & (epoch >= 0)
        log, problem, epoch = self.log.kept(rows), problem[rows], epoch[rows]
        return Rollouts(
            log.files,
            log.taken,
            self.expand,
            log.file,
            log.row,
            problem,
            epoch,
            self.correct[rows],
            self.reward[rows],
        )

    def _epochs(self, problem: Ints) -> Ints:
        if self.settings["steps_per_epoch"] is None:
            return visits.number(problem, self.at, self.log.group, self.found)
        step = populations.steps_of(self.log, self.at)

        def name(place_: int) -> str:
            return str(self.ids[place_].as_py())

        return epochs.by_steps(
            problem, step, self.settings, self.log.where, name, self._shared, self.found
        )
