"""What was said before the first job: which study, by which code, and when.

`results/{study}/declared.json` has the digest of the study as it will be run. Its time is that of
the author's clock, which proves nothing; beside it `declared.tsr` may lie, the answer of a
timestamping service to its digest (RFC 3161), which says that the file was there at that time.
Both go into the archive. A reader checks the answer by `openssl ts`, without a network, with the
certificate of a service that the reader trusts.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from limr.archive import code as coding
from limr.archive import documents
from limr.archive.opened import Opened
from limr.core import files
from limr.core.errors import InputError
from limr.study import files as contents
from limr.study.study import Study

FILE, TOKEN = "declared.json", "declared.tsr"
_KIND = "declaration"
_TIME = re.compile(r"^Time stamp: (\w{3} +\d+ \d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)
_SECONDS = 60


def declare(study: Study, folder: Path, root: Path) -> Path:
    """Write a study's declaration, before its first job, and return the path.

    Args:
        study: the study.
        folder: the working folder, in which it will run.
        root: the folder of the code.

    Raises:
        InputError: the study has results already, or was declared before.
    """
    results = folder / study.paths.root
    for inside, kind in contents.files(study, results) if results.is_dir() else ():
        if kind == _KIND:
            raise InputError(
                f"{results / inside}: this study was declared before. Keep it: verify says "
                "whether the study is still that one. Or delete it, and declare again."
            )
        if kind is not None:
            raise InputError(
                f"{results / inside}: there are results already: it is too late to declare this "
                "study. Declare one of another name before its first job."
            )
    path = results / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, document(study, coding.read(root), datetime.now(UTC)))
    return path


def document(study: Study, code: coding.Code, time: datetime) -> dict[str, Any]:
    """Return what a declaration says."""
    return {
        "study": study.name,
        "study_sha256": digest(study),
        "commit": code.commit,
        "changed": list(code.changed),
        "time": time.isoformat(timespec="seconds"),
    }


def digest(study: Study) -> str:
    """Return the sha256 of the study with every default, but for what its archive leaves out."""
    kept = {key: value for key, value in study.written.items() if key != "archive"}
    return hashlib.sha256(documents.study_yaml(replace(study, written=kept))).hexdigest()


def faults(opened: Opened) -> Iterator[str]:
    """Yield where an archive's study is not the one that was declared, or was declared too late."""
    path = f"{opened.results}/{FILE}"
    if not opened.has(path):
        return
    said = opened.json(path)
    found = digest(opened.study)
    if said["study_sha256"] != found:
        yield (
            f"{path}: study_sha256: expected {said['study_sha256']}, found {found}: the study is "
            "not the one that was declared"
        )
    started = _started(opened)
    if datetime.fromisoformat(said["time"]) > started:
        yield f"{path}: time: {said['time']} is after the first job, {started.isoformat()}"


def passed(opened: Opened) -> str:
    """Return what is said of a declaration without a fault; nothing where there is none."""
    path = f"{opened.results}/{FILE}"
    if not opened.has(path):
        return ""
    said = opened.json(path)
    commit, now = said["commit"], opened.record["code"]["commit"]
    by = "by the same commit" if commit == now else f"by commit {commit}, and archived by {now}"
    return f"the study is the one that its author says was declared on {said['time']}, {by}"


def unwitnessed(opened: Opened, trusted: Path) -> Iterator[str]:
    """Yield why no trusted service has seen the declaration before the first job.

    Raises:
        InputError: there is no such file of certificates, or no openssl.
    """
    if not trusted.is_file():
        raise InputError(f"--witness {trusted}: there is no such file of certificates.")
    for name in (FILE, TOKEN):
        if not opened.has(f"{opened.results}/{name}"):
            yield f"{opened.results}/{name}: it is missing: nobody has witnessed a declaration"
            return
    if (at := witnessed(opened)) is None:
        yield f"{opened.results}/{TOKEN}: it is no answer of a timestamping service"
        return
    declared, token = (str(opened.folder / opened.results / name) for name in (FILE, TOKEN))
    # A certificate counts if it was valid then: services change theirs every few years.
    then = ("-attime", str(int(at.timestamp())))
    words = ("-verify", "-data", declared, "-in", token, "-CAfile", str(trusted), *then)
    if (done := _openssl(*words)).returncode:
        text = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        yield f"{opened.results}/{TOKEN}: it does not witness {FILE} by {trusted}: {text[0]}"
    elif at > (started := _started(opened)):
        yield (
            f"{opened.results}/{TOKEN}: it was witnessed on {at.isoformat()}, after the first job, "
            f"{started.isoformat()}"
        )


def witnessed(opened: Opened) -> datetime | None:
    """Return when a timestamping service says that it saw the declaration; unchecked."""
    done = _openssl("-reply", "-in", str(opened.folder / opened.results / TOKEN), "-text")
    said = _TIME.search(done.stdout)
    if said is None:
        return None
    text = f"{' '.join(said[1].split())} {said[2]} +0000"
    return datetime.strptime(text, "%b %d %H:%M:%S %Y %z")


def _started(opened: Opened) -> datetime:
    return datetime.fromisoformat(opened.record["time"]["started"])


def _openssl(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl")
    if program is None:
        raise InputError("--witness needs openssl, which is not installed.")
    return subprocess.run(  # noqa: S603 (openssl, with a list of words)
        [program, "ts", *words], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
