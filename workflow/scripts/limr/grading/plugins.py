"""Graders of other packages, by entry point: whether an answer is the gold one.

A package registers a function under the group `limr.graders`; a study names it: `grader: {plugin:
NAME}`. The function takes the gold answer and the extracted answer, two texts, and returns whether
they mean the same. It is called in the grading pool's workers only, under its limits of time and
memory (`limr.grading.pool`); a call that raises, or that reaches a limit, is no match.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from limr.core.errors import InputError, nearest

GROUP = "limr.graders"
Equal = Callable[[str, str], bool]


def find(name: str) -> EntryPoint:
    """Return the entry point of a grader; nothing is imported.

    Raises InputError where no installed package registers it, or several do.
    """
    known = entry_points(group=GROUP)
    found = [entry for entry in known if entry.name == name]
    if not found:
        raise InputError(
            f"grader.plugin: no installed package registers '{name}' under the entry points "
            f"'{GROUP}'.{nearest(name, [entry.name for entry in known])} Install the package "
            "beside limr (docs/bring-your-own.md), with the same Python."
        )
    if len({entry.value for entry in found}) > 1:
        places = ", ".join(sorted(entry.value for entry in found))
        raise InputError(f"grader.plugin: '{name}' is registered more than once: {places}.")
    return found[0]


def load(name: str) -> Equal:
    """Import a grader; refuse one that cannot be imported or is no function."""
    entry = find(name)
    try:
        function = entry.load()
    except Exception as error:
        raise InputError(
            f"grader.plugin: '{name}' ({entry.value}) cannot be imported: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not callable(function):
        raise InputError(f"grader.plugin: '{name}' ({entry.value}) is not a function.")

    def equal(gold: str, answer: str) -> bool:
        return bool(gold.strip()) and bool(function(gold, answer))

    return equal


def digest(name: str) -> str:
    """Return a digest of all Python files of a grader's top-level package or module."""
    entry = find(name)
    spec = importlib.util.find_spec(entry.module.partition(".")[0])
    if spec is None or spec.origin is None:
        raise InputError(f"grader.plugin: '{name}': there is no module {entry.module}.")
    origin = Path(spec.origin)
    files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
    found = hashlib.sha256(entry.value.encode())
    for file in files:
        found.update(str(file.relative_to(origin.parent)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]
