"""Apptainer's definitions, as far as they can be checked without it, and who uses the images."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from limr.core.errors import InputError
from limr.slurm import containers
from small_study import Project

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
DEFINITIONS = sorted(ENVS.glob("*.def"))
SECTIONS = {"files", "post", "environment", "test", "labels"}


def final_stage(path: Path) -> str:
    """Return a definition's last stage: its header with all that follows."""
    return re.split(r"^Bootstrap: ", path.read_text(), flags=re.MULTILINE)[-1]


def sections(path: Path) -> dict[str, str]:
    """Return the sections of a definition's last stage by their first line, without the sign."""
    parts = re.split(r"^%", final_stage(path), flags=re.MULTILINE)[1:]
    found = {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
    assert len(found) == len(parts)
    return found


def test_every_gpu_environment_has_a_definition() -> None:
    assert [path.stem for path in DEFINITIONS] == ["evaluate", "train"]


@pytest.mark.slow  # not in itself: `make check` does not set the parser up
@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_is_one_that_a_parser_of_them_reads(path: Path) -> None:
    tools = ROOT / "build/deployment"
    if not (tools / "spython").exists():
        if os.environ.get("CI"):
            pytest.fail("there is no build/deployment: make build/deployment")
        pytest.skip("there is no build/deployment: make build/deployment")
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from spython.main.parse.parsers import get_parser\n"
        "recipes = get_parser('singularity')(sys.argv[2]).recipe\n"
        "print(*(recipe.fromHeader for recipe in recipes.values()), sep='\\n')\n"
    )
    command = [sys.executable, "-c", program, str(tools), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    digests = re.findall(r"^(\S+)@sha256:[0-9a-f]{64}\b", done.stdout, flags=re.MULTILINE)
    assert digests == ["mambaorg/micromamba", "nvidia/cuda"], done.stdout


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_copies_files_that_are_there_and_its_shell_is_shell(path: Path) -> None:
    found = sections(path)
    assert {name.split()[0] for name in found} == SECTIONS
    copied = [line.split() for line in found["files"].splitlines() if line.strip()]
    assert len(copied) == 2
    for source, target in copied:
        assert (ROOT / source).is_file()
        assert target in found["post"]
    for name in ("post", "environment", "test"):
        check = ["sh", "-n", "-c", found[name]]
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_refuses_the_script_of_another_lock(path: Path, tmp_path: Path) -> None:
    script = path.with_suffix(".post-deploy.sh")
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    found = sections(path)
    line = next(line for line in found["post"].splitlines() if "sha256sum" in line)
    assert digest in line
    assert f"limr.post-deploy.sha256 {digest}" in found["labels"]
    # The line itself, on the script and on an edited one.
    own = tmp_path / "post-deploy.sh"
    command = ["sh", "-c", line.replace("/opt/deploy/post-deploy.sh", str(own))]
    own.write_bytes(script.read_bytes())
    subprocess.run(command, capture_output=True, check=True)
    own.write_bytes(script.read_bytes().replace(b"==", b"===", 1))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_an_image_is_named_by_all_that_it_is_made_from(tmp_path: Path) -> None:
    names = set()
    for changed in (None, "def", "linux-64.pin.txt", "post-deploy.sh"):
        for part in ("def", "linux-64.pin.txt", "post-deploy.sh"):
            text = (ENVS / f"train.{part}").read_text() + ("#" if part == changed else "")
            (tmp_path / f"train.{part}").write_text(text)
        names.add(containers.image_name("train", tmp_path))
    assert len(names) == 4


def test_a_missing_image_is_an_error_that_says_how_to_build_it(tmp_path: Path) -> None:
    variables = {containers.VARIABLE: str(tmp_path)}
    (tmp_path / "train-000000000000.sif").touch()
    with pytest.raises(InputError) as caught:
        containers.image("train", ENVS, variables)
    name = containers.image_name("train", ENVS)
    assert f"apptainer build {tmp_path / name} envs/train.def" in str(caught.value)
    assert "train-000000000000.sif there is of another lock" in str(caught.value)
    (tmp_path / name).touch()
    assert containers.image("train", ENVS, variables) == str(tmp_path / name)
    assert containers.image("data", ENVS, variables) is None
    assert containers.image("train", ENVS, {}) is None


def images_of(project: Project, folder: Path | None) -> subprocess.CompletedProcess[str]:
    """Print the image of every rule of the paper's study that has one, as Snakemake sees them."""
    program = (
        "from pathlib import Path\n"
        "from snakemake.api import SnakemakeApi, ConfigSettings, ResourceSettings\n"
        "with SnakemakeApi() as api:\n"
        "    study = ConfigSettings(configfiles=[Path('config/config.yaml')])\n"
        "    made = api.workflow(ResourceSettings(cores=1), config_settings=study,\n"
        "                        snakefile=Path('Snakefile'))\n"
        "    for rule in made._workflow.rules:\n"
        "        print('IMAGE', rule.name, rule.container_img)\n"
    )
    variables = {containers.VARIABLE: str(folder)} if folder else {}
    return subprocess.run(
        [sys.executable, "-c", program, "--dry-run"],
        cwd=project.folder,
        env={**project.environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_rules_of_gpu_engines_run_in_their_images_and_no_others(
    project: Project, tmp_path: Path
) -> None:
    for name in ("train", "evaluate"):
        (tmp_path / containers.image_name(name, ENVS)).touch()
    lines = images_of(project, tmp_path).stdout.splitlines()
    found = dict(line.split()[1:] for line in lines if line.startswith("IMAGE"))
    kinds = {rule: Path(image).name.partition("-")[0] for rule, image in found.items()}
    assert {rule for rule, kind in kinds.items() if kind == "train"} == {
        *("make_base", "train_ppo", "train_sft", "train_sft_limo_sft"),
    }
    assert {rule for rule, kind in kinds.items() if kind == "evaluate"} == {
        *("evaluate", "evaluate_sft", "evaluate_sft_limo_sft", "evaluate_base", "sample_base"),
    }
    assert kinds["prepare_problems"] in ("None", "False")
    plain = images_of(project, None).stdout.splitlines()
    plainly = dict(line.split()[1:] for line in plain if line.startswith("IMAGE"))
    assert plainly.keys() == found.keys()
    assert set(plainly.values()) <= {"None", "False"}


@pytest.mark.slow
def test_a_study_does_not_start_without_its_images(project: Project, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/config.yaml", "-n"]
    done = subprocess.run(
        command,
        cwd=project.folder,
        env={**project.environment, containers.VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "apptainer build" in done.stdout + done.stderr
