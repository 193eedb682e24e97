r"""What a phrase beside a value may be: the name of what is counted, of what is asked for, a text.

Nouns are an open class, so a phrase is refused by its words (closed classes, denials) and its form:
behind a number other than one, what is counted stands in the plural.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from limr.grading import words
from limr.grading.words import in_order, listed

MAX_PHRASE, MAX_SUBJECT = 8, 20  # words beside a value, and in front of an equals sign or a verb
SUBJECTS = listed(  # change nothing in the name of what is asked for
    "maximum minimum least most greatest there he she it they we between that which who first "
    "second third both missing short given previous"
)
_DENYING = in_order(  # verbs: what they are said of is not the answer, or not surely
    "fail reject exclude omit discard violate contradict deny refute disprove lack miss ignore "
    "assume eliminate invalidate dismiss disqualify forbid prohibit guess suspect suppose miscount "
    "mistake overcount undercount overshoot undershoot doubt refuse bar disregard exempt disagree "
    "err pretend conjecture speculate estimate approximate cancel add subtract deduct appear look"
)
_ENDINGS = (("", "s es d ed ing"), ("e", "ing"), ("y", "ied ies"))  # what goes, what comes
_DENIED = frozenset(
    verb.removesuffix(gone) + ending
    for one in _DENYING
    for verb in (one, one + one[-1])  # barred, omitted
    for gone, endings in _ENDINGS
    for ending in ["", *endings.split()]
) | listed(
    "upwards downwards onwards afterwards past behind previous former besides beside despite "
    "unlike near versus within against beneath underneath via notwithstanding given provided "
    "granted regarding concerning pending lest whenever wherever whereas extraneous spurious "
    "bogus fake bad improbable implausible inadmissible unacceptable unsuitable inconsistent "
    "insufficient inadequate short shy tentative provisional etc uncertain unsure unverified "
    "unproven untrue nope nah falsch kein faux fausse falso falsa incorrecto incorrecta errado "
    "errada errato errata ninguno nunca jamais aucun sbagliato sbagliata неверно неправильно"
)
_CHANGING_SIGNS = "十百千万萬亿億兆不非或半多余几倍错误誤假"
_PAIRS = listed("pair pairs couple couples")
_PLURALS = listed(  # those without an s
    "people persons men women children feet teeth mice geese oxen sheep fish deer dice data "
    "vertices media bacteria formulae radii loci foci nuclei criteria phenomena"
)
_BESIDE = listed(  # beside a number, a unit or a noun
    "all left right total altogether together overall remaining each apiece exact exactly "
    "precisely final answer verified north south east west northeast northwest southeast southwest "
    "wide tall long high deep thick old apart away ahead daily weekly monthly yearly hourly angle"
)
_NO_NOUN = ("ed", "en", "wn", "ing", "ly")  # how participles and adverbs end
_OWNERS = listed("the its his her their our my them")  # follow a preposition, or a verb


def is_harmless(phrase: Sequence[str]) -> bool:
    """Tell whether no word of a phrase can change a value that it stands beside."""
    shown = [word.casefold() for word in phrase]
    if shown[1:] and shown[-1] in _PAIRS:
        shown.pop()  # `ordered pairs` are counted one by one
    place = _comparison(shown)
    if place is not None:
        shown[place : place + 2] = []
    return len(phrase) <= MAX_PHRASE and not any(map(_may_change, shown))


def is_subject(phrase: Sequence[str]) -> bool:
    """Tell whether words, in lower case, name what is asked for: `distance between two lines`."""
    is_bound = any(before == "at" and word in SUBJECTS for before, word in pairwise(phrase))
    said = SUBJECTS | words.AND | _PAIRS
    named = (word for word in phrase if word not in said and not _is_whole(word))
    return len(phrase) <= MAX_SUBJECT and not is_bound and not any(map(_may_change, named))


def is_counted(phrase: Sequence[str], *, is_one: bool = False) -> bool:
    r"""Tell whether words behind a number name what is counted, as plural nouns do.

    `is_one`: the number is one, a part of one, or an ordinal, so that a singular will do. What a
    preposition begins (`of them`) says of what. A sentence names nothing, nor does a lone word that
    may be anything, `7 \text{ withdrawn}`.
    """
    shown = [word.casefold() for word in phrase]
    has_object = any(
        word in _OWNERS and not words.is_link(before) for before, word in pairwise(shown)
    )
    is_letter = any(len(word) == 1 and word.isascii() and word != "a" for word in shown)
    if has_object or is_letter or not words.ALONE.isdisjoint(shown) or not is_harmless(phrase):
        return False
    group = takewhile(lambda word: not words.is_link(word), shown[: _comparison(shown)])
    named = [word for word in group if word not in _BESIDE]
    if not named:
        return True
    if is_one:
        return not named[-1].endswith(_NO_NOUN)
    nouns = [at for at, word in enumerate(named) if _is_plural(word)]
    return bool(nouns) and all(word.endswith(("ed", "ing")) for word in named[nouns[-1] + 1 :])


def _is_whole(word: str) -> bool:
    number = words.number([word])
    return number is not None and number.denominator == 1


def _comparison(shown: Sequence[str]) -> int | None:
    """Return the place of `more than Susan` behind what is counted, None where there is none."""
    place = shown.index("than") - 1 if "than" in shown[1:-1] else None
    return place if place is not None and shown[place] in ("more", "less", "fewer") else None


def _is_plural(word: str) -> bool:
    """Tell whether a word may be a plural; of other alphabets any may."""
    is_regular = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return is_regular or word in _PLURALS or not word.isascii()


def _may_change(word: str) -> bool:
    if words.is_link(word):
        return False
    if "illion" in word or word.endswith("fold") or not set(_CHANGING_SIGNS).isdisjoint(word):
        return True
    parts = [word, *word.replace("'", "-").split("-")]
    return any(part in _DENIED or words.changes(part) for part in parts)
