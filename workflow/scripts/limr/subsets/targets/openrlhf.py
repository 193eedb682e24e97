"""OpenRLHF: JSON lines with the keys that `--data.input_key` and `--data.label_key` name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limr.subsets.targets._chats import write_chats

FILE = "train.jsonl"
SNIPPET = """\
python -m openrlhf.cli.train_ppo_ray --data.prompt_dataset {file} \\
    --data.input_key prompt --data.label_key answer --data.apply_chat_template \\
    --reward.remote_url reward_openrlhf.py"""


def write(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the rows of a subset."""
    write_chats(rows, folder / FILE)
