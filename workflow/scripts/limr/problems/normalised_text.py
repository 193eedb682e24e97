r"""What of a problem's text is compared: the text without its layout, and its words.

Words are runs of letters and digits, in Unicode's compatibility form (NFKC) and without case. LaTeX
needs no reader of its own for that: `$`, `{`, `}`, `\`, `^`, `_`, spaces and every other sign part
words and are dropped, and a command is a word (`\frac{x}{2}` is frac, x, 2). So texts in another
layout have the same words, and texts that differ in a sign have too: `x - 1` and `x + 1`. Whether
two texts are the same is therefore asked of `normal_text`, which keeps signs.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
# What a problem's text may differ in and still be the same problem: layout, nothing that is read.
_LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|qquad|quad)(?![a-zA-Z])|\\[,!;: \[\]()]|[$\s~]"
)


def normal_text(prompt: str) -> str:
    """Return a problem's text without its layout: equal for the same problem in another dress."""
    text = re.sub(r"\\[dt]frac", r"\\frac", prompt)
    return _LAYOUT.sub("", text).casefold()


def words(text: str) -> list[str]:
    """Return a text's words (see the module), in order; in time linear in its length."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
