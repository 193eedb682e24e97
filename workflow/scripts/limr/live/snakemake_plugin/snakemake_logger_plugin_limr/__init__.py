"""A logger of Snakemake: what happens, as one JSON object per line of the file in LIMR_EVENTS.

Snakemake finds it by its name, in the folder that `limr run` puts on PYTHONPATH.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Writes events: `plan` (jobs by rule), `start`, `done`, `failed`, `error`."""

    writes_to_stream = False
    writes_to_file = False  # of Snakemake's own log
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Open the file."""
        path = Path(os.environ["LIMR_EVENTS"])
        self.file = path.open("w", encoding="utf-8", buffering=1)

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event, where it is one that `limr run` shows."""
        found = _event(record)
        if found is not None:
            self.file.write(json.dumps({"time": record.created, **found}) + "\n")


def _event(record: Any) -> dict[str, Any] | None:
    event = getattr(record, "event", None)
    if event == LogEvent.RUN_INFO:
        return {"event": "plan", "jobs": {str(key): n for key, n in record.stats.items()}}
    if event == LogEvent.JOB_INFO:
        return {
            "event": "start",
            "id": record.jobid,
            "rule": record.rule_name,
            "message": record.rule_msg or record.rule_name,
            "log": [str(path) for path in record.log],
            "wildcards": {str(key): str(value) for key, value in record.wildcards.items()},
        }
    if event == LogEvent.JOB_FINISHED:
        return {"event": "done", "id": record.job_id}
    if event == LogEvent.JOB_ERROR:
        return {"event": "failed", "id": record.jobid}
    if record.levelno >= logging.ERROR:
        return {"event": "error", "text": record.getMessage()}
    return None
