"""Going on from an archive: its files where Snakemake expects them, restricted data made again."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from limr.archive import (
    CRATE,
    RECORD,
    derive,
    documents,
    limits,
    links,
    tables,
    unpack,
    verify_files,
    verify_runs,
)
from limr.archive.opened import Json, Opened, Record
from limr.core import files as io
from limr.core import provenance, validation
from limr.core.errors import InputError, IntegrityError
from limr.sources import pinned
from limr.study import files as contents
from limr.study.jobs import plan
from limr.study.jobs.job import Job
from limr.study.load import load as load_study
from limr.study.study import Study

# Snakemake takes a script that is not older than its outputs for a changed one.
_OLDER = 60.0  # seconds
# What may be left out, and is recomputed from what is there.
_RECOMPUTED = (
    "prepare_problems", "prepare_solutions", "audit_answers", "import_trajectories",
    "import_scores", "select_subset", "draw_figure",
)  # fmt: skip
# Own files are put into a clone, which runs code: never where code is, nor as what may be code;
# nor among the results of another study.
_CLOSED = ("results", "workflow", "profiles", "envs", "slurm")
_DATA = (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".txt", ".log", ".gz", ".zst")


@dataclass(frozen=True)
class Restored:
    """What was restored: the study, what was made again, what could not be had and why."""

    opened: Opened
    with_code: bool
    made: tuple[str, ...]
    lacking: Mapping[str, str]


def restore(
    path: Path, folder: Path, mirror: Path | None, *, fetch: bool, say: Callable[[str], None]
) -> Restored:
    """Unpack an archive so that the workflow can go on from it.

    Into a folder with a Snakefile (a clone of limr) go the study's results and Snakemake's records;
    into an empty one goes everything. What the archive leaves out is fetched and made again by this
    limr, and its sha256 is checked.

    Args:
        path: the archive.
        folder: a clone of limr, or a folder that is empty or not there yet.
        mirror: where pinned files are looked for before the network.
        fetch: whether to fetch files that the archive leaves out.
        say: is told what is done.

    Raises:
        InputError: the folder is neither, or has results of the study already.
        IntegrityError: the archive is not whole, or made to do harm.
    """
    entries = unpack.check(path)
    record = _record(path)
    with_code = not (folder / "Snakefile").exists()
    _check_folder(folder, record["study"], with_code)
    wanted = [entry for entry in entries if with_code or _of_results(entry.filename, record)]
    folder.mkdir(parents=True, exist_ok=True)
    # Beside its place, on the same disk: what is not as it should be never stands there.
    with tempfile.TemporaryDirectory(prefix=".limr-restore-", dir=folder) as scratch:
        inside = Path(scratch)
        files = unpack.extract(path, wanted, inside)
        _check_digests(path, files)
        if with_code:
            links.make(inside, record["code"], files)
        checked = _study(inside, files, record, with_code)
        if not with_code:
            own = _own(entries, checked, say)
            files |= (more := unpack.extract(path, own, inside))
            _check_digests(path, more)
        _move(inside, folder, files)
    opened = Opened(folder, files, record, checked)
    lacking = dict(_fetched(opened, mirror, fetch, say))
    made = tuple(_made(opened, say))
    _settle(opened)
    return Restored(opened, with_code, made, lacking)


def _record(path: Path) -> Json:
    with tempfile.TemporaryDirectory(prefix="limr-restore-") as scratch:
        entries = [entry for entry in unpack.check(path) if entry.filename == RECORD]
        unpack.extract(path, entries, Path(scratch))
        found: Json = validation.complete(
            documents.read_json(Path(scratch) / RECORD), Record, RECORD
        )
    if found["config"] != f"results/{found['study']}/study.yaml":
        raise IntegrityError(f"{RECORD}: config: found {found['config']!r}.")
    return found


def _of_results(name: str, record: Json) -> bool:
    return name.startswith((f"results/{record['study']}/", f"{contents.METADATA}/"))


def _study(
    folder: Path, files: Mapping[str, tuple[int, str]], record: Json, with_code: bool
) -> Study:
    config = documents.read_yaml(folder / record["config"])
    for text in limits.exceeded(config):
        raise IntegrityError(f"{record['config']}: {text}.")
    plain = Opened(folder, files, record, None)  # type: ignore[arg-type] # not asked for it
    for text in verify_runs.documents_are_plain(plain):
        raise IntegrityError(text)
    benchmarks = (folder if with_code else provenance.ROOT) / "config/benchmarks"
    return load_study(config, record["config"], benchmarks, own_files=False)


def _own(
    entries: Sequence[zipfile.ZipInfo], checked: Study, say: Callable[[str], None]
) -> list[zipfile.ZipInfo]:
    """Return the author's own files, those that cannot be taken for code of the clone."""
    named = {**checked.datasets, **checked.config["trajectories"]}
    own = checked.config["archive"]["own_files"]
    given = [named.get(name, {}).get("path") for name in own]
    paths = [os.path.normpath(path) for path in given if path]
    found = []
    for entry in entries:
        name = entry.filename
        if not any(name == path or name.startswith(f"{path}/") for path in paths):
            continue
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") for part in parts)
        if hidden or parts[0] in _CLOSED or not name.endswith(_DATA):
            say(f"not restored into a clone, since it is not plainly data there: {name}")
        else:
            found.append(entry)
    return found


