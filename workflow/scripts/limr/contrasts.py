"""Means of groups and differences between them, at the final step or as one chooses otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from limr import results
from limr.results import Group, Inputs
from limr.statistics import Interval, bootstrap_difference, bootstrap_mean
from limr.streams import stream


@dataclass(frozen=True)
class Choice:
    """What a comparison is made from; None: the study's own choice.

    Attributes:
        step: training step of both groups; None: each group's last evaluated one.
        decoding: None: each benchmark's first.
        benchmarks: None: all.
        seed: None: all.
    """

    step: int | None = None
    decoding: str | None = None
    benchmarks: Sequence[str] | None = None
    seed: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the random stream: none for the study's own choice."""
        parts = (self.step, self.decoding, self.benchmarks, self.seed)
        return () if all(part is None for part in parts) else tuple(map(str, parts))


def group_interval(
    inputs: Inputs,
    group: str,
    benchmarks: Sequence[str] | None = None,
    problem_ids: Sequence[str] | None = None,
) -> Interval:
    """Return the mean over benchmarks of a group at its final step, with a 95 % interval.

    Args:
        inputs: what the study has.
        group: its name.
        benchmarks: those to take the mean of; None: all.
        problem_ids: the questions to take it over; None: all.

    Raises:
        InputError: a run lacks a question.
    """
    frames = results.headline_frames(inputs, group)
    chosen = {name: frames[name] for name in frames if benchmarks is None or name in benchmarks}
    if problem_ids is not None:
        chosen = {name: wide.reindex(columns=list(problem_ids)) for name, wide in chosen.items()}
    found = {name: wide.to_numpy(np.float64) for name, wide in chosen.items()}
    return bootstrap_mean(found, stream(0, "bootstrap", group))


def group_difference(
    inputs: Inputs, first: str, second: str, choice: Choice | None = None
) -> Interval:
    """Return the difference `first` - `second`, paired by question, with a 95 % interval.

    Args:
        inputs: what the study has.
        first: a group.
        second: another.
        choice: what to compare; None: final steps, headline decodings, all benchmarks and seeds.

    Raises:
        InputError: a run lacks a question, or the groups were asked different ones.
    """
    choice = choice or Choice()
    ours, theirs = _frames(inputs, first, choice), _frames(inputs, second, choice)
    return bootstrap_difference(
        {name: wide.to_numpy(np.float64) for name, wide in ours.items()},
        # By id, so that a question is only ever compared with itself.
        {
            name: wide.reindex(columns=ours[name].columns).to_numpy(np.float64)
            for name, wide in theirs.items()
        },
        stream(0, "bootstrap", first, second, *choice.names),
    )


def _frames(inputs: Inputs, group: str, choice: Choice) -> dict[str, pd.DataFrame]:
    frame = results.evaluated(inputs)
    step = results.final_step(inputs, group) if choice.step is None else choice.step
    found = {}
    for name in results.benchmarks(inputs):
        if choice.benchmarks is None or name in choice.benchmarks:
            decoding = choice.decoding or results.decodings(frame, name)[0]
            wide = results.runs_by_questions(frame, group, step, name, decoding)
            if choice.seed is not None:
                wide = wide[wide.index.get_level_values("seed") == choice.seed]
            found[name] = wide
    return found


def shared_steps(inputs: Inputs, first: str, second: str) -> list[int]:
    """Return the evaluated steps that two groups share, the untrained policy's apart."""
    frame = results.evaluated(inputs)
    steps = [set(frame.loc[frame["group"] == name, "step"]) for name in (first, second)]
    return [int(step) for step in sorted(steps[0] & steps[1]) if step > 0]


def pairs(inputs: Inputs) -> list[tuple[Group, Group]]:
    """Return the pairs of groups to compare: each trained one with the full set and with RAND.

    References are the PPO groups that train on every problem and those drawn at random, where
    nothing else is changed: a control is compared, and nothing is compared with it.
    """
    trained = [group for group in results.evaluated_groups(inputs) if group.train != "none"]
    records = {group.name: results.group_record(inputs, group) for group in trained}
    plain = [g for g in trained if g.train == "ppo" and not g.changes]
    full = [g for g in plain if results.is_full(records[g.name])]
    drawn = [g for g in plain if results.is_random(records[g.name])]
    return [
        (first, second)
        for references in (full, drawn)
        for second in references
        for first in trained
        if first is not second and not (references is drawn and first in full)
    ]
