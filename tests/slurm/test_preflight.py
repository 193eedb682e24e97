"""Checks before the first job: SLURM's limits, the base model, the disk, a node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from limr.core.errors import InputError
from limr.models.pretrained import access
from limr.plan import preflight
from limr.slurm import node, submission
from limr.slurm.submission import Request
from limr.sources import pinned as sources
from limr.study.load import load as load_study
from limr.study.study import Study

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
# As SLURM 22.05 prints it.
PARTITIONS = (
    "PartitionName=cpu AllowGroups=ALL Default=YES MaxNodes=UNLIMITED MaxTime=7-00:00:00 State=UP\n"
    "PartitionName=gpu AllowGroups=ALL Default=NO MaxNodes=2 MaxTime=08:00:00 State=UP\n"
    "PartitionName=old Default=NO MaxNodes=1 MaxTime=UNLIMITED State=DOWN\n"
)


def load(name: str) -> Study:
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    return load_study(config, name, ROOT / "config/benchmarks")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7-00:00:00", 10080),
        ("08:00:00", 480),
        ("30:00", 30),
        ("45", 45),
        ("1-12", 2160),
        ("2-01:30", 2970),
        ("UNLIMITED", None),
    ],
)
def test_times_of_slurm_are_minutes(text, wanted):
    assert submission.minutes(text) == wanted


@pytest.mark.parametrize(
    ("minutes", "nodes", "partition", "words"),
    [
        (480, 2, "gpu", ""),
        (481, 2, "gpu", "481 minutes asked, and partition gpu allows 480"),
        (60, 3, "gpu", "3 nodes asked, and partition gpu allows 2"),
        (10080, 99, None, ""),
        (10081, 1, None, "10081 minutes asked, and partition cpu allows 10080"),
        (1, 1, "old", "partition old is DOWN"),
        (None, 1, "gpu", ""),
        (9999, 9, "elsewhere", ""),
    ],
)
def test_what_a_partition_would_never_start_is_named(minutes, nodes, partition, words):
    limits = submission.partitions(PARTITIONS)
    assert sorted(limits) == ["cpu", "gpu", "old"]
    found = submission.beyond(Request("train_ppo", (), minutes, nodes, partition), limits)
    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_without_slurm_the_message_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="SLURM does not answer"):
        submission.check([Request("train_ppo", (), 1, 1, None)])
    submission.check([])


# --- the base model


def model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    return folder


def test_a_folder_without_all_of_its_weights_is_refused(tmp_path):
    base = {"model": str(model(tmp_path / "model")), "revision": None}
    with pytest.raises(InputError, match=r"1 files that are not there, such as model-00002-of"):
        access.check(base)
    (tmp_path / "model/model-00002-of-00002.safetensors").write_bytes(b"")
    assert "is complete" in access.check(base)
    (tmp_path / "model/config.json").unlink()
    with pytest.raises(InputError, match="no configuration"):
        access.check(base)
    (tmp_path / "model/model.safetensors.index.json").write_text("[1]")
    (tmp_path / "model/config.json").write_text("{}")
    with pytest.raises(InputError, match="not an index of weights"):
        access.check(base)


def test_a_model_of_the_hub_is_looked_for_in_the_cache_first(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    base = {"model": "some/model", "revision": COMMIT}
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set, and 'some/model'"):
        access.check(base)
    snapshot = tmp_path / f"models--some--model/snapshots/{COMMIT}"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert "in the cache" in access.check(base)
    with pytest.raises(InputError, match="40 hexadecimal digits"):
        access.check({**base, "revision": "main"})


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch, tmp_path):
    """A port of this machine that nobody listens on."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.hf_api.ENDPOINT", "http://127.0.0.1:9", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(InputError, match="the hub cannot be reached for 'some/model'"):
        access.check({"model": "some/model", "revision": COMMIT})


# --- the disk


def test_a_study_that_the_disk_has_no_room_for_is_refused(tmp_path, monkeypatch):
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    study = load("single-node")
    needed = preflight.needed_gb(study, tmp_path / "results", pinned)
    assert needed is not None
    assert 150 < needed < 250  # docs/plan.md: 45 GB of results, 150 GB of checkpoints
    usage = shutil.disk_usage(tmp_path)
    for free, refused in ((needed * 0.99, True), (needed * 1.01, False)):
        found = usage._replace(free=int(free * 1e9))
        monkeypatch.setattr(shutil, "disk_usage", lambda _, found=found: found)
        if refused:
            with pytest.raises(InputError, match=r"still writes about .* GB free"):
                preflight.check_disk(study, tmp_path / "results/single-node", pinned)
        else:
            assert "GB to write" in preflight.check_disk(
                study, tmp_path / "results/single-node", pinned
            )


def test_what_is_done_needs_no_room(tmp_path):
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    study = load("single-node")
    before = preflight.needed_gb(study, tmp_path, pinned)
    for arm in study.trained:
        for seed in study.seeds:
            run = tmp_path / f"runs/{arm}/seed{seed}/run.json"
            run.parent.mkdir(parents=True)
            run.touch()
    after = preflight.needed_gb(study, tmp_path, pinned)
    assert before is not None
    assert after is not None
    assert after < before - 140  # no checkpoints any more


def test_studies_without_gpus_are_not_held_up(tmp_path):
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    assert preflight.looks(load("demo"), tmp_path, pinned) == []


# --- a node


def test_a_node_without_what_is_needed_is_refused_with_every_lack(monkeypatch):
    """This machine's PyTorch has no CUDA, or no GPU is there, or there are fewer than 64."""
    with pytest.raises(InputError) as caught:
        node.examine(["json", "no_such_package"], 64, "train")
    said = str(caught.value)
    assert "no_such_package cannot be imported (ModuleNotFoundError" in said
    assert "envs/train.lock" in said
    assert "json" not in said
    if torch.version.cuda is None:
        assert "was built without CUDA" in said
    else:
        assert "does not work here" in said or "GPUs are visible and 64 were asked for" in said


def test_a_node_that_serves_is_described(monkeypatch):
    """With GPUs that this test makes up, as there may be none here."""
    card = {"name": "H100", "memory_gb": 85.0, "capability": "9.0"}
    monkeypatch.setattr(node, "cards", lambda: [card])
    found = node.examine(["json"], 1, "train")
    assert found["gpus"] == [card]
    assert set(found["packages"]) == {"json"}
    with pytest.raises(InputError, match="1 GPUs are visible and 2 were asked for"):
        node.examine(["json"], 2, "train")


def test_the_driver_is_read_from_nvidia_smi(monkeypatch, tmp_path):
    """A stand-in that prints what nvidia-smi prints."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "NVIDIA H100 80GB HBM3, 570.86.15, 81559 MiB"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.drivers() == ["NVIDIA H100 80GB HBM3 570.86.15 81559 MiB"]
    program.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n")
    assert node.drivers() == []
    program.unlink()
    assert node.drivers() == []