def _move(inside: Path, folder: Path, files: Mapping[str, tuple[int, str]]) -> None:
    """Move checked files to their places, all or none; a file that is there is never replaced."""
    wanted = []
    for name, (_, digest) in files.items():
        target = folder / name
        if not os.path.lexists(target):
            wanted.append(name)
        elif not target.is_file() or io.sha256(target) != digest:
            raise InputError(
                f"{target} is there already, and is not the archive's. Move it away, or restore "
                "into another folder."
            )
    for name in wanted:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(inside / name, folder / name)


def _check_folder(folder: Path, name: str, with_code: bool) -> None:
    if with_code and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is neither empty nor a clone of limr (there is no Snakefile). Name a folder "
            "that does not exist yet, or a clone."
        )
    results = folder / "results" / name
    if results.exists():
        raise InputError(
            f"{results} is there already. Move it away, or restore into another folder: results "
            "are never mixed."
        )
    if (folder / contents.METADATA).exists():
        known = contents.metadata_path(f"results/{name}/headline.txt")
        if (folder / known).exists():
            raise InputError(
                f"{folder} has Snakemake's records of a study '{name}' without its results. Remove "
                f"{folder / contents.METADATA}, or restore into another folder."
            )


def _check_digests(path: Path, files: Mapping[str, tuple[int, str]]) -> None:
    crates = [entry for entry in unpack.check(path) if entry.filename == CRATE]
    if not crates:
        raise unpack.RefusedError(f"{path}: it has no {CRATE}: no archive of limr.")
    with tempfile.TemporaryDirectory(prefix="limr-restore-") as scratch:
        unpack.extract(path, crates, Path(scratch))
        listed = verify_files.entities(documents.read_json(Path(scratch) / CRATE))
    for name, (_, digest) in files.items():
        if name != CRATE and listed.get(name, {}).get("sha256") != digest:
            raise IntegrityError(
                f"{path}: {name} is not the file that the archive lists (sha256 {digest}). Nothing "
                "of it should be used: run `limr verify` on it, and get it again."
            )


def _fetched(
    opened: Opened, mirror: Path | None, fetch: bool, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """Fetch the pinned files that are left out; yield those that could not be had, and why."""
    known = pinned.load_sources(provenance.ROOT / "config/sources.yaml")
    for entry in opened.record["data"]:
        path = f"{opened.results}/sources/{entry['name']}"
        if entry["included"] or path in opened.record["missing"]:
            continue
        source = known.get(entry["name"])
        if source is None or source.sha256 != entry["sha256"]:
            yield path, "this limr does not know the file (config/sources.yaml)"
        elif not fetch:
            yield path, "--no-fetch"
        else:
            try:
                pinned.fetch(source, opened.folder / path, mirror)
                say(f"fetched {entry['name']}, sha256 as archived")
            except InputError as error:
                yield path, str(error)


def _made(opened: Opened, say: Callable[[str], None]) -> Iterator[str]:
    """Make again what is left out and can be made from what is there; yield the paths."""
    for job in plan.jobs(opened.study, opened.folder):
        if job.rule not in _RECOMPUTED:
            continue
        wanted = [path for path in job.outputs if path in opened.record["left_out"]]
        if wanted and all(limits.within(opened.folder, path) for path in job.inputs):
            _make(opened, job, wanted)
            yield from wanted
            say(f"made again, sha256 as archived: {', '.join(wanted)}")


def _make(opened: Opened, job: Job, wanted: Sequence[str]) -> None:
    for path in job.inputs:
        why = tables.why_not(opened.folder / path) if path.endswith(".parquet") else None
        if why:
            raise IntegrityError(f"{path}: {why}.")
    with tempfile.TemporaryDirectory(prefix="limr-restore-") as scratch:
        kept = [path for path in job.outputs if (opened.folder / path).is_file()]
        for number, path in enumerate(kept):
            shutil.move(opened.folder / path, Path(scratch) / str(number))
        derive.run(job, opened.folder, Path(scratch))
        for number, path in enumerate(kept):
            shutil.move(Path(scratch) / str(number), opened.folder / path)
    for path in wanted:
        expected, digest = opened.sha256(path), io.sha256(opened.folder / path)
        if digest != expected:
            (opened.folder / path).unlink()
            raise IntegrityError(
                f"{path}: made again by this limr it has sha256 {digest}, the study's has "
                f"{expected}. "
                "The code differs from the archive's: restore with the archive's commit, "
                f"{opened.record['code']['commit']}."
            )


def _settle(opened: Opened) -> None:
    """Give results one time, code and own files an earlier one: no input is newer than a result."""
    now = time.time()
    results = opened.folder / "results" / opened.study.name
    for path in chain([results], results.rglob("*")):
        os.utime(path, (now, now))
    for name in opened.files:
        if not _of_results(name, opened.record):
            os.utime(opened.folder / name, (now - _OLDER, now - _OLDER), follow_symlinks=False)
