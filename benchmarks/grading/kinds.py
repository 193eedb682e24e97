"""Verdicts by kind of pair, ours beside four other graders', in the README of the grader's package.

.venv/bin/python benchmarks/grading/kinds.py --data FOLDER --other PYTHON

`kinds.json` keeps the counts; without --data the table is written from it again.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from side import SIDES, caught

from limr.grading.grade import GRADER_VERSION

HERE = Path(__file__).parent
COUNTS = HERE / "kinds.json"
README = HERE.parents[1] / "grader/README.md"
BEGIN, END = "<!-- kinds: written by benchmarks/grading/kinds.py -->\n", "<!-- end of kinds -->"
GRADERS = {  # name in `SIDES` -> title; those of lm-eval run in the other Python
    "limr": "limr-grader",
    "math-verify, in $": "math-verify",
    "lm-eval minerva_math": "lm-eval (minerva_math)",
    "MATH's own, in lm-eval": "MATH's own rule",
    "limr, paper preset": "the LIMR paper's",
}
OTHERS = ("lm-eval minerva_math", "MATH's own, in lm-eval")
FEWEST = 12  # pairs of a kind that has a row of its own
SECONDS = 20  # for a pair; then it counts as refused


def main() -> None:
    """Judge where there are data, then write the table into the README."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder grading/ of the data")
    parser.add_argument("--other", help="Python with requirements.in installed")
    parser.add_argument("--judge", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.judge:
        print(json.dumps(judged(arguments.judge, json.load(sys.stdin))))
        return
    if arguments.data:
        found = compare(pairs(arguments.data), arguments.other)
        COUNTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    found = json.loads(COUNTS.read_text(encoding="utf-8"))
    README.write_text(with_table(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def pairs(folder: Path) -> list[dict[str, Any]]:
    """Return the pairs without a dispute about policy, each with the content of its last box."""
    from limr.grading.boxes import last_box

    text = (folder / "public_reports.jsonl").read_text(encoding="utf-8")
    rows = [row for row in map(json.loads, text.splitlines()) if row["core"]]
    return [{**row, "pred": last_box(row["response"]) or ""} for row in rows]


def judged(name: str, rows: list[dict[str, Any]]) -> list[bool]:
    """Return one grader's verdicts; one that takes too long is a refusal."""
    logging.disable(logging.CRITICAL)
    judge = SIDES[name]()

    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    found = []
    for row in rows:
        signal.alarm(SECONDS)
        found.append(caught(judge, row))
        signal.alarm(0)
    return found


def compare(rows: list[dict[str, Any]], other: str) -> dict[str, Any]:
    """Return by kind how many pairs are equal and not, and how many each grader misjudged."""
    kinds = Counter(row["kind"] for row in rows)
    names = [row["kind"] if kinds[row["kind"]] >= FEWEST else "other" for row in rows]
    counts: dict[str, Any] = {
        name: {"equal": 0, "different": 0, "refused": {}, "accepted": {}}
        for name in sorted(set(names), key=lambda name: (name == "other", name))
    }
    for name, row in zip(names, rows, strict=True):
        counts[name]["equal" if row["equal"] else "different"] += 1
    for grader in GRADERS:
        python = other if grader in OTHERS else sys.executable
        command = [python, __file__, "--judge", grader]
        asked = json.dumps(rows)
        done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True)
        verdicts = json.loads(done.stdout.splitlines()[-1])
        for name, row, yes in zip(names, rows, verdicts, strict=True):
            wrong = "refused" if row["equal"] else "accepted"
            counts[name][wrong].setdefault(grader, 0)
            counts[name][wrong][grader] += yes != row["equal"]
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": date, "version": GRADER_VERSION, "kinds": counts}


def table(found: dict[str, Any]) -> str:
    """Return the counts as Markdown: of each grader, right answers refused and wrong accepted."""
    lines = [
        f"| kind | equal | different | {' | '.join(GRADERS.values())} |",
        "|---|" + "---|" * (2 + len(GRADERS)),
    ]
    total = summed(found["kinds"].values())
    for kind, counts in [*found["kinds"].items(), ("**all**", total)]:
        wrong = [f"{counts['refused'].get(g, 0)} + {counts['accepted'].get(g, 0)}" for g in GRADERS]
        sizes = f"{counts['equal']} | {counts['different']}"
        lines.append(f"| {kind} | {sizes} | {' | '.join(wrong)} |")
    n = total["equal"] + total["different"]
    rates = [1 - (total["refused"][g] + total["accepted"][g]) / n for g in GRADERS]
    return "\n".join([*lines, f"| as labelled |||{'|'.join(f' {r:.3f} ' for r in rates)}|"]) + "\n"


def summed(counts: Collection[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over kinds."""
    found: dict[str, Any] = {key: sum(one[key] for one in counts) for key in ("equal", "different")}
    for wrong in ("refused", "accepted"):
        found[wrong] = {g: sum(one[wrong].get(g, 0) for one in counts) for g in GRADERS}
    return found


def with_table(page: str, found: dict[str, Any]) -> str:
    """Return the page with the table, and its date, between the marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    measured = f"Measured on {found['date']}, version {found['version']} of limr-grader."
    return f"{before}{BEGIN}\n{measured}\n\n{table(found)}\n{END}{after}"


if __name__ == "__main__":
    main()
