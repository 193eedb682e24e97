"""PPO on verdicts: sample, grade, estimate advantages, update policy and critic.

The policy that PPO improves is the one that samples: softmax(logits / temperature). Rollouts,
reference and updates all use its log-probabilities, so the ratio in the loss is the true one and
the sampler's own log-probabilities serve as the old ones (docs/deviations.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from limr import io
from limr.embedded import losses, packing, run, sampling, vocabulary
from limr.embedded import model as models
from limr.embedded import optimizer as optimizers
from limr.embedded.forward import Weights, weights_of
from limr.embedded.order import Order
from limr.engine import PpoJob, Settings
from limr.grading.grade import Grader
from limr.records import ROLLOUTS, VERDICTS
from limr.streams import stream, stream_seed


@dataclass(frozen=True)
class Batch:
    """One step's rollouts, ready to learn from. Matrices are (samples, places)."""

    prompts: Sequence[Sequence[int]]  # token ids
    owners: Sequence[int]  # each sample's prompt
    responses: Sequence[Sequence[int]]  # token ids, the end token included
    mask: Tensor  # bool: there is a token
    old_log_p: Tensor
    old_values: Tensor
    advantages: Tensor
    targets: Tensor  # of the critic

    def packed(self, rows: Sequence[int], device: torch.device) -> packing.Packed:
        """Pack some samples with the prompts that they need."""
        return _packed(self.prompts, self.owners, self.responses, rows, device)


def _packed(
    prompts: Sequence[Sequence[int]],
    owners: Sequence[int],
    responses: Sequence[Sequence[int]],
    rows: Sequence[int],
    device: torch.device,
) -> packing.Packed:
    needed = sorted({owners[row] for row in rows})
    place = {prompt: number for number, prompt in enumerate(needed)}
    return packing.pack(
        [prompts[prompt] for prompt in needed],
        [place[owners[row]] for row in rows],
        [responses[row] for row in rows],
        device,
    )


