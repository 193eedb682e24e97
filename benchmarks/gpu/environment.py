"""Install the lock of `train` or `evaluate` for real, and try there what needs no GPU.

    python benchmarks/gpu/environment.py train --folder build/gpu-environment

It makes {folder}/{name} by pip with hashes, as docs/openrlhf.md does, and writes
{output}/{name}.json: how large it is, what pip says of it, whether every import of the rules' code
is satisfied, whether vLLM's kernels load beside this PyTorch, and what the trainers' and vLLM's
parsers make of every shipped study. The second stage of `train`, flash-attn, is not compiled.
docs/environments.md has the results.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("workflow", "train", ".")]

import own_imports  # noqa: E402 (found there)
import test_openrlhf_command as commands  # noqa: E402

from limr.core import files  # noqa: E402
from limr.models.interface import Decoding  # noqa: E402
from limr.study.study import Study  # noqa: E402
from limr.train.openrlhf import command  # noqa: E402

BYTES = 25e9  # free disk: what is installed, and what pip unpacks meanwhile
# Kernels that are linked with libcuda.so.1, which comes with NVIDIA's driver and in no package.
KERNELS = "vllm/**/*.so"
FUNCTION_OF_DRIVER = r"^ +U (cu[A-Z]\w*)$"
LOADED = """
import json, sys, torch
found = {}
for path in json.load(sys.stdin):
    try:
        torch.ops.load_library(path)
        found[path] = ""
    except OSError as error:
        found[path] = str(error.__cause__ or error)
print(json.dumps(found))
"""
# pip knows that OpenRLHF wants it; it is the second stage of `train`.
SECOND_STAGE = "requires flash-attn, which is not installed"


def main() -> int:
    """Install, try, write; 0 where nothing failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=("train", "evaluate"))
    parser.add_argument("--folder", type=Path, default=ROOT / "build/gpu-environment")
    parser.add_argument("--output", type=Path, default=ROOT / "build/gpu-environment")
    parser.add_argument("--python", default="python3.11", help="what makes the environment")
    options = parser.parse_args()
    lock = ROOT / f"envs/{options.name}.lock"
    python = options.folder / options.name / "bin/python"
    found: dict[str, Any] = {
        "environment": options.name,
        "date": datetime.now(UTC).date().isoformat(),
        "lock_sha256": files.sha256(lock),
        "installation": installed(lock, python, options.python),
    }
    for name, check in checks(options.name, python, lock).items():
        print(f"== {name}", flush=True)
        found[name] = check()
    found["checks"] = inside(options.name, python)
    problems = found["packages"]["problems"] + list(found["imports"]["unsatisfied"])
    problems += [f"{name}: {said}" for name, said in found["kernels"].items() if said]
    problems += [f"{name}: {one['problem']}" for name, one in found["checks"].items()
                 if one["problem"]]  # fmt: skip
    found["problems"] = problems
    files.write_json(options.output / f"{options.name}.json", found)
    print("\n".join(problems) or f"No problem: {options.output / options.name}.json")
    return 1 if problems else 0


def installed(lock: Path, python: Path, maker: str) -> dict[str, Any]:
    """Make the environment, unless it is there, and return what that took."""
    record = python.parents[1] / "installation.json"
    if record.exists():
        return dict(files.read_json(record))
    free = shutil.disk_usage(python.parents[2] if python.parents[2].exists() else ROOT).free
    if free < BYTES:
        sys.exit(f"{python.parents[2]}: {free / 1e9:.0f} GB are free, {BYTES / 1e9:.0f} needed.")
    subprocess.run([maker, "-m", "venv", "--clear", python.parents[1]], check=True)
    begin = time.monotonic()
    pip = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-deps"]
    subprocess.run(
        [*pip, "--require-hashes", "-r", lock],
        check=True,
        env={**os.environ, "DS_BUILD_OPS": "0"},
    )
    sizes = [p.stat().st_size for p in python.parents[1].rglob("*") if p.is_file()]
    found = {"seconds": round(time.monotonic() - begin), "bytes": sum(sizes)}
    files.write_json(record, found)
    return found


def checks(name: str, python: Path, lock: Path) -> dict[str, Callable[[], Any]]:
    """Return what is asked from outside of the environment."""
    found: dict[str, Callable[[], Any]] = {
        "packages": lambda: packages(python, lock),
        "imports": lambda: imports(name, python),
        "kernels": lambda: kernels(python),
    }
    if name == "train":
        found["flags"] = lambda: flags(python)
    return found


