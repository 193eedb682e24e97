r"""Final answers of a log's responses: what gold answers and the reward are audited by.

The responses are read once, and of each only its final answer is kept: the end of the response
from its last boxes on. The sample is deterministic.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limr.core import random_streams
from limr.grading.boxes import boxes, last_box
from limr.grading.formats import MAX_CHARACTERS
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.rollout_rows import Rollouts

LONGEST = 500  # characters of an answer that is compared
PER_PROMPT = 32  # responses that gold answers are compared with
_ANSWERS_MOST = 400_000  # responses of all prompts
_BOXES = 8  # last ones, over which a list may be spread
_SEED = 1
NO_ANSWER, NOT_READ = -1, -2


@dataclass(frozen=True)
class Answers:
    r"""Answers of the rollouts that were read.

    Attributes:
        place: (n,) places among the log's rollouts.
        problem: (n,) places of their problems.
        correct: (n,) whether the trainer took them for correct.
        gold: (n,) place in `golds`; -1: none.
        answer: (n,) place in `texts`; NO_ANSWER: no box; NOT_READ: no response, or too long a one.
        characters: (n,) length of the response.
        hashes: (n,) equal for equal responses.
        weight: (n,) how many rollouts each stands for in the check of the reward; 0: not in it.
        by_prompt: (n,) whether it is in the check of gold answers.
        golds: distinct gold answers.
        texts: distinct final answers, as a response that has nothing else: `\boxed{...}`.
    """

    place: Ints
    problem: Ints
    correct: Flags
    gold: Ints
    answer: Ints
    characters: Ints
    hashes: Ints
    weight: Floats
    by_prompt: Flags
    golds: Sequence[str]
    texts: Sequence[str]

    def written(self, answer: int) -> str:
        """Return an answer without its box."""
        return last_box(self.texts[answer]) or ""


def read(rollouts: Rollouts, golds: Sequence[str] | None, grade_most: int) -> Answers:
    """Read the final answers of a sample of a log's rollouts.

    Args:
        rollouts: the rows; their log has responses.
        golds: gold answers by problem, for rows without one; None: there are none.
        grade_most: see `weights`.
    """
    weight = weights(rollouts.correct, grade_most)
    by_prompt = even(rollouts.problem, PER_PROMPT)
    wanted = (weight > 0) | by_prompt
    place = np.flatnonzero(wanted)
    gold, answer = np.full(len(wanted), -1), np.full(len(wanted), NOT_READ)
    characters, hashes = np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.int64)
    known_golds: dict[str, int] = {}
    known: dict[str, int] = {}
    for places, responses, its_golds in rollouts.texts(wanted):
        for at, response, own in zip(places.tolist(), responses, its_golds, strict=True):
            right = golds[rollouts.problem[at]] if own is None and golds is not None else own
            if right is not None:
                gold[at] = known_golds.setdefault(_whole(bare(right)), len(known_golds))
            if response is None or len(response) > MAX_CHARACTERS:
                continue
            characters[at], hashes[at] = len(response), hash(response)
            text = final(response)
            if text is None:
                answer[at] = NO_ANSWER
            elif len(text) <= LONGEST:
                answer[at] = known.setdefault(_whole(text), len(known))
    return Answers(
        place, rollouts.problem[place], rollouts.correct[place], gold[place], answer[place],
        characters[place], hashes[place], weight[place], by_prompt[place],
        list(known_golds), list(known),
    )  # fmt: skip


def final(response: str) -> str | None:
    r"""Return the final answer as `\boxed{...}`, or the last boxes together; None without a box."""
    answer = last_box(response)
    if answer is None:
        return None
    if response.count("boxed") > 1:
        found = boxes(response)[-_BOXES:]
        end = response[found[0].start : found[-1].end] if len(found) > 1 else ""
        if end.isascii() and 0 < len(end) <= LONGEST:
            return end
    return f"\\boxed{{{answer}}}"


def _whole(text: str) -> str:
    """Return a text without lone surrogates, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def bare(gold: str) -> str:
    """Return a gold answer: what is in its box, or the text of a JSON list of one, else itself."""
    boxed = last_box(gold)
    if boxed is not None:
        return boxed
    if gold.startswith("[") and gold.endswith("]") and '"' in gold:
        try:
            listed = json.loads(gold)
        except (ValueError, RecursionError):
            return gold
        if len(listed) == 1 and isinstance(listed[0], str):
            return listed[0]
    return gold


def weights(correct: Flags, most: int) -> Floats:
    """Return (n_rows,) how many rows each stands for in a sample of at most `most`; 0: not in it.

    Half of the sample was taken for correct, half was not; where there are fewer, the rest is of
    the others.
    """
    found = np.zeros(len(correct))
    kinds = [np.flatnonzero(correct), np.flatnonzero(~correct)]
    few = min(len(kind) for kind in kinds)
    for name, kind in zip(("correct", "not"), kinds, strict=True):
        size = min(len(kind), max(most // 2, most - few))
        rng = random_streams.stream(_SEED, "look", "audit", name)
        chosen = kind if size == len(kind) else rng.choice(kind, size, replace=False)
        found[chosen] = len(kind) / max(size, 1)
    return found


def even(problem: Ints, most: int) -> Flags:
    """Return (n_rows,) which rows are among at most `most` of their problem, evenly spread."""
    sizes = np.bincount(problem)
    most = min(most, max(1, _ANSWERS_MOST // max(1, int(np.count_nonzero(sizes)))))
    order = np.argsort(problem, kind="stable")
    starts = np.cumsum(sizes) - sizes
    size = np.maximum(sizes[problem[order]], most)
    rank = np.arange(len(order)) - starts[problem[order]]
    kept = np.zeros(len(problem), bool)
    kept[order] = rank * most // size != (rank - 1) * most // size
    return kept
