"""`snakemake --sdm conda`, end to end, with a stand-in for conda and its channel.

What is real: Snakemake's deployment, the explicit pin with its checksums, packages linked by an
installer of conda packages, activation, the generated post-deploy script, pip with the locks'
hashes, jobs in the environments. What stands in: the command `conda` (py-rattler behind it) and the
channel, whose Python is the one that runs the tests. The project's own pin, of conda-forge's
packages, is NOT installed.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import local_channel
import own_imports
import pytest
import yaml
from import_all import normal

from small_study import TINY, Project, Result, make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # environments are installed
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROBLEMS = "results/tiny/problems/arithmetic.jsonl"
WHERE = """
    import sys, {package}
    Path("{name}.json").write_text(f'["{{sys.executable}}", "{{{package}.__file__}}"]')
"""


@dataclass
class Conda:
    """A project whose pin is of the stand-in's channel, and where environments are made."""

    project: Project
    home: Path
    channel: Path
    jobs: dict[str, str] = field(default_factory=dict)  # environment -> a script that ran in it

    def run(self, *arguments: str) -> Result:
        """Run Snakemake with the stand-in as conda."""
        environment = {
            **self.project.environment,
            "STAND_IN_HOME": str(self.home),
            "STAND_IN_CHANNEL": str(self.channel),
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "PIP_NO_COMPILE": "1",  # saves half of the minutes
        }
        environment.pop("PYTHONPATH")  # as for users: the library is found beside the scripts
        done = subprocess.run(
            self.project.command("--sdm=conda", *arguments),
            cwd=self.project.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        jobs = re.findall(r"^Job \d+: (.*)$", done.stdout + done.stderr, flags=re.MULTILINE)
        return Result(done.returncode, done.stdout + done.stderr, jobs)

    def generate(self) -> None:
        """Write the generated files again, after an edit of a lock or of the pin."""
        command = [sys.executable, "envs/generate.py"]
        subprocess.run(command, cwd=self.project.folder, check=True)

    def file(self, name: str) -> Path:
        """Return a file of `envs`."""
        return self.project.folder / "envs" / name

    def environments(self) -> list[Path]:
        """Return the environments that are ready."""
        ready = (self.project.folder / ".snakemake/conda").glob("*.env_setup_done")
        return [path.with_suffix("") for path in ready]


def make(folder: Path) -> Conda:
    """Make the stand-in's channel, its command, and a project with a pin of that channel."""
    if not (ROOT / "build/deployment/rattler").exists():
        if os.environ.get("CI"):
            pytest.fail("there is no build/deployment: make build/deployment")
        pytest.skip("there is no build/deployment: make build/deployment")
    made = Conda(make_project(folder / "project"), folder / "home", folder / "channel")
    (made.home / "bin").mkdir(parents=True)
    command = made.home / "bin/conda"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE}/conda_stand_in.py" "$@"\n')
    command.chmod(0o755)
    activate = made.home / "bin/activate"
    activate.write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    made.file("base.linux-64.pin.txt").write_text(local_channel.make(made.channel))
    made.generate()
    study: dict[str, Any] = copy.deepcopy(TINY)
    study["base"]["warmup"]["steps"] = 10
    made.project.write(study)
    return made


@pytest.fixture
def conda(tmp_path: Path) -> Conda:
    """A project in which nothing has been deployed."""
    return make(tmp_path)


@pytest.fixture(
    scope="module", params=["data", pytest.param("data and embedded", marks=pytest.mark.long)]
)
def deployed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Conda]:
    """A project in which environments were made and a job ran in each.

    `embedded` has PyTorch, and takes minutes and gigabytes.
    """
    made = make(tmp_path_factory.mktemp("conda"))
    made.jobs = {"data": "prepare_problems"}
    if request.param != "data":
        made.jobs["embedded"] = "make_base"
    scripts = made.project.folder / "workflow/scripts"
    for name, package in (("prepare_problems", "pandas"), ("make_base", "torch")):
        with (scripts / f"{name}.py").open("a") as script:
            script.write(WHERE.format(name=name, package=package))
    found = made.run(PROBLEMS if request.param == "data" else "results/tiny/base")
    assert found.returncode == 0, found.output[-6000:]
    assert "Failed to install conda environment from pin file" not in found.output
    yield made
    shutil.rmtree(made.project.folder / ".snakemake/conda")  # gigabytes


def test_jobs_run_in_environments_made_from_pin_and_lock(deployed: Conda) -> None:
    prefixes = []
    for name in deployed.jobs.values():
        ran = json.loads((deployed.project.folder / f"{name}.json").read_text())
        prefix = Path(ran[0]).parents[1]
        assert Path(ran[1]).is_relative_to(prefix), f"{ran[1]} leaked in from outside {prefix}"
        prefixes.append(prefix)
    assert set(prefixes) == set(deployed.environments())
    assert len(set(prefixes)) == len(deployed.jobs)


