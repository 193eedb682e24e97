"""`limr verify`: every check of an archive, a line for each; nothing in it is executed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from limr import __version__
from limr.archive import CRATE, documents, planning, unpack, verify_derived, verify_files
from limr.archive import verify_runs as runs
from limr.archive.findings import FAILED, NOTE, OK, Findings, Line
from limr.archive.opened import Opened, read
from limr.core import files as io
from limr.core.errors import InputError
from limr.study import files as contents
from limr.study.jobs import all as all_jobs
from limr.study.jobs.job import Job

Check = tuple[str, Callable[[Opened], Iterable[str]], str | Callable[[Opened], str]]


def _code_passed(opened: Opened) -> str:
    about = opened.record["code"]
    if about["commit"] is None:
        return "it is not in git: no commit is named"
    if about["changed"]:
        return f"commit {about['commit']} with changes, as stated"
    return f"exactly the files of commit {about['commit']}"


def _responses_passed(opened: Opened) -> str:
    stated = opened.record["settings"]["responses"] and not opened.record["without_responses"]
    return "" if stated else "left out of every table of them"


def _metrics_passed(opened: Opened) -> str:
    n, done = len(runs.drawn(opened.study)), len(runs.metrics_here(opened))
    return f"{done} of {n} as the rollouts give them; rewards too" if done else ""


def _evaluations_passed(opened: Opened) -> str:
    n, done = len(contents.evaluations(opened.study)), len(runs.evaluations_here(opened))
    text = "summaries follow from responses, each problem asked as often as the study says"
    return f"{done} of {n} {text}" if done else ""


# The name of a check, what yields its failures, and what is said if there are none.
OF_FILES: tuple[Check, ...] = (
    (
        "crate",
        verify_files.described,
        "a Workflow Run RO-Crate 0.5, each entity as the record and the files give it",
    ),
    (
        "complete",
        verify_files.complete,
        "every file of the study is here, or said to be missing or left out",
    ),
    ("code", verify_files.commit, _code_passed),
    ("environments", verify_files.environments, "locks with hashes, as in runs"),
    (
        "workflow records",
        verify_files.workflow_records,
        "Snakemake's records are whole and agree with the files",
    ),
    ("ids", verify_files.ids, "what is left out is named by its ids"),
    ("data", runs.data, "digests and origins agree"),
    ("runs", runs.runs, "settings, problems and code are the study's"),
)
# Recomputed from rows, which must be readable.
OF_ROWS: tuple[Check, ...] = (
    ("responses", runs.responses, _responses_passed),
    ("metrics", runs.metrics, _metrics_passed),
    ("evaluations", runs.evaluations, _evaluations_passed),
)


def verify(path: Path, say: Callable[[Line], None]) -> bool:
    """Check an archive; return whether everything is as it should be.

    Args:
        path: the zip.
        say: is told each finding as it comes.

    Raises:
        InputError: there is no such file, or no space to unpack it.
    """
    with tempfile.TemporaryDirectory(prefix="limr-verify-") as scratch:
        folder = Path(scratch) / "archive"
        folder.mkdir()
        findings = Findings(say, folder)
        files = _unpacked(path, folder, findings)
        opened = _opened(folder, files, findings) if files is not None else None
        if opened is not None:
            with ThreadPoolExecutor(1) as threads:
                asked = planning.asked(opened, Path(scratch), threads)
                _check_all(opened, Path(scratch), findings)
                if isinstance(asked, str):
                    findings.add(NOTE, "resume", asked)
                else:
                    findings.check(
                        "resume",
                        lambda: [f"Snakemake would rerun: {job}" for job in asked.result()],
                        "`snakemake -n`, all triggers: nothing to be done",
                    )
    return not findings.failed


def _unpacked(path: Path, folder: Path, findings: Findings) -> dict[str, tuple[int, str]] | None:
    try:
        entries = unpack.check(path)
        size = sum(entry.file_size for entry in entries)
        free = shutil.disk_usage(folder).free
        if size > free:
            raise InputError(
                f"{path} unpacks to {size / 1e6:,.0f} MB; {folder.parent.parent} has "
                f"{free / 1e6:,.0f} MB free. Set TMPDIR to a folder with more."
            )
        files = unpack.extract(path, entries, folder)
    except unpack.RefusedError as error:
        findings.add(FAILED, "zip", f"{error}. It was not unpacked further.")
        return None
    digest = io.sha256(path)
    findings.add(OK, "zip", f"{len(files):,} files, {size / 1e6:,.1f} MB; sha256 {digest}")
    return files


def _opened(
    folder: Path, files: Mapping[str, tuple[int, str]], findings: Findings
) -> Opened | None:
    findings.check(
        "manifest",
        lambda: verify_files.manifest(documents.read_json(folder / CRATE), files),
        f"sha256 and size of {len(files) - 1:,} files, none missing, none extra",
    )
    found: list[Opened] = []

    def configuration() -> Iterator[str]:
        found.append(read(folder, files))
        yield from ()

    passed = "the record and the study are valid by the schema of this limr"
    findings.check("configuration", configuration, passed)
    return found[0] if found else None


def _check_all(opened: Opened, scratch: Path, findings: Findings) -> None:
    for check in OF_FILES:
        _run(check, opened, findings)
    for name, text in _notes(opened):
        findings.add(NOTE, name, text)
    if not findings.check("parquet", partial(runs.tables, opened), "every table can be read"):
        findings.add(NOTE, "results", "nothing is recomputed from tables that cannot be read")
        return
    for check in OF_ROWS:
        _run(check, opened, findings)
    stand_ins: list[str] = []
    findings.check("ids", lambda: verify_derived.stand_in(opened, stand_ins), "")
    for path in stand_ins:
        findings.add(NOTE, "problems", f"{path}: its texts are left out; ids stand in for them")
    for name, find in all_jobs.DERIVED.items():
        _derived(opened, name, list(find(opened.study)), scratch, stand_ins, findings)
    findings.check(
        "subsets by id",
        lambda: verify_derived.subset_ids(opened, scratch, stand_ins),
        "recomputed subsets have the ids of those that are left out",
    )
    for path in stand_ins:
        (opened.folder / path).unlink()


def _run(check: Check, opened: Opened, findings: Findings) -> None:
    name, find, passed = check
    said = passed if isinstance(passed, str) else partial(passed, opened)
    findings.check(name, partial(find, opened), said)


def _notes(opened: Opened) -> Iterator[tuple[str, str]]:
    """Yield (check, what a reader must know of the archive, though nothing failed)."""
    for path in opened.record["missing"][:3]:
        yield "complete", f"the study is half finished: {path} was never made"
    about = opened.record["code"]
    if about["commit"] is None:
        yield "code", "NOT IN GIT: nothing proves which code this is"
    if about["changed"]:
        names = ", ".join(about["changed"][:5])
        yield "code", f"NOT A CLEAN COMMIT: {len(about['changed'])} files differ: {names}"
    differing = verify_files.code_differences(opened)
    if differing:
        yield (
            "code",
            f"the archive's limr is {opened.record['limr']}, this one {__version__}; "
            f"{len(differing)} modules differ, such as {differing[0]}: this one recomputes what "
            "follows, which may differ for that reason alone",
        )
    for lock in opened.record["environments"]["changed_since_runs"]:
        yield "environments", f"envs/{lock} is not the one of every run (as stated)"
    if not runs.metrics_here(opened):
        yield "metrics", "none is here: nothing was checked"
    if not runs.evaluations_here(opened):
        yield "evaluations", "none is here: nothing was checked"


def _derived(
    opened: Opened,
    name: str,
    jobs: list[Job],
    scratch: Path,
    stand_ins: list[str],
    findings: Findings,
) -> None:
    """Run jobs again and compare what they make with what is archived."""
    skipped: list[str] = []
    outputs = sum(opened.has(path) for job in jobs for path in job.outputs)
    if not outputs:
        return
    findings.check(
        name,
        lambda: verify_derived.check(opened, jobs, scratch, stand_ins, skipped),
        lambda: f"{outputs - len(skipped)} files recomputed, without a difference",
    )
    if skipped:
        findings.add(
            NOTE,
            name,
            f"{len(skipped)} files could not be recomputed, since an input of theirs is not here: "
            f"{skipped[0]}, …",
        )
