"""The estimate of a whole study: its jobs, GPU hours, disk and command lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from limr.core import plugins
from limr.plan import cost
from limr.plan.cost import Range
from limr.plan.counts import Counts
from limr.plan.engines import Layout
from limr.plan.hardware import Gpu
from limr.plan.jobs import Jobs
from limr.plan.models import Size
from limr.study.study import Study

Json = dict[str, Any]
_WEIGHT_BYTES = 2.0  # per parameter of a saved policy


@dataclass(frozen=True)
class Assumptions:
    """What an estimate is made from; `counts` knows the study and where its results are."""

    counts: Counts
    size: Size  # of the base model
    gpu: Gpu
    response_tokens: float | None  # mean length as the user says it, None: assumed


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
    kept_bytes: Range  # what each job leaves behind, states apart
    states: tuple[int, ...] = ()  # steps that other runs start from

    @property
    def gpu_hours(self) -> Range:
        """GPU hours of each job."""
        return self.seconds.times(self.layout.gpus / 3600)

    def _starts(self) -> Json:
        if not self.states:
            return {}
        each = float(f"{self.layout.start_bytes / 1e9:.3g}")
        return {"states": list(self.states), "states_gb_each": each}

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
            **self._starts(),
            "state_gb_while_running": float(f"{self.layout.state_bytes / 1e9:.3g}"),
            "commands": [list(words) for words in self.layout.commands],
            "notes": list(self.layout.notes),
        }


def states(study: Study) -> Json:
    """Return the states that runs start from, of an engine on a CPU; nothing where there are none.

    GB of each and of all, and how many; those of runs on GPUs are told with the runs.
    """
    name = study.config["engine"]["train"]
    known = name in plugins.names("plans")
    size = getattr(plugins.load("plans", name), "state_bytes", None) if known else None
    n = sum(len(study.kept_states(arm)) * len(study.arms[arm].seeds) for arm in study.trained)
    if not n or not size:
        return {}
    each = size(study) / 1e9
    return {"states": {"n": n, "gb_each": float(f"{each:.3g}"), "gb": float(f"{n * each:.3g}")}}


def plans(study: Study) -> tuple[Callable[..., Layout] | None, Callable[..., Layout] | None]:
    """Return what plans training and what plans evaluations; None for what runs on a CPU."""
    known = plugins.names("plans")
    found = []
    for key, function in (("train", "training"), ("generate", "generation")):
        name = study.config["engine"][key]
        module = plugins.load("plans", name) if name in known else None
        found.append(getattr(module, function, None))
    return found[0], found[1]


def tasks(given: Assumptions) -> list[Task]:
    """Return the jobs that need GPUs; none where the study's engines run on a CPU.

    Raises InputError where an engine refuses the study.
    """
    study = given.counts.study
    training, generation = plans(study)
    found = [_training(given, name, training) for name in study.trained if training]
    if study.benchmarks and generation:
        layout = generation(study)
        found += [_evaluation(given, name, layout) for name in [*study.base, *study.trained]]
    return found


def _training(given: Assumptions, name: str, plan: Callable[..., Layout]) -> Task:
    study, parameters, said = given.counts.study, given.size.parameters, given.response_tokens
    arm, problems = study.arms[name], given.counts.arm(name)
    n = problems.n or study.config["ppo"]["prompts_per_step"]
    layout = plan(study, name, n, parameters)
    weights = len(arm.steps) * _WEIGHT_BYTES * parameters
    kept = Range(weights, weights, weights)
    if arm.train == "ppo":
        own = arm.settings
        if arm.start:  # the steps before are another run's
            own = {**own, "steps": own["steps"] - arm.start.step}
        seconds = cost.ppo_seconds(own, n, parameters, layout, given.gpu, said)
        kept += cost.rollout_bytes(own, n, said)
    else:
        longest = _longest_solution(study)
        seconds = cost.sft_seconds(arm.settings, longest, parameters, layout, given.gpu)
    runs = [
        given.counts.results / f"runs/{name}/seed{seed}/run.json" for seed in study.arms[name].seeds
    ]
    left = sum(not path.is_file() for path in runs)
    text = f"{n:,} ({problems.source})"
    states = study.kept_states(name)
    rule = study.rule("train", name)
    return Task(rule, name, len(runs), left, layout, seconds, text, kept, states)


def _longest_solution(study: Study) -> int:
    engine = study.engine_options("train")
    return int(engine.get("sft", {}).get("max_tokens", study.config["ppo"]["max_response_tokens"]))


def _evaluation(given: Assumptions, name: str, layout: Layout) -> Task:
    study, said = given.counts.study, given.response_tokens
    steps = study.arms[name].steps
    responses: Counter[int] = Counter()  # longest response in tokens -> how many
    unknown = []
    for benchmark, settings in study.benchmarks.items():
        n = given.counts.dataset(benchmark).n
        unknown += [] if n else [benchmark]
        for decoding in settings["decodings"]:
            made = decoding["samples"] if decoding["temperature"] else 1
            responses[decoding["max_tokens"]] += n * made
    seconds = cost.evaluation_seconds(
        responses, len(steps), given.size.parameters, layout, given.gpu, said
    )
    text = f"{responses.total():,} responses x {len(steps)} policies"
    text += f" (without {', '.join(unknown)}: size not known)" if unknown else ""
    tokens = cost.over(
        lambda case: sum(
            count * cost.response_tokens(case, longest, said)
            for longest, count in responses.items()
        )
    )
    kept = tokens.times(len(steps) * cost.BYTES_PER_TOKEN)
    folders = [given.counts.results / f"evals/{name}/seed{seed}" for seed in study.arms[name].seeds]
    files = [f"step{step}/{benchmark}.json" for step in steps for benchmark in study.benchmarks]
    left = sum(not all((folder / file).is_file() for file in files) for folder in folders)
    return Task(study.rule("evaluate", name), name, len(folders), left, layout, seconds, text, kept)


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
        **_all_states(found),
        "most_gpus_at_a_time": max((task.layout.gpus for task in found), default=0),
    }


def _all_states(found: list[Task]) -> Json:
    """Return the GB of all states that runs start from; nothing where there are none."""
    sizes = [task.jobs * len(task.states) * task.layout.start_bytes for task in found]
    return {"starts_gb": float(f"{sum(sizes) / 1e9:.3g}")} if sum(sizes) else {}


def processor_minutes(rules: Mapping[str, Jobs], seconds: Mapping[str, float]) -> Json:
    """Return the minutes of the jobs that are left, by rule; None where no time was recorded."""
    known = {
        rule: seconds[rule] * jobs.to_do / 60 if rule in seconds else None
        for rule, jobs in rules.items()
        if jobs.to_do and rule != "all"
    }
    return {rule: None if n is None else float(f"{n:.3g}") for rule, n in known.items()}
