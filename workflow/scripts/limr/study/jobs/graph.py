"""The jobs of a study as a graph, without Snakemake: what is wanted, and what is there already.

Derived files are those of `limr.archive`, which a test holds against the rules; runs, evaluations
and downloads are added here. Counting takes a fraction of the time that a dry run does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from limr.core import plugins
from limr.study.jobs import all as all_jobs
from limr.study.study import Study


@dataclass(frozen=True)
class Node:
    """A job: its rule, what it reads and what it makes, as paths from the project's folder."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def nodes(study: Study) -> Iterator[Node]:
    """Yield every job that a study may have, wanted or not."""
    results = f"results/{study.name}"
    for name in study.files():
        yield Node("fetch_source", (), (f"{results}/sources/{name}",))
    for path in _looks(study):
        yield Node("preflight", (), (path,))
    problems = tuple(f"{results}/problems/{name}.jsonl" for name in study.datasets)
    yield Node("make_base", problems, (f"{results}/base",))
    for name in study.sampled:
        dataset = study.config["trajectories"][name].get("dataset") or study.config["dataset"]
        read = (f"{results}/base", f"{results}/problems/{dataset}.jsonl")
        made = tuple(f"{results}/samples/{name}.{end}" for end in ("parquet", "json"))
        yield Node("sample_base", read, made)
    yield from _runs(study)
    for derived in all_jobs.DERIVED.values():
        for job in derived(study):
            # Two rules share a script: learning curves and published scores are both read.
            scores = job.script == "import_trajectories" and "selector" in job.wildcards
            rule = "import_scores" if scores else job.script
            yield Node(rule, tuple(job.inputs), tuple(job.outputs))


def _looks(study: Study) -> list[str]:
    """Return the reports on the nodes with GPUs that a study wants before its jobs."""
    work = {"train": study.trained, "generate": study.benchmarks}
    known = plugins.names("plans")
    engine = study.config["engine"]
    return [
        f"results/{study.name}/preflight/{kind}.json"
        for kind, wanted_for in work.items()
        if wanted_for and engine[kind] in known
    ]


def _runs(study: Study) -> Iterator[Node]:
    """Yield training runs and evaluations."""
    results = f"results/{study.name}"
    questions = tuple(f"{results}/problems/{benchmark}.jsonl" for benchmark in study.benchmarks)
    for name in [*study.base, *study.trained]:
        arm = study.arms[name]
        for seed in study.seeds:
            run = f"{results}/runs/{name}/seed{seed}"
            policies: tuple[str, ...] = (f"{results}/base",)
            if arm.train != "none":
                read = [*policies, f"{results}/subsets/{name}.jsonl"]
                if arm.train == "sft":
                    read.append(f"{results}/solutions/{study.arm_dataset(name)}.jsonl")
                tables = ["metrics.parquet", "run.json"]
                tables += ["rollouts.parquet"] if arm.train == "ppo" else []
                policies = tuple(f"{run}/policy/step{step}" for step in arm.steps)
                made = (*(f"{run}/{table}" for table in tables), *policies)
                yield Node(study.rule("train", name), tuple(read), made)
            at = f"{results}/evals/{name}/seed{seed}"
            made = tuple(
                f"{at}/step{step}/{benchmark}.{end}"
                for step in arm.steps
                for benchmark in study.benchmarks
                for end in ("parquet", "json")
            )
            if made:
                yield Node(study.rule("evaluate", name), (*policies, *questions), made)


def wanted(study: Study) -> list[Node]:
    """Return the jobs that a study needs for its subsets and its report, each after its inputs."""
    maker = {path: node for node in nodes(study) for path in node.outputs}
    results = f"results/{study.name}"
    targets = [*_looks(study), f"{results}/report.html"]
    targets += [
        f"{results}/subsets/{arm}.{end}" for arm in study.selected for end in ("jsonl", "json")
    ]
    found: dict[Node, None] = {}
    opened: set[Node] = set()
    stack = [maker[path] for path in reversed(targets) if path in maker]
    while stack:
        node = stack.pop()
        if node in found:
            continue
        before = [maker[path] for path in node.inputs if path in maker]
        left = [other for other in before if other not in found and other not in opened]
        if left and node not in opened:
            opened.add(node)
            stack += [node, *left]
        else:
            found[node] = None
    return list(found)


def count(study: Study, folder: Path) -> dict[str, tuple[int, int]]:
    """Return rule -> (jobs in all, jobs to do), in an order in which they can run.

    A job is to be done where an output is not there or a job before it is to be done. Changed
    settings and edited code are not looked at: that is what Snakemake's dry run is for.

    Args:
        study: a checked study.
        folder: where its results/ is.
    """
    every: Counter[str] = Counter()
    left: Counter[str] = Counter()
    to_make: set[str] = set()
    for node in wanted(study):
        there = all((folder / path).exists() for path in node.outputs)
        every[node.rule] += 1
        if not there or to_make & set(node.inputs):
            left[node.rule] += 1
            to_make |= set(node.outputs)
    if set(left) <= {"preflight"}:  # nodes are looked at for work that is left
        left.clear()
    done = not left
    return {rule: (n, left[rule]) for rule, n in every.items()} | {"all": (1, 0 if done else 1)}
