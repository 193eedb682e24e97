"""Check that scores.parquet files hold the scores of a JSON file, problem by problem.

.venv/bin/python benchmarks/selection/agree.py EXPECTED.json SCORES.parquet … [--problems FILE.json]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

TOLERANCE = 1e-9


def compared(expected: dict[str, float], path: Path) -> dict[str, Any]:
    """Return how a file's scores differ from what is expected; a NaN is no score."""
    table = pq.read_table(path)
    ids, values = table["problem_id"].to_pylist(), table["score"].to_pylist()
    found = {
        key: value
        for key, value in zip(ids, values, strict=True)
        if value is not None and not math.isnan(value)
    }
    both = expected.keys() & found.keys()
    largest = max((abs(expected[key] - found[key]) for key in both), default=math.inf)
    one_sided = len(expected.keys() ^ found.keys())
    return {
        "rows": len(ids),
        "scored": len(found),
        "expected": len(expected),
        "scored_on_one_side": one_sided,
        "largest_difference": largest,
        "agree": len(ids) == len(set(ids)) and not one_sided and largest <= TOLERANCE,
    }


def main() -> None:
    """Print one JSON object: a file's stem, and how it compares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected", type=Path)
    parser.add_argument("scores", type=Path, nargs="+")
    parser.add_argument("--problems", type=Path, help="ids of the prompts that are expected's keys")
    arguments = parser.parse_args()
    expected: dict[str, float] = json.loads(arguments.expected.read_text(encoding="utf-8"))
    if arguments.problems:
        rows = json.loads(arguments.problems.read_text(encoding="utf-8"))
        ids = {row["prompt"]: row["id"] for row in rows}
        expected = {ids[prompt]: score for prompt, score in expected.items()}
    print(json.dumps({path.stem: compared(expected, path) for path in arguments.scores}))


if __name__ == "__main__":
    main()
