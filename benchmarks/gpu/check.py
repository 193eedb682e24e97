"""All GPU checks in one call; see docs/gpu-checks.md.

    python benchmarks/gpu/check.py --model FOLDER --train-python PYTHON --output results/gpu

Without --train-python what needs OpenRLHF is left out, and said. A check that fails does not stop
the others; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> int:
    """Run the checks and say which passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a small model's folder")
    parser.add_argument("--train-python", help="of an environment with OpenRLHF and vLLM")
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    codes = {}
    for name, command in commands(arguments).items():
        print(f"== {name}: {' '.join(command)}", flush=True)
        codes[name] = subprocess.run(command, cwd=ROOT, check=False).returncode
    if not arguments.train_python:
        print("== colocated: left out, since --train-python is not given")
    for name, code in codes.items():
        print(f"{name}: {'passed' if code == 0 else f'FAILED ({code})'}")
    return int(any(codes.values()))


def commands(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Return each check's command line."""
    output = arguments.output.resolve()
    python, model = sys.executable, str(arguments.model.resolve())
    tests = ["tests/models/test_huggingface_engine.py", "tests/train/test_embedded_training.py"]
    found = {
        "tests": [python, "-m", "pytest", "-q", "-rs", "-k", "cuda", *tests],
        "embedded": [
            python, str(HERE / "embedded.py"), "--output", str(output / "embedded.json"),
        ],
        "generation": [
            python, str(HERE / "generation.py"), "--model", model,
            "--output", str(output / "generation.json"),
        ],
    }  # fmt: skip
    if arguments.train_python:
        found["colocated"] = [
            python, str(HERE / "colocated.py"), "--model", model,
            "--python", arguments.train_python, "--output", str(output / "colocated.json"),
        ]  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
