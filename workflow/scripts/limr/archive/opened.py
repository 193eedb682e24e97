"""An unpacked archive: its record and its study, checked for form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from limr.archive import FORMAT, RECORD, documents
from limr.core import validation
from limr.core.errors import InputError
from limr.core.validation import ABSENT, Keys, Name, OneOf
from limr.study import files as contents
from limr.study.load import load as load_study
from limr.study.study import Study

Json = dict[str, Any]

Digest = Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")]
Commit = Annotated[str | None, Field(pattern="^[0-9a-f]{40}$")]


class _Open(Keys):
    """Keys that must be there, among others that are not looked at."""

    model_config = ConfigDict(extra="allow")


class About(_Open):
    """A file that is not in the archive as it was."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class LeftOut(About):
    """A file that is not in the archive, and why."""

    why: Any


class Kept(_Open):
    """What the study wanted in its archive."""

    __pydantic_extra__: dict[str, bool] = Field(init=False)
    responses: bool
    policies: bool


class Code(_Open):
    """The code of the archive."""

    commit: Commit
    tree: Commit
    changed: list[str]
    links: list[str]
    executables: list[str]
    files: list[str]


class Environments(_Open):
    """The environments of the runs."""

    changed_since_runs: Any


class Data(_Open):
    """A file of data."""

    name: Any
    sha256: Any
    bytes: Any
    included: Any


class Time(_Open):
    """When the study ran."""

    started: Any
    ended: Any


class Record(_Open):
    """An archive's record."""

    format: Annotated[int, OneOf([FORMAT])]
    study: Name
    config: str
    settings: Kept
    complete: bool
    missing: list[str]
    left_out: dict[str, LeftOut]
    without_responses: dict[str, About]
    not_of_the_study: list[str]
    code: Code
    environments: Environments
    data: list[Data]
    time: Time
    snakemake: str | None = ABSENT


@dataclass(frozen=True)
class Opened:
    """An unpacked archive.

    Attributes:
        folder: where it was unpacked.
        files: name -> (bytes, sha256) of what came out of it.
        record: its record, checked for form.
        study: its study, checked.
    """

    folder: Path
    files: Mapping[str, tuple[int, str]]
    record: Json
    study: Study

    @property
    def results(self) -> str:
        """`results/{study}`."""
        return f"results/{self.study.name}"

    def sha256(self, path: str) -> str | None:
        """Return the sha256 that a file had in the study, archived as it was or not; or None."""
        for part in ("without_responses", "left_out"):
            if path in self.record[part]:
                digest: str | None = self.record[part][path]["sha256"]
                return digest
        return self.files[path][1] if path in self.files else None

    def kind(self, path: str) -> str | None:
        """Return what a file of the results is, None where it is no part of the study."""
        inside = path.removeprefix(f"{self.results}/")
        return contents.kind(self.study, inside) if inside != path else None

    def has(self, *paths: str) -> bool:
        """Return whether all these files are archived."""
        return all((self.folder / path).is_file() for path in paths)

    def json(self, path: str) -> Any:
        """Return a JSON file.

        Raises:
            InputError: missing, too large or not JSON.
        """
        return documents.read_json(self.folder / path)


def read(folder: Path, files: Mapping[str, tuple[int, str]]) -> Opened:
    """Return an unpacked archive, its record and its study checked.

    Args:
        folder: where it was unpacked.
        files: name -> (bytes, sha256).

    Raises:
        InputError: the record or a configuration is not valid, or asks for more work than any
            study; with the file's path in the archive.
    """
    try:
        record = validation.complete(documents.read_json(folder / RECORD), Record, RECORD)
        name = f"results/{record['study']}/study.yaml"
        if record["config"] != name:
            raise InputError(f"{RECORD}: config: expected {name!r}, found {record['config']!r}.")
        config = documents.read_yaml(folder / name)
        for text in documents.too_much_asked(config):
            raise InputError(f"{name}: {text}.")
        for path in sorted(files):  # benchmarks and sources, which are read as plain YAML
            if path.startswith("config/") and path.endswith((".yaml", ".yml")):
                documents.read_yaml(folder / path)
        study = load_study(config, name, folder / "config/benchmarks", own_files=False)
        for text in documents.too_much_asked(study.config):  # its sweep spelled out
            raise InputError(f"{name}: {text}.")
    except InputError as error:
        raise InputError(str(error).replace(f"{folder}/", "")) from None
    if study.name != record["study"]:
        raise InputError(f"{name}: study: expected {record['study']}, found {study.name}.")
    return Opened(folder, files, record, study)
