"""What every workflow script does around its work: a log file, and errors without a traceback."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from limr.core.errors import InputError


@contextmanager
def logged(path: str) -> Iterator[TextIO]:
    """Send stderr of the block to a log file, line by line.

    Bad input ends the process with exit code 1 and its message in the log and on the terminal; any
    other exception goes to both with its traceback. What the script has imported stays, so Python
    need not look for garbage in it, neither during the block nor when the process ends.
    """
    if not gc.get_freeze_count():  # `limr verify` runs many scripts in one process
        gc.freeze()
    terminal = sys.stderr
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", encoding="utf-8", buffering=1) as log:
        sys.stderr = log
        try:
            yield log
        except InputError as error:
            for stream in (log, terminal):
                stream.write(f"limr: {error}\n")
            raise SystemExit(1) from None
        except Exception:  # noqa: BLE001 (nothing is swallowed: it is shown twice, and the job fails)
            for stream in (log, terminal):
                stream.write(traceback.format_exc())
            raise SystemExit(1) from None
        finally:
            sys.stderr = terminal


def note(text: str) -> None:
    """Write a line to the log of the running script (or to stderr outside of one)."""
    sys.stderr.write(text + "\n")
