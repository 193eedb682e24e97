"""How time and memory grow with 1, 2 and 4 times as much: scoring, report, archive, verify, DAG.

.venv/bin/python benchmarks/growth/measure.py --readers PYTHON --finished FOLDER --work FOLDER

`--readers` is a Python with benchmarks/growth/requirements.in: scores of the same files by polars
and DuckDB. `--finished` is a folder with `results/demo`, whose archive is made and verified. Every
figure is of one process with its children, in CPU-seconds, in one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TIMES = (1, 2, 4)
ROLLOUTS, PROBLEMS, STEPS, SEEDS = 2_000_000, 2_000, 40, 3  # at 1x
SIDES = ("limr", "polars", "duckdb")
DEMO = ROOT / "config/demo.yaml"


def run(*command: object, cwd: Path | None = None, output: Path | None = None) -> tuple[float, int]:
    """Run a command, which must succeed; return its CPU-seconds and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    with (output or Path(os.devnull)).open("wb") as file:
        words = [str(word) for word in command]
        child = subprocess.Popen(words, cwd=cwd, env=environment, stdout=file, stderr=file)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode and "verify" not in words:  # a changed study is verified to its end
        raise SystemExit(f"{' '.join(words)}: exit code {child.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(seconds, 2), usage.ru_maxrss // 1024


def scores(work: Path, times: int, readers: Path) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return what scores a log by each reader; all must find the same."""
    log = work / f"log-{times}.parquet"
    make = [ROOT / "benchmarks/selection/make_logs.py", "scale", log]
    run(sys.executable, *make, "--rollouts", times * ROLLOUTS, "--problems", times * PROBLEMS)
    expected = json.loads(log.with_suffix(".expected.json").read_text())

    def by(side: str) -> tuple[float, int]:
        found = work / f"{side}.json"
        if side == "limr":
            command = [sys.executable, "-m", "limr", "score", log, "--format", "rollouts"]
            return run(*command, "--output", work / f"scores-{times}.parquet")
        figures = run(readers, HERE / "side.py", side, log, output=found)
        said = json.loads(found.read_text())
        if max(abs(said[name] - score) for name, score in expected.items()) > 1e-9:
            raise SystemExit(f"{side} finds other scores than those that the log was made with")
        return figures

    return {f"scores, {side}": lambda side=side: by(side) for side in SIDES}


def report(work: Path, times: int) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return what builds the page of a study with so many problems and rollouts."""
    code = (
        "import sys; from pathlib import Path; import paper_size as study\n"
        f"study.PROBLEMS = {times * PROBLEMS}; folder = Path(sys.argv[1])\n"
        "from limr.report import page; import pickle, resource\n"
        "inputs = study.inputs(folder)\n"
        "used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])\n"
        "before = used(); parts = page.Parts({}, rollouts={'full': folder / 'rollouts.parquet'})\n"
        "page.build_report(inputs, parts, folder / 'report.html'); print(used() - before)\n"
    )

    def build() -> tuple[float, int]:
        said = work / "report.txt"
        _, memory = run(sys.executable, "-c", code, work, cwd=HERE.parent / "report", output=said)
        return round(float(said.read_text().splitlines()[-1]), 2), memory

    return {"report": build}


def archives(work: Path, times: int, finished: Path) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return what archives and verifies the demo, one run of it with so many long rollouts."""
    copy, packed = work / f"study-{times}", work / f"{times}.zip"
    shutil.copytree(finished / "results", copy / "results")
    shutil.copytree(finished / ".snakemake/metadata", copy / ".snakemake/metadata")
    code = f"import sys, measure; from pathlib import Path; measure.STEPS = {8 * times}\n"
    code += "measure.rollouts(Path(sys.argv[1]))\n"
    run(sys.executable, "-c", code, copy / "results/demo/runs/full/seed1/rollouts.parquet",
        cwd=HERE.parent / "archive")  # fmt: skip
    limr = [sys.executable, "-m", "limr"]
    return {
        "archive": lambda: run(*limr, "archive", DEMO, "--folder", copy, "--output", packed),
        "verify --quick": lambda: run(*limr, "verify", "--quick", "--anew", packed),
    }


def dag(work: Path, times: int) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return what plans a demo with so many times the seeds."""
    study = yaml.safe_load(DEMO.read_text())
    study["seeds"] = list(range(1, SEEDS * times + 1))
    path = work / f"study-{times}.yaml"
    path.write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--dry-run"]
    return {"DAG": lambda: run(*command, "--configfile", path, "--cores", 1, cwd=work)}


def main() -> None:
    """Measure all in turn, and print the medians as the rows of a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=Path, required=True)
    parser.add_argument("--finished", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="an empty folder, 3 GB")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[int, tuple[float, int]]] = {}
    for times in TIMES:
        work = options.work
        asked = {
            **scores(work, times, options.readers),
            **report(work, times),
            **archives(work, times, options.finished),
            **dag(work, times),
        }
        for name, measure in asked.items():
            rounds = [measure() for _ in range(options.rounds)]
            middle = (statistics.median(s for s, _ in rounds), max(mb for _, mb in rounds))
            found.setdefault(name, {})[times] = middle
            print(times, name, middle, rounds, file=sys.stderr, flush=True)
    for name, by in found.items():
        cells = [f"{by[times][0]:.1f} s, {by[times][1]:,} MB" for times in TIMES]
        print(f"| {name} | {' | '.join(cells)} | {by[4][0] / by[1][0]:.1f} |")


if __name__ == "__main__":
    main()
