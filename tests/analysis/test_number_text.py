"""Numbers as people write them."""

from __future__ import annotations

import pytest

from limr.analysis import number_text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0204, "p = 0.02"), (1.0, "p = 1"), (1e-4, "p = 0.0001"), (9e-5, "p < 0.0001")],
)
def test_a_small_p_value_is_not_said_to_equal_a_bound(p: float, text: str) -> None:
    assert number_text.p_equation(p) == text
