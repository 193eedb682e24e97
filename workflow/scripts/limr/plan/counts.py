"""How many problems an arm or a benchmark will have, as far as this is known before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limr.core import plugins
from limr.sources.pinned import Source
from limr.study.study import Study, files_of


@dataclass(frozen=True)
class Count:
    """A number of problems; `source` says how it is known."""

    n: int
    source: str
    at_most: bool = False  # a threshold may keep fewer


@dataclass(frozen=True)
class Counts:
    """The numbers of a study's problems; `given` are a user's numbers by arm or problem set."""

    study: Study
    results: Path  # the study's folder, which may not exist
    given: Mapping[str, int]
    sources: Mapping[str, Source]

    def dataset(self, name: str) -> Count:
        """Return the problems of a problem set or benchmark; 0 where they are not known."""
        if name in self.given:
            return Count(self.given[name], "--problems")
        entry = self.study.datasets[name]
        path = self.results / "problems" / f"{name}.jsonl"
        if path.is_file():
            return Count(_lines(path), str(path))
        expected = getattr(plugins.load("datasets", entry["source"]), "expected", None)
        n = expected(entry) if expected else None
        if n is not None:
            return Count(int(n), f"datasets.{name}")
        named = [file for file in files_of(entry) if file != entry.get("levels_file")]
        files = [self.sources[file].problems for file in named if file in self.sources]
        if files and None not in files:
            rows = sum(number or 0 for number in files)
            limit = entry.get("limit") or rows
            return Count(min(rows, limit), "config/sources.yaml")
        return Count(0, "not known before it is read; give --problems")

    def arm(self, name: str) -> Count:
        """Return the problems that an arm trains on; the whole problem set where not known."""
        if name in self.given:
            return Count(self.given[name], "--problems")
        path = self.results / "subsets" / f"{name}.jsonl"
        if path.is_file():
            return Count(_lines(path), str(path))
        arm = self.study.arms[name]
        size = arm.cut.get("size")
        if isinstance(size, int):
            return Count(size, f"arms.{arm.group}.size")
        if isinstance(size, str) and size != name:
            found = self.arm(size)
            return Count(found.n, f"as many as '{size}' ({found.source})", found.at_most)
        whole = self.dataset(self.study.arm_dataset(name))
        if not arm.cut:
            return whole
        return Count(whole.n, f"not scored yet: at most {whole.source}", at_most=True)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
