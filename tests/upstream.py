"""The published procedure, written again from its description, and logs as its code writes them.

The description (paper, section 2.2, and the behaviour of the code published with it): samples of
`steps_per_epoch` steps make an epoch; a prompt's accuracy is the share of its samples with reward
1, -1 where it has none; going forward, a missing epoch takes the next one's value if that one is
there; prompts with an epoch still missing are dropped; the mean curve is over the others; the score
is 1 - Σ (a - m)² / Σ (1 - m)²; a prompt stays if its score is at least the threshold.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def scores(folder: Path, steps_per_epoch: int, epochs: int) -> dict[str, float]:
    """Return prompt -> score by plain loops over step_N.json."""
    samples: list[list[dict]] = []
    for epoch in range(epochs):
        gathered: list[dict] = []
        for step in range(1, steps_per_epoch + 1):
            path = folder / f"step_{epoch * steps_per_epoch + step}.json"
            gathered += json.loads(path.read_text(encoding="utf-8"))
        samples.append(gathered)
    curves: dict[str, list[float]] = {}
    for epoch, gathered in enumerate(samples):
        right: dict[str, list[int]] = {}
        for sample in gathered:
            right.setdefault(sample["prompt"].strip(), []).append(int(sample["reward"] == 1))
        for prompt, hits in right.items():
            curves.setdefault(prompt, [-1.0] * epochs)[epoch] = sum(hits) / len(hits)
    for curve in curves.values():
        for k in range(epochs - 1):
            if curve[k] == -1 and curve[k + 1] != -1:
                curve[k] = curve[k + 1]
    whole = {prompt: curve for prompt, curve in curves.items() if -1 not in curve}
    mean = [sum(curve[k] for curve in whole.values()) / len(whole) for k in range(epochs)]
    largest = sum((1 - m) ** 2 for m in mean)
    return {
        prompt: 1 - sum((a - m) ** 2 for a, m in zip(curve, mean, strict=True)) / largest
        for prompt, curve in whole.items()
    }


def write_log(
    folder: Path,
    prompts: list[str],
    *,
    epochs: int,
    steps_per_epoch: int,
    prompts_per_step: int,
    samples: int,
    rng: np.random.Generator,
) -> None:
    """Write step_1.json, …: each epoch is a fresh order, its incomplete last batch left out."""
    folder.mkdir()
    ability = rng.beta(0.6, 0.8, len(prompts))
    for epoch in range(epochs):
        order = rng.permutation(len(prompts))
        rise = ability + (1 - ability) * ability * epoch / max(epochs - 1, 1)
        for step in range(steps_per_epoch):
            rows = []
            for number in order[step * prompts_per_step : (step + 1) * prompts_per_step]:
                right = rng.random(samples) < rise[number]
                wrong = np.where(rng.random(samples) < 0.8, -0.5, -1.0)
                rewards = np.where(right, 1.0, wrong).tolist()
                rows += [
                    {"prompt": prompts[number], "response": "\\boxed{1}", "reward": reward,
                     "response_length": 3}
                    for reward in rewards
                ]  # fmt: skip
            path = folder / f"step_{epoch * steps_per_epoch + step + 1}.json"
            path.write_text(json.dumps(rows), encoding="utf-8")
