r"""Text around a value: names as in `x = 5`, letters of choices, words before the answer."""

from __future__ import annotations

import re

from limr.grading.exact import split_list

_LABEL = re.compile(
    r"(?:(?:option|choice|answer|选项?|答案)\s*:?\s*)?\(?([A-Z])\)?\.?", re.IGNORECASE
)
_LABELLED = re.compile(r"\(([A-Z])\)\s*[:.]?\s+(\S.*)|([A-Z])[.:)]\s+(\S.*)")
# What may be left of an equals sign and be ignored: a name, not an expression.
_NAME = re.compile(
    r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?'?(?:\^\{-1\})?(?:\s*\([a-zA-Z, ]{1,12}\))?|\([a-zA-Z, ]{1,20}\)"
    r"|[A-Za-z_{}\d]{1,12}\s*:\s*[A-Za-z_{}\d]{1,12}|[a-zA-Z ,]{1,60}(?:[a-zA-Z])?"
    r"|\\angle\s*[A-Za-z]{1,4}"
)
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_SPELLED = {word: str(number) for number, word in enumerate(_NUMBERS.split())}
_LETTER = re.compile(r"[a-zA-Z]|\\(?:theta|alpha|beta|lambda|phi)")
_MEMBER = re.compile(r"([a-zA-Z])\s*\\in\b\s*(.+)")
_POINT = re.compile(r"[A-Z]'?\s*(\(.+\))")
_ABOUT = re.compile(r"\\approx|\\simeq|\\sim\b|\\doteq|\\equiv\b")
# A sentence up to its verb, or a word and a colon.
_SENTENCE = re.compile(
    r"(?:[A-Za-z][A-Za-z' ,]{0,80}?\s(?:is|are|was|equals|pays|costs|has|takes|needs|gets|gives)\s"
    r"|(?:final |the )?(?:answer|solution|result|total)\s*:|答案?\s*[:是为]{0,2}|故|选)\s*(?=\S)",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\s*(?:not|no|less|more|at|about|between|under|over|never|almost)\b", re.I)


def label(text: str) -> str | None:
    """Return the letter of a choice such as `(C)`, `C` or `Option C`, None where there is none."""
    found = _LABEL.fullmatch(text.strip())
    return found.group(1).upper() if found and not found.group(1).islower() else None


def labelled(text: str) -> tuple[str, str] | None:
    """Split `(C) 12` into the letter and its value; None for anything else."""
    found = _LABELLED.fullmatch(text.strip())
    if not found:
        return None
    letter, value, bare, bare_value = found.groups()
    return (letter or bare), (value or bare_value)


def split_name(text: str) -> tuple[str, str]:
    r"""Split `x = 5`, `5 = x` or `f(x) = 2x` into the name and its value; else ("", text)."""
    member = _MEMBER.fullmatch(text)
    if member:
        return member.group(1), member.group(2)
    left, sign, right = text.rpartition("=")
    left, right = left.strip(), right.strip()
    if not sign or left.endswith(("<", ">", "!", "\\")) or "=" in left or not right:
        return "", text
    if left.count("{") != left.count("}"):
        return "", text
    if _NAME.fullmatch(left):
        return left, right
    return (right, left) if _LETTER.fullmatch(right) and left else ("", text)


def last_value(text: str) -> str:
    """Return what a chain of equations ends in, `370 + 1 = 371` gives 371; lists stay whole."""
    first, *rest = (part.strip() for part in _ABOUT.split(text))
    if rest:
        text = rest[0] if _NAME.fullmatch(first) else first or text
    left, sign, right = text.rpartition("=")
    if not sign or not right.strip() or left.rstrip().endswith(("<", ">", "!")):
        return text
    if left.lstrip().startswith("-") and _LETTER.fullmatch(left.strip("- ")):
        return text  # -x = 4 does not mean 4
    if left.count("{") != left.count("}"):
        return text  # the sign is within an index, as in a sum
    if "," in left and not _NAME.fullmatch(left.strip()):
        return text
    return right.strip()


def without_opening(text: str) -> str:
    """Remove the beginning of a sentence: `The answer is 5` and `Answer: 5` give 5."""
    found = _SENTENCE.match(text)
    if not found or _NEGATED.match(text, found.end()):
        return text
    return text[found.end() :].strip()


def named_items(text: str) -> str:
    r"""Remove the names of a list's items.

    One name, as in `x = 1, x = 2`, gives the list `1, 2`; different letters, as in `y = 1, x = 3`,
    give the tuple in the order of the alphabet, `(3, 1)`. Anything else is returned unchanged.
    """
    opening, items, _ = split_list(text)
    if opening or len(items) < 2 or "=" not in text:
        return text
    parts = [split_name(item) for item in items]
    names = [name for name, _ in parts]
    values = [value for _, value in parts]
    if any("=" in value for value in values):
        return text
    if names[0] and all(name in ("", names[0]) for name in names):
        return ", ".join(values)
    if len(set(names)) < len(names) or not all(_LETTER.fullmatch(name) for name in names):
        return text
    return "(" + ", ".join(value for _, value in sorted(parts)) + ")"


def number_word_as_digits(text: str) -> str:
    """Write a number word in digits, six as 6; anything else is returned unchanged."""
    return _SPELLED.get(text.casefold(), text)


def point(text: str) -> str:
    """Remove the name of a point, `P(3,1)` gives (3,1)."""
    found = _POINT.fullmatch(text)
    return found.group(1) if found else text
