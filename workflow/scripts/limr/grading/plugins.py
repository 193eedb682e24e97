"""Graders of other packages, by entry point: whether an answer is the gold one.

A package registers a function under the group `limr.graders`; a study names it: `grader: {plugin:
NAME}`. The function takes the gold answer and the extracted answer, two texts, and returns True or
False: whether they mean the same. If it has a parameter called `prompt`, it is given the prompt as
well. It is called in the grading pool's workers only, under its limits of time and memory
(`limr.grading.pool`); a call that raises, or that reaches a limit, is no match, and the grade's
reason says what was raised. Anything but a bool is refused: 0.0, "False" and (False, "why") would
all count as true.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from limr.core.errors import InputError, nearest

GROUP = "limr.graders"
Equal = Callable[[str, str, str | None], bool]


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
    label = f"grader.plugin: '{name}' ({entry.value})"
    asks = _asks_for_the_prompt(function, label)

    def equal(gold: str, answer: str, prompt: str | None) -> bool:
        if not gold.strip():
            return False
        if asks and prompt is None:
            raise InputError(
                f"{label} asks for the prompt, and these responses have none: give each its prompt "
                "(`limr grade`: the key 'prompt'), or remove the parameter."
            )
        found = function(gold, answer, prompt=prompt) if asks else function(gold, answer)
        if not isinstance(found, bool):
            raise InputError(
                f"{label} returned {found!r:.80} ({type(found).__name__}) for the gold answer "
                f"{gold!r:.80} and the answer {answer!r:.80}. It must return True or False; a "
                "score needs a threshold, such as `return score >= 0.5`."
            )
        return found

    return equal


def _asks_for_the_prompt(function: Callable[..., object], label: str) -> bool:
    """Tell whether a function has a parameter `prompt`; refuse one that cannot be called."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a built-in function nothing is known
        return False
    asks = "prompt" in signature.parameters
    try:
        signature.bind("gold", "answer", **({"prompt": "prompt"} if asks else {}))
    except TypeError as error:
        raise InputError(
            f"{label} must take the gold answer and the answer, and may take `prompt`; its "
            f"parameters are {signature}: {error}."
        ) from None
    return asks


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
