"""math-verify's LaTeX is parsed in two stages, as ANTLR's manual advises: SLL first, then LL.

SLL needs a third of the time. What it parses is LL's tree; where it reports an error, the
text is parsed anew by LL, which decides (`antlr4.PredictionMode`).
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def install() -> None:
    """Have this process parse so from now on."""
    from antlr4 import PredictionMode
    from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy

    parser_of = _Latex2Sympy.create_parser

    def create_parser(converter: Any, text: str) -> Any:
        parser = parser_of(converter, text)
        parser._interp.predictionMode = PredictionMode.SLL
        first = parser.math

        def math() -> Any:
            try:
                return first()
            except Exception as error:
                if type(error) is not Exception:  # syntax errors are plain ones; a time-out is not
                    raise
                return parser_of(converter, text).math()

        parser.math = math
        return parser

    _Latex2Sympy.create_parser = create_parser
