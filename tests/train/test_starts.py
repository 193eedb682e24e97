"""A run that goes on from another run's state: the same bytes as the run that never stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import embedded_case as case
from limr.core import files, tables
from limr.core.errors import InputError
from limr.models.interface import PpoJob, Start
from limr.train import starts
from limr.train.embedded import ppo
from limr.train.embedded.order import Order

STEPS = 8  # 8 problems make 2 steps an epoch: steps 3 and 5 lie within one


@pytest.fixture(autouse=True)
def _toy_grader(monkeypatch):
    monkeypatch.setattr(ppo, "GradingPool", case.LengthPool)


def job(folder: Path, first: int, last: int, **changes: Any) -> PpoJob:
    """A run from step `first` to `last`; of an arm that starts from another where it is not 0."""
    own = folder / f"from{first}"
    settings = {**case.PPO, "steps": last, **changes.pop("ppo", {})}
    start = changes.pop("start", {})
    made = case.ppo_job(
        own,
        arm=f"from{first}" if first else "full",
        base=folder / "base",
        ppo=settings,
        policies={step: own / f"policy/step{step}" for step in (last,)},
        options={**case.OPTIONS, "checkpoint_every": 2},
        **changes,
    )
    if not first:
        return made
    before = folder / start.pop("before", "from0")
    given = {"arm": "full" if before.name == "from0" else before.name, "streams": "full"}
    state = before / f"kept/step{first}"
    return replace(
        made, start=Start(**given, **{"optimizer": "kept", **start}, step=first, state=state)
    )


def keeping(made: PpoJob, step: int) -> PpoJob:
    return replace(made, states={step: made.record.parent / f"kept/step{step}"})


def result(*made: PpoJob) -> dict[str, Any]:
    """What must repeat of runs that follow each other."""
    tables_of = [
        (
            files.read_parquet(one.rollouts, tables.ROLLOUTS),
            files.read_parquet(one.metrics, tables.METRICS),
        )
        for one in made
    ]
    return {
        "rollouts": [row for rows, _ in tables_of for row in rows.to_pylist()],
        "metrics": str(
            [row for _, rows in tables_of for row in rows.drop_columns(["seconds"]).to_pylist()]
        ),
        "policy": {
            path.name: files.sha256(path)
            for path in made[-1].policies[made[-1].ppo["steps"]].iterdir()
        },
    }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ppo, "GradingPool", case.LengthPool)
        case.base(folder)
        made = job(folder, 0, STEPS)
        ppo.train_ppo(made)
    return result(made)


@pytest.fixture
def folder(tmp_path):
    """A base, and a run to step 3 that keeps its last state."""
    case.base(tmp_path)
    ppo.train_ppo(keeping(job(tmp_path, 0, 3), 3))
    return tmp_path


def test_a_continued_run_is_the_uninterrupted_one_byte_for_byte(folder, uninterrupted):
    second = job(folder, 3, STEPS)
    ppo.train_ppo(second)
    assert result(job(folder, 0, 3), second) == uninterrupted
    assert not second.state.exists()


def test_the_plain_order_by_its_name_goes_on_too(folder, uninterrupted):
    second = job(folder, 3, STEPS, sampler={"name": "uniform"})
    ppo.train_ppo(second)
    assert result(job(folder, 0, 3), second) == uninterrupted


def killed(made: PpoJob, at: int) -> None:
    """Run a job in a process of its own, which SIGKILL ends in the middle of a step."""
    process = os.fork()
    if process == 0:
        learn = ppo.Learner.learn

        def last(self: Any, batch: Any, step: int) -> Any:
            if step == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return learn(self, batch, step)

        try:
            ppo.Learner.learn = last
            ppo.train_ppo(made)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(process, 0)[1]) == signal.SIGKILL


def test_a_killed_continuation_goes_on_from_its_own_checkpoint(folder, uninterrupted):
    second = job(folder, 3, STEPS)
    killed(second, 7)
    ppo.train_ppo(second)
    assert result(job(folder, 0, 3), second) == uninterrupted
    assert files.read_json(second.record)["attempts"] == 2


def test_three_rounds_killed_one_after_the_other_are_the_uninterrupted_run(folder, uninterrupted):
    rounds = [
        job(folder, 0, 3),
        keeping(job(folder, 3, 5), 5),
        job(folder, 5, STEPS, start={"before": "from3"}),
    ]
    # After a checkpoint of its own, after step 4; before the first one, which is after step 6.
    for one, at in zip(rounds[1:], (5, 6), strict=True):
        killed(one, at)
        ppo.train_ppo(one)
        assert files.read_json(one.record)["attempts"] == 2
    assert result(*rounds) == uninterrupted


def test_what_a_run_keeps_changes_nothing_of_it(folder, tmp_path, uninterrupted):
    made = keeping(job(tmp_path / "other", 0, STEPS), 3)
    ppo.train_ppo(replace(made, base=folder / "base"))
    assert result(made) == uninterrupted
    ours, theirs = (one / "kept/step3/state.json" for one in (made.record.parent, folder / "from0"))
    assert json.loads(ours.read_text()) == json.loads(theirs.read_text())


def test_a_fresh_optimizer_makes_another_run_of_the_same_draws(folder, uninterrupted):
    second = job(folder, 3, STEPS, start={"optimizer": "fresh"})
    ppo.train_ppo(second)
    found, whole = result(job(folder, 0, 3), second), uninterrupted
    assert found["policy"] != whole["policy"]
    # Step 4 is drawn before the optimizer has done anything.
    step4 = [[row for row in one["rollouts"] if row["step"] == 4] for one in (found, whole)]
    assert step4[0] == step4[1]


def test_a_fresh_optimizer_warms_up_once_whatever_the_rounds(folder):
    """The warm-up, of 20 optimizer steps, ends in the second round: 6 steps later."""
    warm = {"warmup_steps": 20}
    fresh = {"optimizer": "fresh"}
    whole = job(folder, 3, STEPS, start=dict(fresh), ppo=warm)
    ppo.train_ppo(whole)
    expected = result(whole)
    rounds = [
        keeping(job(folder, 3, 5, start=dict(fresh), ppo=warm), 5),
        job(folder, 5, STEPS, start={"before": "from3"}, ppo=warm),
    ]
    shutil.rmtree(folder / "from3")
    for one in rounds:
        ppo.train_ppo(one)
    assert result(*rounds) == expected


def test_other_problems_begin_a_pass_of_their_own(folder):
    chosen = case.PROBLEMS[:7:2]  # 4 of 8: a step an epoch
    second = job(folder, 3, STEPS, problems=chosen)
    ppo.train_ppo(second)
    rows = files.read_parquet(second.rollouts, tables.ROLLOUTS).to_pandas()
    # Step 3 was in epoch 1, which is broken off.
    assert rows.groupby("step").epoch.unique().map(list).tolist() == [[2], [3], [4], [5], [6]]
    assert set(rows.problem_id) <= {one.problem_id for one in chosen}
    order = Order(4, 3, True, 1, "full", shift=2 - 3)
    names = rows.groupby("step").problem_id.unique().map(list)
    assert names[4] == [chosen[index].problem_id for index in order.batch(4)]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "other batch": ({"ppo": {"prompts_per_step": 2}}, "ppo.prompts_per_step 3, and this run has 2"),
    "other rate": ({"ppo": {"actor_learning_rate": 1.0}}, "ppo.actor_learning_rate 0.01"),
    "other seed": ({"seed": 2}, "seed 1, and this run has 2"),
    "few problems": ({"problems": case.PROBLEMS[:2]}, "2 problems are fewer than a step asks"),
    "a policy before": ({"policies": {2: Path("x")}}, "step 2 is asked for.*steps 4 to 8"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_a_run_that_cannot_go_on_from_a_state_is_refused(folder, changes, message):
    ppo_changes = {"ppo": changes["ppo"]} if "ppo" in changes else {}
    made = job(folder, 3, STEPS, **ppo_changes)
    others = {key: value for key, value in changes.items() if key != "ppo"}
    with pytest.raises(InputError, match=message):
        ppo.train_ppo(replace(made, **others))
    assert not made.record.exists()


def test_a_fresh_optimizer_may_have_another_learning_rate(folder):
    changed = {"actor_learning_rate": 1e-3, "warmup_steps": 0}
    ppo.train_ppo(job(folder, 3, STEPS, ppo=changed, start={"optimizer": "fresh"}))


@pytest.mark.parametrize("damage", ["gone", "cut", "of other code", "of another base"])
def test_a_state_that_is_not_what_was_written_is_refused(folder, damage):
    state, made = folder / "from0/kept/step3", job(folder, 3, STEPS)
    record = json.loads((state / starts.RECORD).read_text())
    if damage == "gone":
        shutil.rmtree(state)
    elif damage == "cut":
        (state / ppo.STATE).write_bytes((state / ppo.STATE).read_bytes()[:-1])
    else:
        key = {"of other code": "code", "of another base": "base"}[damage]
        (state / starts.RECORD).write_text(json.dumps({**record, key: "0"}))
    message = {"gone": "there is no state", "cut": "other bytes", "of other code": "other code"}
    with pytest.raises(InputError, match=message.get(damage, "with base '0'")):
        ppo.train_ppo(made)
