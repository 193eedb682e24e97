r"""Reading an answer: its text becomes one typed value in which every token has its place."""

from __future__ import annotations

from functools import lru_cache

from limr.grading import greek_units, phrases, words
from limr.grading.brackets import SIGNS
from limr.grading.clauses import choice, value
from limr.grading.pieces import as_text, stripped
from limr.grading.quantifiers import without_parameters, without_quantifier
from limr.grading.quantities import quantity
from limr.grading.tokens import NotUnderstoodError, Token, spelling, tokenise
from limr.grading.values import Quantity, Unread, Value

MAX_ANSWER = 4_000  # characters; longer answers are not read
_ENDS = [["is", *said, "answer"] for said in (["the"], ["my"], ["the", "final"])] + [["only"]]
_SHORT = 200  # characters of an answer whose value is remembered
_REMEMBERED = 16_384


def read(text: str, grouped: bool = False) -> Value:
    """Return the value that an answer's text is read as; Unread where there is no reading."""
    if len(text) > MAX_ANSWER:
        return Unread("", f"longer than {MAX_ANSWER:,} characters")
    return _read_short(text, grouped) if len(text) <= _SHORT else _read(text, grouped)


@lru_cache(maxsize=_REMEMBERED)
def _read_short(text: str, grouped: bool) -> Value:
    return _read(text, grouped)


def read_with_units(text: str) -> Value | None:
    r"""Return a quantity with its unit in letters, `9.8\ \frac{m}{s^2}`; None for anything else."""
    try:
        tokens = stripped(tokenise(text))
        joined: list[Token] = []
        for token in tokens:
            is_letter = token.kind == "letter" and bool(joined)
            if is_letter and not token.gap and joined[-1].kind == "word":
                joined[-1] = joined[-1]._replace(text=joined[-1].text + token.text)
            else:
                joined.append(token._replace(kind="word") if is_letter else token)
        found = quantity(greek_units.joined([token._replace(gap=True) for token in joined]))
    except NotUnderstoodError:
        return None
    is_all = found.unit is not None and found.unit.is_known and not found.unit.beside
    return found if is_all else None


def _read(text: str, grouped: bool) -> Value:
    try:
        tokens = stripped(greek_units.joined(tokenise(text, grouped)))
    except NotUnderstoodError as error:
        return Unread(" ".join(text.split()), str(error))
    try:
        return _answer(tokens)
    except NotUnderstoodError as error:
        return as_text(tokens) or Unread(spelling(tuple(tokens)), str(error))
    except RecursionError:
        return Unread(spelling(tuple(tokens)), "too deep")


def _answer(tokens: list[Token]) -> Value:
    if not tokens:
        raise NotUnderstoodError("nothing")
    tokens = without_parameters(without_quantifier(tokens))
    if tokens[0].text in ("=", "sim") and tokens[1:]:
        tokens = tokens[1:]
    if tokens[1:] and tokens[0].text[:1].casefold() + tokens[0].text[1:] in words.HENCE:
        return _answer(tokens[2 if tokens[1].text == "," else 1 :])
    is_value = tokens[1:] and not any(token.text in SIGNS for token in tokens)
    if is_value and tokens[0].text.casefold() in ("minus", "negative"):
        tokens = [Token("mark", "-"), *tokens[1:]]
    found = choice(tokens)
    if found is not None:
        return found
    end = [token.text.casefold() for token in tokens[-4:]]
    for length in (1, 3, 4):
        if length < len(tokens) and end[-length:] in _ENDS:
            return _answer(stripped(tokens[:-length]))
    for said in words.EXACTLY:
        begins = tuple(token.text.casefold() for token in tokens[: len(said)]) == said
        if begins and len(tokens) > len(said):
            inner = _answer(tokens[len(said) :])
            if said[0] in words.ALONE and isinstance(inner, Quantity) and inner.says_more:
                raise NotUnderstoodError("'" + said[0] + "' and words behind the value")
            return inner
    behind = _behind_opening(tokens)
    if behind:
        return _answer(stripped(behind))
    return value(tokens)


def _behind_opening(tokens: list[Token]) -> list[Token]:
    """Return what follows the beginning of a sentence, `The answer is` or `Maximum value:`."""
    for place, token in enumerate(tokens[:20]):
        is_verb = token.kind == "word" and words.is_verb(token.text)
        is_end = token.text in (":", *words.STATING) or (place > 0 and is_verb)
        if not is_end:
            if token.kind not in ("word", "letter"):
                return []
            continue
        opening = [one.text.casefold() for one in tokens[:place]]
        behind = tokens[place + 1 :]
        if (
            not any(one.kind == "word" and len(one.text) > 1 for one in tokens[:place])
            and token.text == ":"
        ):
            return []
        if not phrases.is_subject(opening) or not behind:
            return []
        first = behind[0].text.casefold()
        if (
            behind[0].kind == "word"
            and not phrases.is_harmless([first])
            and words.number([first]) is None
        ):
            return []
        return behind
    return []
