"""Verdicts for many responses at a time, asked for from an event loop that must not wait.

vLLM's actor asks for one response at a time. A thread takes all that are waiting and gives them to
the project's pool (`limr.grading.pool`), whose processes have hard limits of time and memory: a
slow answer delays its own reward only.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from limr.grading.grade import Grade
from limr.grading.pool import GradingPool
from limr.grading.screen import Item

AT_ONCE = 256
FAILED = "grader-error"


class Judge:
    """Grades in the background; `ask` returns at once."""

    def __init__(self, settings: Mapping[str, Any], pool: GradingPool | None = None) -> None:
        self._pool = pool or GradingPool(settings)
        self._asked: queue.SimpleQueue[tuple[Item, Future[Grade]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True, name="limr-judge").start()

    def ask(self, gold: str, response: str, *, truncated: bool, prompt: str = "") -> Future[Grade]:
        """Return the grade to come; it always comes, and is never an exception."""
        answer: Future[Grade] = Future()
        self._asked.put(((gold, response, truncated, prompt), answer))
        return answer

    def _work(self) -> None:
        while True:
            batch = [self._asked.get()]
            while len(batch) < AT_ONCE:
                try:
                    batch.append(self._asked.get_nowait())
                except queue.Empty:
                    break
            grades = self._grades([item for item, _ in batch])
            for (_, answer), grade in zip(batch, grades, strict=True):
                if answer.set_running_or_notify_cancel():  # otherwise nothing waits for it
                    answer.set_result(grade)

    def _grades(self, items: list[Item]) -> list[Grade]:
        try:
            return self._pool.grade_many(items)
        except Exception as error:  # noqa: BLE001 (a recorded verdict, one response at a time)
            if len(items) > 1:
                return [self._grades([item])[0] for item in items]
            return [Grade("incorrect", "", None, f"{FAILED}: {error}")]
