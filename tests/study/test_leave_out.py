"""`leave_out`: arms that a site cannot make, and what they alone need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core.errors import InputError
from limr.study.load import load
from limr.study.study import Study


def papers(root: Path, **changes: Any) -> Study:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    return load({**config, **changes}, "config", root / "config/benchmarks")


def test_arms_go_with_the_scores_and_files_that_they_alone_need(root: Path) -> None:
    found = papers(root, leave_out=["limo-sft"])
    assert "limo-sft" not in found.arms
    assert "s1-sft" in found.arms
    assert {"limo", "s1k"} & set(found.files()) == {"s1k"}
    assert "all-limo" not in found.scores
    assert papers(root, leave_out=["limo-sft", "s1-sft"]).arms_by("sft") == []


def test_what_another_arm_needs_stays(root: Path) -> None:
    found = papers(root, leave_out=["rand"])
    assert {"random-1", "math-full"} & {*found.scores, *found.datasets} == {"math-full"}
    found = papers(root, leave_out=["base"])
    assert set(found.scores) == set(papers(root).scores)


def test_the_study_that_is_left_is_the_study_as_it_was_run(root: Path) -> None:
    left = papers(root, leave_out=["limo-sft", "s1-sft"]).config
    again = load(left, "config", root / "config/benchmarks").config
    assert again == left


def test_an_arm_that_is_not_there_or_needed_is_named(root: Path) -> None:
    with pytest.raises(InputError, match=r"leave_out: there is no arm 'limo'"):
        papers(root, leave_out=["limo"])
    with pytest.raises(InputError, match="limr"):
        papers(root, leave_out=["limr"])  # rand is as large
    with pytest.raises(InputError, match="no arm is left"):
        papers(root, arms={"base": {"train": "none"}}, leave_out=["base"])
