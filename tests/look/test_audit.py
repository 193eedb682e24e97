"""The audit of a log: what is planted is found, and a clean log is clean."""

import json

import numpy as np
import pytest
from audited_logs import PROMPT, Made

from limr.core.tables import Problem
from limr.look import audit
from limr.trajectories import reader


def audited(folder, problems=None, **options):
    return audit.check(reader.read([folder], problems), problems, **options)


def codes(result):
    return {finding.code for finding in result.findings}


def warnings(result):
    return {finding.code for finding in result.findings if finding.kind == "warning"}


def text(result, code):
    return next(finding.text for finding in result.findings if finding.code == code)


def prompt_of(frame_id, imported):
    """The number of the prompt behind a made id."""
    return imported.prompts[imported.problem_ids.to_pylist().index(frame_id)].split()[6]


@pytest.mark.slow
def test_clean_logs_are_clean(tmp_path):
    alarms = [
        seed
        for seed in range(20)
        if codes(audited(Made(seed=seed).sample().write(tmp_path / str(seed))))
        != {"reward-agreement", "not-checked"}
    ]
    assert not alarms


def test_a_clean_log_agrees_with_the_grader(tmp_path):
    result = audited(Made().sample().write(tmp_path / "log"))
    rates = result.evidence["reward-agreement"].set_index("what")["rate"]
    assert rates["Youden's J"] == 1
    assert "no column says which" in text(result, "not-checked")


def test_wrong_golds_are_candidates(tmp_path):
    made = Made()
    wrong = np.argsort(-made.skill)[:3].tolist()
    for prompt in wrong:
        made.gold[prompt] = str(made.answers[prompt] + 12345)
    made.sample()
    first = next(row for row in made.rows if row[1] == wrong[0])  # one response hits the gold
    first[3], first[4] = first[2], True
    folder = made.write(tmp_path / "log")
    result, imported = audited(folder), reader.read([folder])
    never = result.evidence["gold-never-matched"]
    assert {prompt_of(one, imported) for one in never["problem_id"]} == set(map(str, wrong[1:]))
    [contradicted] = result.evidence["gold-contradicted"].to_dict("records")
    assert contradicted["majority"] == str(made.answers[wrong[0]])
    assert contradicted["n_gold"] == 1
    assert (
        0.5
        < contradicted["low"]
        < contradicted["share"]
        == (contradicted["n_majority"] / contradicted["n"])
    )


def test_an_answer_that_the_policy_gives_everywhere_contradicts_nothing(tmp_path):
    made = Made()
    made.skill[:5] = -1
    made.sample()
    for row in made.rows:
        row[3] = row[3] if row[4] else "0"
    assert not {"gold-contradicted", "gold-never-matched"} & codes(
        audited(made.write(tmp_path / "log"))
    )


@pytest.mark.slow
def test_a_majority_in_another_spelling_is_the_gold_answer(tmp_path):
    made = Made()
    made.answers[:] = 3
    made.gold = ["\\frac{1}{2}"] * made.n_prompts
    made.sample()
    for number, row in enumerate(made.rows):
        row[3] = ("0.5", "\\dfrac12", "1/2")[number % 3] if row[1] % 2 else str(number)
        row[4] = bool(row[1] % 2)
    result = audited(made.write(tmp_path / "log"))
    assert codes(result) == {"reward-agreement", "not-checked"}
    assert result.evidence["reward-agreement"]["rate"].tolist() == [1, 0, 1]


def test_golds_that_nothing_can_match_are_named(tmp_path):
    made = Made()
    made.gold[3], made.gold[4], made.gold[5] = "", "None", "\\frac{1"
    result = audited(made.sample().write(tmp_path / "log"))
    assert sorted(result.evidence["gold-unusable"]["gold"]) == ["", "None", "\\frac{1"]


def test_wrong_rewards_are_found(tmp_path):
    made = Made().sample()
    for row in made.rows:
        right = row[3] == row[2]
        row[4] = (right and made.rng.random() > 0.2) or (not right and made.rng.random() < 0.3)
    result = audited(made.write(tmp_path / "log"))
    assert {"rewarded-although-wrong", "unrewarded-although-right"} <= warnings(result)
    rates = result.evidence["reward-agreement"].set_index("what")
    for what, true in (("rewarded if right", 0.8), ("rewarded if wrong", 0.3), ("Youden's J", 0.5)):
        assert rates.loc[what, "low"] < true < rates.loc[what, "high"]
    wrong = result.evidence["rewarded-although-wrong"]
    assert (wrong["gold"] != wrong["answer"]).all()
    assert wrong["n"].is_monotonic_decreasing
    right = result.evidence["unrewarded-although-right"]
    assert (right["gold"] == right["answer"]).all()


