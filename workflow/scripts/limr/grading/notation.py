r"""One spelling: Unicode mathematics as LaTeX, without delimiters and groups of thousands."""

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


_COMMANDS = (
    "dfrac|tfrac|cfrac|frac|sqrt|text|textbf|mathrm|mbox|left|right|pi|infty|cup|cap|cdot|times|"
    "begin|end|circ|pm|le|leq|ge|geq|in|sin|cos|tan|log|ln"
)
_GAP = r"(?:\\[,;:! ]|~|\s)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[\x00-\x08\x0b-\x1f\x7f]", ""),
        (rf"(?<!\\)\\\\(?=(?:{_COMMANDS})\b)", r"\\"),  # commands of doubly escaped text
        (r"\\\\\[\d*\.?\d*\s*(?:pt|ex|em|mm|cm)\]", r"\\\\"),  # space between rows
        (
            r"\\(?:color|phantom|[hv]space\*?|label|tag)\s*\{[^{}]*\}|\\(?:textcolor|colorbox)\s*\{[^{}]*\}",
            "",
        ),
        (r"(?<!\\)\\[()\[\]]|(?<!\\)\$", " "),  # delimiters of formulas
        (r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![a-zA-Z])\s*\.?", ""),
        (r"(?<=\d)\s*(?:\{\s*,\s*\}|,\s*\\!|\\!\s*,)\s*(?=\d{3}(?!\d))", "\x01"),  # 10{,}080
        (r"(?<=\d)\{,\}(?=\d)", "."),  # a decimal comma
        (r"\{\s*([,:;.])\s*\}", r"\1"),
        (r"(?<![\d.])([1-9]\d{0,2})\.(\d{3})\.(\d{3})(?![\d.])", r"\1\2\3"),  # 1.500.000
        (r"\\q?quad", " "),
        (r"(?<=\s)!=|\\not\s*=", r"\\ne "),
        (r"\\not\s*\\in(?![a-zA-Z])", r"\\notin "),
        (r"\{\s*\}", ""),
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"√", r"\\sqrt "),
        (r"(?<=[\d\s{}~])([aApP])\.\s?[mM]\b\.?", r"\1m"),
        (r"\.\.\.|…", r"\\ldots "),
        (r"(?<=[\w)\]}])\*\*(?=[\w({\\-])", "^"),  # a power in Python; emphasis has no end there
    )
)
# A chemical formula: `\\ce{...}`, or elements with digits and without any other sign.
_CHEMISTRY = re.compile(
    r"\\ce\s*\{((?:[\w()^+-]|\{[\d+-]+\})+)\}|(?:\\(?:text|mathrm)\s*\{)?((?=\D+\d)(?:[A-Z][a-z]?\d*|\(|\)\d*)+)\}?"
)
_COUNT = re.compile(r"(?<=[A-Za-z)])(\d+)")
_CHARGE = re.compile(r"(?:\^(?=\d*[+-])|(?=[+-]\Z))(\d*[+-])")
_MARKDOWN = ("**", "__", "*", "_", "`", '"')  # emphasis around all of a text
_SPACED_GROUPS = re.compile(rf"(?<![\d.,])\d{{1,3}}(?:(?:{_GAP}+|')\d{{3}})+(?![\d])")
_SURE_GROUPS = re.compile(r"(?<![\d.])\d{1,3}(?:[,\x01]\d{3}(?!\d))+")


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


def spelled(text: str) -> str:
    """Return a text in LaTeX, without delimiters, sizes of brackets, groups of thousands."""
    text = latin(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = _formula(_without_emphasis(text.strip()))
    text = _SURE_GROUPS.sub(_joined, text)
    return _SPACED_GROUPS.sub(lambda run: re.sub(rf"{_GAP}+|'", "", run.group()), text)


def _formula(text: str) -> str:
    r"""Write `H2SO4` and `\ce{SO4^2-}` with indices and charges."""
    found = _CHEMISTRY.fullmatch(text)
    if not found:
        return text
    inside = _CHARGE.sub(r"^{\1}", found[1] or found[2])  # `Na^+`, `SO4^2-`, `Na+`
    return r"\mathrm{" + _COUNT.sub(r"_{\1}", inside) + "}"


def _joined(run: re.Match[str]) -> str:
    """Remove all commas of a number where one of them is sure to separate thousands."""
    shown = run.group()
    return shown.replace(",", "").replace("\x01", "") if "\x01" in shown else shown


def _without_emphasis(text: str) -> str:
    """Remove Markdown's marks and quotation marks around a whole text."""
    for mark in _MARKDOWN:
        inner = text[len(mark) : -len(mark)]
        if text.startswith(mark) and text.endswith(mark) and inner.strip() and mark not in inner:
            return inner
    return text
