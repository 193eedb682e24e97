"""PPO by OpenRLHF: see docs/openrlhf.md for how a run goes."""

from __future__ import annotations

from dataclasses import asdict

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.grading import rewards
from limr.grading.pool import GradingPool
from limr.models import prompt_templates
from limr.models.interface import PpoJob
from limr.train import drawing, runs, starts
from limr.train.embedded.order import Order
from limr.train.openrlhf import command, layout, prompts, recording, run
from limr.train.openrlhf.checkpoints import PPO_ROLES, PUBLISHED
from limr.train.openrlhf.ray import launcher
from limr.train.openrlhf.task import Task

MOST_REWARD = 10.0  # the trainer clips rewards there
# A pair that needs the algebra system: it shows whether its workers start, before GPUs are busy.
_PAIR = ("x^2-1", "\\boxed{(x-1)(x+1)}", False, "x^2-1 = ?")


def train_ppo(job: PpoJob) -> None:
    """Train by PPO; see `limr.models.interface.PpoJob` for the outputs.

    Raises InputError where settings, prompts or the model do not fit, or the trainer failed.
    """
    ppo, options = job.ppo, job.options
    runs.check_steps(job, ppo["steps"])
    planned = layout.check_ppo(options, ppo, sorted({*job.policies, *job.states}))
    order = starts.order(job, starts.read_record(job, run.about(job) if job.start else {}))
    layout.check_problems(options, ppo, order, job.arm)
    check_rewards(job)
    tokenizer = prompts.load_tokenizer(job.base)
    template = prompts.template_of(job.base, tokenizer)
    ends = prompts.end_ids(job.base, tokenizer, template)
    limit = ppo["max_prompt_tokens"]
    texts = prompts.rendered(job, template, tokenizer, limit)
    prompts.model_with_positions(
        job.base, job.state, limit + ppo["max_response_tokens"], may_raise=False
    )
    with GradingPool(job.grader, workers=1) as pool:
        pool.grade_many([_PAIR])
    ids = [problem.problem_id for problem in job.problems]
    drawing.check_pool(job.sampler, order.problems, order.size, f"arm '{job.arm}'")
    expected = recording.Expected(
        ids, order, ppo["samples_per_prompt"], ppo["steps"], (job.sampler or {}).get("tries"),
        before=job.done_before, counted=job.sampler is not None,
    )  # fmt: skip
    settings = {"ppo": dict(ppo), "reward": dict(job.reward), **drawing.settings(job)}
    with run.running(job, settings, PPO_ROLES) as running:
        for line in planned.described():
            note(f"{job.arm}: {line}")
        data = running.folder.path("prompts.jsonl")
        prompts.write_prompts(data, job.problems, texts)
        _attempt(running, job, order, expected, ends, template)
        _publish(running, job, expected, planned.gpus)


def check_rewards(job: PpoJob) -> None:
    """Refuse rewards that the trainer would clip."""
    for reward in rewards.values(job.reward):
        if abs(reward) > MOST_REWARD:
            raise InputError(
                f"arm '{job.arm}': a reward is {reward:g}; OpenRLHF clips rewards to "
                f"+-{MOST_REWARD:g}."
            )


def _attempt(
    running: run.Run,
    job: PpoJob,
    order: Order,
    expected: recording.Expected,
    ends: list[int],
    template: str,
) -> None:
    folder, ppo = running.folder, job.ppo
    kept = sorted({*running.kept, *job.states})
    start = run.begin(running, lambda: recording.recorded(folder.root, expected), ppo["steps"])
    if start is None:
        return
    begin = command.Start(
        job.base.resolve(),
        folder.path("prompts.jsonl"),
        folder.root,
        folder.attempts,
        start,
        run.attempt_seed(job, start),
    )
    task = Task(
        module=command.PPO_MODULE,
        arguments=command.ppo(
            job.options, ppo, order, kept, begin, filtered=expected.tries is not None
        ),
        folder=str(folder.root),
        attempt=folder.attempts,
        start=start,
        steps=ppo["steps"],
        policies=running.kept,
        save_every=layout.checkpoint_every(
            job.options["checkpoint_every"], kept, job.ppo["steps"], layout.AT
        ),
        kept_checkpoints=layout.KEPT,
        nodes=job.options["nodes"],
        gpus=job.options["nodes"] * job.options["gpus_per_node"],
        ray_start_seconds=job.options["ray_start_seconds"],
        data=str(begin.data),
        order=asdict(order),
        grader=dict(job.grader),
        reward=dict(job.reward),
        stops=[*prompt_templates.find(template).stops, *job.options["stop"]],
        ends=ends,
        tries=expected.tries,
        drawn=recording.drawn(folder.root, expected, start),
        states=sorted(job.states),
        fresh=job.start is not None and job.start.optimizer == "fresh" and start == job.start.step,
    )
    nodes, seconds = task.nodes, task.ray_start_seconds
    wrapper = None
    if nodes > 1:  # Ray over the nodes of the SLURM job that this is
        log = folder.path("logs", f"ray-{task.attempt:03}")
        wrapper = launcher.wrapper(nodes, job.options["gpus_per_node"], seconds, log)
    run.execute(running, task, wrapper)


def _publish(running: run.Run, job: PpoJob, expected: recording.Expected, gpus: int) -> None:
    root, where = running.folder.root, f"arm '{job.arm}'"
    running.checkpoints.states.check_before_publishing(PUBLISHED)
    found = recording.rollouts(root)
    recording.check(found, expected, where)
    metrics = recording.ppo_metrics(found, recording.metrics(root), expected, where)
    notes = recording.failures(found)
    for line in notes:
        note(f"{job.arm}: {line}")
    run.publish_policies(running)
    run.publish_states(running, job, expected.order)
    files.write_parquet(job.rollouts, recording.rollouts_table(found, expected))
    files.write_parquet(job.metrics, metrics)
    seconds = sum(value or 0.0 for value in metrics["seconds"].to_pylist())
    run.publish_record(running, seconds, recording.attempt_starts(root / "rollouts"), notes, gpus)
