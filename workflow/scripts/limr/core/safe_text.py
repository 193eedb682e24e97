"""Texts of models and data sets, made harmless to look at: visible, bounded, in one direction.

A response may hold anything. Control characters (terminal escapes, nulls, marks that turn the
direction of writing) are shown by a sign or their number; a text that is too long loses its middle,
and says so. The page itself escapes HTML.
"""

from __future__ import annotations

import unicodedata

# Unicode's pictures of control characters begin here, in their order; line ends stay.
_PICTURES = 0x2400
_KEPT = "\n\t"
_JOINERS = "\u200c\u200d"  # invisible, but some scripts need them
_HEAD = 0.4  # of what is kept: answers are at the end


def visible(text: str) -> str:
    """Return a text whose every character can be seen and changes nothing around it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else _sign(c) for c in text)


def _sign(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return chr(_PICTURES + 0x21)
    if character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    return f"⟨U+{code:04X}⟩"


def bounded(text: str, limit: int) -> str:
    """Return a text of at most about `limit` characters, `visible`; a cut says how much is gone.

    Args:
        text: any text, of any length; only the characters that are kept are read.
        limit: characters of it to keep, from its start and its end.
    """
    if len(text) <= limit:
        return visible(text)
    head = int(_HEAD * limit)
    left = len(text) - limit
    tail = text[len(text) - (limit - head) :]
    return f"{visible(text[:head])}\n[… {left:,} characters left out …]\n{visible(tail)}"
