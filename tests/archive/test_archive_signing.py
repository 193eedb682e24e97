"""Signatures of archives: made and checked by ssh-keygen, with another key holder's view."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from small_archive import small_archive

from limr.archive import signing
from limr.core.errors import InputError

FILES = {
    "results/s/study.yaml": "study: s\n",
    "results/s/tables/results.tsv": "arm\taccuracy\nfull\t0.5\n",
    "results/s/runs/full/seed1/rollouts.parquet": "rows",
    "results/s/evals/full/seed1/step4/easy.parquet": "rows",
    "results/s/headline.txt": "it works\n",
}


def key(folder: Path, name: str) -> Path:
    """Make a key pair."""
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def trust(path: Path, *keys: Path, options: str = "") -> Path:
    """Write a file of trusted keys, each under its name."""
    lines = [f"{one.name} {options}{one.with_suffix('.pub').read_text()}" for one in keys]
    path.write_text("".join(lines))
    return path


def faults(path: Path, signers: Path) -> list[str]:
    """What a reader finds, who has the archive, its two files and keys."""
    record, digests = signing._content(path)
    return list(signing.faults(path, record, digests, signers))


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A signed archive; the author's key is `author`."""
    path = small_archive(tmp_path / "s.zip", FILES)
    made = signing.sign(path, key(tmp_path, "author"))
    assert [one.name for one in made] == ["s.zip.intoto.json", "s.zip.intoto.json.sig"]
    return path


def test_another_key_holder_finds_who_signed(signed: Path, tmp_path: Path) -> None:
    key(tmp_path, "reader")
    signers = trust(tmp_path / "signers", tmp_path / "reader", tmp_path / "author")
    assert faults(signed, signers) == []
    at = Path(f"{signed}{signing.STATEMENT}")
    assert signing.signer(at, Path(f"{signed}{signing.SIGNATURE}"), signers) == "author"
    found = json.loads(at.read_text())
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    names = [one["name"] for one in found["subject"]]
    assert names == ["s.zip", "results/s/tables/results.tsv", "results/s/headline.txt"]
    bases = found["predicate"]["rollouts and evaluations"]
    assert [name.rsplit("/", 1)[1] for name in bases] == ["easy.parquet", "rollouts.parquet"]


def test_a_foreign_key_counts_for_nothing(signed: Path, tmp_path: Path) -> None:
    signers = trust(tmp_path / "signers", key(tmp_path, "reader"))
    [told] = faults(signed, signers)
    assert "no key of" in told
    signing.sign(signed, tmp_path / "reader")  # by somebody else
    [told] = faults(signed, trust(tmp_path / "signers", tmp_path / "author"))
    assert "no key of" in told


def test_an_expired_key_counts_for_nothing(signed: Path, tmp_path: Path) -> None:
    options = 'valid-before="20200101" '
    [told] = faults(signed, trust(tmp_path / "signers", tmp_path / "author", options=options))
    assert "has expired" in told or "does not fit" in told


@pytest.mark.parametrize("end", [signing.STATEMENT, signing.SIGNATURE])
def test_a_missing_signature_is_named(signed: Path, tmp_path: Path, end: str) -> None:
    Path(f"{signed}{end}").unlink()
    [told] = faults(signed, trust(tmp_path / "signers", tmp_path / "author"))
    assert told == f"s.zip{end}: it is missing: the archive is not signed"


def test_a_signature_of_another_archive_or_statement_does_not_fit(
    signed: Path, tmp_path: Path
) -> None:
    signers = trust(tmp_path / "signers", tmp_path / "author")
    at = Path(f"{signed}{signing.STATEMENT}")
    text = at.read_text()
    at.write_text(text.replace("easy", "hard"))
    told = faults(signed, signers)
    assert "it is not the statement of this archive" in told[0]
    assert "does not fit" in told[1]
    at.write_text("{")
    assert len(faults(signed, signers)) == 1
    at.write_text(text)
    with zipfile.ZipFile(signed, "a") as zipped:  # the archive is another one
        zipped.writestr("more.txt", "more")
    [told] = faults(signed, signers)
    assert "it is not the statement of this archive" in told


def test_a_signature_made_for_another_purpose_does_not_fit(signed: Path, tmp_path: Path) -> None:
    at, signature = (Path(f"{signed}{end}") for end in (signing.STATEMENT, signing.SIGNATURE))
    signature.unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(tmp_path / "author"), "-n", "git"]
    subprocess.run([*command, str(at)], check=True, capture_output=True)
    [told] = faults(signed, trust(tmp_path / "signers", tmp_path / "author"))
    assert "does not fit" in told or "no key of" in told


def test_what_is_missing_here_is_named(signed: Path, tmp_path: Path, monkeypatch: object) -> None:
    with pytest.raises(InputError, match="no such key"):
        signing.sign(signed, tmp_path / "none")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(InputError, match="did not sign"):
        signing.sign(signed, tmp_path / "text")
    with pytest.raises(InputError, match="no such file of trusted keys"):
        faults(signed, tmp_path / "nobody")
