from collections import Counter
from fractions import Fraction

import pytest

from limr.core.errors import InputError
from limr.grading.grade import Grader
from limr.problems import arithmetic

HELD_OUT = ("easy", "medium", "hard")


def prompts(n, seed, split):
    return {problem.prompt for problem in arithmetic.generate(n, seed, split)}


def value(expression):
    """Compute `3*(4+5)` independently of the generator, by precedence climbing on fractions."""
    tokens = list(expression)

    def number():
        digits = ""
        while tokens and tokens[0].isdigit():
            digits += tokens.pop(0)
        return Fraction(int(digits))

    def factor():
        if tokens[0] != "(":
            return number()
        tokens.pop(0)
        inside = total()
        assert tokens.pop(0) == ")"
        return inside

    def term():
        result = factor()
        while tokens and tokens[0] in "*/":
            result = result * factor() if tokens.pop(0) == "*" else result / factor()
        return result

    def total():
        result = term()
        while tokens and tokens[0] in "+-":
            result = result + term() if tokens.pop(0) == "+" else result - term()
        return result

    return total()


def check(prompt, answer):
    if ",x=?" not in prompt:
        return value(prompt.removesuffix("=?")) == Fraction(answer)
    left, right = prompt.removesuffix(",x=?").split("=")
    coefficient, rest = left.split("x")
    shown = f"{coefficient or 1}*{answer}{rest}"
    return value(shown) == Fraction(right)


def test_the_checker_itself():
    assert check("3*(4+5)=?", "27")
    assert check("1/2+1/3=?", "5/6")
    assert check("3x+7=22,x=?", "5")  # 3*5+7 = 22
    assert not check("3x+7=22,x=?", "6")
    assert not check("3+4=?", "8")


def test_every_answer_of_the_space_is_right():
    space = arithmetic._space()
    assert len(space) > 20_000
    assert all(check(prompt, entry.item.answer) for prompt, entry in space.items())


def test_solutions_are_short_right_and_use_the_alphabet():
    grader = Grader()
    for prompt, entry in arithmetic._space().items():
        text = arithmetic.solution(prompt)
        assert len(text) <= 27  # and the end token: 28
        assert set(prompt + text) <= set(arithmetic.CHARACTERS)
        assert text.endswith(f"\\boxed{{{entry.item.answer}}}")
        for step in text.replace("\\boxed{", "").rstrip("}").split(","):
            left, right = step.split("=")
            assert value(left) == Fraction(right), (prompt, text)
    assert grader.grade("5/6", arithmetic.solution("1/2+1/3=?"), truncated=False).verdict == (
        "correct"
    )


def test_worked_solutions_by_hand():
    assert arithmetic.solution("47+38=?") == "70+15=\\boxed{85}"
    assert arithmetic.solution("3x+7=22,x=?") == "22-7=15,15/3=\\boxed{5}"
    assert arithmetic.solution("47*13=?") == "470+141=\\boxed{611}"


def test_tokens_cover_every_text_with_the_box_as_one():
    tokens = arithmetic.TOKENS
    assert tokens[0] == "\\boxed{"
    assert len(set(tokens)) == len(tokens)
    plain = set(tokens[1:])
    for prompt in arithmetic._space():
        text = prompt + arithmetic.solution(prompt).replace("\\boxed{", "")
        assert set(text) <= plain
    assert set(arithmetic.CHARACTERS) == plain | set("\\boxed{")


def test_levels_are_even_and_ids_unique():
    problems = arithmetic.generate(384, 11, "train")
    assert Counter(p.level for p in problems) == dict.fromkeys(range(1, 7), 64)
    assert problems[0].problem_id == "arithmetic-train-0001"
    assert len({p.problem_id for p in problems}) == len({p.prompt for p in problems}) == 384
    assert {p.level for p in arithmetic.generate(120, 23, "medium")} == {3, 4}


def test_same_seed_same_problems_another_seed_others():
    assert arithmetic.generate(100, 1, "train") == arithmetic.generate(100, 1, "train")
    assert arithmetic.generate(100, 1, "train") != arithmetic.generate(100, 2, "train")
    assert arithmetic.warmup_examples(50, 1) == arithmetic.warmup_examples(50, 1)
    assert arithmetic.warmup_examples(50, 1) != arithmetic.warmup_examples(50, 2)


