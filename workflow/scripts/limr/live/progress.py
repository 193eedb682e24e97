"""How far a run is: from the events of Snakemake, and from what running jobs say in their logs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TAIL = 2000  # bytes of a log that are read for its last line
_STEP = re.compile(r"\bstep (\d+)/(\d+)")
_LEFT = re.compile(r"(?:(\d+) h )?(?:(\d+) min )?(?:(\d+) s )?left\b")


@dataclass
class Job:
    """A job that was started: `ended` is None while it runs."""

    rule: str
    message: str
    log: Path | None
    wildcards: Mapping[str, str]
    started: float
    ended: float | None = None
    failed: bool = False

    def said(self) -> str:
        """Return the last line of its log, empty where it has none yet."""
        if self.log is None or not self.log.is_file():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL))
            text = file.read().decode("utf-8", errors="replace")
        lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
        return lines[-1].strip() if lines else ""


@dataclass
class Progress:
    """What has happened since the run began.

    Attributes:
        planned: jobs by rule; empty until Snakemake has planned them.
        jobs: the jobs that were started, by Snakemake's number.
        errors: what Snakemake itself said.
    """

    planned: dict[str, int] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def take(self, event: Mapping[str, Any]) -> Job | None:
        """Take an event; return the job that ended with it, if one did."""
        kind, time = event["event"], event["time"]
        if kind == "plan":
            self.planned = {rule: n for rule, n in event["jobs"].items() if rule != "total"}
        elif kind == "start":
            log = Path(event["log"][0]) if event["log"] else None
            words = (event["rule"], event["message"], log, event["wildcards"], time)
            self.jobs[event["id"]] = Job(*words)
        elif kind == "error":
            self.errors.append(event["text"])
        elif event["id"] in self.jobs:
            job = self.jobs[event["id"]]
            job.ended, job.failed = time, kind == "failed"
            return job
        return None

    @property
    def running(self) -> list[Job]:
        """The jobs at work, the oldest first."""
        return [job for job in self.jobs.values() if job.ended is None and job.rule != "all"]

    @property
    def failed(self) -> list[Job]:
        """The jobs that failed."""
        return [job for job in self.jobs.values() if job.failed]

    @property
    def done(self) -> int:
        """How many jobs are finished."""
        return sum(job.ended is not None and not job.failed for job in self.jobs.values())

    @property
    def total(self) -> int:
        """How many jobs the run has."""
        return sum(self.planned.values())

    def left(self, now: float) -> tuple[float, int]:
        """Return the seconds left, and how many jobs they leave out: no such job has ended yet.

        A job takes as long as finished jobs of its rule did on average; before the first of them,
        as long as a running one says. As many jobs run side by side as do now.
        """
        took: dict[str, list[float]] = defaultdict(list)
        for job in self.jobs.values():
            if job.ended is not None and not job.failed:
                took[job.rule].append(job.ended - job.started)
        work, running = 0.0, self.running
        said = {id(job): seconds_left(job.said(), now - job.started) for job in running}
        for job in running:
            promised = said[id(job)]
            if promised is not None and not took[job.rule]:
                took[job.rule].append(now - job.started + promised)
        mean = {rule: sum(times) / len(times) for rule, times in took.items() if times}
        for job in running:
            promised = said[id(job)]
            rest = mean.get(job.rule, 0.0) - (now - job.started)
            work += max(0.0, rest) if promised is None else promised
        unknown = 0
        for rule, number in self.planned.items():
            waiting = number - sum(job.rule == rule for job in self.jobs.values())
            if rule == "all":
                continue
            work += max(0, waiting) * mean.get(rule, 0.0)
            unknown += 0 if rule in mean else max(0, waiting)
        return work / max(1, len(running)), unknown


def seconds_left(line: str, so_far: float) -> float | None:
    """Return what a line such as `step 3/9  1 min 4 s left` promises, None where it says nothing.

    A line with a step alone promises as much for each step as the steps so far have taken.
    """
    found = [match for match in _LEFT.finditer(line) if any(match.groups())]
    if not found:
        at = _STEP.search(line)
        done, steps = (int(at[1]), int(at[2])) if at else (0, 0)
        return so_far / done * max(0, steps - done) if done else None
    hours, minutes, seconds = (int(part or 0) for part in found[-1].groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def step(line: str) -> str | None:
    """Return `3/9` of a line that says `step 3/9`."""
    found = _STEP.search(line)
    return f"{found[1]}/{found[2]}" if found else None


class Events:
    """The file of events, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, 0

    def new(self) -> list[dict[str, Any]]:
        """Return what was written since the last call; a line that is not whole yet waits."""
        if not self.path.is_file():
            return []
        with self.path.open("rb") as file:
            file.seek(self.place)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.place += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


def in_words(seconds: float) -> str:
    """Return a time as `8 s`, `3 min 20 s` or `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
