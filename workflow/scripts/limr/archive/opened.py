"""An unpacked archive: its record and its study, checked for form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.archive import FORMAT, RECORD, documents
from limr.core import validation
from limr.core.errors import InputError
from limr.study import files as contents
from limr.study.load import load as load_study
from limr.study.study import Study

Json = dict[str, Any]

_DIGEST = {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_ABOUT = {
    "type": "object",
    "required": ["bytes", "sha256"],
    "properties": {"bytes": {"type": "integer", "minimum": 0}, "sha256": _DIGEST},
}
RECORD_SCHEMA: Json = {
    "type": "object",
    "required": [
        *("format", "limr", "study", "config", "settings", "complete", "missing", "left_out"),
        *("without_responses", "not_of_the_study", "code", "environments", "data", "time"),
    ],
    "properties": {
        "format": {"const": FORMAT},
        "study": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "config": {"type": "string"},
        "settings": {
            "type": "object",
            "required": ["responses", "policies"],
            "additionalProperties": {"type": "boolean"},
        },
        "complete": {"type": "boolean"},
        "missing": _NAMES,
        "left_out": {"type": "object", "additionalProperties": {**_ABOUT, "required": ["why"]}},
        "without_responses": {"type": "object", "additionalProperties": _ABOUT},
        "not_of_the_study": _NAMES,
        "code": {
            "type": "object",
            "required": ["commit", "tree", "changed", "links", "executables", "files"],
            "properties": {
                "commit": {"type": ["string", "null"], "pattern": "^[0-9a-f]{40}$"},
                "tree": {"type": ["string", "null"], "pattern": "^[0-9a-f]{40}$"},
                **dict.fromkeys(("changed", "links", "executables", "files"), _NAMES),
            },
        },
        "environments": {"type": "object", "required": ["changed_since_runs"]},
        "data": {
            "type": "array",
            "items": {"type": "object", "required": ["name", "sha256", "bytes", "included"]},
        },
        "time": {"type": "object", "required": ["started", "ended"]},
        "snakemake": {"type": ["string", "null"]},
    },
}


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
        record = validation.complete(documents.read_json(folder / RECORD), RECORD_SCHEMA, RECORD)
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
    except InputError as error:
        raise InputError(str(error).replace(f"{folder}/", "")) from None
    if study.name != record["study"]:
        raise InputError(f"{name}: study: expected {record['study']}, found {study.name}.")
    return Opened(folder, files, record, study)
