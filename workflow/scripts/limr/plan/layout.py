"""Where a job of an engine runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Which GPUs a job of an engine uses, and what it runs; see `limr.plan.engines`."""

    nodes: int
    gpus: int  # over all nodes
    generating: int  # GPUs that generate
    training: int  # GPUs that train the policy; the critic has as many
    shared: bool = True  # the same GPUs generate and train policy and critic, in turn
    reference: bool = False  # a reference policy scores too
    recomputing: bool = True  # activations are computed twice
    state_bytes: float = 0.0  # checkpoints on disk while the job runs
    commands: tuple[tuple[str, ...], ...] = ()  # what the job starts, word by word
    notes: tuple[str, ...] = ()
