"""The plan of jobs: what each job reads, makes and is told, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limr.core import plugins
from limr.core.errors import InputError
from limr.study.jobs import plan, report
from limr.study.jobs.train import split_options
from limr.study.load import load as load_study
from limr.study.study import Study


def study_of(config: dict[str, Any], root: Path, **changes: Any) -> Study:
    return load_study({**config, **changes}, "study.yaml", root / "config/benchmarks")


def test_a_study_without_engines_has_their_defaults(tiny: dict[str, Any], root: Path) -> None:
    del tiny["engines"]
    options = dict(
        zip(("counted", "free"), split_options(study_of(tiny, root), "train"), strict=True)
    )
    assert options["counted"]["threads"] == 1
    assert options["counted"]["checkpoint_every"] >= 1


def test_benchmarks_without_an_evaluated_arm_ask_nobody(tiny: dict[str, Any], root: Path) -> None:
    tiny["arms"] = {"all": {"train": "none", "score": "everything"}}
    tiny["trajectories"] = {}
    tiny["scores"] = {"everything": {"selector": "full"}}
    found = study_of(tiny, root, tables={"subsets": {}}, figures={})
    rules = {job.rule for job in plan.wanted(found, plan.jobs(found))}
    assert rules == {
        "prepare_problems",
        "score_problems",
        "select_subset",
        "make_tables",
        "make_report",
    }
    for kind, name in (("tables", "results"), ("figures", "accuracy")):
        with pytest.raises(InputError, match=rf"{kind}\.{name} needs evaluations, and no arm"):
            study_of(tiny, root, **{"tables": {}, "figures": {}, kind: {name: {}}})
    with pytest.raises(
        InputError, match=r"figures\.reward needs metrics, and no arm of this study is tr"
    ):
        study_of(tiny, root, tables={}, figures={"reward": {}})


def test_a_log_that_is_a_folder_is_its_files_in_order(
    tiny: dict[str, Any], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny["trajectories"]["full"] = {"format": "limr-steps", "path": "log", "steps_per_epoch": 3}
    for name in ("step_10.json", "step_9.json", "notes.txt"):
        (tmp_path / "log").mkdir(exist_ok=True)
        (tmp_path / f"log/{name}").write_text("[]")
    monkeypatch.chdir(tmp_path)
    found = study_of(tiny, root)
    files = ["log/step_9.json", "log/step_10.json"]
    monkeypatch.chdir(root)
    for folder, paths in ((tmp_path, files), (root, ["log"])):
        [job] = [job for job in plan.jobs(found, folder) if job.rule == "import_trajectories"]
        assert job.input["paths"] == paths


def of_own_files(tiny: dict[str, Any], root: Path, **options: Any) -> Study:
    scores = {**tiny["scores"], "mine": {"trajectories": "full", **options}}
    arms = {**tiny["arms"], "mine": {"train": "none", "score": "mine"}}
    return study_of(tiny, root, scores=scores, arms=arms)


def test_the_files_that_a_selector_reads_are_inputs_of_its_jobs(
    tiny: dict[str, Any], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that Snakemake makes its scores again where one changes, and an archive carries them."""
    monkeypatch.chdir(tmp_path)
    for name in ("weak.json", "strong.csv"):
        Path(name).touch()
    study = of_own_files(
        tiny, root, selector="two-anchor", weaker="weak.json", stronger="strong.csv"
    )
    jobs = {job.rule: job for job in plan.jobs(study) if job.wildcards.get("selector") == "mine"}
    for rule in ("score_problems", "diagnose_scores"):
        assert jobs[rule].input["own"] == ["weak.json", "strong.csv"]
    others = [job for job in plan.jobs(study) if job.wildcards.get("selector") == "limr"]
    assert not any(job.input.get("own") for job in others)
    assert study.own_paths == [("mine", "weak.json"), ("mine", "strong.csv")]


def test_files_that_a_selector_lacks_are_named_before_any_job(
    tiny: dict[str, Any], root: Path
) -> None:
    with pytest.raises(InputError, match=r"score 'mine': selector 'external' needs `file`"):
        of_own_files(tiny, root, selector="external")
    with pytest.raises(InputError, match=r"score 'mine': there is no file 'scores\.json'"):
        of_own_files(tiny, root, selector="external", file="scores.json")


def test_settings_are_plain_values(tiny: dict[str, Any], root: Path) -> None:
    """Snakemake compares them from one run to the next by what it writes of them."""
    for job in plan.jobs(study_of(tiny, root)):
        assert json.loads(json.dumps(job.settings)) == job.settings, job.rule


def test_every_file_has_one_maker(tiny: dict[str, Any], root: Path) -> None:
    jobs = plan.jobs(study_of(tiny, root))
    made = [path for job in jobs for path in job.outputs]
    assert len(made) == len(set(made))
    read = {path for job in plan.wanted(study_of(tiny, root), jobs) for path in job.inputs}
    own = ("config/", "workflow/")
    assert {path for path in read - set(made) if not path.startswith(own)} == set()


def test_tables_apart_make_what_their_one_job_makes(tiny: dict[str, Any], root: Path) -> None:
    study = study_of(tiny, root)
    for job in plan.jobs(study):
        parts = report.apart(study, job)
        assert {path for part in parts for path in part.outputs} == set(job.outputs)
        assert {path for part in parts for path in part.inputs} == set(job.inputs)
        for part in parts if job.rule == "make_tables" else ():
            [(_, name)] = part.plugins
            assert set(part.input) == set(plugins.load("tables", name).REQUIRES)
            assert part.output["tsv"] == [study.paths.table(name, "tsv")]


def test_a_kind_of_result_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins.load("tables", "results"), "REQUIRES", ("evaluation",))
    with pytest.raises(InputError, match=r"asks for 'evaluation' .* mean 'evaluations'"):
        report.asked("tables", "results", {"evaluations": [], "scores": []})
