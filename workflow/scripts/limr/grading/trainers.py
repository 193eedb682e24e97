r"""The grader as a reward function of TRL, verl and OpenRLHF (docs/reward-functions.md).

A gold answer that no response could match ends the first batch that has it, by an InputError that
names it: silent zeros would train on nothing. An answer that takes too long is a wrong answer.

Rewards can be pickled, forked and called in threads and Ray actors: each process starts workers of
its own when it first needs them, and they end with it. limr needs nothing but math-verify here.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any

from limr.core.errors import InputError
from limr.grading.boxes import boxes
from limr.grading.grade import GRADER_VERSION, Grade
from limr.grading.pool import SECONDS, GradingPool

_LAST_SOLUTION = re.compile(r"^####\s*(\S.*)$", re.MULTILINE)  # as GSM8K ends its solutions
_LATEX_BLOCK = re.compile(r"\\begin\s*\{")
_END_TOKENS = re.compile(r"(?:\s|<[|｜][^<>|｜\s]{1,40}[|｜]>|</s>|<eos>|<pad>|\[PAD\])+\Z")
_TAIL = 200  # characters of a prompt by which its end is found


class Reward:
    """A grader with the rewards of its verdicts; see its subclasses for each trainer.

    Args:
        settings: keys of a study's `grader`, such as {"answer": "last-line"}.
        correct, incorrect, malformed: the reward of each verdict.
        seconds: wall time for one answer; a slower one is incorrect.
        workers: processes; by default as many as there are cores, at most 4.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        correct: float = 1.0,
        incorrect: float = 0.0,
        malformed: float = 0.0,
        seconds: float = SECONDS,
        workers: int | None = None,
    ) -> None:
        self._settings = _complete(settings or {})
        self._rewards = {"correct": correct, "incorrect": incorrect, "malformed": malformed}
        self._limits: dict[str, Any] = {"seconds": seconds, "workers": workers}
        self._start()

    def _start(self) -> None:
        self._pool = GradingPool(self._settings, **self._limits)
        self._accepted: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Leave workers and what they judged behind: another process has its own."""
        return {k: v for k, v in vars(self).items() if k not in ("_pool", "_accepted")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the settings; a worker starts when it is needed."""
        vars(self).update(state)
        self._start()

    def close(self) -> None:
        """End the workers now; they end with the process otherwise."""
        self._pool.close()

    def grades(
        self, golds: Sequence[Any], responses: Sequence[str], prompts: Sequence[str]
    ) -> list[Grade]:
        """Grade responses, each against its gold answer; raises InputError for a bad gold one."""
        texts = self._checked(golds, prompts)
        items = zip(texts, responses, [False] * len(texts), prompts, strict=True)
        return self._pool.grade_many(list(items))

    def reward(self, grade: Grade) -> float:
        """Return the reward of a grade."""
        return self._rewards[grade.verdict]

    def _checked(self, golds: Sequence[Any], prompts: Sequence[str]) -> list[str]:
        """Return the gold answers as texts; refuse those that no response can match."""
        found = [_text(gold, number) for number, gold in enumerate(golds)]
        if not self._settings["plugin"]:  # whose gold answers may be anything
            found = [_answer(gold, number) for number, gold in enumerate(found)]
        new = {gold: n for n, gold in enumerate(found) if gold not in self._accepted}
        form = "\\boxed{{{}}}" if self._settings["answer"] == "box" else "{}"
        items = [(gold, form.format(gold), False, prompts[n]) for gold, n in new.items()]
        for number, grade in zip(new.values(), self._pool.grade_many(items), strict=True):
            if grade.verdict != "correct":
                raise InputError(
                    f"the gold answer of response {number} cannot be matched by any response, not "
                    f"even by itself ({grade.reason}): {golds[number]!r:.200}. Mend it or leave "
                    "its problem out."
                )
        self._accepted.update(new)
        return found


class TrlReward(Reward):
    """A reward function of TRL's trainers, for `reward_funcs`.

    `gold` is the column of the data set with the gold answer. All else is as for `Reward`.
    """

    __name__ = "limr"  # of the column in TRL's logs

    def __init__(self, gold: str = "answer", **options: Any) -> None:
        super().__init__(**options)
        self._gold = gold

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> list[float]:
        """Return the rewards of completions: texts, or messages of which the last one counts.

        Where TRL gives `log_extra`, its table of completions gains what was read, why it was not
        right, and the grader's version.
        """
        if self._gold not in columns:
            lists = ", ".join(sorted(k for k, v in columns.items() if isinstance(v, list)))
            raise InputError(
                f"the data set has no column '{self._gold}' for the gold answers; its columns: "
                f"{lists}. Name it: TrlReward(gold=COLUMN)."
            )
        responses = [_content(completion, last=True) for completion in completions]
        asked = [_content(prompt, last=False) for prompt in prompts]
        found = self.grades(columns[self._gold], responses, asked)
        if log := columns.get("log_extra"):
            log(f"{self.__name__}_answer", [grade.answer or "" for grade in found])
            log(f"{self.__name__}_reason", [grade.reason for grade in found])
            log(f"{self.__name__}_grader_version", [grade.version for grade in found])
        return [self.reward(grade) for grade in found]