@pytest.mark.parametrize("seed", [1, 2])
def test_splits_are_disjoint_whatever_the_seed(seed):
    train, warmup = prompts(2000, seed, "train"), prompts(2000, seed + 1, "warmup")
    held_out = set().union(*(prompts(400, seed + 2, split) for split in HELD_OUT))
    shown = {prompt for prompt, _ in arithmetic.warmup_examples(5000, seed)}
    assert len(held_out) == 1200
    assert not train & warmup
    assert not held_out & (train | warmup | shown)
    assert not shown & train


def test_twins_stand_on_one_side():
    space = arithmetic._space()
    assert space["47+38=?"].bucket == space["38+47=?"].bucket
    assert space["1/2+1/3=?"].bucket == space["1/3+1/2=?"].bucket


def test_avoided_prompts_are_not_drawn():
    avoid = prompts(50, 3, "train")
    assert not avoid & {p.prompt for p in arithmetic.generate(384, 3, "train", avoid)}
    seen = {prompt for prompt, _ in arithmetic.warmup_examples(200, 3)}
    assert not seen & {prompt for prompt, _ in arithmetic.warmup_examples(2000, 3, seen)}


def test_everything_can_be_drawn_and_no_more():
    with pytest.raises(InputError, match=r"which has (\d+)") as error:
        arithmetic.generate(10**6, 1, "hard")
    available = int(str(error.value).rsplit(" ", 1)[1].rstrip("."))
    assert len(arithmetic.generate(available, 1, "hard")) == available
    with pytest.raises(InputError, match="Ask for 1 to"):
        arithmetic.generate(available + 1, 1, "hard")
    with pytest.raises(InputError, match="0 problems"):
        arithmetic.generate(0, 1, "hard")


def test_unknown_split_and_prompt():
    with pytest.raises(InputError, match="Did you mean 'train'"):
        arithmetic.generate(1, 1, "trian")
    with pytest.raises(InputError, match="not one of the generated"):
        arithmetic.solution("1+1+1=?")


def test_even_shares_fill_up_what_is_short():
    # 10 among capacities 2, 3, 20: 2, 3 and the remaining 5.
    assert arithmetic._divided(10, {"a": 2, "b": 3, "c": 20}) == {"a": 2, "b": 3, "c": 5}
    assert arithmetic._divided(5, {"a": 9, "b": 9}) == {"a": 3, "b": 2}


def test_warmup_noise_has_the_stated_shares():
    examples = arithmetic.warmup_examples(20_000, 5)
    boxed = wrong = worked = 0
    wrong_by_level = Counter()
    levels = Counter()
    for prompt, target in examples:
        entry = arithmetic._space()[prompt]
        shown = target.replace("\\boxed{", "").rstrip("}")
        has_working = "=" in shown
        answer = shown.rpartition("=")[2]
        boxed += "\\boxed{" in target
        worked += has_working
        is_wrong = answer != entry.item.answer
        wrong += is_wrong
        wrong_by_level[entry.level] += is_wrong
        levels[entry.level] += 1
    n = len(examples)
    # Standard error of a share near 0.3 or 0.45 with n = 20,000: 0.0035.
    assert boxed / n == pytest.approx(0.70, abs=0.015)
    assert worked / n == pytest.approx(0.45, abs=0.015)
    assert wrong / n == pytest.approx(0.15, abs=0.015)
    assert wrong_by_level[1] / levels[1] == pytest.approx(0.15 * 1 / 3.5, abs=0.02)
    assert wrong_by_level[6] / levels[6] == pytest.approx(0.15 * 6 / 3.5, abs=0.03)
    assert all(set(target) <= set(arithmetic.CHARACTERS) for _, target in examples)


def test_wrong_answers_are_wrong_and_nearby():
    answers = {arithmetic._wrong_answer("0", draw / 100) for draw in range(100)}
    assert answers == {"1", "2", "10"}
    assert "7/12" not in {arithmetic._wrong_answer("7/12", draw / 100) for draw in range(100)}
