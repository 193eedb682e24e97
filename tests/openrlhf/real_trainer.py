"""A small study that the real trainers run on a CPU, and the environment in which they do.

What makes OpenRLHF run on a CPU stands in cpu_only/ and here, for these tests alone.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-openrlhf/bin/python"
PROBLEMS, BATCH, SAMPLES = 10, 4, 4  # two whole batches an epoch, and two problems left over

ON_CPU = {
    "LIMR_TESTS_ON_CPU": "1",
    "DS_ACCELERATOR": "cpu",
    "DS_BUILD_OPS": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "OMP_NUM_THREADS": "1",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TORCH_COMPILE_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
}

STUDY: dict[str, Any] = {
    "study": "real",
    "seeds": [1],
    "datasets": {
        "arithmetic": {"source": "arithmetic", "problems": PROBLEMS, "seed": 5, "levels": [1]}
    },
    "dataset": "arithmetic",
    "engine": {"train": "openrlhf", "generate": "huggingface"},
    "engines": {
        "openrlhf": {
            "gpus_per_node": 1,
            "zero_stage": 2,
            "attention": "eager",
            "packing": False,
            "gradient_checkpointing": False,
            "enforce_eager": True,
            "sleep": False,
            "micro_rollout": 4,
            "micro_train": 4,
            "sft": {"max_tokens": 300, "micro_batch": 2},
        },
        "huggingface": {"device": "cpu", "batch_size": 64},
    },
    "base": {"model": "model", "template": "qwen-boxed"},
    "ppo": {
        "steps": 5,
        "prompts_per_step": BATCH,
        "samples_per_prompt": SAMPLES,
        "train_batch_size": 8,
        "actor_learning_rate": 1.0e-3,
        "critic_learning_rate": 1.0e-3,
        "warmup_steps": 1,
        "max_prompt_tokens": 240,
        "max_response_tokens": 12,
    },
    "sft": {"steps": 4, "batch_size": 4, "learning_rate": 1.0e-3},
    "trajectories": {"full": {"format": "rollouts", "arm": "full", "seed": 1}},
    "scores": {
        "everything": {"selector": "full"},
        "lim": {"selector": "lim", "trajectories": "full", "missing": "mean-of-present"},
    },
    "arms": {
        "full": {"train": "ppo", "score": "everything"},
        "sft": {"train": "sft", "score": "everything"},
        "limr": {"train": "none", "score": "lim", "size": 4},
    },
    "evaluate": {
        "ppo_steps": [0, 2, 4],
        "sft_steps": [2, 4],
        "benchmarks": {
            "arithmetic-easy": {
                "decodings": [{"name": "greedy", "samples": 1, "temperature": 0, "max_tokens": 8}]
            }
        },
    },
    "tables": {"results": {}},
    "figures": {"reward": {}},
}


def study() -> dict[str, Any]:
    """A copy of the study, to change."""
    return copy.deepcopy(STUDY)


def environment(folder: Path) -> dict[str, str]:
    """The environment of commands in a copy of the repository: its library, on a CPU."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("LIMR_MIRROR", "RAY_ADDRESS")
    }
    path = os.pathsep.join([str(folder / "workflow/scripts"), str(HERE / "cpu_only")])
    return {**kept, **ON_CPU, "PYTHONPATH": path}


if __name__ == "__main__":
    import yaml

    sys.stdout.write(yaml.safe_dump(STUDY, sort_keys=False))
