"""Formats of trainers: logs written here as each trainer's code writes them, with their quirks.

What a format looks like was read in the trainers' public code, which each importer names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.trajectories import reader
from limr.trajectories.reading import Imported
from made_run import PROBLEMS, Rollout, codes, counts, run, steps, truth

RUN = run()
Row = dict[str, Any]


def lines(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read(path: Path, given: bool = True, **options: Any) -> Imported:
    return reader.read([path], PROBLEMS if given else None, options)


def check(path: Path, format_: str, rows: list[Rollout] = RUN, **options: Any) -> Imported:
    """Read with and without the problems; return what was found without."""
    found = read(path, **options)
    assert found.format == format_
    assert counts(found) == truth(rows)
    alone = read(path, given=False, **options)
    assert sorted(counts(alone)) == sorted(c for c in truth(rows) if any(n for n, _ in c))
    return alone


def roll(rows: list[Rollout], **more: list[Any]) -> Row:
    return {
        "global_step": [row.step for row in rows],
        "prompt": [row.prompt for row in rows],
        "ground_truth": [row.gold for row in rows],
        "responses": [row.response for row in rows],
        "scores": [float(row.correct) for row in rows],
        "sampling_params": ["{}"] * len(rows),
        **more,
    }


def write_roll(folder: Path, ids: bool = True) -> Path:
    for step, rows in steps(RUN).items():
        more = {"id": [PROBLEMS[row.problem].problem_id for row in rows]} if ids else {}
        lines(folder / f"rollout_dump_data.step_{step}.jsonl", [roll(rows, **more)])
    return folder


def test_roll_writes_a_line_of_columns(tmp_path: Path) -> None:
    found = check(write_roll(tmp_path / "a"), "roll")
    assert found.problem_ids.to_pylist() != [p.problem_id for p in PROBLEMS]  # in the log's order
    assert set(found.problem_ids.to_pylist()) == {p.problem_id for p in PROBLEMS}
    check(write_roll(tmp_path / "b", ids=False), "roll")


def test_roll_packed_and_with_messages_as_a_text(tmp_path: Path) -> None:
    for step, rows in steps(RUN).items():
        line = roll(rows)
        texts = line.pop("prompt")
        line["messages"] = [json.dumps([{"role": "user", "content": text}]) for text in texts]
        path = tmp_path / f"rollout_dump_data.step_{step}.jsonl.gz"
        path.write_bytes(gzip.compress(json.dumps(line).encode()))
    assert "prompt" in check(tmp_path, "roll").taken


def test_roll_ids_of_several_texts_are_no_ids(tmp_path: Path) -> None:
    for step, rows in steps(RUN).items():  # ids restart in every source
        ids = [str(row.problem % 4) for row in rows]
        lines(tmp_path / f"rollout_dump_data.step_{step}.jsonl", [roll(rows, id=ids)])
    found = check(tmp_path, "roll")
    assert "ids-not-unique" in codes(found)


def test_roll_columns_of_different_length_are_refused(tmp_path: Path) -> None:
    line = roll(steps(RUN)[1])
    line["scores"] = line["scores"][:-1]
    lines(tmp_path / "rollout_dump_data.step_1.jsonl", [line])
    with pytest.raises(InputError, match="its columns hold 7 or 8 values"):
        read(tmp_path)


def nemo(row: Rollout, index: int, system: bool, environment: bool) -> Row:
    texts = ["<|im_start|>system\nBe brief.<|im_end|>\n"] if system else []
    texts.append(f"<|im_start|>user\n{row.prompt}<|im_end|>\n<|im_start|>assistant\n")
    texts.append(row.response)
    if environment:
        texts.append(f"Environment: {'correct' if row.correct else 'incorrect'}")
    return {"content": [texts], "rewards": [float(row.correct)], "input_lengths": [9],
            "token_ids": [[1, 2]], "advantages": [[0.1, float("nan")]], "idx": index}  # fmt: skip


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("environment", [False, True])
def test_nemo_rl(tmp_path: Path, system: bool, environment: bool) -> None:
    for step, rows in steps(RUN).items():
        made = [nemo(row, i, system, environment) for i, row in enumerate(rows)]
        lines(tmp_path / f"train_data_step{step}.jsonl", made)
    held_out = [{"content": [[{"role": "user", "content": "Held out?"},
                              {"role": "assistant", "content": "x"}]],
                 "rewards": [1.0], "idx": 0}]  # fmt: skip
    lines(tmp_path / "val_data_step4.jsonl", held_out)
    assert "evaluation-rows" in codes(check(tmp_path, "nemo-rl"))


def test_nemo_rl_with_dynamic_sampling_pairs_texts_with_their_own_rewards(tmp_path: Path) -> None:
    kept = [
        row for row in RUN
        if 0 < sum(r.correct for r in RUN if (r.problem, r.epoch) == (row.problem, row.epoch)) < 4
    ]  # fmt: skip
    for step, rows in steps(RUN).items():
        own = [row for row in rows if row in kept]
        made = []
        for i, row in enumerate(rows):  # `rewards` are of all, the texts of the kept alone
            line = nemo(own[i] if i < len(own) else row, i, False, False)
            line["rewards"] = [float(row.correct)]
            line["filtered_rewards"] = [float(own[i].correct)] if i < len(own) else []
            if i >= len(own):
                line["content"] = []
            made.append(line)
        lines(tmp_path / f"train_data_step{step}.jsonl", made)
    found = read(tmp_path)
    of = {(row.problem, row.epoch) for row in kept}
    rates = {p: [r.correct for r in kept if r.problem == p] for p in {p for p, _ in of}}
    for problem, rate in enumerate(found.samples.pass_rate.tolist()):
        if problem in rates:
            assert rate == pytest.approx(sum(rates[problem]) / len(rates[problem]))
        else:
            assert math.isnan(rate)


def test_nemo_rl_one_beginning_of_all_rollouts_must_be_explained(tmp_path: Path) -> None:
    for step, rows in steps(RUN).items():
        made = [nemo(row, i, False, False) for i, row in enumerate(rows)]
        for line in made:
            line["content"][0].insert(0, "Solve the problem.")
        lines(tmp_path / f"train_data_step{step}.jsonl", made)
    with pytest.raises(InputError, match=r"begin with 'Solve the problem.'.*prompt_messages: 2"):
        read(tmp_path)
    check(tmp_path, "nemo-rl", prompt_messages=2)


def episode(row: Rollout, group: str, rewards: Row | None) -> Row:
    """As `verifiers.v1.Episode.to_record` gives it, without what no reader needs."""
    task = {"type": "MathTask", "key": f"key-{row.problem}",
            "data": {"idx": row.problem, "prompt": row.prompt, "answer": row.gold}}  # fmt: skip
    said = [{"message": {"role": "user", "content": row.prompt}},
            {"message": {"role": "assistant", "content": row.response}, "parent": 0}]  # fmt: skip
    judge = {"id": uuid.uuid4().hex, "agent": {"name": "judge", "trainable": False},
             "rewards": {"agreement": {"score": 1.0, "weight": 1.0}}, "nodes": []}  # fmt: skip
    trace = {"id": uuid.uuid4().hex, "agent": {"name": "solver", "trainable": True},
             "rewards": rewards or {}, "nodes": said}  # fmt: skip
    return {"id": uuid.uuid4().hex, "task": task, "group": {"id": group}, "traces": [judge, trace]}


def named(row: Rollout) -> Row:
    return {"correct_answer": {"score": float(row.correct), "weight": 1.0},
            "format": {"score": 1.0, "weight": 0.2}}  # fmt: skip


def write_prime(folder: Path, rewards: Any = named, late: bool = False) -> Path:
    draws = stream(2, "test")
    for step, rows in steps(RUN).items():
        groups = {row.problem: uuid.uuid4().hex for row in rows}
        for row in rows:
            arrived = step + (int(draws.choice([0, 0, 1])) if late else 0)
            for subset in ("all", "effective"):
                path = folder / f"rollouts/step_{arrived}/train/{subset}/traces.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.write(json.dumps(episode(row, groups[row.problem], rewards(row))) + "\n")
    lines(folder / "rollouts/step_4/eval/all/traces.jsonl",
          [episode(RUN[0], "held", {"correct_answer": {"score": 1.0, "weight": 1.0}})])  # fmt: skip
    return folder / "rollouts"


def test_prime_rl_traces(tmp_path: Path) -> None:
    found = check(write_prime(tmp_path), "prime-rl")
    assert {"effective-left-out", "evaluation-rows"} <= codes(found)
    assert found.column == "rewards.correct_answer"  # of the rewards the one that says it
    assert found.prompts[0] in {p.prompt for p in PROBLEMS}


def test_prime_rl_samples_that_arrive_late_belong_to_their_group(tmp_path: Path) -> None:
    found = check(write_prime(tmp_path, late=True), "prime-rl")
    assert "spread-groups" in codes(found)


def test_prime_rl_a_single_reward_is_the_reward(tmp_path: Path) -> None:
    def single(row: Rollout) -> Row:
        return {"exact": {"score": float(row.correct), "weight": 1.0}}

    assert check(write_prime(tmp_path / "one", single), "prime-rl").column == "reward"

    def form(row: Rollout) -> Row:
        return {"think_format": {"score": 1.0, "weight": 1.0}}

    with pytest.raises(InputError, match="reward the form of a response"):
        read(write_prime(tmp_path / "form", form))

    def several(row: Rollout) -> Row:
        return {"exact": {"score": float(row.correct)}, "steps": {"score": 0.5}}

    folder = write_prime(tmp_path / "two", several)
    with pytest.raises(InputError, match=r"2 columns may be the reward \(exact, steps\)"):
        read(folder)
    check(folder, "prime-rl", reward="exact")


def test_prime_rl_a_trace_that_was_not_scored_is_missing(tmp_path: Path) -> None:
    def failing(row: Rollout) -> Row:
        return {"correct_answer": None} if row.sample == 3 else named(row)

    found = read(write_prime(tmp_path, failing))
    assert "missing-scores" in codes(found)
    assert counts(found) == truth([row for row in RUN if row.sample != 3])


def areal(row: Rollout, task: int, version: int) -> Row:
    return {"task_id": task, "sample_idx": row.sample, "seqlen": 90, "prompt_len": 30,
            "head_version": max(version - 1, 0), "tail_version": version,
            "reward": float(row.correct),
            "prompt": f"<|im_start|>user\n{row.prompt}<|im_end|>\n<|im_start|>assistant\n",
            "completion": row.response + "<|im_end|>"}  # fmt: skip


def write_areal(folder: Path) -> Path:
    """A file a group; later tasks may end under an earlier version."""
    draws = stream(3, "test")
    groups = sorted({(row.epoch, row.step, row.problem) for row in RUN})
    for task, (epoch, step, problem) in enumerate(groups):
        version = step - 1 + int(draws.choice([0, 0, 1]))
        mine = [row for row in RUN if (row.epoch, row.problem) == (epoch, problem)]
        rows = [areal(row, task, version) for row in mine]
        lines(folder / f"rollout/{version}/{task}.jsonl", rows)
    lines(folder / "eval-rollout/4/900.jsonl",
          [{**areal(RUN[0], 900, 4), "prompt": "Held out?"}])  # fmt: skip
    return folder


def test_areal(tmp_path: Path) -> None:
    found = check(write_areal(tmp_path) / "rollout", "areal")
    assert "resumed" not in codes(found)


def rllm(row: Rollout, group: str) -> Row:
    return {
        "training_step": row.step, "epoch": row.epoch, "episode_id": f"{group}:{row.sample}",
        "session_id": None, "task": {"question": row.prompt, "ground_truth": row.gold},
        "task_hash": "0" * 8, "is_correct": row.correct, "termination_reason": "env_done",
        "metrics": {}, "metadata": {}, "timing": {},
        "trajectories": [{
            "name": "solver", "uid": "u", "reward": float(row.correct), "num_steps": 2,
            "steps": [{"model_response": "first", "reward": 0.0},
                      {"model_response": row.response, "reward": float(row.correct)}],
        }],
    }  # fmt: skip


def test_rllm_writes_a_file_an_episode(tmp_path: Path) -> None:
    for step, rows in steps(RUN).items():
        folder = tmp_path / f"episodes/train_step_{step}_epoch_{rows[0].epoch}"
        folder.mkdir(parents=True)
        groups = {row.problem: str(uuid.uuid4()) for row in rows}
        for row in rows:
            made = rllm(row, groups[row.problem])
            digest = hashlib.sha256(str(made["task"]).encode()).hexdigest()[:8]
            name = f"episode_hash{digest}_id{made['episode_id'].replace(':', '_')}.json"
            (folder / name).write_text(json.dumps(made, indent=2) + "\n")
        (folder / "batch_summary.json").write_text(json.dumps({"training_step": step}))
    held_out = tmp_path / "episodes/val_step_4_epoch_0"
    held_out.mkdir()
    other = {**rllm(RUN[0], "g"), "task": {"question": "Held out?"}}
    (held_out / "episode_hash0123abcd_idg_0.json").write_text(json.dumps(other, indent=2))
    found = check(tmp_path / "episodes", "rllm")
    assert {"evaluation-rows", "other-files"} <= codes(found)
    assert "resumed" not in codes(found)
    assert found.column == "is_correct"


def test_rllm_a_task_without_a_problem_is_refused(tmp_path: Path) -> None:
    made = {**rllm(RUN[0], "g"), "task": {"uid": 3}}
    (tmp_path / "episode_hash0123abcd_idg_0.json").write_text(json.dumps(made, indent=2))
    with pytest.raises(InputError, match="no problem in task, whose keys are uid"):
        read(tmp_path)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of words, made here."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    texts = [text for row in RUN for text in (row.prompt, row.response)]
    words = sorted({word for text in texts for word in text.split(" ")})
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["<unk>", *words])},
                                      unk_token="<unk>"))  # noqa: S106 # fmt: skip
    made.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
    made.add_special_tokens(["<|user|>", "<|assistant|>"])
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    made.save(str(folder / "tokenizer.json"))
    return folder


def open_instruct(rows: list[Rollout], encode: Any, right: float) -> Iterator[Row]:
    for i, row in enumerate(rows):
        yield {
            "step": row.step, "sample_idx": i, "prompt_idx": i // 4,
            "prompt_tokens": encode(f"<|user|> {row.prompt} <|assistant|>"),
            "response_tokens": encode(row.response), "reward": right * row.correct,
            "advantage": 0.0, "finish_reason": "stop", "dataset": "math", "ground_truth": [1],
            "request_info": None, "logprobs": [-0.1],
        }  # fmt: skip


def write_open_instruct(folder: Path, tokenizer: Path, right: float) -> Path:
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    whole = [
        line
        for rows in steps(RUN).values()
        for line in open_instruct(rows, lambda text: made.encode(text).ids, right)
    ]
    lines(folder / "exp__1__17_rollouts_000000.jsonl", whole[:50])
    lines(folder / "exp__1__17_rollouts_000001.jsonl", whole[50:])
    lines(folder / "exp__1__17_metadata.jsonl", [{"run_name": "exp", "git_commit": "x"}])
    return folder


def test_open_instruct_needs_the_tokenizer(tmp_path: Path, tokenizer: Path) -> None:
    folder = write_open_instruct(tmp_path / "r", tokenizer, 1.0)
    with pytest.raises(InputError, match=r"ids of tokens.*`tokenizer: PATH`"):
        read(folder)
    with pytest.raises(InputError, match="there is no such file"):
        read(folder, tokenizer=str(tmp_path / "none"))
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError, match=r"bad.json: not a tokenizer.json"):
        read(folder, tokenizer=str(tmp_path / "bad.json"))
    found = check(folder, "open-instruct", tokenizer=str(tokenizer))
    assert "other-files" in codes(found)
    assert found.rollouts is not None
    [first, *_] = next(iter(found.rollouts.texts()))[1]
    assert first is not None
    assert first.startswith("Thinking 1.0:")


def test_open_instruct_rewards_of_ten_must_be_explained(tmp_path: Path, tokenizer: Path) -> None:
    folder = write_open_instruct(tmp_path / "r", tokenizer, 10.0)
    with pytest.raises(InputError, match=r"10 +\d+ rows[\s\S]*correct_above"):
        read(folder, tokenizer=str(tokenizer))
    check(folder, "open-instruct", tokenizer=str(tokenizer / "tokenizer.json"), correct_above=5.0)


def wandb(folder: Path, step: int, rows: list[Rollout]) -> None:
    columns = ["step", "prompt", "completion", "accuracy_reward", "format_reward", "advantage"]
    data = [[row.step, row.prompt, row.response, float(row.correct), 1.0, 0.1] for row in rows]
    digest = hashlib.sha256(str(step).encode()).hexdigest()[:20]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"columns": columns, "data": data, "ncols": 6, "nrows": len(data)})
    (folder / f"completions_{step}_{digest}.table.json").write_text(text)


def test_wandb_tables(tmp_path: Path) -> None:
    for step, rows in steps(RUN).items():
        wandb(tmp_path / "run/media/table", step, rows)
    found = check(tmp_path / "run", "wandb-table")
    assert found.column == "accuracy_reward"


def test_wandb_tables_that_grow_count_once(tmp_path: Path) -> None:
    for step in steps(RUN):
        wandb(tmp_path, step, [row for row in RUN if row.step <= step])
    check(tmp_path, "wandb-table")


def test_wandb_a_table_downloaded_as_one_file(tmp_path: Path) -> None:
    wandb(tmp_path, 12, RUN)
    [path] = tmp_path.iterdir()
    check(path, "wandb-table")


@pytest.mark.parametrize(
    "odd",
    [
        {"columns": ["prompt", "reward"], "data": [["q", 1], ["q"]]},
        {"task": None, "traces": [{"reward": 1}]},
        {"content": 3, "rewards": None, "idx": 0},
        {"responses": [1], "scores": 3, "global_step": [1], "prompt": "q"},
        {"training_step": 1, "epoch": 0, "episode_id": 3, "task": 4, "is_correct": True},
    ],
)
def test_what_only_looks_like_a_format_is_refused_in_words(tmp_path: Path, odd: Row) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(odd))
    with pytest.raises(InputError, match=r"odd\.json|'scores' does not say"):
        read(path, given=False)


def test_a_json_list_of_other_rewards_is_a_table_and_no_log_of_limr(tmp_path: Path) -> None:
    rows = [{"prompt": row.prompt, "reward": int(row.correct), "step": row.step} for row in RUN]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(rows))
    check(path, "table")
    path = tmp_path / "step_1.json"
    path.write_text(json.dumps([{**row, "reward": row["reward"] - 0.5} for row in rows]))
    with pytest.raises(InputError, match=r"which are 1, -0\.5, -1 "):
        read(path)
