"""Overlap of benchmark questions with training problems: same texts, and shared n-grams of words.

An n-gram is a run of n words (`limr.problems.normalised_text`). Of a question's different n-grams
two shares are taken: those that stand in the one training problem that has the most of them (its
nearest), and those that stand anywhere in the training problems. A question with fewer than n words
has no n-gram, and no share: it is missing, not 0. N-grams are compared as they are, not by a hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.core.errors import InputError
from limr.core.tables import OVERLAPS, Problem
from limr.problems import normalised_text

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scope:
    """Training problems that are looked at together.

    Attributes:
        kind: `problem set` or `arm`.
        name: its name.
        dataset: the problem set that its problems are of.
        problem_ids: their ids; None: the whole set.
    """

    kind: str
    name: str
    dataset: str
    problem_ids: Sequence[str] | None = None


@dataclass(frozen=True)
class _Texts:
    """Texts as numbers of words, one after the other; `text` says whose word each is."""

    word: Ints
    text: Ints
    n: int

    def starts(self, n: int) -> Ints:
        """Return the places from which n words of one text follow."""
        last = len(self.word) - n + 1
        if last <= 0:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.text[:last] == self.text[n - 1 :])


def measure(
    questions: Sequence[Problem],
    datasets: Mapping[str, Sequence[Problem]],
    scopes: Sequence[Scope],
    lengths: Sequence[int],
    longest: int,
) -> tuple[pa.Table, int]:
    """Measure what questions share with training problems.

    Args:
        questions: a benchmark's problems.
        datasets: the training problem sets by name.
        scopes: what to measure against.
        lengths: of the n-grams, in words.
        longest: characters of a text that are looked at, which bounds time and memory.

    Returns:
        `limr.core.tables.OVERLAPS`, in the order of scopes, lengths and questions; and how many
        texts were cut.

    Raises:
        InputError: a scope names a problem that its set does not have.
    """
    training = [problem for problems in datasets.values() for problem in problems]
    members = [_members(scope, datasets) for scope in scopes]
    cut = sum(len(p.prompt) > longest for p in [*questions, *training])
    numbers: dict[str, int] = {}
    asked = _numbered([q.prompt[:longest] for q in questions], numbers)
    trained = _numbered([p.prompt[:longest] for p in training], numbers)
    same = list(_same_texts(questions, training, members, longest))
    found = {n: _shared(asked, trained, members, n, len(numbers)) for n in lengths}
    rows = [
        {
            "scope": scope.kind,
            "trained_on": scope.name,
            "n_problems": len(members[place]),
            "problem_id": question.problem_id,
            "words": n,
            **_row(found[n], place, number, training),
            **same[number][place],
        }
        for place, scope in enumerate(scopes)
        for n in lengths
        for number, question in enumerate(questions)
    ]
    return pa.Table.from_pylist(rows, schema=OVERLAPS), cut


def _members(scope: Scope, datasets: Mapping[str, Sequence[Problem]]) -> Ints:
    """Return the places of a scope's problems among all training problems, in their order."""
    first = 0
    for name, problems in datasets.items():
        if name == scope.dataset:
            if scope.problem_ids is None:
                return np.arange(first, first + len(problems))
            places = {p.problem_id: first + i for i, p in enumerate(problems)}
            lost = next((key for key in scope.problem_ids if key not in places), None)
            if lost is None:
                return np.array(sorted(places[key] for key in scope.problem_ids), np.int64)
            raise InputError(
                f"arm '{scope.name}': its problem '{lost}' is not in '{name}'. Select again: the "
                "problem set has changed."
            )
        first += len(problems)
    raise InputError(f"'{scope.name}': there is no problem set '{scope.dataset}'.")


def _numbered(texts: Sequence[str], numbers: dict[str, int]) -> _Texts:
    """Return texts as numbers of words; `numbers` gets the words that are new."""
    word: list[int] = []
    length: list[int] = []
    for text in texts:
        found = normalised_text.words(text)
        word += [numbers.setdefault(each, len(numbers)) for each in found]
        length.append(len(found))
    owner = np.repeat(np.arange(len(texts)), length)
    return _Texts(np.array(word, np.int64), owner.astype(np.int64), len(texts))


