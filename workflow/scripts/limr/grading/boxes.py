r"""Finding the answer in a response: in its `\boxed{...}`, in its last line, or all of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from limr.grading.last_line import statement

MAX_BOXES_READ = 64  # a list spread over more boxes than this is not put together
_GAP = 60  # characters between boxes that still count as one answer
_BARE = re.compile(r"\\boxed\s{0,8}(-?\d{1,40}(?:\.\d{1,40})?)")
# Two boxes are alternatives where only "or", perhaps with a name, stands between them.
_OR = re.compile(
    r"[\s$,;.)\\]{0,12}(?:\\text\{)?\s*\bor\b\s*\}?[\s$(\\]{0,12}(?:[a-zA-Z]\s*=\s*)?\$?"
)
# An opening box (the backslash may be doubled, as in escaped text), an escaped character, a brace.
_TOKEN = re.compile(r"\\{1,3}boxed\s{0,8}\{|\\.|[{}]", re.DOTALL)


@dataclass(frozen=True)
class Box:
    """A balanced box: its content and its place, `text[start:end]` being all of it."""

    content: str
    start: int
    end: int


def boxes(text: str) -> list[Box]:
    r"""Return the balanced boxes in the order of their beginnings, innermost ones only.

    Escaped braces, as in `\boxed{\{1,2\}}`, do not count; a box that never closes is skipped.
    """
    found: list[Box] = []
    opened: list[tuple[int, int] | None] = []  # (start, start of content) of a box, None of a brace
    for token in _TOKEN.finditer(text, _first_box(text)):
        mark = token.group()
        if mark == "{":
            opened.append(None)
        elif mark == "}":
            box = opened.pop() if opened else None
            if box is not None and not (found and found[-1].start > box[0]):
                found.append(Box(text[box[1] : token.start()], box[0], token.end()))
        elif mark.endswith("boxed{") or "boxed" in mark:
            opened.append((token.start(), token.end()))
    return found


def _first_box(text: str) -> int:
    """Return where the first box may open: braces before it close before it or not at all.

    A run of backslashes is read from its beginning, as it would be from the text's.
    """
    place = text.find("boxed")
    while place > 0 and text[place - 1] == "\\":
        place -= 1
    return len(text) if place < 0 else place


def last_box(text: str) -> str | None:
    r"""Return the content of the last balanced box, None where there is none.

    Where no box closes, a number may follow without braces, `\boxed 7`, or a stray backslash may
    precede the brace: `\boxed{5\}` is 5.
    """
    found = boxes(text)
    if found:
        return found[-1].content
    bare = list(_BARE.finditer(text)) if "boxed" in text else []
    if bare:
        return bare[-1].group(1)
    if r"\}" not in text or text.count(r"\boxed") > MAX_BOXES_READ:
        return None
    found = boxes(text.replace(r"\}", "}").replace(r"\{", "{"))
    return found[-1].content if found else None


def joined_boxes(text: str, count: int) -> str | None:
    r"""Return the last `count` boxes joined by commas, where a list was spread over several.

    They must be all that are close together, and in one paragraph, as in `$\boxed{2}$,
    $\boxed{3}$ and $\boxed{5}$`; None otherwise.
    """
    if not 2 <= count <= MAX_BOXES_READ:
        return None
    found = boxes(text)[-count - 1 :]
    if len(found) > count and not _are_close(text, found[0], found[1]):
        found = found[1:]
    if len(found) != count or not all(_are_close(text, *pair) for pair in pairwise(found)):
        return None
    return ", ".join(box.content for box in found)


def alternatives(text: str) -> str | None:
    r"""Return the last two boxes as `a or b` where an "or" stands between them, None elsewhere."""
    found = boxes(text)[-2:]
    if len(found) < 2 or not _OR.fullmatch(text, found[0].end, found[1].start):
        return None
    return rf"{found[0].content} \text{{ or }} {found[1].content}"


def _are_close(text: str, first: Box, second: Box) -> bool:
    between = text[first.end : second.start]
    return len(between) <= _GAP and "\n\n" not in between


def last_line(text: str) -> str | None:
    r"""Return what the last line states (see `limr.grading.last_line`); None without any line.

    Where that is nothing but a box, as in `The answer is $\boxed{5}$.`, it is the box's content.
    """
    stated = statement(text)
    found = boxes(stated or "")
    if stated and len(found) == 1 and not _alone(stated, found[0]).strip("$ ."):
        return found[0].content
    return stated


def _alone(text: str, box: Box) -> str:
    return text[: box.start] + text[box.end :]


def whole(text: str) -> str | None:
    """Return the response without white space around it; None where that is nothing."""
    return text.strip() or None


PLACES: dict[str, Callable[[str], str | None]] = {
    "box": last_box,
    "last-line": last_line,
    "whole": whole,
}
