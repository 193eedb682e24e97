"""Going on from an archive: its files where Snakemake expects them, restricted data recomputed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from limr.archive import CRATE, code, derive, documents, unpack, verify_files
from limr.archive.opened import Opened, read
from limr.core import files as io
from limr.core import provenance
from limr.core.errors import InputError, IntegrityError
from limr.sources import pinned
from limr.study import files as contents
from limr.study.jobs import plan, report
from limr.study.jobs.job import Job

# Snakemake takes a script that is not older than its outputs for a changed one.
_OLDER = 60.0  # seconds
# What may be left out, and is recomputed from what is there.
_RECOMPUTED = (
    "prepare_problems", "prepare_solutions", "audit_answers", "import_trajectories",
    "import_scores", "select_subset", "draw_figures",
)  # fmt: skip
# Own files are put into a clone, which runs code: never where code is, nor as what may be code;
# nor among the results of another study.
_CLOSED = ("results", "workflow", "profiles", "envs", "slurm")
_DATA = (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".txt", ".log", ".gz", ".zst")


@dataclass(frozen=True)
class Restored:
    """What was restored: the study, and what could not be had and why."""

    opened: Opened
    lacking: Mapping[str, str]


def restore(
    path: Path, folder: Path, mirror: Path | None, *, fetch: bool, say: Callable[[str], None]
) -> Restored:
    """Unpack an archive so that the workflow can go on from it.

    Into a folder with a Snakefile (a clone of limr) go the study's results and Snakemake's records;
    into an empty one goes everything. This limr fetches and recomputes what the archive leaves out,
    and checks its sha256.

    Args:
        path: the archive.
        folder: a clone of limr, or a folder that is empty or not there yet.
        mirror: where pinned files are looked for before the network.
        fetch: whether to fetch files that the archive leaves out.
        say: is told what is done.

    Raises:
        InputError: the folder is neither, or has results of the study already.
        IntegrityError: the archive is not whole, or not one that limr wrote.
    """
    with_code = not (folder / "Snakefile").exists()
    if with_code and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is neither empty nor a clone of limr (there is no Snakefile). Name a folder "
            "that does not exist yet, or a clone."
        )
    folder.mkdir(parents=True, exist_ok=True)
    # Beside its place, on the same disk: only what was checked is moved there.
    with tempfile.TemporaryDirectory(prefix=".limr-restore-", dir=folder) as scratch:
        inside = Path(scratch)
        files = unpack.unpack(path, inside)
        _check_digests(path, inside, files)
        unpacked = read(inside, files)
        _check_no_results(folder, unpacked.study.name)
        if with_code:
            for name, target in code.links(inside, unpacked.record["code"], files).items():
                (inside / name).unlink()
                (inside / name).symlink_to(target)
        else:
            files = dict(_of_clone(unpacked, say))
        _move(inside, folder, files)
    opened = Opened(folder, files, unpacked.record, unpacked.study)
    lacking = dict(_fetched(opened, mirror, fetch, say))
    _recompute(opened, say)
    _settle(opened)
    return Restored(opened, lacking)


def _check_digests(path: Path, folder: Path, files: Mapping[str, tuple[int, str]]) -> None:
    if CRATE not in files:
        raise unpack.RefusedError(f"{path}: it has no {CRATE}: no archive of limr.")
    for text in verify_files.manifest(documents.read_json(folder / CRATE), files):
        raise IntegrityError(
            f"{path}: {text}. Nothing of it should be used: run `limr verify` on it, and get it "
            "again."
        )


def _check_no_results(folder: Path, name: str) -> None:
    results = folder / "results" / name
    if results.exists():
        raise InputError(
            f"{results} is there already. Move it away, or restore into another folder: results "
            "are never mixed."
        )
    if (folder / contents.metadata_path(f"results/{name}/headline.txt")).exists():
        raise InputError(
            f"{folder} has Snakemake's records of a study '{name}' without its results. Remove "
            f"{folder / contents.METADATA}, or restore into another folder."
        )


def _of_results(opened: Opened, name: str) -> bool:
    return name.startswith((f"{opened.results}/", f"{contents.METADATA}/"))


def _of_clone(opened: Opened, say: Callable[[str], None]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield what goes into a clone: results, records, and own files that cannot be code there."""
    named = opened.study.config["archive"]["own_files"]
    own = [os.path.normpath(path) for name, path in opened.study.own_paths if name in named]
    for name, about in opened.files.items():
        if _of_results(opened, name):
            yield name, about
        elif any(name == path or name.startswith(f"{path}/") for path in own):
            parts = PurePosixPath(name).parts
            hidden = any(part.startswith(".") for part in parts)
            if hidden or parts[0] in _CLOSED or not name.endswith(_DATA):
                say(f"not restored into a clone, since it is not plainly data there: {name}")
            else:
                yield name, about


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
        if source is not None and source.sha256 is None:  # the archive's lock binds
            source = source.model_copy(update={"sha256": entry["sha256"]})
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


def _recompute(opened: Opened, say: Callable[[str], None]) -> None:
    """Recompute what is left out and can be made from what is there."""
    every = plan.jobs(opened.study, opened.folder)
    found = (report.apart(opened.study, job) for job in every if job.rule in _RECOMPUTED)
    for job in chain.from_iterable(found):
        wanted = [path for path in job.outputs if path in opened.record["left_out"]]
        if wanted and all(documents.within(opened.folder, path) for path in job.inputs):
            _run(opened, job, wanted)
            say(f"recomputed, sha256 as archived: {', '.join(wanted)}")


def _run(opened: Opened, job: Job, wanted: Sequence[str]) -> None:
    """Run a job for its outputs that are wanted; its other ones stay as they were archived."""
    for path in job.inputs:
        why = documents.table_problem(opened.folder / path) if path.endswith(".parquet") else None
        if why:
            raise IntegrityError(f"{path}: {why}.")
    kept = [path for path in job.outputs if (opened.folder / path).is_file()]
    with tempfile.TemporaryDirectory(prefix="limr-restore-") as scratch:
        for number, path in enumerate(kept):
            shutil.move(opened.folder / path, Path(scratch) / str(number))
        derive.run(job, opened.folder, Path(scratch) / "job.log")
        for number, path in enumerate(kept):
            shutil.move(Path(scratch) / str(number), opened.folder / path)
    for path in wanted:
        expected, digest = opened.sha256(path), io.sha256(opened.folder / path)
        if digest != expected:
            (opened.folder / path).unlink()
            raise IntegrityError(
                f"{path}: recomputed by this limr it has sha256 {digest}, the study's has "
                f"{expected}. "
                "The code differs from the archive's: restore with the archive's commit, "
                f"{opened.record['code']['commit']}."
            )


def _settle(opened: Opened) -> None:
    """Give results one time, code and own files an earlier one: no input is newer than a result."""
    now = time.time()
    results = opened.folder / opened.results
    for path in chain([results], results.rglob("*")):
        os.utime(path, (now, now))
    for name in opened.files:
        if not _of_results(opened, name):
            os.utime(opened.folder / name, (now - _OLDER, now - _OLDER), follow_symlinks=False)
