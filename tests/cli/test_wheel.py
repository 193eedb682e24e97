"""The built wheel in an empty environment, without the clone on the path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from small_study import ROOT, little

pytestmark = pytest.mark.slow
PARTS = ("workflow", "config", "envs", "profiles", "Snakefile", "Makefile", "README.md", "LICENSE")
PARTS += ("CITATION.cff", "pyproject.toml", "setup.py", "MANIFEST.in")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
LOG = [
    {"prompt": f"{n}+1?", "completion": str(k), "reward": float((n + k) % 2), "step": 1 + n // 2}
    for n in range(4)
    for k in range(4)
]
# Imports that fail, as in an environment that has no more than `limr look` needs.
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "snakemake", "matplotlib", "transformers"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from limr.__main__ import main
sys.exit(main(["look", "log.jsonl"]))
"""


class Installed:
    """An environment with the wheel, and the folder of somebody who works with it."""

    def __init__(self, folder: Path) -> None:
        clone, wheels, self.home = folder / "clone", folder / "wheels", folder / "home"
        clone.mkdir()
        self.home.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, clone / part)
        offline = ["--no-deps", "--no-index"]
        subprocess.run(
            [*PIP, "wheel", *offline, "--no-build-isolation", "-w", str(wheels), str(clone)],
            check=True,
        )
        shutil.rmtree(clone)
        [wheel] = wheels.iterdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.python = folder / "venv/bin/python"
        subprocess.run([*PIP, "--python", self.python, "install", *offline, str(wheel)], check=True)
        [site] = (folder / "venv/lib").glob("python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, *words: str, code: int = 0) -> str:
        """Run limr, and return what it says."""
        left_out = ("PYTHONPATH", "LIMR_MIRROR")
        environment = {key: value for key, value in os.environ.items() if key not in left_out}
        command = words if words[0] == "-c" else ("-m", "limr", *words)
        done = subprocess.run(
            [str(self.python), *command],
            cwd=self.home, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = Installed(tmp_path_factory.mktemp("wheel"))
    (made.home / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in LOG))
    answer = {"response": r"It is \boxed{2}.", "gold": "2"}
    (made.home / "answers.jsonl").write_text(json.dumps(answer) + "\n")
    (made.home / "study.yaml").write_text(yaml.safe_dump(little(), sort_keys=False))
    return made


def test_the_library_is_the_wheel_s(installed: Installed) -> None:
    path = installed.run("-c", "import limr; print(limr.__file__)")
    assert "site-packages/limr_project/workflow/scripts/limr/__init__.py" in path
    assert "/venv/" in path


def test_a_log_is_looked_at_without_torch_or_snakemake(installed: Installed) -> None:
    assert "report.html" in installed.run("-c", BLOCKED)
    assert (installed.home / "log.jsonl.limr/report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("score log.jsonl --selector learnability --output s.parquet", "Written to s.parquet."),
        ("grade answers.jsonl --output v.jsonl", ""),
        ("plan study.yaml", "Study 'tiny' (study.yaml)"),
        ("run demo -n --cores 1", "train_sft"),
        ("run nowhere.yaml", "there is no such study"),
    ],
)
def test_each_command_works_without_the_clone(
    command: str, said: str, installed: Installed
) -> None:
    assert said in installed.run(*command.split(), code=2 if "nowhere" in command else 0)


@pytest.mark.long
def test_a_study_runs_to_its_page(installed: Installed) -> None:
    said = installed.run("run", "study.yaml", "--cores", "2")
    assert "24 jobs in" in said
    assert "Report: results/tiny/report.html" in said
    assert "Nothing was left to do." in installed.run("run", "study.yaml")
    assert str(installed.home) not in said
    assert installed.run("open", "tiny").startswith("results/tiny/report.html")
