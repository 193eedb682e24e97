"""The embedded engine on CUDA against a CPU: tokens a second, memory, and the same learning curves.

    python benchmarks/gpu/embedded.py --devices cuda,cpu --output embedded.json

Makes the demo's base policy on a CPU once, then trains the demo's `full` arm from it on each device
with several seeds. The curves agree if the mean accuracy of the last steps differs by at most
three standard errors of the difference over seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import machine
import pyarrow.parquet as pq
import torch
import yaml

from limr.core import plugins, validation
from limr.models.interface import BaseJob, PpoJob
from limr.study import schema
from limr.train.engines import embedded

ROOT = Path(__file__).parents[2]
LAST = 4  # steps whose accuracy is compared


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--devices", default="cuda,cpu", help="first what is checked")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--warmup-steps", type=int, help="of the base (the demo's)")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    devices = arguments.devices.split(",")
    if "cuda" in devices and not torch.cuda.is_available():
        sys.exit("PyTorch sees no CUDA device here; --devices cpu,cpu tests this script.")
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))
    del config["engines"]["embedded"]["determinism"]  # which a GPU has not
    if arguments.warmup_steps:
        config["base"]["warmup"]["steps"] = arguments.warmup_steps
    config = validation.complete(config, schema.Study, "config/demo.yaml")
    source = plugins.load("datasets", "arithmetic")
    problems, _ = source.prepare(config["datasets"]["arithmetic"], None)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        options = {**config["engines"]["embedded"], "device": "cpu"}
        embedded.make_base(
            BaseJob(config["base"], options, problems, work / "state", work / "base")
        )
        sides = []
        for place, device in enumerate(devices):
            # A device that is compared with itself gets other seeds.
            first = 1 + (place * arguments.seeds if devices.count(device) > 1 else 0)
            runs = [
                train(config, problems, work, device, seed, arguments.steps)
                for seed in range(first, first + arguments.seeds)
            ]
            sides.append(side(device, runs))
    result = {**machine.described(devices[0]), "sides": sides, **compared(*sides[:2])}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "versions"}, indent=2))
    sys.exit(0 if result["curves_agree"] else 1)


def train(
    config: dict[str, Any], problems: list[Any], work: Path, device: str, seed: int, steps: int
) -> dict[str, Any]:
    """Train once; return the metrics by column, and the peak memory."""
    folder = work / f"{device}-{seed}"
    options = {**config["engines"]["embedded"], "device": device, "checkpoint_every": steps}
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    embedded.train_ppo(
        PpoJob(
            arm="full",
            seed=seed,
            base=work / "base",
            problems=problems,
            options=options,
            grader=config["grader"],
            state=folder / "state",
            policies={},
            metrics=folder / "metrics.parquet",
            record=folder / "run.json",
            provenance={},
            ppo={**config["ppo"], "steps": steps},
            reward=config["reward"],
            rollouts=folder / "rollouts.parquet",
        )
    )
    metrics = pq.read_table(folder / "metrics.parquet").to_pydict()
    return {**metrics, "peak_gb": machine.peak_gb(device)}


def side(device: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one device's figures; the first step, which starts the device, is not timed."""
    speed = [sum(run["tokens"][1:]) / sum(run["seconds"][1:]) for run in runs]
    return {
        "device": device,
        "tokens_a_second": round(statistics.median(speed)),
        "peak_gb": runs[0]["peak_gb"],
        "last_accuracy": [round(statistics.fmean(run["accuracy"][-LAST:]), 4) for run in runs],
        "mean_curve": [
            round(statistics.fmean(values), 4)
            for values in zip(*(run["accuracy"] for run in runs), strict=True)
        ],
    }


def compared(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return whether two devices' last accuracies are the same up to the noise of seeds."""
    pairs = [side["last_accuracy"] for side in (one, other)]
    difference = statistics.fmean(pairs[0]) - statistics.fmean(pairs[1])
    error = math.sqrt(sum(statistics.variance(values) / len(values) for values in pairs))
    return {
        "difference": round(difference, 4),
        "standard_error": round(error, 4),
        "curves_agree": abs(difference) <= 3 * max(error, 1e-3),
        "times_as_fast": round(one["tokens_a_second"] / other["tokens_a_second"], 2),
    }


if __name__ == "__main__":
    main()
