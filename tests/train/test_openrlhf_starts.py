"""OpenRLHF goes on from another run's state: with a stand-in for the trainer, every count exact."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openrlhf_stand_in as stand_in
import pytest
from openrlhf_stand_in import PROBLEMS, SAMPLES, Killed, Trainer

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import METRICS, ROLLOUTS
from limr.models.interface import PpoJob, Start
from limr.train.embedded.order import Order
from limr.train.openrlhf import loading, ppo

STEPS = 8  # 8 problems make 2 steps an epoch: step 3 lies within one


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return stand_in.install(monkeypatch)


def job(folder: Path, first: int, last: int, **changes: Any) -> PpoJob:
    """A run from step `first`, of an arm that starts from another where it is not 0, to `last`."""
    start, before = changes.pop("start", {}), changes.pop("before", "from0")
    settings = {"steps": last, **changes.pop("ppo", {})}
    name = f"from{first}" if first else "full"
    made = stand_in.job(folder / f"from{first}", arm=name, ppo=settings, **changes)
    if not first:
        return made
    given = {"arm": "full" if before == "from0" else before, "streams": "full"}
    state = folder / before / f"kept/step{first}"
    return replace(
        made, start=Start(**given, **{"optimizer": "kept", **start}, step=first, state=state)
    )


def keeping(made: PpoJob, step: int) -> PpoJob:
    return replace(made, states={step: made.record.parent / f"kept/step{step}"})


def result(*made: PpoJob) -> dict[str, Any]:
    """What must be the same of runs that follow each other; the policy is what it has seen."""
    tables = [
        (files.read_parquet(one.rollouts, ROLLOUTS), files.read_parquet(one.metrics, METRICS))
        for one in made
    ]
    policy = made[-1].policies[made[-1].ppo["steps"]] / "model.safetensors"
    return {
        "rollouts": [row for rows, _ in tables for row in rows.to_pylist()],
        "metrics": [row for _, rows in tables for row in rows.to_pylist()],
        "policy": json.loads(policy.read_text()),
    }


@pytest.fixture
def folder(tmp_path: Path, trainer: Trainer) -> Path:
    """A base, and a run to step 3 that keeps its last state."""
    stand_in.base(tmp_path)
    ppo.train_ppo(keeping(job(tmp_path, 0, 3), 3))
    return tmp_path


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("whole")
    stand_in.base(folder)
    with pytest.MonkeyPatch.context() as patch:
        stand_in.install(patch)
        made = job(folder, 0, STEPS)
        ppo.train_ppo(made)
    return result(made)


def test_a_continued_run_sees_what_the_uninterrupted_one_sees(
    uninterrupted: dict[str, Any], folder: Path
) -> None:
    second = job(folder, 3, STEPS)
    ppo.train_ppo(second)
    assert result(job(folder, 0, 3), second) == uninterrupted
    keys = [(row["step"], row["problem_id"], row["sample"]) for row in uninterrupted["rollouts"]]
    assert len(keys) == len(set(keys)) == STEPS * stand_in.SIZE * SAMPLES
    assert not second.state.exists()
    assert files.read_json(second.record)["resumed_after"] == [3]


def test_three_rounds_too_and_states_outlive_the_trainers_own_checkpoints(
    uninterrupted: dict[str, Any], folder: Path
) -> None:
    rounds = [
        job(folder, 0, 3),
        keeping(job(folder, 3, 7), 4),  # the trainer deletes its checkpoint of step 4 at step 6
        job(folder, 4, STEPS, before="from3"),
    ]
    for one in rounds[1:]:
        ppo.train_ppo(one)
    found = [files.read_parquet(one.rollouts, ROLLOUTS).to_pylist() for one in rounds]
    found[1] = [row for row in found[1] if row["step"] <= 4]
    assert [row for rows in found for row in rows] == uninterrupted["rollouts"]
    assert result(rounds[-1])["policy"] == uninterrupted["policy"]


# What died before its first checkpoint left nothing to go on from: its rows are removed.
@pytest.mark.parametrize(("dies_in", "starts"), [(4, [3]), (6, [3, 5])])
def test_a_killed_continuation_goes_on_from_its_last_checkpoint_or_from_the_state(
    uninterrupted: dict[str, Any],
    folder: Path,
    trainer: Trainer,
    dies_in: int,
    starts: list[int],
) -> None:
    second = job(folder, 3, STEPS, start={"optimizer": "fresh"})
    trainer.dies_in = dies_in
    with pytest.raises(Killed):
        ppo.train_ppo(second)
    ppo.train_ppo(second)
    found = result(job(folder, 0, 3), second)
    assert found["rollouts"] == uninterrupted["rollouts"]
    record = files.read_json(second.record)
    assert (record["attempts"], record["resumed_after"]) == (2, starts)
    # New optimizers are begun with once, however often the run is killed.
    assert [one.fresh for one in trainer.tasks[-2:]] == [True, starts[-1] == 3]
    assert found["policy"].count("new optimizers") == 1


def test_other_problems_begin_a_pass_of_their_own(folder: Path, trainer: Trainer) -> None:
    chosen = PROBLEMS[:7:2]  # 4 of 8: a step an epoch
    second = job(folder, 3, STEPS, problems=chosen)
    ppo.train_ppo(second)
    rows = files.read_parquet(second.rollouts, ROLLOUTS).to_pandas()
    order = Order(4, stand_in.SIZE, True, 1, "full", shift=2 - 3)
    expected = [
        (step, step - 2, chosen[index].problem_id, sample)  # step 3 was in epoch 1: broken off
        for step in range(4, STEPS + 1)
        for index in order.batch(step)
        for sample in range(SAMPLES)
    ]
    columns = ["step", "epoch", "problem_id", "sample"]
    assert [*rows[columns].itertuples(index=False, name=None)] == expected
    # The trainer counts episodes on from those of the state, and must not end before the run.
    words = trainer.tasks[-1].arguments
    assert words[words.index("--train.num_episodes") + 1] == "7"
    assert "--ckpt.load_enable" in words


def test_the_state_is_recorded_as_it_was_saved(folder: Path) -> None:
    state = folder / "from0/kept/step3"
    record = files.read_json(state / "state.json")
    names = [f"{role}/global_step3/weights.pt" for role in ("_actor", "_critic")]
    assert list(record["files"]) == names
    for name in names:
        size = (state / name).stat().st_size
        assert record["files"][name] == [size, files.sha256(state / name)]
    assert record["engines.openrlhf.gpus_per_node"] == 1
    assert (record["epoch"], record["commit"]) == (1, "abc")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "more GPUs": (
        {"options": {"gpus_per_node": 2}},
        "with engines.openrlhf.gpus_per_node 1, and this run has 2",
    ),
    "other sharding": ({"options": {"zero_stage": 3}}, "zero_stage 2, and this run has 3"),
    "other rate": ({"ppo": {"actor_learning_rate": 1.0}}, "ppo.actor_learning_rate 0.001"),
    "few problems": ({"problems": PROBLEMS[:2]}, "2 problems are fewer than a step asks"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_a_run_that_cannot_go_on_from_a_state_is_refused_before_the_trainer_starts(
    folder: Path, trainer: Trainer, changes: dict[str, Any], message: str
) -> None:
    started = len(trainer.tasks)
    with pytest.raises(InputError, match=message):
        ppo.train_ppo(job(folder, 3, STEPS, **changes))
    assert len(trainer.tasks) == started


@pytest.mark.parametrize("damage", ["gone", "cut", "of another commit"])
def test_a_state_that_is_not_what_was_written_is_refused(folder: Path, damage: str) -> None:
    state = folder / "from0/kept/step3"
    if damage == "gone":
        shutil.rmtree(state)
    elif damage == "cut":
        (state / "_critic/global_step3/weights.pt").write_text("[")
    else:
        record = json.loads((state / "state.json").read_text())
        (state / "state.json").write_text(json.dumps({**record, "code": "0", "commit": "older"}))
    message = {"gone": "there is no state", "cut": "_critic.* is missing or has other bytes"}
    with pytest.raises(InputError, match=message.get(damage, r"other code of limr \(commit older")):
        ppo.train_ppo(job(folder, 3, STEPS))


def test_what_fits_into_memory_may_change(folder: Path) -> None:
    changed = {"generation_memory": 0.3, "sleep": False, "checkpoint_every": None}
    ppo.train_ppo(job(folder, 3, STEPS, options=changed))


class Optimizer:
    """Adam as DeepSpeed holds it: groups, and a state for each parameter that was stepped."""

    def __init__(self, rate: float, states: dict[str, dict[str, Any]]) -> None:
        self.param_groups = [{"params": list(states), "lr": rate, "betas": (0.9, 0.95)}]
        self.state = states


class Engine:
    """DeepSpeed's engine, as far as its optimizer goes."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = type("Zero", (), {"optimizer": optimizer})()


