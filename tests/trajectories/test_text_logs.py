"""Logs of other trainers: verl's JSON lines and TRL's completions, joined by text."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core import own_files, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import json_rows, prompt_index
from limr.trajectories.importers import trl_parquet, verl_jsonl

PROMPTS = {"A": "What is 1 + 1?", "B": "What is 2 + 2?", "C": "Let $x$ be\n  even."}
PROBLEMS = [Problem(key, prompt, "1", "t") for key, prompt in PROMPTS.items()]
QWEN = ("system\nPlease reason step by step.\nuser\n", "\nassistant\n")


def framed(prompt):
    return QWEN[0] + prompt + QWEN[1]


def rollouts(a=(1.0, 0.0), b=(0.0, 0.0)):
    """Two epochs of two steps: (step, problem, score)."""
    return [(1, "A", a[0]), (1, "A", a[1]), (2, "B", b[0]), (2, "B", b[1]),
            (3, "B", 1.0), (3, "B", 0.0), (4, "A", 1.0), (4, "A", 1.0)]  # fmt: skip


EXPECTED = {"A": [[2, 2], [1, 2]], "B": [[2, 2], [0, 1]], "C": [[0, 0], [0, 0]]}


def counts(found):
    samples = found.samples
    rows = zip(
        found.problem_ids.to_pylist(), samples.n.tolist(), samples.n_correct.tolist(), strict=True
    )
    return {key: [n, n_correct] for key, n, n_correct in rows}


def write_verl(folder, rows, frame=framed, **extra):
    folder.mkdir(exist_ok=True)
    for step in {row[0] for row in rows}:
        lines = [
            json.dumps({"input": frame(PROMPTS.get(key, key)), "output": "x\u2028y", "gts": "2",
                        "score": score, "step": step, **{k: v[i] for k, v in extra.items()}})
            for i, (at, key, score) in enumerate(rows) if at == step
        ]  # fmt: skip
        (folder / f"{step}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def read_verl(path, problems=PROBLEMS, **options):
    settings = validation.complete(
        {"steps_per_epoch": 2, **options}, verl_jsonl.Options, "verl-jsonl"
    )
    return verl_jsonl.read(own_files.expand(path, verl_jsonl), problems, settings)


def test_verl_rows_are_joined_without_their_template(tmp_path):
    found = read_verl(write_verl(tmp_path / "v", rollouts()))
    assert counts(found) == EXPECTED
    assert "a chat template around the prompts was taken off" in " ".join(found.notes)
    assert (found.rows_read, found.rows_joined, found.refused) == (8, 8, ())


def test_verl_rows_without_a_template_and_with_other_blanks(tmp_path):
    rows = [(s, "Let $x$ be even." if k == "B" else k, v) for s, k, v in rollouts()]
    found = read_verl(write_verl(tmp_path / "v", rows, frame=lambda text: f" {text}\n"))
    assert counts(found)["C"] == EXPECTED["B"]
    assert counts(found)["A"] == EXPECTED["A"]


def test_verl_without_problems(tmp_path):
    found = read_verl(write_verl(tmp_path / "v", rollouts()), None)
    assert [text.split("\n")[3] for text in found.prompts] == [PROMPTS["A"], PROMPTS["B"]]
    assert list(counts(found).values()) == [EXPECTED["A"], EXPECTED["B"]]


def test_verl_in_one_file_with_steps_in_its_rows(tmp_path):
    folder = write_verl(tmp_path / "v", rollouts())
    whole = tmp_path / "all.jsonl"
    whole.write_text("".join((folder / f"{s}.jsonl").read_text() for s in (3, 1, 4, 2)))
    assert counts(read_verl(whole)) == EXPECTED


def test_verl_takes_the_step_from_the_file_name_where_rows_have_none(tmp_path):
    folder = write_verl(tmp_path / "v", rollouts())
    for path in folder.iterdir():
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        text = "\n".join(json.dumps({k: v for k, v in r.items() if k != "step"}) for r in rows)
        path.write_text(text)
    assert counts(read_verl(folder)) == EXPECTED


def test_what_the_log_says_of_correctness_goes_before_the_score(tmp_path):
    rows = rollouts(a=(0.7, -0.3))  # penalties in the score
    acc = [True, False, False, False, True, False, True, True]
    folder = write_verl(tmp_path / "v", rows, acc=acc)
    assert counts(read_verl(folder)) == EXPECTED
    with pytest.raises(InputError, match=r"none of the rule's.*reward 0\.7|reward 0\.7.*none of"):
        read_verl(folder, correct_key=None)
    found = read_verl(folder, correct_key=None, other_rewards=None)
    assert counts(found)["A"] == [[2, 2], [0, 2]]


@pytest.mark.parametrize(
    ("acc", "message"),
    [([1, 0, None, 0, 1, 0, 1, 1], "lacks the key"), ([1, 0, 0.5, 0, 1, 0, 1, 1], "true or false")],
)
def test_a_log_that_says_it_in_some_rows_only_is_refused(tmp_path, acc, message):
    with pytest.raises(InputError, match=message):
        read_verl(write_verl(tmp_path / "v", rollouts(), acc=acc))


def test_scores_as_texts_and_broken_lines(tmp_path):
    folder = write_verl(tmp_path / "v", [(s, k, str(v)) for s, k, v in rollouts()])
    assert counts(read_verl(folder)) == EXPECTED  # some forks write every value as a text
    path = folder / "2.jsonl"
    lines = path.read_bytes().splitlines()
    for bad, message in [
        (lines[0][:30], "2.jsonl:2: it is not a rollout .*cut short"),
        (b'{"input": 3, "score": 1.0}', "2.jsonl:2: it is not a rollout"),
        (b'{"input": "\xff", "score": 1.0}', "2.jsonl:2: it is not a rollout"),
        (lines[0].replace(b'"0.0"', b'"nan"'), "2.jsonl:2 .*not a finite number"),
        (b"[" * 100_000, "2.jsonl:2: it is not a rollout"),
        (b"null", "2.jsonl:2: it is not a rollout"),
    ]:
        path.write_bytes(b"\n".join([lines[0], bad, lines[1]]))
        with pytest.raises(InputError, match=message):
            read_verl(folder)
        found = read_verl(folder, bad_rows="leave-out")
        assert counts(found) == EXPECTED
        assert [r.rows for r in found.refused] == [1]


def test_a_line_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "LONGEST_LINE", 100)
    with pytest.raises(InputError, match=r"1\.jsonl:1: a line of more than"):
        read_verl(write_verl(tmp_path / "v", rollouts()))


def test_empty_logs(tmp_path):
    (tmp_path / "1.jsonl").write_text("\n \n")
    with pytest.raises(InputError, match="no rows in it"):
        read_verl(tmp_path)


def test_batches_of_a_file_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(verl_jsonl, "_MOST_ROWS", 1)
    assert counts(read_verl(write_verl(tmp_path / "v", rollouts()))) == EXPECTED


def write_trl(folder, rows, step=int, frame=framed, **extra):
    folder.mkdir(exist_ok=True)
    for at in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == at]
        columns = {
            "step": [step(at)] * len(mine),
            "prompt": [frame(PROMPTS.get(key, key)) for _, key, _ in mine],
            "completion": ["x"] * len(mine),
            "accuracy": [value for *_, value in mine],
            "advantage": [0.0] * len(mine),
            **{name: [value] * len(mine) for name, value in extra.items()},
        }
        pq.write_table(pa.table(columns), folder / f"completions_{at:05d}.parquet")
    return folder


def read_trl(path, problems=PROBLEMS, **options):
    settings = validation.complete({"steps_per_epoch": 2, **options}, trl_parquet.Options, "trl")
    return trl_parquet.read(own_files.expand(path, trl_parquet), problems, settings)


@pytest.mark.parametrize("step", [int, str])
def test_trl_completions(tmp_path, step):
    assert counts(read_trl(write_trl(tmp_path / "t", rollouts(), step=step))) == EXPECTED


def test_trl_reward_must_be_named_where_there_are_several(tmp_path):
    folder = write_trl(tmp_path / "t", rollouts(), length=0.3)
    with pytest.raises(InputError, match=r"2 columns may be the reward \(accuracy, length\)"):
        read_trl(folder)
    with pytest.raises(InputError, match="Did you mean 'accuracy'"):
        read_trl(folder, reward="acuracy")
    assert counts(read_trl(folder, reward="accuracy")) == EXPECTED


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((2, "B", None), "completions_00002.parquet: row 3 .*not a finite number"),
        ((2, "B", 0.25), "row 3 .*none of the rule's"),
        ((2, "zz", 1.0), "row 3 .*in no problem file"),
    ],
)
def test_trl_rows_that_cannot_be_used(tmp_path, row, message):
    rows = rollouts()
    rows.insert(4, row)
    with pytest.raises(InputError, match=message):
        read_trl(write_trl(tmp_path / "t", rows))


def test_trl_files_that_are_none(tmp_path):
    folder = write_trl(tmp_path / "t", rollouts())
    path = folder / "completions_00003.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"completions_00003.parquet: not a readable parquet"):
        read_trl(folder)
    pq.write_table(pa.table({"step": [3]}), path)
    with pytest.raises(InputError, match=r"column 'prompt' is missing.*log_completions"):
        read_trl(folder)
    pq.write_table(pa.table({"step": ["three"], "prompt": ["x"], "r": [1.0]}), path)
    with pytest.raises(InputError, match=r"completions_00003.parquet"):
        read_trl(folder)


def test_a_log_without_steps_per_epoch_is_refused_before_it_is_read():
    for module in (verl_jsonl, trl_parquet):
        settings = validation.complete({}, validation.options(module), "log")
        with pytest.raises(InputError, match="steps_per_epoch is needed"):
            module.check(settings)
        settings = validation.complete(
            {"steps_per_epoch": 2, "other_rewards": [1]}, validation.options(module), "l"
        )
        with pytest.raises(InputError, match="is in correct_rewards and in other_rewards"):
            module.check(settings)


def test_prompts_that_are_all_different_are_refused_before_they_fill_the_memory(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(prompt_index, "MOST_MADE", 3)
    rows = [(1, f"What is {i}?", 1.0) for i in range(4)]
    with pytest.raises(
        InputError, match=r"more than 3 distinct prompts, such as .*Give the problems"
    ):
        read_verl(write_verl(tmp_path / "v", rows), None)


def test_unknown_prompts_are_not_kept():
    index = prompt_index.PromptIndex(PROBLEMS)
    for i in range(200):
        assert index.find([f"unknown {i}", PROMPTS["B"]]).tolist() == [-1, 1]
    assert len(index._seen) == 1
