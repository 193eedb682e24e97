r"""Values side by side, relations, sets, brackets: every token has its place, or none is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from limr.grading import brackets, cases, phrases, quantities, regions, special, units, words
from limr.grading.brackets import FIGURES, SIGNS, UNIONS
from limr.grading.expressions import Parser
from limr.grading.nodes import letter_of, symbol
from limr.grading.pieces import (
    CLOSE,
    MAX_ITEMS,
    OPEN,
    PUNCTUATION,
    as_text,
    closing_place,
    is_and,
    is_long,
    is_or,
    split,
    split_anywhere,
    stripped,
    without_gaps,
)
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import (
    Choice,
    Combined,
    Listing,
    Quantity,
    Ratio,
    Relation,
    Text,
    Value,
)


def value(tokens: Sequence[Token]) -> Value:
    """Return the value that tokens write; NotUnderstoodError where one of them has no place."""
    tokens = stripped(tokens)
    if not tokens:
        raise NotUnderstoodError("nothing")
    for notation in _NOTATIONS:
        found = notation(tokens)
        if found is not None:
            return found
    for reader in _READERS:
        found = reader(tokens)
        if found is not None:
            return found
    return quantities.quantity(tokens)


def _listing(tokens: list[Token]) -> Value | None:
    """Read values side by side: `1, 2 and 3`, `x < 1 or x > 3`."""
    spelled = [token.text.casefold() for token in tokens if token.kind == "word"]
    counted = words.numeral(spelled) if tokens[0].kind == "word" and "and" in spelled else None
    if counted and "and" in spelled[: counted[1]]:
        return quantities.quantity(tokens)  # `three hundred and five`
    pieces = split(tokens, lambda token: is_and(token) or is_or(token))
    if len(pieces) < 2:
        return None
    whole = quantities.compound(tokens)
    if whole is not None:
        return whole
    is_unit = all(token.kind == "word" and units.find(token.text) for token in pieces[1])
    if len(pieces) == 2 and pieces[1] and is_unit and pieces[0] and pieces[0][-1].kind == "number":
        return quantities.quantity([*pieces[0], *pieces[1]])  # `0.25, cm`
    pieces = without_gaps(pieces)
    if not 2 <= len(pieces) <= MAX_ITEMS:
        raise NotUnderstoodError("a list of too many or too few")
    joined = (
        "or"
        if any(map(is_or, tokens))
        else "and"
        if any(t.text in ("and", "land") for t in tokens)
        else ","
    )
    found = Listing(tuple(_item(piece) for piece in pieces), joined=joined)
    return quantities.as_total(found) or found


def choice(tokens: list[Token]) -> Choice | None:
    """Read `(C)`, `Option C`, `C. 12`, `(C) 12`: a capital letter and what it says."""
    place = 0
    while place < len(tokens) and (
        words.is_label(tokens[place].text) or (place and tokens[place].text == ":")
    ):
        place += 1
    announced = place > 0
    rest = tokens[place:]
    bracketed = bool(rest) and rest[0].text == "("
    rest = rest[1:] if bracketed else rest
    if not rest or rest[0].kind not in ("letter", "word"):
        return None
    small = bracketed and rest[0].prose and rest[0].text in "abcde"
    letter, rest = rest[0].text.upper() if small else rest[0].text, rest[1:]
    if not re.fullmatch("[A-Z]", letter):
        return None
    mark = rest[0].text if rest else ""
    if bracketed and mark != ")":
        return None
    if not rest or not (rest[1:] if mark in (")", ".", ":") else rest):
        is_label = bracketed or announced or not rest or mark in (")", ".", ":")
        return Choice(letter) if is_label else None
    is_ratio = mark == ":" and not tokens[0].prose and not _says(rest)
    if mark not in (")", ".", ":") or is_ratio:
        return None
    rest = rest[1:]
    if bracketed and rest[0].text in (".", ":"):
        rest = rest[1:]
    return _choice_with(letter, rest, is_open=bracketed)


def _says(rest: list[Token]) -> bool:
    """Tell whether a colon is one of prose: `C: 36`, unlike `R:r` and `R : 5`."""
    return not rest[0].gap and rest[1].gap and rest[1].kind != "letter"


def _choice_with(letter: str, rest: list[Token], *, is_open: bool) -> Choice | None:
    """Return a choice with its content; None where the content is not understood."""
    if not rest or is_and(rest[0]) or is_or(rest[0]):
        return None
    if (
        is_open
        and not (rest[0].gap or rest[0].prose)
        and rest[0].text in ("^", "_", "=", "+", "-", "/", "(")
    ):
        return None
    try:
        content = value(rest)
    except NotUnderstoodError:
        phrase = [token.text for token in rest if token.text not in PUNCTUATION]
        if not phrases.is_harmless(phrase) or any(token.kind != "word" for token in rest):
            return None
        content = Text(tuple(word.casefold() for word in phrase))
    if isinstance(content, Choice) or (isinstance(content, Quantity) and letter_of(content.node)):
        return None  # `(A) (B)`: two letters
    said = content.words if isinstance(content, Text) else ()
    if not phrases.is_harmless(said) and not {" ".join(said)} & words.OPTIONS:
        return None
    return Choice(letter, content)


def _item(piece: list[Token]) -> Value:
    """Return a list's item, whose words may stand alone."""
    try:
        return choice(piece) or value(piece)
    except NotUnderstoodError:
        found = as_text(piece)
        if found is None:
            raise
        return found