@pytest.mark.slow  # PyTorch
@pytest.mark.parametrize("fresh", [True, False])
def test_new_optimizers_have_no_moments_and_their_own_rates(fresh: bool) -> None:
    import torch

    def state(value: float) -> dict[str, Any]:
        return {"step": torch.tensor(value), "exp_avg": torch.full((3,), value)}

    optimizer = Optimizer(0.0, {"a": state(0.0)})

    def load(**named: Any) -> tuple[str, dict[str, Any]]:
        assert named == ({"load_lr_scheduler_states": False} if fresh else {})
        optimizer.state = {"a": state(7.0), "b": state(7.0)}
        optimizer.param_groups = [{"params": ["a", "b"], "lr": 0.5, "betas": (0, 0), "step": 7}]
        return "path", {"global_step": 7, "data_loader_state_dict": {"other": "problems"}}

    found = loading.loaded(load, Engine(optimizer), "x", fresh=fresh)
    assert found == ("path", {"global_step": 7, "data_loader_state_dict": {}})
    group = optimizer.param_groups[0]
    if not fresh:
        assert (group["lr"], float(optimizer.state["a"]["step"])) == (0.5, 7.0)
        return
    assert group == {"params": ["a", "b"], "lr": 0.0, "betas": (0.9, 0.95)}
    assert list(optimizer.state) == ["a"]
    assert float(optimizer.state["a"]["step"]) == 0.0
    assert optimizer.state["a"]["exp_avg"].tolist() == [0.0] * 3


def test_a_checkpoint_that_was_not_loaded_is_an_error() -> None:
    with pytest.raises(InputError, match="has loaded no checkpoint"):
        loading.loaded(lambda: (None, {}), None, "folder", fresh=False)
