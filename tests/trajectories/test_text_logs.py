"""Logs of other trainers: verl's JSON lines and TRL's completions, joined by text."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core import own_files, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import json_records, json_rows, log_builder, matching
from limr.trajectories.findings import Findings
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
    assert "the problems are inside a chat template or an instruction" in " ".join(found.report())
    assert (found.rows_read, found.rows_joined, found.refused) == (8, 8, ())


def test_epochs_are_visits_where_no_steps_per_epoch_is_given(tmp_path):
    assert (
        counts(read_verl(write_verl(tmp_path / "v", rollouts()), steps_per_epoch=None)) == EXPECTED
    )


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
    with pytest.raises(InputError, match=r"none of the rule's[\s\S]*0\.7 +1 rows"):
        read_verl(folder, correct_key=None)
    found = read_verl(folder, correct_key=None, other_rewards=None)
    assert counts(found)["A"] == [[2, 2], [0, 2]]


def test_where_a_log_says_nothing_of_correctness_the_score_tells_and_that_is_said(tmp_path):
    folder = write_verl(tmp_path / "v", rollouts(), acc=[1, 0, None, 0, 1, 0, 1, 1])
    found = read_verl(folder)
    assert counts(found) == EXPECTED
    assert "in 1 rows 'acc' says neither true nor false; there 'score' tells" in " ".join(
        found.report()
    )


def test_a_log_that_says_it_by_shares_is_refused(tmp_path):
    folder = write_verl(tmp_path / "v", rollouts(), acc=[1, 0, 0.5, 0, 1, 0, 1, 1])
    with pytest.raises(InputError, match=r"neither true nor false in some rows[\s\S]*0\.5 +1 rows"):
        read_verl(folder)


def test_scores_as_texts_and_broken_lines(tmp_path):
    folder = write_verl(tmp_path / "v", [(s, k, str(v)) for s, k, v in rollouts()])
    assert counts(read_verl(folder)) == EXPECTED  # some forks write every value as a text
    path = folder / "2.jsonl"
    lines = path.read_bytes().splitlines()
    for bad, message in [
        (lines[0][:30], "2.jsonl:2: it is not a rollout .*cut short"),
        (b'{"input": 3, "score": 1.0}', "2.jsonl:2: it is not a rollout"),
        (b'{"input": "\xff", "score": 1.0}', "2.jsonl:2: it is not a rollout"),
        (b"[" * 100_000, "2.jsonl:2: it is not a rollout"),
        (b"null", "2.jsonl:2: it is not a rollout"),
    ]:
        path.write_bytes(b"\n".join([lines[0], bad, lines[1]]))
        with pytest.raises(InputError, match=message):
            read_verl(folder)
        found = read_verl(folder, bad_rows="leave-out")
        assert counts(found) == EXPECTED
        assert [r.rows for r in found.refused] == [1]


def test_scores_that_are_no_number_are_left_out_and_said(tmp_path):
    folder = write_verl(tmp_path / "v", rollouts())
    path = folder / "2.jsonl"
    line = path.read_bytes().splitlines()[0]
    for score in (b'"nan"', b"NaN", b"null", b'"?"', b"Infinity"):
        path.write_bytes(b"\n".join([line, line.replace(b"0.0", score), line]))
        found = read_verl(folder)
        assert counts(found) == EXPECTED, score
        [finding] = [f for f in found.findings if f.code == "missing-scores"]
        assert (finding.count, finding.where, finding.kind) == (1, "2.jsonl:2", "warning")
        assert counts(read_verl(folder, missing_scores="wrong"))["B"][0] == [3, 2]


def test_a_line_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "LONGEST_LINE", 100)
    monkeypatch.setattr(json_records, "_BYTES", 10)
    with pytest.raises(InputError, match=r"1\.jsonl: a line of more than"):
        read_verl(write_verl(tmp_path / "v", rollouts()))


def test_empty_logs(tmp_path):
    (tmp_path / "1.jsonl").write_text("\n \n")
    with pytest.raises(InputError, match=r"1\.jsonl: not of the format.*no rows"):
        read_verl(tmp_path)


def test_batches_of_a_file_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(json_records, "_BYTES", 10)
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
    folder = write_trl(tmp_path / "t", rollouts(), is_correct=0.0, length=0.3)
    with pytest.raises(InputError, match=r"2 columns may be the reward \(accuracy, is_correct\)"):
        read_trl(folder)
    with pytest.raises(InputError, match="Did you mean 'accuracy'"):
        read_trl(folder, reward="acuracy")
    assert counts(read_trl(folder, reward="accuracy")) == EXPECTED


def test_trl_takes_the_column_that_is_called_correct(tmp_path):
    found = read_trl(write_trl(tmp_path / "t", rollouts(), length=0.3, style=1.0, judge=0.7))
    assert counts(found) == EXPECTED
    assert found.column == "accuracy"


def test_trl_rows_that_cannot_be_used(tmp_path):
    rows = [*rollouts(), (2, "B", None)]
    found = read_trl(write_trl(tmp_path / "none", rows))
    assert counts(found) == EXPECTED
    assert "'accuracy' is missing in 1 rows (1 null)" in " ".join(found.report())
    assert "First: completions_00002.parquet: row 3." in " ".join(found.report())
    with pytest.raises(InputError, match=r"none of the rule's[\s\S]*0\.25 +1 rows"):
        read_trl(write_trl(tmp_path / "odd", [*rollouts(), (2, "B", 0.25)]))
    foreign = write_trl(tmp_path / "zz", [*rollouts(), (2, "zz", 1.0), (3, "zz", 1.0)])
    with pytest.raises(InputError, match=r"00002.parquet: row 3 .*in no problem file"):
        read_trl(foreign)
    assert counts(read_trl(foreign, bad_rows="leave-out")) == EXPECTED


def test_trl_files_that_are_none(tmp_path):
    folder = write_trl(tmp_path / "t", rollouts())
    path = folder / "completions_00003.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"completions_00003.parquet: not a readable parquet"):
        read_trl(folder)
    pq.write_table(pa.table({"step": [3]}), path)
    with pytest.raises(InputError, match=r"00003.parquet: not a readable parquet file.*prompt"):
        read_trl(folder)
    columns = {"step": ["three"], "prompt": ["x"], "completion": ["y"], "accuracy": [1.0]}
    pq.write_table(pa.table(columns), path)
    with pytest.raises(InputError, match=r"completions_00003.parquet: row 1.*no whole number"):
        read_trl(folder)


def test_a_reward_that_means_two_things_is_refused_before_the_log_is_read():
    for module in (verl_jsonl, trl_parquet):
        module.check(validation.complete({}, validation.options(module), "log"))
        settings = validation.complete({"other_rewards": [1]}, validation.options(module), "log")
        with pytest.raises(InputError, match="is in correct_rewards and in other_rewards"):
            module.check(settings)


def test_prompts_that_are_all_different_are_refused_before_they_fill_the_memory(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(log_builder, "MOST_MADE", 3)
    rows = [(1, f"What is {i}?", 1.0) for i in range(4)]
    with pytest.raises(InputError, match=r"more than 3 distinct prompts, such as "):
        read_verl(write_verl(tmp_path / "v", rows), None)


def test_a_text_of_none_of_the_problems_is_unknown():
    prompts = [(f"unknown {i}", None) for i in range(200)] + [(PROMPTS["B"], "9"), (" ", None)]
    found, _ = matching.to_problems(prompts, PROBLEMS, Findings())
    assert found.tolist() == [-1] * 200 + [1, -1]


def joined(texts, problems):
    found = Findings()
    places, _ = matching.to_problems([(text, None) for text in texts], problems, found)
    return places.tolist(), {one.code: one for one in found}


def test_of_frames_that_fit_as_well_the_longest_problem_is_meant():
    """'2 + 2' is a problem, and a part of the other one, which is asked here."""
    for n in range(12):
        problems = [Problem("part", "2 + 2", "4", "t"),
                    Problem("whole", f"{'1 + ' * n}2 + 2 + 2 =", "6", "t")]  # fmt: skip
        [place], said = joined([f"Please: {problems[1].prompt} Answer:"], problems)
        assert problems[place].problem_id == "whole"
        assert said["frames"].text.endswith("taken off: 'Please: ' … 'Answer:' (1 prompts).")
        assert said["frames"].count == 1


def test_three_frames_are_shown_and_the_others_counted():
    problems = [Problem(str(n), f"{'x' * n} plus {'y' * n} makes?", "1", "t") for n in range(1, 4)]
    ends = ["", "!", "?" * 40, "." * 41, "-"]
    texts = [f"{'#' * m}: {one.prompt}{end}" for m, end in enumerate(ends, 1) for one in problems]
    places, said = joined(texts, problems)
    assert places == [0, 1, 2] * 5
    text = said["frames"].text
    assert text.count("(3 prompts)") == 3
    assert text.endswith(" and 2 others.")
    assert said["frames"].count == 5
    [frames] = [joined(texts[a : a + 3], problems)[1]["frames"].text for a in [6]]
    assert f"'###: ' … '{'?' * 40}' (3" in frames
    [frames] = [joined(texts[a : a + 3], problems)[1]["frames"].text for a in [9]]
    assert f"'####: ' … '{'.' * 40}…' (3" in frames


def test_rows_without_an_id_are_not_two_texts_of_the_last_one():
    def doubtful(*rows):
        names, texts = ["a", "b"], ["one", "two", "o ne", "three"]
        log = SimpleNamespace(
            names=names,
            name=np.array([name for name, _ in rows]),
            prompts=[(text, None) for text in texts],
            prompt=np.array([prompt for _, prompt in rows]),
        )
        return matching.ids_of_several_texts(log)

    assert doubtful((0, 0), (1, 1), (-1, 2), (-1, 3)) == []
    assert doubtful((0, 0), (0, 2), (1, 1), (1, 1)) == []  # blanks aside, and a row twice
    assert doubtful((0, 0), (0, 1), (1, 3), (-1, 2)) == ["a"]
    assert doubtful((1, 2), (0, 0), (1, 3), (-1, 2)) == ["b"]
    assert doubtful((1, 0), (0, 0), (0, 3), (1, 3)) == ["a", "b"]
