"""Faults of logs, made here: repeats, resumes, evaluations, frames, values, visits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import Problem
from limr.trajectories import log_files, matching, reader, visits
from limr.trajectories.findings import Findings
from limr.trajectories.reading import Imported

Row = dict[str, Any]
PROMPTS = [f"What is {i} plus {7 * i}? Answer with a number." for i in range(12)]
PROBLEMS = [Problem(f"p{i}", text, str(8 * i), "t") for i, text in enumerate(PROMPTS)]
SAMPLES, PER_STEP, EPOCHS = 4, 3, 4


def rate(problem: int, epoch: int) -> float:
    return min(1.0, problem / 12 + epoch / 10)


def rows(
    epochs: Iterable[int] = range(EPOCHS), first: int = 1, seed: int = 1,
    frame: Callable[[int], str] = PROMPTS.__getitem__,
) -> list[Row]:  # fmt: skip
    """A run: each epoch in another order, some of the samples right."""
    draws, step, found = stream(seed, "test"), first - 1, []
    for epoch in epochs:
        for place, problem in enumerate(draws.permutation(len(PROMPTS)).tolist()):
            step += place % PER_STEP == 0
            found += [
                {"input": frame(problem), "output": f"sample {draws.random()}", "step": step,
                 "score": float(draws.random() < rate(problem, epoch))}
                for _ in range(SAMPLES)
            ]  # fmt: skip
    return found


def write(folder: Path, found: list[Row], name: str = "{}.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for step in dict.fromkeys(row["step"] for row in found):
        lines = [json.dumps(row) for row in found if row["step"] == step]
        (folder / name.format(step)).write_text("\n".join(lines) + "\n")
    return folder


def write_one(path: Path, found: list[Row]) -> Path:
    path.write_text("\n".join(map(json.dumps, found)) + "\n")
    return path


def counts(found: Imported) -> list[list[list[int]]]:
    """Per problem of PROBLEMS: samples and correct ones by visit."""
    samples = found.samples
    return [[n, k] for n, k in zip(samples.n.tolist(), samples.n_correct.tolist(), strict=True)]


def truth(found: list[Row]) -> list[list[list[int]]]:
    """The same, counted plainly: a visit is a step."""
    result = []
    for text in PROMPTS:
        mine = [row for row in found if text in row["input"]]
        by_step = [[r["score"] for r in mine if r["step"] == step]
                   for step in sorted({row["step"] for row in mine})]  # fmt: skip
        by_step += [[]] * (EPOCHS - len(by_step))
        result.append([[len(v) for v in by_step], [int(sum(v)) for v in by_step]])
    return result


def codes(found: Imported) -> set[str]:
    return {finding.code for finding in found.findings}


def test_a_run_is_counted_as_it_was(tmp_path: Path) -> None:
    found = reader.read([write(tmp_path / "v", rows())], PROBLEMS)
    assert counts(found) == truth(rows())
    assert codes(found) == set()


def test_a_field_step_that_never_moves_gives_way_to_the_files_names(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", rows())
    for path in folder.iterdir():
        lines = [{**json.loads(line), "step": 0} for line in path.read_text().splitlines()]
        path.write_text("\n".join(map(json.dumps, lines)))
    for options in ({}, {"steps_per_epoch": 4}):
        assert counts(reader.read([folder], PROBLEMS, options)) == truth(rows())


@pytest.mark.parametrize("n", [2, 3])
def test_repeated_generations_count_once(tmp_path: Path, n: int) -> None:
    """A generation that serves n updates is logged under n steps."""
    again = [{**row, "step": n * (row["step"] - 1) + k + 1} for row in rows() for k in range(n)]
    found = reader.read([write(tmp_path / "v", again)], PROBLEMS)
    assert counts(found) == truth(rows())
    assert codes(found) == {"repeated-generations"}


@pytest.mark.parametrize("how", ["pairs", "halves"])
def test_doubled_rows_count_once(tmp_path: Path, how: str) -> None:
    once = rows()
    twice = [row for row in once for _ in range(2)] if how == "pairs" else [
        row for step in sorted({r["step"] for r in once})
        for _ in range(2) for row in once if row["step"] == step]  # fmt: skip
    found = reader.read([write(tmp_path / "v", twice)], PROBLEMS)
    assert counts(found) == truth(once)
    assert "doubled-rows" in codes(found)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_last_attempt_counts(tmp_path: Path, seed: int) -> None:
    """Resumed after step 8 (of 16), in the same order or in another, in one file."""
    first = [row for row in rows() if row["step"] <= 11]
    second = rows(range(2, 4), first=9, seed=seed + 10)
    path = write_one(tmp_path / "run.jsonl", first + second)
    found = reader.read([path], PROBLEMS)
    kept = [row for row in first if row["step"] < 9] + second
    assert counts(found) == truth(kept)
    resumed = next(f for f in found.findings if f.code == "resumed")
    assert "steps 9 to 11" in resumed.text
    assert resumed.count == len(first) - len([r for r in first if r["step"] < 9])


@pytest.mark.parametrize("seed", [1, 2])
def test_steps_that_a_resumed_run_appended_to_the_same_files(tmp_path: Path, seed: int) -> None:
    """Files 9 to 11 hold two attempts, in the same order of prompts or in another."""
    first = [row for row in rows() if row["step"] <= 11]
    second = rows(range(2, 4), first=9, seed=seed + 10)
    found = reader.read([write(tmp_path / "v", first + second)], PROBLEMS)
    assert counts(found) == truth([row for row in first if row["step"] < 9] + second)
    assert "steps 9 to 11" in next(f.text for f in found.findings if f.code == "resumed")


@pytest.mark.parametrize("data", [PROBLEMS, PROBLEMS[:11]])
def test_dates_and_times_in_a_system_prompt(tmp_path: Path, data: list[Problem]) -> None:
    """Every row has another time, so that no two frames are equal."""
    timed = [
        {**row, "input": f"system\nNow: 2026-11-{1 + n // 60:02}, {n % 60}\nuser\n{row['input']}\n"}
        for n, row in enumerate(rows())
    ]
    found = reader.read([write(tmp_path / "v", timed)], data, {"bad_rows": "leave-out"})
    assert counts(found) == truth(rows())[: len(data)]


def test_two_runs_in_one_file_are_refused(tmp_path: Path) -> None:
    path = write_one(tmp_path / "run.jsonl", rows(seed=1) + rows(seed=2))
    with pytest.raises(InputError, match="the steps begin again at 1, with other prompts"):
        reader.read([path], PROBLEMS)


def test_two_runs_in_two_folders_are_refused_and_can_be_put_in_order(tmp_path: Path) -> None:
    a = write(tmp_path / "v/seed1", rows(range(2)))
    b = write(tmp_path / "v/seed2", rows(range(2, 4)))
    with pytest.raises(InputError, match="seed1, seed2 hold the same step numbers"):
        reader.read([tmp_path / "v"], PROBLEMS)
    found = reader.read([a, b], PROBLEMS)
    later = [{**row, "step": row["step"] + 8} for row in rows(range(2, 4))]
    assert counts(found) == truth(rows(range(2)) + later)


def test_a_run_that_counts_its_steps_anew(tmp_path: Path) -> None:
    write(tmp_path / "v/part1", rows(range(2)))
    write(tmp_path / "v/part2", rows(range(2, 4)))
    found = reader.read([tmp_path / "v"], PROBLEMS)
    assert found.samples.n.tolist() == [[SAMPLES] * EPOCHS] * len(PROMPTS)
    assert "several-parts" in codes(found)


def test_files_by_rank_are_one_step(tmp_path: Path) -> None:
    for rank in range(2):
        mine = [row for place, row in enumerate(rows()) if place // SAMPLES % 2 == rank]
        write(tmp_path / f"v/rank{rank}", mine)
    assert counts(reader.read([tmp_path / "v"], PROBLEMS)) == truth(rows())


def held_out(step: int, n: int = 2) -> list[Row]:
    return [{"input": f"Held out {i}?", "output": f"{step}{i}{s}", "step": step, "score": 1.0}
            for i in range(n) for s in range(SAMPLES)]  # fmt: skip


@pytest.mark.parametrize("problems", [PROBLEMS, None])
def test_an_evaluation_that_overwrites_training_files(
    tmp_path: Path, problems: list[Problem] | None
) -> None:
    kept = [row for row in rows() if row["step"] % 4]
    folder = write(tmp_path / "v", kept + [row for s in (4, 8, 12, 16) for row in held_out(s)])
    found = reader.read([folder], problems)
    assert {"evaluation-rows", "overwritten-steps"} <= codes(found)
    assert not [text for text in found.prompts if "Held out" in text]
    assert int(found.samples.n.sum()) == len(kept)
    assert "4, 8, 12, 16" in next(f.text for f in found.findings if f.code == "overwritten-steps")


def test_validation_files_beside_training_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", rows())
    write(folder, held_out(4) + held_out(8), name="val_{}.jsonl")
    assert counts(reader.read([folder], PROBLEMS)) == truth(rows())
    (folder / "val_4.jsonl").rename(folder / "x_4.jsonl")
    (folder / "val_8.jsonl").unlink()
    with pytest.raises(InputError, match=r"files of several logs: .*Name the files of one run"):
        reader.read([folder])


def test_a_small_set_that_is_trained_on_again_and_again_is_no_evaluation(tmp_path: Path) -> None:
    """Every second step all of a small data set, as one-shot RLVR trains, is training."""
    again = [{**row, "input": PROMPTS[0], "output": f"{s}", "step": s}
             for s in range(1, 9) for row in rows()[:4]]  # fmt: skip
    found = reader.read([write(tmp_path / "v", again)], PROBLEMS)
    assert "evaluation-rows" not in codes(found)
    assert found.samples.n[0].tolist() == [4] * 8


def test_lost_steps_are_said(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", [row for row in rows() if row["step"] % 2 == 0])
    found = reader.read([folder], PROBLEMS)
    assert "only every 2. step" in next(f.text for f in found.findings if f.code == "steps-missing")


@pytest.mark.parametrize("late", [2, 1])
def test_groups_over_neighbouring_steps(tmp_path: Path, late: int) -> None:
    """An asynchronous trainer: some samples of a group come a step later; no group ids."""
    draws = stream(5, "test")
    found = [
        {
            "input": f"Problem {problem}.",
            "output": f"{draws.random()}",
            "score": int(draws.integers(2)),
            "step": 1 + epoch * 50 + place // 4 + (sample >= SAMPLES - late),
        }
        for epoch in range(3)
        for place, problem in enumerate(draws.permutation(200).tolist())
        for sample in range(SAMPLES)
    ]
    read = reader.read([write(tmp_path / "v", found)])
    assert "spread-groups" in codes(read)
    assert (read.samples.n == SAMPLES).mean() > 0.95  # an epoch's last steps touch the next one's


def test_turns_of_one_rollout_count_once(tmp_path: Path) -> None:
    turns = [
        {**row, "uid": f"g{row['step']}-{row['input']}_{place % SAMPLES}_{turn}"}
        for place, row in enumerate(rows())
        for turn in range(3 - int(row["score"]))
    ]
    found = reader.read([write(tmp_path / "v", turns)], PROBLEMS)
    assert counts(found) == truth(rows())
    assert "turns" in codes(found)


@pytest.mark.parametrize(
    "frame",
    [
        lambda i: f"<|system|>\nBe brief.<|end|>\n<|user|>\n{PROMPTS[i]}<|end|>\n",
        lambda i: PROMPTS[i].replace(" ", "  ").replace("?", " ?"),
        lambda i: (f"system\nA\nuser\n{PROMPTS[i]}" if i % 2 else f"{PROMPTS[i]} Go on."),
        lambda i: f"Q: {PROMPTS[3]} A: 24\nQ: {PROMPTS[i]} A:",
        lambda i: (f"user\n{PROMPTS[i]}\nassistant" if i < 6 else f"{PROMPTS[i][8:]}\nassistant"),
    ],
    ids=["template", "blanks", "two frames", "worked example", "cut on the left"],
)  # fmt: skip
def test_prompts_are_found_in_their_frames(tmp_path: Path, frame: Callable[[int], str]) -> None:
    found = reader.read([write(tmp_path / "v", rows(frame=frame))], PROBLEMS)
    plain = truth(rows())
    assert counts(found) == plain


def test_equal_texts_are_told_apart_by_their_answers(tmp_path: Path) -> None:
    problems = [Problem("a", "Find x.", "1", "t"), Problem("b", "Find x.", "2", "t")]
    lines = [{"input": "Find x.", "output": f"{i}", "score": float(gold == "1"), "step": 1,
              "gts": gold} for i, gold in enumerate(["1", "2"] * 4)]  # fmt: skip
    path = write_one(tmp_path / "1.jsonl", lines)
    assert reader.read([path], problems).samples.n_correct.tolist() == [[4], [0]]
    found = reader.read([path])
    assert sorted(found.samples.n_correct[:, 0].tolist()) == [0, 4]
    assert "two-golds" in codes(found)
    without = [{k: v for k, v in line.items() if k != "gts"} for line in lines]
    found = reader.read([write_one(tmp_path / "2.jsonl", without)], problems)
    assert found.samples.n.tolist() == [[8], [0]]
    assert "equal-texts" in codes(found)


def with_scores(values: list[Any]) -> list[Row]:
    return [{**row, "score": values[place % len(values)]} for place, row in enumerate(rows())]


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0, 0.1, 0.9, 1.0], "0.9"), ([0, 1, 2], "2"), ([0.5, 0.25, 0.75], "0.75"), ([-2, 1.5], "-2")],
)  # fmt: skip
def test_scales_are_refused_with_their_values(
    tmp_path: Path, values: list[Any], shown: str
) -> None:
    folder = write(tmp_path / "v", with_scores(values))
    with pytest.raises(InputError, match=rf"{shown} +\d+ rows[\s\S]*correct_above"):
        reader.read([folder], PROBLEMS)
    limit = sorted(values)[-1] - 0.01
    found = reader.read([folder], PROBLEMS, {"correct_above": limit})
    n = sum(row["score"] > limit for row in with_scores(values))
    assert int(found.samples.n_correct.sum()) == n
    assert {(value, taken) for value, _, taken in found.values} == {
        (f"{v:g}", "correct" if v > limit else "wrong") for v in values
    }


@pytest.mark.parametrize("values", [[True, False], ["correct", "wrong"], ["1", "0"], [1, -1],
                                    [1, -0.5, -1], [[1.0], [0.0]]], ids=str)  # fmt: skip
def test_schemes_that_leave_no_doubt(tmp_path: Path, values: list[Any]) -> None:
    found = reader.read([write(tmp_path / "v", with_scores(values))], PROBLEMS)
    assert int(found.samples.n_correct.sum()) == sum(
        row["score"] in (True, "correct", "1", [1.0]) for row in with_scores(values)
    )


def test_missing_scores_are_said_and_can_count_as_wrong(tmp_path: Path) -> None:
    lost = with_scores([1.0, None, float("nan"), 0.0])
    folder = write(tmp_path / "v", lost)
    found = reader.read([folder], PROBLEMS)
    assert found.samples.n.sum() == len(lost) / 2
    said = next(f for f in found.findings if f.code == "missing-scores")
    assert said.count == len(lost) / 2
    assert "48 null, 48 NaN or infinite" in said.text
    found = reader.read([folder], PROBLEMS, {"missing_scores": "wrong"})
    assert (found.samples.n.sum(), found.samples.n_correct.sum()) == (len(lost), len(lost) / 4)


def test_nan_beside_the_score_is_harmless(tmp_path: Path) -> None:
    odd = [{**row, "advantage": float("nan"), "kl": float("inf")} for row in rows()]
    assert counts(reader.read([write(tmp_path / "v", odd)], PROBLEMS)) == truth(rows())


@pytest.mark.parametrize("packed", ["gz", "bom", "utf-16", "hidden", "nested", "pattern", "list"])
def test_however_the_files_are_packed(tmp_path: Path, packed: str) -> None:
    folder = write(tmp_path / "v", rows())
    log: str | Path = folder
    for path in list(folder.iterdir()):
        content = path.read_bytes()
        if packed == "gz":
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
            path.unlink()
        elif packed == "bom":
            path.write_bytes(b"\xef\xbb\xbf" + content)
        elif packed == "utf-16":
            path.write_bytes(content.decode().encode("utf-16"))
        elif packed == "hidden":
            path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
            path.with_name(f"{path.name}.swp").write_bytes(b"x")
        elif packed == "nested":
            (folder / "global/rollouts").mkdir(parents=True, exist_ok=True)
            path.rename(folder / "global/rollouts" / path.name)
        elif packed == "list":
            whole = ",".join(content.decode().splitlines())
            path.with_suffix(".json").write_text(f"[{whole}]")
            path.unlink()
    if packed == "pattern":
        log = f"{folder}/*.jsonl"
    assert counts(reader.read([log], PROBLEMS)) == truth(rows())


def test_a_growing_log_is_read_without_its_last_line(tmp_path: Path) -> None:
    path = write_one(tmp_path / "run.jsonl", rows())
    path.write_text(path.read_text() + '{"input": "What is 0 plus 0? Ans')
    found = reader.read([path], PROBLEMS)
    assert counts(found) == truth(rows())
    assert "cut-last-line" in codes(found)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], lines[-1], *lines[5:-1]]))
    with pytest.raises(InputError, match=r"run\.jsonl:6: it is not a rollout"):
        reader.read([path], PROBLEMS)


def test_an_empty_first_file_is_no_reason_to_refuse_a_log(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", rows())
    (folder / "0.jsonl").touch()
    assert counts(reader.read([folder], PROBLEMS)) == truth(rows())


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_a_table_of_any_kind(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(rows()).rename(columns={"input": "question", "score": "mark"})
    path = tmp_path / f"run.{suffix}"
    frame.to_parquet(path) if suffix == "parquet" else frame.to_csv(path, index=False)
    names = {"prompt": "question", "reward": "mark", "step": "step", "response": "output"}
    assert counts(reader.read([path], PROBLEMS, {"map": names}, "table")) == truth(rows())


@pytest.mark.parametrize("judge", [[0, 4, 7, 10], [0.0, 1.0, 1.1]], ids=["judge", "bonus"])
def test_what_is_above_a_bound_can_be_said(tmp_path: Path, judge: list[float]) -> None:
    folder = write(tmp_path / "v", with_scores(judge))
    with pytest.raises(InputError, match="correct_above"):
        reader.read([folder], PROBLEMS)
    found = reader.read([folder], PROBLEMS, {"correct_above": 0.5})
    assert found.samples.n_correct.sum() == sum(r["score"] > 0.5 for r in with_scores(judge))


def test_two_formats_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", rows())
    (folder / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match="files of several logs"):
        reader.read([folder], PROBLEMS)


@pytest.mark.slow
def test_ten_thousand_files(tmp_path: Path) -> None:
    for step in range(10_000):
        (tmp_path / f"{step}.jsonl").write_text(
            json.dumps({"input": PROMPTS[step % 12], "output": "", "score": 1, "step": step})
        )
    assert int(reader.read([tmp_path], PROBLEMS).samples.n.sum()) == 10_000


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=60))
def test_a_visit_is_the_k_th_step_of_a_prompt(pairs: list[tuple[int, int]]) -> None:
    pairs = sorted(pairs, key=lambda pair: pair[1])
    problem, at = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    found = visits._count(*_sorted(problem, at), 0)
    expected = [sorted({s for p, s in pairs if p == one}).index(step)
                for one, step in sorted(pairs)]  # fmt: skip
    assert found.tolist() == expected


def _sorted(problem: Any, at: Any) -> tuple[Any, Any]:
    order = np.lexsort((at, problem))
    return problem[order], at[order]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_no_problem_is_twice_in_a_pass(problems: list[int]) -> None:
    problem = np.array(problems, np.int64)
    visit = np.array([problems[:i].count(one) for i, one in enumerate(problems)], np.int64)
    passes = visits.by_passes(problem, visit)
    assert (np.diff(passes) >= 0).all()
    assert len({*zip(problem.tolist(), passes.tolist(), strict=True)}) == len(problem)


def test_frames_are_learnt_from_the_texts_that_hold_problems() -> None:
    found = Findings()
    prompts = [(f"<s>{text}</s>", None) for text in PROMPTS]
    assert matching.to_problems(prompts, PROBLEMS, found)[0].tolist() == list(range(12))
    assert matching.to_problems([("nothing", None)], PROBLEMS, Findings())[0].tolist() == [-1]


def test_the_order_of_files_is_that_of_their_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 10, 100):
        (tmp_path / f"step_{number}.jsonl").write_text("{}")
    files = log_files.find([tmp_path], Findings())
    assert [file.number for file in files] == [1, 2, 10, 100]
    with pytest.raises(InputError, match="there is no such file or folder"):
        log_files.find([tmp_path / "none*"], Findings())
