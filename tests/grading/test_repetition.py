"""The search for repetitions: what its definition says, in bounded work."""

import hypothesis
import pytest
from hypothesis import strategies as st

from limr.grading import formats
from limr.grading.remembered import Remembered


def repeats_by_definition(line):
    """A second, slow implementation: a block of 5 or more characters, 5 times in a row."""
    return any(
        line[start : start + size] * 5 == line[start : start + 5 * size]
        for size in range(5, len(line) // 5 + 1)
        for start in range(len(line) - 5 * size + 1)
    )


@hypothesis.given(
    st.text("ab", max_size=40),
    st.text("abc", min_size=1, max_size=12),
    st.integers(1, 9),
    st.data(),
)
def test_repetition_is_what_its_definition_says(start, block, times, data):
    line = start + block * times + data.draw(st.text("ab", max_size=20))
    assert formats.repeats(line) == repeats_by_definition(line)


@pytest.mark.parametrize("unit", ["x+yz=" * 39 + "|", "a1+b-" * 38 + "=?"])
def test_a_stretch_that_does_not_count_is_judged_once_for_each_length(unit):
    judged = []
    assert not formats.repeats(unit * 4, lambda run, block: judged.append((run, block)))
    lengths = [size for size in range(5, len(unit) // 5 + 1) if size % 5 == 0]
    assert len(judged) <= 4 * len(lengths)


@pytest.mark.parametrize("length", [10, 1_000, 100_000])
def test_what_is_remembered_is_bounded_by_bytes(length):
    most = 1 << 20
    found = Remembered(most)
    for number in range(max(10 * most // length // 4, 20) if length > 10 else 10_000):
        key = ("gold", f"{number:07}" + "x" * length)
        found[key] = True
        found[key] = True
        assert key in found
    assert sum(len(answer) for _, answer in found) <= most
    assert len(found) >= most // (length + 1000)
    assert ("gold", "0000000" + "x" * length) not in found  # the oldest is the first to go
