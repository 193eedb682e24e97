"""verl: a Parquet file with chat messages, the gold answer in `reward_model`, `extra_info`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core import files

FILE = "train.parquet"
SNIPPET = """\
python3 -m verl.trainer.main_ppo \\
    data.train_files={file} data.val_files=YOURS.parquet data.prompt_key=prompt \\
    custom_reward_function.path=reward_verl.py custom_reward_function.name=compute_score"""


def write(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the rows of a subset."""
    made = [
        {
            "data_source": row["source"],
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": row["answer"]},
            "extra_info": {"split": "train", "index": n, "problem_id": row["problem_id"]},
        }
        for n, row in enumerate(rows)
    ]
    files.write_parquet(folder / FILE, pa.Table.from_pylist(made))
