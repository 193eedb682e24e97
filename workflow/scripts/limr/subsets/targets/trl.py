"""TRL: JSON lines with `prompt` as chat messages; further columns reach the reward function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limr.subsets.targets._chats import write_chats

FILE = "train.jsonl"
SNIPPET = """\
dataset = datasets.load_dataset("json", data_files="{file}", split="train")
GRPOTrainer(..., train_dataset=dataset, reward_funcs=TrlReward(gold="answer"))"""


def write(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the rows of a subset."""
    write_chats(rows, folder / FILE)
