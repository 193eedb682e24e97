"""Hugging Face datasets: a folder that `load_dataset` takes as it is, with its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core import files

FILE = "data/train-00000-of-00001.parquet"
HEAD = """\
---
configs:
- config_name: default
  data_files: data/*.parquet
---
"""  # of the card, which the hub and `load_dataset` read
SNIPPET = 'dataset = datasets.load_dataset("{folder}", split="train")'


def write(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the rows of a subset, with all their columns."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    files.write_parquet(folder / FILE, pa.Table.from_pylist(list(rows)))
