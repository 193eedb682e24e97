"""Overlap of benchmark questions with training problems: same texts, and shared n-grams of words.

An n-gram is a run of n words (`limr.problems.normalised_text`). Of a question's different n-grams
two shares are taken: those that are in the one training problem that has the most of them (its
nearest), and those that are anywhere in the training problems. A question with fewer than n words
has no n-gram, and no share: it is missing, not 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from limr.core.errors import InputError
from limr.core.tables import OVERLAPS, Problem
from limr.problems import normalised_text

NGram = tuple[str, ...]
Row = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """Training problems that are measured together.

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
        longest: characters of a text that are read, which bounds time and memory.

    Returns:
        `limr.core.tables.OVERLAPS`, in the order of scopes, lengths and questions; and how many
        texts were cut.

    Raises:
        InputError: a scope names a problem that its set does not have.
    """
    training = [problem for problems in datasets.values() for problem in problems]
    members = [_members(scope, datasets) for scope in scopes]
    cut = sum(len(p.prompt) > longest for p in [*questions, *training])
    asked, trained = (
        [normalised_text.words(p.prompt[:longest]) for p in some] for some in (questions, training)
    )
    same = list(_same_texts(questions, training, members, longest))
    shared = {n: _shared(asked, trained, members, n) for n in lengths}
    ids = {place: problem.problem_id for place, problem in enumerate(training)}
    rows = [
        {
            "scope": scope.kind,
            "trained_on": scope.name,
            "n_problems": len(members[place]),
            "problem_id": question.problem_id,
            "words": n,
            **shared[n][place][number],
            "nearest": ids.get(shared[n][place][number]["nearest"]),
            **same[number][place],
        }
        for place, scope in enumerate(scopes)
        for n in lengths
        for number, question in enumerate(questions)
    ]
    return pa.Table.from_pylist(rows, schema=OVERLAPS), cut


def _members(scope: Scope, datasets: Mapping[str, Sequence[Problem]]) -> set[int]:
    """Return the places of a scope's problems among all training problems."""
    if scope.dataset not in datasets:
        raise InputError(f"'{scope.name}': there is no problem set '{scope.dataset}'.")
    names = list(datasets)
    first = sum(len(datasets[name]) for name in names[: names.index(scope.dataset)])
    places = {p.problem_id: first + i for i, p in enumerate(datasets[scope.dataset])}
    ids = places if scope.problem_ids is None else scope.problem_ids
    lost = next((key for key in ids if key not in places), None)
    if lost is not None:
        raise InputError(
            f"arm '{scope.name}': its problem '{lost}' is not in '{scope.dataset}'. Select again: "
            "the problem set has changed."
        )
    return {places[key] for key in ids}


def _same_texts(
    questions: Sequence[Problem],
    training: Sequence[Problem],
    members: Sequence[Collection[int]],
    longest: int,
) -> Iterator[list[Row]]:
    """Yield for each question, and each scope, whether a training problem has the same text."""
    known: dict[tuple[str, str], list[int]] = {}
    for place, problem in enumerate(training):
        for key in _comparable(problem, longest):
            known.setdefault(key, []).append(place)
    for question in questions:
        yield [
            next(
                (
                    {"match": kind, "match_id": training[place].problem_id}
                    for kind, text in _comparable(question, longest)
                    for place in known.get((kind, text), ())
                    if place in inside
                ),
                {"match": "", "match_id": None},
            )
            for inside in members
        ]


def _comparable(problem: Problem, longest: int) -> list[tuple[str, str]]:
    """Return (kind of match, text) of a problem; of one that is cut, the exact alone."""
    exact = ("exact", problem.prompt.strip())
    if len(problem.prompt) > longest:
        return [exact]
    return [exact, ("normalised", normalised_text.normal_text(problem.prompt))]


def _shared(
    asked: Sequence[Sequence[str]],
    trained: Sequence[Sequence[str]],
    members: Sequence[Collection[int]],
    n: int,
) -> list[list[Row]]:
    """Return, for each scope and question, its n-grams and how many are in training problems."""
    grams = [_grams(text, n) for text in asked]
    holders: dict[NGram, list[int]] = {gram: [] for own in grams for gram in own}
    for place, text in enumerate(trained):
        for gram in _grams(text, n) & holders.keys():
            holders[gram].append(place)
    return [[_row(own, holders, inside) for own in grams] for inside in members]


def _grams(words: Sequence[str], n: int) -> set[NGram]:
    return set(zip(*(words[start:] for start in range(n)), strict=False))


def _row(own: set[NGram], holders: Mapping[NGram, list[int]], inside: Collection[int]) -> Row:
    found = [[place for place in holders[gram] if place in inside] for gram in own]
    counts = Counter(place for places in found for place in places)
    nearest = min(counts, key=lambda place: (-counts[place], place), default=None)
    return {
        "n_grams": len(own),
        "covered": sum(map(bool, found)),
        "shared": counts[nearest] if nearest is not None else 0,
        "nearest": nearest,
    }
