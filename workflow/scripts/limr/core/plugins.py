"""Plug-ins: one file each in a folder of the package, found by the file's name.

Nothing registers itself and nothing is imported until it is asked for. A configured name such as
`scores-json` is the file `importers/scores_json.py`.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from limr.core.errors import InputError, nearest

# Kind -> the package whose files are its plug-ins.
PACKAGES = {
    "selectors": "limr.scores.selectors",
    "engines": "limr.train.engines",
    "importers": "limr.trajectories.importers",
    "figures": "limr.report.figures",
    "tables": "limr.report.tables",
    "datasets": "limr.problems.datasets",
    "plans": "limr.plan.engines",
    "rewards": "limr.grading.rewards",
    "samplers": "limr.train.samplers",
    "targets": "limr.subsets.targets",
}
_LIBRARY = Path(__file__).parents[2]


@cache
def names(kind: str) -> tuple[str, ...]:
    """Return the configured names of every plug-in of a kind, sorted."""
    folder = _LIBRARY.joinpath(*PACKAGES[kind].split("."))
    found = (module.name for module in pkgutil.iter_modules([str(folder)]))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def module_name(kind: str, name: str) -> str:
    """Return the dotted module of a plug-in, e.g. `limr.scores.selectors.lim`.

    Raises:
        InputError: there is no such plug-in; the message names the nearest one.
    """
    if kind not in PACKAGES:
        raise ValueError(f"{kind!r} is not a kind of plug-in")
    known = names(kind)
    if name not in known:
        raise InputError(f"{kind}: there is no '{name}'.{nearest(name, known)}")
    return f"{PACKAGES[kind]}.{name.replace('-', '_')}"


def load(kind: str, name: str) -> ModuleType:
    """Import and return a plug-in's module."""
    return importlib.import_module(module_name(kind, name))


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Let a plug-in import a large package, such as transformers, in nearly half the time.

    Such a package makes a million objects that stay. Python's garbage collector would look through
    all of them several times while the block imports, and once more when the process ends; it is
    off in the block, and afterwards leaves alone what was there.
    """
    before, was_on = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > before:
            gc.freeze()
        if was_on:
            gc.enable()
