r"""What the last line of a response states: `#### 72`, `**Answer: C**` and `I choose option C.`

Only what stands before and around a whole statement is taken off: marks of Markdown, tags, and the
beginning of a sentence that announces an answer. All that is left is the answer, so that `Answer: C
or D` is `C or D`, and `I would not choose C` is itself.
"""

from __future__ import annotations

import re

# A heading; a quotation or an item of a list, before words: `- 5` and `> 5` are answers.
_MARK = re.compile(r"\A(?:#{1,6}\s+|[->*+]\s+(?=[*_`]|[A-Za-z]{3}))")
_TAG = re.compile(r"</?(?:answer|final_answer)>", re.IGNORECASE)
# Emphasis begins before and ends after a character that is no space; `2**3` has none.
_EMPHASIS = re.compile(r"(?<![\w*_`])(\*{1,3}|_{1,3}|`{1,3})(?=\S)(.*?)(?<=\S)\1(?![\w*_`])")
_ANNOUNCED = re.compile(
    r"(?:(?:and|so|thus|hence|therefore|then)\b,?\s*)?"
    r"(?:(?:(?:the|my|our)\s+)?(?:(?:final|correct|right|best)\s+)?(?:answer|option|choice)"
    r"\s*(?:is\s*:?|:|=)"
    r"|(?:I|we)(?:\s+would|'d|\s+will|'ll)?\s+(?:choose|pick|select|answer|go\s+with)\b)\s*",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"(?:the\s+)?(?:option|choice|answer|letter)\s+(\(?[A-Z]\)?|\[[A-Z]\])", re.IGNORECASE
)


def statement(text: str) -> str | None:
    """Return what the last line with a letter or digit states; None where no line has anything.

    Where no line has a letter or digit it is the last one that is not empty.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    line = next((line for line in reversed(lines) if _has_words(line)), lines[-1])
    bare = _EMPHASIS.sub(r"\2", _TAG.sub("", _MARK.sub("", line, count=1))).strip()
    announced = _ANNOUNCED.match(bare)
    stated = bare[announced.end() :] if announced else bare
    ended = stated.removesuffix(".").rstrip() if announced or _OPTION.match(stated) else stated
    option = _OPTION.fullmatch(ended)
    return (option[1] if option else ended) or bare or line


def _has_words(line: str) -> bool:
    return any(character.isalnum() for character in _TAG.sub("", line))
