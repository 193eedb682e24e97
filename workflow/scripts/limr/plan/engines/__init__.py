"""What engines need GPUs for: one file per engine, of its name; `limr plan` reads them.

They are apart from the engines so that an edit here reruns nothing. A module has these names; an
engine without a module, or without one of them, does that work on a CPU:

- `training(study, arm, problems, parameters) -> Layout`: an arm's training run, for so many
  problems and a model of so many parameters;
- `generation(study) -> Layout`: an evaluation.
- `gpus(study, work) -> tuple[int, int]`: the nodes of a job and the GPUs of each, where `work` is
  "ppo", "sft" or "generate".
- `MODULES`: packages that must be importable on a node with GPUs (rule `preflight`);
- `state_bytes(study) -> float`: of an engine on a CPU, one state that other runs start from.

All are pure, need none of the engine's own libraries, and refuse (InputError) what the engine does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Which GPUs a job of an engine uses, and what it runs."""

    nodes: int
    gpus: int  # over all nodes
    generating: int  # GPUs that generate
    training: int  # GPUs that train the policy; the critic has as many
    shared: bool = True  # the same GPUs generate and train policy and critic, in turn
    reference: bool = False  # a reference policy scores too
    recomputing: bool = True  # activations are computed twice
    state_bytes: float = 0.0  # checkpoints on disk while the job runs
    start_bytes: float = 0.0  # one state that other runs start from
    commands: tuple[tuple[str, ...], ...] = ()  # what the job starts, word by word
    notes: tuple[str, ...] = ()
