"""`limr verify`: every check of an archive, a line for each; nothing in it is executed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from limr import __version__
from limr.archive import (
    CRATE,
    declaration,
    documents,
    planning,
    recomputing,
    rerun,
    signing,
    unpack,
    verify_derived,
    verify_rollouts,
)
from limr.archive import verify_files as files
from limr.archive import verify_runs as runs
from limr.archive.findings import FAILED, NOTE, OK, Findings
from limr.archive.opened import Opened, read
from limr.archive.recomputing import Work
from limr.core import files as io
from limr.study import files as contents

QUICK = ("learning curves", "scores", "subsets")  # what is recomputed in seconds
NOT_PLANNED = "quick: Snakemake was not asked whether anything is left to do"
# A check's name, what yields its failures, and what is said if there are none.
Check = tuple[str, Callable[[Opened], Iterable[str]], Callable[[Opened], str]]


def _code_passed(opened: Opened) -> str:
    about = opened.record["code"]
    if about["commit"] is None:
        return "it is not in git: no commit is named"
    if about["changed"]:
        return f"commit {about['commit']} with changes, as stated"
    return f"exactly the files of commit {about['commit']}"


def _responses_passed(opened: Opened) -> str:
    kept = opened.record["settings"]["responses"] and not opened.record["without_responses"]
    return "" if kept else "left out of every table of them"


def _metrics_passed(opened: Opened) -> str:
    n, done = len(runs.drawn(opened.study)), len(runs.metrics_here(opened))
    return f"{done} of {n} as the rollouts give them; rewards too" if done else ""


def _rollouts_passed(opened: Opened) -> str:
    n = len(verify_rollouts.here(opened))
    return f"{n} runs ask what the study's order names" if n else ""


def _evaluations_passed(opened: Opened) -> str:
    n, done = len(contents.evaluations(opened.study)), len(runs.evaluations_here(opened))
    text = "summaries follow from responses, each problem asked as often as the study says"
    return f"{done} of {n} {text}" if done else ""


def _says(text: str) -> Callable[[object], str]:
    return lambda _: text


OF_FILES: tuple[Check, ...] = (
    ("crate", files.described, _says("a Workflow Run RO-Crate 0.5, as record and files give it")),
    (
        "complete",
        files.complete,
        _says("every file is here, or said to be missing or left out"),
    ),
    ("code", files.commit, _code_passed),
    ("environments", files.environments, _says("locks with hashes, as in runs")),
    (
        "workflow records",
        files.workflow_records,
        _says("whole, and they agree with the files"),
    ),
    ("declaration", declaration.faults, declaration.passed),
    ("ids", files.ids, _says("what is left out is named by its ids")),
    ("data", runs.data, _says("digests and origins agree")),
    ("runs", runs.runs, _says("settings, problems and code are the study's")),
)
OF_ROWS: tuple[Check, ...] = (
    ("responses", runs.responses, _responses_passed),
    ("rollouts", verify_rollouts.asked, _rollouts_passed),
    ("metrics", runs.metrics, _metrics_passed),
    ("evaluations", runs.evaluations, _evaluations_passed),
)


def verify(
    path: Path,
    say: Callable[[str], None],
    signers: Path | None = None,
    steps: int | None = None,
    witness: Path | None = None,
    *,
    quick: bool = False,
    place: Path | None = None,
) -> bool:
    """Check an archive; return whether everything is as it should be.

    Args:
        path: the zip.
        say: is told each finding as it comes, in a line.
        signers: keys that the reader trusts, one of which must have signed it.
        steps: the first steps of every run that are trained again; None for none.
        witness: certificates of timestamping services that the reader trusts, one of which must
            have seen the study's declaration before its first job.
        quick: whether to recompute learning curves, scores and subsets alone.
        place: the folder of `limr.archive.remembered`; None: everything is recomputed.

    Raises:
        InputError: there is no such file, no space to unpack it, or no run can be trained again.
    """
    with tempfile.TemporaryDirectory(prefix="limr-verify-") as scratch:
        folder = Path(scratch) / "archive"
        folder.mkdir()
        findings = Findings(say, folder)
        opened = _opened(path, folder, findings)
        if opened is not None:
            with ThreadPoolExecutor(1) as threads:
                asked = NOT_PLANNED if quick else planning.asked(opened, Path(scratch), threads)
                _signature(path, opened, signers, findings)
                if witness is not None:
                    _witness(opened, witness, findings)
                if steps is not None:
                    _rerun(opened, steps, Path(scratch), findings)
                work = Work(opened, Path(scratch), place)
                _check_all(opened, work, findings, QUICK if quick else None)
                if isinstance(asked, str):
                    findings.add(NOTE, "resume", asked)
                else:
                    findings.check(
                        "resume",
                        lambda: [f"Snakemake would rerun: {job}" for job in asked.result()],
                        lambda: "`snakemake -n`, all triggers: nothing to be done",
                    )
    return not findings.failed


def _rerun(opened: Opened, steps: int, scratch: Path, findings: Findings) -> None:
    n, first = len(rerun.runs(opened)), "step" if steps == 1 else f"{steps} steps"
    findings.check(
        "rerun",
        lambda: rerun.differences(opened, steps, scratch / "rerun"),
        lambda: f"the first {first} of {n} runs trained again: every rollout is the same",
    )


def _witness(opened: Opened, trusted: Path, findings: Findings) -> None:
    findings.check(
        "witness",
        lambda: declaration.unwitnessed(opened, trusted),
        lambda: f"a service saw the declaration on {declaration.witnessed(opened)}, before any job",
    )


def _signature(path: Path, opened: Opened, signers: Path | None, findings: Findings) -> None:
    at, signature = (Path(f"{path}{end}") for end in (signing.STATEMENT, signing.SIGNATURE))
    if signers is None:
        if signature.exists():
            text = "there is one, and nobody looked at it: name the keys that you trust (--signers)"
            findings.add(NOTE, "signature", text)
        return
    digests = {name: digest for name, (_, digest) in opened.files.items()}
    findings.check(
        "signature",
        lambda: signing.faults(path, opened.record, digests, signers),
        lambda: f"{signing.signer(at, signature, signers)} states it of these very files",
    )


def _opened(path: Path, folder: Path, findings: Findings) -> Opened | None:
    """Unpack an archive and read its record and study; None where that fails."""
    try:
        digests = unpack.unpack(path, folder)
    except unpack.RefusedError as error:
        findings.add(FAILED, "zip", str(error))
        return None
    size = sum(size for size, _ in digests.values())
    text = f"{len(digests):,} files, {size / 1e6:,.1f} MB; sha256 {io.sha256(path)}"
    findings.add(OK, "zip", text)
    findings.check(
        "manifest",
        lambda: files.manifest(documents.read_json(folder / CRATE), digests),
        lambda: f"sha256 and size of {len(digests) - 1:,} files, none missing, none extra",
    )
    found: list[Opened] = []

    def configuration() -> Iterator[str]:
        found.append(read(folder, digests))
        yield from ()

    passed = "the record and the study are valid by the schema of this limr"
    findings.check("configuration", configuration, lambda: passed)
    return found[0] if found else None


def _check_all(
    opened: Opened, work: Work, findings: Findings, labels: Container[str] | None
) -> None:
    """Make every check of files and rows, and recompute; None: whatever can be."""
    for name, find, passed in OF_FILES:
        findings.check(name, partial(find, opened), partial(passed, opened))
    for name, text in _notes(opened):
        findings.add(NOTE, name, text)
    readable = findings.check(
        "parquet", lambda: runs.tables(opened), lambda: "every table can be read"
    )
    if not readable:
        findings.add(NOTE, "results", "nothing is recomputed from tables that cannot be read")
        return
    for name, find, passed in OF_ROWS:
        findings.check(name, partial(find, opened), partial(passed, opened))
    stand_ins: list[str] = []
    findings.check("ids", lambda: verify_derived.stand_in(opened, stand_ins), lambda: "")
    for path in stand_ins:
        findings.add(NOTE, "problems", f"{path}: its texts are left out; ids stand in for them")
    recomputing.recompute(work, stand_ins, findings, labels)
    findings.check(
        "subsets by id",
        lambda: verify_derived.subset_ids(opened, work.scratch, stand_ins),
        lambda: "recomputed subsets have the ids of those that are left out",
    )
    for path in stand_ins:
        (opened.folder / path).unlink()


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
    differing = files.code_differences(opened)
    if differing:
        yield (
            "code",
            f"the archive's limr is {opened.record['limr']}, this one {__version__}; "
            f"{len(differing)} modules differ, such as {differing[0]}: this one recomputes what "
            "follows, which may differ for that reason alone",
        )
    for lock in opened.record["environments"]["changed_since_runs"]:
        yield "environments", f"envs/{lock} is not the one of every run (as stated)"
    for name, here in (("metrics", runs.metrics_here), ("evaluations", runs.evaluations_here)):
        if not here(opened):
            yield name, "none is here: nothing was checked"
