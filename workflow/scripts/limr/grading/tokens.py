r"""Reading LaTeX as tokens: numbers, letters, words, commands and marks; nothing is left out.

Spacing, sizes, colours and styles say nothing about a value and are dropped here; every other
character becomes a token, so that what a later step does not understand cannot pass unseen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from limr.grading import units, words
from limr.grading.notation import spelled
from limr.grading.words import listed


class NotUnderstoodError(ValueError):
    """A text, or a part of it, that the grammar has no reading for."""


class Token(NamedTuple):
    """`kind` is number, letter, word, command, begin, end or mark; `gap`: space before it."""

    kind: str
    text: str
    gap: bool = False
    prose: bool = False


MAX_TOKENS = 600
MAX_DEPTH = 16  # of texts within texts
_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_LOOSE_GROUPS = re.compile(r"\s*\d{1,3}(?:\s*,\s*\d{3})+(?:\.\d+)?\s*")
_TOKEN = re.compile(
    r"(?P<space>\s+|~)"
    r"|(?P<number>\d*\.\d*\\(?:overline|bar|dot)\s*(?:\{\s*\d+\s*\}|\d)"
    r"|\d*\.?\d*\\dot\s*\{?\d\}?\d*\\dot\s*\{?\d\}?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\w.]))?)"
    r"|(?P<command>\\(?:[a-zA-Z]+\*?|.|$))"
    r"|(?P<run>[\u4e00-\u9fff]+|[^\W\d_\u4e00-\u9fff]+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_PROSE_WORD = re.compile(r"[\u4e00-\u9fff]+|[^\W\d_\u4e00-\u9fff]+(?:[-'][^\W\d_\u4e00-\u9fff]+)*")
_PROSE = listed("text textrm textnormal textit textsf texttt mbox hbox textbf emph textsc")
_UPRIGHT = listed("mathrm rm operatorname operatorname* mathop")
_STYLED = listed(
    "mathbf boldsymbol bm mathit mathsf mathtt bf it underline fbox boxed ensuremath "
    "mathnormal framebox Boxed huge Huge large Large LARGE small vec pmb bold textstyle "
    "displaystyle cal"
)
_DROPPED = listed(
    ", ; : ! > quad qquad displaystyle textstyle scriptstyle limits nolimits tiny scriptsize "
    "footnotesize small normalsize large Large LARGE huge Huge bf it rm sf tt em bfseries "
    "itshape rmfamily mathstrut strut nonumber notag hfill centering null relax allowbreak / "
    "- blacksquare square Box qed checkmark"
) | {" ", "\n", "\t"}
_ALIASES = {
    **dict.fromkeys(("dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"), "frac"),
    **dict.fromkeys(("dbinom", "tbinom"), "binom"),
    **dict.fromkeys(("geq", "geqslant", "geqq"), "ge"),
    **dict.fromkeys(("leq", "leqslant", "leqq"), "le"),
    **dict.fromkeys(("dots", "cdots", "dotsc", "dotsb", "hdots"), "ldots"),
    **{"neq": "ne", "varnothing": "emptyset", "to": "rightarrow", "implies": "Rightarrow"},
    **{"Longrightarrow": "Rightarrow", "times": "cdot", "ast": "cdot", "colon": ":"},
    **{"vee": "lor", "wedge": "land", "degree": "circ", "degrees": "circ", "tg": "tan"},
    **{"ctg": "cot", "arctg": "arctan", "varphi": "phi", "varepsilon": "epsilon", "coloneqq": "="},
    **{"smallsetminus": "setminus", "backslash": "setminus", "doteq": "approx", "mod": "pmod"},
    **{"simeq": "approx", "bmod": "pmod", "varrho": "rho", "vartheta": "theta", "top": "intercal"},
    **{"lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "lvert": "|", "rvert": "|"},
    **{"vert": "|", "mid": "|", "lt": "<", "gt": ">", "prime": "'", "percent": "%", "And": "&"},
    **{"div": "/", "ominus": "-", "textdollar": "$", "dollar": "$", "euro": "€", "pounds": "£"},
    **{
        "infin": "infty",
        "Vert": "|",
        "textpercent": "%",
        "textdegree": "circ",
        "iff": "Rightarrow",
    },
}
_MARKS = listed(": = [ ] | < > ' % & / - _ #")  # a command that only writes a mark
_NAMES = listed(
    "sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan arccot arcsec arccsc asin "
    "acos atan ln log exp sqrt pi theta alpha beta gamma lambda phi infty infinity oo max min "
    "gcd lcm mod det deg dim lim cis frac pm cdot inf"
)
_NAMED = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "infinity": "infty",
    "oo": "infty",
    "inf": "infty",
}
_SPOKEN = listed("sin cos tan cot csc arcsin arccos arctan log ln exp cis pi")  # also as texts
_ACRONYMS = listed("DNE YES NO TRUE FALSE NONE QED")
_VOWEL = re.compile(r"[aeiouy]")


def has_groups(text: str) -> bool:
    """Tell whether commas may be separators of thousands, so that two readings are possible."""
    return re.search(r"\d\s*,\s*\d{3}(?!\d)", text) is not None


def tokenise(text: str, grouped: bool = False) -> tuple[Token, ...]:
    """Return the tokens of an answer; `grouped` reads `1,234` as one number.

    Raises NotUnderstoodError where a text within a text never ends, and for too many tokens.
    """
    text = spelled(text.strip())
    if grouped and _LOOSE_GROUPS.fullmatch(text):
        text = re.sub(r"\s*,\s*", "", text)
    elif grouped and not any(mark in text for mark in ("(", "[", r"\{")):
        text = _GROUPS.sub(lambda found: found.group().replace(",", ""), text)
    found: list[Token] = []
    _read(text, "math", found, 0)
    return tuple(found)


def _read(text: str, mode: str, found: list[Token], depth: int) -> None:
    """Append the tokens of a text in `math`, `prose` (words) or `upright` mode."""
    place, gap = 0, False
    if depth > MAX_DEPTH:
        raise NotUnderstoodError("texts within texts")
    while place < len(text):
        if len(found) > MAX_TOKENS:
            raise NotUnderstoodError("too long")
        item = _TOKEN.match(text, place)
        assert item is not None  # noqa: S101 - a mark is any character
        kind, shown = item.lastgroup or "", item.group()
        place = item.end()
        if kind == "space":
            gap = True
            continue
        before = len(found)
        if kind == "run":
            place = _read_run(text, item, mode, found, gap)
        elif kind == "command":
            place = _read_command(text, shown[1:], place, mode, found, depth, gap)
        else:
            shown = re.sub(r"[\s{}]", "", shown) if kind == "number" else shown
            found.append(Token(kind, shown, gap, mode == "prose"))
        gap = len(found) == before and (gap or kind == "command")


def _read_run(text: str, item: re.Match[str], mode: str, found: list[Token], gap: bool) -> int:
    """Read a run of letters: a word, the name of a function, or a product of letters."""
    run, prose = item.group(), mode == "prose"
    if prose:
        longer = _PROSE_WORD.match(text, item.start())
        word = longer.group() if longer else run
        if word in _SPOKEN and text.strip() == word:
            found.append(Token("command", word, gap))
            return item.end()
        found.append(Token("word", word, gap, True))
        return item.start() + len(word)
    if run in _NAMES:
        found.append(Token("command", _NAMED.get(run, run), gap))
        return item.end()
    after = bool(found) and (found[-1].kind == "number" or found[-1].text in ("}", ")", "%", "$"))
    if _is_word(run, after) or (mode == "upright" and not _is_constant(run, text)):
        found.append(Token("word", run, gap))
        return item.end()
    for number, letter in enumerate(run):
        found.append(Token("letter", letter, gap and number == 0))
    return item.end()


def _is_constant(run: str, text: str) -> bool:
    r"""Tell whether an upright letter is a constant or a variable, as in `\mathrm{e}`."""
    return text.strip() == run and run in "eijkdxynzt"


def _is_word(run: str, after_number: bool) -> bool:
    """Tell whether a run of plain letters is a word rather than a product."""
    low = run.casefold()
    if not run.isascii() or run in _ACRONYMS or (run.isupper() and len(set(run)) < len(run) > 2):
        return True  # SAS is no product: S^2 A
    if low in words.SHORT or (len(run) >= 3 and words.is_closed(low)):
        return True
    if after_number and len(run) >= 2 and (units.is_name(run) or low in words.ORDINAL):
        return True
    return len(run) >= 4 and (run.islower() or run.istitle()) and bool(_VOWEL.search(low))


def _read_command(
    text: str, name: str, place: int, mode: str, found: list[Token], depth: int, gap: bool
) -> int:
    """Read a command from behind its name; return where to read on."""
    if name in ("begin", "end"):
        inside, place = _argument(text, place, name)
        found.append(Token(name, inside.strip().rstrip("*"), gap))
        return _skip_columns(text, place) if inside.startswith("array") else place
    if name in _PROSE or name in _UPRIGHT or name in _STYLED:
        opening = re.compile(r"\s*\{").match(text, place)
        if opening:
            inside, place = _argument(text, place, name)
            _read_inside(inside, name, mode, found, depth, gap)
            return place
        if name not in ("vec", "boxed"):
            return place
        return place
    if name in _DROPPED:
        return place
    if name == "\\":
        found.append(Token("mark", "\\\\", gap))
        return place
    name = _ALIASES.get(name, name)
    if name in _MARKS or name in "$€£":
        found.append(Token("mark", name, gap))
    elif name in ("{", "}"):
        found.append(Token("mark", "\\" + name, gap))
    else:
        found.append(Token("command", name, gap))
    return place


def _read_inside(
    inside: str, name: str, mode: str, found: list[Token], depth: int, gap: bool
) -> None:
    start = len(found)
    bold = name in ("mathbf", "boldsymbol", "bm", "vec", "pmb")
    if bold and inside.strip() in ("i", "j", "k"):
        found.append(Token("letter", f"vec:{inside.strip()}", gap))
        return
    if name == "vec" and re.fullmatch(r"\s*[A-Z]{2}\s*", inside):
        found.append(Token("command", "overrightarrow", gap))  # two points have an order
        inside = "{" + inside + "}"
    inner = "prose" if name in _PROSE else "upright" if name in _UPRIGHT else mode
    if name == "textbf" and mode != "prose" and not re.search(r"[a-z]{2}", inside):
        inner = mode
    # A group keeps `^` and `_` behind it at all of it.
    braces = inner != "prose" and len(inside.strip()) > 1 and name in _STYLED
    if braces:
        found.append(Token("mark", "{", gap))
    _read(inside, inner, found, depth + 1)
    if braces:
        found.append(Token("mark", "}"))
    if len(found) > start and not braces:
        spaced = gap or inside[:1].isspace() or inside[:1] == "~"
        found[start] = found[start]._replace(gap=spaced)


def _argument(text: str, place: int, name: str) -> tuple[str, int]:
    """Return what stands in the braces from `place` on, and the place behind them."""
    opening = text.find("{", place)
    if opening < 0 or text[place:opening].strip():
        raise NotUnderstoodError(f"\\{name} without braces")
    depth = 0
    for found in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, opening):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return text[opening + 1 : found.start()], found.end()
    raise NotUnderstoodError(f"\\{name} never ends")


def _skip_columns(text: str, place: int) -> int:
    columns = re.compile(r"\s*\{[^{}]*\}").match(text, place)
    return columns.end() if columns else place


def spelling(tokens: Sequence[Token]) -> str:
    """Return tokens as one text without spacing: equal texts say the same."""
    shown = []
    for token in _without_small_groups(tokens):
        # The case of a unit counts, and that of letters side by side.
        is_word = token.kind == "word" and len(token.text) > 3
        is_word = is_word and not token.text.isupper()
        shown.append(token.text.casefold() if is_word else token.text)
        if token.kind in ("word", "number"):
            shown.append(" ")
        elif token.kind == "command":
            shown[-1] = "\\" + shown[-1] + " "
    return " ".join("".join(shown).split())


def _without_small_groups(tokens: Sequence[Token]) -> list[Token]:
    """Remove the braces of an index or exponent of one token, `x^{2}`."""
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        shown = [one.text for one in found[-4:]]
        if shown[:2] in (["^", "{"], ["_", "{"]) and shown[3:] == ["}"]:
            found[-3:] = [found[-2]]
    return found
