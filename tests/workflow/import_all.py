"""Import what is asked for, and say what does not come from this interpreter's own packages.

Run by the Python of an environment, isolated (`-I`), with the library's folder and then other
folders in `after`, at the end of sys.path as Snakemake puts it. A JSON object on standard input:
`modules` to import; `after`; `allowed`, the distributions that may be imported (null: all that are
installed). Writes a JSON object: module -> why it is not satisfied.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any


def normal(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Refuse(importlib.abc.MetaPathFinder):
    """A finder that finds nothing, and refuses the packages of other distributions."""

    def __init__(self, allowed: list[str]) -> None:
        """Keep the distributions and learn which packages are whose."""
        self.allowed = {normal(name) for name in allowed}
        self.owners = importlib.metadata.packages_distributions()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse a package that only other distributions have."""
        owners = {normal(owner) for owner in self.owners.get(name, ())}
        if owners and not owners & self.allowed:
            raise ModuleNotFoundError(f"{name} is of {', '.join(owners)}, which the lock lacks")


def main() -> None:
    """Import everything."""
    asked = json.load(sys.stdin)
    sys.path.extend(asked["after"])
    if asked["allowed"] is not None:
        sys.meta_path.insert(0, Refuse(asked["allowed"]))
    own = [Path(sys.prefix).resolve(), *(Path(folder).resolve() for folder in asked["after"])]
    problems = {}
    for name in asked["modules"]:
        try:
            file = getattr(importlib.import_module(name), "__file__", None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            problems[name] = f"{type(error).__name__}: {error}"
            continue
        if file and not any(Path(file).resolve().is_relative_to(folder) for folder in own):
            problems[name] = f"comes from {file}"
    sys.__stdout__.write("\n" + json.dumps(problems))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
