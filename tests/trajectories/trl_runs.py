"""Real logs of TRL, and beside each what was really drawn: `python trl_runs.py FOLDER [NAME...]`.

GRPOTrainer trains a tiny random Qwen2 with one token a character on a CPU, once for each of RUNS,
all in one process, since imports take long. A run's folder has `output`, TRL's own (`completions`,
checkpoints), and `truth.jsonl`, which the reward functions write: one line for each sample that
they are given, with the reward.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from datasets import Dataset
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

SPECIAL = ("<pad>", "<end>")
CHARACTERS = "0123456789+=?"
PROMPTS, SAMPLES, PROMPTS_PER_STEP, EPOCHS = 24, 4, 3, 3
ROWS = PROMPTS_PER_STEP * SAMPLES
CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
Row = dict[str, Any]
Reward = Callable[..., list[float | None]]


@dataclass(frozen=True)
class Run:
    """How a log comes to be.

    Attributes:
        settings: of GRPOConfig, where they differ from `settings`.
        held_out: number of prompts that are evaluated and not trained on.
        rewards: names of the reward functions.
        killed_after: steps after which the run is ended hard and started again from its checkpoint.
        elsewhere: it then writes into another folder, output-2.
        chat: prompts are messages.
    """

    settings: Row = field(default_factory=dict)
    held_out: int = 0
    rewards: tuple[str, ...] = ("accuracy_reward",)
    killed_after: int | None = None
    elsewhere: bool = False
    chat: bool = False


_BY_STEPS = {"eval_strategy": "steps", "eval_steps": 4}
_SAVED = {"save_strategy": "steps", "save_steps": 12}
RUNS = {
    "plain": Run(),
    "eval": Run(_BY_STEPS, held_out=3),
    "eval-few": Run(_BY_STEPS, held_out=2),
    "eval-cut": Run({**_BY_STEPS, "num_generations_eval": 2}, held_out=3),
    "eval-many": Run(_BY_STEPS, held_out=5),
    "eval-iterations": Run({**_BY_STEPS, "num_iterations": 2, "eval_steps": 7}, held_out=3),
    "iterations": Run({"num_iterations": 2}),
    "steps-per-generation": Run({"steps_per_generation": 2}),
    "accumulation": Run(
        {"per_device_train_batch_size": ROWS // 2, "gradient_accumulation_steps": 2}
    ),
    "logging-steps": Run({"logging_steps": 4}),
    "logging-steps-5": Run({"logging_steps": 5}),
    "resumed": Run(_SAVED, killed_after=15),
    "resumed-elsewhere": Run(_SAVED, killed_after=15, elsewhere=True),
    "resumed-steps-per-generation": Run(
        {"steps_per_generation": 2, "save_strategy": "steps", "save_steps": 13}, killed_after=15
    ),
    "two-rewards": Run(rewards=("accuracy_reward", "format_reward")),
    "missing": Run(rewards=("sometimes_none_accuracy",)),
    "missing-beside": Run(rewards=("sometimes_none_accuracy", "format_reward")),
    "chat": Run(chat=True),
}


class KilledError(Exception):
    """Stands for a run that was killed."""


class Killed(TrainerCallback):
    """Ends a run after some steps, when their logs are written."""

    def __init__(self, after: int) -> None:
        self._after = after

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Raise KilledError."""
        if state.global_step == self._after:
            raise KilledError


def text_of(prompt: Any) -> str:
    """Return the text of a prompt or completion, which may be messages."""
    return prompt if isinstance(prompt, str) else "".join(turn["content"] for turn in prompt)


def accuracy_reward(completion: str, answer: str) -> float | None:
    """Return whether the last digit of the right sum stands in a completion: often, by chance."""
    return float(answer[-1] in completion)


def format_reward(completion: str, answer: str) -> float | None:
    """Return a half for a completion without a question mark."""
    return 0.5 * ("?" not in completion)


def sometimes_none_accuracy(completion: str, answer: str) -> float | None:
    """Return no reward where a completion begins with a sign."""
    return None if completion[:1] in ("+", "=", "?", "") else accuracy_reward(completion, answer)


REWARDS = {one.__name__: one for one in (accuracy_reward, format_reward, sometimes_none_accuracy)}


