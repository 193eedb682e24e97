"""Prompts, solutions and model folders that OpenRLHF is given, and those that are refused."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import byte_tokenizer
from limr.core import validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.grading.pool import GradingPool
from limr.models import prompt_templates
from limr.models.interface import BaseJob
from limr.train.engines import openrlhf
from limr.train.openrlhf import cluster, options, prompts, run
from limr.train.openrlhf.reward import FAILED, Judge

MARKUP = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
QWEN = byte_tokenizer.make(*MARKUP, end="<|endoftext|>")
SHORT = Problem("short", "1+1=?", "2", "test")
LONG = Problem("long", "What is " + "1+" * 80 + "1?", "81", "test")


def model(folder: Path, tokenizer: Any = QWEN, **config: Any) -> Path:
    """A model folder without weights that matter."""
    folder.mkdir(exist_ok=True)
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 64, **config}))
    (folder / "model.safetensors").write_bytes(b"x")
    (folder / "limr.json").write_text(json.dumps({"template": "qwen-boxed"}))
    return folder


def job(*problems: Problem, solutions: Any = None, sft: Any = None) -> Any:
    """What a training job says of its problems."""
    options = {"sft": sft}
    return SimpleNamespace(arm="full", problems=problems, solutions=solutions, options=options)


def test_prompts_are_those_of_the_template() -> None:
    texts = prompts.rendered(job(SHORT, LONG), "qwen-boxed", QWEN, None)
    assert texts == [prompt_templates.render("qwen-boxed", p.prompt, QWEN) for p in (SHORT, LONG)]


def test_prompts_that_are_too_long_are_counted_and_named() -> None:
    with pytest.raises(InputError, match=r"arm 'full': 1 prompts .* = 200: long\. Raise"):
        prompts.rendered(job(SHORT, LONG), "qwen-boxed", QWEN, 200)


def test_a_start_token_that_the_trainer_would_not_write_is_refused() -> None:
    opening = byte_tokenizer.make("<s>", "</s>", bos="<s>", end="</s>")
    with pytest.raises(InputError, match="puts a token of its own before a text"):
        prompts.rendered(job(SHORT), "few-shot", opening, None)
    assert prompts.rendered(job(SHORT), "few-shot", QWEN, None)


def test_labels_carry_the_id_and_the_answer(tmp_path: Path) -> None:
    prompts.write_prompts(tmp_path / "p.jsonl", [SHORT], ["asked"])
    row = json.loads((tmp_path / "p.jsonl").read_text())
    assert row["prompt"] == "asked"
    assert json.loads(row["label"]) == {"problem_id": "short", "answer": "2"}


def test_end_tokens_are_the_models_the_tokenizers_and_the_templates(tmp_path: Path) -> None:
    folder = model(tmp_path / "model", eos_token_id=[3, 5])
    ends = prompts.end_ids(folder, QWEN, "qwen-boxed")
    assert ends == sorted({3, 5, QWEN.eos_token_id, QWEN.convert_tokens_to_ids("<|im_end|>")})


def test_a_tokenizer_without_end_token_is_refused(tmp_path: Path) -> None:
    endless = byte_tokenizer.make(*MARKUP)
    with pytest.raises(InputError, match="the tokenizer has no end token"):
        prompts.end_ids(model(tmp_path / "model", endless), endless, "qwen-boxed")


def test_a_tokenizer_without_chat_template_or_markup_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "model")
    (folder / "limr.json").write_text(json.dumps({"template": "chat-boxed"}))
    with pytest.raises(InputError, match="needs a chat template"):
        prompts.template_of(folder, QWEN)
    plain = byte_tokenizer.make("</s>", end="</s>")
    with pytest.raises(InputError, match="no token of this model"):
        prompts.template_of(model(tmp_path / "plain", plain), plain)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    base = validation.complete({"model": str(tmp_path / "nowhere")}, openrlhf.Base, "test")
    job = BaseJob(base, {}, [], tmp_path / "state", tmp_path / "base")
    with pytest.raises(InputError, match="there is no folder"):
        openrlhf.make_base(job)
    with pytest.raises(InputError, match="tokenizer cannot be read"):
        prompts.load_tokenizer(tmp_path / "nowhere")


def test_positions_are_refused_for_ppo_and_raised_for_fine_tuning(tmp_path: Path) -> None:
    base = model(tmp_path / "model")
    with pytest.raises(InputError, match="the model has 64 positions"):
        prompts.model_with_positions(base, tmp_path / "new", 100, may_raise=False)
    assert prompts.model_with_positions(base, tmp_path / "new", 64, may_raise=True) == base
    for _ in range(2):  # a second attempt finds the folder
        found = prompts.model_with_positions(base, tmp_path / "new", 100, may_raise=True)
    assert json.loads((found / "config.json").read_text())["max_position_embeddings"] == 100
    assert json.loads((base / "config.json").read_text())["max_position_embeddings"] == 64
    assert (found / "model.safetensors").read_bytes() == b"x"


def own(**changes: Any) -> dict[str, Any]:
    return dict(validation.complete(changes, options.FineTuning, "test"))


def test_solutions_end_with_the_end_token() -> None:
    one = job(SHORT, solutions={"short": "It is 2.\n"}, sft=own())
    rows, long = prompts.with_solutions(one, ["?"], QWEN)
    assert rows == [{"prompt": "?", "response": "It is 2.<|endoftext|>"}]
    assert long == []


def test_solutions_are_never_cut() -> None:
    solutions = {"short": "2", "long": "81" * 100}
    with pytest.raises(InputError, match=r"1 of 2 solutions are longer .* = 50: long"):
        given = job(SHORT, LONG, solutions=solutions, sft=own(max_tokens=50))
        prompts.with_solutions(given, ["?", "?"], QWEN)
    given = job(SHORT, LONG, solutions=solutions, sft=own(max_tokens=50, too_long="leave-out"))
    rows, long = prompts.with_solutions(given, ["?", "?"], QWEN)
    assert (len(rows), long) == (1, ["long"])
    with pytest.raises(InputError, match="1 problems have no worked solution"):
        given = job(SHORT, LONG, solutions={"short": "2"}, sft=own())
        prompts.with_solutions(given, ["?", "?"], QWEN)


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    run.check_disk(tmp_path, 1e6)
    with pytest.raises(InputError, match=r"the run needs 1000000.0 GB on disk"):
        run.check_disk(tmp_path, 1e15)


def test_the_number_of_gpus_must_be_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "visible_gpus", lambda: 2)
    with pytest.raises(InputError, match="asks for 8 GPUs on this node, and 2 are visible"):
        cluster._check_one_node(8, 1)
    with pytest.raises(InputError, match="nodes is 2, but RAY_ADDRESS is not set"):
        cluster._check_one_node(16, 2)
    cluster._check_one_node(2, 1)


def test_verdicts_come_from_many_threads_at_once() -> None:
    with GradingPool({}, workers=1) as pool:
        judge = Judge({}, pool)
        answers = {}

        def ask(number: int) -> None:
            text = f"It is \\boxed{{{number % 3}}}."
            answers[number] = judge.ask("1", text, truncated=False)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        verdicts = {number: answer.result(60).verdict for number, answer in answers.items()}
    assert all(verdicts[n] == ("correct" if n % 3 == 1 else "incorrect") for n in range(60))


def test_an_exception_is_a_recorded_verdict_of_its_own_response() -> None:
    class Failing(GradingPool):
        def grade_many(self, items: Any, done: Any = None) -> Any:
            if any("poison" in response for _, response, *_ in items):
                raise MemoryError("no memory")
            return super().grade_many(items, done)

    with Failing({}, workers=1) as pool:
        judge = Judge({}, pool)
        asked = [
            judge.ask("1", text, truncated=False)
            for text in ("\\boxed{1}", "poison \\boxed{1}", "\\boxed{1}")
        ]
        grades = [answer.result(60) for answer in asked]
    assert [grade.verdict for grade in grades] == ["correct", "incorrect", "correct"]
    assert grades[1].reason == f"{FAILED}: no memory"
