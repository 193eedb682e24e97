"""Words around and in place of values: number words and closed classes.

Numerals, negations, conjunctions, comparisons, auxiliary verbs can change a value; they
can be listed. What a phrase beside a value may be: `limr.grading.phrases`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def in_order(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


def listed(text: str) -> frozenset[str]:
    """Return the set of the words of a text."""
    return frozenset(text.split())


_ONES = in_order(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = in_order("twenty thirty forty fifty sixty seventy eighty ninety")
_NUMBERS = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_CHINESE = dict(zip("零一二三四五六七八九十", range(11), strict=True))
_SCALES: dict[str, Fraction] = {
    word: Fraction(value)
    for value, spelled in (
        ("2", "pair pairs couple couples paar"),
        ("12", "dozen dozens dozenes docena docenas douzaine douzaines dutzend"),
        ("20", "score scores"),
        ("144", "gross"),
        ("100", "hundred hundreds cien ciento cent cento hundert сто centaine centaines 百 백"),
        (
            "1000",
            "thousand thousands mil mille tausend mila тысяча тысячи тысяч millier "
            "milliers grand k 千 천",
        ),
        ("10", "tens 十 десяток"),
        ("10000", "万 萬 만"),
        ("100000", "lakh lakhs"),
        ("10000000", "crore crores"),
        (
            "1000000",
            "million millions millon millón millones milhão milhões millionen milione milioni "
            "миллион миллиона миллионов mio 百万",
        ),
        ("100000000", "亿 億 억"),
        (
            "1000000000",
            "billion billions bn mrd milliard milliards milliarde milliarden miliardo miliardi "
            "миллиард миллиардов",
        ),
        ("1000000000000", "trillion trillions 兆"),
        ("1000000000000000", "quadrillion quadrillions"),
        ("1/2", "half halves medio medios"),
        ("1/3", "third thirds tercio tercios"),
        ("1/4", "quarter quarters fourth fourths cuarto cuartos"),
        ("1/5", "fifth fifths"),
        ("1/6", "sixth sixths"),
        ("1/7", "seventh sevenths"),
        ("1/8", "eighth eighths"),
        ("1/9", "ninth ninths"),
        ("1/10", "tenth tenths"),
        ("1/12", "twelfth twelfths"),
        ("1/20", "twentieth twentieths"),
        ("1/100", "hundredth hundredths"),
        ("1/1000", "thousandth thousandths"),
        ("1/1000000", "millionth millionths"),
        ("1/1000000000", "billionth billionths"),
    )
    for word in spelled.split()
}
AND = listed("and y e et und и 和 及 与")
OR = listed("or o u ou oder или 或 或者")
_CHANGE = listed(
    "not no never neither nor none but except excluding without unless if than more less "
    "fewer most least over under above below about around approximately nearly almost roughly "
    "between beyond up plus minus times divided multiplied squared cubed square-root root "
    "power point factorial wrong incorrect false invalid impossible isn't aren't doesn't "
    "don't cannot can't is are was were be been being am do does did has have had will would "
    "can could shall should may might must seems which that who whose whom because since as "
    "when while where so however maybe perhaps possibly probably either both any anything "
    "anyone nothing something some else other another instead rather to till until through "
    "versus modulo mod twice thrice double triple negative positive first second third exceed "
    "exceeds exceeding unknown undefined ish fold inverse reciprocal opposite doubled "
    "tripled halved infinite infinity every it this these those "
    "there here off binary octal hexadecimal "
    "i you we they he she what how why whether though although yet still also too then "
    "therefore hence thus non nicht ni pas keine nein sauf excepto pero menos más mas oder ou "
    "или не нет 不 非 或"
)
_LINKS = listed("of the a an in on per each for with from by its his her their our my them")
_VERBS = listed(
    "is are was were equals equal be pays costs has takes needs gets gives becomes es est ist"
)
STATING = listed("答案是 答案为 答案為 结果是 结果为")  # what follows is the answer
_LABELS = listed("option choice answer 选 选项 答案 选择 故选")
OPTIONS = frozenset(  # what a choice says (without articles), though its words may change a value
    {
        "none of above",
        "none of these",
        "all of above",
        "cannot be determined",
        "not enough information",
    }
)
ALONE = listed("just only")  # may belong to a verb behind the value: `only 7 fails`
EXACTLY = tuple(  # before a value they add nothing
    in_order(text) for text in ("exactly", "precisely", "just", "only", "a total of", "total of")
)
HENCE = listed("therefore thus hence so then")
ORDINAL = frozenset(["st", "nd", "rd", "th"])  # what follows the digits of 1st, 2nd, 3rd, 4th
SHORT = listed("or is of to if no")  # words of two letters that are never products
_MOST_WORDS = 8  # of a number


def is_closed(word: str) -> bool:
    """Tell whether a word (in lower case) belongs to a class that is listed here."""
    return (
        word in _NUMBERS
        or word in _SCALES
        or word in AND
        or word in OR
        or word in _CHANGE
        or word in _LINKS
        or word in _VERBS
        or word in _LABELS
        or word == "yes"
    )


def changes(word: str) -> bool:
    """Tell whether a word, in lower case, is a numeral, a negation, a conjunction or the like."""
    return any(word in one for one in (_CHANGE, _NUMBERS, _SCALES, AND, OR))


def is_link(word: str) -> bool:
    """Tell whether a word, in lower case, is an article, a preposition or a pronoun."""
    return word in _LINKS


def is_label(word: str) -> bool:
    """Tell whether a word announces a choice, as `Option` does."""
    return word.casefold() in _LABELS


def is_verb(word: str) -> bool:
    """Tell whether a word may stand for an equals sign."""
    return word.casefold() in _VERBS


def number(spelled: Sequence[str]) -> Fraction | None:
    """Return the number that words spell, `forty-two` or `three million`; None for none."""
    parts = [part for word in spelled for part in word.casefold().split("-")]
    if not parts:
        return None
    if parts == ["half"]:
        return _SCALES["half"]
    if parts[0] in ("a", "an") and len(parts) == 2 and not parts[1].endswith("s"):
        return _SCALES.get(parts[1])  # `a dozen`, `a half`
    if len(parts) > 1 and (share := _part(parts[-1], parts[:-1])):
        whole = number(parts[:-1])
        return None if whole is None else whole * share
    total, current = Fraction(0), Fraction(0)
    for place, part in enumerate(parts):
        ahead = current != 0 or place == 0
        if part in _NUMBERS or part in _CHINESE:
            value = _NUMBERS.get(part, _CHINESE.get(part, 0))
            fits = (
                place == 0
                or (current % 100 == 0 and value > 0)
                or (current % 10 == 0 and current % 100 >= 20 and 0 < value < 10)
            )
            if not fits:
                return None
            current += value
        elif part in ("hundred", "thousand", "million", "billion") and ahead and current:
            size = _SCALES[part]
            if size == 100:
                current *= size
            else:
                total, current = total + current * size, Fraction(0)
        elif part != "and" or place == len(parts) - 1 or parts[place - 1] not in _SCALES:
            return None
    return total + current


def _part(word: str, before: Sequence[str]) -> Fraction | None:
    """Return what a word such as `thirds` is of one; `twenty fifth` is no number of fifths."""
    found = _SCALES.get(word, Fraction(1))
    return found if found < 1 and (word.endswith("s") or list(before) == ["one"]) else None


def numeral(run: Sequence[str]) -> tuple[Fraction, int] | None:
    """Return the number that a row of words begins with, and of how many; None for none."""
    for length in range(min(len(run), _MOST_WORDS), 0, -1):
        value = number(run[:length])
        if value is not None:
            return value, length
    return None


def scale(word: str) -> Fraction | None:
    """Return what a word after a number multiplies it by, as `million` and `tenths` do."""
    return _SCALES.get(word.casefold())
