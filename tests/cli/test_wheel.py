"""The built wheel in an empty environment, without the clone on the path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from small_study import ROOT, TINY, little

pytestmark = pytest.mark.slow
PARTS = ("workflow", "config", "envs", "profiles", "Snakefile", "Makefile", "README.md", "LICENSE")
PARTS += ("CITATION.cff", "pyproject.toml", "setup.py", "MANIFEST.in")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
LOG = [
    {"prompt": f"{n}+1?", "completion": str(k), "reward": float((n + k) % 2), "step": 1 + n // 2}
    for n in range(4)
    for k in range(4)
]
# The whole way, as short as can be.
SHORT = little(
    base={"warmup": {**TINY["base"]["warmup"], "steps": 4}},
    ppo={"steps": 1},
    evaluate={"ppo_steps": [1], "benchmarks": {"arithmetic-easy": {}}},
)
SHORT |= {"arms": {name: SHORT["arms"][name] for name in ("base", "full")}, "tables": {}}
SHORT |= {"scores": {"everything": {"selector": "full"}}, "trajectories": {}}


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
        [self.packages] = (folder / "venv/lib").glob("python*/site-packages")
        self.add_what_the_wheel_asks_for("")

    def add_what_the_wheel_asks_for(self, extra: str) -> None:
        """Add the packages that pip would install with the wheel, and no other: links to ours."""
        [wheel] = metadata.distributions(path=[str(self.packages)], name="limr")
        found, todo = {"limr"}, [(wheel, extra)]
        while todo:
            package, extra = todo.pop()
            for asked in map(Requirement, package.requires or []):
                if asked.marker and not asked.marker.evaluate({"extra": extra}):
                    continue
                of = wheel if asked.name == "limr" else metadata.distribution(asked.name)
                new = {asked.name, *(f"{asked.name}[{name}]" for name in asked.extras)} - found
                todo += [(of, name) for name in ("", *asked.extras)] if new else []
                found |= new
                for top in {path.parts[0] for path in of.files or [] if of is not wheel} - {".."}:
                    if not (self.packages / top).exists():
                        (self.packages / top).symlink_to(Path(sysconfig.get_path("purelib"), top))

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
    (made.home / "study.yaml").write_text(yaml.safe_dump(SHORT, sort_keys=False))
    return made


@pytest.fixture(scope="module")
def with_trainer(installed: Installed) -> Installed:
    """The same environment after `pip install limr[train]`; asked for by the last tests only."""
    installed.add_what_the_wheel_asks_for("train")
    return installed


def test_the_library_is_the_wheel_s(installed: Installed) -> None:
    path = installed.run("-c", "import limr; print(limr.__file__)")
    assert "site-packages/limr_project/workflow/scripts/limr/__init__.py" in path
    assert "/venv/" in path


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("look log.jsonl", "log.jsonl.limr/report.html"),
        ("score log.jsonl --selector learnability --output s.parquet", "Written to s.parquet."),
        ("grade answers.jsonl --output v.jsonl", ""),
        ("plan study.yaml", "Study 'tiny' (study.yaml)"),
        ("run demo", "install limr with its extra"),
        ("run nowhere.yaml", "there is no such study"),
    ],
)
def test_each_command_works_with_what_the_wheel_needs(
    command: str, said: str, installed: Installed
) -> None:
    assert not (installed.packages / "torch").exists()
    assert said in installed.run(*command.split(), code=2 if "run" in command else 0)


def test_a_study_runs_to_its_page(with_trainer: Installed) -> None:
    said = with_trainer.run("run", "study.yaml", "--cores", "2")
    assert "jobs in" in said
    assert "Report: results/tiny/report.html" in said
    assert str(with_trainer.home) not in said
    assert with_trainer.run("open", "tiny").startswith("results/tiny/report.html")


@pytest.mark.long
def test_the_demo_runs_to_its_page(with_trainer: Installed) -> None:
    said = with_trainer.run("run", "demo", "--cores", "2")
    assert "Report: results/demo/report.html" in said
    assert "Nothing was left to do." in with_trainer.run("run", "demo")
