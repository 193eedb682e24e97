"""The batch that both sides train on; needs nothing but the standard library."""

from __future__ import annotations

import json
import os
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before torch is imported
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

PROMPTS_PER_STEP = 48
SAMPLES = 8
TRAIN_BATCH = 96
MAX_RESPONSE = 28
TEMPERATURE = 1.2
KL = 0.01
LEARNING_RATE = 1.5e-4
WARM_UP, STEPS = 2, 8  # steps that are not measured, and steps that are


def prompts(work: Path) -> list[dict[str, str]]:
    """Return the problems: rows with `prompt` and `answer`."""
    rows = (work / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row) for row in rows]
