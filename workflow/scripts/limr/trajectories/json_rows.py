"""Reading rows from JSON with a declared type: fast, without keeping what is not asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from limr.core.errors import InputError

# A JSON document is read whole; a larger one is refused before it fills the memory.
LARGEST_JSON = 2 * 2**30
# A line of a JSON-lines file is held in memory; no rollout is this long.
LONGEST_LINE = 64 * 2**20
LONGEST_STEP = 512 * 2**20  # of a line that holds a whole step, as ROLL writes it
NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_RAW = msgspec.json.Decoder(list[msgspec.Raw])
# What the decoder calls a type -> what a user calls it.
_TYPES = {
    "str | null": "text",
    "'str'": "a text",
    "'float'": "a number",
    "'object'": "an object",
    "'array'": "a list",
    "'int'": "a whole number",
}


def document(path: Path) -> bytes:
    """Return a JSON document's bytes.

    Raises:
        InputError: missing, empty, or larger than `LARGEST_JSON`.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise InputError(
                f"{path}: {size / 1e9:.1f} GB in one JSON document; at most "
                f"{LARGEST_JSON / 1e9:.1f} GB are read whole. Write one file per step, JSON "
                "lines, or parquet."
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    if not content or content.isspace():
        raise InputError(f"{path}: the file is empty.")
    return content


def decode(path: Path, content: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return a document's content, of the decoder's type.

    Raises:
        InputError: not JSON, not UTF-8, or of another shape; with the place.
    """
    try:
        return decoder.decode(content)
    except NOT_DECODED as error:
        raise InputError(f"{path}: {fault(error)}.") from None


def decode_list(
    path: Path, whole: msgspec.json.Decoder[Any], single: msgspec.json.Decoder[Any]
) -> tuple[list[Any], list[int], list[tuple[int, str]]]:
    """Return the entries of a JSON list, their numbers from 1, and the entries of another shape.

    Args:
        path: the document.
        whole: decodes the list.
        single: decodes an entry, where the list has a broken one.

    Returns:
        entries, their numbers, and (number, what is wrong) of broken ones.

    Raises:
        InputError: missing, empty, too large, not JSON, not UTF-8, or not a list.
    """
    content = document(path)
    try:
        entries = whole.decode(content)
        return entries, list(range(1, len(entries) + 1)), []
    except NOT_DECODED:
        found: tuple[list[Any], list[int], list[tuple[int, str]]] = ([], [], [])
    for number, raw in enumerate(decode(path, content, _RAW), start=1):
        try:
            found[0].append(single.decode(raw))
            found[1].append(number)
        except NOT_DECODED as error:
            found[2].append((number, fault(error)))
    return found


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers from 1, one in memory.

    Raises:
        InputError: missing, or a line longer than `LONGEST_LINE`.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), 1):
                if len(line) > LONGEST_LINE:
                    raise InputError(
                        f"{path}:{number}: a line of more than {LONGEST_LINE / 2**20:.0f} MB. Is "
                        "this JSON lines, one object per line?"
                    )
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None


def fault(error: Exception) -> str:
    """Return what is wrong with a text that could not be decoded; places count from 1."""
    if isinstance(error, RecursionError):
        return "not valid JSON (nested too deeply)"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    if not isinstance(error, msgspec.ValidationError):
        text = str(error).removeprefix("JSON is malformed: ")
        return f"not valid JSON, or cut short ({text})"
    text = str(error).replace("`", "'")
    for name, words in _TYPES.items():
        text = text.replace(name, words)
    text = re.sub(r" - at '\$\[(\d+)\]", lambda at: f" - at '[entry {int(at[1]) + 1}]", text)
    return text[0].lower() + text[1:]
