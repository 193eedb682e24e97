"""Made-up verl dumps for the audit: right where nothing is planted in them."""

import json
from dataclasses import dataclass, field

import numpy as np

PROMPT = "Add the numbers of line {0} of the table, then give the sum of line {0}."


@dataclass
class Made:
    """A log: `answers[p]` is right for prompt p; plant faults by changing its fields.

    `rows` are (step, prompt, gold, answer, rewarded), in the order of training.
    """

    n_prompts: int = 40
    n_samples: int = 8
    n_epochs: int = 3
    a_step: int = 8
    seed: int = 0
    order: list = field(default_factory=list)  # prompts in the order of their visits
    rows: list = field(default_factory=list)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.answers = self.rng.integers(100, 100_000, self.n_prompts)
        self.gold = [str(answer) for answer in self.answers]
        self.skill = self.rng.beta(1, 1, self.n_prompts)
        if not self.order:
            self.order = [
                int(p) for _ in range(self.n_epochs) for p in self.rng.permutation(self.n_prompts)
            ]

    def sample(self):
        """Draw the rollouts; wrong answers differ, or are common mistakes in under half of them."""
        visits = np.zeros(self.n_prompts, int)
        for place, prompt in enumerate(self.order):
            skill = min(0.98, self.skill[prompt] + 0.1 * visits[prompt])
            visits[prompt] += 1
            for right in self.rng.random(self.n_samples) < skill:
                slip = self.answers[prompt] + 1  # the prompt's usual mistake
                other = int(self.rng.integers(1, 100_000))
                wrong = slip if self.rng.random() < 0.4 else other
                answer = str(self.answers[prompt] if right else wrong)
                gold = self.gold[prompt]
                self.rows.append([place // self.a_step + 1, prompt, gold, answer, answer == gold])
        return self

    def write(self, folder, **columns):
        """Write one file a step; `columns` name further ones: name -> row number -> value."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = {}
        for number, (step, prompt, gold, answer, rewarded) in enumerate(self.rows):
            row = {
                "input": f"user\n{PROMPT.format(prompt)}\nassistant\n",
                "output": f"Adding up, sample {number} says \\boxed{{{answer}}}.",
                "gts": gold,
                "score": float(rewarded),
                "step": step,
                **{name: value(number) for name, value in columns.items()},
            }
            lines.setdefault(step, []).append(json.dumps(row))
        for step, some in lines.items():
            (folder / f"{step}.jsonl").write_text("\n".join(some) + "\n")
        return folder
