"""A process in the place of OpenRLHF's trainer: it asks, records, saves and loads as that does.

Its weights are the list of what it was trained on, so that two runs are the same if these are.
"""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from limr.core import validation
from limr.core.tables import Problem
from limr.models.interface import PpoJob
from limr.train.openrlhf import hooks, options, ppo, run, task
from limr.train.openrlhf.checkpoints import PPO_ROLES

SIZE, SAMPLES = 3, 2
PROBLEMS = [Problem(f"p{n}", f"{n}?", str(n), "test") for n in range(8)]
OPTIONS: dict[str, Any] = {
    **{"gpus_per_node": 1, "attention": "eager", "packing": False, "checkpoint_every": 1},
    **{"micro_train": 1, "micro_rollout": 1, "zero_stage": 2},
}
PPO: dict[str, Any] = {
    **{"steps": 8, "prompts_per_step": SIZE, "samples_per_prompt": SAMPLES, "temperature": 1.0},
    **{"top_p": 1.0, "train_batch_size": 2, "epochs_per_batch": 1, "adam_betas": [0.9, 0.95]},
    **{"actor_learning_rate": 1e-3, "critic_learning_rate": 1e-3, "warmup_steps": 3},
    **{"gamma": 1.0, "gae_lambda": 1.0, "clip": 0.2, "value_clip": 0.2, "kl_coefficient": 0.01},
    **{"max_grad_norm": 1.0, "max_prompt_tokens": 12, "max_response_tokens": 6},
    **{"whiten_advantages": True, "drop_last": True},
}


class Killed(BaseException):
    """The trainer is killed here."""


class Trainer:
    """Runs tasks; with `dies_in` it is killed in that step, once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dies_in: int | None = None
        self.tasks: list[task.Task] = []
        self._patch = monkeypatch

    def __call__(self, _run: run.Run, one: task.Task, _wrapper: Any = None) -> None:
        self._patch.setattr(task, "read", lambda path=None: one)
        self.tasks.append(one)
        trained = self._loaded(one) if "--ckpt.load_enable" in one.arguments else []
        prompts, rows = hooks.Prompts(one, saves := hooks.Saves()), one.rollouts()
        rows.mkdir(parents=True)
        while labels := prompts.next_batch(None, SIZE)[1]:
            step = int(json.loads(labels[0])["step"])
            with (rows / "a.jsonl").open("a") as file:
                for n, label in enumerate(sorted(labels)):
                    asked = {**json.loads(label), "prompt_tokens": 9, "response_tokens": 5}
                    for sample in range(SAMPLES):
                        file.write(json.dumps({**asked, **judged(sample), "sample": sample}) + "\n")
                    if n == 1 and self.dies_in == step:
                        self.dies_in = None
                        raise Killed
            trained.append([step, sorted(json.loads(label)["problem_id"] for label in labels)])
            numbers = {"rollout/reward_mean": 0.25, "rollout/num_samples": SIZE * SAMPLES}
            hooks.append_metrics(one.metrics(), step, numbers)
            saves.logged(step)
            self._save(one, step, trained)
        saves.settle()

    def _loaded(self, one: task.Task) -> list[Any]:
        found = []
        for role in PPO_ROLES:
            folder = Path(one.folder) / "checkpoints" / role
            tag = (folder / "latest").read_text()
            assert tag == f"global_step{one.start}"
            found.append(json.loads((folder / tag / "weights.pt").read_text()))
        assert found[0] == found[1]
        return [*found[0], *(["new optimizers"] if one.fresh else [])]

    def _save(self, one: task.Task, step: int, trained: list[Any]) -> None:
        if step % one.save_every:
            return
        root = Path(one.folder) / "checkpoints"
        for role in PPO_ROLES:
            # As the trainer does: at most two checkpoints are left when it begins to save.
            old = sorted((root / role).glob("global_step*"), key=lambda path: int(path.name[11:]))
            for path in old[: -one.kept_checkpoints + 1]:
                shutil.rmtree(path)
            (root / role / f"global_step{step}").mkdir(parents=True)
            (root / role / f"global_step{step}/weights.pt").write_text(json.dumps(trained))
            (root / role / "latest").write_text(f"global_step{step}")
        (root / f"global_step{step}_hf").mkdir()
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            (root / f"global_step{step}_hf" / name).write_text(json.dumps(trained))


def judged(sample: int) -> dict[str, Any]:
    """The verdict of a sample, and all that goes with it: the first one is right."""
    right = sample == 0
    return {
        **{"reward": 1.0 if right else -0.5, "verdict": "correct" if right else "incorrect"},
        **{"format": "", "reason": "" if right else "different", "truncated": False},
        **{"response": "", "kept_anyway": False},
    }


class Pool:
    """In the place of the grader's processes."""

    def grade_many(self, items: Any) -> Any:
        return items


def install(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Put the stand-in in the trainer's place, and leave tokenizers, graders and PyTorch out."""
    trainer = Trainer(monkeypatch)
    monkeypatch.setattr(run, "execute", trainer)
    monkeypatch.setattr(run, "_gpu_name", lambda: None)
    monkeypatch.setattr(ppo, "GradingPool", lambda *_args, **_named: nullcontext(Pool()))
    for name, value in {
        "load_tokenizer": None,
        "template_of": "qwen-boxed",
        "end_ids": [0],
        "model_with_positions": None,
    }.items():
        monkeypatch.setattr(ppo.prompts, name, lambda *_args, _value=value, **_named: _value)
    monkeypatch.setattr(ppo.prompts, "rendered", lambda job, *_: [p.prompt for p in job.problems])
    return trainer


def base(folder: Path) -> Path:
    """A model folder of which only the names matter."""
    made = folder / "base"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_bytes(b"base")
    (made / "limr.json").write_text(json.dumps({"template": "qwen-boxed"}))
    return made


def job(folder: Path, **changes: Any) -> PpoJob:
    """A run of arm `full`; `ppo` and `options` are added to the usual ones."""
    own = {**OPTIONS, **changes.pop("options", {})}
    given = {
        "arm": "full",
        "seed": 1,
        "base": folder.parent / "base",
        "problems": PROBLEMS,
        "options": validation.complete(own, options.Options, "engines.openrlhf"),
        "grader": {},
        "state": folder / "working",
        "metrics": folder / "metrics.parquet",
        "record": folder / "run.json",
        "provenance": {"commit": "abc"},
        "reward": {"rule": "verdict", "correct": 1.0, "incorrect": -0.5, "malformed": -1.0},
        "rollouts": folder / "rollouts.parquet",
        "ppo": {**PPO, **changes.pop("ppo", {})},
    }
    last = given["ppo"]["steps"]
    return PpoJob(**{**given, "policies": {last: folder / "policy"}, **changes})
