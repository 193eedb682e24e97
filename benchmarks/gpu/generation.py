"""Generation by transformers: tokens a second and memory at several batch sizes.

python benchmarks/gpu/generation.py --model FOLDER --output generation.json
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import machine
import torch

from limr.core import validation
from limr.models import prompt_templates
from limr.models.interface import Decoding
from limr.problems.datasets import arithmetic as problems_of
from limr.train.engines import huggingface


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a model's folder")
    parser.add_argument("--template", default="qwen-boxed", choices=prompt_templates.NAMES)
    parser.add_argument("--batches", default="16,64,256")
    parser.add_argument("--tokens", type=int, default=512, help="longest response")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = [one(arguments, device, int(size)) for size in arguments.batches.split(",")]
    result = {**machine.described(device), "model": arguments.model.name, "batches": rows}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=2))


def one(arguments: argparse.Namespace, device: str, size: int) -> dict[str, Any]:
    """Generate one batch, after a short one that warms up."""
    options = {"device": device, "batch_size": size, "template": arguments.template}
    policy = huggingface.open_policy(
        arguments.model, validation.complete(options, huggingface.Options, "options")
    )
    chosen = {"problems": size, "seed": 1, "split": "train", "levels": [4, 5, 6]}
    prompts = [problem.prompt for problem in problems_of.prepare(chosen, None)[0]]
    policy.generate(prompts[:4], Decoding("warm", 1, 1.0, 1.0, 8), 1)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    start = time.monotonic()
    found = policy.generate(prompts, Decoding("timed", 1, 1.0, 1.0, arguments.tokens), 1)
    seconds = time.monotonic() - start
    tokens = sum(response.tokens for samples in found for response in samples)
    policy.close()
    return {
        "batch_size": size,
        "tokens": tokens,
        "tokens_a_second": round(tokens / seconds, 1),
        "peak_gb": machine.peak_gb(device),
    }


if __name__ == "__main__":
    main()
