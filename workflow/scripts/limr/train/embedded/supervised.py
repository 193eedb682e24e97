"""Supervised training: the base policy's warm-up, and arms trained on worked solutions."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import torch

from limr.core import provenance, working_folder
from limr.core.random_streams import stream, stream_seed
from limr.models.interface import BaseJob, Settings, SftJob
from limr.problems import arithmetic
from limr.train import runs
from limr.train.embedded import checkpoints, packing, run, vocabulary
from limr.train.embedded import model as models
from limr.train.embedded import optimizer as optimizers
from limr.train.embedded.forward import weights_of
from limr.train.embedded.order import Order
from limr.train.embedded.vocabulary import Vocabulary


def accumulate(policy: models.Policy, pairs: Sequence[packing.Pair], micro_batch: int) -> float:
    """Add the gradient of the mean cross-entropy per target token; return that mean (nats).

    Pairs go through the model `micro_batch` at a time, sorted by length, each part weighted by its
    share of the target tokens: the gradient is that of the whole batch.
    """
    ordered = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    total = sum(len(target) for _, target in pairs)
    mean = 0.0
    for start in range(0, len(ordered), micro_batch):
        part = ordered[start : start + micro_batch]
        packed = packing.pack_pairs(part, policy.device)
        hidden = packing.states(weights_of(policy.model), packed)
        log_p = packing.log_probabilities(hidden, policy.lm_head.weight, packed.targets)
        loss = -log_p.sum() / total
        torch.autograd.backward(loss)
        mean += float(loss.detach())
    return mean


def make_base(job: BaseJob) -> None:
    """Train the base policy on the generator's imperfect examples (`warmup_examples`).

    It learns from no prompt of `job.held_out`. The learning rate follows a cosine.
    """
    device = run.device_of(job.options)
    warmup = job.base["warmup"]
    steps, size = warmup["steps"], warmup["batch_size"]
    seed = warmup["seed"]
    avoid = frozenset(problem.prompt for problem in job.held_out)
    settings = {"base": dict(job.base), "options": dict(job.options), "avoid": sorted(avoid)}
    with working_folder.opened(job.state, provenance.digest(settings)) as state:
        words = Vocabulary(tuple(arithmetic.TOKENS))
        policy = models.new_policy(job.base, words, stream_seed(seed, "base")).to(device)
        optimizer = optimizers.Adam(list(policy.parameters()), (0.9, 0.95))
        examples = _examples(warmup, avoid)
        done = 0
        if (found := checkpoints.load(state, device)) is not None:
            policy.load_state_dict(found["policy"])
            optimizer.load_state_dict(found["optimizer"])
            done = found["step"]
        for number in range(done + 1, steps + 1):
            some = examples[(number - 1) * size : number * size]
            pairs = [(words.encode(prompt), words.encode(target)) for prompt, target in some]
            loss = accumulate(policy, pairs, job.options["micro_batch"])
            rate = optimizers.cosine(warmup["learning_rate"], number, warmup["warmup_steps"], steps)
            optimizer.step(rate, 1.0)
            if number % max(1, steps // 10) == 0:
                sys.stderr.write(f"base  step {number}/{steps}  loss {loss:.3f}\n")
                parts = {"policy": policy.state_dict(), "optimizer": optimizer.state_dict()}
                checkpoints.save(state, number, {"step": number, **parts})
        models.save_policy(policy, words, job.policy)
        state.remove()


def _examples(warmup: Settings, avoid: Collection[str]) -> list[tuple[str, str]]:
    """Return the warm-up's prompts and targets; a share of the targets is made clean.

    The generator's own targets are imperfect (`warmup_examples`); a clean one is the worked
    solution. The share sets how good the base is.
    """
    seed, count = warmup["seed"], warmup["steps"] * warmup["batch_size"]
    examples = arithmetic.warmup_examples(
        count, seed, avoid, warmup["levels"], warmup.get("easy_share", 0)
    )
    clean = stream(seed, "clean examples").random(count) < warmup["clean_share"]
    return [
        (prompt, arithmetic.solution(prompt) if whole else target)
        for (prompt, target), whole in zip(examples, clean, strict=True)
    ]


def train_sft(job: SftJob) -> None:
    """Fine-tune the base policy on worked solutions, cross-entropy on the solution's tokens.

    Raises InputError where a problem has no solution, or a policy beyond the last step is asked
    for.
    """
    settings = job.sft
    words = vocabulary.load(job.base)
    pairs = _solutions(job, words)
    with run.running(
        job, {"sft": dict(settings), "solutions": dict(job.solutions)}, settings["steps"]
    ) as running:
        policy = models.load_policy(job.base, running.device)
        optimizer = optimizers.Adam(list(policy.parameters()), settings["adam_betas"])
        order = Order(len(pairs), settings["batch_size"], False, job.seed, job.arm)

        def step(number: int) -> run.Row:
            batch = [pairs[index] for index in order.batch(number)]
            loss = accumulate(policy, batch, job.options["micro_batch"])
            rate = optimizers.warmed_up(settings["learning_rate"], number, settings["warmup_steps"])
            optimizer.step(rate, settings["max_grad_norm"])
            tokens = sum(len(prompt) + len(target) for prompt, target in batch)
            return {"epoch": order.epoch(number), "loss": loss, "tokens": tokens}

        run.train(
            running,
            step,
            {"policy": policy, "optimizer": optimizer},
            lambda folder: models.save_policy(policy, words, folder),
        )


def _solutions(job: SftJob, words: Vocabulary) -> list[packing.Pair]:
    runs.check_solutions(job)
    prompts = run.encode_prompts(job, words, None)
    targets = [words.encode(job.solutions[problem.problem_id]) for problem in job.problems]
    return list(zip(prompts, targets, strict=True))
