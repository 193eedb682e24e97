"""All GPU checks in one call, which stops at the first failure and goes on there the next time.

    python benchmarks/gpu/check.py --model FOLDER --train-python PYTHON
    python benchmarks/gpu/check.py --rehearse       (on a CPU, everything tiny)

docs/gpu-checks.md says what each check does. Without --train-python what needs OpenRLHF is left
out, and said. When all have passed, one dated JSON and one page with its numbers are written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results"
UNFINISHED = "unfinished.json"
TAIL = 40  # lines of a failed check's output that are shown
TESTS = ("tests/models/test_huggingface_engine.py", "tests/train/test_embedded_training.py")


@dataclass(frozen=True)
class Check:
    """A check: its command, the most minutes that it may take, and what to do where it fails."""

    command: list[str]
    minutes: float
    mend: str
    not_rehearsed: str  # what of it a CPU cannot show


def main() -> int:
    """Run the checks that have not passed yet; 0 where all have."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a small real model's folder")
    parser.add_argument("--train-python", help="of an environment with OpenRLHF and vLLM")
    parser.add_argument(
        "--output", type=Path, help="folder of the results (benchmarks/gpu/results)"
    )
    parser.add_argument("--rehearse", action="store_true", help="on a CPU, everything tiny")
    parser.add_argument("--anew", action="store_true", help="also what has passed already")
    options = parser.parse_args()
    output = (options.output or RESULTS / ("rehearsal" if options.rehearse else "")).resolve()
    if options.rehearse:
        options.model = options.model or tiny_model(output / "model")
    if options.model is None:
        parser.error("--model FOLDER is needed, or --rehearse")
    return run(checks(options, output), about(options), output, anew=options.anew)


def about(options: argparse.Namespace) -> dict[str, Any]:
    """Return what results belong to: another commit, model or kind of run begins anew."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "commit": commit or "not in git",
        "model": options.model.resolve().name,
        "rehearsal": options.rehearse,
    }


def run(
    wanted: dict[str, Check],
    identity: dict[str, Any],
    output: Path,
    *,
    anew: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Run the checks in their order and keep what has passed; return the exit code."""
    kept = output / UNFINISHED
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() and not anew else {}
    if {key: found.get(key) for key in identity} != identity:
        found = {**identity, "checks": {}}
    for name, check in wanted.items():
        if name in found["checks"]:
            say(f"== {name}: passed before, {found['checks'][name]['seconds']:.0f} s")
            continue
        say(f"== {name}: {' '.join(check.command)}")
        log = output / f"{name}.log"
        begin = time.monotonic()
        reason = executed(check, log)
        if reason:
            say("\n".join(failed(name, check, reason, log)))
            return 1
        found["checks"][name] = {
            "seconds": round(time.monotonic() - begin, 1),
            "command": check.command,
            "not_rehearsed": check.not_rehearsed,
            "result": result_of(output / f"{name}.json"),
            "last_line": (log.read_text(errors="replace").strip().splitlines() or [""])[-1],
        }
        kept.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    at = written(found, output)
    kept.unlink()
    say(f"All passed: {at} and {at.with_suffix('.md').name}")
    return 0


def executed(check: Check, log: Path) -> str:
    """Run a check, its output in a file; return why it failed, nothing where it did not."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        try:
            done = subprocess.run(
                check.command,
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=60 * check.minutes,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not end within {check.minutes:g} minutes"
        except OSError as error:
            return f"it did not start ({error})"
    return f"exit code {done.returncode}" if done.returncode else ""


def failed(name: str, check: Check, reason: str, log: Path) -> list[str]:
    """Return what somebody needs who is to mend it."""
    tail = log.read_text(errors="replace").splitlines()[-TAIL:]
    return [
        *(f"   {line}" for line in tail),
        f"{name}: FAILED: {reason}",
        f"its output: {log}",
        f"what helps: {check.mend}",
        f"this check alone, in {ROOT}: {' '.join(check.command)}",
        "Run the same command again to go on here: what has passed is kept.",
    ]


def result_of(path: Path) -> Any:
    """Return the numbers that a check has written, None where it writes none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def written(found: dict[str, Any], output: Path) -> Path:
    """Write the dated JSON and its page; return the first one's path."""
    import machine  # here, as it loads PyTorch
    import torch

    device = "cuda" if torch.cuda.is_available() and not found["rehearsal"] else "cpu"
    whole = {**machine.described(device), **found}
    kind = "rehearsal" if found["rehearsal"] else "gpu-checks"
    at = output / f"{kind}-{whole['date']}.json"
    at.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    at.with_suffix(".md").write_text("\n".join(page(whole)) + "\n", encoding="utf-8")
    return at


