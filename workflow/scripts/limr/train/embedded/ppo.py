"""PPO on verdicts: sample, grade, estimate advantages, update policy and critic.

The policy that PPO improves is the one that samples: softmax(logits / temperature). Rollouts,
reference and updates all use its log-probabilities, so the ratio in the loss is the true one and
the sampler's own log-probabilities serve as the old ones (docs/deviations.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from limr.core import files
from limr.core.random_streams import stream, stream_seed
from limr.core.tables import ROLLOUTS
from limr.grading import rewards
from limr.grading.pool import GradingPool
from limr.models.interface import Decoding, PpoJob, Start
from limr.train import drawing as drawings
from limr.train import runs, starts
from limr.train.embedded import checkpoints, losses, packing, rollouts, run, sampling, vocabulary
from limr.train.embedded import model as models
from limr.train.embedded import optimizer as optimizers
from limr.train.embedded.batch import Batch, Sequences, parts, spread
from limr.train.embedded.forward import Weights, weights_of
from limr.train.embedded.order import Order

STATE = "state.pt"  # in the folder of a state that other runs start from


class Learner:
    """Policy, critic, reference and optimizers of one run."""

    def __init__(self, job: PpoJob, device: torch.device) -> None:
        self.job, self.ppo, self.device = job, job.ppo, device
        self.policy = models.load_policy(job.base, device)
        self.critic = models.new_critic(job.base, job.seed, device)
        self.reference: models.Policy | None = None  # without a KL penalty nothing needs it
        if self.ppo["kl_coefficient"] > 0:
            self.reference = models.load_policy(job.base, device).requires_grad_(False)
        betas = self.ppo["adam_betas"]
        self.policy_optimizer = optimizers.Adam(list(self.policy.parameters()), betas)
        self.critic_optimizer = optimizers.Adam(list(self.critic.parameters()), betas)
        self.warmed_before = 0  # the step after which the optimizers began
        if job.start is not None:
            self._go_on_from(job.start)

    def _go_on_from(self, start: Start) -> None:
        """Take over policy and critic of another run's state, and its optimizers if kept."""
        found = checkpoints.read(start.state / STATE, self.device)
        kept = start.optimizer == "kept"
        for name, part in self.saved().items():
            if kept or not name.endswith("_optimizer"):
                part.load_state_dict(found[name])
        self.warmed_before = found["warmed_before"] if kept else start.step

    def keep_state(self, folder: Path, step: int, order: Order, about: dict[str, Any]) -> None:
        """Write what other runs start from, whole or not at all."""
        with files.atomic(folder) as temporary:
            temporary.mkdir()
            states = {name: part.state_dict() for name, part in self.saved().items()}
            value = {**states, "warmed_before": self.warmed_before}
            checkpoints.write(temporary / STATE, value)
            starts.write_record(temporary, self.job, step, order, about)

    def saved(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {
            "policy": self.policy,
            "critic": self.critic,
            "policy_optimizer": self.policy_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }

    @torch.no_grad()
    def sample(
        self, prompts: Sequence[Sequence[int]], step: int, tried: int = 0
    ) -> sampling.Samples:
        """Draw rollouts from the stream (seed, rollouts, the way's first arm, step).

        `tried`: how often the step has drawn before; its number then follows in the stream's name.
        """
        again = (tried,) if tried else ()
        seed = stream_seed(self.job.seed, "rollouts", self.job.streams, step, *again)
        decoding = Decoding(
            "rollouts",
            self.ppo["samples_per_prompt"],
            self.ppo["temperature"],
            self.ppo["top_p"],
            self.ppo["max_response_tokens"],
        )
        weights, output = weights_of(self.policy.model), self.policy.lm_head.weight
        return sampling.draw(
            weights, output, prompts, decoding, torch.Generator().manual_seed(seed)
        )

    def prepare(
        self, sequences: Sequences, samples: sampling.Samples, scores: Sequence[float]
    ) -> tuple[Batch, float | None]:
        """Return the batch with its advantages, and the mean KL per token (without one None)."""
        mask, old_log_p = sequences.mask, samples.log_probabilities
        values, reference = self._score(sequences)
        kl = None
        if reference is not None:
            kl = torch.where(mask, losses.kl_estimate(old_log_p, reference), 0.0)
        rewards = losses.token_rewards(
            torch.tensor(scores, dtype=torch.float32, device=self.device),
            kl,
            self.ppo["kl_coefficient"],
            samples.lengths,
            mask.shape[1],
        )
        gamma, lam = self.ppo["gamma"], self.ppo["gae_lambda"]
        advantages, targets = losses.advantages(rewards, values, mask, gamma, lam)
        if self.ppo["whiten_advantages"]:
            advantages = losses.whiten(advantages, mask)
        batch = Batch(sequences, old_log_p, values, advantages, targets)
        return batch, None if kl is None else float(kl[mask].mean())

    @torch.no_grad()
    def _score(self, sequences: Sequences) -> tuple[Tensor, Tensor | None]:
        """Return the critic's values and the reference's log-probabilities, as matrices."""
        critic, reference = weights_of(self.critic.body), self.reference
        frozen = None if reference is None else weights_of(reference.model)
        values, log_p = [], []
        for rows in sequences.parts(self.job.options["micro_batch"]):
            packed, mask = sequences.packed(rows), sequences.mask[rows]
            values.append(spread(self.critic.values(packing.states(critic, packed)), mask))
            if reference is not None and frozen is not None:
                log_p.append(spread(self._log_p(reference, frozen, packed), mask))
        return torch.cat(values), torch.cat(log_p) if log_p else None

    def _log_p(self, policy: models.Policy, weights: Weights, packed: packing.Packed) -> Tensor:
        hidden, output = packing.states(weights, packed), policy.lm_head.weight
        return packing.log_probabilities(hidden, output, packed.targets, self.ppo["temperature"])

    def learn(self, batch: Batch, step: int) -> dict[str, float]:
        """Go through the batch `epochs_per_batch` times; return mean losses per token."""
        sums: Counter[str] = Counter()
        minibatches = list(self._minibatches(batch, step))
        for number, rows in enumerate(minibatches):
            sums.update(self._accumulate(batch, rows))
            update = (step - self.warmed_before - 1) * len(minibatches) + number + 1
            for optimizer, name in (
                (self.policy_optimizer, "actor_learning_rate"),
                (self.critic_optimizer, "critic_learning_rate"),
            ):
                rate = optimizers.warmed_up(self.ppo[name], update, self.ppo["warmup_steps"])
                optimizer.step(rate, self.ppo["max_grad_norm"])
        tokens = sums.pop("tokens")
        return {name: value / tokens for name, value in sums.items()}

    def _minibatches(self, batch: Batch, step: int) -> Iterator[list[int]]:
        """Yield the samples of each optimizer step: prompts shuffled, their samples together.

        Samples of one prompt share its tokens in a packed batch, which makes this order worthwhile.
        """
        each = batch.sequences.each
        for number in range(self.ppo["epochs_per_batch"]):
            generator = stream(self.job.seed, "minibatches", self.job.streams, step, number)
            order = generator.permutation(len(batch.sequences.prompts)).tolist()
            samples = [prompt * each + sample for prompt in order for sample in range(each)]
            yield from parts(samples, self.ppo["train_batch_size"])

    def _accumulate(self, batch: Batch, rows: Sequence[int]) -> dict[str, Any]:
        """Add the gradients of one optimizer step, means over its tokens; return sums."""
        sums: dict[str, Any] = dict.fromkeys(("policy_loss", "value_loss", "clip_fraction"), 0.0)
        total = sums["tokens"] = int(batch.sequences.mask[rows].sum())
        for part in parts(rows, self.job.options["micro_batch"]):
            packed, mask = batch.sequences.packed(part), batch.sequences.mask[part]
            log_p = self._log_p(self.policy, weights_of(self.policy.model), packed)
            policy_loss, clipped = losses.policy_loss(
                log_p,
                batch.old_log_p[part][mask],
                batch.advantages[part][mask],
                self.ppo["clip"],
            )
            states = packing.states(weights_of(self.critic.body), packed)
            value_loss = losses.value_loss(
                self.critic.values(states),
                batch.old_values[part][mask],
                batch.targets[part][mask],
                self.ppo["value_clip"],
            )
            torch.autograd.backward((policy_loss.sum() + value_loss.sum()) / total)
            sums["policy_loss"] += float(policy_loss.detach().sum())
            sums["value_loss"] += float(value_loss.detach().sum())
            sums["clip_fraction"] += float(clipped.sum())
        return sums


def train_ppo(job: PpoJob) -> None:
    """Train by PPO; see `limr.models.interface.PpoJob` for the outputs.

    Raises InputError where a policy beyond the last step is asked for, prompts are too long, or the
    sampler cannot draw from these problems, or the run cannot go on from the state that it should
    start from.
    """
    ppo = job.ppo
    words = vocabulary.load(job.base)
    prompts = run.encode_prompts(job, words, ppo["max_prompt_tokens"])
    about = {"engine": "embedded", "base": files.sha256(job.base / models.WEIGHTS)}
    order = starts.order(job, starts.read_record(job, about))
    drawing = drawings.of(job, order)
    settings = {"ppo": dict(ppo), "reward": dict(job.reward), **drawings.settings(job)}
    with run.running(job, settings, ppo["steps"]) as running, GradingPool(job.grader) as pool:
        learner = Learner(job, running.device)

        def step(number: int) -> run.Row:
            epoch = order.epoch(number)
            drawings.replay(drawing, job, number, lambda n: running.part("rollouts", n))
            pay = rewards.reward_function(job.reward, job.seed, job.streams, number)
            drawn = rollouts.Drawn()

            def sample(chosen: Sequence[int]) -> tuple[list[int], int]:
                samples = learner.sample([prompts[i] for i in chosen], number, len(drawn.parts))
                problems = [job.problems[i] for i in chosen]
                columns = rollouts.graded(problems, samples, words, pool, pay)
                return drawn.add(chosen, samples, columns)

            kept = drawing.draw(number, sample)
            chosen, samples, columns = drawn.joined()
            part = runs.rollouts_table(columns, number, epoch)
            files.write_parquet(running.part("rollouts", number), part)
            sequences = Sequences.of([prompts[index] for index in chosen], samples)
            shown = rollouts.summary(columns, samples, sequences.prompt_tokens())
            if job.sampler is not None:
                shown |= drawing.counted(number)
            chosen, samples, scores = drawn.of(kept)
            sequences = Sequences.of([prompts[index] for index in chosen], samples)
            batch, kl = learner.prepare(sequences, samples, scores)
            means = learner.learn(batch, number)
            return {"epoch": epoch, "kl": kl, **shown, **means}

        def save_policy(folder: Path) -> None:
            models.save_policy(learner.policy, words, folder)

        def save_state(folder: Path, number: int) -> None:
            learner.keep_state(folder, number, order, about)

        run.train(running, step, learner.saved(), save_policy, save_state)
        steps = range(job.done_before + 1, ppo["steps"] + 1)
        tables = [files.read_parquet(running.part("rollouts", n), ROLLOUTS) for n in steps]
        files.write_parquet(job.rollouts, pa.concat_tables(tables).combine_chunks())
