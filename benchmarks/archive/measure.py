"""Time and memory of `limr archive` and `limr verify`, of a finished study and at the paper's size.

.venv/bin/python benchmarks/archive/measure.py config/demo.yaml --work FOLDER

The paper's size: the rollouts of the study's first run are replaced by 1,376,256 made-up ones with
responses of 2 kB (8,523 problems, 168 steps of 1,024 prompts x 8 samples). Such an archive does not
pass, since nothing else was made from these; every check runs, and is what is measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from limr.core.tables import ROLLOUTS, VERDICTS

HERE = Path(__file__).parent
PROBLEMS, STEPS, PROMPTS, SAMPLES = 8523, 168, 1024, 8
WORDS, LETTERS, WORDS_EACH = 10_000, 5, 400
STEPS_A_GROUP = 8


def rollouts(path: Path) -> None:
    """Write the made-up rollouts, some steps at a time."""
    rng = np.random.default_rng(2502)
    words = rng.integers(97, 123, (WORDS, LETTERS), dtype=np.uint8)
    words[:, -1] = ord(" ")
    ids = np.array([f"problem-{number:05d}" for number in range(PROBLEMS)])
    with pq.ParquetWriter(path, ROLLOUTS, compression="zstd") as writer:
        for first in range(0, STEPS, STEPS_A_GROUP):
            steps = np.repeat(np.arange(first, first + STEPS_A_GROUP), PROMPTS * SAMPLES)
            n = len(steps)
            order = np.concatenate(
                [rng.permutation(PROBLEMS)[:PROMPTS] for _ in range(STEPS_A_GROUP)]
            )
            verdict = rng.integers(0, len(VERDICTS), n).astype(np.int8)
            text = words[rng.integers(0, WORDS, (n, WORDS_EACH))].reshape(-1)
            offsets = np.arange(n + 1, dtype=np.int32) * (LETTERS * WORDS_EACH)
            kinds = pa.DictionaryArray.from_arrays(pa.array(verdict), pa.array(VERDICTS))
            columns = [
                pa.array(np.repeat(ids[order], SAMPLES)),
                pa.array(steps + 1, pa.int32()),
                pa.array(steps // 8, pa.int16()),
                pa.array(np.tile(np.arange(SAMPLES), n // SAMPLES), pa.int8()),
                pa.array(np.array([1.0, -0.5, -1.0], np.float32)[verdict]),
                kinds,
                pa.array(np.full(n, WORDS_EACH), pa.int32()),
                pa.array(np.zeros(n, bool)),
                pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text)),
            ]
            writer.write_table(pa.table(columns, schema=ROLLOUTS))


def measure(name: str, command: list[str]) -> dict[str, Any]:
    """Run a command; return wall and CPU seconds and the peak of its largest process in MB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    found = {
        "what": name,
        "wall_seconds": round(time.monotonic() - start, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "exit_code": child.returncode,
    }
    print(found, flush=True)
    return found


def limr(*arguments: object) -> list[str]:
    """Return the command line of a subcommand."""
    return [sys.executable, "-m", "limr", *map(str, arguments)]


def main() -> None:
    """Measure, and write results.json beside this file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path, nargs="?")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=Path(), help="with results/ of the study")
    parser.add_argument("--work", type=Path, help="an empty folder, 6 GB")
    options = parser.parse_args()
    if options.make:
        rollouts(options.make)
        return
    if options.study is None or options.work is None:
        parser.error("name a study and --work")
    config = yaml.safe_load(options.study.read_text())
    name, work = config["study"], options.work
    found = []
    small = work / "small.zip"
    archive = limr("archive", options.study, "--folder", options.folder, "--output", small)
    found += [measure("archive, as it is", archive), measure("verify", limr("verify", small))]
    copy = work / "copy"
    shutil.copytree(options.folder / "results" / name, copy / "results" / name)
    shutil.copytree(options.folder / ".snakemake/metadata", copy / ".snakemake/metadata")
    first = sorted((copy / "results" / name).glob("runs/*/seed*/rollouts.parquet"))[0]
    # In a process of its own: the peak of a child counts what its parent had when it was forked.
    subprocess.run([sys.executable, __file__, "--make", str(first)], check=True)
    for responses in (True, False):
        study = work / "study.yaml"
        study.write_text(yaml.safe_dump({**config, "archive": {"responses": responses}}))
        large = work / f"large-{responses}.zip"
        kind = "with texts" if responses else "without texts"
        command = limr("archive", study, "--folder", copy, "--output", large)
        found.append({**measure(f"archive, 1.4 M rollouts, {kind}", command)})
        found[-1]["archive_mb"] = round(large.stat().st_size / 1e6)
        found.append(measure(f"verify, 1.4 M rollouts, {kind}", limr("verify", large)))
        large.unlink()
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "study": name,
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "rollouts_mb": round(first.stat().st_size / 1e6),
        "found": found,
    }
    (HERE / "results.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
