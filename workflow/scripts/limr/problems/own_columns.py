"""Which column of a user's own file is what: the prompt, the gold answer, the id, …

Names are dotted paths: `reward_model.ground_truth` is the key `ground_truth` of the column
`reward_model`. A column is taken by its name, the first of the usual names that the file has; a
user's own choice comes before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from limr.core.errors import InputError, nearest
from limr.grading.boxes import last_box

Role = Literal["prompt", "answer", "id", "source", "level"]
USUAL: dict[Role, tuple[str, ...]] = {
    "prompt": ("prompt", "problem", "question", "query", "instruction", "input", "messages",
               "conversations"),
    "answer": ("reward_model.ground_truth", "answer", "ground_truth", "final_answer", "label",
               "expected_answer", "gold", "target", "solution"),
    "id": ("problem_id", "id", "extra_info.index", "unique_id", "question_id", "uuid", "index",
           "idx"),
    "source": ("data_source", "source"),
    "level": ("level",),
}  # fmt: skip
# Names that say that the column is an id; of the others a column that is no id is passed over.
SURE_IDS = ("problem_id", "id")
_USERS = ("user", "human")
_HALF_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Choice:
    """The columns that were taken.

    Attributes:
        paths: role -> dotted path; a role that the file has nothing for is not there.
        named: the roles that the user named.
        top: the columns to read.
        notes: other columns that might have been meant.
    """

    paths: dict[Role, str]
    named: frozenset[Role]
    top: list[str]
    notes: list[str]


def choose(
    first: Sequence[Mapping[str, Any]], where: str, named: Mapping[str, str | None]
) -> Choice:
    """Return which column is what, judged by a file's first rows.

    Args:
        first: those rows.
        where: the file, for messages.
        named: role -> dotted path, as the user says; None or "": the file has none.

    Raises:
        InputError: a named column is not there, or no column is known for the prompt.
    """
    unknown = [role for role in named if role not in USUAL]
    if unknown:
        raise InputError(f"columns: '{unknown[0]}' is nothing to name.{nearest(unknown[0], USUAL)}")
    known = _paths(first)
    paths: dict[Role, str] = {}
    notes = []
    for role, usual in USUAL.items():
        if role in named:
            path = named[role]
            if path and path not in known and not any(value_at(row, path) for row in first):
                raise InputError(
                    f"{where}: there is no column '{path}' (named for the {role})."
                    f"{nearest(path, known)} Found: {_listed(known)}."
                )
            paths |= {role: path} if path else {}
            continue
        there = [path for path in usual if path in known]
        filled = [path for path in there if any(value_at(row, path) is not None for row in first)]
        if there:
            paths[role] = (filled or there)[0]
        if role in ("prompt", "answer") and len(filled) > 1:
            notes.append(
                f"the {role} is '{filled[0]}'; the file also has {_listed(filled[1:])}, not used."
            )
    if "prompt" not in paths:
        raise InputError(
            f"{where}: no column of the prompt. Looked for {_listed(USUAL['prompt'])}; found "
            f"{_listed(known)}. Name it, as prompt=COLUMN, where COLUMN may be a dotted path such "
            "as extra_info.question."
        )
    columns = {name for row in first for name in row}  # whose names may hold dots themselves
    top = {path if path in columns else path.split(".")[0] for path in paths.values()}
    return Choice(paths, frozenset(role for role in USUAL if role in named), sorted(top), notes)


def _paths(first: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the dotted paths of the columns, and of keys one level below, in order."""
    found: dict[str, None] = {}
    for row in first:
        for name, value in row.items():
            found[name] = None
            if isinstance(value, dict):
                found |= {f"{name}.{key}": None for key in value}
    return list(found)


def _listed(names: Sequence[str], most: int = 30) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path; None where there is nothing.

    A column whose name holds dots is found as well. Where a part of the path is a list, its first
    entry counts if it has no other.
    """
    if path in row:
        return row[path]
    value: Any = row
    for key in path.split("."):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def prompt_text(value: Any) -> str | None:
    """Return the text of a prompt: a text as it is, of chat messages the last user message.

    A message's content may be a list of parts; those of type text are joined. A text that is a JSON
    list of messages, as csv files have it, is read as such. None: there is no such text.
    """
    if isinstance(value, str):
        messages = _messages_in(value)
        return value if messages is None else prompt_text(messages)
    if isinstance(value, dict):  # columns of roles and contents, or messages below a key
        value = value.get("messages", [value])
    if not isinstance(value, list):
        return None
    said = [
        message.get("content", message.get("value"))
        for message in value
        if isinstance(message, dict) and message.get("role", message.get("from")) in _USERS
    ]
    if said and isinstance(said[-1], list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in said[-1]]
        return "".join(part for part in parts if isinstance(part, str)) or None
    return said[-1] if said and isinstance(said[-1], str) else None


def _messages_in(text: str) -> list[Any] | None:
    """Return the chat messages that a text is the JSON of, if it is."""
    if not text.startswith(("[{", "[ {")) or '"role"' not in text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def is_python_messages(text: str) -> bool:
    """Tell whether a text is Python's print of chat messages, which csv exports of pandas hold."""
    return text.startswith(("[{'role':", "[{'content':", "array([{'"))


def gold_text(value: Any, path: str) -> str:
    r"""Return the gold answer of a value: its text, or "" where there is none.

    A list of one entry is that entry. Other lists and objects are given as JSON. Of a column
    `solution` the last `\boxed{…}` counts, where there is one.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    if path.rpartition(".")[2] == "solution":
        return last_box(text) or text
    return text


def level_number(value: Any) -> int | None:
    """Return a level: 5 of 5, 5.0, '5' and 'Level 5'; None where no whole number is meant."""
    if isinstance(value, str):
        digits = re.fullmatch(r"\s*(?:level)?\s*(\d{1,6})(?:\.0)?\s*", value, re.IGNORECASE)
        return int(digits[1]) if digits else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value)


def has_half_pair(text: str) -> bool:
    """Tell whether a text holds half of a character pair, which cannot be written as UTF-8."""
    return _HALF_PAIR.search(text) is not None
