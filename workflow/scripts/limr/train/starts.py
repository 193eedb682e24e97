"""States that a run keeps for others to start from, and what both must share.

<run>/state/step24/state.json   whose state it is, and size and sha256 of its other files
<run>/state/step24/...          the engine's own files

A run that starts from a state goes on with its numbers: of steps, epochs, random streams. With the
same problems it is the run that was never interrupted, byte for byte. With other problems the pass
over the old ones is broken off, and a first pass over the new ones begins; its epoch is the one
after the last that was begun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from limr.core import files, provenance
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.models.interface import OPTIMIZER_KEYS, PpoJob, Start
from limr.train.embedded.order import Order
from limr.train.states import Entry, digest_of

RECORD = "state.json"
Json = dict[str, Any]


def of(settings: Mapping[str, Any], state: str | None) -> Start | None:
    """Return where a rule's job starts, from its settings and the state that it reads."""
    return Start(**settings["start"], state=Path(state)) if state else None


def by_step(paths: Sequence[str] | None) -> dict[int, Path]:
    """Return step -> folder of the states that a rule's job keeps."""
    return {int(Path(path).name.removeprefix("step")): Path(path) for path in paths or ()}


def sha256(state: Path) -> str:
    """Return the digest of a state: of its record, which has those of its files."""
    return files.sha256(state / RECORD)


def write_record(
    folder: Path,
    job: PpoJob,
    step: int,
    order: Order,
    about: Json,
    known: Mapping[str, Entry] | None = None,
) -> None:
    """Write the record of a state, whose other files are there.

    Args:
        folder: the state's.
        job: the run that keeps it.
        step: that it is the state after.
        order: of the run's problems.
        about: what the engine compares: `engine`, `base` and what else must be the same.
        known: size and digest of its files, by name, as they were written; None: they are read.
    """
    if known is None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        known = {
            path.relative_to(folder).as_posix(): (path.stat().st_size, digest_of(path))
            for path in paths
        }
    record = {
        **about,
        "code": _code(about["engine"]),
        "commit": job.provenance.get("commit"),
        "ppo": _compared(job.ppo),
        "arm": job.arm,
        "seed": job.seed,
        "step": step,
        "streams": job.streams,
        "problems": _digest(job.problems),
        "shift": order.shift,
        "epoch": order.epoch(step),
        "files": known,
    }
    files.write_json(folder / RECORD, record)


def read_record(job: PpoJob, about: Json) -> Json | None:
    """Return the record of the state that a run starts from, checked; None: it starts anew.

    Raises:
        InputError: the state is missing, damaged, or of a run that this one cannot go on from; or
            the run has fewer problems than a step asks.
    """
    if job.start is None:
        return None
    at, start = f"arm '{job.arm}': start", job.start
    path = start.state / RECORD
    if not path.is_file():
        raise InputError(f"{at}: there is no state in {start.state}. Run arm '{start.arm}' again.")
    record: Json = files.read_json(path)
    _check_same(job, start, record, about, at)
    _check_files(start.state, record, at)
    batch = job.ppo["prompts_per_step"]
    if len(job.problems) < batch:
        raise InputError(
            f"{at}: its {len(job.problems)} problems are fewer than a step asks "
            f"(ppo.prompts_per_step = {batch}): steps would cost less than those before. Choose "
            "more problems, by a lower threshold or a larger size."
        )
    return record


def order(job: PpoJob, record: Json | None) -> Order:
    """Return the order of a run's problems; `record` is that of the state that it starts from."""
    size, drop_last = job.ppo["prompts_per_step"], job.ppo["drop_last"]
    plain = Order(len(job.problems), size, drop_last, job.seed, job.streams)
    if record is None or job.start is None:
        return plain
    shift = record["shift"]
    if record["problems"] != _digest(job.problems):
        shift = (record["epoch"] + 1) * plain.steps_per_epoch - job.start.step
    return replace(plain, shift=shift)


def _check_same(job: PpoJob, start: Start, record: Json, about: Json, at: str) -> None:
    """Refuse the state of another run, code, base, engine, layout or optimizer."""
    free = OPTIMIZER_KEYS if start.optimizer == "fresh" else ()
    wanted = {
        **about,
        "arm": start.arm,
        "seed": job.seed,
        "step": start.step,
        "streams": start.streams,
        **{f"ppo.{name}": value for name, value in _compared(job.ppo).items() if name not in free},
    }
    there = {**record, **{f"ppo.{name}": value for name, value in record.get("ppo", {}).items()}}
    for name, value in wanted.items():
        if there.get(name) != value:
            raise InputError(
                f"{at}: {start.state} is of a run with {name} {there.get(name)!r}, and this run "
                f"has {value!r}. A run goes on only from a state of the same kind: give both arms "
                f"the same settings, or run arm '{start.arm}' again."
            )
    if record.get("code") != _code(about["engine"]):
        raise InputError(
            f"{at}: {start.state} was written by other code of limr (commit "
            f"{record.get('commit')}). Run arm '{start.arm}' again with this one."
        )


def _check_files(folder: Path, record: Json, at: str) -> None:
    entries: Mapping[str, Sequence[Any]] = record["files"]
    for name, (size, digest) in entries.items():
        path = folder / name
        whole = path.is_file() and path.stat().st_size == size and digest_of(path) == digest
        if not whole:
            raise InputError(
                f"{at}: {path} is missing or has other bytes than were written. Delete {folder} "
                "and run the same command again: the state is made anew."
            )


def _compared(ppo: Mapping[str, Any]) -> Json:
    return {name: value for name, value in ppo.items() if name != "steps"}


def _code(engine: str) -> str:
    return provenance.code_digest("train_ppo", [f"limr.train.engines.{engine}"])


def _digest(problems: Sequence[Problem]) -> str:
    return provenance.digest([[one.problem_id, one.prompt, one.answer] for one in problems])
