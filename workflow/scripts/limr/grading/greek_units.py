r"""Units with a Greek letter, which LaTeX writes apart: `3\ \Omega`, `5\,\mu\text{m}`."""

from __future__ import annotations

from collections.abc import Sequence

from limr.grading import units
from limr.grading.tokens import Token

_GREEK_UNITS = {"mu": "μ", "Omega": "Ω"}


def joined(tokens: Sequence[Token]) -> list[Token]:
    r"""Join the Greek letters of units behind a number: `3\ \Omega`, `k\Omega`, `\mu\text{m}`."""
    if not any(token.text in _GREEK_UNITS for token in tokens):
        return list(tokens)
    found: list[Token] = []
    for place, token in enumerate(tokens):
        sign = _GREEK_UNITS.get(token.text, "") if token.kind == "command" else ""
        before = found[-1] if found else token
        after = tokens[place + 1].text if tokens[place + 1 :] else ""
        if found[1:] and found[-2].kind == "number" and before.kind == "word":
            name = before.text + (sign or token.text)
            if (sign and not token.gap and units.is_name(name)) or before.text == "μ":
                found[-1] = before._replace(text=name)
                continue
        is_unit = sign == "Ω" or (sign and units.is_name(sign + after))
        is_alone = is_unit and before.kind == "number" and token.gap
        found.append(Token("word", sign, gap=True) if is_alone else token)
    return found
