"""`limr fetch`: files, models and packages in a mirror; the hub and the index are stand-ins here.

tests/workflow/test_air_gapped.py does it with the real data and index, and cuts the network off.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import yaml

import byte_tokenizer
import local_hub
from limr import __main__ as command_line
from limr.core import files, validation
from limr.core.errors import InputError, IntegrityError
from limr.core.provenance import digest
from limr.models.interface import BaseJob
from limr.models.pretrained import folders
from limr.sources import mirror as contents
from limr.sources import mirror_packages
from limr.train.engines import huggingface

ROOT = Path(__file__).parents[2]
NAME, COMMIT = "org/tiny-llama", "0123456789abcdef0123456789abcdef01234567"
MODEL = f"models/{NAME}/{COMMIT}"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A tiny random Llama of 2.6 MB with a tokenizer: a model folder like those on the hub."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("hub") / "model"
    tokenizer = byte_tokenizer.make(
        "<|im_start|>", "<|im_end|>", chat=byte_tokenizer.CHATML, end="<|im_end|>"
    )
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=2048,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("what no study needs")
    return folder


@pytest.fixture
def hub(model):
    with local_hub.serving(model, NAME, COMMIT) as found:
        yield found


def study(folder: Path, **base: str) -> Path:
    """Write a study that evaluates a base of the hub; its data are generated."""
    content = {
        "study": "hub",
        "seeds": [1],
        "datasets": {"arithmetic": {"source": "arithmetic", "problems": 24, "seed": 5}},
        "dataset": "arithmetic",
        "engine": {"train": "huggingface", "generate": "huggingface"},
        "base": {"model": NAME, "revision": COMMIT, "template": "qwen-boxed", **base},
        "scores": {"everything": {"selector": "full"}},
        "arms": {"base": {"train": "none"}},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def fetch_models(hub: local_hub.Hub, tmp_path: Path, **base: str) -> subprocess.CompletedProcess:
    """Run the command as a user would: the client reads its environment when it is imported."""
    words = ["fetch", str(tmp_path / "mirror"), str(study(tmp_path, **base)), "--only", "models"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "workflow/scripts"),
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_OFFLINE": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", "limr", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# --- models


@pytest.mark.slow
def test_a_model_comes_whole_and_a_second_run_asks_nothing(hub, model, tmp_path):
    done = fetch_models(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    mirror = tmp_path / "mirror"
    there = {path.name for path in (mirror / MODEL).iterdir()}
    assert there == {path.name for path in model.iterdir()} - {"README.md"}
    for path in (mirror / MODEL).iterdir():
        assert path.read_bytes() == (model / path.name).read_bytes()
        assert contents.read(mirror)[f"{MODEL}/{path.name}"] == files.sha256(path)
    assert list(contents.faults(mirror)) == []
    assert not list(mirror.rglob("*.partial"))
    hub.requests.clear()
    again = fetch_models(hub, tmp_path)
    assert (again.returncode, again.stderr) == (0, "Nothing to do.\n")
    assert hub.requests == []


@pytest.mark.slow
def test_an_interrupted_download_goes_on(hub, model, tmp_path):
    weights = model / "model.safetensors"
    size = weights.stat().st_size
    hub.cut[weights.name] = size // 2
    done = fetch_models(hub, tmp_path)
    assert done.returncode == 2
    assert "it goes on with what is there" in done.stderr
    mirror = tmp_path / "mirror"
    assert not (mirror / MODEL).exists()
    assert contents.read(mirror) == {}
    hub.cut.clear()
    hub.requests.clear()
    assert fetch_models(hub, tmp_path).returncode == 0
    assert (mirror / MODEL / weights.name).read_bytes() == weights.read_bytes()
    got = [line.rpartition("/")[2] for line in hub.requests if line.startswith("GET /org")]
    assert got == [weights.name]  # the others were there


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_is_not_the_hubs_is_refused(hub, tmp_path, file):
    hub.broken.add(file)
    done = fetch_models(hub, tmp_path)
    assert done.returncode == 2
    assert f"{file}: not as the hub lists it" in done.stderr
    assert not (tmp_path / "mirror" / MODEL).exists()
    hub.broken.clear()
    assert fetch_models(hub, tmp_path).returncode == 0


@pytest.mark.slow
def test_another_model_than_the_pinned_one_is_refused(hub, model, tmp_path):
    done = fetch_models(hub, tmp_path, sha256="0" * 64)
    assert done.returncode == 2
    assert "base.sha256 is" in done.stderr
    right = digest({path.name: files.sha256(path) for path in folders.files_of(model)})
    assert fetch_models(hub, tmp_path, sha256=right).returncode == 0


@pytest.mark.slow
def test_a_model_that_is_not_on_the_hub(hub, tmp_path):
    done = fetch_models(hub, tmp_path, revision="f" * 40)
    assert done.returncode == 2
    assert "could not download 'org/tiny-llama'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def mirrored(model, tmp_path, monkeypatch) -> Path:
    """A mirror with the model, which the environment names."""
    mirror = tmp_path / "mirror"
    (mirror / MODEL).mkdir(parents=True)
    for path in folders.files_of(model):
        shutil.copy(path, mirror / MODEL)
    listed = {f"{MODEL}/{path.name}": files.sha256(path) for path in (mirror / MODEL).iterdir()}
    contents.write(mirror, listed)
    monkeypatch.setenv("LIMR_MIRROR", str(mirror))
    return mirror


def base_job(folder: Path) -> BaseJob:
    base = validation.complete(
        {"model": NAME, "revision": COMMIT, "template": "qwen-boxed"}, huggingface.Base, "base"
    )
    return BaseJob(base, {}, [], folder / "state", folder / "base")


def test_a_base_is_made_from_the_mirror_without_the_hub(mirrored, model, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_download", lambda *pin: pytest.fail(f"the hub was asked {pin}"))
    huggingface.make_base(base_job(tmp_path))
    found = tmp_path / "base/model.safetensors"
    assert found.read_bytes() == (model / "model.safetensors").read_bytes()
    assert files.read_json(tmp_path / "base/limr.json")["revision"] == COMMIT


@pytest.mark.parametrize("fault", ["altered", "missing", "added"])
def test_a_base_is_not_made_from_an_altered_mirror(mirrored, tmp_path, fault):
    file = mirrored / MODEL / "generation_config.json"
    if fault == "altered":
        file.write_bytes(file.read_bytes() + b"\n")
    elif fault == "missing":
        file.unlink()
    else:
        (mirrored / MODEL / "vocab.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"not as .*SHA256SUMS lists it"):
        huggingface.make_base(base_job(tmp_path))
    assert not (tmp_path / "base").exists()
    assert command_line.main(["fetch", "--check", str(mirrored)]) == 1


def test_a_mirror_without_the_model_is_no_mirror_of_it(mirrored, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(folders, "_download", lambda *pin: asked.append(pin) or mirrored / MODEL)
    shutil.move(mirrored / "models", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="not a complete model folder"):
        huggingface.make_base(base_job(tmp_path))
    assert asked == [(NAME, COMMIT)]


# --- the list


def test_the_list_is_one_that_sha256sum_reads(mirrored):
    command = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=mirrored, check=False).returncode == 0
    (mirrored / MODEL / "config.json").write_text("{}")
    done = subprocess.run(command, cwd=mirrored, check=False, capture_output=True)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not a line", ":1: expected 64"),
        (f"{'0' * 64}  ../out", "leads out of the mirror"),
        (f"{'0' * 64}  /etc/passwd", "leads out of the mirror"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused(tmp_path, line, message):
    (tmp_path / "SHA256SUMS").write_text(f"{line}\n")
    with pytest.raises(InputError, match=message):
        contents.read(tmp_path)


def test_names_that_lead_out_of_the_mirror_are_refused(tmp_path):
    with pytest.raises(InputError, match="no name on the hub"):
        contents.model_folder(tmp_path, "../x", COMMIT)


def test_a_folder_without_a_list_cannot_be_checked(tmp_path, capsys):
    assert command_line.main(["fetch", "--check", str(tmp_path)]) == 2
    assert "missing or empty" in capsys.readouterr().err


def test_two_fetches_into_one_mirror_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    with (mirror / ".fetch.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        words = ["fetch", str(mirror), "--environment", "data"]
        assert command_line.main(words) == 2
    assert "another `limr fetch`" in capsys.readouterr().err


# --- packages


def wheel(folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any") -> Path:
    """Write a wheel that pip installs: a module with a constant."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def pinned(path: Path) -> str:
    name, version = path.name.split("-")[:2]
    return f"{name}=={version} \\\n    --hash=sha256:{files.sha256(path)}\n"


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder of wheels that stands in for the index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tmp_path / "index"


