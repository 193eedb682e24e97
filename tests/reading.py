"""A reader of the pages: a clone whose studies are small, with what the pages presuppose."""

from __future__ import annotations

import copy
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import documents
from small_study import ROOT, TINY, make_project

PARTS = ("README.md", "Makefile", "pyproject.toml", "LICENSE", "CITATION.cff", "docs", "tests")


def small_demo() -> dict[str, Any]:
    """config/demo.yaml in little: what its readers name is in it."""
    study = copy.deepcopy(TINY)
    study |= {"study": "demo", "seeds": [1], "tables": {"results": {}}, "figures": {"reward": {}}}
    study["base"]["warmup"]["steps"] = 400
    study["ppo"]["steps"] = 3
    study["evaluate"] = {"ppo_steps": [3], "benchmarks": {"arithmetic-easy": {}}}
    study["scores"] = {
        "lim": {"selector": "lim", "trajectories": "full"},
        "everything": {"selector": "full"},
    }
    study["arms"] = {
        "full": {"train": "ppo", "score": "everything"},
        "limr": {"train": "ppo", "score": "lim", "threshold": 0.9},
    }
    return study


class Reader:
    """Somebody who reads the pages in a clone whose demo is small; makes what they presuppose."""

    def __init__(self, folder: Path, call: Callable[..., Any] | None = None) -> None:
        """Make the clone, and a mirror at home.

        Args:
            folder: an empty folder for both.
            call: see `documents.Terminal`.
        """
        self.call = call
        self.project = make_project(folder / "clone")
        clone = self.project.folder
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, clone / part)
            else:
                shutil.copy2(source, clone / part)
        set_up(clone)
        self.write("config/demo.yaml", small_demo())
        self.home = folder / "home"
        data = self.home / "mirror/data/problems.json"
        data.parent.mkdir(parents=True)
        data.write_text("[]")
        listed = f"{hashlib.sha256(data.read_bytes()).hexdigest()}  data/problems.json\n"
        (self.home / "mirror/SHA256SUMS").write_text(listed)
        self._said: dict[str, str] = {}

    def write(self, path: str, study: dict[str, Any]) -> None:
        """Put a small study in the place of one that is shipped."""
        text = yaml.safe_dump(study, sort_keys=False)
        (self.project.folder / path).write_text(text)

    def terminal(self, *, new: bool = False) -> documents.Terminal:
        """Open a terminal in the clone; a new one has not set PATH yet, as the README says to."""
        environment = documents.reader(self.project.environment) | {"HOME": str(self.home)}
        if new:
            environment["PATH"] = without(os.environ["PATH"], "limr")
        return documents.Terminal(self.project.folder, environment, self.call)

    def read(self, name: str) -> str:
        """Follow a page once, the README before any other; return all that was said."""
        if name != "README.md":
            self.read("README.md")
        if name not in self._said:
            terminal = self.terminal(new=name == "README.md")
            self._said[name] = documents.follow(self.project.folder / name, terminal)
        return self._said[name]


def without(path: str, program: str) -> str:
    """Return PATH without the folders that have a program."""
    return ":".join(folder for folder in path.split(":") if not (Path(folder) / program).exists())


def set_up(clone: Path) -> None:
    """Leave what `make setup` leaves: this Python, in a folder that only has links to its parts.

    Whatever make thinks of the times of files, nothing that a page says can change the original.
    """
    home = clone / ".venv"
    home.mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        if (Path(sys.prefix) / part).exists():
            (home / part).symlink_to(Path(sys.prefix) / part)
    (home / "ready").touch()
