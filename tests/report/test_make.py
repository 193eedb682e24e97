"""All tables of a study by one job: each as if it were alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from limr.report import make


def test_each_sees_what_it_asks_for_and_nothing_that_another_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"n": 3}))
    told: dict[str, Any] = {"overlaps": {"contamination": "told"}, "runs": {"base_work": "told"}}
    reads: dict[str, list[str]] = {"first": ["audits", "runs"], "none": [], "last": ["audits"]}
    settings = {
        "study": {"seeds": [1]},
        "told": told,
        "runs": [{"arm": "full", "seed": 1}],
        "tables": {name: {"reads": kinds, "options": {}} for name, kinds in reads.items()},
    }
    seen = {}

    def spoil(name: str, inputs: Any, options: Any, outputs: Any) -> None:
        seen[name] = copy.deepcopy((inputs.audits, inputs.study, inputs.runs, outputs))
        inputs.study["seeds"] = []
        for audit in inputs.audits.values():
            audit.clear()

    monkeypatch.setattr(make, "make_table", spoil)
    given = {"audits": [path], "runs": [path]}
    make.make_all("tables", settings, given, {"tsv": ["first.tsv", "none.tsv", "last.tsv"]})
    assert seen["first"][1:3] == (
        {"seeds": [1], "base_work": "told"},
        [{"n": 3, "arm": "full", "seed": 1}],
    )
    assert seen["none"] == ({}, {"seeds": [1]}, [], {"tsv": "none.tsv"})
    assert seen["last"] == (
        {"prompts": {"n": 3}},
        {"seeds": [1]},
        [],
        {"tsv": "last.tsv"},
    )
