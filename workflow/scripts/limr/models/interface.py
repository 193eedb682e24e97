"""What an engine is: the plug-ins in `limr/train/engines/` train policies and generate responses.

An engine's module has these names; a function that an engine does not offer is absent:

- `Options`: the keys of `engines.<name>` in a study (`limr.core.validation.Keys`);
- `Base`: the keys of the study's `base` for this engine, likewise;
- `check(study) -> None`: refuses settings that contradict each other (`InputError`), before any
  job; pure, and without the engine's own libraries; absent where nothing is to be checked;
- `NOT_IN_DIGEST`: names of options that change memory and speed, not the results; a change of them
  reruns nothing; absent where there are none;
- `STARTS`: True where its runs keep states and go on from those of other runs (`Start`); absent
  where they do not, and studies that want it are refused before the first job;
- `find_base(base) -> str`: refuses a base that cannot be had (`InputError`), in seconds, before any
  job, and says where it is; absent where a base is made from nothing;
- `SAMPLERS`: names of the samplers that its PPO can draw by, beside having none; absent: none;
- `base_work(base) -> {"steps", "examples"}`: the work that making the base takes; absent where the
  engine does not train it;
- `may_meet(dataset) -> bool`: whether what the base learns from may hold problems of such an entry
  of `datasets`, which are then held out; absent where the base learns nothing here;
- `make_base(job: BaseJob) -> None`: writes the base policy, a Hugging Face model folder;
- `train_ppo(job: PpoJob) -> None` and `train_sft(job: SftJob) -> None`;
- `open_policy(folder, options, state=None) -> Policy`; `state` is a working folder, outside the
  declared outputs, in which an engine may keep the responses of a killed job.

The GPUs that an engine needs are in `limr/plan/engines/`, in a module of its name.

Every function writes atomically, resumes from `job.state` after a kill, and gives the same bytes
for the same job, or says in docs/design.md what it cannot promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from limr.core.errors import InputError
from limr.core.tables import Problem, Response

Settings = Mapping[str, Any]
# Keys of `ppo` that a run with a fresh optimizer may change against the run that it goes on from.
OPTIMIZER_KEYS = ("actor_learning_rate", "critic_learning_rate", "warmup_steps", "adam_betas")


def split_options(options: Settings, free: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an engine's options in two parts: those that decide results, and the others."""
    own = {key: value for key, value in options.items() if key not in free}
    return own, {key: value for key, value in options.items() if key in free}


@dataclass(frozen=True)
class Decoding:
    """How responses are drawn: `temperature` 0 is greedy; `max_tokens` counts the end token."""

    name: str
    samples: int
    temperature: float
    top_p: float
    max_tokens: int


@dataclass(frozen=True)
class BaseJob:
    """Make the base policy of a study; every seed's runs start from it, as in the paper."""

    base: Settings  # the study's `base`
    options: Settings  # the study's `engines.<name>`
    held_out: Sequence[Problem]  # must not be learnt from: those that it `may_meet`
    state: Path  # working folder, outside the declared outputs
    policy: Path  # output: a model folder


@dataclass(frozen=True)
class TrainJob:
    """What every training run has."""

    arm: str
    seed: int
    base: Path  # the base policy's model folder
    problems: Sequence[Problem]
    options: Settings  # the study's `engines.<name>`
    grader: Settings  # the study's `grader`
    state: Path  # working folder, outside the declared outputs; removed at the end
    policies: Mapping[int, Path]  # outputs: step -> model folder; step 0 is the base
    metrics: Path  # output: `limr.core.tables.METRICS`
    record: Path  # output: run.json
    provenance: Settings  # what run.json records beside hardware, durations and attempts


@dataclass(frozen=True)
class Start:
    """Where a run goes on from: the state that a run of another arm, of the same seed, kept."""

    arm: str
    step: int  # that the state was kept after: the run's own steps follow it
    streams: str  # the arm that random streams are named after: the first one of the way
    optimizer: str  # `kept`: that of the state; `fresh`: a new one
    state: Path  # folder of the state, see `limr.train.starts`


@dataclass(frozen=True)
class PpoJob(TrainJob):
    """Train by PPO; `ppo` are the study's hyper-parameters under `ppo`."""

    ppo: Settings
    reward: Settings  # a rule of `limr.grading.rewards` with its options
    rollouts: Path  # output: `limr.core.tables.ROLLOUTS`, by step, position in batch, sample
    sampler: Settings | None = None  # `limr.train.drawing`: its name and options; None: uniform
    difficulty: Path | None = None  # the scores that the sampler's option of this name names
    start: Start | None = None  # None: from the base
    states: Mapping[int, Path] = field(default_factory=dict)  # outputs: step -> state's folder

    @property
    def streams(self) -> str:
        """The arm that random streams are named after: a continued run draws as one run would."""
        return self.start.streams if self.start else self.arm

    @property
    def done_before(self) -> int:
        """The steps that were done before this run begins."""
        return self.start.step if self.start else 0


@dataclass(frozen=True)
class SftJob(TrainJob):
    """Train by supervised fine-tuning on `solutions` (problem_id -> worked solution)."""

    sft: Settings
    solutions: Mapping[str, str]


class LongPromptError(InputError):
    """Prompts that leave no room for a whole response; `rows` are their places, from 0."""

    def __init__(self, message: str, rows: Sequence[int]) -> None:
        """Keep the message and the rows."""
        super().__init__(message)
        self.rows = list(rows)


class Policy(Protocol):
    """A model that generates; one that is costly to load may wait until it is asked."""

    def check(self, prompts: Sequence[str], decoding: Decoding) -> None:
        """Refuse what could not be generated, before anything is.

        Raises LongPromptError where prompts leave no room for `decoding.max_tokens`, and InputError
        where a prompt cannot be encoded.
        """
        ...

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, seed: int
    ) -> list[list[Response]]:
        """Return `decoding.samples` responses for each prompt, in the prompts' order.

        The same policy, prompts, decoding and seed give the same responses.
        """
        ...

    def close(self) -> None:
        """Free what the model holds, such as a GPU's memory: another policy may follow."""
        ...
