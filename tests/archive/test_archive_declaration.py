"""What was declared before the first job: written, witnessed by a service of the test, checked."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from small_archive import STUDY

from limr.archive import code as coding
from limr.archive import declaration, documents
from limr.archive.opened import Opened
from limr.core import files
from limr.core.errors import InputError
from limr.study.load import load as load_study
from limr.study.study import Study

CODE = coding.Code({}, "a" * 40)
SERVICE = """\
[tsa]
serial = {folder}/serial
signer_cert = {folder}/service.pem
signer_key = {folder}/service.key
signer_digest = sha256
digests = sha256
default_policy = 1.2.3.4
"""


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)


def service(folder: Path) -> Path:
    """Make a timestamping service; return its certificate."""
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "service.cnf").write_text(SERVICE.format(folder=folder))
    openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-subj", "/CN=clock", "-addext", "extendedKeyUsage=critical,timeStamping",
        "-keyout", "service.key", "-out", "service.pem",
    )  # fmt: skip
    return folder / "service.pem"


def stamp(path: Path, at: Path) -> None:
    """Have a file witnessed by the service in a folder."""
    openssl(at, "ts", "-query", "-data", str(path), "-sha256", "-cert", "-out", "asked.tsq")
    openssl(
        at, "ts", "-reply", "-queryfile", "asked.tsq", "-config", "service.cnf", "-section", "tsa",
        "-out", str(path.with_name(declaration.TOKEN)),
    )  # fmt: skip


@pytest.fixture
def study() -> Study:
    return load_study(STUDY, "study.yaml", Path(), own_files=False)


def opened(folder: Path, study: Study, started: datetime) -> Opened:
    """The archive of a study as a reader has it unpacked."""
    config = f"{study.paths.root}/study.yaml"
    (folder / config).write_bytes(documents.study_yaml(study))
    record = {
        "config": config,
        "code": {"commit": "a" * 40},
        "time": {"started": started.isoformat()},
        "without_responses": {},
        "left_out": {},
    }
    found = {config: (0, files.sha256(folder / config))}
    return Opened(folder, found, record, study)


def declared(folder: Path, study: Study, time: datetime) -> Path:
    path = folder / study.paths.root / declaration.FILE
    path.parent.mkdir(parents=True)
    files.write_json(path, declaration.document(study, CODE, time))
    return path


NOW = datetime.now(UTC)
SOON = NOW + timedelta(hours=1)


def test_the_declared_study_passes_and_another_one_fails(tmp_path: Path, study: Study) -> None:
    declared(tmp_path, study, NOW)
    archive = opened(tmp_path, study, SOON)
    assert list(declaration.faults(archive)) == []
    assert "by the same commit" in declaration.passed(archive)
    left_out = {**STUDY, "archive": {"responses": False}}  # which changes no run
    silent = load_study(left_out, "study.yaml", Path(), own_files=False)
    assert list(declaration.faults(opened(tmp_path, silent, SOON))) == []
    other = load_study({**STUDY, "seeds": [2]}, "study.yaml", Path(), own_files=False)
    [told] = declaration.faults(opened(tmp_path, other, SOON))
    assert "the study is not the one that was declared" in told


def test_a_declaration_after_the_first_job_fails(tmp_path: Path, study: Study) -> None:
    declared(tmp_path, study, SOON)
    [told] = declaration.faults(opened(tmp_path, study, NOW))
    assert "is after the first job" in told


def test_without_one_nothing_is_said(tmp_path: Path, study: Study) -> None:
    (tmp_path / study.paths.root).mkdir(parents=True)
    archive = opened(tmp_path, study, SOON)
    assert list(declaration.faults(archive)) == []
    assert declaration.passed(archive) == ""


def test_a_service_witnesses_it_for_whom_trusts_the_service(tmp_path: Path, study: Study) -> None:
    trusted = service(tmp_path / "service")
    path = declared(tmp_path, study, NOW)
    stamp(path, tmp_path / "service")
    early, late = opened(tmp_path, study, SOON), opened(tmp_path, study, NOW - timedelta(hours=1))
    assert list(declaration.unwitnessed(early, trusted)) == []
    at = declaration.witnessed(early)
    assert at is not None
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=10)
    [told] = declaration.unwitnessed(late, trusted)
    assert "after the first job" in told
    foreign = service(tmp_path / "another")
    [told] = declaration.unwitnessed(early, foreign)
    assert "does not witness declared.json" in told
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "study_sha256": "0" * 64}))  # made again, afterwards
    [told] = declaration.unwitnessed(early, trusted)
    assert "does not witness declared.json" in told
    path.with_name(declaration.TOKEN).write_bytes(b"no answer")
    [told] = declaration.unwitnessed(early, trusted)
    assert "no answer of a timestamping service" in told
    path.with_name(declaration.TOKEN).unlink()
    [told] = declaration.unwitnessed(early, trusted)
    assert "it is missing: nobody has witnessed" in told
    with pytest.raises(InputError, match="no such file of certificates"):
        list(declaration.unwitnessed(early, tmp_path / "none.pem"))


def test_it_is_too_late_where_there_are_results(tmp_path: Path, root: Path) -> None:
    config = yaml.safe_load((root / "config/demo.yaml").read_text())
    study = load_study(config, "demo.yaml", root / "config/benchmarks")
    path = declaration.declare(study, tmp_path, root)
    said = files.read_json(path)
    assert said["study"] == "demo"
    assert datetime.fromisoformat(said["time"]) <= datetime.now(UTC)
    with pytest.raises(InputError, match="was declared before"):
        declaration.declare(study, tmp_path, root)
    path.unlink()
    (path.parent / "unknown.txt").write_text("a stranger's file")
    (path.parent / "problems").mkdir()
    (path.parent / "problems/arithmetic.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="too late to declare"):
        declaration.declare(study, tmp_path, root)
