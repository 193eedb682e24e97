"""Reading rows from JSON with a declared type: fast, without keeping what is not asked for."""

from __future__ import annotations

import re
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
