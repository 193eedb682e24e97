"""math-verify, the algebra system of last resort: imported when first needed, never trusted."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

SECONDS = 3  # its own time limit, in the main thread; elsewhere only the guards protect
DECIMALS = 10  # floats are compared to so many decimals
RELATIVE = 1e-9  # and numbers must agree to this share of the gold one
PARSED = 20_000  # gold answers kept
_DECIMAL = re.compile(r"(?<![\d.])(\d{0,12})\.(\d{1,12})(?![\d.])")


def equal(gold: str, answer: str) -> bool:
    """Tell whether math-verify takes two normalised, guarded texts for equal; an error is a no."""
    quiet()
    seconds = limit(SECONDS)
    try:
        from math_verify import verify

        target = _parse(answer, seconds)
        reference = _parse_gold(gold, seconds)
        if not target or not reference:
            return False
        same = verify(reference, target, float_rounding=DECIMALS, timeout_seconds=seconds)
        return bool(same) and _agree(reference[0], target[0])
    except Exception:  # noqa: BLE001 - whatever a hostile text provokes, it is not a right answer
        return False


def _agree(gold: Any, answer: Any) -> bool:
    """Refuse numbers that are equal only after rounding to decimals, as 2^-98 and 2^-99 are."""
    if gold == answer or not (
        getattr(gold, "is_number", False) and getattr(answer, "is_number", False)
    ):
        return True
    size = abs(gold.evalf(30))
    return bool(abs((gold - answer).evalf(30)) <= RELATIVE * (size or 1))


@lru_cache(maxsize=PARSED)
def _parse_gold(text: str, seconds: int | None) -> Any:
    return _parse(text, seconds)


def _parse(text: str, seconds: int | None) -> Any:
    from math_verify import parse

    return parse(
        f"${_exact_decimals(text)}$",
        extraction_config=(_extraction(),),
        fallback_mode="no_fallback",
        parsing_timeout=seconds,
    )


@cache
def _extraction() -> Any:
    """Read LaTeX only, and leave units alone: `2ab` and `1+6rs` end in what it takes for one."""
    from math_verify import LatexExtractionConfig

    usual = LatexExtractionConfig()
    return replace(usual, normalization_config=replace(usual.normalization_config, units=False))


def _exact_decimals(text: str) -> str:
    r"""Write decimals within a term as fractions, so that `\sqrt{60.5}` stays exact."""
    if _DECIMAL.fullmatch(text.strip("+- ")):
        return text
    return _DECIMAL.sub(_fraction, text)


def _fraction(found: re.Match[str]) -> str:
    whole, part = found.groups()
    return rf"\frac{{{int(whole + part)}}}{{{10 ** len(part)}}}"


def limit(seconds: int) -> int | None:
    """Return a time limit for math-verify, None in a thread where no signal can keep it."""
    return seconds if threading.current_thread() is threading.main_thread() else None


@cache
def quiet() -> None:
    """Keep math-verify's warnings off stderr: time-outs and unreadable texts are ordinary here."""
    for name in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(name).setLevel(logging.ERROR)
