"""Run both sides in turn, one process and one thread each, and write the comparison.

.venv/bin/python benchmarks/embedded/compare.py --trl PYTHON --base FOLDER --problems FILE
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Measure, print and write `results.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trl", required=True, help="Python with requirements.in installed")
    parser.add_argument("--base", type=Path, required=True, help="a base policy's folder")
    parser.add_argument("--problems", type=Path, required=True, help="problems/{dataset}.jsonl")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(arguments.base, work / "base")
        shutil.copy(arguments.problems, work / "problems.jsonl")
        sides: dict[str, list[dict[str, float]]] = {"embedded": [], "trl": []}
        for _ in range(arguments.rounds):
            sides["embedded"].append(child(sys.executable, "ppo_step.py", work))
            sides["trl"].append(child(arguments.trl, "grpo_step.py", work))
    result = {"machine": platform.machine(), "rounds": sides, **summary(sides)}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary(sides), indent=2))


def child(python: str, script: str, work: Path) -> dict[str, float]:
    """Run one side in a fresh process; its last line of output is its result."""
    command = [python, str(HERE / script), str(work)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def summary(sides: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Return medians over the rounds of tokens a CPU-second, and the ratios."""
    speed = {
        side: statistics.median(r["tokens_per_step"] / r["cpu_seconds_per_step"] for r in rounds)
        for side, rounds in sides.items()
    }
    floor = statistics.median(
        r["cpu_seconds_per_step"] / r["floor_seconds_per_step"] for r in sides["embedded"]
    )
    return {
        "embedded_tokens_per_cpu_second": round(speed["embedded"]),
        "trl_tokens_per_cpu_second": round(speed["trl"]),
        "embedded_over_trl": round(speed["embedded"] / speed["trl"], 2),
        "embedded_over_floor": round(floor, 2),
    }


if __name__ == "__main__":
    main()
