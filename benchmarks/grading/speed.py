"""One PPO step's 8,192 answers through a cold pool: prints wall and CPU seconds as JSON.

Usage: PYTHON benchmarks/grading/speed.py FOLDER {diverse,strong}
"""

from __future__ import annotations

import itertools
import json
import lzma
import resource
import sys
import time
from pathlib import Path

from limr.grading.boxes import last_box
from limr.grading.pool import GradingPool

ANSWERS = 8_192
WORKERS = 2
STRONG = "qwen2.5-math-7b"


def items(folder: Path, kind: str) -> list[tuple[str, str, bool]]:
    """Return the recorded responses, of all models or of the strong one, gone through again."""
    with lzma.open(folder / "responses.jsonl.xz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    if kind == "strong":
        rows = [row for row in rows if row["model"] == STRONG]
    chosen = itertools.islice(itertools.cycle(rows), ANSWERS)
    return [(row["gold"], row["response"], False) for row in chosen]


def main() -> None:
    """Measure."""
    batch = items(Path(sys.argv[1]), sys.argv[2])
    start, cpu = time.monotonic(), time.process_time()
    with GradingPool(workers=WORKERS) as pool:
        grades = pool.grade_many(batch)
    wall, cpu = time.monotonic() - start, time.process_time() - cpu
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "answers": len(grades),
        "distinct_pairs": len({(gold, last_box(text)) for gold, text, _ in batch}),
        "correct": sum(grade.verdict == "correct" for grade in grades),
        "wall_seconds": wall,
        "cpu_seconds": cpu + children.ru_utime + children.ru_stime,
        "limits_reached": sum(
            grade.reason in ("timed-out", "out-of-memory", "crashed", "error") for grade in grades
        ),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