def fetch(locks: Path, mirror: Path, said: list[str] | None = None, name: str = "data") -> int:
    listed = contents.read(mirror)
    return mirror_packages.fetch(
        name,
        locks,
        mirror,
        listed,
        lambda: contents.write(mirror, listed),
        (said if said is not None else []).append,
    )


@pytest.mark.slow
def test_packages_come_once(index, tmp_path, monkeypatch):
    locks, mirror = tmp_path / "envs", tmp_path / "mirror"
    files.write_text(locks / "data.lock", pinned(wheel(index, "one")) + pinned(wheel(index, "two")))
    monkeypatch.setattr(mirror_packages, "_AT_A_TIME", 1)
    assert fetch(locks, mirror) == 2
    assert set(contents.read(mirror)) == {
        f"packages/{n}-1.0-py3-none-any.whl" for n in ("one", "two")
    }
    away = index.rename(tmp_path / "away")  # nobody asks again
    assert fetch(locks, mirror) == 0
    (mirror / "packages/two-1.0-py3-none-any.whl").unlink()
    with pytest.raises(InputError, match="pip could not download"):
        fetch(locks, mirror)
    away.rename(index)
    (index / "one-1.0-py3-none-any.whl").unlink()
    assert fetch(locks, mirror) == 1  # only what is lacking
    assert sorted(path.name for path in (mirror / "packages").iterdir()) == [
        "one-1.0-py3-none-any.whl",
        "two-1.0-py3-none-any.whl",
    ]