class Truth:
    """Writes what a trainer's reward functions are given, and what they return."""

    def __init__(self, file: Path, attempt: int) -> None:
        self._file = file
        self._attempt = attempt
        self._generations = 0
        self._first = ""
        self.trainer: Any = None

    def watched(self, name: str) -> Reward:
        """Return a reward function under its name, for TRL names the log's columns after it."""
        self._first = self._first or name

        def reward(
            prompts: list[Any], completions: list[Any], answer: list[str], **_: Any
        ) -> list[float | None]:
            texts = [text_of(completion) for completion in completions]
            values = [REWARDS[name](*pair) for pair in zip(texts, answer, strict=True)]
            self._write(name, [text_of(prompt) for prompt in prompts], texts, values)
            return values

        reward.__name__ = name
        return reward

    def _write(
        self, name: str, prompts: list[str], texts: list[str], values: list[float | None]
    ) -> None:
        self._generations += name == self._first
        mode = "train" if self.trainer.model.training else "eval"
        shared = {
            "attempt": self._attempt,
            "generation": self._generations,
            "mode": mode,
            # The step which these samples are drawn for, or after which they are evaluated.
            "step": self.trainer.state.global_step + (mode == "train"),
            "reward": name,
        }
        with self._file.open("a", encoding="utf-8") as file:
            for prompt, completion, value in zip(prompts, texts, values, strict=True):
                line = {**shared, "prompt": prompt, "completion": completion, "value": value}
                file.write(json.dumps(line) + "\n")


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character."""
    words = {token: place for place, token in enumerate((*SPECIAL, *CHARACTERS))}
    found = Tokenizer(models.WordLevel(words, unk_token=SPECIAL[0]))
    found.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    found.decoder = decoders.Fuse()
    made = PreTrainedTokenizerFast(
        tokenizer_object=found, pad_token=SPECIAL[0], eos_token=SPECIAL[1], padding_side="left"
    )
    made.chat_template = CHAT
    return made


def model(words: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    """A random model, the same every time."""
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config)


def rows(run: Run) -> tuple[Dataset, Dataset | None]:
    """Return the prompts for training, and those held out."""
    numbers = random.Random(5)  # noqa: S311 (no secret)
    pairs = numbers.sample([(a, b) for a in range(30) for b in range(30)], PROMPTS + run.held_out)
    found = [{"prompt": f"{a}+{b}=?", "answer": str(a + b)} for a, b in pairs]
    if run.chat:
        found = [{**row, "prompt": [{"role": "user", "content": row["prompt"]}]} for row in found]
    held_out = Dataset.from_list(found[PROMPTS:]) if run.held_out else None
    return Dataset.from_list(found[:PROMPTS]), held_out


def settings(run: Run, output: Path) -> GRPOConfig:
    """Return TRL's settings of a run."""
    chosen: Row = {
        "per_device_train_batch_size": ROWS,
        "per_device_eval_batch_size": SAMPLES,
        "num_generations": SAMPLES,
        "max_completion_length": 8,
        "num_train_epochs": EPOCHS,
        "logging_steps": 1,
        "learning_rate": 0.01,
        "save_strategy": "no",
        **run.settings,
    }
    return GRPOConfig(
        output_dir=str(output),
        log_completions=True,
        num_completions_to_print=1,
        gradient_checkpointing=False,
        use_cpu=True,
        bf16=False,
        report_to=[],
        disable_tqdm=True,
        seed=1,
        **chosen,
    )


def attempt(run: Run, output: Path, number: int, checkpoint: Path | None = None) -> None:
    """Train, from a checkpoint if there is one."""
    words = tokenizer()
    train, held_out = rows(run)
    truth = Truth(output.with_name("truth.jsonl"), number)
    trainer = GRPOTrainer(
        model=model(words),
        reward_funcs=[truth.watched(name) for name in run.rewards],
        processing_class=words,
        train_dataset=train,
        eval_dataset=held_out,
        args=settings(run, output),
        callbacks=[Killed(run.killed_after)] if run.killed_after and not checkpoint else [],
    )
    truth.trainer = trainer
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def write(name: str, folder: Path) -> None:
    """Write the log of a run, and its truth."""
    run = RUNS[name]
    output = folder / name / "output"
    output.mkdir(parents=True)
    try:
        attempt(run, output, 1)
    except KilledError:
        checkpoint = next(output.glob("checkpoint-*"))
        attempt(run, output.with_name("output-2") if run.elsewhere else output, 2, checkpoint)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for name in sys.argv[2:] or RUNS:
        write(name, Path(sys.argv[1]))
