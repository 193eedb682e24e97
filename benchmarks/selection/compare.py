"""Run all sides in turn, each as a process of its own, and write the comparison.

.venv/bin/python benchmarks/selection/compare.py [--only paper|scale] [--rounds 3]
"""

# This process stays small (the standard library alone): the peak memory that the kernel reports
# of a child starts from its parent's.

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MEASURED = {"wall_seconds": 2, "cpu_seconds": 2, "peak_mb": 1}  # decimals in the table
LABELS = {
    "help": "`limr score --help`: start-up, counted in below",
    "imports": "importing numpy and pyarrow, counted in below",
    "plain": "plain Python over step_N.json",
    "limr-steps": "`limr score --format limr-steps`",
    "limr-rollouts": "`limr score --format rollouts`",
    "read": "merely reading the columns",
    "read-dictionary": "merely reading the columns, ids as codes",
}


def measure(command: list[str], log: Path) -> dict[str, Any]:
    """Run a command; return its wall and CPU time, peak memory, load before it, and success.

    CPU time covers the processes it waited for; peak memory is that of the largest one.
    """
    load = os.getloadavg()[0]
    with log.open("wb") as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        print(f"failed ({child.returncode}): {' '.join(command)}", *tail, sep="\n", file=sys.stderr)
    return {
        "wall_seconds": round(wall, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
        "load": round(load, 2),
        "ok": child.returncode == 0,
    }


def script(name: str, *arguments: object) -> list[str]:
    """Return the command line of a script in this folder."""
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def start_up(limr: Path) -> dict[str, list[str]]:
    """Return what every run pays before it reads anything."""
    return {
        "help": [str(limr), "score", "--help"],
        "imports": [sys.executable, "-c", "import numpy, pyarrow.parquet"],
    }


def make(marker: Path, settings: dict[str, Any], *arguments: object) -> None:
    """Make the data unless they stand there, whole and with these settings."""
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")) == settings:
        return
    print("making", *map(str, arguments), file=sys.stderr)
    subprocess.run(script("make_logs.py", *arguments), check=True)


def warm_up(files: Iterable[Path]) -> int:
    """Read files once, so that every side finds them in the page cache; return their bytes."""
    size = 0
    for path in files:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 20):
                size += len(block)
    return size


def rounds(
    sides: dict[str, list[str]], expected: list[str], scores: dict[str, Path], count: int, out: Path
) -> dict[str, Any]:
    """Run the sides in turn, `count` times; after every round compare the scores they left."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    agreement = []
    for number in range(1, count + 1):
        for path in (out / "plain.json", *scores.values()):
            path.unlink(missing_ok=True)
        for side, command in sides.items():
            found[side].append(measure(command, out / f"{side}.log"))
            print(f"round {number}, {side}: {found[side][-1]}", file=sys.stderr)
        written = [path for side, path in scores.items() if found[side][-1]["ok"]]
        if written and Path(expected[0]).exists():
            command = script("agree.py", *expected[:1], *written, *expected[1:])
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            agreement.append(json.loads(done.stdout))
    return {"rounds": found, "agreement": agreement, "medians": medians(found)}


def medians(found: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Return the medians of the sides that never failed."""
    return {
        side: {key: statistics.median(run[key] for run in runs) for key in MEASURED}
        for side, runs in found.items()
        if runs and all(run["ok"] for run in runs)
    }