def packages(python: Path, lock: Path) -> dict[str, Any]:
    """Return whether what is installed is the lock, and fits together by what it declares."""
    wanted = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", lock.read_text(), re.MULTILINE)
    listed = json.loads(said(python, "-m", "pip", "list", "--format=json"))
    there = {normal(one["name"]): one["version"] for one in listed}
    problems = [
        f"{name} {version} is locked, {there.get(normal(name))} is installed"
        for name, version in wanted
        if there.get(normal(name)) != version
    ]
    told = said(python, "-m", "pip", "check", code=None).splitlines()
    problems += [
        line for line in told if "No broken requirements" not in line and SECOND_STAGE not in line
    ]
    return {"locked": len(wanted), "pip check": told, "problems": problems}


def normal(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imports(name: str, python: Path) -> dict[str, Any]:
    """Return which imports of the rules' code are not satisfied."""
    names = own_imports.needed(name)
    return {"tried": len(names), "unsatisfied": own_imports.unsatisfied(python, names)}


def kernels(python: Path) -> dict[str, str]:
    """Load vLLM's compiled files beside the locked PyTorch, and return what each says, if anything.

    The driver's library is an empty one here: they are linked with it, and nothing calls it.
    """
    packages_of = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    own = packages_of.parent.name.replace("python", "cpython-").replace(".", "")
    found = [
        path
        for path in sorted(packages_of.glob(KERNELS))
        if ".cpython-" not in path.name or own in path.name
    ]
    symbols = subprocess.run(
        ["nm", "-D", *found], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    names = sorted(set(re.findall(FUNCTION_OF_DRIVER, symbols, re.MULTILINE)))
    with tempfile.TemporaryDirectory() as folder:
        source = "\n".join(f"int {name}(void) {{ return 999; }}" for name in names)
        library = ["gcc", "-shared", "-Wl,-soname,libcuda.so.1", "-x", "c", "-", "-o"]
        subprocess.run([*library, f"{folder}/libcuda.so.1"], input=source, text=True, check=True)
        told = said(python, "-c", LOADED, given=json.dumps([str(path) for path in found]),
                    more={"LD_LIBRARY_PATH": folder})  # fmt: skip
    says: dict[str, str] = json.loads(told.splitlines()[-1])
    return {path.relative_to(packages_of).as_posix(): says[str(path)] for path in found}


def flags(python: Path) -> dict[str, Any]:
    """Give the trainers' own parsers the arguments of every shipped study; count what they took."""
    modules = {"ppo": command.PPO_MODULE, "sft": command.SFT_MODULE}
    asked = {
        f"{label} {kind}": {"module": modules[kind], "arguments": arguments}
        for name, one in commands.shipped().items()
        for label, study in (
            (name, one),
            (f"{name} without flash-attn", commands.without_flash_attention(one)),
        )
        for kind, arguments in commands.commands(study).items()
    }
    parser = ROOT / "tests/openrlhf/parse_flags.py"
    told = said(python, parser, given=json.dumps(asked))
    parsed = json.loads(told.splitlines()[-1])
    wrong = [
        f"{name}: {flag}"
        for name, one in asked.items()
        for flag in commands.flags_of(one["arguments"])
        if flag.removeprefix("--") not in parsed[name]
    ]
    if wrong:
        sys.exit(f"flags that the parsers do not know: {wrong}")
    return {name: len(commands.flags_of(one["arguments"])) for name, one in asked.items()}


def inside(name: str, python: Path) -> dict[str, Any]:
    """Return what environment_inside.py says."""
    settings, sampling = {}, {}
    for label, one in commands.shipped().items():
        settings[label], sampling[label] = of_vllm(one)
    asked = {"environment": name, "settings": settings, "sampling": sampling}
    told = said(python, HERE / "environment_inside.py", given=json.dumps(asked))
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def of_vllm(study: Study) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the engine arguments and sampling parameters that limr gives vLLM for a study."""
    from limr.models.vllm.policy import VllmPolicy  # here, as it loads transformers

    options = study.config["engines"]["vllm"]
    reader = SimpleNamespace(stops=tuple(options["stop"]), ids=[1])
    policy: Any = SimpleNamespace(
        folder=SimpleNamespace(path=Path("model"), reader=reader), options=options
    )
    decoding = Decoding(name="average", samples=4, temperature=0.4, top_p=0.95, max_tokens=3072)
    return VllmPolicy._arguments(policy, 4096), VllmPolicy._sampling(policy, decoding)


def said(
    python: Path,
    *words: str | Path,
    given: str = "",
    code: int | None = 0,
    more: Mapping[str, str] | None = None,
) -> str:
    """Return the standard output of a command; end with its errors where it fails."""
    environment = {**os.environ, "DS_BUILD_OPS": "0", "PYTHONPATH": str(own_imports.SCRIPTS)}
    environment |= more or {}
    done = subprocess.run(
        [str(python), *map(str, words)],
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if code is not None and done.returncode != code:
        sys.exit(f"{words[0]}: exit code {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
