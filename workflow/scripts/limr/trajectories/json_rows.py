"""Reading rows from JSON with a declared type: fast, without keeping what is not asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from limr.core.errors import InputError
from limr.trajectories.reading import document

# A line of a JSON-lines file is held in memory; no rollout is this long.
LONGEST_LINE = 64 * 2**20


def decode(path: Path, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return a whole JSON document of the decoder's type.

    Raises:
        InputError: missing, empty, too large, not JSON, not UTF-8, or of another shape; with the
            place.
    """
    content: Any = document(path)
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {shape(error)}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: {syntax(error)}.") from None


def decode_list(
    path: Path, whole: msgspec.json.Decoder[Any], single: msgspec.json.Decoder[Any]
) -> tuple[list[Any], list[int], list[tuple[int, str]]]:
    """Return the entries of a JSON list, their numbers from 1, and the entries of another shape.

    Args:
        path: the document.
        whole: decodes the list.
        single: decodes an entry, where the list has a broken one.

    Returns:
        entries, their numbers (empty: 1, 2, … as no entry is broken), and (number, what is wrong).

    Raises:
        InputError: missing, empty, too large, not JSON, not UTF-8, or not a list.
    """
    content: Any = document(path)
    try:
        return whole.decode(content), [], []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not isinstance(error, msgspec.ValidationError):
            raise InputError(f"{path}: {syntax(error)}.") from None
    try:
        raws = msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {shape(error)}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: {syntax(error)}.") from None
    found: tuple[list[Any], list[int], list[tuple[int, str]]] = ([], [], [])
    for number, raw in enumerate(raws, start=1):
        try:
            found[0].append(single.decode(raw))
            found[1].append(number)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            found[2].append((number, shape(error)))
    return found


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers from 1, one in memory.

    Raises:
        InputError: missing, or a line longer than `LONGEST_LINE`.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise InputError(
                        f"{path}:{number}: a line of more than {LONGEST_LINE / 2**20:.0f} MB. Is "
                        "this JSON lines, one object a line?"
                    )
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None


def shape(error: Exception) -> str:
    """Return what is wrong with a value of another shape, places counted from 1."""
    text = str(error).replace("`", "'")
    where = re.search(r" - at '\$\[(\d+)\]?", text)
    text = (
        text.replace("str | null", "text").replace("'str'", "a text").replace("'float'", "a number")
    )
    text = (
        text.replace("'object'", "an object")
        .replace("'array'", "a list")
        .replace("'int'", "a whole number")
    )
    if where:
        entry = int(where.group(1)) + 1
        text = re.sub(r" - at '\$\[\d+\]", f" - at '[entry {entry}]", text)
    return text[0].lower() + text[1:]


def syntax(error: Exception) -> str:
    """Return what is wrong with a text that is not JSON."""
    if isinstance(error, RecursionError):
        return "not valid JSON (nested too deeply)"
    text = str(error).removeprefix("JSON is malformed: ")
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return f"not valid JSON, or cut short ({text})"