def _is(text: str) -> Callable[[Token], bool]:
    return lambda token: token.text == text


def _combined(tokens: list[Token]) -> Value | None:
    r"""Read `A \cup B`, `A \cap B`, `A \setminus B`."""
    for place in range(1, len(tokens) - 1):
        if tokens[place].text == "-" and (tokens[place - 1].text, tokens[place + 1].text) == (
            "}",
            "\\{",
        ):
            tokens = [
                *tokens[:place],
                tokens[place]._replace(kind="command", text="setminus"),
                *tokens[place + 1 :],
            ]
    for sign in UNIONS:
        if not any(token.text == sign for token in tokens):
            continue
        pieces = split(tokens, _is(sign))
        if len(pieces) == 1 and any(token.text in ("[", "]") for token in tokens):
            pieces = split_anywhere(tokens, sign)
        if len(pieces) > MAX_ITEMS or (len(pieces) > 1 and not all(pieces)):
            raise NotUnderstoodError("a union of too many or too few")
        if len(pieces) > 1:
            return Combined(sign, tuple(map(value, pieces)))
    return None


def _relation(tokens: list[Token]) -> Value | None:
    pieces: list[list[Token]] = [[]]
    signs: list[str] = []
    depth = 0
    for place, token in enumerate(tokens):
        if token.kind in ("mark", "command"):
            depth += (token.text in OPEN) - (token.text in CLOSE)
        if depth == 0 and token.kind in ("mark", "command") and token.text in SIGNS:
            sign = SIGNS[token.text]
            if place and not pieces[-1] and tokens[place - 1].text in "<>:" and sign == "=":
                signs[-1] = {"<": "<=", ">": ">="}.get(signs[-1], signs[-1])
                continue
            signs.append(sign)
            pieces.append([])
        else:
            pieces[-1].append(token)
    if not signs:
        return None
    if signs == ["~"] and not pieces[0]:
        return value(pieces[1])
    if pieces[0] and pieces[0][-1].text == ":" and signs[0] == "=":
        pieces[0].pop()
    if not all(pieces) or len(pieces) > MAX_ITEMS:
        raise NotUnderstoodError("a side is missing")
    sides = tuple(map(_side, pieces))
    if isinstance(sides[0], Text) and not phrases.is_subject(sides[0].words):
        raise NotUnderstoodError("words that are no name")
    return Relation(sides, tuple(signs))


def _side(piece: list[Token]) -> Value:
    """Return a side of a relation; words alone are a name."""
    spelled = [token.text for token in piece]
    if all(token.kind == "word" for token in piece) and words.number(spelled) is None:
        if not phrases.is_harmless(spelled):
            return _item(piece)
        return Quantity(symbol(" ".join(spelled).casefold()))
    try:
        return value(piece)
    except NotUnderstoodError:
        phrase = [token.text.casefold() for token in piece]
        named = [token.kind in ("word", "letter") or token.text in FIGURES for token in piece]
        if all(named) and phrases.is_harmless(phrase) and "than" not in phrase:
            return Quantity(symbol(" ".join(phrase)))
        raise


def _bracketed(tokens: list[Token]) -> Value | None:
    return brackets.bracketed(tokens, value, _item)


def _point(tokens: list[Token]) -> Value | None:
    """Read `P(3, 1)` as the point P = (3, 1)."""
    if len(tokens) < 5 or not re.fullmatch("[A-Z]", tokens[0].text) or tokens[1].text != "(":
        return None
    if closing_place(tokens, 1) != len(tokens) - 1:
        return None
    place = _bracketed(tokens[1:])
    return Relation((Quantity(symbol(tokens[0].text)), place), ("=",)) if place else None


def _ratio(tokens: list[Token]) -> Value | None:
    pieces = split(tokens, lambda token: token.text in (":", "to"))
    if len(pieces) < 2 or len(pieces) > MAX_ITEMS or not all(pieces):
        return None
    return Ratio(tuple(Parser(piece).whole() for piece in pieces))


def _cases(tokens: list[Token]) -> Value | None:
    return cases.cases(tokens, value)


def _phrase(tokens: list[Token]) -> Text | None:
    """Read words alone; a number word is a number, one short word a symbol."""
    if not all(token.kind == "word" or token.text in PUNCTUATION for token in tokens):
        return None
    if not any(is_long(token) for token in tokens):
        return None
    spelled = [token.text for token in tokens if token.kind == "word"]
    if words.number(spelled[:1]) is not None or any(is_and(t) or is_or(t) for t in tokens):
        return None
    if words.number(spelled[:2]) is not None:  # `a dozen eggs`
        return None
    return as_text(tokens)


def _membership(tokens: list[Token]) -> Value | None:
    return (
        _relation(tokens)
        if any(token.text == "in" and token.kind == "command" for token in tokens)
        else None
    )


_NOTATIONS: tuple[Callable[[list[Token]], Value | None], ...] = (
    special.clock,
    special.based,
    special.residue,
    special.date,
    special.arrow,
    _cases,
    _phrase,
    _point,
    quantities.compound,
)
_READERS: tuple[Callable[[list[Token]], Value | None], ...] = (
    lambda tokens: regions.left_out(tokens, value),
    _listing,
    _membership,
    _combined,
    _relation,
    _ratio,
    _bracketed,
)
