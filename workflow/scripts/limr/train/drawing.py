"""What a training step draws: a sampler's choices, from all that was drawn before.

A sampler is a file of `limr/train/samplers/`. It has no state: every choice follows from the groups
drawn so far and from streams named after the step, so that a restart and `limr verify` find the
same choices again from the recorded rollouts. Its module has:

- `Options`: its keys under `arms.*.sampler`, where it has any;
- `LEAST_SAMPLES`: how many samples of a problem it needs at least;
- `choose(view, options)`: the problems of the next draw, as places in the pool, each once;
- `kept(view, options)`, only where a step may draw several times: the places, among the groups that
  the step has drawn, of those to train on; None to draw again;
- `check(options)`, where options can be wrong in themselves, and `NEEDS_DIFFICULTY = True` where
  its option `difficulty` is `level` or names a score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.core import files, plugins
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import ROLLOUTS, SCORES, Problem
from limr.models.interface import PpoJob
from limr.train.embedded.order import Order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Settings = Mapping[str, Any]
# The problems of a draw -> how many samples of each are right, and how many there are of each.
Sample = Callable[[Sequence[int]], tuple[Sequence[int], int]]
LEVEL = "level"
_SEEN = ("problem_id", "verdict")  # of a rollout
_SHOWN = 3


@dataclass(frozen=True)
class Group:
    """The samples of one problem in one draw: `problem` is its place in the pool."""

    problem: int
    samples: int
    right: int

    @property
    def mixed(self) -> bool:
        """Whether some are right and some wrong: without that there is no signal."""
        return 0 < self.right < self.samples


@dataclass(frozen=True)
class Draw:
    """Groups that were drawn together; none where all were drawn in this step before."""

    step: int
    groups: Sequence[Group]


@dataclass(frozen=True)
class View:
    """What a sampler may look at.

    Attributes:
        step: the step, from 1.
        order: the uniform order; it has the pool's and the batch's size.
        draws: every draw so far, those of this step included.
        difficulty: (n_problems,) in [0, 1], None where the sampler needs none.
    """

    step: int
    order: Order
    draws: Sequence[Draw]
    difficulty: Floats | None = None

    @property
    def tries(self) -> int:
        """How often this step has drawn."""
        return sum(draw.step == self.step for draw in self.draws)

    @property
    def groups(self) -> list[Group]:
        """The groups that this step has drawn, in order."""
        return [one for draw in self.draws if draw.step == self.step for one in draw.groups]

    def visits(self) -> tuple[Ints, Ints]:
        """Return (n_problems, n_draws) samples, 0 where none, and how many of them are right."""
        n = np.zeros((self.order.problems, len(self.draws)), np.int64)
        right = n.copy()
        for place, draw in enumerate(self.draws):
            for group in draw.groups:
                n[group.problem, place] = group.samples
                right[group.problem, place] = group.right
        return n, right

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream (seed, sampler, arm, step, purpose)."""
        return stream(self.order.seed, "sampler", self.order.arm, self.step, purpose)


def nearest(distance: Floats, view: View) -> list[int]:
    """Return the places of a batch's smallest distances; equal ones are decided at random."""
    lots = view.rng("ties").random(len(distance))
    return [int(place) for place in np.lexsort((lots, distance))[: view.order.size]]


class Drawing:
    """The draws of one run, step by step."""

    def __init__(
        self, sampler: Settings | None, order: Order, difficulty: Floats | None = None
    ) -> None:
        """Take the sampler's name with its options, None for the uniform order."""
        self.options = dict(sampler or {"name": "uniform"})
        self.plug_in = plugins.load("samplers", self.options["name"])
        self.order, self.difficulty = order, difficulty
        self.draws: list[Draw] = []
        self._often: Counter[int] = Counter()  # problem -> how often it was drawn so far

    @property
    def done(self) -> int:
        """The last step that was drawn."""
        return self.draws[-1].step if self.draws else 0

    def draw(self, step: int, sample: Sample) -> list[int]:
        """Draw until the step has its batch; return the places, among its groups, to train on."""
        while True:
            chosen = self.plug_in.choose(self._view(step), self.options)
            right, samples = sample(chosen) if len(chosen) else ((), 0)
            pairs = zip(chosen, right, strict=True)
            groups = [Group(int(place), samples, int(count)) for place, count in pairs]
            self.draws.append(Draw(step, groups))
            self._often.update(group.problem for group in groups)
            view = self._view(step)
            if not hasattr(self.plug_in, "kept"):
                return list(range(len(view.groups)))
            places = self.plug_in.kept(view, self.options)
            if places is not None:
                return list(places)

    def _view(self, step: int) -> View:
        return View(step, self.order, self.draws, self.difficulty)

    def counted(self, step: int) -> dict[str, int]:
        """Return the columns `limr.core.tables.DRAWN` of the step that was drawn last."""
        view = self._view(step)
        return counted(view.groups, view.tries, self._often)


