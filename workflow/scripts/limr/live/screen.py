"""The screen of a run: jobs with what they say, arms by seeds, the time left; or plain lines."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.live import grid
from limr.live.progress import Job, Progress, in_words, step
from limr.study.study import Study

if TYPE_CHECKING:
    from rich.console import RenderableType

_CLOCK = "%H:%M:%S"


def overview(progress: Progress, began: float, now: float) -> str:
    """Return one line: jobs done, the time so far, the time left as far as it is known."""
    if not progress.total:
        return f"planning the jobs · {in_words(now - began)}"
    seconds, unknown = progress.left(now)
    left = f"about {in_words(seconds)} left"
    if unknown and not seconds:
        left = "time left not known yet"
    elif unknown:
        left = f"at least {in_words(seconds)} left ({unknown} jobs of kinds that never ended yet)"
    return f"{progress.done} of {progress.total} jobs · {in_words(now - began)} so far · {left}"


def line(job: Job) -> str:
    """Return what a job says of itself, without the name that its message has already."""
    said = job.said()
    name = f"{job.wildcards.get('arm', '')} seed {job.wildcards.get('seed', '')}"
    return said.removeprefix(name).strip()


def cells(
    study: Study, progress: Progress, done: set[tuple[str, str]] | None = None
) -> dict[tuple[str, str], str]:
    """Return how far each run is: arm and seed -> `.` waits, `3/9` trains, `trained`, `done`.

    Files of runs in `done` are not looked at again; runs that are found done are added to it.
    """
    done = set() if done is None else done
    found: dict[tuple[str, str], str] = {}
    for name, arm in study.arms.items():
        if arm.train == "none" and name not in study.base:
            continue
        for seed in map(str, arm.seeds):
            if (name, seed) in done:
                found[name, seed] = "done"
                continue
            trained = Path(study.paths.run_record(name, seed)).exists()
            evaluated = all(
                Path(study.paths.evaluation_record(name, seed, at, mark)).exists()
                for at in arm.steps
                for mark in study.benchmarks
            )
            found[name, seed] = "trained" if trained else "."
            if study.benchmarks and evaluated and (trained or arm.train == "none"):
                found[name, seed] = "done"
                done.add((name, seed))
    for job in progress.running:
        key = (job.wildcards.get("arm", ""), job.wildcards.get("seed", ""))
        if key in found and job.rule.startswith(("train", "evaluate")):
            trains = job.rule.startswith("train")
            done.discard(key)
            found[key] = (step(job.said()) or "trains") if trains else "evaluates"
    for job in progress.failed:
        key = (job.wildcards.get("arm", ""), job.wildcards.get("seed", ""))
        if key in found:
            found[key] = "failed"
    return found


class Plain:
    """Where there is no terminal: a line for each job that ends."""

    def __init__(self, progress: Progress, began: float) -> None:
        self.progress, self.began = progress, began

    def ended(self, job: Job) -> None:
        """Say that a job ended."""
        took = in_words((job.ended or job.started) - job.started)
        word = "FAILED" if job.failed else "done"
        clock = time.strftime(_CLOCK, time.localtime(job.ended))
        count = f"{self.progress.done}/{self.progress.total}"
        if job.rule != "all":
            sys.stderr.write(f"{clock}  {count}  {word}: {job.message} ({took})\n")

    def show(self) -> None:
        """Nothing is drawn."""

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Screen:
    """On a terminal: the same few lines, drawn again each second while the run goes on."""

    def __init__(self, study: Study | None, progress: Progress, began: float, log: Path) -> None:
        from rich.console import Console
        from rich.live import Live

        self.study, self.progress, self.began, self.log = study, progress, began, log
        self.done: set[tuple[str, str]] = set()
        console = Console(stderr=True, highlight=False)
        self.live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Screen:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def ended(self, job: Job) -> None:
        """A failed job stays on the screen; the others are counted."""
        if job.failed:
            self.live.console.print(f"FAILED: {job.message}", style="bold red", markup=False)

    def show(self) -> None:
        """Draw."""
        self.live.update(self._drawn(), refresh=True)

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        now = time.time()
        name = self.study.name if self.study else "limr"
        parts: list[Any] = [
            Text(f"{name} · {overview(self.progress, self.began, now)}", style="bold")
        ]
        if self.study is not None and self.study.trained:
            parts.append(self._grid(self.study))
        parts += [self._jobs(now), Text(f"log: {self.log}", style="dim")]
        return Group(*parts)

    def _grid(self, study: Study) -> RenderableType:
        """Return arms by seeds, or a sweep by cells, as far as the terminal is high."""
        from rich.table import Table
        from rich.text import Text

        found = cells(study, self.progress, self.done)
        room = max(3, self.live.console.size.height - len(self.progress.running) - 5)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("arm")
        if study.axes:
            sweep = grid.grid(study, found, room)
            for head in sweep.head:
                table.add_column(head, justify="right", no_wrap=True)
            for label, counts in sweep.rows:
                table.add_row(Text(label), *(Text(one.text, one.style) for one in counts))
            return table
        for seed in study.seeds:
            table.add_column(f"seed {seed}", justify="right", no_wrap=True)
        arms = list(dict.fromkeys(arm for arm, _ in found))
        styles = {"done": "green", ".": "dim", "failed": "bold red"}
        for arm in arms[:room]:
            row = [found.get((arm, str(seed)), "") for seed in study.seeds]
            table.add_row(Text(arm), *(Text(text, styles.get(text, "")) for text in row))
        if len(arms) > room:
            table.add_row(Text(f"and {len(arms) - room} more arms", "dim"))
        return table

    def _jobs(self, now: float) -> RenderableType:
        """Return a line for each running job."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(justify="right", no_wrap=True, style="dim")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for job in self.progress.running[: self.live.console.size.height]:
            table.add_row(Text(job.message), in_words(now - job.started), Text(line(job)))
        return table
