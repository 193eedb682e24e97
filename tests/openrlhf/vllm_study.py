"""A study that evaluates a tiny base by vLLM on a CPU, and the environment in which it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from real_trainer import HERE, ON_CPU, PYTHON

import byte_tokenizer
from small_study import Project, Result, make_project

STUDY = "generated"
GREEDY = {"name": "greedy", "samples": 1, "temperature": 0, "top_p": 1, "max_tokens": 60}
SAMPLED = {"name": "sampled", "samples": 5, "temperature": 0.9, "top_p": 0.95, "max_tokens": 60}
PROBLEMS = 12
ALL = PROBLEMS * (GREEDY["samples"] + SAMPLED["samples"])  # responses


def study(model: Path, **options: Any) -> dict[str, Any]:
    """Evaluate a base on a few generated problems; `options` are vLLM's."""
    return {
        "study": STUDY,
        "seeds": [1],
        "datasets": {"arithmetic": {"source": "arithmetic", "problems": 12, "seed": 5}},
        "dataset": "arithmetic",
        "engine": {"train": "vllm", "generate": "vllm"},
        "engines": {"vllm": {"enforce_eager": True, **options}},
        "base": {"model": str(model), "template": "qwen-boxed"},
        "scores": {"everything": {"selector": "full"}},
        "arms": {"base": {"train": "none"}},
        "evaluate": {"benchmarks": {"few": {}}},
        "tables": {"results": {}},
    }


class VllmProject(Project):
    """A copy of the repository whose Snakemake runs where vLLM is installed."""

    on_cpu = True

    @property
    def environment(self) -> dict[str, str]:
        """Its commands' environment, with what vLLM's build for CPUs wants."""
        found = super().environment
        if not self.on_cpu:
            return found
        path = f"{HERE / 'cpu_only'}:{found['PYTHONPATH']}"  # for the look at a node alone
        return {**found, **ON_CPU, "LIMR_TESTS_ON_CPU": "node", "PYTHONPATH": path}

    def command(self, *arguments: str) -> list[str]:
        """The same command line with the other Python."""
        return [str(PYTHON), *super().command(*arguments)[1:]]

    def evaluate(self) -> Result:
        """Run as far as the evaluation."""
        return self.run(*self.targets())

    def targets(self) -> list[str]:
        """What the evaluation makes."""
        return [f"results/{STUDY}/evals/base/seed1/step0/few.parquet"]


def project(folder: Path, study_: dict[str, Any], decodings: list[dict[str, Any]]) -> VllmProject:
    """Return a copy with the study, and a benchmark with these decodings."""
    made = VllmProject(make_project(folder).folder)
    benchmark = {
        "version": 1,
        "title": "A few",
        "dataset": {"source": "arithmetic", "problems": PROBLEMS, "seed": 23, "split": "easy"},
        "decodings": decodings,
    }
    path = made.folder / "config/benchmarks/few.yaml"
    path.write_text(yaml.safe_dump(benchmark))
    made.write(study_)
    return made


def tiny_model(folder: Path) -> Path:
    """Write a tiny Qwen2 of head_dim 64, as vLLM wants; its random weights write any bytes."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(3)
    end = "<|endoftext|>"
    words = byte_tokenizer.make(end, "<|im_start|>", "<|im_end|>", end=end)
    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        eos_token_id=words.convert_tokens_to_ids(end),
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
