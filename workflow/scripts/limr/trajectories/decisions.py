"""What is decided about the rows of a log, step by step, until they are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import (
    attempts,
    curves,
    epochs,
    matching,
    populations,
    verdicts,
    visits,
)
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.findings import Findings
from limr.trajectories.json_records import Expand
from limr.trajectories.log import Log, Places, place
from limr.trajectories.reading import UNKNOWN_PROMPT, Imported, Refusals, coverage
from limr.trajectories.rollout_rows import Rollouts, response_hashes


class Decisions:
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
        self.rows_read = log.rows() + len(log.broken)
        self.log = log
        self._broken()
        if not len(log):
            raise InputError(f"{log.files[0].name}: no rows in it.")
        self.log, self.at = attempts.steps(self.log, found)
        self._keep(attempts.turns(self.log, self.at, found))
        populations.missing_steps(self.log, self.at, found)
        self.log, self.at = attempts.without_repeats(self.log, self.at, self._responses, found)
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
            np.maximum.at(counted, self.log.file, self.log.row + self.log.n - 1)
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
        """Return (n_blocks,) places of the blocks' problems; -1: none."""
        if self._of_name is not None and self.log.name is not None:
            places: Ints = self._of_name[self.log.name].copy()
            places[self.log.name < 0] = -1
            return places
        found: Ints = self._of_prompt[self.log.prompt]
        return found

    def _responses(self, log: Log, rows: Places) -> Places:
        return response_hashes(log, self.expand, rows)

    def _keep(self, blocks: Flags) -> None:
        if not blocks.all():
            self.log, self.at = self.log.kept(blocks), self.at[blocks]

    def _leave_out(self) -> None:
        """Leave out rows without a verdict, and those whose prompt is in no problem file."""
        unknown = self._problem() < 0
        if not unknown.any():
            return
        first = int(np.argmax(unknown))
        text = populations.shown(self.log.prompts[self.log.prompt[first]][0])
        self.refusals.add(
            UNKNOWN_PROMPT,
            self.log.rows(unknown),
            f"{self.log.where(first)} (prompt {text})",
            "Is it the log of another data set?",
        )
        self.verdicts = self.verdicts.of(self.log.per_row(~unknown))
        self._keep(~unknown)

    def result(self, format_: str) -> Imported:
        """Count, and return the trajectories with all that was found."""
        problem = self._problem()
        if not self.verdicts.usable.any():
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
            int(self.verdicts.usable.sum()),
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
        n, n_correct, reward = self.verdicts.sums(self.log)
        blocks = (n > 0) & (epoch >= 0)
        columns: list[Any] = [problem, epoch, n, n_correct, reward]
        if not blocks.all():
            columns = [column[blocks] for column in columns]
        counts = Counts()
        counts.add(*columns)
        table = counts.table(self.ids)
        return table, curves.samples(table, self.ids)

    def _rollouts(self, problem: Ints, epoch: Ints) -> Rollouts:
        return Rollouts(self.log, self.expand, self.verdicts, problem, epoch)

    def _epochs(self, problem: Ints) -> Ints:
        if self.settings["steps_per_epoch"] is None:
            return visits.number(problem, self.at, self.log.group, self.log.n, self.found)
        step = populations.steps_of(self.log, self.at)

        def name(place_: int) -> str:
            return str(self.ids[place_].as_py())

        return epochs.by_steps(
            problem, step, self.settings, self.log.where, name, self._shared, self.found
        )
