"""`answer: last-line`: what the last line of a response states, and what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.grade import Grader
from limr.grading.last_line import statement

# The last line, what it states.
STATED = [
    ("72", "72"),
    ("#### 72", "72"),
    ("#### 1,200", "1,200"),
    ("#### -3.5", "-3.5"),
    ("## Answer: 72", "72"),
    ("**Answer: C**", "C"),
    ("**Answer:** C", "C"),
    ("**Answer**: C", "C"),
    ("__Answer: C__", "C"),
    ("Answer: **C**", "C"),
    ("- Answer: `C`", "C"),
    ("> **72**", "72"),
    ("***72***", "72"),
    ("ANSWER: C", "C"),
    ("Final answer: 72", "72"),
    ("The final answer is 72.", "72"),
    ("Therefore, the answer is $72$.", "$72$"),
    ("So the correct answer is: (C)", "(C)"),
    ("The correct option is C.", "C"),
    ("I choose option C.", "C"),
    ("I choose (C).", "(C)"),
    ("I would go with choice B", "B"),
    ("We pick the option (D).", "(D)"),
    ("Option C", "C"),
    ("Option C.", "C"),
    ("<answer>72</answer>", "72"),
    ("<answer>\n72\n</answer>", "72"),
    ("\\[\n72\n\\]", "72"),
    ("Answer: 72\n---", "72"),
    ("Answer: x = 5", "x = 5"),
    ("The answer is \\boxed{72}.", "72"),
    ("Answer: $\\boxed{\\frac{1}{2}}$", "\\frac{1}{2}"),
]
# The last line, and what it states: all that was not understood is left.
LEFT = [
    ("2**3", "2**3"),
    ("2 * 3 * 4", "2 * 3 * 4"),
    ("a_1 + a_2", "a_1 + a_2"),
    ("-5", "-5"),
    ("- 5", "- 5"),
    ("> 5", "> 5"),
    ("#5", "#5"),
    ("Answer: C or D", "C or D"),
    ("**Answer: C** or D", "C or D"),
    ("The answer is not C.", "not C"),
    ("I would not choose option C.", "I would not choose option C."),
    ("I choose neither option C nor D.", "neither option C nor D"),
    ("Option C is wrong.", "Option C is wrong"),
    ("The answer is 72 or 73.", "72 or 73"),
    ("\\boxed{5} or \\boxed{6}", "\\boxed{5} or \\boxed{6}"),
    ("\\boxed{5} is wrong", "\\boxed{5} is wrong"),
    ("It is known.", "It is known."),
]


@pytest.mark.parametrize(("line", "stated"), STATED + LEFT)
def test_what_a_line_states(line, stated):
    found = Grader({"answer": "last-line"}).grade("x", f"Because.\n{line}\n", truncated=False)
    assert found.answer == stated


@pytest.mark.parametrize(
    ("gold", "response", "verdict"),
    [
        ("72", "16 + 56 = 72\n#### 72", "correct"),
        ("72", "16 + 56 = 72\n#### 73", "incorrect"),
        ("C", "**Answer: C**", "correct"),
        ("C", "I choose option C.", "correct"),
        ("C", "I choose option D.", "incorrect"),
        ("C", "Answer: C\n\nAnswer: D", "incorrect"),
        ("\\frac{1}{2}", "The answer is **1/2**.", "correct"),
    ],
)
def test_verdicts(gold, response, verdict):
    assert Grader({"answer": "last-line"}).grade(gold, response, truncated=False).verdict == verdict


@given(st.text(alphabet="aC72 *_`#.->\n<answer>/:", max_size=60))
def test_there_is_an_answer_wherever_there_is_text(text):
    found = statement(text)
    assert (found is None) == (not text.strip())
    assert found is None or found.strip()
