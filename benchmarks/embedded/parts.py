"""Where the time of a PPO step goes: by stage, and by kind of operation.

.venv/bin/python benchmarks/embedded/parts.py WORK     # WORK as for ppo_step.py

Stages are in CPU-seconds. Operations are PyTorch's own times without those that they call, in
percent of all, from a second run under its profiler, which is slower: their shares alone count.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import ppo_step
import torch
from torch.profiler import ProfilerActivity, profile

from limr.train.embedded import ppo as learner
from limr.train.embedded import rollouts

PRODUCTS = ("_Linear", "_Matmul")  # functions of limr/train/embedded/products.py
KINDS = {
    "Adam": ("_foreach", "Optimizer", "addcdiv", "addcmul", "lerp"),
    "copies, gathers and scatters": ("copy_", "index", "gather", "cat", "clone", "scatter",
                                     "select", "slice", "contiguous", "stack", "pad"),
    "softmax, sums, means and norms": ("softmax", "sum", "mean", "logsumexp", "norm", "max"),
    "functions of single elements": ("mul", "add", "sub", "div", "exp", "silu", "sigmoid", "pow",
                                     "rsqrt", "where", "clamp", "neg", "log", "masked_fill"),
}  # fmt: skip


def kind(name: str) -> str:
    """Return the kind of an operation by PyTorch's name for it."""
    if any(part in name for part in PRODUCTS):
        return "matrix products"
    found = (kind for kind, parts in KINDS.items() if any(part in name for part in parts))
    return next(found, "other: views, graph, allocation")


def timed(seconds: Counter[str], label: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, its CPU time counted under the label."""

    @wraps(function)
    def counted(*given: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return function(*given, **named)
        finally:
            seconds[label] += time.process_time() - start

    return counted


def main() -> None:
    """Print both tables."""
    work, seconds = Path(sys.argv[1]), Counter[str]()
    for label in ("sample", "prepare", "learn"):
        setattr(learner.Learner, label, timed(seconds, label, getattr(learner.Learner, label)))
    rollouts.graded = timed(seconds, "grade", rollouts.graded)
    found = ppo_step.measure(work)
    steps = ppo_step.case.STEPS + ppo_step.case.WARM_UP
    whole, floor = found["cpu_seconds_per_step"], found["floor_seconds_per_step"]
    print(f"a step {whole:.3f} s, its floor {floor:.3f} s")
    for label, total in seconds.most_common():
        print(f"| {label} | {total / steps:.3f} s |")
    ppo_step.case.STEPS, ppo_step.case.WARM_UP = 2, 0
    ppo_step.peak = lambda: 1.0  # its large products are no part of a step
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        ppo_step.measure(work)
    shares, calls = Counter[str](), Counter[str]()
    for event in profiler.key_averages():
        shares[kind(event.key)] += event.self_cpu_time_total
        calls[kind(event.key)] += event.count
    for name, total in shares.most_common():
        share = 100 * total / sum(shares.values())
        print(f"| {name} | {share:.0f} % | {calls[name] / 2:,.0f} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
