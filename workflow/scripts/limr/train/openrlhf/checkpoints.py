"""Checkpoints of a run: which are whole, what a restart goes on from, which policies are kept.

<folder>/checkpoints/_actor|_critic/global_stepN/, latest   the trainer's (fine-tuning: in the
                                                            folder itself)
<folder>/checkpoints/global_stepN_hf/    policies, until they are moved
<folder>/saved.txt                       one line per checkpoint that is whole
<folder>/policies/stepN/                 policies of the steps that are kept

A save is many files, written one after the other by several processes. It is whole when the trainer
has come back from it, and then its step is written to `saved.txt`; whatever else is found was being
written when the trainer was killed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from limr.core import files
from limr.core.job_log import note

PPO_ROLES = ("_actor", "_critic")
SFT_ROLES = (".",)
_STEP = re.compile(r"global_step(\d+)(_hf)?")


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

    def saved(self) -> list[int]:
        """Return the steps whose checkpoints were finished, in order."""
        path = self.folder / "saved.txt"
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        return sorted({int(line) for line in lines if line.isdecimal()})

    def finished(self, step: int, kept: Collection[int], keep: int) -> None:
        """Record that a checkpoint is whole, keep its policy if wanted, remove older ones.

        `kept` are the steps whose policies are wanted, `keep` the number of checkpoints that stay.
        """
        made = self.root / f"global_step{step}_hf"
        if step in kept:
            self.policy(step).parent.mkdir(exist_ok=True)
            shutil.rmtree(self.policy(step), ignore_errors=True)
            made.replace(self.policy(step))
        else:
            shutil.rmtree(made, ignore_errors=True)
        with (self.folder / "saved.txt").open("a", encoding="utf-8") as file:
            file.write(f"{step}\n")
            file.flush()
            os.fsync(file.fileno())
        for old in [one for one in self.saved() if one <= step][:-keep]:
            self._remove(old)

    def usable(self, kept: Collection[int], recorded: int) -> int:
        """Return the last step that a restart can go on from, 0 where there is none.

        Its checkpoint is whole in every role, the policies of all `kept` steps up to it are there,
        and `recorded`, the number of steps whose rollouts are all recorded, reaches it.
        """
        for step in reversed(self.saved()):
            wanted = [one for one in kept if 0 < one <= step]
            whole = all((self._of(role, step)).is_dir() for role in self.roles)
            if whole and step <= recorded and all(self.policy(one).is_dir() for one in wanted):
                return step
        return 0

    def go_back_to(self, step: int) -> None:
        """Make the trainer find this step's checkpoint, and remove everything later.

        With step 0 nothing stays: the trainer fails on a folder without a checkpoint in it.
        """
        if step == 0:
            shutil.rmtree(self.root, ignore_errors=True)
            shutil.rmtree(self.folder / "policies", ignore_errors=True)
            (self.folder / "saved.txt").unlink(missing_ok=True)
            return
        for found in self._steps_on_disk():
            if found > step:
                note(f"a checkpoint of step {found} is not whole or not usable: removed")
                self._remove(found)
        for policy in (self.folder / "policies").glob("step*"):
            if int(policy.name.removeprefix("step")) > step:
                shutil.rmtree(policy)
        for half in self.root.glob("global_step*_hf"):
            shutil.rmtree(half)
        for role in self.roles:
            files.write_text(self.root / role / "latest", f"global_step{step}")
        lines = "".join(f"{one}\n" for one in self.saved() if one <= step)
        files.write_text(self.folder / "saved.txt", lines)

    def _of(self, role: str, step: int) -> Path:
        return self.root / role / f"global_step{step}"

    def _steps_on_disk(self) -> set[int]:
        paths = [path for role in self.roles for path in (self.root / role).glob("global_step*")]
        found = [_STEP.fullmatch(path.name) for path in paths]
        return {int(match[1]) for match in found if match and not match[2]}

    def _remove(self, step: int) -> None:
        for role in self.roles:
            shutil.rmtree(self._of(role, step), ignore_errors=True)
