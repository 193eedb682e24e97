"""Same seed, same bytes: also after SIGKILL at any stage, and with orphans left running."""

from __future__ import annotations

from typing import Any

import pytest

from small_study import TINY, Project, little

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("study", "done"),
    [
        (little(), "finished_little"),
        pytest.param(TINY, "finished_project", marks=pytest.mark.long),
    ],
    ids=["little", "tiny"],
)
def test_killed_at_three_stages_and_rerun_gives_the_same_bytes(
    study: dict[str, Any], done: str, project: Project, request: pytest.FixtureRequest
) -> None:
    quiet: Project = request.getfixturevalue(done)
    project.write(study)
    project.kill_when("tiny/state/base/whole/*.json")  # in the warm-up
    assert not (project.folder / "results/tiny/base").exists()
    project.kill_when("tiny/state/full-seed1/whole/*.json", orphans=True)  # in a PPO run
    project.kill_when("tiny/evals/limr/seed1/step3/arithmetic-easy.parquet")  # in an evaluation
    project.finish("--nolock")
    assert project.digests() == quiet.digests()
    assert project.planned() == []
    leftovers = list(project.folder.glob("results/**/.*.tmp"))
    assert leftovers == []


def test_nothing_is_lost_when_a_later_stage_fails(finished: Project, tiny: dict[str, Any]) -> None:
    before = finished.digests()
    tiny["arms"]["limr"]["threshold"] = 2.0  # selects nothing: known only once there are scores
    finished.write(tiny)
    found = finished.run()
    assert found.returncode != 0
    assert "arm 'limr': the threshold 2 selects none of the 24 scored problems" in found.output
    assert not (finished.folder / "results/tiny/subsets/limr.jsonl").exists()
    after = finished.digests()
    assert {path: after.get(path) for path in before if "/limr" not in path} == {
        path: digest for path, digest in before.items() if "/limr" not in path
    }
