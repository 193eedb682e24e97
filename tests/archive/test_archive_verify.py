"""Archives that agree with themselves and still hide or make up results: each is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from limr.archive import IDS, differences, verify, verify_files, verify_runs
from limr.archive.findings import Findings
from limr.archive.opened import Opened
from limr.core import files as io
from limr.core import plugins, provenance
from limr.core.tables import EVALUATIONS, METRICS, ROLLOUTS
from limr.evaluate import collect
from limr.study import files as contents
from limr.study.load import load as load_study
from small_study import TINY

RESULTS = "results/tiny"
EASY = "arithmetic-easy"


@pytest.fixture
def opened(root: Path, tmp_path: Path) -> Opened:
    """An archive with every name that a finished study has, and no content."""
    study = load_study(TINY, "tiny", root / "config/benchmarks")
    files = {f"{RESULTS}/{name}": (1, "0" * 64) for name in contents.required(study)}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/sources.yaml").write_text((root / "config/sources.yaml").read_text())
    record = {
        "settings": {key: study.config["archive"][key] for key in ("responses", "policies")},
        **{"complete": True, "missing": [], "left_out": {}, "without_responses": {}},
    }
    return Opened(tmp_path, files, record, study)


def leave_out(opened: Opened, path: str) -> None:
    opened.record["left_out"][path] = {"bytes": 1, "sha256": "0" * 64, "why": "I would rather not"}
    opened.files.pop(path, None)  # type: ignore[attr-defined] # a dict here


# --- what is left out ----------------------------------------------------------------------------


def test_a_whole_study_is_complete(opened: Opened) -> None:
    assert list(verify_files.complete(opened)) == []


def test_evaluations_that_are_left_out_for_no_reason_are_named(opened: Opened) -> None:
    paths = [path for path in opened.files if "/evals/" in path]
    for path in paths:
        leave_out(opened, path)
    found = list(verify_files.complete(opened))
    assert found == [f"{path}: it is left out, and no rule keeps it out" for path in paths]


def test_policies_may_be_left_out(opened: Opened) -> None:
    leave_out(opened, f"{RESULTS}/runs/full/seed1/policy/step6/model.safetensors")
    assert list(verify_files.complete(opened)) == []


def test_a_file_that_is_left_out_and_there_is_named(opened: Opened) -> None:
    path = f"{RESULTS}/runs/full/seed1/policy/step6/model.safetensors"
    leave_out(opened, path)
    opened.files[path] = (1, "0" * 64)  # type: ignore[index]
    assert "and it is there" in next(verify_files.complete(opened))


def test_settings_are_the_studys(opened: Opened) -> None:
    opened.record["settings"]["responses"] = False
    found = list(verify_files.complete(opened))
    assert found == ["archive.json: settings.responses: expected True (the study), found False"]


def test_a_licence_that_the_archive_makes_up_counts_for_nothing(root: Path, opened: Opened) -> None:
    config = yaml.safe_load((root / "config/one-shot-rlvr.yaml").read_text())
    study = load_study({**config, "study": "tiny"}, "tiny", root / "config/benchmarks")
    found = Opened(opened.folder, {}, opened.record, study)
    path = f"{RESULTS}/sources/one_shot_rlvr_problems"
    leave_out(found, path)
    named = f"{path}: it is left out, and no rule keeps it out"
    assert named in list(verify_files.complete(found))
    at = opened.folder / "config/sources.yaml"
    text = at.read_text()
    assert 'licence: "Apache-2.0"' in text
    at.write_text(text.replace('licence: "Apache-2.0"', 'licence: "none stated"'))
    assert named in list(verify_files.complete(found))


# --- evaluations ---------------------------------------------------------------------------------


def evaluation(opened: Opened, change: Callable[[list[Any]], list[Any]], **settings: Any) -> str:
    """Write one evaluation of two problems and its summary, which fits it; return its path."""
    study = opened.study
    arm, seed, step, benchmark = next(e for e in contents.evaluations(study) if e[3] == EASY)
    rows = [
        {
            **{"problem_id": problem, "decoding": entry["name"], "sample": sample},
            **{"verdict": "correct", "format": "", "answer": "1", "response_tokens": 3},
            **{"truncated": False, "response": None},
        }
        for entry in study.benchmarks[benchmark]["decodings"]
        for problem in ("p1", "p2")
        for sample in range(entry["samples"])
    ]
    at = f"{RESULTS}/evals/{arm}/seed{seed}/step{step}/{benchmark}"
    table = pa.Table.from_pylist(change(rows), schema=EVALUATIONS)
    io.write_parquet(opened.folder / f"{at}.parquet", table)
    digest = io.sha256(opened.folder / f"{at}.parquet")
    opened.files[f"{at}.parquet"] = (1, digest)  # type: ignore[index]
    about = {"step": step, "seed": seed, "benchmark": benchmark, "grader_version": 1}
    about |= {"settings": study.benchmarks[benchmark], "sha256": digest, **settings}
    about |= collect.summarise_evaluation(table)
    io.write_json(opened.folder / f"{at}.json", about)
    return at


def problems(opened: Opened, folder: str) -> None:
    rows = [{"problem_id": name} for name in ("p1", "p2")]
    io.write_jsonl(opened.folder / f"{folder}/problems/{EASY}.jsonl", rows)


def test_an_evaluation_of_every_problem_passes(opened: Opened) -> None:
    problems(opened, RESULTS)
    at = evaluation(opened, lambda rows: rows)
    assert list(verify_runs.evaluations(opened)) == []
    assert list(verify_runs.evaluations_here(opened)) == [at]


CHANGES: dict[str, tuple[Callable[[list[Any]], list[Any]], str]] = {
    "a problem is dropped": (
        lambda rows: [row for row in rows if row["problem_id"] == "p1"],
        "problem 'p2', sample 0 is missing",
    ),
    "a problem of another benchmark": (
        lambda rows: [{**row, "problem_id": row["problem_id"].replace("2", "3")} for row in rows],
        "problem 'p3', sample 0 is not asked for",
    ),
    "a sample is dropped": (lambda rows: rows[1:], "'p1', sample 0 is missing"),
    "a sample appears twice": (lambda rows: [rows[0], *rows], "'p1', sample 0 is not asked for"),
    "another decoding": (
        lambda rows: [{**rows[0], "decoding": "hot"}, *rows],
        "the row of 'hot', problem 'p1', sample 0 is not asked for",
    ),
    "a problem without an id": (
        lambda rows: [*rows, {**rows[0], "problem_id": None}],
        "problem 'None', sample 0 is not asked for",
    ),
}


@pytest.mark.parametrize("folder", [RESULTS, IDS])
@pytest.mark.parametrize("kind", CHANGES)
def test_rows_are_those_that_the_benchmark_asks_for(kind: str, folder: str, opened: Opened) -> None:
    problems(opened, folder)
    change, named = CHANGES[kind]
    at = evaluation(opened, change)
    found = list(verify_runs.evaluations(opened))
    assert found
    assert all(text.startswith(f"{at}.parquet: ") for text in found)
    assert any(named in text for text in found)


def test_a_small_change_of_a_decoding_is_named(opened: Opened) -> None:
    problems(opened, RESULTS)
    settings = copy.deepcopy(opened.study.benchmarks[EASY])
    settings["decodings"][0]["temperature"] += 1e-10
    at = evaluation(opened, lambda rows: rows, settings=settings)
    found = list(verify_runs.evaluations(opened))
    assert [text.split(": expected")[0] for text in found] == [
        f"{at}.json: settings.decodings[0].temperature"
    ]


def test_a_learning_rate_is_compared_exactly(opened: Opened) -> None:
    study = opened.study
    engine, config = study.config["engine"]["train"], study.config
    free = getattr(plugins.load("engines", engine), "NOT_IN_DIGEST", ())
    options = {k: v for k, v in config["engines"].get(engine, {}).items() if k not in free}
    settings = {
        **{"engine": engine, "options": options, "grader": config["grader"]},
        **{"steps": study.steps["ppo"], "reward": config["reward"]},
        "ppo": {**config["ppo"], "actor_learning_rate": 3.0e-4 + 1e-10},
    }
    path = f"{RESULTS}/runs/full/seed1/run.json"
    io.write_json(opened.folder / path, {"settings": settings})
    (opened.folder / "workflow").symlink_to(provenance.ROOT / "workflow")
    found = list(verify_runs.runs(opened))
    assert f"{path}: settings.ppo.actor_learning_rate: expected 0.0003, found" in "".join(found)
    assert not any("ppo.gamma" in text for text in found)


# --- responses -----------------------------------------------------------------------------------


def test_without_responses_is_no_way_to_give_any_file_another_sha256(opened: Opened) -> None:
    at = evaluation(opened, lambda rows: rows)
    opened.record["without_responses"] = {f"{at}.parquet": {"bytes": 1, "sha256": "1" * 64}}
    assert "the study keeps them" in next(verify_runs.responses(opened))
    opened.record["settings"]["responses"] = False
    del_others(opened, f"{at}.parquet")
    assert list(verify_runs.responses(opened)) == []
    scores = f"{RESULTS}/scores/lim.parquet"
    opened.record["without_responses"][scores] = {"bytes": 1, "sha256": "1" * 64}
    assert [text.split(":")[0] for text in verify_runs.responses(opened)] == [scores]
    del opened.record["without_responses"][scores]
    evaluation(opened, lambda rows: [{**row, "response": "1"} for row in rows])
    assert "response: the study leaves them out" in next(verify_runs.responses(opened))


def del_others(opened: Opened, kept: str) -> None:
    for path in set(opened.files) - {kept}:
        del opened.files[path]  # type: ignore[attr-defined]


# --- metrics -------------------------------------------------------------------------------------


def run(opened: Opened, mean_reward: float | None) -> str:
    at = f"{RESULTS}/runs/full/seed1"
    reward = float(opened.study.config["reward"]["correct"])
    rollout = {
        **{"problem_id": "p", "step": 1, "epoch": 0, "sample": 0, "reward": reward},
        **{"verdict": "correct", "response_tokens": 3, "truncated": False, "response": ""},
    }
    metric = {
        **{"step": 1, "epoch": 0, "mean_reward": reward, "accuracy": 1.0, "malformed": 0.0},
        **{"truncated": 0.0, "response_tokens": 3.0},
    }
    if mean_reward is not None:
        metric["mean_reward"] = mean_reward
    for name, row, schema in (("rollouts", rollout, ROLLOUTS), ("metrics", metric, METRICS)):
        path = opened.folder / f"{at}/{name}.parquet"
        io.write_parquet(path, pa.Table.from_pylist([row], schema=schema))
    return f"{at}/metrics.parquet"


def test_a_metric_that_is_no_number_is_named(opened: Opened) -> None:
    path = run(opened, None)
    assert list(verify_runs.metrics(opened)) == []
    assert [at for *_, at in verify_runs.metrics_here(opened)] == [str(Path(path).parent)]
    for value in (float("nan"), float("inf"), 0.5):
        run(opened, value)
        found = list(verify_runs.metrics(opened))
        assert [text.split(" of step")[0] for text in found] == [f"{path}: mean_reward"], value


def test_a_check_of_nothing_is_a_note(opened: Opened) -> None:
    def said(name: str) -> list[str]:
        lines: list[str] = []
        found = {check: (find, passed) for check, find, passed in verify.OF_ROWS}
        find, passed = found[name]
        findings = Findings(lines.append, opened.folder)
        findings.check(name, lambda: find(opened), lambda: passed(opened))
        return lines

    opened.record["code"] = {"commit": "0", "changed": []}
    opened.record.update(limr="0", environments={"changed_since_runs": {}})
    for name in ("metrics", "evaluations"):
        assert said(name) == []
        assert (name, "none is here: nothing was checked") in list(verify._notes(opened))
    run(opened, None)
    n = len(verify_runs.drawn(opened.study))
    assert said("metrics") == [f"ok     metrics: 1 of {n} as the rollouts give them; rewards too"]
    assert "metrics" not in dict(verify._notes(opened))


def test_counts_are_compared_exactly_and_means_nearly() -> None:
    assert not differences.same(12_345_678_901, 12_345_678_902)
    assert not list(differences.of_cells("a\tb\n5\t0.1", "a\tb\n5.0\t0.10000000001"))
    [found] = differences.of_cells("a\ttokens\n5\t12345678901", "a\ttokens\n5\t12345678902")
    assert found.field == "line 2, column 'tokens'"
