"""Run all graders on the development set in turn, then the speed cases; write the comparison.

.venv/bin/python benchmarks/grading/compare.py --data FOLDER [--other PYTHON]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OURS = ("limr", "limr, paper preset", "math-verify, bare", "math-verify, in $")
OTHERS = ("lm-eval minerva_math",)
PACKAGES = ("math-verify", "sympy", "latex2sympy2_extended", "antlr4-python3-runtime")


def main() -> None:
    """Measure, print and write `results.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder grading/ of the data")
    parser.add_argument("--other", help="Python with requirements.in installed")
    parser.add_argument("--rounds", type=int, default=3, help="of the speed cases")
    parser.add_argument("--output", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    sides = {name: child(sys.executable, "side.py", name, arguments.data) for name in OURS}
    for name in OTHERS:
        python = arguments.other
        sides[name] = child(python, "side.py", name, arguments.data) if python else None
    speed = {
        kind: [
            child(sys.executable, "speed.py", arguments.data, kind) for _ in range(arguments.rounds)
        ]
        for kind in ("diverse", "strong")
    }
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    result = {
        "python": platform.python_version(),
        "versions": versions,
        "sides": sides,
        "speed": speed,
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(sides))
    print(json.dumps(speed, indent=2))


def child(python: str, script: str, *arguments: object) -> Any:
    """Run a script in a process of its own and return what it prints; None where it fails."""
    command = [python, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def table(sides: dict[str, Any]) -> str:
    """Return the comparison as Markdown."""
    lines = [
        "| grader | real pairs, accuracy | false negatives | false positives | core pairs | "
        "mutants accepted | rewrites accepted | answers a CPU-second | hostile, longest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [row(name, side) for name, side in sides.items()])


def row(name: str, side: Any) -> str:
    """Return a grader's line."""
    if side is None:
        return f"| {name} | not installed |" + " |" * 7
    real, core, mutants, rewrites = (
        side[kind] for kind in ("real_pairs", "pairs", "mutants", "gold_variants")
    )
    hostile = side["hostile"]
    longest = f"{hostile['longest_seconds']:.1f} s"
    if hostile["hanging"]:
        longest = f"{hostile['hanging']} do not end"
    cells = [
        f"{accuracy(real):.4f}",
        f"{1 - real['accepted'] / real['right']:.2%}",
        f"{real['let_in'] / real['wrong']:.2%}",
        f"{accuracy(core):.3f}",
        f"{mutants['let_in']} of {mutants['items']}",
        f"{rewrites['accepted'] / rewrites['right']:.4f}",
        f"{real['items'] / real['cpu_seconds']:,.0f}",
        longest,
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def accuracy(counts: dict[str, Any]) -> float:
    """Return the share of items that were judged as they are labelled."""
    right, wrong = counts["right"], counts["wrong"]
    return (counts["accepted"] + wrong - counts["let_in"]) / (right + wrong)


if __name__ == "__main__":
    main()