def test_an_environment_holds_what_its_lock_says_and_no_more(deployed: Conda) -> None:
    for name, job in deployed.jobs.items():
        holds_its_lock(deployed, name, job)


def holds_its_lock(deployed: Conda, name: str, job: str) -> None:
    python = json.loads((deployed.project.folder / f"{job}.json").read_text())[0]
    listed = subprocess.run(
        [python, "-I", "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    locks = [name] + (["torch-cpu"] if any("+cpu" in line for line in listed) else [])
    locks += ["torch-cuda"] if name == "embedded" and len(locks) == 1 else []
    text = "".join(deployed.file(f"{lock}.lock").read_text() for lock in locks)
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)(.*)$", text, flags=re.MULTILINE)
    wanted = {f"{normal(n)}=={v}" for n, v, rest in pins if '!= "linux"' not in rest}
    found = {f"{normal(n)}=={v}" for n, v in (line.split("==") for line in listed)}
    assert found - {"pip==26.0.1"} == wanted


def test_every_import_is_satisfied_by_its_own_environment(deployed: Conda) -> None:
    for name, job in deployed.jobs.items():
        python = json.loads((deployed.project.folder / f"{job}.json").read_text())[0]
        # Reading a study loads every plug-in, whatever its own environment is.
        loaded = own_imports.plugins(*own_imports.ALL) if name == "data" else []
        assert own_imports.unsatisfied(python, [*own_imports.needed(name), *loaded]) == {}


def test_an_import_that_an_environment_lacks_is_noticed(deployed: Conda) -> None:
    ran = json.loads((deployed.project.folder / "prepare_problems.json").read_text())
    lacking = ["limr.train.embedded.forward", "snakemake"]
    found = own_imports.unsatisfied(ran[0], ["limr.core.files", *lacking])
    assert sorted(found) == lacking
    assert "torch" in found["limr.train.embedded.forward"]


def test_a_pin_that_cannot_be_installed_is_an_error_and_no_job_runs(conda: Conda) -> None:
    pin = conda.file("data.linux-64.pin.txt")
    pin.write_text(re.sub(r"#\w+$", f"#{'0' * 32}", pin.read_text(), flags=re.MULTILINE))
    found = conda.run(PROBLEMS)
    # Snakemake itself warns, and would go on with the yaml.
    assert "Failed to install conda environment from pin file" in found.output
    assert found.returncode != 0
    assert "is not the one that envs/data.linux-64.pin.txt pins" in found.output
    assert "missing: pip-26.0.1-standin_0" in found.output
    assert "not in the pin: pip-26.0.1-standin_1" in found.output
    assert "docs/environments.md" in found.output
    assert "ChecksumMismatchError" in found.output
    assert not (conda.project.folder / PROBLEMS).exists()
    assert "Prepare the problems" not in found.output
    assert conda.environments() == []
    assert conda.run(PROBLEMS).returncode != 0  # nor does it pass the second time


def test_a_platform_without_a_pin_is_an_error(conda: Conda) -> None:
    conda.file("data.linux-64.pin.txt").unlink()
    found = conda.run(PROBLEMS)
    assert found.returncode != 0
    assert "pins for linux-64 only" in found.output
    assert not (conda.project.folder / PROBLEMS).exists()


def test_a_package_with_another_hash_is_an_error(conda: Conda) -> None:
    wrong = f"tqdm==4.67.1 --hash=sha256:{'0' * 64}\n"
    conda.file("data.lock").write_text(wrong)
    conda.generate()
    found = conda.run(PROBLEMS)
    assert found.returncode != 0
    assert "DO NOT MATCH THE HASHES" in found.output
    assert not (conda.project.folder / PROBLEMS).exists()


def test_an_edit_of_a_lock_makes_a_new_environment(deployed: Conda) -> None:
    lock = deployed.file("data.lock")
    before = lock.read_text()
    planned = deployed.run("--dry-run", PROBLEMS)
    assert (planned.returncode, planned.jobs) == (0, []), planned.output
    lock.write_text(before + "# edited\n")
    deployed.generate()
    try:
        assert deployed.run("--dry-run", PROBLEMS).jobs == ["Prepare the problems arithmetic"]
    finally:
        lock.write_text(before)
        deployed.generate()


def test_the_yaml_names_what_the_pin_has() -> None:
    for path in (ROOT / "envs").glob("*.yaml"):
        pin = path.with_suffix(".linux-64.pin.txt").read_text()
        for word in yaml.safe_load(path.read_text())["dependencies"]:
            name, version = word.split(" =")
            assert f"/{name}-{version}-" in pin
