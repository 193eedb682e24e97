"""Finding the problem behind a prompt's text, for logs that have no ids.

Ids join every table of a study; these logs are the one exception. A text is looked up as it is,
then without white space (tokenizers lose blanks), then without the frame that a chat template, an
instruction or worked examples put around it (several frames may be in one log), and last as the end
of a problem whose beginning was cut off. A gold answer in the log tells equal texts apart.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from limr.core.tables import Problem
from limr.problems.normalised_text import made_id, one_blank
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Findings
from limr.trajectories.log import Log

Prompt = tuple[str, str | None]
Frame = tuple[str, str]  # what is before the problem and after it
_NUMBER = re.compile(r"\d+")
# More distinct texts than this, and something in them is not the problem's.
MOST_MADE = 2_000_000
# Limits of learning frames: unknown texts that are searched at once, and comparisons with prompts.
_TRIES = 512
_MOST_COMPARED = 10_000_000
_ROUNDS = 8
_FRAME = 40  # characters of it that are shown
_SHORTEST_TAIL = 16  # characters without blanks of a problem whose beginning is missing


def compact(text: str) -> str:
    """Return a text without white space."""
    return "".join(text.split())


def to_problems(
    prompts: Sequence[Prompt], problems: Sequence[Problem], found: Findings
) -> tuple[Ints, set[int]]:
    """Return (n_prompts,) places of the problems, -1 where a text belongs to none; shared places.

    A place is shared if several problems have its text, and the log does not tell which is meant.

    Args:
        prompts: distinct (text, gold answer or None) of a log.
        problems: those that were trained on.
        found: takes what is noticed.
    """
    index = _Index(problems)
    places = np.array([index.exact(*prompt) for prompt in prompts], np.int64)
    unknown = [p for p in range(len(prompts)) if places[p] < 0]
    frames = _Frames(index)
    texts = {p: compact(prompts[p][0]) for p in unknown}
    for _ in range(_ROUNDS):
        if not unknown or not frames.learn([texts[p] for p in unknown]):
            break
        for p in unknown:
            places[p] = frames.find(texts[p], prompts[p][1])
        unknown = [p for p in unknown if places[p] < 0]
    cut = 0
    for p in unknown:
        places[p] = frames.tail(texts[p], prompts[p][1])
        cut += places[p] >= 0
    _notes(prompts, places, frames, texts, cut, index, found)
    return places, index.shared


class _Index:
    """Problems by their texts."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        self._exact: dict[str, list[int]] = {}
        self._loose: dict[str, list[int]] = {}
        for place, problem in enumerate(problems):
            self._exact.setdefault(problem.prompt.strip(), []).append(place)
            self._loose.setdefault(compact(problem.prompt), []).append(place)
        self.texts = [text for text in self._loose if text]
        self._tails: list[str] | None = None
        self.shared: set[int] = set()  # places of texts that several problems have

    def exact(self, text: str, gold: str | None) -> int:
        """Return the place of a problem with this text, blanks aside; -1: there is none."""
        found = self._exact.get(text.strip()) or self._loose.get(compact(text))
        return self._choose(found, gold)

    def loose(self, text: str, gold: str | None) -> int:
        """Return the place of a problem with this text without blanks; -1: there is none."""
        return self._choose(self._loose.get(text), gold)

    def _choose(self, places: list[int] | None, gold: str | None) -> int:
        """Return the problem with the log's answer, else the first one; -1 of none."""
        if not places:
            return -1
        if len(places) > 1:
            answers = [p for p in places if gold is not None and self.problems[p].answer == gold]
            if answers:
                return answers[0]
            self.shared.update(places)
        return places[0]

    def ending(self, tail: str, gold: str | None) -> int:
        """Return the one problem that ends so; -1: none, or several."""
        if self._tails is None:
            self._tails = sorted(text[::-1] for text in self.texts)
        if len(tail) < _SHORTEST_TAIL:
            return -1
        back = tail[::-1]
        at = bisect_left(self._tails, back)
        near = [text for text in self._tails[at : at + 2] if text.startswith(back)]
        return self.loose(near[0][::-1], gold) if len(near) == 1 else -1


