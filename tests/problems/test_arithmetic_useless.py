import re
from collections import Counter
from operator import add, mul, sub

import pytest

from limr.core import validation
from limr.core.errors import InputError
from limr.core.tables import check_problems
from limr.grading.grade import Grader
from limr.problems import answer_audit, arithmetic, arithmetic_useless
from limr.problems.datasets import arithmetic as dataset


def pool(**options):
    return dataset.prepare({"problems": 200, "seed": 7, **options}, None)


def of_kind(problems, kind):
    return [p for p in problems if arithmetic_useless.kind(p.problem_id) == kind]


def test_without_the_share_nothing_is_another():
    plain = arithmetic.generate(200, 7, "train")
    assert pool()[0] == pool(useless=0)[0] == plain
    assert all(arithmetic_useless.kind(p.problem_id) is None for p in plain)


def test_the_share_and_its_kinds_are_as_asked_and_the_rest_can_teach():
    problems, notes = pool(useless=0.51)
    found = Counter(arithmetic_useless.kind(p.problem_id) for p in problems)
    assert found == {None: 98, "dead": 26, "hard": 26, "easy": 25, "duplicate": 25}
    assert notes[-1] == "102 of them teach nothing: dead 26, hard 26, easy 25, duplicate 25"
    assert problems == pool(useless=0.51)[0] != pool(useless=0.51, seed=8)[0]
    assert of_kind(problems, None) == arithmetic.generate(98, 7, "train")
    some = pool(useless=0.3, useless_kinds=["hard", "dead"])[0]
    assert Counter(arithmetic_useless.kind(p.problem_id) for p in some) == {
        None: 140,
        "hard": 30,
        "dead": 30,
    }
    check_problems(problems, "pool")
    assert {p.problem_id for p in of_kind(problems, "dead")} >= {"arithmetic-train-dead-0001"}


@pytest.mark.slow  # the first grades of a process take a second
def test_each_kind_is_what_it_says():
    problems = pool(useless=0.8)[0]
    useful = {(p.prompt, p.answer, p.level) for p in of_kind(problems, None)}
    grader = Grader()
    for problem in of_kind(problems, "dead"):
        right = arithmetic.solution(problem.prompt)
        assert grader.grade(problem.answer, right, truncated=False).verdict == "incorrect"
        assert problem.prompt not in {prompt for prompt, _, _ in useful}
        found = answer_audit.findings(problem.answer, lambda *_: True)
        assert "dead" in dict(found)
    copies = of_kind(problems, "duplicate")
    assert len(copies) == len(useful) == 40
    assert {(p.prompt, p.answer, p.level) for p in copies} == useful  # evenly, each once
    for problem in (*of_kind(problems, "hard"), *of_kind(problems, "easy")):
        first, sign, second = re.fullmatch(r"(\d+)([+*-])(\d+)=\?", problem.prompt).groups()
        found = {"+": add, "-": sub, "*": mul}[sign](int(first), int(second))
        assert found == int(problem.answer)
        assert problem.prompt not in arithmetic._space()
    assert all(len(p.answer) >= 4 for p in of_kind(problems, "hard"))


def test_worked_solutions_of_every_kind_end_in_the_right_answer_and_are_short():
    options = {"problems": 200, "seed": 7, "useless": 0.8}
    problems, solutions = dataset.prepare(options, None)[0], dataset.solutions(options, None)
    assert list(solutions) == [problem.problem_id for problem in problems]
    for problem in problems:
        text = solutions[problem.problem_id]
        assert len(text) <= 27 and set(problem.prompt + text) <= set(arithmetic.CHARACTERS)
        if arithmetic_useless.kind(problem.problem_id) != "dead":
            assert text.endswith(f"\\boxed{{{problem.answer}}}")
    assert arithmetic.solution("123*47=?") == "4920+861=\\boxed{5781}"
    assert arithmetic.solution("123*40=?") == "\\boxed{4920}"
    assert arithmetic.solution("57+0=?") == "\\boxed{57}"


def test_a_base_may_see_easy_problems_but_none_of_a_pool():
    seen = dict(arithmetic.warmup_examples(3000, 1, easy_share=0.5))
    easy = [pair for pair in seen.items() if pair[0] not in arithmetic._space()]
    assert len(easy) > 300
    assert set(easy) <= {(p, f"\\boxed{{{a}}}") for p, a in arithmetic_useless.easy("warmup")}
    assert not set(arithmetic_useless.easy("warmup")) & set(arithmetic_useless.easy("pool"))
    plain, some = arithmetic.warmup_examples(300, 1), arithmetic.warmup_examples(300, 1, (), (1, 2))
    assert plain == arithmetic.warmup_examples(300, 1, easy_share=0) != some
    mixed = arithmetic.warmup_examples(300, 1, easy_share=0.2)
    same = [one == other for one, other in zip(plain, mixed, strict=True)]
    assert 0.7 < sum(same) / 300 < 0.9  # the others are what they were


def test_families_by_name():
    problems = pool(problems=60, families=["brackets", "products"])[0]
    found = {arithmetic._space()[p.prompt].family for p in problems}
    assert found == {"brackets", "products"}
    assert pool(families=list(arithmetic.NAMES))[0] == pool()[0]
    dead = of_kind(pool(problems=40, families=["brackets"], useless=0.5)[0], "dead")
    assert {arithmetic._space()[p.prompt].family for p in dead} == {"brackets"}


def test_the_papers_reward_is_blind_to_a_dead_gold_already():
    problems = pool(useless=0.5, useless_kinds=["dead"], ungradable=1)[0]
    assert {p.answer for p in of_kind(problems, "dead")} == {"None"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"useless": 1}, "duplicates were asked for, and no other problem is left"),
        ({"problems": 400, "useless": 1, "useless_kinds": ["easy"]}, "there are 300. Lower"),
        ({"families": ["brackets"], "levels": [1]}, "no problem of the families"),
        ({"problems": 5000, "families": ["brackets"], "useless": 0.5}, "which has"),
    ],
)
def test_more_than_there_is_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        pool(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"useless": 1.2}, "useless"),
        ({"useless": -0.1}, "useless"),
        ({"useless_kinds": ["dead", "dead"]}, "twice"),
        ({"useless_kinds": []}, "useless_kinds"),
        ({"useless_kinds": ["deed"]}, "'deed'.*dead"),
        ({"families": ["bracket"]}, "'bracket'.*brackets"),
    ],
)
def test_what_cannot_be_is_refused_before_any_job(options, message):
    with pytest.raises(InputError, match=message):
        validation.complete({"problems": 9, **options}, dataset.Options, "test")


def test_one_kind_may_be_named_without_a_list_so_that_a_sweep_can():
    found = validation.complete({"problems": 9, "useless_kinds": "hard"}, dataset.Options, "test")
    assert found["useless_kinds"] == ["hard"]


def test_all_of_a_pool_may_teach_nothing():
    problems = pool(problems=20, useless=1, useless_kinds=["dead", "hard", "easy"])[0]
    assert len(problems) == 20 and not of_kind(problems, None)
