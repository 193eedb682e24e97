"""Run in .venv-openrlhf: loads a DeepSpeed checkpoint with new optimizers, at a ZeRO stage.

Input: {"stage": 2 or 3}. Output: what is the checkpoint's and what is a new engine's, as booleans.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from typing import Any

import deepspeed
import torch
from torch.optim.lr_scheduler import LambdaLR

from limr.train.openrlhf import loading

RATES = (1e-3, 5e-3)


def engine(stage: int, rate: float) -> Any:
    """A small model with Adam, whose learning rate warms up over four steps."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 1))
    config = {
        "train_micro_batch_size_per_gpu": 4,
        "bf16": {"enabled": True},
        "zero_optimization": {"stage": stage},
        "optimizer": {"type": "AdamW", "params": {"lr": rate, "torch_adam": True}},
    }

    def schedule(optimizer: Any) -> LambdaLR:
        return LambdaLR(optimizer, lambda step: min(1.0, step / 4))

    return deepspeed.initialize(
        model=model, model_parameters=model.parameters(), config=config, lr_scheduler=schedule
    )[0]


def train(one: Any, steps: int) -> None:
    """Do some optimizer steps."""
    for number in range(steps):
        torch.manual_seed(number)
        values = torch.randn(4, 8).bfloat16()
        one.backward((one(values) - 1).square().mean())
        one.step()


def masters(one: Any) -> list[torch.Tensor]:
    """The 32-bit weights."""
    zero = one.optimizer
    if hasattr(zero, "fp32_partitioned_groups_flat"):
        return [tensor.detach().clone() for tensor in zero.fp32_partitioned_groups_flat]
    return [tensor.detach().clone() for tensor in zero.single_partition_of_fp32_groups]


def counts(one: Any) -> list[Any]:
    """What Adam counts and remembers: no moment may be there."""
    states = one.optimizer.optimizer.state.values()
    return [
        [name, float(torch.as_tensor(value).abs().sum())]
        for state in states
        for name, value in sorted(state.items())
    ]


def settings(one: Any) -> list[Any]:
    """The settings of its groups."""
    groups = one.optimizer.optimizer.param_groups
    return [{k: v for k, v in sorted(group.items()) if k != "params"} for group in groups]


def main() -> None:
    """Load a checkpoint with new optimizers, and as it is."""
    stage = json.load(sys.stdin)["stage"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "0", "WORLD_SIZE": "1"}
    os.environ["LOCAL_RANK"] = "0"
    deepspeed.init_distributed(dist_backend="gloo")
    with tempfile.TemporaryDirectory() as folder:
        old = engine(stage, RATES[0])
        train(old, 6)
        old.save_checkpoint(folder, tag="x", client_state={"global_step": 6})
        new, kept = engine(stage, RATES[1]), engine(stage, RATES[1])
        unused = [counts(new), settings(new)]

        def loading_into(one: Any) -> Any:
            return lambda **named: one.load_checkpoint(folder, **named)

        told = loading.loaded(loading_into(new), new, folder, fresh=True)[1]
        loading.loaded(loading_into(kept), kept, folder, fresh=False)
    weights, bits = masters(old), [one.bfloat16().float() for one in masters(old)]
    found = {
        "told": told["global_step"] == 6,
        "weights": all(map(torch.equal, masters(new), weights)),
        "weights need 32 bits": not all(map(torch.equal, bits, weights)),
        "counts and settings are a new one's": [counts(new), settings(new)] == unused,
        "schedule": new.lr_scheduler.last_epoch == 0,
        "kept: counts": counts(kept) == counts(old),
        "kept: schedule": kept.lr_scheduler.last_epoch == 6,
        "kept: rate": settings(kept)[0]["lr"] == RATES[0],
    }
    before = masters(new)
    train(new, 2)
    found["it trains"] = not all(map(torch.equal, masters(new), before))
    found["at its own rate"] = abs(settings(new)[0]["lr"] - RATES[1] / 2) < 1e-9
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