@pytest.mark.slow
def test_what_the_grader_does_not_understand_is_counted(tmp_path):
    made = Made().sample()
    for row in made.rows[:40]:
        row[3], row[4] = f"{row[3]} \\text{{ probably}}", False
    result = audited(made.write(tmp_path / "log"))
    assert result.evidence["not-understood"]["n"].sum() == 40
    assert "40 more could not be graded" in text(result, "reward-agreement")


def test_a_reward_that_knows_nothing_teaches_nothing(tmp_path):
    made = Made().sample()
    for row in made.rows:
        row[4] = bool(made.rng.random() < 0.5)
    assert "reward-uninformative" in warnings(audited(made.write(tmp_path / "log")))


def test_a_sample_is_said_and_the_same_each_time(tmp_path):
    folder = Made().sample().write(tmp_path / "log")
    first, second = (audited(folder, grade_most=200) for _ in range(2))
    assert "200 responses (a sample)" in text(first, "reward-agreement")
    assert first.findings == second.findings


def test_golds_come_from_the_problems_where_the_log_has_none(tmp_path):
    made = Made().sample()
    folder = made.write(tmp_path / "log")
    for file in folder.iterdir():
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "gts"}) + "\n"
                                for row in rows))  # fmt: skip
    assert "no gold answers" in text(audited(folder), "not-checked")
    problems = [
        Problem(f"p{p}", PROMPT.format(p), gold, "made")
        for p, gold in enumerate([*made.gold, "1", "2"])
    ]
    result = audited(folder, problems)
    assert result.evidence["reward-agreement"]["rate"].tolist() == [1, 0, 1]
    assert result.evidence["never-logged"]["problem_id"].tolist() == ["p40", "p41"]


@pytest.mark.parametrize("response", ["...", "The answer is 5.", "", "\\boxed{", "#### 7"])
def test_nothing_is_claimed_of_responses_without_answers(tmp_path, response):
    folder = Made().sample().write(tmp_path / "log", output=lambda _: response)
    assert codes(audited(folder)) == {"not-checked"}


def test_answers_outside_a_box_are_not_graded(tmp_path):
    made = Made().sample()
    folder = made.write(
        tmp_path / "log",
        output=lambda at: "\\boxed{1}" if at % 20 == 0 else f"#### {made.rows[at][3]}",
    )
    assert "no answer in a box" in text(audited(folder), "not-checked")


@pytest.mark.slow
def test_hostile_texts_do_no_harm(tmp_path):
    bad = ["\\boxed{" * 30_000, "\\boxed{9^{9^{9^{9}}}}", "\x00\u202e\\boxed{\ud800}", "{" * 99_999]
    made = Made().sample()
    folder = made.write(
        tmp_path / "log",
        output=lambda at: bad[at % 200] if at % 200 < 4 else f"\\boxed{{{made.rows[at][3]}}}",
    )
    assert "reward-agreement" in codes(audited(folder))


def lose(made, chance):
    """Lose each rollout with a chance that depends on whether it was rewarded."""
    made.rows = [row for row in made.rows if made.rng.random() >= chance(row[4])]
    return made


def test_lost_wrong_rollouts_are_found(tmp_path):
    made = lose(Made().sample(), lambda right: 0 if right else 0.4)
    result = audited(made.write(tmp_path / "log"))
    assert "size-goes-with-verdict" in warnings(result)
    rows = result.evidence["rollouts-lost"]
    lost = int((rows["full"] - rows["n"]).sum())
    assert next(f for f in result.findings if f.code == "rollouts-lost").count == lost
    assert "more often wrong" in text(result, "size-goes-with-verdict")


def test_rollouts_lost_at_random_are_no_alarm(tmp_path):
    made = lose(Made().sample(), lambda _: 0.15)
    result = audited(made.write(tmp_path / "log"))
    assert "rollouts-lost" in codes(result)
    assert not warnings(result)


def with_resume(made, at, seed=1):
    """Go on after `at` prompts of the second epoch with any others, as if none had had its turn."""
    n = made.n_prompts
    again = np.random.default_rng(seed).permutation(n)[: n - at]
    made.order[n + at : 2 * n] = again.tolist()
    return made