def paper(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare plain Python, step files and rollouts.parquet at the paper's scale."""
    folder, out = arguments.folder / "paper", arguments.folder / "out" / "paper"
    out.mkdir(parents=True, exist_ok=True)
    settings = {"epochs": arguments.epochs}
    make(folder / "made.json", settings, "paper", folder, "--epochs", arguments.epochs)
    steps, problems, parquet = (
        folder / name for name in ("steps", "problems.json", "rollouts.parquet")
    )
    score = [str(arguments.limr), "score", "--selector", "lim"]
    scores = {side: out / f"{side}.parquet" for side in ("limr-steps", "limr-rollouts")}
    of_steps = ["--format", "limr-steps", "--problems", str(problems), "--steps-per-epoch", "8"]
    sides = {
        **start_up(arguments.limr),
        "plain": script(
            "plain.py",
            steps,
            out / "plain.json",
            "--steps-per-epoch",
            8,
            "--epochs",
            settings["epochs"],
        ),
        "limr-steps": [*score, str(steps), *of_steps, "--output", str(scores["limr-steps"])],
        "limr-rollouts": [
            *score,
            str(parquet),
            "--format",
            "rollouts",
            "--output",
            str(scores["limr-rollouts"]),
        ],
    }
    data = {
        "rollouts": settings["epochs"] * 8 * 1024 * 8,
        "step_files_bytes": warm_up(steps.glob("step_*.json")),
        "parquet_bytes": warm_up([parquet]),
    }
    expected = [str(out / "plain.json"), "--problems", str(problems)]
    return {"data": data} | rounds(sides, expected, scores, arguments.rounds, out)


def scale(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare a long rollouts.parquet with merely reading it."""
    file = arguments.folder / "scale.parquet"
    out = arguments.folder / "out" / "scale"
    out.mkdir(parents=True, exist_ok=True)
    settings = {key: getattr(arguments, key) for key in ("rollouts", "problems", "samples")}
    options = [text for key, value in settings.items() for text in (f"--{key}", value)]
    make(file.with_suffix(".made.json"), settings, "scale", file, *options)
    scores = {"limr-rollouts": out / "limr-rollouts.parquet"}
    sides = {
        **start_up(arguments.limr),
        "read": script("read_columns.py", file),
        "read-dictionary": script("read_columns.py", file, "--dictionary"),
        "limr-rollouts": [
            *(str(arguments.limr), "score", "--selector", "lim"),
            *(str(file), "--format", "rollouts"),
            *("--output", str(scores["limr-rollouts"])),
        ],
    }
    data: dict[str, Any] = {"parquet_bytes": warm_up([file])}
    expected = [str(file.with_suffix(".expected.json"))]
    result = rounds(sides, expected, scores, arguments.scale_rounds, out)
    read = json.loads((out / "read.log").read_text(encoding="utf-8"))
    return {"data": settings | {"rollouts": read["rows"]} | data} | result


def paper_targets(medians: dict[str, dict[str, float]]) -> list[tuple[str, str, str]]:
    """Return what was asked of the paper's scale and what was found."""
    return [
        (
            "plain over rollouts.parquet, time",
            "25 or more",
            ratio(medians, "plain", "limr-rollouts"),
        ),
        ("peak memory, rollouts.parquet", "under 300 MB", peak(medians, "limr-rollouts")),
        ("plain over step files, time", "3 or more", ratio(medians, "plain", "limr-steps")),
        ("peak memory, step files", "one file at a time", peak(medians, "limr-steps")),
    ]


def scale_targets(medians: dict[str, dict[str, float]], rows: int) -> list[tuple[str, str, str]]:
    """Return what was asked of the long file and what was found."""
    name = f"{rows:,} rollouts"
    asked = "3 or less"
    found = [
        (f"{name}, over reading", asked, ratio(medians, "limr-rollouts", "read")),
        (f"{name}, over reading codes", "–", ratio(medians, "limr-rollouts", "read-dictionary")),
        (f"{name}, peak memory", "under 2,000 MB", peak(medians, "limr-rollouts")),
    ]
    return found


def ratio(medians: dict[str, dict[str, float]], over: str, under: str) -> str:
    """Return the ratio of two sides' times, wall and CPU."""
    if not {over, under} <= medians.keys():
        return "failed"
    wall, cpu = (
        medians[over][key] / medians[under][key] for key in ("wall_seconds", "cpu_seconds")
    )
    return f"{wall:.2f} wall, {cpu:.2f} CPU"


def peak(medians: dict[str, dict[str, float]], side: str) -> str:
    """Return a side's peak memory."""
    return f"{medians[side]['peak_mb']:,.0f} MB" if side in medians else "failed"


def table(part: dict[str, Any]) -> str:
    """Return the part's measurements and targets as Markdown."""
    lines = ["| side | wall s | CPU s | peak MB |", "|---|---|---|---|"]
    for side in part["rounds"]:
        found = part["medians"].get(side)
        cells = [f"{found[key]:,.{n}f}" if found else "failed" for key, n in MEASURED.items()]
        lines.append(f"| {LABELS[side]} | {' | '.join(cells)} |")
    lines += ["", "| | asked | found |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in part["targets"]]
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what this is measured on."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        rows = [row.partition(":") for row in info.read_text(encoding="utf-8").splitlines()]
        model = next(
            (value.strip() for key, _, value in rows if key.strip() == "model name"), model
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in ("limr", "numpy", "pyarrow")},
    }


def main() -> None:
    """Measure, print and write `results.json`; a part that is not run keeps its last results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("paper", "scale"))
    parser.add_argument("--folder", type=Path, default=Path("results/benchmarks-selection"))
    parser.add_argument("--limr", type=Path, default=Path(sys.executable).with_name("limr"))
    parser.add_argument("--rounds", type=int, default=3, help="at the paper's scale")
    parser.add_argument("--scale-rounds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=21, help="at the paper's scale")
    parser.add_argument("--rollouts", type=int, default=100_000_000, help="of the long file")
    parser.add_argument("--problems", type=int, default=20_000, help="of the long file")
    parser.add_argument("--samples", type=int, default=8, help="of the long file")
    parser.add_argument("--output", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    if arguments.output.exists():
        results = json.loads(arguments.output.read_text(encoding="utf-8"))
    sound = True
    for name, run in (("paper", paper), ("scale", scale)):
        if arguments.only not in (None, name):
            continue
        part = machine() | run(arguments)
        rows = part["data"]["rollouts"]
        found = part["medians"]
        part["targets"] = paper_targets(found) if name == "paper" else scale_targets(found, rows)
        results[name] = part
        compared = [side for round_ in part["agreement"] for side in round_.values()]
        sound &= part["rounds"].keys() == found.keys() and all(side["agree"] for side in compared)
        print(f"\n{name}: {rows:,} rollouts\n\n{table(part)}\n\nscores: {part['agreement'][-1:]}")
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if not sound:
        sys.exit("A side failed, or its scores differ.")


if __name__ == "__main__":
    main()