class VerlReward(Reward):
    """A reward function of verl: `compute_score`, called for one response at a time."""

    def __call__(
        self,
        data_source: Any,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **_more: Any,
    ) -> dict[str, Any]:
        """Return `score` and, for verl's logs, `acc`, `pred`, `reason` and `grader_version`.

        A plug-in that asks for the prompt is given `extra_info["question"]` or `["prompt"]`.
        """
        asked = extra_info or {}
        prompt = str(asked.get("question", asked.get("prompt", "")))
        [grade] = self.grades([ground_truth], [solution_str], [prompt])
        return {
            "score": self.reward(grade),
            "acc": grade.verdict == "correct",
            "pred": grade.answer or "",
            "reason": grade.reason,
            "grader_version": grade.version,
        }


class OpenRlhfReward(Reward):
    """A reward function of OpenRLHF: `reward_func` of the file that `--reward.remote_url` names."""

    def __call__(
        self, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], **_more: Any
    ) -> dict[str, Any]:
        """Return `rewards`, `scores` and `extra_logs`, as tensors.

        A query is a prompt and its response, as a label is its gold answer.
        """
        import torch

        pairs = zip(queries, prompts, strict=True)
        responses = [
            _response(query, prompt, number) for number, (query, prompt) in enumerate(pairs)
        ]
        found = self.grades(labels, responses, prompts)
        rewards = torch.tensor([self.reward(grade) for grade in found])
        shares = {
            verdict: torch.tensor([float(grade.verdict == verdict) for grade in found])
            for verdict in ("correct", "malformed")
        }
        version = torch.full((len(found),), float(GRADER_VERSION))
        return {
            "rewards": rewards,
            "scores": rewards,
            "extra_logs": {**shares, "grader_version": version},
        }


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    from limr.core import validation
    from limr.grading.grade import check
    from limr.grading.settings import Grader

    found: dict[str, Any] = validation.complete(dict(settings), Grader, "settings")
    check(found)
    return found


def _text(gold: Any, number: int) -> str:
    """Return a gold answer as a text."""
    if isinstance(gold, numbers.Real) and not isinstance(gold, bool) and math.isfinite(gold):
        return str(gold)
    if not isinstance(gold, str) or gold.strip() in ("", "None", "nan"):
        raise InputError(
            f"the gold answer of response {number} is {gold!r:.80} ({type(gold).__name__}); "
            "expected a text or a number. Are these the right column and data?"
        )
    return gold


def _answer(gold: str, number: int) -> str:
    """Return a gold answer; of a worked solution, what it ends in."""
    if found := _LAST_SOLUTION.findall(gold):
        return str(found[-1]).strip()
    if inside := boxes(gold):
        return inside[-1].content
    if "\n" in gold.strip() and not _LATEX_BLOCK.search(gold):
        raise InputError(
            f"the gold answer of response {number} has several lines, and neither a box nor "
            f"'####' says where its answer is: {gold!r:.200}. Give the answer alone."
        )
    return gold


def _content(said: Any, *, last: bool) -> str:
    """Return a text, or the content of a conversation's last message, or of all of them."""
    if isinstance(said, str):
        return said
    texts = []
    for message in said[-1:] if last else said:
        content = message["content"] or ""
        parts = content if isinstance(content, list) else [{"text": content}]
        texts.append("".join(part.get("text", "") for part in parts))
    return "\n\n".join(texts)


def _response(query: str, prompt: str, number: int) -> str:
    """Return a query without its prompt, of which the beginning may be lost, and end tokens."""
    if query.startswith(prompt):
        response = query[len(prompt) :]
    else:
        tail, whole = prompt[-_TAIL:].strip(), prompt.strip()
        places = [found.start() for found in re.finditer(f"(?={re.escape(tail)})", query)]
        if not tail or not places:
            raise InputError(
                f"query {number} does not have the end of its prompt, so that its response cannot "
                f"be told: prompt {prompt[-80:]!r}, query {query[:80]!r}."
            )
        # What stands before the response is an end of the prompt, and the longest one that fits: a
        # prompt may repeat itself, and a response may repeat its prompt.
        fits = [p for p in places if whole.endswith(query[: p + len(tail)].lstrip(" \n\ufffd"))]
        response = query[(fits[-1] if fits else places[0]) + len(tail) :]
    return _END_TOKENS.sub("", response)