def test_a_resume_that_repeats_prompts_is_found(tmp_path):
    made = with_resume(Made(n_epochs=4, n_samples=2), 20)
    folder = made.sample().write(tmp_path / "log")
    result, imported = audited(folder), reader.read([folder])
    assert "broken-pass" in warnings(result)
    rows = result.evidence["broken-pass"]
    second = made.order[40:80]
    for what, count in (("repeated", 2), ("skipped", 0)):
        named = {prompt_of(one, imported) for one in rows["problem_id"][rows["what"] == what]}
        planted = {str(p) for p in range(40) if second.count(p) == count}
        assert len(named & planted) >= 0.9 * len(planted)
        assert len(named - planted) <= 1
    where = next(f for f in result.findings if f.code == "broken-pass").where
    assert where.split(".jsonl:")[0] in {str(step) for step in range(8, 11)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shuffled", "same-order", "unfinished", "dropped", "retired"])
def test_whole_passes_are_no_alarm(tmp_path, kind):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        epochs = [rng.permutation(43).tolist() for _ in range(5)]
        if kind == "same-order":
            epochs = [epochs[0]] * 5
        if kind == "unfinished":
            epochs[-1] = epochs[-1][:20]
        if kind == "dropped":  # the last batch of each epoch is not whole
            epochs = [epoch[:40] for epoch in epochs]
        if kind == "retired":
            epochs = [[p for p in e if p > 8 * number] for number, e in enumerate(epochs)]
        made = Made(
            n_prompts=43, n_samples=2, order=[p for epoch in epochs for p in epoch], seed=seed
        )
        result = audited(made.sample().write(tmp_path / str(seed)))
        assert not {"broken-pass", "no-passes"} & codes(result)


def test_draws_with_replacement_are_said_and_not_blamed(tmp_path):
    order = np.random.default_rng(0).integers(0, 40, 200).tolist()
    made = Made(n_samples=2, order=order).sample()
    result = audited(made.write(tmp_path / "log"))
    assert "no-passes" in codes(result)
    assert "broken-pass" not in codes(result)


def test_truncation_by_a_flag_and_its_rise(tmp_path):
    made = Made().sample()
    cut = [made.rng.random() < 0.02 + 0.01 * row[0] for row in made.rows]
    folder = made.write(tmp_path / "log", truncated=lambda at: bool(cut[at]))
    result = audited(folder)
    rows = result.evidence["truncated"]
    assert rows["truncated"].sum() == sum(cut)
    assert "rising" in text(result, "truncated")
    assert "truncated" in warnings(result)


@pytest.mark.parametrize("name", ["finish_reason", "response_length"])
def test_truncation_by_other_columns(tmp_path, name):
    made = Made().sample()
    cut = made.rng.random(len(made.rows)) < 0.03
    lengths = np.where(cut, 2048, made.rng.integers(100, 2048, len(cut)))
    value = {
        "finish_reason": lambda at: "length" if cut[at] else "stop",
        "response_length": lambda at: int(lengths[at]),
    }[name]
    result = audited(made.write(tmp_path / "log", **{name: value}))
    assert result.evidence["truncated"]["truncated"].sum() == cut.sum()
    assert "truncated" not in warnings(result)


@pytest.mark.parametrize(
    ("name", "values"),
    [("finish_reason", ["stop", "eaten"]), ("truncated", [0, 0.5]), ("response_length", [7, 900])],
)
def test_truncation_is_not_guessed(tmp_path, name, values):
    made = Made().sample()
    spread = range(len(made.rows))
    given = [values[at % 2] if name != "response_length" else 70 + at for at in spread]
    folder = made.write(tmp_path / "log", **{name: lambda at: given[at]})
    result = audited(folder)
    assert "truncated" not in codes(result)
    assert "truncation" in text(result, "not-checked")


def test_responses_that_the_log_cuts_are_said_and_not_graded(tmp_path):
    made = Made().sample()

    def response(at):
        words = f"{at} " * int(40 + 60 * (at % 7 == 0))
        return f"{words}\\boxed{{1}} or \\boxed{{{made.rows[at][3]}}}"[:300]

    result = audited(made.write(tmp_path / "log", output=response))
    assert "responses-cut" in warnings(result)
    assert not {"rewarded-although-wrong", "unrewarded-although-right"} & warnings(result)
