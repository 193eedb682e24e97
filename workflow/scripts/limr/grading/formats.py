r"""The format rules: what makes a response malformed, whatever its answer is.

The rules are the paper's (section 3.2 and its reward server): no end token, no box, five or more
boxes, more than 30 % foreign characters, a block repeated five times in a row. Two are changed, see
docs/deviations.md: the box limit can be set, and repeated layout (white space, dashes, digits) and
short repeated mathematics are allowed. Each rule takes about linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MAX_CHARACTERS = 200_000  # longer responses are not read
MAX_GARBLED = 0.3
_BLOCK = 5  # shortest block that counts
_TIMES = 5  # how often in a row
_PROBE = 64  # characters of a block that are compared first
_LONG = 200  # characters of repeated mathematics that count even without a word
_FOUR_EQUAL = re.compile(r"(.)\1{3,}", re.DOTALL)
_CUT = re.compile(r"^[a-zA-Z]+(?=[^a-zA-Z])")  # the rest of a word or of a command
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORD = re.compile(r"[a-zA-Z]{3,}|[a-zA-Z]{2}\s")
# ASCII, white space and the mathematical operators are what a response is expected to be made of.
_FOREIGN = re.compile(r"[^\x20-\x7e\s\u2200-\u22ff]")
# Stretches of layout: as long as the shortest repetition, so that none is left of layout alone.
_LAYOUT = re.compile(rf"[\s\d_\-\u2010-\u2015]{{{_BLOCK * _TIMES},}}")


def box_count(text: str) -> int:
    r"""Return how often `\boxed` appears in the text, balanced or not."""
    return text.count("\\boxed")


def is_garbled(text: str) -> bool:
    """Tell whether more than 30 % of the characters are foreign to a solution in English."""
    if text.isascii() and text.isprintable():
        return False
    return len(_FOREIGN.findall(text)) > MAX_GARBLED * len(text)


def is_repeated(text: str) -> bool:
    r"""Tell whether a block of at least 5 characters appears 5 times in a row within one line.

    Long stretches of nothing but white space, digits, dashes and underscores do not count, nor does
    mathematics without a word, as in `10 \times 10 \times ...`, up to 200 characters.
    """
    if len(text) < _BLOCK * _TIMES:
        return False
    pieces = (piece for line in text.split("\n") for piece in _LAYOUT.split(line))
    return any(repeats(piece, _counts) for piece in pieces)


def repeats(line: str, counts: Callable[[int, str], bool] | None = None) -> bool:
    """Tell whether a block of at least 5 characters appears 5 times in a row in a line.

    `counts` may turn a repetition down by its length and block. Every block length is tried at
    positions one block apart: n log n for a line of n characters. Five equal blocks of length p
    from s on hold a multiple i of p in [s, s + p), from which four equal blocks follow each other.
    So their first characters are four equal ones in every p-th character of the line.
    """
    for size in range(_BLOCK, len(line) // _TIMES + 1):
        judged = 0  # the end of the last stretch: from all blocks within it, it is the same one
        for found in _FOUR_EQUAL.finditer(line[::size]):
            for i in range(found.start() * size, (found.end() - 3) * size, size):
                if i + size <= judged or not _four_equal_blocks(line, i, size):
                    continue
                start, judged = _stretch(line, i, size)
                run = judged - start
                if run >= _TIMES * size and (counts is None or counts(run, line[i : i + size])):
                    return True
    return False


def _counts(run: int, block: str) -> bool:
    return run >= _LONG or _has_word(block)


def _has_word(block: str) -> bool:
    """Tell whether a block, repeated, has a word: commands and single letters are mathematics."""
    text = _COMMAND.sub(" ", _CUT.sub("", block * 3))
    return _WORD.search(text) is not None


def _four_equal_blocks(line: str, i: int, size: int) -> bool:
    """Tell whether four equal blocks stand at `i`; most that begin alike differ soon."""
    probe = line[i : i + min(size, _PROBE)]
    if not line.startswith(probe, i + size) or not line.startswith(probe, i + 2 * size):
        return False
    return line[i : i + 3 * size] == line[i + size : i + 4 * size]


def _stretch(line: str, i: int, size: int) -> tuple[int, int]:
    """Return where the stretch around `i` begins and ends in which the line has period `size`."""
    block = line[i : i + size]
    end = i + size
    while line.startswith(block, end):
        end += size
    while end < len(line) and line[end] == line[end - size]:
        end += 1
    start = i
    while start > 0 and line[start - 1] == line[start - 1 + size]:
        start -= 1
    return start, end


def is_too_long(text: str) -> bool:
    """Tell whether a response is longer than the 200,000 characters that are read."""
    return len(text) > MAX_CHARACTERS


def has_no_box(text: str) -> bool:
    """Tell whether a response has no box at all."""
    return box_count(text) == 0


def has_too_many_boxes(text: str, max_boxes: int | None) -> bool:
    """Tell whether a response has more boxes than allowed; None allows any number."""
    return max_boxes is not None and box_count(text) > max_boxes


def broken_rule(
    text: str, *, truncated: bool, max_boxes: int | None, repetition: bool, boxed: bool = True
) -> str:
    """Return the first rule that the response breaks, "" where it is well formed.

    Args:
        text: the response.
        truncated: the end token never came.
        max_boxes: most boxes allowed, None for any number.
        repetition: whether repeated text is malformed.
        boxed: whether the answer must be in a box; if not, boxes are not looked at.

    Returns:
        truncated, too-long, no-box, too-many-boxes, garbled, repeated, or "".
    """
    if truncated:
        return "truncated"
    if is_too_long(text):
        return "too-long"
    if boxed and has_no_box(text):
        return "no-box"
    if boxed and has_too_many_boxes(text, max_boxes):
        return "too-many-boxes"
    if is_garbled(text):
        return "garbled"
    return "repeated" if repetition and is_repeated(text) else ""
