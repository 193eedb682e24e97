"""The embedded engine's side: PPO steps with critic and reference, and the FLOP floor.

python ppo_step.py WORK             # prints one JSON object
python ppo_step.py WORK portable    # the same, with `determinism: portable`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import case
import numpy as np

from limr.train.embedded import memory, portable

if sys.argv[2:] == ["portable"]:
    portable.prepare()  # before torch is imported
import torch

from limr.core import validation
from limr.core.tables import read_problems
from limr.grading import rewards
from limr.grading.pool import GradingPool
from limr.models.interface import PpoJob
from limr.study import schema
from limr.train.embedded import ppo as learner
from limr.train.embedded import rollouts, vocabulary
from limr.train.embedded.batch import Sequences
from limr.train.embedded.order import Order
from limr.train.engines import embedded

REWARD = {"rule": "verdict", "correct": 1.0, "incorrect": -0.5, "malformed": -1.0}


def job(work: Path) -> PpoJob:
    """Return the run; only its settings and its base are used here."""
    ppo = dict(validation.complete({}, schema.Ppo, "ppo"))
    ppo |= {
        "prompts_per_step": case.PROMPTS_PER_STEP,
        "samples_per_prompt": case.SAMPLES,
        "train_batch_size": case.TRAIN_BATCH,
        "temperature": case.TEMPERATURE,
        "max_response_tokens": case.MAX_RESPONSE,
        "kl_coefficient": case.KL,
        "actor_learning_rate": case.LEARNING_RATE,
        "critic_learning_rate": case.LEARNING_RATE,
        "warmup_steps": 0,
    }
    return PpoJob(
        arm="benchmark",
        seed=1,
        base=work / "base",
        problems=read_problems(work / "problems.jsonl"),
        options=validation.complete({"device": "cpu"}, embedded.Options, "options"),
        grader={},
        state=work / "state",
        policies={},
        metrics=work / "metrics.parquet",
        record=work / "run.json",
        provenance={},
        ppo=ppo,
        reward=REWARD,
        rollouts=work / "rollouts.parquet",
    )


def peak() -> float:
    """Return the best matrix product of one thread, in FLOP a CPU-second."""
    size, best = 1024, 0.0
    left = torch.randn(size, size)
    for product in (lambda: left @ left, lambda: np.matmul(left.numpy(), left.numpy())):
        for _ in range(40):
            start = time.process_time()
            product()
            best = max(best, 2 * size**3 / (time.process_time() - start))
    return best


def flop(config: Mapping[str, Any], prompt: int, response: int) -> float:
    """Return the FLOP of one forward pass over one sequence (matrix products alone)."""
    hidden, inner, layers = (
        config[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    kv = hidden * config["num_key_value_heads"] // config["num_attention_heads"]
    tokens = prompt + response - 1  # the last token is not an input
    weights = layers * (2 * hidden * hidden + 2 * hidden * kv + 3 * hidden * inner)
    attention = layers * 2 * hidden * tokens * (tokens + 1) / 2
    return 2 * (weights * tokens + attention + response * hidden * config["vocab_size"])


def measure(work: Path) -> dict[str, float]:
    """Do the steps; return tokens and CPU-seconds a step, and the floor."""
    memory.keep()  # as the engine does
    run = job(work)
    torch.set_num_threads(1)
    side = learner.Learner(run, torch.device("cpu"))
    words, pool = vocabulary.load(run.base), GradingPool({})
    encoded = [words.encode(problem.prompt) for problem in run.problems]
    order = Order(len(encoded), case.PROMPTS_PER_STEP, True, 1, run.arm)
    tokens, flops, seconds = 0, 0.0, []
    for number in range(1, case.WARM_UP + case.STEPS + 1):
        start = time.process_time()
        chosen = order.batch(number)
        prompts = [encoded[index] for index in chosen]
        samples = side.sample(prompts, number)
        problems = [run.problems[index] for index in chosen]
        pay = rewards.reward_function(REWARD, run.seed, run.arm, number)
        columns = rollouts.graded(problems, samples, words, pool, pay)
        sequences = Sequences.of(prompts, samples)
        batch, _ = side.prepare(sequences, samples, columns["reward"])
        side.learn(batch, number)
        if number > case.WARM_UP:
            seconds.append(time.process_time() - start)
            lengths = samples.lengths.tolist()
            tokens += sequences.prompt_tokens() + sum(lengths)
            # generation 1, reference 1, critic 1 + 3, policy 3 forward passes' worth
            flops += sum(
                9 * flop(side.policy.model.config, len(prompts[row // case.SAMPLES]), length)
                for row, length in enumerate(lengths)
            )
    return {
        "tokens_per_step": tokens / case.STEPS,
        "cpu_seconds_per_step": sum(seconds) / case.STEPS,
        "best_cpu_seconds_per_step": min(seconds),
        "floor_seconds_per_step": flops / case.STEPS / peak(),
        "peak_gflop_per_second": peak() / 1e9,
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