class _Frames:
    """What surrounds the problems in a log's prompts, without white space."""

    def __init__(self, index: _Index) -> None:
        self._index = index
        self._tries = min(_TRIES, _MOST_COMPARED // max(len(index.texts), 1))
        self.known: dict[Frame, int] = {}  # frame -> prompts found by it
        # The same with any numbers: a date or a time in a system prompt. -> pattern, an example
        self._patterns: dict[Frame, tuple[re.Pattern[str], Frame]] = {}

    def learn(self, unknown: Sequence[str]) -> bool:
        """Learn from texts that hold a problem; return whether a frame is new.

        A text may hold several problems (worked examples): the frame that most texts share is the
        right one, and of equal ones the shortest, which has the longest problem inside.
        """
        # Evenly spaced: a log may begin with a data set of its own.
        tried = unknown[:: max(1, -(-len(unknown) // max(self._tries, 1)))]
        frames = [self._around(text) for text in tried]
        votes = Counter(frame for around in frames for frame in around)
        alike = Counter(_masked(frame) for around in frames for frame in around)
        enough = min(2, len(unknown), len(self._index.texts))
        before = len(self.known)
        for around in frames:
            best = max(
                around,
                key=lambda f: (max(votes[f], alike[_masked(f)]), votes[f], -len(f[0]) - len(f[1])),
                default=None,
            )
            if best is not None and votes[best] >= enough:
                self.known.setdefault(best, 0)
            elif (
                best is not None
                and alike[_masked(best)] >= enough
                and _masked(best) not in self._patterns
            ):
                self._patterns[_masked(best)] = (_pattern(best), best)
                self.known[best] = 0
        return len(self.known) > before

    def _around(self, text: str) -> set[tuple[str, str]]:
        found = set()
        for problem in self._index.texts:
            at = text.rfind(problem)
            if at >= 0:
                found.add((text[:at], text[at + len(problem) :]))
        return found

    def find(self, text: str, gold: str | None) -> int:
        """Return the place of the problem inside a text; -1: no known frame has one."""
        for frame in self.known:
            prefix, suffix = frame
            if text.startswith(prefix) and text.endswith(suffix):
                inside = text[len(prefix) : len(text) - len(suffix)]
                place = self._index.loose(inside, gold)
                if place >= 0:
                    self.known[frame] += 1
                    return place
        for pattern, frame in self._patterns.values():
            match = pattern.fullmatch(text)
            place = self._index.loose(match[1], gold) if match else -1
            if place >= 0:
                self.known[frame] += 1
                return place
        return -1

    def tail(self, text: str, gold: str | None) -> int:
        """Return the problem of a text whose beginning was cut off; -1: none, or several."""
        for _, suffix in [*self.known, ("", "")]:
            if text.endswith(suffix):
                place = self._index.ending(text[: len(text) - len(suffix)], gold)
                if place >= 0:
                    return place
        return -1


def _masked(frame: Frame) -> Frame:
    """Return a frame with every number replaced by one sign."""
    return _NUMBER.sub("0", frame[0]), _NUMBER.sub("0", frame[1])


def _pattern(frame: Frame) -> re.Pattern[str]:
    """Return what matches a text in this frame, whatever its numbers."""
    before, after = (r"\d+".join(map(re.escape, _NUMBER.split(part))) for part in frame)
    return re.compile(f"{before}(.+){after}", re.DOTALL)


def _notes(
    prompts: Sequence[Prompt],
    places: Ints,
    frames: _Frames,
    texts: dict[int, str],
    cut: int,
    index: _Index,
    found: Findings,
) -> None:
    used = sorted(((n, frame) for frame, n in frames.known.items() if n), reverse=True)
    if used:
        shown = [f"{_around(frame, prompts, texts)} ({n:,} prompts)" for n, frame in used[:3]]
        more = f" and {len(used) - 3} others" if len(used) > 3 else ""
        found.add(
            "frames",
            "the problems are inside a chat template or an instruction, which was "
            f"taken off: {'; '.join(shown)}{more}.",
            count=len(used),
        )
    if cut:
        found.add(
            "cut-prompts",
            f"{cut:,} prompts lack their beginning (cut on the left); each "
            "was joined to the one problem that ends so.",
            "warning",
            cut,
        )
    if index.shared:
        first = index.problems[min(index.shared)].problem_id
        found.add(
            "equal-texts",
            f"{len(index.shared):,} problems share their text with another; "
            f"their rows cannot be told apart and count for the first of them, such as "
            f"'{first}'.",
            "warning",
            len(index.shared),
        )


def _around(frame: tuple[str, str], prompts: Sequence[Prompt], texts: dict[int, str]) -> str:
    """Return a frame as the log writes it, its ends towards the problem."""
    prefix, suffix = frame
    text = next(prompts[p][0] for p, one in texts.items()
                if one.startswith(prefix) and one.endswith(suffix))  # fmt: skip
    inked = [place for place, character in enumerate(text) if not character.isspace()]
    before = text[: inked[len(prefix)]] if len(prefix) < len(inked) else text
    after = text[inked[len(inked) - len(suffix)] :] if suffix else ""
    before = before if len(before) <= _FRAME else f"…{before[-_FRAME:]}"
    return f"{before!r} … {after if len(after) <= _FRAME else after[:_FRAME] + '…'!r}"


def made(prompts: Sequence[Prompt], found: Findings) -> tuple[list[str], list[str], Ints]:
    """Return ids made from texts, the texts, and (n_prompts,) the place of each prompt among them.

    Prompts that differ in white space only are one; those that differ in their gold answer are not.
    """
    golds: dict[str, set[str]] = {}
    for text, gold in prompts:
        golds.setdefault(one_blank(text), set()).update([] if gold is None else [gold])
    known: dict[Prompt, int] = {}
    texts: list[str] = []
    places = np.empty(len(prompts), np.int64)
    for p, (text, gold) in enumerate(prompts):
        loose = one_blank(text)
        key = (loose, gold if len(golds[loose]) > 1 else None)
        places[p] = known.setdefault(key, len(known))
        if places[p] == len(texts):
            texts.append(text.strip())
    ids = [made_id(text if gold is None else f"{text}\n{gold}") for text, gold in known]
    several = sum(len(answers) > 1 for answers in golds.values())
    if several:
        found.add(
            "two-golds",
            f"{several:,} prompts appear with different gold answers; each "
            "answer counts as a problem of its own.",
            "warning",
            several,
        )
    return ids, texts, places


def ids_of_several_texts(log: Log) -> list[str]:
    """Return the ids that a log gives to several texts, white space aside."""
    if log.name is None:
        return []
    n = len(log.prompts)
    pairs = np.stack(np.divmod(np.unique(log.name * n + log.prompt), n))
    names, counts = np.unique(pairs[0], return_counts=True)
    found = []
    for name in names[(counts > 1) & (names >= 0)].tolist():
        texts = {compact(log.prompts[p][0]) for p in pairs[1][pairs[0] == name].tolist()}
        if len(texts) > 1:
            found.append(log.names[name])
    return found


def ids_of_log(names: Sequence[str], problems: Iterable[Problem]) -> bool:
    """Tell whether the ids that a log gives are those of the problems: most of them are known."""
    known = {problem.problem_id for problem in problems}
    return bool(names) and sum(name in known for name in names) * 2 > len(names)
