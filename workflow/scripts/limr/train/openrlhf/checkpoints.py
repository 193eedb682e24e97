"""Checkpoints of a run: which are whole, what a restart goes on from, which policies are kept.

<folder>/checkpoints/_actor|_critic/global_stepN/, latest   the trainer's (fine-tuning: in the
                                                            folder itself)
<folder>/checkpoints/global_stepN_hf/    policies, until they are moved
<folder>/policies/stepN/                 policies of the steps that are kept
<folder>/states/stepN/_actor|_critic/    checkpoints that other runs start from: the same files
                                         under a second name, as the trainer deletes its own
<folder>/rollouts/, metrics/             what the attempts have recorded; these files grow
<folder>/whole/                          a record of each state that is whole: `limr.train.states`

A save is many files, written one after the other by several processes. It is whole when the trainer
has come back from it, and then it is recorded; whatever else is found was being written when the
trainer was killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from limr.core import files
from limr.train.states import Entry, States

PPO_ROLES = ("_actor", "_critic")
SFT_ROLES = (".",)
RECORDED = ("rollouts", "metrics")
PUBLISHED = ("policies", *RECORDED)
OWNED = ("checkpoints", "policies", "states")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints in a working folder."""

    folder: Path
    roles: tuple[str, ...]

    @property
    def root(self) -> Path:
        """Where the trainer writes them."""
        return self.folder / "checkpoints"

    def policy(self, step: int) -> Path:
        """Return where the policy of a step is kept."""
        return self.folder / "policies" / f"step{step}"

    @property
    def states(self) -> States:
        """The states that are recorded; their job is the working folder's."""
        job = (self.folder / "job.txt").read_text(encoding="utf-8").strip()
        return States(self.folder, job, OWNED, RECORDED)

    def kept_state(self, step: int) -> Path:
        """Return where a checkpoint is kept that other runs start from."""
        return self.folder / "states" / f"step{step}"

    def recorded_files(self, root: Path) -> dict[str, Entry]:
        """Return size and digest of the files below a folder, as the last record has them."""
        start = f"{root.relative_to(self.folder).as_posix()}/"
        entries = self.states.entries(self.states.steps()[-1])
        return {
            name.removeprefix(start): entry
            for name, entry in entries.items()
            if name.startswith(start)
        }

    def begin_from(self, state: Path, step: int) -> None:
        """Make another run's state the checkpoint that the trainer loads."""
        for role in self.roles:
            name = self._of(role, step).name
            shutil.rmtree(self._of(role, step), ignore_errors=True)
            shutil.copytree(state / role / name, self._of(role, step), copy_function=link_or_copy)
        self._point_to(step)

    def finished(
        self, step: int, kept: Collection[int], keep: int, states: Collection[int] = ()
    ) -> None:
        """Record that a checkpoint is whole, keep its policy if wanted, remove older ones.

        `kept` are the steps whose policies are wanted, `keep` the number of checkpoints that stay,
        `states` the steps that other runs start from.
        """
        if step in states:
            shutil.rmtree(self.kept_state(step), ignore_errors=True)
            for role in self.roles:
                source = self._of(role, step)
                target = self.kept_state(step) / role / source.name
                shutil.copytree(source, target, copy_function=link_or_copy)
        made = self.root / f"global_step{step}_hf"
        if step in kept:
            self.policy(step).parent.mkdir(exist_ok=True)
            shutil.rmtree(self.policy(step), ignore_errors=True)
            made.replace(self.policy(step))
        else:
            shutil.rmtree(made, ignore_errors=True)
        roots = [self._of(role, step) for role in self.roles]
        roots += [self.policy(one) for one in kept if 0 < one <= step]
        roots += [self.kept_state(one) for one in states if one <= step]
        roots += [self.folder / name for name in RECORDED]
        self.states.save(step, [path for root in roots for path in _files(root)])
        for old in [one for one in self.states.steps() if one <= step][:-keep]:
            self.states.forget(old)
            for role in self.roles:
                shutil.rmtree(self._of(role, old), ignore_errors=True)

    def go_back(self, kept: Collection[int], recorded: Callable[[], int]) -> int:
        """Go back to the last state that a restart can go on from; return its step, 0 for none.

        The state is whole, has its checkpoint in every role and the policies of all `kept` steps up
        to it, and `recorded()`, the number of steps that are completely recorded, reaches it.
        Everything later is removed. With step 0 no checkpoint stays: the trainer fails on a folder
        without one.
        """

        def usable(step: int) -> bool:
            wanted = [self._of(role, step) for role in self.roles]
            wanted += [self.policy(one) for one in kept if 0 < one <= step]
            return all(any(_files(path)) for path in wanted) and step <= recorded()

        step = self.states.go_back(usable)
        if step:
            self._point_to(step)
        return step

    def _point_to(self, step: int) -> None:
        for role in self.roles:
            files.write_text(self.root / role / "latest", f"global_step{step}")

    def _of(self, role: str, step: int) -> Path:
        return self.root / role / f"global_step{step}"


def link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, which takes no space, or copy it where the disk has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())
