"""Which checkpoint a restart goes on from, whatever a kill has left behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from limr.train.openrlhf.checkpoints import PPO_ROLES, SFT_ROLES, Checkpoints


def saved(folder: Path, step: int, roles: tuple[str, ...] = PPO_ROLES) -> None:
    """What the trainer leaves at a save."""
    for role in roles:
        made = folder / "checkpoints" / role / f"global_step{step}"
        made.mkdir(parents=True)
        (made / "weights.pt").write_text("x")
        (made.parent / "latest").write_text(f"global_step{step}")
    policy = folder / "checkpoints" / f"global_step{step}_hf"
    policy.mkdir()
    (policy / "config.json").write_text("{}")


@pytest.fixture
def found(tmp_path: Path) -> Checkpoints:
    """Checkpoints of steps 2, 4 and 6, of which 2 and 6 are kept as policies."""
    (tmp_path / "job.txt").write_text("a job")
    checkpoints = Checkpoints(tmp_path, PPO_ROLES)
    for step in (2, 4, 6):
        record(tmp_path, step)
        saved(tmp_path, step)
        checkpoints.finished(step, kept=[2, 6], keep=2)
    record(tmp_path, 7)
    return checkpoints


def record(folder: Path, step: int) -> None:
    """What the agent adds in a step; the first attempt started at 0."""
    log = folder / "rollouts/attempt-001-after-0/a.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(f"rows up to step {step}\n")


def back(found: Checkpoints, recorded: int = 9) -> int:
    return found.go_back([2, 6], lambda: recorded)


def test_policies_are_moved_and_old_checkpoints_removed(found: Checkpoints) -> None:
    assert sorted(path.name for path in (found.folder / "policies").iterdir()) == ["step2", "step6"]
    for role in PPO_ROLES:
        names = sorted(path.name for path in (found.root / role).iterdir())
        assert names == ["global_step4", "global_step6", "latest"]
    assert list(found.root.glob("*_hf")) == []


def test_the_last_whole_checkpoint_is_used_and_its_record_cut_there(found: Checkpoints) -> None:
    assert back(found) == 6
    log = found.folder / "rollouts/attempt-001-after-0/a.jsonl"
    assert log.read_text() == "".join(f"rows up to step {n}\n" for n in (2, 4, 6))


def test_one_that_was_being_written_is_not_used(found: Checkpoints) -> None:
    saved(found.folder, 8)  # the trainer never came back from it
    assert back(found) == 6
    for role in PPO_ROLES:
        assert (found.root / role / "latest").read_text() == "global_step6"
        assert not (found.root / role / "global_step8").exists()
    assert not (found.root / "global_step8_hf").exists()


def test_actor_and_critic_that_differ_go_back_together(
    found: Checkpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    (found.root / "_critic" / "global_step6").rename(found.folder / "gone")
    assert back(found) == 4
    assert (found.root / "_actor" / "latest").read_text() == "global_step4"
    assert not (found.root / "_actor" / "global_step6").exists()
    assert found.states.steps() == [4]
    assert not found.policy(6).exists()
    said = capsys.readouterr().err
    assert "after step 6 is not whole: checkpoints/_critic/global_step6/weights.pt" in said
    assert "going on after step 4" in said


def test_a_step_whose_rollouts_are_lost_is_done_again(found: Checkpoints) -> None:
    assert back(found, recorded=5) == 4


def test_a_lost_policy_is_made_again(found: Checkpoints) -> None:
    found.policy(6).rename(found.folder / "gone")
    assert back(found) == 4


def test_from_the_beginning_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text("a job")
    checkpoints = Checkpoints(tmp_path, PPO_ROLES)
    (checkpoints.root / "_actor").mkdir(parents=True)  # empty: the trainer fails on it
    assert checkpoints.go_back([2], lambda: 9) == 0
    assert not checkpoints.root.exists()


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "other bytes": lambda path: path.write_bytes(b"\xff" * path.stat().st_size),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_damaged_file_is_gone_on_from(found: Checkpoints, damage: str) -> None:
    whole = {path.relative_to(found.folder) for path in found.folder.rglob("*") if path.is_file()}
    copy = found.folder.parent / "copy"
    for name in sorted(whole - {Path("job.txt")}):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(found.folder, copy)
        DAMAGES[damage](copy / name)
        step = back(Checkpoints(copy, PPO_ROLES))
        both = "rollouts" in name.parts or "step2" in name.parts
        newest = any(part in ("000006.json", "step6", "global_step6") for part in name.parts)
        if name.parts[0] == "rollouts" and damage == "cut":  # of rows after the last state
            newest = both = False
        assert step == (0 if both else 4 if newest else 6), name
        left = {path for path in copy.rglob("*") if path.is_file() and path.name != "latest"}
        # What stays is as it was, or cut; an older state is looked at when it is needed.
        for path in left - {copy / "job.txt", copy / name}:
            before = (found.folder / path.relative_to(copy)).read_bytes()
            assert before.startswith(path.read_bytes())
        if step == 0:
            assert not (copy / "checkpoints").exists()
            assert not (copy / "policies").exists()


def test_fine_tuning_has_one_role(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text("a job")
    checkpoints = Checkpoints(tmp_path, SFT_ROLES)
    for step in (2, 4, 6):
        saved(tmp_path, step, SFT_ROLES)
        checkpoints.finished(step, kept=[4], keep=2)
    names = sorted(path.name for path in checkpoints.root.iterdir())
    assert names == ["global_step4", "global_step6", "latest"]
    assert checkpoints.go_back([4], lambda: 6) == 6
