"""An archive that was unpacked for checking, and how what is found in it is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from limr.archive import FORMAT, documents
from limr.core.errors import InputError
from limr.core.validation import ABSENT, Keys, Name, OneOf
from limr.study.study import Study

Json = dict[str, Any]
OK, FAILED, NOTE = "ok", "FAILED", "note"
MOST_LINES = 20  # of one check; the rest is counted
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

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
class Line:
    """One thing that was found: a status, the check, and a sentence."""

    status: str
    check: str
    text: str

    def __str__(self) -> str:
        # What an archive says must not command a terminal.
        text = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", self.text)
        return f"{self.status:<6} {self.check}: {text}"


@dataclass
class Findings:
    """Collects lines and says each at once."""

    say: Callable[[Line], None]
    lines: list[Line] = field(default_factory=list)

    def add(self, status: str, check: str, text: str) -> None:
        """Say one thing."""
        line = Line(status, check, text)
        self.lines.append(line)
        self.say(line)

    def check(
        self, name: str, problems: Callable[[], Iterable[str]], passed: str | Callable[[], str]
    ) -> bool:
        """Run a check and say what it found, or that it passed.

        Args:
            name: the check's name.
            problems: yields a sentence for each thing that is wrong.
            passed: what to say if nothing is; a function is asked after the check, and may
                return nothing to say.
        """
        n = 0
        try:
            for n, text in enumerate(problems(), start=1):
                if n <= MOST_LINES:
                    self.add(FAILED, name, text)
        except InputError as error:
            n += 1
            self.add(FAILED, name, str(error))
        except Exception as error:  # noqa: BLE001 (whatever a stranger's file breaks, it fails its check)
            n += 1
            self.add(FAILED, name, f"it cannot be checked ({type(error).__name__}: {error})")
        if n > MOST_LINES:
            self.add(FAILED, name, f"and {n - MOST_LINES:,} more")
        said = passed if isinstance(passed, str) or n else passed()
        if n == 0 and said:
            self.add(OK, name, str(said))
        return n == 0

    @property
    def failed(self) -> bool:
        """Whether anything is not as it should be."""
        return any(line.status == FAILED for line in self.lines)


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

    def has(self, *paths: str) -> bool:
        """Return whether all these files are archived."""
        return all((self.folder / path).is_file() for path in paths)

    def json(self, path: str) -> Any:
        """Return a JSON file.

        Raises:
            InputError: missing, too large or not JSON.
        """
        try:
            return documents.read_json(self.folder / path)
        except InputError as error:
            raise InputError(str(error).replace(f"{self.folder}/", "")) from None
