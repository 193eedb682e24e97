"""The way it is done without the library: plain Python over step_1.json, step_2.json, …

.venv/bin/python benchmarks/selection/plain.py STEPS_FOLDER OUT.json --steps-per-epoch 8 --epochs 21
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

UNSEEN = -1


def epoch_samples(folder: Path, epoch: int, steps_per_epoch: int) -> list[dict[str, Any]]:
    """Return all samples of one epoch's step files."""
    samples = []
    for step in range(epoch * steps_per_epoch + 1, (epoch + 1) * steps_per_epoch + 1):
        with (folder / f"step_{step}.json").open(encoding="utf-8") as file:
            samples.extend(json.load(file))
    return samples


def curves(folder: Path, steps_per_epoch: int, epochs: int) -> dict[str, list[float]]:
    """Return each prompt's accuracy, epoch by epoch; UNSEEN where it has no sample."""
    prompts: set[str] = set()
    counts: list[dict[str, list[int]]] = []
    for epoch in range(epochs):
        seen: dict[str, list[int]] = {}
        for sample in epoch_samples(folder, epoch, steps_per_epoch):
            prompt = sample["prompt"]
            prompts.add(prompt)
            if prompt not in seen:
                seen[prompt] = [0, 0]
            if sample["reward"] == 1:
                seen[prompt][0] += 1
            seen[prompt][1] += 1
        counts.append(seen)
    found = {}
    for prompt in prompts:
        curve = []
        for seen in counts:
            correct, total = seen.get(prompt, (0, 0))
            curve.append(correct / total if total else UNSEEN)
        found[prompt] = curve
    return found


def back_fill(curve: list[float]) -> None:
    """Give a missing epoch the next epoch's value, if there is one; in place, going forward."""
    for epoch in range(len(curve) - 1):
        if curve[epoch] == UNSEEN and curve[epoch + 1] != UNSEEN:
            curve[epoch] = curve[epoch + 1]


def scores(found: dict[str, list[float]]) -> dict[str, float]:
    """Return how well each complete curve follows the mean of the complete curves."""
    for curve in found.values():
        back_fill(curve)
    complete = {prompt: curve for prompt, curve in found.items() if UNSEEN not in curve}
    mean = np.mean(list(complete.values()), axis=0).tolist()
    most = sum((1 - m) ** 2 for m in mean)
    return {
        prompt: 1 - sum((a - m) ** 2 for a, m in zip(curve, mean, strict=True)) / most
        for prompt, curve in complete.items()
    }


def main() -> None:
    """Score the prompts of a folder of step files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps-per-epoch", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=21)
    arguments = parser.parse_args()
    found = scores(curves(arguments.folder, arguments.steps_per_epoch, arguments.epochs))
    with arguments.output.open("w", encoding="utf-8") as file:
        json.dump(found, file, indent=4)


if __name__ == "__main__":
    main()
