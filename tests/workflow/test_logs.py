"""Studies that start from a log or from published scores, and a selector that is one new file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from small_study import ROOT, Project, make_project

sys.path.insert(0, str(ROOT / "tests"))

import upstream
from limr.core.random_streams import stream

pytestmark = pytest.mark.slow

PROMPTS = [f"What is {i} + {i}?" for i in range(60)]
EPOCHS, STEPS, PER_STEP = 5, 3, 19
LOG: dict[str, Any] = {
    "study": "from-log",
    "seeds": [1],
    "datasets": {"mine": {"source": "problems-file", "path": "problems.jsonl"}},
    "dataset": "mine",
    "trajectories": {"log": {"format": "limr-steps", "path": "log", "steps_per_epoch": STEPS}},
    "scores": {
        "lim": {"selector": "lim", "trajectories": "log"},
        "variance": {"selector": "variance", "trajectories": "log"},
        "random": {"selector": "random", "stratify": "level"},
    },
    "arms": {
        "limr": {"train": "none", "score": "lim", "threshold": 0.6},
        "variance": {"train": "none", "score": "variance", "size": 10},
        "rand": {"train": "none", "score": "random", "size": "limr"},
    },
    "diagnostics": {"draws": 50},
    "tables": {
        "subsets": {},
        "agreement": {},
        "uncertainty": {},
        "stability": {},
        "thresholds": {},
    },
    "figures": {"scores": {}, "learning-curves": {}, "agreement": {}, "uncertainty": {}},
}
# A selector that nobody has thought of yet: the last epoch's accuracy.
MINE = '''
"""Last: the accuracy in the last epoch."""

from __future__ import annotations

from limr.core.validation import Keys
from limr.scores.scoring import from_curves
from limr.trajectories import curves as tr

TITLE = "Last epoch"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    missing: tr.Missing = "backfill-one"


def score(problems, samples, options, rng):
    """Return the last epoch's accuracy."""
    curves = tr.curves(samples, None, options["missing"])
    return from_curves(curves, curves.accuracy[curves.usable][:, -1])
