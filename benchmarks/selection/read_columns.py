"""Merely read what scoring needs of a rollouts file, row group by row group; compute nothing.

.venv/bin/python benchmarks/selection/read_columns.py ROLLOUTS.parquet [--dictionary]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow.parquet as pq

COLUMNS = ["problem_id", "step", "epoch", "sample", "reward", "verdict"]


def main() -> None:
    """Read, and print the rows and the bytes they take in memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--dictionary", action="store_true", help="keep problem_id and verdict as codes"
    )
    arguments = parser.parse_args()
    dictionary = ["problem_id", "verdict"] if arguments.dictionary else None
    rows = size = 0
    with pq.ParquetFile(arguments.file, read_dictionary=dictionary) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=COLUMNS)
            rows += table.num_rows
            size += table.nbytes
    print(json.dumps({"rows": rows, "bytes": size}))


if __name__ == "__main__":
    main()
