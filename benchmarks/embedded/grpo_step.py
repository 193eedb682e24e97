"""TRL's side: GRPOTrainer steps on the same model, prompts and batch; no critic.

python grpo_step.py WORK    # prints one JSON object; needs requirements.in, not limr
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import case
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

UPDATES = case.PROMPTS_PER_STEP * case.SAMPLES // case.TRAIN_BATCH


class Clock(TrainerCallback):
    """CPU-seconds at the end of every rollout batch."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_step_end(self, args, state, control, **kwargs):  # noqa: ANN001, ANN003, ANN201 (the base's signature)
        """Note the time after the last update of a batch."""
        if state.global_step % UPDATES == 0:
            self.marks.append(time.process_time())


def measure(work: Path) -> dict[str, float]:
    """Do the steps; return tokens and CPU-seconds a step."""
    torch.set_num_threads(1)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "base", padding_side="left")
    rows = case.prompts(work)
    lengths: list[int] = []

    def reward(prompts, completions, answer, completion_ids, **_):  # noqa: ANN001, ANN003, ANN202 (TRL's signature)
        lengths.append(
            sum(len(ids) for ids in completion_ids)
            + sum(len(tokenizer(prompt).input_ids) for prompt in prompts)
        )
        return [
            1.0 if text.endswith(f"\\boxed{{{gold}}}") else -1.0
            for text, gold in zip(completions, answer, strict=True)
        ]

    clock = Clock()
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(work / "base", dtype=torch.float32),
        reward_funcs=reward,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(
            [{"prompt": row["prompt"], "answer": row["answer"]} for row in rows]
        ),
        callbacks=[clock],
        args=GRPOConfig(
            output_dir=str(work / "trl"),
            use_cpu=True,
            bf16=False,
            per_device_train_batch_size=case.TRAIN_BATCH,
            steps_per_generation=UPDATES,
            num_generations=case.SAMPLES,
            max_completion_length=case.MAX_RESPONSE,
            temperature=case.TEMPERATURE,
            beta=case.KL,
            learning_rate=case.LEARNING_RATE,
            max_steps=UPDATES * (case.WARM_UP + case.STEPS),
            gradient_checkpointing=False,
            save_strategy="no",
            report_to=[],
            logging_strategy="no",
            disable_tqdm=True,
            seed=1,
        ),
    )
    trainer.train()
    spent = [after - before for before, after in zip(clock.marks, clock.marks[1:], strict=False)]
    measured = spent[-case.STEPS :]
    return {
        "tokens_per_step": sum(lengths[-case.STEPS :]) / case.STEPS,
        "cpu_seconds_per_step": sum(measured) / case.STEPS,
        "best_cpu_seconds_per_step": min(measured),
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
