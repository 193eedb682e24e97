"""The estimate of a whole study: its jobs, GPU hours, disk and command lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.core import plugins
from limr.plan import cost
from limr.plan.cost import Range
from limr.plan.counts import Counts
from limr.plan.engines import Layout
from limr.plan.hardware import Gpu
from limr.plan.jobs import Jobs
from limr.plan.models import Size
from limr.sources.pinned import Source
from limr.study.study import Study

Json = dict[str, Any]
_WEIGHT_BYTES = 2.0  # per parameter of a saved policy


@dataclass(frozen=True)
class Assumptions:
    """What the user says: GPU type, mean length of a response in tokens, numbers of problems."""

    gpu: Gpu
    response_tokens: float | None
    problems: Mapping[str, int]
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class Task:
    """A rule's jobs for one arm, one job per seed."""

    rule: str
    arm: str
    jobs: int
    to_do: int
    layout: Layout
    seconds: Range  # each job
    problems: str
    kept_bytes: Range  # what each job leaves behind

    @property
    def gpu_hours(self) -> Range:
        """GPU hours of each job."""
        return self.seconds.times(self.layout.gpus / 3600)

    def described(self) -> Json:
        """Return it for JSON."""
        return {
            "rule": self.rule,
            "arm": self.arm,
            "jobs": self.jobs,
            "to_do": self.to_do,
            "nodes": self.layout.nodes,
            "gpus": self.layout.gpus,
            "problems": self.problems,
            "hours_each": self.seconds.times(1 / 3600).rounded(),
            "gpu_hours_each": self.gpu_hours.rounded(),
            "kept_gb_each": self.kept_bytes.times(1e-9).rounded(),
            "state_gb_while_running": float(f"{self.layout.state_bytes / 1e9:.3g}"),
            "commands": [list(words) for words in self.layout.commands],
            "notes": list(self.layout.notes),
        }


def plans(study: Study) -> tuple[Callable[..., Layout] | None, Callable[..., Layout] | None]:
    """Return what plans training and what plans evaluations; None for what runs on a CPU."""
    known = plugins.names("plans")
    found = []
    for key, function in (("train", "training"), ("generate", "generation")):
        name = study.config["engine"][key]
        module = plugins.load("plans", name) if name in known else None
        found.append(getattr(module, function, None))
    return found[0], found[1]


def tasks(study: Study, results: Path, size: Size, given: Assumptions) -> list[Task]:
    """Return the jobs that need GPUs; none where the study's engines run on a CPU.

    `results` is the study's folder, which may not exist; `size` is its base model's. Raises
    InputError where the engine refuses the study.
    """
    counts = Counts(study, results, given.problems, given.sources)
    found: list[Task] = []
    training, generation = plans(study)
    if training is not None:
        for name in study.trained:
            problems = counts.arm(name)
            n = problems.n or study.config["ppo"]["prompts_per_step"]
            layout = training(study, name, n, size.parameters)
            text = f"{n:,} ({problems.source})"
            found.append(_training(study, results, size, given, (name, n, text), layout))
    if study.benchmarks and generation is not None:
        layout = generation(study)
        for name in [*study.base, *study.trained]:
            found.append(_evaluation(study, results, size, given, (name, counts), layout))
    return found


def _training(
    study: Study,
    results: Path,
    size: Size,
    given: Assumptions,
    arm: tuple[str, int, str],
    layout: Layout,
) -> Task:
    name, n, text = arm
    train, settings = study.arms[name].train, study.arms[name].settings
    kept = _policies(study, name, size)
    if train == "ppo":
        seconds = cost.ppo_seconds(
            settings, n, size.parameters, layout, given.gpu, given.response_tokens
        )
        kept += cost.rollout_bytes(settings, n, given.response_tokens)
    else:
        longest = _longest_solution(study)
        seconds = cost.sft_seconds(settings, longest, size.parameters, layout, given.gpu)
    done = sum((results / f"runs/{name}/seed{s}/run.json").is_file() for s in study.seeds)
    n_jobs = len(study.seeds)
    rule = study.rule("train", name)
    return Task(rule, name, n_jobs, n_jobs - done, layout, seconds, text, kept)


def _policies(study: Study, arm: str, size: Size) -> Range:
    weights = len(study.arms[arm].steps) * _WEIGHT_BYTES * size.parameters
    return Range(weights, weights, weights)


def _longest_solution(study: Study) -> int:
    engine = study.config["engines"].get(study.config["engine"]["train"], {})
    return int(engine.get("sft", {}).get("max_tokens", study.config["ppo"]["max_response_tokens"]))


def _evaluation(
    study: Study,
    results: Path,
    size: Size,
    given: Assumptions,
    arm: tuple[str, Counts],
    layout: Layout,
) -> Task:
    name, counts = arm
    steps = study.arms[name].steps
    responses: dict[int, int] = {}
    unknown = []
    for benchmark, settings in study.benchmarks.items():
        n = counts.dataset(benchmark).n
        unknown += [] if n else [benchmark]
        for decoding in settings["decodings"]:
            made = decoding["samples"] if decoding["temperature"] else 1
            longest = decoding["max_tokens"]
            responses[longest] = responses.get(longest, 0) + n * made
    each = sum(responses.values())
    seconds = cost.evaluation_seconds(
        responses, len(steps), size.parameters, layout, given.gpu, given.response_tokens
    )
    text = f"{each:,} responses x {len(steps)} policies"
    text += f" (without {', '.join(unknown)}: size not known)" if unknown else ""
    tokens = cost.over(
        lambda case: sum(
            count * cost.response_tokens(case, longest, given.response_tokens)
            for longest, count in responses.items()
        )
    )
    done = sum(_evaluated(study, results, name, seed) for seed in study.seeds)
    return Task(
        study.rule("evaluate", name),
        name,
        len(study.seeds),
        len(study.seeds) - done,
        layout,
        seconds,
        text,
        tokens.times(len(steps) * cost.BYTES_PER_TOKEN),
    )


def _evaluated(study: Study, results: Path, arm: str, seed: int) -> bool:
    folder = results / f"evals/{arm}/seed{seed}"
    steps = study.arms[arm].steps
    return all(
        (folder / f"step{step}/{benchmark}.json").is_file()
        for step in steps
        for benchmark in study.benchmarks
    )


def totals(found: list[Task], size: Size) -> Json:
    """Return GPU hours and disk of all tasks, and of those that are left to do."""
    zero = Range(0.0, 0.0, 0.0)
    hours, left, kept = zero, zero, zero
    for task in found:
        hours += task.gpu_hours.times(task.jobs)
        left += task.gpu_hours.times(task.to_do)
        kept += task.kept_bytes.times(task.jobs)
    base = _WEIGHT_BYTES * size.parameters
    kept += Range(base, base, base)
    state = [task.layout.state_bytes for task in found if task.to_do]
    return {
        "gpu_hours": hours.rounded(),
        "gpu_hours_left": left.rounded(),
        "kept_gb": kept.times(1e-9).rounded(),
        "state_gb_one_run": float(f"{max(state, default=0.0) / 1e9:.3g}"),
        "most_gpus_at_a_time": max((task.layout.gpus for task in found), default=0),
    }


def processor_minutes(rules: Mapping[str, Jobs], seconds: Mapping[str, float]) -> Json:
    """Return the minutes of the jobs that are left, by rule; None where no time was recorded."""
    known = {
        rule: seconds[rule] * jobs.to_do / 60 if rule in seconds else None
        for rule, jobs in rules.items()
        if jobs.to_do and rule != "all"
    }
    return {rule: None if n is None else float(f"{n:.3g}") for rule, n in known.items()}
