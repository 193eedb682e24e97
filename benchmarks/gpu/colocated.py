"""One GPU, everything on it: a few PPO steps by OpenRLHF, an evaluation by vLLM, by the rules.

    python benchmarks/gpu/colocated.py --model FOLDER --python PYTHON --output colocated.json

FOLDER is a real small model (Qwen2.5-0.5B); PYTHON is of an environment made from envs/train.lock
and envs/flash-attn.lock with Snakemake in it. Counts are checked; nvidia-smi is asked for memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import machine
import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).parents[2]
STEPS, PROMPTS, SAMPLES, PROBLEMS = 3, 32, 8, 64


def study(model: Path, changes: dict[str, Any], response_tokens: int) -> dict[str, Any]:
    """Return config/single-gpu.yaml with little to do; `changes` are of engines.openrlhf."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "config/single-gpu.yaml").read_text("utf-8"))
    found |= {
        "study": "colocated",
        "datasets": {"arithmetic": {"source": "arithmetic", "problems": PROBLEMS, "seed": 3}},
        "dataset": "arithmetic",
        "base": {"model": str(model.resolve()), "template": "qwen-boxed"},
        "scores": {"everything": {"selector": "full"}},
        "arms": {
            "base": {"train": "none"},
            "full": {"train": "ppo", "score": "everything"},
        },
        "tables": {"results": {}},
        "figures": {},
    }
    found["engines"]["openrlhf"] |= {"checkpoint_every": None, **changes}
    found["ppo"] |= {
        "steps": STEPS,
        "prompts_per_step": PROMPTS,
        "samples_per_prompt": SAMPLES,
        "train_batch_size": 64,
        "max_prompt_tokens": 150,
        "max_response_tokens": response_tokens,
    }
    greedy = {"name": "greedy", "samples": 1, "temperature": 0, "max_tokens": response_tokens}
    marks = {"arithmetic-easy": {"decodings": [greedy]}}
    found["evaluate"] = {"ppo_steps": [STEPS], "benchmarks": marks}
    return found


def main() -> None:
    """Run, check and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a model's folder")
    parser.add_argument("--python", default=sys.executable, help="of the training environment")
    parser.add_argument("--options", default="{}", help="JSON, of engines.openrlhf")
    parser.add_argument("--response-tokens", type=int, default=256)
    parser.add_argument("--dry-run", action="store_true", help="plan it only")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="limr-") as name:
        folder = Path(name)
        for part in ("Snakefile", "config", "workflow", "profiles", "envs"):
            (folder / part).symlink_to(ROOT / part)
        chosen = study(arguments.model, json.loads(arguments.options), arguments.response_tokens)
        (folder / "study.yaml").write_text(yaml.safe_dump(chosen), "utf-8")
        command = [arguments.python, "-m", "snakemake", "--configfile", "study.yaml"]
        # One job at a time: each takes the GPU.
        command += ["--cores", "1", *(["--dry-run"] if arguments.dry_run else [])]
        memory = Memory()
        start = time.monotonic()
        code = subprocess.run(command, cwd=folder, check=False).returncode
        seconds = time.monotonic() - start
        if code or arguments.dry_run:
            keep = folder / "results"
            if code and keep.exists():
                shutil.copytree(keep, arguments.output.with_suffix(".failed"), dirs_exist_ok=True)
            sys.exit(code)
        found = checked(folder / "results/colocated")
    result = {
        **machine.described("cuda" if memory.peak else "cpu"),
        "model": arguments.model.name,
        "seconds": round(seconds),
        "peak_gb_of_the_gpu": memory.peak,
        **found,
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def checked(results: Path) -> dict[str, Any]:
    """Return what the run was like, after checking its counts."""
    rollouts = pq.read_table(results / "runs/full/seed1/rollouts.parquet").to_pandas()
    metrics = pq.read_table(results / "runs/full/seed1/metrics.parquet").to_pydict()
    evaluations = pq.read_table(results / "collected/evaluations.parquet").to_pandas()
    each = rollouts.groupby("step").size().to_dict()
    wrong = [
        what
        for what, right in {
            f"rollouts by step: {each}": each
            == dict.fromkeys(range(1, STEPS + 1), PROMPTS * SAMPLES),
            "a sample stands twice": not rollouts.duplicated(
                ["step", "problem_id", "sample"]
            ).any(),
            "an arm was not evaluated": set(evaluations["arm"]) == {"base", "full"},
            "no report": (results / "report.html").is_file(),
        }.items()
        if not right
    ]
    if wrong:
        sys.exit("; ".join(wrong))
    return {
        "rollouts": len(rollouts),
        "step_seconds": metrics["seconds"],
        "mean_reward": metrics["mean_reward"],
        "kl": metrics["kl"],
    }


class Memory:
    """The most memory that any process has used on the first GPU; None without one."""

    def __init__(self) -> None:
        """Start to look, once a second."""
        self.peak: float | None = None
        if shutil.which("nvidia-smi"):
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        words = ["nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while True:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.strip().isdecimal():
                self.peak = max(self.peak or 0.0, float(done.stdout) / 1000)
            time.sleep(1.0)


if __name__ == "__main__":
    main()
