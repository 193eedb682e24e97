"""What is changed in the trainers while they run, without a fork: four functions are wrapped.

- Prompts. `_collect_prompt_batch` takes the next prompts of a loader whose order no seed controls
  and which trains on an epoch's incomplete batch. Ours returns the problems that `Order` names for
  the step: the same in every process and after a resume, without the incomplete batch where the
  study says so, and with the step's number in each label. After the last step it returns nothing.
  With `sampler: dapo` it gives out replacements too (`limr.train.openrlhf.filtering`).
- Metrics. What is logged is first written to a file of ours: TensorBoard's writer keeps its last
  minutes in memory, and a killed process loses them.
- Checkpoints. PPO logs a step, saves, and then asks for the next prompts or closes the log: by then
  the save is complete, and its checkpoint is recorded as whole.
- Loading a checkpoint, see `limr.train.openrlhf.loading`.

Ray's workers call `install` when they start; a module is changed when it is imported there.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from limr.core import files
from limr.train.openrlhf import flash_attention, loading
from limr.train.openrlhf import task as tasks
from limr.train.openrlhf.checkpoints import PPO_ROLES, SFT_ROLES, Checkpoints
from limr.train.openrlhf.filtering import Walk, filtered

Change = Callable[[ModuleType], None]


class Saves:
    """Knows which save of PPO's trainer is over, in the process that controls the run."""

    def __init__(self) -> None:
        self.step = 0

    def logged(self, step: int) -> None:
        """Note that a step is logged: its save comes next, if there is one."""
        self.step = step

    def settle(self) -> None:
        """Note that whatever was saved after the last logged step is whole."""
        if self.step and self.step % tasks.read().save_every == 0:
            finished(PPO_ROLES, self.step)
        self.step = 0


SAVES = Saves()


class Prompts:
    """Gives a run's prompts, step by step."""

    def __init__(self, task: tasks.Task, saves: Saves) -> None:
        self.saves = saves
        self.order, self.step, self.steps = task.make_order(), task.start, task.steps
        self.rows = files.read_jsonl(task.data)
        self.tries, self.asked = task.tries, 0  # problems of this step
        self.walk = Walk(self.order, task.drawn) if task.tries is not None else None

    def next_batch(self, _loader: Any, size: int) -> tuple[list[str], list[str], list[None], bool]:
        """Return prompts, labels, no images, and whether the epoch is over.

        The trainer asks for one problem more where its dynamic filtering has dropped a group.
        """
        if self.walk is not None and size < self.order.size:
            return self._given(self.walk.more(size))
        self.saves.settle()
        if self.step >= self.steps:
            return [], [], [], True
        self.step += 1
        self.asked = 0
        if self.walk is not None:
            return self._given(self.walk.step(self.order.size))
        return self._given(self.order.batch(self.step))

    def _given(self, places: Sequence[int]) -> tuple[list[str], list[str], list[None], bool]:
        labels = []
        for place in places:
            self.asked += 1
            label = {**json.loads(self.rows[place]["label"]), "step": self.step}
            if self.tries is not None and self.asked > filtered(self.order, self.tries):
                label["kept_anyway"] = True
            labels.append(json.dumps(label))
        epoch, next_one = (self.order.epoch(step) for step in (self.step, self.step + 1))
        over = epoch != next_one or self.step == self.steps
        return [self.rows[place]["prompt"] for place in places], labels, [None] * len(places), over


def append_metrics(path: Path, step: int, values: Mapping[str, Any]) -> None:
    """Append one step's numbers to a file, as a line of JSON, and flush them to the disk."""
    numbers = {}
    for key, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[key] = float(value) if value == value else None  # noqa: PLR0124 (NaN)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, **numbers}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _prompts(module: ModuleType) -> None:
    prompts = Prompts(tasks.read(), SAVES)
    module._collect_prompt_batch = prompts.next_batch  # type: ignore[attr-defined]


def _metrics(module: ModuleType) -> None:
    logger: Any = module.TensorboardLogger
    original, original_close = logger.log_train, logger.close

    def log_train(self: Any, global_step: int, logs_dict: Mapping[str, Any]) -> None:
        append_metrics(tasks.read().metrics(), global_step, logs_dict)
        original(self, global_step, logs_dict)
        SAVES.logged(global_step)

    def close(self: Any) -> None:
        SAVES.settle()
        original_close(self)

    logger.log_train, logger.close = log_train, close


def _sft(module: ModuleType) -> None:
    trainer: Any = module.SFTTrainer
    original = trainer.save_logs_and_checkpoints

    def save(self: Any, args: Any, step: int, bar: Any, logs: Any, states: Any) -> None:
        first = self.strategy.is_rank_0()
        if first:
            append_metrics(tasks.read().metrics(), step, logs)
        original(self, args, step, bar, logs, states)
        if first and step % tasks.read().save_every == 0:
            finished(SFT_ROLES, step)
        if step >= tasks.read().steps:
            raise LastStep

    trainer.save_logs_and_checkpoints = save


def _loading(module: ModuleType) -> None:
    strategy: Any = module.DeepspeedStrategy
    original = strategy.load_ckpt

    def load_ckpt(self: Any, model: Any, load_dir: str, *rest: Any, **named: Any) -> Any:
        def load(**more: Any) -> Any:
            return original(self, model, load_dir, *rest, **named, **more)

        return loading.loaded(load, model, load_dir, fresh=tasks.read().fresh)

    strategy.load_ckpt = load_ckpt


class LastStep(Exception):  # noqa: N818 (no error)
    """Fine-tuning has done its steps: the trainer itself counts epochs only."""


def finished(roles: tuple[str, ...], step: int) -> None:
    """Note a checkpoint that is whole; see `limr.train.openrlhf.checkpoints`."""
    task = tasks.read()
    Checkpoints(task.path, roles).finished(step, task.policies, task.kept_checkpoints, task.states)


CHANGES: dict[str, Change] = {
    "openrlhf.trainer.ppo_utils.samples_generator": _prompts,
    "openrlhf.utils.logging_utils": _metrics,
    "openrlhf.trainer.sft_trainer": _sft,
    "openrlhf.utils.deepspeed.deepspeed": _loading,
    flash_attention.IMPORTER: lambda _module: None,  # unchanged, but see `_Loader.exec_module`
}


class _Loader(importlib.abc.Loader):
    """Loads a module as another loader does, then changes it."""

    def __init__(self, loader: Any, change: Change) -> None:
        self._loader, self._change = loader, change

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the other loader does."""
        found: ModuleType | None = self._loader.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, then change it."""
        lacks = module.__name__ == flash_attention.IMPORTER
        with flash_attention.stand_in() if lacks else nullcontext():
            self._loader.exec_module(module)
        self._change(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, names: Collection[str]) -> None:
        self._names, self._looking = names, False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is to be changed, as the other finders do."""
        if name not in self._names or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, CHANGES[name])
        return spec


def install(names: Collection[str] = CHANGES) -> None:
    """Change the trainer's modules, of these names, as they are imported in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(names))
