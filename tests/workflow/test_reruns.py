"""A change reruns what depends on it, and nothing else: exact sets of jobs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from small_study import Project

pytestmark = pytest.mark.slow

TABLES, FIGURES, REPORT = ["Make the tables"], ["Draw the figures"], ["Make the report"]
COLLECT = ["Collect the evaluations", "Collect the training metrics"]


def train(*arms: str, seeds: tuple[int, ...] = (1, 2)) -> list[str]:
    words = {"sft": "Fine-tune {}, seed {}"}
    return [
        words.get(arm, "Train {} by PPO, seed {}").format(arm, seed)
        for arm in arms
        for seed in seeds
    ]


def evaluate(*arms: str, seeds: tuple[int, ...] = (1, 2)) -> list[str]:
    return [f"Evaluate {arm}, seed {seed}" for arm in arms for seed in seeds]


def select(*arms: str) -> list[str]:
    return [f"Select the problems of {arm}" for arm in arms]


def changed(project: Project, study: dict[str, Any], path: str, value: object) -> None:
    *parents, key = path.split("/")
    node = study
    for parent in parents:
        node = node[parent]
    node[key] = value
    project.write(study)


def test_nothing_changed_nothing_to_do(finished: Project) -> None:
    assert finished.planned() == []


def test_a_reformatted_study_changes_nothing(finished: Project, tiny: dict[str, Any]) -> None:
    for section in ("ppo", "sft", "base", "datasets"):
        tiny[section] = dict(reversed(tiny[section].items()))
    text = yaml.safe_dump(tiny, sort_keys=False, indent=6, default_flow_style=True)
    (finished.folder / "study.yaml").write_text(f"# reformatted\n{text}")
    assert finished.planned() == []


def test_the_threshold(finished: Project, tiny: dict[str, Any]) -> None:
    changed(finished, tiny, "arms/limr/threshold", 0.972)
    arms = ("limr", "rand-1", "rand-2")  # the random draws are as many as limr's problems
    assert finished.planned() == sorted(
        select(*arms) + train(*arms) + evaluate(*arms) + COLLECT + TABLES + FIGURES + REPORT
    )


def test_an_evaluation_temperature(finished: Project, tiny: dict[str, Any]) -> None:
    path = finished.folder / "config/benchmarks/arithmetic-easy.yaml"
    path.write_text(path.read_text().replace("temperature: 0.4", "temperature: 0.6"))
    arms = ("base", "full", "limr", "rand-1", "rand-2", "linear", "sft")
    assert finished.planned() == sorted(
        evaluate(*arms) + ["Collect the evaluations"] + TABLES + FIGURES + REPORT
    )


def test_a_decoding_of_the_study_alone(finished: Project, tiny: dict[str, Any]) -> None:
    decodings = [{"name": "warm", "samples": 2, "temperature": 0.9, "max_tokens": 28}]
    changed(finished, tiny, "evaluate/benchmarks/arithmetic-easy", {"decodings": decodings})
    assert [job for job in finished.planned() if job.startswith(("Train", "Select"))] == []
    assert "Evaluate limr, seed 1" in finished.planned()


def test_an_edit_of_the_lim_selector(finished: Project) -> None:
    path = finished.folder / "workflow/scripts/limr/scores/selectors/lim.py"
    path.write_text(path.read_text() + "\n# edited\n")
    arms = ("limr", "rand-1", "rand-2", "sft")
    assert finished.planned() == sorted(
        ["Score the problems: lim"]
        + select(*arms)
        + train(*arms)
        + evaluate(*arms)
        + COLLECT
        + TABLES
        + FIGURES
        + REPORT
    )


def test_an_edit_of_a_figure(finished: Project) -> None:
    path = finished.folder / "workflow/scripts/limr/report/figures/reward.py"
    path.write_text(path.read_text() + "\n# edited\n")
    assert finished.planned() == sorted(FIGURES + REPORT)


def test_a_declaration_trains_and_evaluates_nothing_again(
    finished: Project, tiny: dict[str, Any]
) -> None:
    weights = {"arithmetic-easy": 2, "arithmetic-hard": 1}
    said = {"arm": "limr", "against": "rand", "margin": 1.0, "weights": weights}
    changed(finished, tiny, "declared", said)
    planned = finished.planned()
    assert {job.partition(" the ")[0] for job in planned} <= {"Make", "Draw"}
    assert {*REPORT, *TABLES} <= set(planned)


def test_one_more_seed(finished: Project, tiny: dict[str, Any]) -> None:
    changed(finished, tiny, "seeds", [1, 2, 3])
    arms = ("full", "limr", "rand-1", "rand-2", "linear", "sft")
    assert finished.planned() == sorted(
        train(*arms, seeds=(3,))
        + evaluate("base", *arms, seeds=(3,))
        + COLLECT
        + TABLES
        + FIGURES
        + REPORT
    )


@pytest.mark.parametrize("mirror", ["/nowhere", None])
def test_where_files_come_from_changes_nothing(
    mirror: str | None, finished: Project, tiny: dict[str, Any]
) -> None:
    changed(finished, tiny, "mirror", mirror)
    assert finished.planned() == []


def test_a_rerun_after_a_threshold_leaves_the_rest_alone(
    finished: Project, tiny: dict[str, Any]
) -> None:
    before = finished.digests()
    changed(finished, tiny, "arms/linear/size", 10)
    ran = finished.finish().jobs
    after = finished.digests()
    assert sorted(ran) == sorted(
        select("linear")
        + train("linear")
        + evaluate("linear")
        + COLLECT
        + TABLES
        + FIGURES
        + REPORT
    )
    differing = {path.split("/")[1] for path in before if before[path] != after[path]}
    assert {name.removesuffix(".jsonl").removesuffix(".json") for name in differing} <= {
        "linear",
        "evaluations.parquet",
        "results.tsv",
        "results.md",
        "results.tex",
        "subsets.tsv",
        "subsets.md",
        "subsets.tex",
    }