@pytest.mark.slow
def test_what_came_before_a_failure_is_kept(index, tmp_path, monkeypatch):
    locks, mirror = tmp_path / "envs", tmp_path / "mirror"
    lines = [pinned(wheel(index, name)) for name in ("one", "two")]
    files.write_text(locks / "data.lock", "".join(lines))
    (index / "two-1.0-py3-none-any.whl").unlink()
    monkeypatch.setattr(mirror_packages, "_AT_A_TIME", 1)
    with pytest.raises(InputError, match="pip could not download"):
        fetch(locks, mirror)
    assert list(contents.read(mirror)) == ["packages/one-1.0-py3-none-any.whl"]


def test_a_package_with_another_hash_is_refused(index, tmp_path):
    locks, mirror = tmp_path / "envs", tmp_path / "mirror"
    wheel(index, "one")
    files.write_text(locks / "data.lock", f"one==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(InputError, match=r"(?s)pip could not download.*DO NOT MATCH"):
        fetch(locks, mirror)
    assert contents.read(mirror) == {}
    assert list((mirror / "packages").iterdir()) == []


def test_wheels_fit_the_locks_platform_and_not_this_machines(index, tmp_path):
    """The oldest glibc that will do, and a newer one only where there is no other wheel."""
    locks, mirror = tmp_path / "envs", tmp_path / "mirror"
    tags = ("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_34_x86_64")
    old, new = (wheel(index, "one", tag=tag) for tag in tags)
    only = wheel(index, "two", tag=tags[1].replace("2_34", "2_31"))
    both = pinned(old).rstrip() + f" --hash=sha256:{files.sha256(new)}\n"
    files.write_text(locks / "data.lock", both + pinned(only))
    assert fetch(locks, mirror) == 2
    names = {Path(path).name for path in contents.read(mirror)}
    assert names == {old.name, only.name}


@pytest.mark.slow
def test_the_build_of_pytorch_that_can_be_had(index, tmp_path):
    locks, mirror, said = tmp_path / "envs", tmp_path / "mirror", []
    files.write_text(locks / "embedded.lock", pinned(wheel(index, "one")))
    files.write_text(locks / "torch-cpu.lock", f"torch==1.0+cpu --hash=sha256:{'0' * 64}\n")
    files.write_text(locks / "torch-cuda.lock", pinned(wheel(index, "torch")))
    assert fetch(locks, mirror, said, "embedded") == 2
    assert "taking torch-cuda.lock" in said[0]
    assert fetch(locks, mirror, said, "embedded") == 0
    assert len(said) == 1


def test_a_lock_is_read_as_pip_reads_it(tmp_path):
    lock = tmp_path / "x.lock"
    here = hashlib.sha256(b"here").hexdigest()
    lock.write_text(
        "# a comment\n--only-binary :all:\n"
        f'one==1.0 ; sys_platform == "{sys.platform}" \\\n    --hash=sha256:{here} \\\n'
        f"    --hash=sha256:{'1' * 64}\n"
        f'two==1.0 ; sys_platform == "other" --hash=sha256:{here}\n'
    )
    (found,) = mirror_packages.read_lock(lock)
    assert found.requirement.startswith("one==1.0")
    assert found.hashes == (here, "1" * 64)
    lock.write_text("one==1.0\n")
    with pytest.raises(InputError, match=r"'one==1.0' has no hash"):
        mirror_packages.read_lock(lock)


def test_other_machines_are_refused(tmp_path, monkeypatch):
    files.write_text(tmp_path / "data.lock", f"one==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(mirror_packages.platform, "machine", lambda: "arm64")
    with pytest.raises(InputError, match="Linux on x86_64"):
        fetch(tmp_path, tmp_path / "mirror")


def test_environments_are_those_that_are_deployed():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "envs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    deployed = {name: tuple(locks) for name, locks in generate.LOCKS.items()}
    assert {name: mirror_packages.ENVIRONMENTS[name] for name in deployed} == deployed
    assert mirror_packages.ENVIRONMENTS["dev"] == ("dev", "torch")
    for environment in mirror_packages.ENVIRONMENTS.values():
        for lock in environment:
            for file in mirror_packages._ALTERNATIVES.get(lock, (lock,)):
                assert mirror_packages.read_lock(ROOT / f"envs/{file}.lock")


def test_make_takes_packages_from_a_mirror_that_has_some(tmp_path):
    """What the recipe of the environments sees; `-n` runs nothing, a recipe with + would."""

    def seen(*variables: str) -> list[str]:
        recipe = "build/crate-validator: ; @env"
        command = ["make", "-s", "--eval", recipe, "-B", "-o", ".venv/ready"]
        names = ("PIP_NO_INDEX", "PIP_FIND_LINKS", "LIMR_MIRROR", "MAKEFLAGS")
        environment = {key: value for key, value in os.environ.items() if key not in names}
        makefile = tmp_path / "Makefile"  # the variables of the real one, without its recipes
        text = (ROOT / "Makefile").read_text()
        start, end = text.index("ifneq"), text.index("endif") + len("endif")
        makefile.write_text(text[start:end] + "\n")
        done = subprocess.run(
            [*command, "-f", str(makefile), "build/crate-validator", *variables],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return sorted(line for line in done.stdout.splitlines() if line.startswith("PIP_"))

    before = seen()
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    assert seen(f"LIMR_MIRROR={mirror}") == before  # data alone: packages from the index
    (mirror / "packages").mkdir()
    added = [f"PIP_FIND_LINKS={mirror}/packages", "PIP_NO_INDEX=1"]
    assert sorted({*seen("LIMR_MIRROR=mirror")} - {*before}) == added
