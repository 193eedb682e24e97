r"""Tables of notation: characters and their LaTeX, units and their sizes."""

from __future__ import annotations

import re

_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_FRACTIONS = {
    **{"½": "12", "⅓": "13", "⅔": "23", "¼": "14", "¾": "34", "⅕": "15", "⅖": "25", "⅗": "35"},
    **{"⅘": "45", "⅙": "16", "⅚": "56", "⅐": "17", "⅛": "18", "⅜": "38", "⅝": "58", "⅞": "78"},
}
_GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta"},
    **{"η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi"},
    **{"π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi"},
    **{"ω": "omega", "Δ": "Delta", "Σ": "Sigma", "Ω": "Omega"},
}
CHARACTERS = str.maketrans(
    {
        **_FULL_WIDTH,
        **dict.fromkeys("−–—﹣‐‑‒", "-"),
        **dict.fromkeys("✓✔✅★◯\u200b\u200e\u2060\ufeff", ""),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
        **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": "/", "∕": "/"},
        **{"±": r"\pm ", "∓": r"\mp ", "∞": r"\infty ", "°": r"^\circ ", "º": r"^\circ "},
        **{"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "∈": r"\in "},
        **{"⩽": r"\le ", "⩾": r"\ge ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset "},
        **{"∛": r"\sqrt[3]", "。": ".", "、": ",", "∠": r"\angle ", "ℝ": r"\mathbb{R}"},
        **{"“": '"', "”": '"', "’": "'", "′": "'", "⟨": r"\langle ", "⟩": r"\rangle "},
        **{mark: rf"\frac{{{text[0]}}}{{{text[1]}}}" for mark, text in _FRACTIONS.items()},
        **{letter: rf"\{name} " for letter, name in _GREEK.items()},
    }
)
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_RAISED_RUN = re.compile("[" + "".join(_RAISED) + "]+")
_LOWERED_RUN = re.compile("[" + "".join(_LOWERED) + "]+")

# Sizes within one kind of quantity: two units of one kind and different sizes are not the same.
_SIZES: tuple[dict[str, float], ...] = (
    {"cent": 1, "dollar": 100},
    {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800},
    {
        **{"mm": 1, "cm": 10, "m": 1000, "km": 1e6},
        **{"in": 25.4, "ft": 304.8, "yard": 914.4, "mile": 1.6e6},
    },
    {"mg": 1, "g": 1000, "kg": 1e6, "ounce": 28349.5, "lb": 453592.0},
)
_SPELLINGS = {
    **{"millimeter": "mm", "centimeter": "cm", "meter": "m", "kilometer": "km", "metre": "m"},
    **{"centimetre": "cm", "millimetre": "mm", "kilometre": "km", "inche": "in", "inch": "in"},
    **{"feet": "ft", "foot": "ft", "mi": "mile", "gram": "g", "kilogram": "kg", "milligram": "mg"},
    **{"pound": "lb", "oz": "ounce", "hr": "hour", "min": "minute", "sec": "second"},
    **{"h": "hour", "yd": "yard", "¢": "cent"},
}


def latin(text: str) -> str:
    """Write Unicode mathematics, raised and lowered digits and full-width signs as LaTeX."""
    if text.isascii():
        return text
    text = _RAISED_RUN.sub(lambda run: "^" + _spell(run.group(), _RAISED), text)
    text = _LOWERED_RUN.sub(lambda run: "_" + _spell(run.group(), _LOWERED), text)
    return text.translate(CHARACTERS)


def _spell(run: str, table: dict[str, str]) -> str:
    text = "".join(table[character] for character in run)
    return text if len(text) == 1 else "{" + text + "}"


def units_differ(gold: str, answer: str) -> bool:
    """Tell whether two units measure the same in different sizes, as cents and dollars do.

    Unknown units and units of different kinds count as not different.
    """
    first, second = _unit(gold), _unit(answer)
    return any(
        first in sizes and second in sizes and sizes[first] != sizes[second] for sizes in _SIZES
    )


def _unit(text: str) -> str:
    word = text.strip(" .,").lower()
    for spelling in (word, word.removesuffix("s")):
        candidate = _SPELLINGS.get(spelling, spelling)
        if any(candidate in sizes for sizes in _SIZES):
            return candidate
    return word
