"""Measures the grader on the development data: rates by kind, as a table in Markdown.

Not a test itself: test_grading_data.py asserts the rates. Prints them with
`python tests/grading/measure_grading.py DATA/grading [--list] [--preset paper]`; `--list` adds the
items that were judged otherwise than labelled.
"""

import argparse
import itertools
import json
import lzma
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from limr.grading.grade import Grader

# Labels that we hold to be wrong, see docs/grading.md; they are left out of the rates.
DOUBTED = frozenset(
    {
        "real-3315",
        "microsoft-rho-16941",
        "microsoft-rho-17299",
        "real-1251",
        "real-2143",
        "labrem-neus2026-3433",
    }
)


@dataclass
class Rate:
    """How often the grader agreed with the labels of one kind of item, weighted by frequency."""

    right: float = 0
    accepted: float = 0  # right answers that were accepted
    wrong: float = 0
    let_in: float = 0  # wrong answers that were accepted
    errors: list[dict] = field(default_factory=list)

    def add(self, item: dict, grade, truth: bool, weight: float = 1) -> None:
        accepted = grade.verdict == "correct"
        if truth:
            self.right += weight
            self.accepted += weight * accepted
        else:
            self.wrong += weight
            self.let_in += weight * accepted
        if accepted != truth:
            self.errors.append({**item, "grade": grade})

    @property
    def n(self) -> float:
        return self.right + self.wrong

    @property
    def accuracy(self) -> float:
        return (self.accepted + self.wrong - self.let_in) / self.n

    @property
    def false_negatives(self) -> float:
        return 1 - self.accepted / self.right if self.right else 0.0

    @property
    def false_positives(self) -> float:
        return self.let_in / self.wrong if self.wrong else 0.0


def rows(path: Path) -> Iterator[dict]:
    """Yield the objects of a JSON lines file, plain or xz."""
    text = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    for line in text.splitlines():
        item = json.loads(line)
        if item["id"] not in DOUBTED:
            yield item


def measure(folder: Path, grader: Grader | None = None, every: int = 1) -> dict[str, Rate]:
    """Grade the development data and return the rates by kind of item.

    Of the responses, which are most of them, one of `every` is graded.
    """
    grader = grader or Grader()
    rates = {kind: Rate() for kind in ("real", "core", "policy", "mutants", "rewrites", "full")}
    files = {"real": "real_pairs", "mutants": "mutants", "rewrites": "gold_variants"}
    for kind, name in files.items():
        for item in rows(folder / f"{name}.jsonl"):
            grade = grader.grade(item["gold"], item["response"], truncated=False)
            rates[kind].add(item, grade, item["equal"], item.get("n_responses", 1))
    for item in rows(folder / "pairs.jsonl"):
        grade = grader.grade(item["gold"], item["response"], truncated=False)
        rates["core" if item["core"] else "policy"].add(item, grade, item["equal"])
    for item in itertools.islice(rows(folder / "responses.jsonl.xz"), 0, None, every):
        if item["truth"] is None:  # no box, no label
            continue
        grade = grader.grade(item["gold"], item["response"], truncated=False)
        rates["full"].add(item, grade, item["truth"])
    return rates


def markdown(rates: dict[str, Rate]) -> str:
    """Return the rates as a table."""
    lines = [
        "| kind | n | accuracy | false negatives (of right) | false positives (of wrong) |",
        "|---|---|---|---|---|",
    ]
    for kind, rate in rates.items():
        lines.append(
            f"| {kind} | {rate.n:,.0f} | {rate.accuracy:.4f} | {rate.false_negatives:.2%} | "
            f"{rate.false_positives:.2%} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and with `--list` the disagreements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--preset", default="default")
    args = parser.parse_args(arguments)
    settings = {} if args.preset == "default" else {"preset": args.preset}
    rates = measure(args.folder, Grader(settings))
    sys.stdout.write(markdown(rates))
    for kind, rate in rates.items() if args.list else ():
        for item in rate.errors:
            shown = [kind, item["id"], item["gold"], item.get("pred", "")]
            sys.stdout.write(f"{shown} {item.get('n_responses', 1)} {item['grade']}\n"[:700])
    return 0


if __name__ == "__main__":
    sys.exit(main())