'''


def make(folder: Path) -> Project:
    """A study over a log as the LIMR code writes it."""
    project = make_project(folder)
    upstream.write_log(
        project.folder / "log",
        PROMPTS,
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
        prompts_per_step=PER_STEP,
        samples=8,
        rng=stream(1, "test"),
    )
    rows = [{"id": f"p{i}", "prompt": prompt, "answer": str(2 * i), "level": 1 + i % 3}
            for i, prompt in enumerate(PROMPTS)]  # fmt: skip
    (project.folder / "problems.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    project.write(LOG)
    return project


@pytest.fixture
def from_log(tmp_path: Path) -> Project:
    """That study, before it has run."""
    return make(tmp_path / "project")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same, when it has; tests must not change it."""
    project = make(tmp_path_factory.mktemp("log") / "project")
    project.finish()
    return project


@pytest.fixture
def finished_log(ran: Project, tmp_path: Path) -> Project:
    """A copy of that, to change."""
    folder = tmp_path / "project"
    shutil.copytree(ran.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)


def scores(project: Project, name: str) -> pd.DataFrame:
    path = project.folder / f"results/from-log/scores/{name}.parquet"
    return pd.read_parquet(path).set_index("problem_id")


def test_a_study_from_a_log_and_a_selector_in_one_file(finished_log: Project) -> None:
    results = finished_log.folder / "results/from-log"
    theirs = upstream.scores(finished_log.folder / "log", STEPS, EPOCHS)
    ours = scores(finished_log, "lim")["score"].dropna()
    assert {PROMPTS[int(key[1:])] for key in ours.index} == set(theirs)
    chosen = {json.loads(line)["prompt"] for line in (results / "subsets/limr.jsonl").open()}
    assert chosen == {prompt for prompt, score in theirs.items() if score >= 0.6}
    record = json.loads((results / "trajectories/log.json").read_text())
    assert record["rows_read"] == record["rows_joined"] == EPOCHS * STEPS * PER_STEP * 8
    assert len(record["source_sha256"]) == EPOCHS * STEPS
    assert finished_log.planned() == []

    # Nothing but one file and one entry in the study.
    path = finished_log.folder / "workflow/scripts/limr/scores/selectors/last_epoch.py"
    path.write_text(MINE)
    study = json.loads(json.dumps(LOG))
    study["scores"]["mine"] = {"selector": "last-epoch", "trajectories": "log"}
    study["arms"]["mine"] = {"train": "none", "score": "mine", "size": 9}
    study["figures"]["scores"] = {"score": "mine"}
    finished_log.write(study)
    ran = finished_log.finish().jobs
    assert "Score the problems: mine" in ran
    assert "Select the problems of mine" in ran
    assert not [job for job in ran if "lim" in job or "log" in job]  # nothing else was done again
    assert scores(finished_log, "mine")["score"].dropna().between(0, 1).all()
    assert len((results / "subsets/mine.jsonl").read_text().splitlines()) == 9
    table = pd.read_csv(results / "tables/subsets.tsv", sep="\t").set_index("arm")
    assert table.loc["mine", "problems"] == 9
    assert (pd.read_csv(results / "figures/scores.tsv", sep="\t")["score_name"] == "mine").all()
    for path in ("tables/agreement", "tables/uncertainty", "tables/stability", "figures/agreement"):
        assert "mine" in (results / f"{path}.tsv").read_text(), path
    assert (results / "diagnostics/mine.parquet").exists()
    assert "mine" in (results / "report.html").read_text()


@pytest.mark.slow
def test_an_archive_of_a_folder_of_step_files_is_verified(finished_log: Project) -> None:
    finished_log.write({**LOG, "archive": {"own_files": ["mine", "log"]}})
    finished_log.finish("archive")
    verified = subprocess.run(
        [sys.executable, "-m", "limr", "verify", "results/from-log/archive/from-log.zip"],
        cwd=finished_log.folder,
        env=finished_log.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "ok     learning curves: 2 files" in verified.stdout


def test_a_study_without_engines_runs(project: Project, tiny: dict[str, Any]) -> None:
    del tiny["engines"]
    project.write(tiny)
    project.finish("results/tiny/base")


def changed(path: str, value: Any) -> dict[str, Any]:
    study = json.loads(json.dumps(LOG))
    *way, last = path.split("/")
    node = study
    for key in way:
        node = node[key]
    node[last] = value
    return study


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("trajectories/log/path", "nowhere", "there is no such file or folder"),
        ("trajectories/log/path", "config", r"no step_*.json in it"),
        ("trajectories/log/other_rewards", [1.0], "is in correct_rewards and in other_rewards"),
        ("trajectories/log/format", "limr-step", "Did you mean 'limr-steps'"),
        ("trajectories/log/bad_row", "refuse", "Did you mean 'bad_rows'"),
        ("datasets/mine/path", "nowhere.jsonl", "there is no file 'nowhere.jsonl'"),
        ("scores/lim/missing", "backfil", "Did you mean 'backfill'"),
        ("scores/random/stratify", "levels", "Did you mean 'level'"),
    ],
)
def test_what_is_wrong_with_a_log_is_said_before_any_job(
    from_log: Project, path: str, value: Any, message: str
) -> None:
    from_log.write(changed(path, value))
    found = from_log.run("--dry-run")
    assert found.returncode != 0
    assert message in found.output
    assert found.jobs == []


def test_a_log_that_cannot_be_used_leaves_nothing_behind(from_log: Project) -> None:
    path = from_log.folder / "log/step_4.json"
    path.write_text(path.read_text()[:-200])
    found = from_log.run()
    assert found.returncode != 0
    assert "step_4.json: not valid JSON, or cut short" in found.output
    assert not list(from_log.folder.glob("results/from-log/trajectories/*"))


@pytest.mark.data
def test_selection_from_one_shot_rlvrs_log(published_data: Project) -> None:
    as_published(published_data.folder / "results/one-shot-rlvr", scored=4)


@pytest.mark.data
@pytest.mark.long
def test_every_selector_on_one_shot_rlvrs_log(project: Project, mirror: Path) -> None:
    shutil.copy(project.folder / "config/one-shot-rlvr.yaml", project.folder / "study.yaml")
    found = project.run(mirror=mirror)
    assert found.returncode == 0, found.output[-6000:]
    as_published(project.folder / "results/one-shot-rlvr", scored=9)


def as_published(results: Path, scored: int) -> None:
    """Look at what the study finds; all `scored` selectors but the random one have diagnostics."""
    subset = json.loads((results / "subsets/limr.json").read_text())
    assert (subset["n_problems"], subset["n_scored"]) == (1209, 1209)
    table = pd.read_csv(results / "tables/subsets.tsv", sep="\t").set_index("arm")
    assert table.loc["bottom-lim", "shared with limr"] == 0
    assert table.loc["limr", "never solved"] == 0
    agreement = pd.read_csv(results / "tables/agreement.tsv", sep="\t")
    lim = agreement[(agreement["score"] == "lim") & (agreement["other score"] == "lim-curve-free")]
    assert lim["Spearman"].item() == pytest.approx(0.99, abs=0.005)
    assert lim["overlap"].item() == pytest.approx(0.90, abs=0.01)
    assert len(list((results / "diagnostics").glob("*.parquet"))) == 2 * scored


@pytest.mark.data
def test_published_scores_against_offline_pass_rates(published_data: Project) -> None:
    table = pd.read_csv(
        published_data.folder / "results/offline-rates/tables/offline.tsv", sep="\t"
    )
    whole = table[table["pass rate"] == "all"].iloc[0]
    assert (whole["problems"], whole["selected"]) == (4163, 647)
    assert whole["recovers"] == pytest.approx(0.41, abs=0.01)
    assert whole["chance"] == pytest.approx(0.16, abs=0.01)
