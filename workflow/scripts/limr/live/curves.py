"""Live curves: what runs say of each step goes to TensorBoard and the like, as it is recorded.

A process of its own reads and writes, beside Snakemake: no job waits for it, and nothing in it can
fail one. It reads what the engines record while they work (`limr.train.step_records`), and at last
`metrics.parquet`, which has more columns.

results/{study}/curves/{tracker}/         what the tracker writes
results/{study}/curves/{tracker}.json     what was written so far, for the next start
results/{study}/curves/{tracker}.log      what the process said
"""

from __future__ import annotations

import atexit
import json
import math
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.tables import DRAWN, METRICS
from limr.live import trackers
from limr.study.study import Study
from limr.train import step_records

SECONDS = 5.0  # between two looks
SECONDS_TO_END = 60.0  # after Snakemake's last job
Rows = dict[int, dict[str, float]]  # step -> name -> value


class Follower:
    """Writes the curves of a study's runs to one tracker.

    A curve is named after its run, `full-seed1`. Where a run's numbers are no longer those that
    were written (a killed attempt's steps were done again, the run was trained anew), it gets a
    new curve with all of its steps, `full-seed1-2`: no curve mixes numbers of two attempts.
    """

    def __init__(self, study: str, to: str, runs: list[Mapping[str, Any]], folder: Path) -> None:
        """Remember what an earlier process has written.

        Args:
            study: its name.
            to: one of `trackers.KINDS`.
            runs: of each run `arm`, `seed`, `metrics` (the path), `state` (its working folder).
            folder: where curves go.
        """
        self.study, self.to, self.runs, self.folder = study, to, runs, folder
        self.record = folder / f"{to}.json"
        known = files.read_json(self.record) if self.record.is_file() else {}
        self.written: dict[str, list[Rows]] = {
            name: [{int(step): row for step, row in rows.items()} for rows in curves]
            for name, curves in known.items()
        }
        self.open: dict[str, trackers.Tracker] = {}
        self.finished: dict[str, int] = {}  # run -> when its metrics were written

    def look(self) -> None:
        """Write what is new; end the curves of finished runs."""
        for run in self.runs:
            name, metrics = f"{run['arm']}-seed{run['seed']}", Path(run["metrics"])
            if not metrics.is_file():
                self._add(name, run["arm"], numbers(step_records.rows(Path(run["state"]))))
            elif self.finished.get(name) != (made := metrics.stat().st_mtime_ns):
                rows = files.read_parquet(metrics, METRICS, newer=DRAWN).to_pylist()
                self._add(name, run["arm"], numbers(rows))
                self.finished[name] = made
                if name in self.open:
                    self.open.pop(name).close()

    def _add(self, name: str, arm: str, rows: Rows) -> None:
        """Write those numbers of a run that are not written yet."""
        curves = self.written.setdefault(name, [{}])
        if not agree(curves[-1], rows):
            curves.append({})
            if name in self.open:
                self.open.pop(name).close()
        known, new = curves[-1], False
        for step, row in sorted(rows.items()):
            there = known.setdefault(step, {})
            values = {key: value for key, value in row.items() if key not in there}
            if values:
                if name not in self.open:
                    curve = name if len(curves) == 1 else f"{name}-{len(curves)}"
                    kind = trackers.KINDS[self.to]
                    self.open[name] = kind(self.folder / self.to, self.study, curve, arm)
                self.open[name].log(step, values)
                there |= values
                new = True
        if new:
            files.write_json(self.record, self.written)

    def close(self) -> None:
        """End all curves."""
        while self.open:
            self.open.popitem()[1].close()


def agree(known: Rows, rows: Rows) -> bool:
    """Return whether rows have the same numbers where both have some."""
    return all(
        row[key] == value
        for step, there in known.items()
        for row in [rows.get(step, {})]
        for key, value in there.items()
        if key in row
    )


def numbers(rows: list[dict[str, Any]]) -> Rows:
    """Return step -> the row's finite numbers, without the step itself."""
    return {
        int(row["step"]): {
            key: float(value)
            for key, value in row.items()
            if key != "step"
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
        }
        for row in rows
    }


def start(study: Study) -> None:
    """Start a process for each tracker that the study names; they end with this process.

    Raises:
        InputError: the package of a tracker is not installed.
    """
    for name in study.live_curves:
        trackers.check(name)
    folder = Path(study.paths.root) / "curves"
    runs = [
        {
            "arm": arm, "seed": seed, "metrics": study.paths.metrics(arm, seed),
            "state": study.paths.state(f"{arm}-seed{seed}"),
        }
        for arm, seed in study.runs
    ]  # fmt: skip
    path = os.pathsep.join(part for part in sys.path if part)
    for name in study.live_curves:
        folder.mkdir(parents=True, exist_ok=True)
        told = {"study": study.name, "to": name, "runs": runs, "folder": str(folder)}
        with (folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", __name__, json.dumps(told)],
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip
        atexit.register(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input: it looks a last time, and ends."""
    try:
        process.communicate(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def main() -> None:
    """Follow until the standard input ends: the process that started this one is gone."""
    told = json.loads(sys.argv[1])
    follower, ended = Follower(**{**told, "folder": Path(told["folder"])}), False
    while not ended:
        ended = bool(select.select([sys.stdin], [], [], SECONDS)[0])
        try:
            follower.look()
        except FileNotFoundError as error:  # a finished run's folder goes; its metrics are next
            sys.stderr.write(f"{error}\n")
    follower.close()


if __name__ == "__main__":
    main()
