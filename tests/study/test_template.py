"""config/template.yaml is a whole study: valid as it stands, and every arm's size fits 20,000."""

import json
from pathlib import Path

import pytest
import yaml

from limr.core.errors import InputError
from limr.study.load import load as load_study
from limr.study.study import Study


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, key in (("problems", "a"), ("held_out", "b")):
        row = {"id": key, "prompt": f"What is {key}?", "answer": key}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def load(root: Path, **changes: object) -> Study:
    config = yaml.safe_load((root / "config/template.yaml").read_text()) | changes
    return load_study(config, "template.yaml", root / "config/benchmarks")


def test_the_template_is_a_study_of_your_own_files(root: Path, in_an_empty_folder: Path) -> None:
    found = load(root)
    assert found.datasets["held-out"]["path"] == "held_out.jsonl"
    assert found.benchmarks["held-out"]["title"] == "Held out"
    assert {"limr", "rand-1", "rand-2", "full"} <= set(found.trained)
    assert found.config["grader"]["answer"] == "whole"


def test_what_a_new_user_forgets_is_said(root: Path, in_an_empty_folder: Path) -> None:
    with pytest.raises(InputError, match=r"grader: .*registers 'mine' under"):
        load(root, grader={"plugin": "mine"})
    marks = {"held-out": {"decodings": []}}
    with pytest.raises(InputError, match="benchmarks"):
        load(root, evaluate={"ppo_steps": [20], "benchmarks": marks})
    marks = {"held-out": {}}
    with pytest.raises(InputError, match=r"'held-out'.* your own needs 'dataset' and 'decodings'"):
        load(root, evaluate={"ppo_steps": [20], "benchmarks": marks})
    (in_an_empty_folder / "held_out.jsonl").unlink()
    with pytest.raises(InputError, match=r"there is no file 'held_out\.jsonl'"):
        load(root)


def test_every_key_of_the_template_is_explained(root: Path) -> None:
    lines = (root / "config/template.yaml").read_text().splitlines()
    marked = [line for line in lines if "# <-" in line]
    assert len(marked) >= 15
