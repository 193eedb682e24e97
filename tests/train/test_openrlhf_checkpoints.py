"""Which checkpoint a restart goes on from, whatever a kill has left behind."""

from __future__ import annotations

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
    checkpoints = Checkpoints(tmp_path, PPO_ROLES)
    for step in (2, 4, 6):
        saved(tmp_path, step)
        checkpoints.finished(step, kept=[2, 6], keep=2)
    return checkpoints


def test_policies_are_moved_and_old_checkpoints_removed(found: Checkpoints) -> None:
    assert sorted(path.name for path in (found.folder / "policies").iterdir()) == ["step2", "step6"]
    for role in PPO_ROLES:
        names = sorted(path.name for path in (found.root / role).iterdir())
        assert names == ["global_step4", "global_step6", "latest"]
    assert list(found.root.glob("*_hf")) == []


def test_the_last_whole_checkpoint_is_used(found: Checkpoints) -> None:
    assert found.usable([2, 6], recorded=9) == 6


def test_one_that_was_being_written_is_not_used(found: Checkpoints) -> None:
    saved(found.folder, 8)  # the trainer never came back from it
    assert found.usable([2, 6], recorded=9) == 6
    found.go_back_to(6)
    for role in PPO_ROLES:
        assert (found.root / role / "latest").read_text() == "global_step6"
        assert not (found.root / role / "global_step8").exists()
    assert not (found.root / "global_step8_hf").exists()


def test_actor_and_critic_that_differ_go_back_together(found: Checkpoints) -> None:
    (found.root / "_critic" / "global_step6").rename(found.folder / "gone")
    assert found.usable([2, 6], recorded=9) == 4
    found.go_back_to(4)
    assert (found.root / "_actor" / "latest").read_text() == "global_step4"
    assert not (found.root / "_actor" / "global_step6").exists()
    assert found.saved() == [2, 4]
    assert not found.policy(6).exists()


def test_a_step_whose_rollouts_are_lost_is_done_again(found: Checkpoints) -> None:
    assert found.usable([2, 6], recorded=5) == 4


def test_a_lost_policy_is_made_again(found: Checkpoints) -> None:
    found.policy(6).rename(found.folder / "gone")
    assert found.usable([2, 6], recorded=9) == 4


def test_from_the_beginning_nothing_stays(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, PPO_ROLES)
    (checkpoints.root / "_actor").mkdir(parents=True)  # empty: the trainer fails on it
    assert checkpoints.usable([2], recorded=9) == 0
    checkpoints.go_back_to(0)
    assert not checkpoints.root.exists()


def test_a_mark_that_a_kill_cut_short_does_not_count(found: Checkpoints) -> None:
    with (found.folder / "saved.txt").open("a") as file:
        file.write("8")  # no end of line
    assert found.saved() == [2, 4, 6]


def test_fine_tuning_has_one_role(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, SFT_ROLES)
    for step in (2, 4, 6):
        saved(tmp_path, step, SFT_ROLES)
        checkpoints.finished(step, kept=[4], keep=2)
    names = sorted(path.name for path in checkpoints.root.iterdir())
    assert names == ["global_step4", "global_step6", "latest"]
    assert checkpoints.usable([4], recorded=6) == 6
