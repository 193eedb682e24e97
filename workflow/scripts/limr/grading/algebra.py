"""math-verify, the algebra system of last resort: imported when first needed, never trusted."""

from __future__ import annotations

import logging
import threading
from functools import cache, lru_cache
from typing import Any

SECONDS = 3  # its own time limit, in the main thread; elsewhere only the guards protect
DECIMALS = 10  # floats are compared to so many decimals
RELATIVE = 1e-9  # and numbers must agree to this share of the gold one
PARSED = 20_000  # gold answers kept


def equal(gold: str, answer: str) -> bool:
    """Tell whether math-verify takes two normalised, guarded texts for equal; errors are a no."""
    _quiet()
    limit = SECONDS if threading.current_thread() is threading.main_thread() else None
    try:
        from math_verify import verify

        target = _parse(answer, limit)
        reference = _parse_gold(gold, limit)
        if not target or not reference:
            return False
        same = verify(reference, target, float_rounding=DECIMALS, timeout_seconds=limit)
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
def _parse_gold(text: str, limit: int | None) -> Any:
    return _parse(text, limit)


def _parse(text: str, limit: int | None) -> Any:
    from math_verify import LatexExtractionConfig, parse

    return parse(
        f"${text}$",
        extraction_config=(LatexExtractionConfig(),),
        fallback_mode="no_fallback",
        parsing_timeout=limit,
    )


@cache
def _quiet() -> None:
    """Keep its warnings off stderr: time-outs and unreadable answers are ordinary here."""
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    logging.getLogger("latex2sympy2_extended").setLevel(logging.ERROR)
