"""`limr verify --rerun` of runs that started from other runs: the way to them is trained again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

import embedded_case as case
from limr.archive import rerun
from limr.core import files
from limr.core.tables import ROLLOUTS
from limr.models import interface
from limr.study.arms import Start
from limr.train.embedded import ppo

pytestmark = pytest.mark.slow
WAYS = {"full": [], "once": [("full", 2)], "twice": [("full", 2), ("once", 3)]}
STEPS = 4


class Opened:
    """An archive of three runs, each of which goes on from the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, "results/x"
        self.record = {"without_responses": []}
        starts = {arm: Start(*way[-1], "kept") for arm, way in WAYS.items() if way}
        arms = {
            arm: SimpleNamespace(
                start=starts.get(arm), settings={**case.PPO, "steps": STEPS}, grader={},
                reward=case.REWARD, sampler=None,
            )
            for arm in WAYS
        }  # fmt: skip
        self.study: Any = SimpleNamespace(
            arms=arms,
            config={"engine": {"train": "embedded"}},
            arms_by=lambda _train: list(WAYS)[::-1],
            runs_of=lambda *names: [(name, 1) for name in names],
            way=WAYS.__getitem__,
            streams=lambda _arm: "full",
            kept_states=lambda arm: {"full": (2,), "once": (3,)}.get(arm, ()),
            difficulty=lambda _arm: None,
        )

    def has(self, *names: str) -> bool:
        return all((self.folder / name).exists() for name in names)

    def rollouts(self, arm: str) -> Path:
        return self.folder / f"{self.results}/runs/{arm}/seed1/rollouts.parquet"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """What `full` draws in four steps is what the others draw from where they started."""
    monkeypatch.setattr(ppo, "GradingPool", case.LengthPool)
    monkeypatch.setattr(rerun, "_check_machine", lambda *_: None)
    monkeypatch.setattr(rerun, "split_options", lambda *_: (case.OPTIONS, {}))
    made = Opened(tmp_path)
    results = tmp_path / "results/x"
    case.base(results)
    whole = case.ppo_job(tmp_path / "made", arm="full", base=results / "base", policies={})
    ppo.train_ppo(replace(whole, ppo={**case.PPO, "steps": STEPS}, options=case.OPTIONS))
    rows = files.read_parquet(whole.rollouts, ROLLOUTS)
    problems = [
        {"problem_id": p.problem_id, "prompt": p.prompt, "answer": p.answer, "source": p.source,
         "level": p.level}
        for p in case.PROBLEMS
    ]  # fmt: skip
    for arm, way in WAYS.items():
        first = way[-1][1] if way else 0
        files.write_parquet(
            made.rollouts(arm), rows.filter(pa.compute.greater(rows["step"], first))
        )
        files.write_jsonl(results / f"subsets/{arm}.jsonl", problems)
    return made


def test_continued_runs_are_trained_again_from_where_they_started(
    opened: Opened, tmp_path: Path
) -> None:
    assert rerun.runs(opened) == [("full", 1), ("once", 1), ("twice", 1)]
    rows = files.read_parquet(opened.rollouts("twice"), ROLLOUTS).to_pylist()
    rows[1]["response"] += "!"  # which no model wrote
    files.write_parquet(opened.rollouts("twice"), pa.Table.from_pylist(rows, schema=ROLLOUTS))
    (found,) = rerun.differences(opened, 1, tmp_path / "again")
    assert found.startswith("results/x/runs/twice/seed1/rollouts.parquet: step 4, sample 1 of ")
    assert "response: run again" in found
    made = {arm: files.read_parquet(tmp_path / f"again/{arm}-1/rollouts.parquet", ROLLOUTS)
            for arm in WAYS}  # fmt: skip
    steps = {arm: sorted(set(table["step"].to_pylist())) for arm, table in made.items()}
    assert steps == {"full": [1, 2], "once": [3], "twice": [4]}

    # A run whose way is not archived is left out.
    opened.rollouts("once").unlink()
    assert rerun.runs(opened) == [("full", 1)]


def test_the_start_of_an_arm_is_the_start_of_its_run() -> None:
    named = {*Start("full", 2, "kept").__dict__, "streams", "state"}
    assert named == {*interface.Start.__dataclass_fields__}
