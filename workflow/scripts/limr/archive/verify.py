"""`limr verify`: every check of an archive, each said in a line; nothing in it is executed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from limr import __version__
from limr.archive import (
    CRATE,
    RECORD,
    documents,
    limits,
    planning,
    unpack,
    verify_derived,
    verify_files,
    verify_runs,
)
from limr.archive.opened import NOTE, Findings, Line, Opened, Record
from limr.core import validation
from limr.core.errors import InputError
from limr.study import files as contents
from limr.study.jobs.job import Job
from limr.study.load import load as load_study

Json = dict[str, Any]
# check -> how, what the study has of it, and what is said
COUNTED = {
    "metrics": (verify_runs.metrics, verify_runs.drawn, "as the rollouts give them; rewards too"),
    "evaluations": (
        verify_runs.evaluations,
        contents.evaluations,
        "summaries follow from responses, each problem asked as often as the study says",
    ),
}


def verify(path: Path, say: Callable[[Line], None]) -> bool:
    """Check an archive; return whether everything is as it should be.

    Args:
        path: the zip.
        say: is told each finding as it comes.

    Raises:
        InputError: there is no such file, or no space to unpack it.
    """
    findings = Findings(say)
    with tempfile.TemporaryDirectory(prefix="limr-verify-") as scratch:
        folder = Path(scratch) / "archive"
        folder.mkdir()
        files = _unpacked(path, folder, findings)
        if files is None:
            return False
        document = _crate(folder, files, findings)
        opened = _opened(folder, files, findings)
        if opened is not None:
            with ThreadPoolExecutor(1) as threads:
                asked = planning.asked(opened, Path(scratch), threads)
                _files(opened, document, findings)
                _results(opened, Path(scratch), findings)
                _resume(asked, findings)
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
        findings.add("FAILED", "zip", f"{error}. It was not unpacked further.")
        return None
    digest = verify_files.archive_digest(path)
    findings.add("ok", "zip", f"{len(files):,} files, {size / 1e6:,.1f} MB; sha256 {digest}")
    return files


def _crate(folder: Path, files: dict[str, tuple[int, str]], findings: Findings) -> Any:
    try:
        document = documents.read_json(folder / CRATE)
    except InputError as error:
        findings.add("FAILED", "crate", str(error).replace(f"{folder}/", ""))
        return None
    findings.check(
        "manifest",
        lambda: verify_files.manifest(document, files),
        f"sha256 and size of {len(files) - 1:,} files, none missing, none extra",
    )
    findings.check(
        "crate", lambda: verify_files.profile(document), "a Workflow Run RO-Crate 0.5 by its form"
    )
    return document


def _opened(folder: Path, files: dict[str, tuple[int, str]], findings: Findings) -> Opened | None:
    found: list[Opened] = []

    def problems() -> list[str]:
        try:
            record = validation.complete(documents.read_json(folder / RECORD), Record, RECORD)
            if record["config"] != f"results/{record['study']}/study.yaml":
                return [f"{RECORD}: config: found {record['config']!r}"]
            config = documents.read_yaml(folder / record["config"])
            plain = Opened(folder, files, record, None)  # type: ignore[arg-type] # not asked for it
            wrong = [f"{record['config']}: {text}" for text in limits.exceeded(config)]
            wrong += verify_runs.documents_are_plain(plain)
            if wrong:
                return wrong
            checked = load_study(
                config, record["config"], folder / "config/benchmarks", own_files=False
            )
        except InputError as error:
            return [str(error).replace(f"{folder}/", "")]
        if checked.name != record["study"]:
            return [f"{record['config']}: study: expected {record['study']}, found {checked.name}"]
        found.append(Opened(folder, files, record, checked))
        return []

    passed = "the record and the study are valid by the schema of this limr"
    findings.check("configuration", problems, passed)
    return found[0] if found else None


def _files(opened: Opened, document: Any, findings: Findings) -> None:
    if document is not None:
        findings.check(
            "crate content",
            lambda: verify_files.rebuilt(document, opened),
            "every entity is the one that the record and the files give",
        )
    findings.check(
        "complete",
        lambda: verify_files.complete(opened),
        "every file of the study is here, or said to be missing or left out",
    )
    for path in opened.record["missing"][:3]:
        findings.add(NOTE, "complete", f"the study is half finished: {path} was never made")
    _code(opened, findings)
    findings.check(
        "environments", lambda: verify_files.environments(opened), "locks with hashes, as in runs"
    )
    for lock in opened.record["environments"]["changed_since_runs"]:
        findings.add(NOTE, "environments", f"envs/{lock} is not the one of every run (as stated)")
    findings.check(
        "workflow records",
        lambda: verify_files.workflow_records(opened),
        "Snakemake's records are whole and agree with the files",
    )
    findings.check("ids", lambda: verify_files.ids(opened), "what is left out is named by its ids")


def _code(opened: Opened, findings: Findings) -> None:
    about = opened.record["code"]
    if about["commit"] is None:
        passed = "it is not in git: no commit is named"
    elif about["changed"]:
        passed = f"commit {about['commit']} with changes, as stated"
    else:
        passed = f"exactly the files of commit {about['commit']}"
    findings.check("code", lambda: verify_files.commit(opened), passed)
    if about["commit"] is None:
        findings.add(NOTE, "code", "NOT IN GIT: nothing proves which code this is")
    if about["changed"]:
        names = ", ".join(about["changed"][:5])
        findings.add(
            NOTE, "code", f"NOT A CLEAN COMMIT: {len(about['changed'])} files differ: {names}"
        )
    differing = verify_files.code_differences(opened)
    if differing:
        findings.add(
            NOTE,
            "code",
            f"the archive's limr is {opened.record['limr']}, this one {__version__}; "
            f"{len(differing)} modules differ, such as {differing[0]}: what follows is made again "
            "by this one, and may differ for that reason alone",
        )


def _results(opened: Opened, scratch: Path, findings: Findings) -> None:
    readable = findings.check(
        "parquet", lambda: verify_runs.tables(opened), "every table can be read"
    )
    findings.check("data", lambda: verify_runs.data(opened), "digests and origins agree")
    findings.check(
        "runs", lambda: verify_runs.runs(opened), "settings, problems and code are the study's"
    )
    if not readable:
        findings.add(NOTE, "results", "nothing is made again from tables that cannot be read")
        return
    if not opened.record["settings"]["responses"] or opened.record["without_responses"]:
        found = verify_runs.responses
        findings.check("responses", lambda: found(opened), "left out of every table of them")
    for name, count in COUNTED.items():
        _counted(opened, name, count, findings)
    stand_ins: list[str] = []
    findings.check("ids", lambda: verify_derived.stand_in(opened, stand_ins), "")
    for path in stand_ins:
        findings.add(NOTE, "problems", f"{path}: its texts are left out; ids stand in for them")
    for name, jobs in verify_derived.recomputed(opened).items():
        _derived(opened, name, jobs, scratch, stand_ins, findings)
    findings.check(
        "subsets by id",
        lambda: verify_derived.subset_ids(opened, scratch, stand_ins),
        "ids of subsets that are left out are made again",
    )
    for path in stand_ins:
        (opened.folder / path).unlink()


def _counted(opened: Opened, name: str, count: Any, findings: Findings) -> None:
    """Run a check that says how much it had to look at; nothing is no success."""
    find, asked, passed = count
    n, done = len(asked(opened.study)), list[str]()
    good = findings.check(
        name,
        lambda: find(opened, done),
        lambda: f"{len(done)} of {n} {passed}" if done else "",
    )
    if good and not done:
        findings.add(NOTE, name, f"none of {n} is here: nothing was checked")


def _derived(
    opened: Opened,
    name: str,
    jobs: Sequence[Job],
    scratch: Path,
    stand_ins: list[str],
    findings: Findings,
) -> None:
    skipped: list[str] = []
    outputs = sum(opened.has(path) for job in jobs for path in job.outputs)
    if not outputs:
        return
    findings.check(
        name,
        lambda: verify_derived.check(opened, jobs, scratch, stand_ins, skipped),
        lambda: f"{outputs - len(skipped)} files made again, without a difference",
    )
    if skipped:
        findings.add(
            NOTE,
            name,
            f"{len(skipped)} files could not be made again, since something that they are made "
            f"from is not here: {skipped[0]}, …",
        )


def _resume(asked: Future[list[str]] | str, findings: Findings) -> None:
    if isinstance(asked, str):
        findings.add(NOTE, "resume", asked)
        return
    findings.check(
        "resume",
        lambda: [f"Snakemake would do again: {job}" for job in asked.result()],
        "`snakemake -n`, all triggers: nothing to be done",
    )
