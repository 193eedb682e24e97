"""Supervised fine-tuning by OpenRLHF, on one node: see docs/openrlhf.md."""

from __future__ import annotations

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.models.interface import SftJob
from limr.train import runs
from limr.train.openrlhf import command, layout, prompts, recording, run
from limr.train.openrlhf.checkpoints import PUBLISHED, SFT_ROLES
from limr.train.openrlhf.task import Task


def train_sft(job: SftJob) -> None:
    """Fine-tune the base policy on worked solutions; see `limr.models.interface.SftJob`.

    Raises InputError where settings, solutions or the model do not fit, or the trainer failed.
    """
    own = job.options["sft"]
    runs.check_steps(job, job.sft["steps"])
    gpus = layout.check_sft(job.options, job.sft, sorted(job.policies))
    tokenizer = prompts.load_tokenizer(job.base)
    template = prompts.template_of(job.base, tokenizer)
    prompts.end_ids(job.base, tokenizer, template)
    texts = prompts.rendered(job, template, tokenizer, None)
    rows, long = prompts.with_solutions(job, texts, tokenizer)
    if len(rows) < gpus * own["micro_batch"]:
        raise InputError(
            f"arm '{job.arm}': {len(rows)} solutions are fewer than GPUs x micro_batch = "
            f"{gpus * own['micro_batch']}. Take fewer GPUs."
        )
    notes = []
    if long:
        notes = [f"{len(long)} solutions are too long and were left out: {', '.join(long)}"]
    for line in notes:
        note(f"{job.arm}: {line}")
    with run.running(job, {"sft": dict(job.sft), "solutions": rows}, SFT_ROLES) as running:
        files.write_jsonl(running.folder.path("solutions.jsonl"), rows)
        _attempt(running, job, gpus, len(rows))
        _publish(running, job, gpus, len(rows), notes)


def _attempt(running: run.Run, job: SftJob, gpus: int, solutions: int) -> None:
    folder, steps = running.folder, job.sft["steps"]

    def recorded() -> int:
        logged = recording.metrics(folder.root)
        return next((n for n in range(steps) if n + 1 not in logged), steps)

    start = run.begin(running, recorded, steps, models=1)
    if start is None:
        return
    model = prompts.model_with_positions(
        job.base, folder.path("model"), job.options["sft"]["max_tokens"], may_raise=True
    )
    begin = command.Start(
        model.resolve(),
        folder.path("solutions.jsonl"),
        folder.root,
        folder.attempts,
        start,
        run.attempt_seed(job, 0),  # it orders the solutions: the same in every attempt
    )
    task = Task(
        module=command.SFT_MODULE,
        arguments=command.sft(job.options, job.sft, solutions, running.kept, begin),
        folder=str(folder.root),
        attempt=folder.attempts,
        start=start,
        steps=steps,
        policies=running.kept,
        save_every=layout.checkpoint_every(
            job.options["sft"]["checkpoint_every"], running.kept, job.sft["steps"], layout.AT
        ),
        kept_checkpoints=layout.KEPT,
        gpus=gpus,
        data=str(begin.data),
    )
    wrapper = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"]
    run.execute(running, task, wrapper)


def _publish(running: run.Run, job: SftJob, gpus: int, solutions: int, notes: list[str]) -> None:
    running.checkpoints.states.check_before_publishing(PUBLISHED)
    logged = recording.metrics(running.folder.root)
    micro = gpus * job.options["sft"]["micro_batch"]
    an_epoch = max(1, solutions // micro) * micro
    rows = []
    for step in range(1, job.sft["steps"] + 1):
        if step not in logged:
            raise InputError(f"arm '{job.arm}': the trainer logged no metrics of step {step}.")
        epoch = (step - 1) * job.sft["batch_size"] // an_epoch
        rows.append({"step": step, "epoch": epoch, "loss": logged[step].get("loss_mean")})
    run.publish_policies(running)
    files.write_parquet(job.metrics, runs.metrics_table(rows))
    starts = recording.attempt_starts(running.folder.path("metrics"))
    run.publish_record(running, 0.0, starts, notes, gpus)
