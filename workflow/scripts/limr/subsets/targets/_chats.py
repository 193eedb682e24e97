"""JSON lines of chats, which several trainers read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limr.core import files


def write_chats(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the rows of a subset: `prompt` as the messages of a chat, `answer`, `problem_id`."""
    made = [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "answer": row["answer"],
            "problem_id": row["problem_id"],
        }
        for row in rows
    ]
    files.write_jsonl(path, made)