def _same_texts(
    questions: Sequence[Problem], training: Sequence[Problem], members: Sequence[Ints], longest: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield for each question, and each scope, whether a training problem has the same text."""
    inside = [set(places.tolist()) for places in members]
    known: dict[tuple[str, str], list[int]] = {}
    for place, problem in enumerate(training):
        for key in _dresses(problem, longest):
            known.setdefault(key, []).append(place)
    for question in questions:
        yield [
            next(
                (
                    {"match": kind, "match_id": training[place].problem_id}
                    for kind, text in _dresses(question, longest)
                    for place in known.get((kind, text), ())
                    if place in scope
                ),
                {"match": "", "match_id": None},
            )
            for scope in inside
        ]


def _dresses(problem: Problem, longest: int) -> list[tuple[str, str]]:
    """Return (kind of match, text) of a problem; of one that is cut, the exact alone."""
    exact = ("exact", problem.prompt.strip())
    if len(problem.prompt) > longest:
        return [exact]
    return [exact, ("normalised", normalised_text.normal_text(problem.prompt))]


@dataclass(frozen=True)
class _Shared:
    """(n_questions,) n-grams; (n_scopes, n_questions) covered, shared, nearest problem (or -1)."""

    n_grams: Ints
    covered: Ints
    shared: Ints
    nearest: Ints


def _shared(asked: _Texts, trained: _Texts, members: Sequence[Ints], n: int, size: int) -> _Shared:
    (question, of_question), (problem, of_problem) = _grams(asked, trained, n, size)
    n_different = int(of_question.max()) + 1 if len(of_question) else 0
    shape = (len(members), asked.n)
    covered, shared = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    nearest = np.full(shape, -1, np.int64)
    anywhere = [_present(problem, of_problem, places, n_different) for places in members]
    order = np.argsort(of_problem, kind="stable")
    problem = problem[order]
    first = np.searchsorted(of_problem[order], np.arange(n_different + 1))
    ends = np.searchsorted(question, np.arange(asked.n + 1))
    for number in range(asked.n):
        own = of_question[ends[number] : ends[number + 1]]
        holders = [problem[first[gram] : first[gram + 1]] for gram in own]
        if not any(map(len, holders)):
            continue
        counts = np.bincount(np.concatenate(holders), minlength=trained.n)
        for place, inside in enumerate(members):
            covered[place, number] = anywhere[place][own].sum()
            best = int(counts[inside].argmax()) if len(inside) else 0
            if len(inside) and counts[inside[best]]:
                shared[place, number] = counts[inside[best]]
                nearest[place, number] = inside[best]
    return _Shared(np.bincount(question, minlength=asked.n), covered, shared, nearest)


def _present(problem: Ints, gram: Ints, places: Ints, n_different: int) -> Flags:
    """Return (n_different,) which n-grams stand in any of some problems."""
    found = np.zeros(n_different, np.bool_)
    found[gram[np.isin(problem, places)]] = True
    return found


def _grams(
    asked: _Texts, trained: _Texts, n: int, size: int
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Return (text, n-gram) of the questions, and of the problems where a question has it too.

    N-grams are numbered word by word: equal (k+1)-grams are those with an equal k-gram before an
    equal word. What no question begins with is dropped on the way. Each pair stands once, sorted.
    """
    at, there = asked.starts(n), trained.starts(n)
    ours, theirs = np.zeros(len(at), np.int64), np.zeros(len(there), np.int64)
    for k in range(n):
        # No overflow: fewer than 2**31 n-grams and words.
        known, ours = np.unique(ours * size + asked.word[at + k], return_inverse=True)
        keys = theirs * size + trained.word[there + k]
        place = np.searchsorted(known, keys)
        hit = place < len(known)
        hit[hit] = known[place[hit]] == keys[hit]
        there, theirs = there[hit], place[hit]
    n_different = len(known)
    return (
        _once(asked.text[at], ours, n_different),
        _once(trained.text[there], theirs, n_different),
    )


def _once(text: Ints, gram: Ints, n_different: int) -> tuple[Ints, Ints]:
    text, gram = np.divmod(np.unique(text * n_different + gram), max(1, n_different))
    return text, gram


def _row(
    found: _Shared, place: int, number: int, training: Sequence[Problem]
) -> dict[str, int | str | None]:
    nearest = int(found.nearest[place, number])
    return {
        "n_grams": int(found.n_grams[number]),
        "covered": int(found.covered[place, number]),
        "shared": int(found.shared[place, number]),
        "nearest": training[nearest].problem_id if nearest >= 0 else None,
    }