def page(whole: dict[str, Any]) -> list[str]:
    """Return the page's lines."""
    on = whole.get("gpu") or f"a CPU, {whole['cores']} cores"
    title = "Rehearsal of the GPU checks" if whole["rehearsal"] else "GPU checks"
    lines = [
        f"# {title}, {whole['date']}",
        "",
        f"Commit {whole['commit'][:12]}, model `{whole['model']}`, on {on}.",
        "",
        "| check | seconds | last line of its output |",
        "|---|---|---|",
    ]
    for name, check in whole["checks"].items():
        shown = check["last_line"].replace("|", "\\|")[:120]
        lines.append(f"| {name} | {check['seconds']:g} | {shown} |")
    if whole["rehearsal"]:
        lines += ["", "What a CPU could not show:", ""]
        lines += [f"- {name}: {one['not_rehearsed']}" for name, one in whole["checks"].items()]
    return lines


def checks(options: argparse.Namespace, output: Path) -> dict[str, Check]:
    """Return the checks in their order: what is cheap, and what others need, comes first."""
    python, model, tiny = sys.executable, str(options.model.resolve()), options.rehearse

    def script(name: str, *words: str) -> list[str]:
        return [python, str(HERE / f"{name}.py"), *words, "--output", str(output / f"{name}.json")]

    found = {
        "machine": Check(
            script("machine", "--model", model, *(["--device", "cpu"] if tiny else [])),
            2,
            "install PyTorch with CUDA (envs/torch-cuda.lock), choose a free GPU "
            "(CUDA_VISIBLE_DEVICES), and make --model a folder with config.json and safetensors.",
            "whether PyTorch sees a GPU",
        ),
        "tests": Check(
            [python, "-m", "pytest", "-q", "-rs", "-k", "cuda", *TESTS],
            10,
            "read the assertion: responses on CUDA in float32 must be those on the CPU. "
            "TF32 must be off; another process may have taken the memory.",
            "everything: these tests are skipped without CUDA",
        ),
        "embedded": Check(
            script("embedded", *(["--devices", "cpu,cpu", "--seeds", "2"] if tiny else []),
                   *(["--steps", "2", "--warmup-steps", "2"] if tiny else [])),
            12,
            "embedded.json has the curves of both devices; with more --seeds chance is smaller.",
            "CUDA's side of the comparison: here two CPUs were compared",
        ),
        "generation": Check(
            script("generation", "--model", model,
                   *(["--template", "none", "--batches", "2,5", "--tokens", "6"] if tiny else []),
                   *(["--device", "cpu"] if tiny else [])),
            8,
            "out of memory: give smaller --batches; otherwise the model's folder is at fault.",
            "speed and memory of a GPU",
        ),
    }  # fmt: skip
    if options.train_python or tiny:
        trainer = options.train_python or python
        found["colocated"] = Check(
            script("colocated", "--model", model, "--python", trainer,
                   *(["--dry-run"] if tiny else [])),
            15,
            "docs/openrlhf.md; the trainer's log is under results/colocated/state. Without "
            "flash-attn set engines.openrlhf.attention to sdpa or eager, and packing to false.",
            "the trainers: here the jobs were planned; tests/openrlhf runs them on a CPU",
        )  # fmt: skip
    else:
        print("== colocated: left out, since --train-python is not given")
    return found


def tiny_model(folder: Path) -> Path:
    """Write a model that knows nothing, for the rehearsal."""
    from limr.problems import arithmetic
    from limr.train.embedded import model as models
    from limr.train.embedded.vocabulary import Vocabulary

    shape = {"hidden": 16, "layers": 2, "heads": 4, "key_value_heads": 2, "intermediate": 24}
    words = Vocabulary(tuple(arithmetic.TOKENS))
    models.save_policy(models.new_policy({**shape, "rope_theta": 30.0}, words, 1), words, folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
