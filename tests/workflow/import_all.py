"""Import what is asked for, and say what does not come from this interpreter's own packages.

Run by the Python of an environment, isolated (`-I`), with the library's folder and then other
folders in `after`, at the end of sys.path as Snakemake puts it. A JSON object on standard input:
`modules` to import; `after`; `allowed`, the distributions that may be imported (null: all that are
installed), and an empty `folder` for links to them. Writes a JSON object: module -> why it is not
satisfied.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
import sys
from pathlib import Path


def normal(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def only(allowed: list[str], folder: Path) -> list[str]:
    """Return sys.path with nothing installed but these distributions, linked into a folder."""
    names = {normal(name) for name in allowed}
    found = [each for each in importlib.metadata.distributions() if normal(each.name) in names]
    for each in found:
        for top in {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists() and not top.endswith(".pth"):
                link.symlink_to(Path(str(each.locate_file(top))))
    own = Path(sys.prefix).resolve()
    return [*(p for p in sys.path if not Path(p).resolve().is_relative_to(own)), str(folder)]


def main() -> None:
    """Import everything."""
    asked = json.load(sys.stdin)
    if asked["allowed"] is not None:
        sys.path[:] = only(asked["allowed"], Path(asked["folder"]))
    sys.path.extend(asked["after"])
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
