"""Tables of rollouts, lists of rollouts, published pass rates, own tables of curves."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.trajectories import pass_counts, reader, reward_columns
from limr.trajectories.findings import Findings
from limr.trajectories.reading import Imported
from made_run import PROBLEMS, codes, counts, run, truth

RUN = run()
ROWS = [
    {"question": row.prompt, "generation": row.response, "global_step": row.step,
     "reward": float(row.correct)}
    for row in RUN
]  # fmt: skip
Row = dict[str, Any]


def lines(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path, given: bool = True, **options: Any) -> Imported:
    return reader.read([path], PROBLEMS if given else None, options)


def write(path: Path, rows: list[Row]) -> Path:
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1))
    else:
        lines(path, rows)
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet"])
def test_a_table_of_any_kind(tmp_path: Path, suffix: str) -> None:
    found = read(write(tmp_path / f"run.{suffix}", ROWS))
    assert found.format == "table"
    assert counts(found) == truth(RUN)
    assert dict(found.taken) == {
        "prompt": "question", "response": "generation", "step": "global_step", "reward": "reward",
    }  # fmt: skip


def test_tables_that_are_packed_or_several(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    half = len(ROWS) // 2
    for name, rows in (("part_0", ROWS[:half]), ("part_1", ROWS[half:])):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"a/{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    assert counts(read(tmp_path / "a")) == truth(RUN)


def test_a_map_names_the_columns(tmp_path: Path) -> None:
    rows = [
        {"meta": {"q": row.prompt, "at": row.step}, "r": float(row.correct), "reward": 0.3}
        for row in RUN
    ]
    path = lines(tmp_path / "run.jsonl", rows)
    named = {"prompt": "meta.q", "step": "meta.at", "reward": "r"}
    found = read(path, map=named)
    assert counts(found) == truth(RUN)
    assert dict(found.taken) == named
    with pytest.raises(InputError, match=r"map: 'promt' is none of .*Did you mean 'prompt'"):
        read(path, map={**named, "promt": "meta.q"})
    with pytest.raises(InputError, match=r"map: reward: there is no column 'rewrd'.*'reward'"):
        read(path, map={**named, "reward": "rewrd"})
    with pytest.raises(InputError, match=r"map: step: there is no column 'meta.step'"):
        read(path, map={**named, "step": "meta.step"})


def test_of_two_rewards_none_is_taken(tmp_path: Path) -> None:
    rows = [{**row, "judge_score": 1.0} for row in ROWS]
    path = lines(tmp_path / "run.jsonl", rows)
    with pytest.raises(InputError, match=r"2 columns may be the reward \(reward, judge_score\)"):
        read(path)
    assert counts(read(path, reward="reward")) == truth(RUN)
    assert counts(read(path, map={"reward": "reward"})) == truth(RUN)


def test_a_reward_of_form_is_never_correctness(tmp_path: Path) -> None:
    form = [{**row, "format_reward": 1.0, "length_penalty": -0.5} for row in ROWS]
    assert read(lines(tmp_path / "both.jsonl", form)).column == "reward"
    alone = [{k: v for k, v in row.items() if k != "reward"} for row in form]
    with pytest.raises(InputError, match="the only rewards are format_reward, which by name"):
        read(lines(tmp_path / "alone.jsonl", alone))


def test_what_says_correct_goes_before_the_reward(tmp_path: Path) -> None:
    rows = [{**row, "is_correct": bool(row["reward"]), "reward": 0.7} for row in ROWS]
    found = read(lines(tmp_path / "run.jsonl", rows))
    assert found.column == "is_correct"
    assert counts(found) == truth(RUN)


def test_rewards_within_an_object(tmp_path: Path) -> None:
    rows = [{**row, "reward": {"acc": row["reward"], "format": 1.0}} for row in ROWS]
    found = read(lines(tmp_path / "run.jsonl", rows))
    assert found.column == "reward.acc"
    assert counts(found) == truth(RUN)


def test_a_group_that_is_the_prompts_own_id_makes_no_single_visit(tmp_path: Path) -> None:
    made = zip(ROWS, RUN, strict=True)
    rows = [{**row, "group_id": f"prompt-{rollout.problem}"} for row, rollout in made]
    assert counts(read(lines(tmp_path / "run.jsonl", rows))) == truth(RUN)


def test_groups_tell_visits_where_steps_are_mixed(tmp_path: Path) -> None:
    made = zip(ROWS, RUN, strict=True)
    rows = [
        {**row, "group_id": f"{rollout.problem}-{rollout.epoch}",
         "global_step": rollout.step + rollout.sample % 2}
        for row, rollout in made
    ]  # fmt: skip
    assert counts(read(lines(tmp_path / "run.jsonl", rows))) == truth(RUN)


def test_an_id_of_each_row_is_no_id_of_the_prompt(tmp_path: Path) -> None:
    rows = [{**row, "id": str(i), "answer": f"guess {i}"} for i, row in enumerate(ROWS)]
    found = read(lines(tmp_path / "run.jsonl", rows), given=False)
    assert len(found.problem_ids) == len(PROBLEMS)
    assert not {"id", "gold"} & set(found.taken)
    named = zip(ROWS, RUN, strict=True)
    rows = [{**row, "problem_id": PROBLEMS[r.problem].problem_id, "answer": r.gold}
            for row, r in named]  # fmt: skip
    found = read(lines(tmp_path / "named.jsonl", rows), given=False)
    assert set(found.problem_ids.to_pylist()) == {p.problem_id for p in PROBLEMS}
    assert found.taken["gold"] == "answer"


def test_a_file_of_problems_is_no_log(tmp_path: Path) -> None:
    rows = [{"prompt": p.prompt, "answer": p.answer, "difficulty": "hard"} for p in PROBLEMS]
    with pytest.raises(InputError, match="no known format"):
        read(lines(tmp_path / "data.jsonl", rows))


@pytest.mark.parametrize(
    ("name", "says"),
    [("accuracy_reward", True), ("acc", True), ("is_correct", True), ("rewards/correctness", True),
     ("format_correct", False), ("n_correct", False), ("accuracy_std", False),
     ("correct_length", False), ("reward", False), ("accurate", False)],
)  # fmt: skip
def test_names_that_say_correct(name: str, says: bool) -> None:
    assert reward_columns.says_correct(name) is says


def listed(**more: Any) -> list[Row]:
    """One row a visit of a prompt."""
    visits = sorted({(row.step, row.problem, row.epoch) for row in RUN})
    found = []
    for step, problem, epoch in visits:
        mine = [row for row in RUN if (row.problem, row.epoch) == (problem, epoch)]
        found.append({
            "problem": PROBLEMS[problem].prompt, "answer": PROBLEMS[problem].answer, "step": step,
            "generations": [row.response for row in mine],
            "correctness": [row.correct for row in mine], **more,
        })  # fmt: skip
    return found


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_lists_of_rollouts(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(listed()), path)
    else:
        write(path, listed())
    found = read(path)
    assert found.format == "list-columns"
    assert counts(found) == truth(RUN)
    assert found.rollouts is not None
    texts = [t for _, responses, _ in found.rollouts.texts() for t in responses]
    assert sorted(t or "" for t in texts) == sorted(row.response for row in RUN)


def test_lists_of_two_verdicts_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "judge_correct": row["correctness"]} for row in listed()]
    path = lines(tmp_path / "data.jsonl", rows)
    with pytest.raises(InputError, match=r"2 columns may be the reward \(correctness, judge_corr"):
        read(path)
    assert counts(read(path, reward="judge_correct")) == truth(RUN)


# Correct samples of 16, or none measured, of each problem.
MEASURED: list[int | None] = [0, 1, 7, None, 9, 12, 15, 16]


def published(**columns: Any) -> list[Row]:
    return [
        {"problem": p.prompt, "answer": p.answer, **{n: v[i] for n, v in columns.items()}}
        for i, p in enumerate(PROBLEMS)
    ]


def rates(found: Imported) -> list[float | None]:
    return [None if np.isnan(r) else float(r) for r in found.samples.pass_rate]


EXPECTED = [None if k is None else k / 16 for k in MEASURED]


def test_pass_rates_as_texts(tmp_path: Path) -> None:
    texts = [None if k is None else f"{k}/16" for k in MEASURED]
    found = read(lines(tmp_path / "p.jsonl", published(difficulty=texts)))
    assert found.format == "pass-rates"
    assert rates(found) == EXPECTED
    assert set(found.samples.n.ravel().tolist()) == {0, 16}
    assert "guessed-samples" not in codes(found)
    assert "rates-missing" in codes(found)
    with pytest.raises(InputError, match=r"row 3: '9/8' is no k/n"):
        read(lines(tmp_path / "b.jsonl", published(difficulty=["1/8", "8/8", "9/8", *texts[3:]])))


def test_rates_without_a_number_of_samples_are_a_guess_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pq.write_table(pa.Table.from_pylist(published(llama8b_solve_rate=EXPECTED)), path)
    found = read(path)
    assert rates(found) == EXPECTED
    assert set(found.samples.n.ravel().tolist()) == {0, 16}
    assert "guessed-samples" in codes(found)
    given_ = read(path, samples=64)
    assert rates(given_) == EXPECTED
    assert set(given_.samples.n.ravel().tolist()) == {0, 64}
    assert "guessed-samples" not in codes(given_)
    with pytest.raises(InputError, match=r"0\.0625 is no k of 8"):
        read(path, samples=8)


def test_rates_that_are_rounded_need_the_number_of_samples(tmp_path: Path) -> None:
    rounded = [0.0, 0.14, 0.29, 0.43, 0.57, 0.71, 0.8571, 1.0]
    path = lines(tmp_path / "r.jsonl", published(pass_rate=rounded))
    with pytest.raises(InputError, match=r"no k of an n up to 256.*`samples: N`"):
        read(path)
    assert rates(read(path, samples=7)) == [k / 7 for k in range(8)]
    with pytest.raises(InputError, match=r"1.5 lies outside 0 to 1"):
        read(lines(tmp_path / "s.jsonl", published(pass_rate=[*rounded[:-1], 1.5])))


def test_difficulty_by_model_is_wrong_samples_of_16(tmp_path: Path) -> None:
    difficulty = [None if k is None else 16 - k for k in MEASURED]
    rows = [
        {"prompt": [{"role": "user", "content": p.prompt}],
         "extra_info": {"model_difficulty": {"Distill-1.5B": 0, "Distill-7B": difficulty[i]}}}
        for i, p in enumerate(PROBLEMS)
    ]  # fmt: skip
    path = tmp_path / "skywork.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    with pytest.raises(InputError, match=r"models Distill-1.5B, Distill-7B. Name one: `model"):
        read(path)
    found = read(path, model="Distill-7B")
    assert rates(found) == EXPECTED
    assert "wrong-of-samples" in codes(found)
    with pytest.raises(InputError, match=r"-8 correct of 8 samples cannot be"):
        read(path, model="Distill-7B", samples=8)


def test_counts_of_correct_and_all_samples(tmp_path: Path) -> None:
    right = [k or 0 for k in MEASURED]
    path = lines(tmp_path / "c.jsonl", published(num_correct=right, num_samples=[16] * 8))
    assert rates(read(path)) == [k / 16 for k in right]


def test_of_several_rates_one_is_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", published(solve_rate_1b=[0.5] * 8, solve_rate_7b=[0.25] * 8))
    with pytest.raises(
        InputError, match=r"2 columns may be the pass rate \(solve_rate_1b, solve_r"
    ):
        read(path)
    assert rates(read(path, column="solve_rate_7b")) == [0.25] * 8
    with pytest.raises(InputError, match="Did you mean 'solve_rate_7b'"):
        read(path, column="solve_rat_7b")


def test_a_text_that_was_measured_twice_is_pooled_and_a_copy_is_not(tmp_path: Path) -> None:
    rows = published(difficulty=["4/8"] * 8)
    again = [{**rows[0], "difficulty": "8/8"}, rows[1]]
    path = lines(tmp_path / "p.jsonl", [*rows, *again])
    found = reader.read([path], PROBLEMS, {}, "pass-rates")
    assert found.samples.n.ravel().tolist()[:3] == [16, 8, 8]
    assert found.samples.n_correct.ravel().tolist()[:3] == [12, 4, 4]
    assert "repeated-measurements" in codes(found)


@settings(max_examples=40)
@given(st.lists(st.fractions(0, 1, max_denominator=20), min_size=1, max_size=20))
def test_the_smallest_number_of_samples(values: list[Fraction]) -> None:
    found = pass_counts.smallest_samples(np.array([float(v) for v in values]))
    common = int(np.lcm.reduce([v.denominator for v in values]))
    if common <= pass_counts.MOST_SAMPLES:
        assert found == common
    else:
        assert found is None or found < common


@given(st.integers(1, 256), st.data())
def test_rates_of_a_given_number_come_back(n: int, data: st.DataObject) -> None:
    k = np.array(data.draw(st.lists(st.integers(0, n), min_size=1)))
    known = np.ones(len(k), bool)
    where = ["row"] * len(k)
    correct, total = pass_counts.of_shares(k / n, known, "rate", n, where, Findings())
    assert correct.tolist() == k.tolist()
    assert (total == n).all()


def curves() -> list[Row]:
    return [
        {"problem_id": PROBLEMS[p].problem_id, "epoch": e, "n": n, "n_correct": k}
        for p, row in enumerate(truth(RUN)) for e, (n, k) in enumerate(row)
    ]  # fmt: skip


@pytest.mark.parametrize("reward", [False, True])
def test_an_own_table_of_curves(tmp_path: Path, reward: bool) -> None:
    frame = pd.DataFrame(curves())  # int64, as pandas has it
    if reward:
        frame["mean_reward"] = frame["n_correct"] / frame["n"]
    path = tmp_path / "curves.parquet"
    frame.to_parquet(path)
    for found in (read(path), read(path, given=False)):
        assert found.format == "trajectories"
        assert sorted(counts(found)) == sorted(truth(RUN))
        means = found.table["mean_reward"]
        assert means.null_count == (0 if reward else len(frame))


def test_ragged_accuracies_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "acc.json"
    path.write_text(json.dumps({"0": [0.25, 0.5, 1.0], "1": [0.0, 0.75]}))
    found = read(path, given=False)
    assert found.format == "accuracy-json"
    assert found.samples.n_correct.tolist() == [[1, 2], [0, 3]]


def test_published_scores_are_recognised_and_have_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text(json.dumps([{"prompt": p.prompt, "score": 0.5} for p in PROBLEMS]))
    found = read(path)
    assert found.format == "scores-json"
    assert found.table["score"].to_pylist() == [0.5] * 8
    with pytest.raises(InputError, match="published scores, with no rollouts behind them"):
        _ = found.samples


@pytest.mark.parametrize("name", ["rank_{rank}/{step}", "step_{step}/rank{rank}",
                                  "{step}_rank{rank}", "rollouts_rank{rank}"])  # fmt: skip
def test_several_ranks_write_at_once(tmp_path: Path, name: str) -> None:
    steps_in_rows = "{step}" not in name
    for rollout, row in zip(RUN, ROWS, strict=True):
        path = tmp_path / (name.format(rank=rollout.sample % 2, step=rollout.step) + ".jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in row.items() if steps_in_rows or k != "global_step"}
        with path.open("a") as file:
            file.write(json.dumps(kept) + "\n")
    found = read(tmp_path)
    assert counts(found) == truth(RUN)
    assert "resumed" not in codes(found)


def test_shards_one_after_the_other_that_were_resumed(tmp_path: Path) -> None:
    for shard, (first, last) in enumerate([(1, 5), (4, 9), (10, 12)]):
        mine = [row for row, r in zip(ROWS, RUN, strict=True) if first <= r.step <= last]
        lines(tmp_path / f"run_shard_{shard}.jsonl", mine)
    found = read(tmp_path)
    assert counts(found) == truth(RUN)
    assert "resumed" in codes(found)


def test_rows_in_any_order(tmp_path: Path) -> None:
    shuffled = [ROWS[i] for i in stream(5, "test").permutation(len(ROWS))]
    assert counts(read(lines(tmp_path / "run.jsonl", shuffled))) == truth(RUN)


def test_ids_alone_and_numbers_as_ids(tmp_path: Path) -> None:
    rows = [{"problem_id": r.problem, "step": r.step, "correct": r.correct} for r in RUN]
    found = read(write(tmp_path / "run.csv", rows), given=False)
    assert set(found.problem_ids.to_pylist()) == {str(i) for i in range(8)}
    assert sorted(counts(found)) == sorted(truth(RUN))


def test_every_row_with_an_unreadable_step_is_counted(tmp_path: Path) -> None:
    odd = [{**row, "global_step": "?"} for row in ROWS[:3]]
    found = read(lines(tmp_path / "run.jsonl", [*ROWS, *odd]), bad_rows="leave-out")
    assert counts(found) == truth(RUN)
    assert (found.rows_read, found.rows_joined) == (len(ROWS) + 3, len(ROWS))
    assert [(r.rows, r.reason) for r in found.refused] == [
        (3, "it is not a rollout (its step is no whole number)")
    ]


def test_a_copy_of_a_step_beside_it_is_refused(tmp_path: Path) -> None:
    for name in ("1.jsonl", "2.jsonl", "02.jsonl"):
        lines(tmp_path / name, ROWS[:8])
    with pytest.raises(InputError, match=r"have one name but for zeros or packing"):
        read(tmp_path)
