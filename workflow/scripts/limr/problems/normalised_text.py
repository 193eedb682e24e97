r"""What of a problem's text is compared: the text without its layout, and its words.

Words are runs of letters and digits, in Unicode's compatibility form (NFKC) and without case. LaTeX
needs no parser for that: `$`, `{`, `}`, `\`, `^`, `_`, spaces and every other sign separate words
and are dropped, and a command is a word (`\frac{x}{2}` is frac, x, 2). So texts in another layout
have the same words, but so have texts that differ in a sign, such as `x - 1` and `x + 1`. Whether
two texts are the same is therefore decided by `normal_text`, which keeps signs.

Where a problem has no id, one is made from its text (`made_id`), whatever its white space.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
# Layout, in which texts of the same problem may differ.
_LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|qquad|quad)(?![a-zA-Z])|\\[,!;: \[\]()]|[$\s~]"
)


def normal_text(prompt: str) -> str:
    """Return a problem's text without its layout: equal for the same problem in another layout."""
    text = re.sub(r"\\[dt]frac", r"\\frac", prompt)
    return _LAYOUT.sub("", text).casefold()


def words(text: str) -> list[str]:
    """Return a text's words (see the module), in order; in time linear in its length."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def one_blank(text: str) -> str:
    """Return a text with every run of white space replaced by one blank."""
    return " ".join(text.split())


def made_id(text: str) -> str:
    """Return an id for a prompt without one: `prompt-` and 16 digits of its text's sha256."""
    digest = hashlib.sha256(one_blank(text).encode("utf-8", "surrogatepass")).hexdigest()
    return f"prompt-{digest[:16]}"
