r"""One spelling for equal answers: removes what surrounds the mathematics, computes nothing.

Row separators (`\\`) inside matrices are never touched.
"""

from __future__ import annotations

import re
from functools import lru_cache

from limr.grading.notation import latin, units_differ

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
        (r"\\\\\[\d*\.?\d*\s*(?:pt|ex|em|mm|cm)\]", r"\\\\"),  # space between rows
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"√\s*(\w+)", r"\\sqrt{\1}"),
        (r"\\(?:color|phantom|hspace|label)\s*\{[^{}]*\}|\\textcolor\s*\{[^{}]*\}", ""),
        (r",\s*\\!\s*", ","),
        (r"(?<!\\)\\[!,;:>]|(?<!\\)\\ (?=.)|~", " "),  # spacing
        (r"\\q?quad\b|\\(?:displaystyle|textstyle|limits|nolimits)\b", " "),
        (r"(?<!\\)\\[()\[\]]|(?<!\\)\$|\\\$|[€£¥]|\\(?:pounds|euro)\b", ""),  # delimiters
        (r"\{\s*,\s*\}", ","),
        (r"\\[dtc]frac\b", r"\\frac"),
        (r"\\(?:left|right|[bB]ig[glr]?|[bB]igg[lr]?)(?![a-zA-Z])\s*\.?", ""),
        (r"\\(?:geqslant|geqq?)(?![a-zA-Z])|>=", r"\\ge "),
        (r"\\(?:leqslant|leqq?)(?![a-zA-Z])|<=", r"\\le "),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\lbrace(?![a-zA-Z])", r"\\{"),
        (r"\\rbrace(?![a-zA-Z])", r"\\}"),
        (r"\\[lr]vert(?![a-zA-Z])|\\mid(?![a-zA-Z])", "|"),
        (r"\\log_\{?e\}?(?![a-zA-Z])", r"\\ln "),
        (r"\\neq\b", r"\\ne"),
        (r"\\varnothing\b", r"\\emptyset"),
        (r"\[\s*-\s*\\infty\b", r"(-\\infty"),  # no interval ends at infinity
        (r"\\infty\s*\]", r"\\infty)"),
        (r"\*\*", "^"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{"),
        (r"\\frac\s*\{([^{}]*)\}\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\sqrt\s*(\d+)", r"\\sqrt{\1}"),
        (r"(?<=\d),(?=\d{3}(?!\d))", "\x00"),  # see _thousands
        (r"\s+", " "),
    )
)
_DEGREES = re.compile(
    r"\^\s*(?:\\circ\b|\{\s*\\circ\s*\})(?:\s*[CF]$)?|\\degrees?\b|\\circ$|(?<=\d)\s*\^\s*\{?o\}?$"
)
_ANGLES = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc)\b")  # here degrees are not a unit to drop
_SPOKEN = "text|textrm|textnormal|textit|textsf|texttt|mbox|hbox|mathrm|rm"
_STYLED = f"{_SPOKEN}|textbf|mathbf|bf|boldsymbol|bm|mathit|mathsf|underline|emph|fbox|operatorname"
_TEXT = re.compile(rf"\\(?:{_STYLED})\s*\{{([^{{}}]*)\}}")
# A bold letter is a vector and an upright e or i is a constant: neither is a unit.
_UNIT_TEXT = (
    rf"\\(?:(?:{_SPOKEN})\s*\{{(?!\s*[eijxyn]\s*\}})|(?:textbf|mathbf|bf)\s*\{{(?!\s*\w\s*\}}))"
    r"([^{}]*)\}"
)
_UNIT = re.compile(rf"(?<=[\d)}}\]a-zA-Z!])\s*(?:{_UNIT_TEXT}(?:\s*\^\s*\{{?\d\}}?)?[\s/.]*)+$")
_TH = r"\s*(?:st|nd|rd|th)\b"
_ORDINAL = re.compile(
    rf"(?<=\d)\s*(?:\^\s*\{{\s*\\(?:{_SPOKEN})\s*\{{{_TH}\s*\}}\s*\}}|\^\s*\{{{_TH}\s*\}}"
    rf"|\^?\s*\\(?:{_SPOKEN})\s*\{{{_TH}[A-Za-z ]{{0,40}}\}}|{_TH})"
)
_CONNECTIVE = re.compile(
    rf"\\(?:{_SPOKEN})\s*\{{[,;\s]*(?:and|or|或者?|和)[,\s]*\}}|或者?|和"
    r"|\b(?:and|or)\b(?=[\s\d(\\x-]|$)|(?<=\))(?:and|or)(?=\()"
)
_PLAIN_UNIT = re.compile(
    r"(?<=[\d}])\s*(?:cm|km|mm|m|in|ft|square|cubic|inch(?:es)?|feet|foot|meters?|miles?|units?|"
    r"degrees?|dollars?|cents?|hours?|minutes?|seconds?|days?|years?|mph|percent|lb|kg|g|s)"
    r"(?:\s*(?:units?|meters?|inch(?:es)?|feet|cm|m)|\s*\^\s*\{?\d\}?)?$"
    r"|(?<=[\d})])\s*[\u4e00-\u9fff]{1,6}$|(?:(?<=[\d})])|(?<=\\pi))\s(?:\s?[a-zA-Z]{4,20}){1,4}$"
    r"|(?<=\d)\s*\\pmod\s*\{[^{}]*\}$"
)
# A number in groups of three, perhaps after equations and before a unit; \x00 for its commas.
_GROUPED = re.compile(
    r"(?:[^=]*=)*\s*[+-]?\s*\d{1,3}(?:\x00\d{3})+(?:\.\d+)?\s*(?:[^\d\x00,;()\[\]{}\s][^\x00]*|\.)?"
)
_SPACED = re.compile(r"[+-]?\d{1,3}(?: \d{3})+(?:\.\d+)?")
_CLOCK = re.compile(r"(?<=\d)\s*([ap])\.?\s?m\b\.?")


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Return the answer without delimiters, units, degree signs, spacing and wording."""
    text = latin(text.strip())
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    if not _ANGLES.search(text):
        text = _DEGREES.sub("", text)
    text = _wording(_thousands(text).strip().rstrip(".,;: "))
    text = text.replace("\\%", "").replace("%", "")
    text = _PLAIN_UNIT.sub("", text.strip().rstrip(".,;: \\").strip())
    text = _outer_braces(text).strip()
    return text.replace(" ", "") if _SPACED.fullmatch(text) else text


def _thousands(text: str) -> str:
    """Remove the commas between groups of three digits if the whole is one number."""
    return text.replace("\x00", "" if _GROUPED.fullmatch(text) else ",")


def _wording(text: str) -> str:
    r"""Unwrap text: `\text{even}` is even, `3\text{ cm}` is 3, `1 \text{ or } 2` is 1, 2."""
    text = _CONNECTIVE.sub(",", text)
    text = _ORDINAL.sub("", text)
    text = _UNIT.sub("", text)
    text = _TEXT.sub(r"\1", text).strip()
    return re.sub(r",\s*,", ",", text)


def same_unit(gold: str, answer: str) -> bool:
    """Tell whether the units do not contradict each other, as `5 cents` and `5 dollars` do."""
    found = [_UNIT.search(text.strip()) for text in (gold, answer)]
    units = [unit.group(1) or "" for unit in found if unit]
    return len(units) < 2 or not units_differ(*units)


def _outer_braces(text: str) -> str:
    """Remove braces around the whole text, which have no meaning in LaTeX."""
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
    """Return a text without white space and needless braces, for comparing spellings."""
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    return re.sub(r"([_^])\{(\w)\}", r"\1\2", text)


def wording(text: str) -> str:
    """Return an answer with its units and words unwrapped, not dropped, in lower case."""
    text = _CLOCK.sub(r"\1m", _TEXT.sub(r"\1", text).casefold())
    return compact(text).rstrip(".")