def counted(groups: Sequence[Group], tries: int, often: Mapping[int, int]) -> dict[str, int]:
    """Return the columns `limr.core.tables.DRAWN` of a step.

    Args:
        groups: what it drew.
        tries: in how many draws.
        often: problem -> how often it was drawn up to this step.
    """
    return {
        "rollouts": sum(group.samples for group in groups),
        "without_signal": sum(group.samples for group in groups if not group.mixed),
        "tries": tries,
        "problems_drawn": len(often),
        "most_drawn": max(often.values()),
    }


def recorded(groups: Sequence[tuple[int, int, int]]) -> Sample:
    """Return the draws of a step again, from its groups (problem, samples, right) in order.

    Raises InputError where another problem is asked for, or one too many.
    """
    left = iter(groups)

    def sample(chosen: Sequence[int]) -> tuple[list[int], int]:
        found = [next(left, (-1, 0, 0)) for _ in chosen]
        for asked, (there, _, _) in zip(chosen, found, strict=True):
            if asked != there:
                raise InputError("the recorded rollouts are not those that the sampler draws.")
        return [right for _, _, right in found], found[0][1]

    return sample


def of(job: PpoJob, order: Order) -> Drawing:
    """Return the draws of a job, none yet.

    Raises InputError where the sampler cannot draw from the job's problems.
    """
    at = f"arm '{job.arm}'"
    check_pool(job.sampler, order.problems, order.size, at)
    return Drawing(job.sampler, order, difficulties(job.sampler, job.problems, job.difficulty, at))


def settings(job: PpoJob) -> dict[str, Any]:
    """Return what a job's results depend on, beside what they depended on without samplers."""
    if job.sampler is None:
        return {}
    scores = None if job.difficulty is None else files.sha256(job.difficulty)
    return {"sampler": {**job.sampler, "difficulties": scores}}


def replay(drawing: Drawing, job: PpoJob, step: int, part: Callable[[int], Path]) -> None:
    """Bring the draws to the step before `step` from `part(n)`, the rollouts of the steps done.

    The plain order looks at nothing, and is left as it is.
    """
    if job.sampler is None:
        return
    place = {problem.problem_id: number for number, problem in enumerate(job.problems)}
    for done in range(max(drawing.done, job.done_before) + 1, step):
        table = files.read_parquet(part(done), ROLLOUTS, _SEEN).to_pandas()
        drawing.draw(done, recorded(groups(table, place)))


def groups(rows: pd.DataFrame, place: Mapping[str, int]) -> list[tuple[int, int, int]]:
    """Return (problem, samples, right) of a step's rollouts, in their order.

    `place`: problem_id -> its place in the pool; -1 stands for a problem that is not in it.
    """
    counts: dict[str, list[int]] = {}
    for name, verdict in zip(*(rows[key] for key in _SEEN), strict=True):
        count = counts.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += verdict == "correct"
    return [(place.get(name, -1), n, right) for name, (n, right) in counts.items()]


def check_pool(sampler: Settings | None, problems: int, size: int, at: str) -> None:
    """Refuse a pool in which a sampler has nothing to choose; `at` is the arm, for the message."""
    if sampler is None or sampler["name"] == "uniform" or problems >= size:
        return
    raise InputError(
        f"{at}: sampler '{sampler['name']}' chooses {size} problems a step (ppo.prompts_per_step), "
        f"and the arm has {problems}. Give it more problems, or take smaller steps."
    )


def needs_difficulty(sampler: Settings | None) -> bool:
    """Return whether a sampler has the option `difficulty`."""
    found = plugins.load("samplers", sampler["name"]) if sampler else None
    return bool(getattr(found, "NEEDS_DIFFICULTY", False))


def difficulties(
    sampler: Settings | None, problems: Sequence[Problem], scores: Path | None, at: str
) -> Floats | None:
    """Return (n_problems,) difficulties in [0, 1], None where the sampler needs none.

    Args:
        sampler: its name and options, None for the uniform order.
        problems: the pool.
        scores: the file of the score that the option `difficulty` names.
        at: the arm, for messages.

    Raises:
        InputError: a problem without a difficulty, or all have the same.
    """
    if sampler is None or not needs_difficulty(sampler):
        return None
    if sampler["difficulty"] == LEVEL:
        found: dict[str, float | None] = {one.problem_id: one.level for one in problems}
    else:
        frame = files.read_parquet(str(scores), SCORES).to_pandas()
        found = dict(zip(frame["problem_id"], frame["score"], strict=True))
    values = np.array([found.get(one.problem_id) for one in problems], np.float64)
    where = f"{at}: sampler '{sampler['name']}', difficulty: {sampler['difficulty']}"
    lacking = [one.problem_id for one, bad in zip(problems, np.isnan(values), strict=True) if bad]
    if lacking:
        raise InputError(
            f"{where}: {len(lacking)} of {len(problems)} problems have none, such as "
            f"{', '.join(lacking[:_SHOWN])}. Give every problem one, or leave these out."
        )
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise InputError(f"{where}: all problems have {low:g}: there is nothing to choose by.")
    return (values - low) / (high - low)