class Learner:
    """Policy, critic, reference and optimizers of one run."""

    def __init__(self, job: PpoJob, device: torch.device) -> None:
        self.job, self.ppo, self.device = job, job.ppo, device
        self.policy = models.load_policy(job.base, device)
        self.critic = models.new_critic(job.base, job.seed, device)
        self.reference: Any = None
        if self.ppo["kl_coefficient"] > 0:
            self.reference = models.load_policy(job.base, device).requires_grad_(False)
        betas = self.ppo["adam_betas"]
        self.policy_optimizer = optimizers.adam(list(self.policy.parameters()), betas)
        self.critic_optimizer = optimizers.adam(list(self.critic.parameters()), betas)

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {
            "policy": self.policy,
            "critic": self.critic,
            "policy_optimizer": self.policy_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }

    def sample(self, prompts: Sequence[Sequence[int]], step: int) -> sampling.Samples:
        """Draw the step's rollouts from the stream (seed, rollouts, arm, step)."""
        seed = stream_seed(self.job.seed, "rollouts", self.job.arm, step)
        drawing = sampling.Drawing(
            self.ppo["samples_per_prompt"],
            self.ppo["temperature"],
            self.ppo["top_p"],
            self.ppo["max_response_tokens"],
        )
        with torch.no_grad():
            weights = weights_of(models.body_of(self.policy))
            output = self.policy.lm_head.weight
            generator = torch.Generator().manual_seed(seed)
            return sampling.draw(weights, output, prompts, drawing, generator)

    def prepare(
        self, prompts: Sequence[Sequence[int]], samples: sampling.Samples, scores: Sequence[float]
    ) -> tuple[Batch, float | None]:
        """Return the batch with its advantages, and the mean KL a token (None without one)."""
        count, places = samples.tokens.shape
        responses, mask = samples.responses(), samples.mask
        owners = [row // self.ppo["samples_per_prompt"] for row in range(count)]
        values, reference = self._score(prompts, owners, responses, mask)
        kl = None
        if reference is not None:
            kl = torch.where(mask, losses.kl_estimate(samples.log_probabilities, reference), 0.0)
        rewards = losses.token_rewards(
            torch.tensor(scores, dtype=torch.float32, device=self.device),
            kl,
            self.ppo["kl_coefficient"],
            samples.lengths,
            places,
        )
        gamma, lam = self.ppo["gamma"], self.ppo["gae_lambda"]
        advantages, targets = losses.advantages(rewards, values, mask, gamma, lam)
        if self.ppo["whiten_advantages"]:
            advantages = losses.whiten(advantages, mask)
        batch = Batch(
            prompts,
            owners,
            responses,
            mask,
            samples.log_probabilities,
            values,
            advantages,
            targets,
        )
        return batch, None if kl is None else float(kl[mask].mean())

    @torch.no_grad()
    def _score(
        self,
        prompts: Sequence[Sequence[int]],
        owners: Sequence[int],
        responses: Sequence[Sequence[int]],
        mask: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the critic's values and the reference's log-probabilities, as matrices."""
        critic = weights_of(models.body_of(self.critic))
        reference = None if self.reference is None else weights_of(models.body_of(self.reference))
        values = torch.zeros(mask.shape, device=self.device)
        log_p = torch.zeros(mask.shape, device=self.device)
        for rows in _parts(range(len(owners)), self.job.options["micro_batch"]):
            packed = _packed(prompts, owners, responses, rows, self.device)
            some, here = torch.tensor(rows, device=self.device), mask[list(rows)]
            values[some] = _spread(self.critic.value(packing.states(critic, packed))[:, 0], here)
            if reference is not None:
                log_p[some] = _spread(self._log_p(self.reference, reference, packed), here)
        return values, None if reference is None else log_p

    def _log_p(self, policy: Any, weights: Weights, packed: packing.Packed) -> Tensor:
        hidden = packing.states(weights, packed)
        output, temperature = policy.lm_head.weight, self.ppo["temperature"]
        return packing.log_probabilities(hidden, output, packed.targets, temperature)

    def learn(self, batch: Batch, step: int) -> run.Row:
        """Go through the batch `epochs_per_batch` times; return the mean losses."""
        sums: Counter[str] = Counter()
        minibatches = list(self._minibatches(batch, step))
        for number, rows in enumerate(minibatches):
            sums.update(self._accumulate(batch, rows))
            update = (step - 1) * len(minibatches) + number + 1
            for optimizer, name in (
                (self.policy_optimizer, "actor_learning_rate"),
                (self.critic_optimizer, "critic_learning_rate"),
            ):
                rate = optimizers.warmed_up(self.ppo[name], update, self.ppo["warmup_steps"])
                optimizers.step(optimizer, rate, self.ppo["max_grad_norm"])
        tokens = sums.pop("tokens")
        return {name: value / tokens for name, value in sums.items()}

    def _minibatches(self, batch: Batch, step: int) -> Iterator[list[int]]:
        """Yield the samples of each optimizer step: prompts shuffled, their samples together.

        Samples of one prompt share its tokens in a packed batch, which is worth the order.
        """
        each = self.ppo["samples_per_prompt"]
        for number in range(self.ppo["epochs_per_batch"]):
            generator = stream(self.job.seed, "minibatches", self.job.arm, step, number)
            order = generator.permutation(len(batch.prompts)).tolist()
            samples = [prompt * each + sample for prompt in order for sample in range(each)]
            yield from _parts(samples, self.ppo["train_batch_size"])

    def _accumulate(self, batch: Batch, rows: Sequence[int]) -> run.Row:
        """Add the gradients of one optimizer step: means over its tokens; return sums."""
        total = int(batch.mask[list(rows)].sum())
        sums: Counter[str] = Counter()
        for part in _parts(rows, self.job.options["micro_batch"]):
            packed = batch.packed(part, self.device)
            some = torch.tensor(part, device=self.device)
            here = batch.mask[some]
            log_p = self._log_p(self.policy, weights_of(models.body_of(self.policy)), packed)
            policy_loss, clipped = losses.policy_loss(
                log_p,
                batch.old_log_p[some][here],
                batch.advantages[some][here],
                self.ppo["clip"],
            )
            hidden = packing.states(weights_of(models.body_of(self.critic)), packed)
            value_loss = losses.value_loss(
                self.critic.value(hidden)[:, 0],
                batch.old_values[some][here],
                batch.targets[some][here],
                self.ppo["value_clip"],
            )
            ((policy_loss.sum() + value_loss.sum()) / total).backward()
            sums["policy_loss"] += float(policy_loss.detach().sum())
            sums["value_loss"] += float(value_loss.detach().sum())
            sums["clip_fraction"] += float(clipped.sum())
        return {**sums, "tokens": total}


def _parts(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _spread(values: Tensor, mask: Tensor) -> Tensor:
    """Return a matrix with the values, in order, where the mask is True, and 0 elsewhere."""
    return torch.zeros(mask.shape, device=values.device).masked_scatter(mask, values)


def train_ppo(job: PpoJob) -> None:
    """Train by PPO; see `limr.engine.PpoJob` for what is written.

    Raises:
        InputError: a policy asked for beyond the last step, prompts that are too long.
    """
    ppo = job.ppo
    settings = {"ppo": dict(ppo), "reward": dict(job.reward)}
    words = vocabulary.load(job.base)
    prompts = run.encode_prompts(job, words, ppo["max_prompt_tokens"])
    order = Order(len(prompts), ppo["prompts_per_step"], ppo["drop_last"], job.seed, job.arm)
    with run.running(job, settings, ppo["steps"]) as running:
        learner = Learner(job, running.device)
        grader = Grader(dict(job.grader))

        def step(number: int) -> run.Row:
            chosen = order.batch(number)
            samples = learner.sample([prompts[index] for index in chosen], number)
            rollouts = _rollouts(job, chosen, samples, words, grader)
            rollouts["step"] = [number] * len(samples.lengths)
            rollouts["epoch"] = [order.epoch(number)] * len(samples.lengths)
            io.write_parquet(
                running.state.path("rollouts", f"{number:06}.parquet"), _table(rollouts)
            )
            batch, kl = learner.prepare(
                [prompts[index] for index in chosen], samples, rollouts["reward"]
            )
            means = learner.learn(batch, number)
            return {
                "epoch": order.epoch(number),
                "kl": kl,
                **_summary(batch, samples, rollouts),
                **means,
            }

        run.train(
            running,
            step,
            learner.parts(),
            lambda folder: models.save_policy(learner.policy, words, folder),
        )
        tables = [
            io.read_parquet(running.state.path("rollouts", f"{number:06}.parquet"), ROLLOUTS)
            for number in range(1, ppo["steps"] + 1)
        ]
        io.write_parquet(job.rollouts, pa.concat_tables(tables).combine_chunks())


def _rollouts(
    job: PpoJob,
    chosen: Sequence[int],
    samples: sampling.Samples,
    words: vocabulary.Vocabulary,
    grader: Grader,
) -> dict[str, list[Any]]:
    """Grade the samples; return the columns of `limr.records.ROLLOUTS` without step and epoch."""
    each = job.ppo["samples_per_prompt"]
    problems = [job.problems[index] for index in chosen for _ in range(each)]
    texts = [words.decode(response) for response in samples.responses()]
    truncated = samples.truncated()
    verdicts = [
        grader.grade(problem.answer, text, truncated=cut).verdict
        for problem, text, cut in zip(problems, texts, truncated, strict=True)
    ]
    return {
        "problem_id": [problem.problem_id for problem in problems],
        "sample": list(range(each)) * len(chosen),
        "reward": [job.reward[verdict] for verdict in verdicts],
        "verdict": verdicts,
        "response_tokens": samples.lengths.tolist(),
        "truncated": truncated,
        "response": texts,
    }


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    codes = [VERDICTS.index(verdict) for verdict in columns["verdict"]]
    verdict = pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int8()), pa.array(VERDICTS, pa.string())
    )
    arrays = [
        verdict if name == "verdict" else pa.array(columns[name], ROLLOUTS.field(name).type)
        for name in ROLLOUTS.names
    ]
    return pa.Table.from_arrays(arrays, schema=ROLLOUTS)


def _summary(batch: Batch, samples: sampling.Samples, rollouts: dict[str, list[Any]]) -> run.Row:
    """Return a step's means over samples, entropy over tokens, and the tokens trained on."""
    count = len(rollouts["reward"])
    prompt_tokens = sum(len(batch.prompts[owner]) for owner in batch.owners)
    return {
        "mean_reward": sum(rollouts["reward"]) / count,
        "accuracy": rollouts["verdict"].count("correct") / count,
        "malformed": rollouts["verdict"].count("malformed") / count,
        "truncated": sum(rollouts["truncated"]) / count,
        "response_tokens": sum(rollouts["response_tokens"]) / count,
        "entropy": float(samples.entropies[samples.mask].mean()),
        "tokens": prompt_tokens + sum(rollouts["response_tokens"]),
    }
