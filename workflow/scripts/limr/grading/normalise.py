r"""One spelling for equal answers: takes off what surrounds the mathematics, computes nothing.

Row separators (`\\`) inside matrices are never touched.
"""

from __future__ import annotations

import re
from functools import lru_cache

_UNICODE = str.maketrans(
    {
        **dict.fromkeys("−–—", "-"),
        **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "±": r"\pm "},
        **{"π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "∞": r"\infty ", "°": r"^\circ "},
        **{"²": "^2", "³": "^3", "⁴": "^4", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}"},
        **{"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "∈": r"\in "},
        **{"∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "¾": r"\frac{3}{4}"},
        **{"，": ",", "（": "(", "）": ")", "\u00a0": " "},
    }
)
_COMMANDS = (
    "dfrac|tfrac|cfrac|frac|sqrt|text|textbf|mathrm|mbox|left|right|pi|infty|cup|cap|cdot|times|"
    "begin|end|circ|pm|le|leq|ge|geq|in|sin|cos|tan|log|ln"
)
# Each rule is linear: no nested repetition. `(?<!\\)` keeps row separators whole.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[\x00-\x08\x0b-\x1f\x7f]", ""),  # control characters
        (rf"(?<!\\)\\\\(?=(?:{_COMMANDS})\b)", r"\\"),  # commands of doubly escaped text
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"√\s*(\w+)", r"\\sqrt{\1}"),
        (r",\s*\\!\s*", ","),
        (r"(?<!\\)\\[!,;:>]|(?<!\\)\\ (?=.)|~", " "),  # spacing
        (r"\\q?quad\b|\\(?:displaystyle|textstyle|limits|nolimits)\b", " "),
        (r"(?<!\\)\\[()\[\]]|(?<!\\)\$|\\\$", ""),  # mathematics delimiters, currency
        (r"\{\s*,\s*\}", ","),
        (r"\\[dtc]frac\b", r"\\frac"),
        (r"\\(?:left|right|[bB]ig[glr]?|[bB]igg[lr]?)(?![a-zA-Z])\s*\.?", ""),
        (r"\\(?:geqslant|geq)\b", r"\\ge"),
        (r"\\(?:leqslant|leq)\b", r"\\le"),
        (r"\\neq\b", r"\\ne"),
        (r"\\varnothing\b", r"\\emptyset"),
        (r"\*\*", "^"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{"),
        (r"\\frac\s*\{([^{}]*)\}\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\sqrt\s*(\d)", r"\\sqrt{\1}"),
        (r"(?<=\d),(?=\d{3}(?!\d))", "\x00"),  # see _thousands
        (r"\s+", " "),
    )
)
_DEGREES = re.compile(r"\^\s*(?:\\circ\b|\{\s*\\circ\s*\})|\\degrees?\b|\\circ$")
_ANGLES = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc)\b")  # here degrees are not a unit to drop
_WORDING = r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|rm|bf)\s*\{([^{}]*)\}"
_TEXT = re.compile(_WORDING)
_UNIT = re.compile(rf"(?<=[\d)}}\]a-zA-Z!])\s*(?:{_WORDING}(?:\s*\^\s*\{{?\d\}}?)?\s*)+$")
_CONNECTIVE = re.compile(
    r"\\(?:text|mbox|mathrm)\s*\{[,;\s]*(?:and|or)[,\s]*\}|\b(?:and|or)\b(?=[\s\d(\\x-]|$)"
)
_PLAIN_UNIT = re.compile(
    r"(?<=[\d}])\s*(?:cm|km|mm|m|in|ft|square|cubic|inch(?:es)?|feet|foot|meters?|miles?|units?|"
    r"degrees?|dollars?|cents?|hours?|minutes?|seconds?|days?|years?|mph|percent|lb|kg|g|s)"
    r"(?:\s*(?:units?|meters?|inch(?:es)?|feet|cm|m)|\s*\^\s*\{?\d\}?)?$"
)
# A number in groups of three, perhaps after equations and before a unit; \x00 for its commas.
_GROUPED = re.compile(
    r"(?:[^=]*=)*\s*[+-]?\s*\d{1,3}(?:\x00\d{3})+(?:\.\d+)?\s*(?:[^\d\x00,;()\[\]{}\s][^\x00]*|\.)?"
)
_LABEL = re.compile(r"\(?([A-Z])\)?")


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Return the answer without delimiters, units, degree signs, spacing and wording."""
    text = text.strip().translate(_UNICODE)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    if not _ANGLES.search(text):
        text = _DEGREES.sub("", text)
    text = _wording(_thousands(text).strip().rstrip(".,;: "))
    text = text.replace("\\%", "").replace("%", "")
    text = _PLAIN_UNIT.sub("", text.strip().rstrip(".,;: \\").strip())
    return _outer_braces(text).strip()


def _thousands(text: str) -> str:
    """Drop the commas between groups of three digits if the whole is one number, else keep them."""
    return text.replace("\x00", "" if _GROUPED.fullmatch(text) else ",")


def _wording(text: str) -> str:
    r"""Unwrap text: `\text{even}` is even, `3\text{ cm}` is 3, `1 \text{ or } 2` is 1, 2."""
    if "\\" not in text and "and" not in text and "or" not in text:
        return text
    text = _CONNECTIVE.sub(",", text)
    text = _UNIT.sub("", text)
    text = _TEXT.sub(r"\1", text)
    return re.sub(r",\s*,", ",", text)


def _outer_braces(text: str) -> str:
    """Take off braces around the whole, which say nothing in LaTeX."""
    while len(text) > 1 and text[0] == "{" and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(text: str) -> int:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return position
    return -1


def compact(text: str) -> str:
    """Return a text without white space and needless braces, to compare as it stands."""
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    return re.sub(r"([_^])\{(\w)\}", r"\1\2", text)


def wording(text: str) -> str:
    """Return an answer with its units and words unwrapped, not dropped, in lower case."""
    return compact(_TEXT.sub(r"\1", text)).rstrip(".").casefold()


def label(text: str) -> str | None:
    """Return the letter of a choice such as `(C)` or `C`, None where the text is none."""
    found = _LABEL.fullmatch(text.strip())
    return found.group(1) if found else None


# What may stand left of an equals sign and be left out: a name, not an expression.
_NAME = re.compile(
    r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?'?(?:\s*\([a-zA-Z, ]{1,12}\))?|\([a-zA-Z, ]{1,20}\)"
    r"|[A-Za-z_{}\d]{1,12}\s*:\s*[A-Za-z_{}\d]{1,12}|[a-zA-Z ,]{1,60}(?:[a-zA-Z])?"
)


_MEMBER = re.compile(r"([a-zA-Z])\s*\\in\b\s*(.+)")


def split_name(text: str) -> tuple[str, str]:
    r"""Split `x = 5` or `f(x) = 2x` into the name and what it is; ("", text) for anything else."""
    member = _MEMBER.fullmatch(text)
    if member:
        return member.group(1), member.group(2)
    left, sign, right = text.rpartition("=")
    if not sign or left.rstrip().endswith(("<", ">", "!", "\\")) or "=" in left:
        return "", text
    if not _NAME.fullmatch(left.strip()) or not right.strip():
        return "", text
    return left.strip(), right.strip()


def last_value(text: str) -> str:
    """Return what a chain of equations ends in, `370 + 1 = 371` gives 371; lists stay whole."""
    text = re.split(r"\\approx|\\simeq|\\sim\b", text, maxsplit=1)[0].strip() or text
    left, sign, right = text.rpartition("=")
    if not sign or not right.strip() or left.rstrip().endswith(("<", ">", "!")):
        return text
    if "," in left and not _NAME.fullmatch(left.strip()):
        return text
    return right.strip()
