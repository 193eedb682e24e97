"""The prompts of a log in the form that the page's list reads, within a number of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.core import safe_text
from limr.look import drawings, terminal
from limr.look.looked import CLASSES, Looked
from limr.report.problem_browser import CHUNK, pack
from limr.trajectories.curves import Floats, Ints
from limr.trajectories.rollout_rows import Rollouts

Json = dict[str, Any]
ROWS, CELLS = 50_000, 4_000_000  # prompts in the list, and visits of them
# In characters: a prompt, an id; a response, and all responses that are looked at.
PROMPT, ID, RESPONSE, RESPONSES = 2_000, 200, 2_000, 24_000_000
_LEAST_PROMPT, _LEAST_RESPONSE, _PER_PROMPT = 60, 400, 4
_WORDS = {"many": "prompts", "text": "Prompt", "epoch": "visit"}


@dataclass(frozen=True)
class Browser:
    """What the page's list is made of.

    Attributes:
        index: everything but responses, packed.
        responses: packed chunks of `CHUNK` prompts, in the order of the list.
        listed: how many prompts the list has, the best first.
        answered: how many prompts, from the first, have their responses in the page.
        limit: characters of a response that are kept.
        begin, end: what all prompts begin and end with; the list's rows leave it out.
    """

    index: str
    responses: tuple[str, ...]
    listed: int
    answered: int
    limit: int
    begin: str
    end: str


def build(looked: Looked, most_bytes: int) -> Browser:
    """Return the prompts for the page.

    Prompts are shortened, and then left out from the worst on, until they take half of
    `most_bytes`; responses follow from the best prompt on as long as there is room.

    Raises:
        InputError: the log's files cannot be read again.
    """
    table = looked.prompts
    listed = min(len(table), ROWS, max(1, CELLS // max(1, looked.curves.shape[1])))
    limit = max(_LEAST_RESPONSE, min(RESPONSE, RESPONSES // (_PER_PROMPT * max(1, listed))))
    asked = min(listed, RESPONSES // (_PER_PROMPT * limit))
    found, golds = _responses(looked, asked, limit)
    prompts = list(table["prompt"])
    begin, end = shared(prompts)
    texts = inside(prompts, begin, end)
    characters = PROMPT
    around = {"begin": safe_text.bounded(begin, PROMPT), "end": safe_text.bounded(end, PROMPT)}
    index = pack({**_index(looked, texts, golds, listed, characters), **around})
    while len(index) > most_bytes // 2 and (characters > _LEAST_PROMPT or listed > 1):
        if characters > _LEAST_PROMPT:
            characters //= 2
        else:
            listed //= 2
        index = pack({**_index(looked, texts, golds, listed, characters), **around})
    responses, answered = _chunks(found, min(asked, listed), most_bytes - len(index))
    return Browser(index, responses, listed, answered, limit, begin, end)


def shared(prompts: Sequence[str]) -> tuple[str, str]:
    """Return what all prompts begin and end with, in whole words: templates and instructions."""
    if len(set(prompts)) < 3:
        return "", ""
    begin = _begin(prompts)
    end = _begin([text[::-1] for text in prompts])[::-1]
    return (begin, end) if len(begin) + len(end) < min(map(len, prompts)) else (begin, "")


def _begin(texts: Sequence[str]) -> str:
    """Return what texts begin with, up to a blank."""
    same, text = terminal.common_length(texts), texts[0]
    while same and not text[same - 1].isspace():
        same -= 1
    return text[:same]


def inside(prompts: Sequence[str], begin: str, end: str) -> list[str]:
    """Return prompts without what all of them begin and end with."""
    return [text[len(begin) : len(text) - len(end)] or text for text in prompts]


def _index(
    looked: Looked, texts: Sequence[str], golds: Sequence[str], listed: int, characters: int
) -> Json:
    table, samples = looked.prompts.iloc[:listed], looked.imported.samples
    n, k = samples.n[looked.place[:listed]], samples.n_correct[looked.place[:listed]]
    mean = drawings.mean_interval(looked.curves)[0]
    score, low, high = (_rounded(table[name].to_numpy(float)) for name in ("score", "low", "high"))
    number = {name: place for place, name in enumerate(CLASSES)}
    return {
        "scores": [looked.selector],
        "ids": [safe_text.bounded(str(key), ID) for key in table["problem_id"]],
        "prompts": [safe_text.bounded(text, characters) for text in texts[:listed]],
        "answers": list(golds[:listed]),
        "levels": [None] * listed,
        "values": {looked.selector: score},
        **({"low": low, "high": high} if (low, high) != (score, score) else {}),
        "classes": [number[name] for name in table["class"]],
        "class_names": list(CLASSES),
        "reasons": {},
        "arms": [],
        "epochs": int(n.shape[1]),
        "n": n.ravel().tolist(),
        "correct": k.ravel().tolist(),
        "mean": _rounded(mean),
        "chunk": CHUNK,
        "texts": True,
        "words": _WORDS,
    }


def _rounded(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 4) for value in values]


def _responses(looked: Looked, asked: int, limit: int) -> tuple[list[list[Any]], list[str]]:
    """Return, by rows of the table, the first `asked` prompts' responses; and all gold answers.

    A response is a list in the order of the page's names: visit, step (unknown), verdict, tokens
    (unknown), truncated, text, reward.
    """
    found: list[list[Any]] = [[] for _ in range(asked)]
    golds = [""] * len(looked.prompts)
    rollouts = looked.imported.rollouts
    if rollouts is None or "response" not in rollouts.taken or not asked:
        return found, golds
    row_of = np.full(len(looked.imported.problem_ids), -1, np.int64)
    row_of[looked.place[:asked]] = np.arange(asked)
    texts: dict[int, str] = {}
    wanted = picked(rollouts, row_of)
    for places, responses, answers in rollouts.texts(wanted):
        for place, response, gold in zip(places.tolist(), responses, answers, strict=True):
            texts[place] = safe_text.bounded(response or "", limit)
            row = int(row_of[rollouts.problem[place]])
            golds[row] = golds[row] or safe_text.bounded(gold or "", ID)
    for place in sorted(texts, key=lambda at: (int(rollouts.visit[at]), at)):
        reward = float(rollouts.reward[place])
        found[int(row_of[rollouts.problem[place]])].append(
            [
                int(rollouts.visit[place]), None,
                "correct" if rollouts.correct[place] else "incorrect", None, 0, texts[place],
                round(reward, 6) if np.isfinite(reward) else None,
            ]
        )  # fmt: skip
    return found, golds


def picked(rollouts: Rollouts, row_of: Ints) -> npt.NDArray[np.bool_]:
    """Return (n_rows,) which rollouts are shown: at most four of a prompt.

    They are the first correct and the first other one of its first visit and of its last.

    Args:
        rollouts: the log's.
        row_of: (n_problems,) -1: the problem's responses are not shown.
    """
    problem, visit = rollouts.problem, np.asarray(rollouts.visit, np.int64)
    first = np.full(len(row_of), np.iinfo(np.int64).max)
    last = np.full(len(row_of), -1)
    np.minimum.at(first, problem, visit)
    np.maximum.at(last, problem, visit)
    shown = np.zeros(len(problem), bool)
    for ends in (first, last):
        rows = np.flatnonzero((row_of[problem] >= 0) & (visit == ends[problem]))
        keys = pd.DataFrame({"problem": problem[rows], "correct": rollouts.correct[rows]})
        shown[rows[~keys.duplicated().to_numpy()]] = True
    return shown


def _chunks(found: list[list[Any]], rows: int, room: int) -> tuple[tuple[str, ...], int]:
    """Return packed chunks as long as there is room, and how many prompts they hold."""
    if not any(found):
        return (), 0
    chunks: list[str] = []
    for start in range(0, rows, CHUNK):
        packed = pack(found[start : min(start + CHUNK, rows)])
        room -= len(packed)
        if room < 0:
            break
        chunks.append(packed)
    return tuple(chunks), min(rows, len(chunks) * CHUNK)
