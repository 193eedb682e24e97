"""Signatures: who says that these tables follow from these rollouts by this commit.

Beside `study.zip` lie `study.zip.intoto.json`, an in-toto statement that follows from the archive
alone, and `study.zip.intoto.json.sig`, OpenSSH's signature of its bytes. Both are checked without a
network, by ssh-keygen and a file of keys that the reader trusts (`allowed_signers`).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from limr.archive import CRATE, RECORD, documents
from limr.core import files
from limr.core.errors import InputError

NAMESPACE = "limr-archive"  # a signature made for another purpose counts for nothing here
STATEMENT, SIGNATURE = ".intoto.json", ".intoto.json.sig"
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "urn:limr:study:1"
_CLAIM = "These tables follow from these rollouts and evaluations by this commit."
_SECONDS = 60
_BASES = ("/rollouts.parquet", "/metrics.parquet")


def statement(path: Path, record: Mapping[str, Any], sha256: Mapping[str, str]) -> dict[str, Any]:
    """Return the in-toto statement of an archive.

    Args:
        path: the zip.
        record: its record.
        sha256: file in it -> digest.
    """
    results = f"results/{record['study']}"
    of = {name: digest for name, digest in sorted(sha256.items()) if name.startswith(results)}
    tables = {n: d for n, d in of.items() if n.startswith(f"{results}/tables/")}
    said = {n: d for n, d in of.items() if n == f"{results}/headline.txt"}
    bases = {
        name: digest
        for name, digest in of.items()
        if (name.startswith(f"{results}/runs/") and name.endswith(_BASES))
        or name.startswith(f"{results}/evals/")
    }
    return {
        "_type": _TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in {path.name: files.sha256(path), **tables, **said}.items()
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "claim": _CLAIM,
            "study": {record["config"]: sha256[record["config"]]},
            "code": {key: record["code"][key] for key in ("commit", "tree", "changed")},
            "rollouts and evaluations": bases,
        },
    }


def sign(path: Path, key: Path) -> list[Path]:
    """Write an archive's statement and its signature beside it; return both paths.

    Args:
        path: the zip.
        key: a private key of OpenSSH, or a public one whose private key an agent has.

    Raises:
        InputError: there is no ssh-keygen or no such key, or it would not sign.
    """
    if not key.is_file():
        raise InputError(f"--sign {key}: there is no such key. `ssh-keygen -t ed25519` makes one.")
    record, sha256 = _content(path)
    at, signature = (Path(f"{path}{end}") for end in (STATEMENT, SIGNATURE))
    signature.unlink(missing_ok=True)
    files.write_json(at, statement(path, record, sha256))
    done = _ssh("sign", "-f", str(key), "-n", NAMESPACE, str(at))
    if done.returncode or not signature.is_file():
        raise InputError(f"--sign {key}: ssh-keygen did not sign: {_said(done)}")
    return [at, signature]


def faults(
    path: Path, record: Mapping[str, Any], sha256: Mapping[str, str], signers: Path
) -> Iterator[str]:
    """Yield what is wrong with an archive's signature: missing, of no trusted key, of other files.

    Args:
        path: the zip.
        record: its record.
        sha256: file in it -> digest.
        signers: OpenSSH's `allowed_signers`: the keys that the reader trusts.

    Raises:
        InputError: there is no ssh-keygen, or no such file of keys.
    """
    if not signers.is_file():
        raise InputError(f"--signers {signers}: there is no such file of trusted keys.")
    at, signature = (Path(f"{path}{end}") for end in (STATEMENT, SIGNATURE))
    for needed in (at, signature):
        if not needed.is_file():
            yield f"{needed.name}: it is missing: the archive is not signed"
            return
    try:
        found = documents.read_json(at)
    except InputError as error:
        yield str(error)
        return
    if found != statement(path, record, sha256):
        yield f"{at.name}: it is not the statement of this archive: it, or the archive, has changed"
    if (name := signer(at, signature, signers)) is None:
        yield f"{signature.name}: no key of {signers} made it, or the key has expired"
    elif not name:
        yield f"{signature.name}: it does not fit {at.name}"


def signer(at: Path, signature: Path, signers: Path) -> str | None:
    """Return who signed a file; empty where the signature does not fit, None for a foreign key."""
    found = _ssh("find-principals", "-s", str(signature), "-f", str(signers))
    names = found.stdout.decode(errors="replace").split("\n")[:-1]
    if found.returncode or not names:
        return None
    for name in names:
        words = ("verify", "-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", str(signature))
        if _ssh(*words, content=at.read_bytes()).returncode == 0:
            return name
    return ""


def _ssh(*words: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise InputError("signatures need ssh-keygen, of OpenSSH 8.2 or later: install OpenSSH.")
    command = [program, "-Y", *words]
    return subprocess.run(  # noqa: S603 (ssh-keygen, with a list of words)
        command, input=content, capture_output=True, timeout=_SECONDS, check=False
    )


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    text = (done.stderr or done.stdout).decode(errors="replace").strip()
    return text or f"exit code {done.returncode}"


def _content(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the record of an archive that was just written, and its files' digests."""
    with zipfile.ZipFile(path) as zipped:
        graph = json.loads(zipped.read(CRATE))["@graph"]
        record = json.loads(zipped.read(RECORD))
    return record, {entry["@id"]: entry["sha256"] for entry in graph if "sha256" in entry}
