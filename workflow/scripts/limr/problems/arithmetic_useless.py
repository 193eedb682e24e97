"""Problems that teach nothing, as a controlled share of a generated pool, and which is which.

dead       a problem like the others whose gold answer is `None`, as a failed extraction leaves it:
           no response can be right
hard       a product of three by two digits: right, and never solved by a policy of this size
easy       `57+0`, `1*57` and the like: always solved by a base that has seen such problems
           (`base.warmup.easy_share`)
duplicate  a further copy of another problem of the pool, under an id of its own

The id says the kind: `arithmetic-train-dead-0001`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import Problem

KINDS = ("dead", "hard", "easy", "duplicate")
DEAD_GOLD = "None"
_SOURCE = "arithmetic"
_NUMBERS = range(20, 200)  # in easy problems; below, `7+0` is a problem of the family of sums
_EASY = ("0+{}", "{}+0", "{}-0", "1*{}", "{}*1")
_KIND = re.compile(rf"{_SOURCE}-[a-z]+-({'|'.join(KINDS)})-\d+")


def kind(problem_id: str) -> str | None:
    """Return which of `KINDS` a generated problem is; None for one that can teach."""
    found = _KIND.fullmatch(problem_id)
    return found[1] if found else None


def counts(n: int, share: float, kinds: Sequence[str]) -> dict[str, int]:
    """Return kind -> how many of `n` problems: even parts of the share, the first get the rest."""
    each, more = divmod(round(share * n), len(kinds))
    return {name: each + (number < more) for number, name in enumerate(kinds)}


def drawn(
    wanted: Mapping[str, int],
    seed: int,
    split: str,
    useful: Sequence[Problem],
    generate: Callable[[int, Collection[str]], list[Problem]],
) -> list[Problem]:
    """Return the problems that teach nothing, kind by kind.

    Args:
        wanted: kind -> how many, see `counts`.
        seed: draws them.
        split: stands in their ids.
        useful: the other problems of the pool, of which duplicates are copies.
        generate: (how many, prompts not to draw) -> further problems like the useful ones.

    Raises:
        InputError: there are not so many of a kind.
    """
    found: list[Problem] = []
    for name, count in wanted.items():
        if name == "dead":
            others = generate(count, {p.prompt for p in useful}) if count else []
            some = [replace(problem, answer=DEAD_GOLD) for problem in others]
        elif name == "duplicate":
            some = _copies(count, seed, split, useful)
        else:
            some = _written(name, count, seed, split)
        width = max(4, len(str(count)))
        found += [
            replace(problem, problem_id=f"{_SOURCE}-{split}-{name}-{number:0{width}d}")
            for number, problem in enumerate(some, start=1)
        ]
    return found


def _copies(count: int, seed: int, split: str, useful: Sequence[Problem]) -> list[Problem]:
    """Return `count` copies; no problem has two more than another."""
    if count and not useful:
        raise InputError(
            f"{_SOURCE}: {count} duplicates were asked for, and no other problem is left to be "
            "copied. Lower `useless`, or leave `duplicate` out of `useless_kinds`."
        )
    order = stream(seed, _SOURCE, split, "duplicate").permutation(len(useful)).tolist()
    return [useful[order[number % len(order)]] for number in range(count)]


def _written(name: str, count: int, seed: int, split: str) -> list[Problem]:
    texts, level = (easy("pool"), 1) if name == "easy" else (_hard(), 6)
    if count > len(texts):
        raise InputError(
            f"{_SOURCE}: {count} {name} problems were asked for, and there are {len(texts)}. "
            "Lower `useless` or `problems`, or name more `useless_kinds`."
        )
    order = stream(seed, _SOURCE, split, name).permutation(len(texts))[:count].tolist()
    drawn_texts = (texts[index] for index in order)
    return [Problem("", prompt, answer, _SOURCE, level) for prompt, answer in drawn_texts]


@cache
def easy(use: Literal["pool", "warmup"]) -> list[tuple[str, str]]:
    """Return (prompt, answer) of the easy problems of pools, or of those that a base may see."""
    numbers = [n for n in _NUMBERS if (n % 3 == 0) == (use == "pool")]
    return [(f"{form.format(n)}=?", str(n)) for form in _EASY for n in numbers]


@cache
def _easy_answers() -> dict[str, str]:
    return {**dict(easy("pool")), **dict(easy("warmup"))}


@cache
def _hard() -> list[tuple[str, str]]:
    return [(f"{a}*{b}=?", str(a * b)) for a in range(100, 1000) for b in range(21, 100)]


def working(prompt: str) -> tuple[str, str] | None:
    """Return (working, answer) of an easy or a hard problem; None for another prompt.

    An easy one has no working. A hard one has partial products: `123*47` gives `4920+861=`.
    """
    if (easy_answer := _easy_answers().get(prompt)) is not None:
        return "", easy_answer
    factors = re.fullmatch(r"([1-9]\d\d)\*(\d\d)=\?", prompt)
    if factors is None or int(factors[2]) <= 20:
        return None
    a, b = int(factors[1]), int(factors[2])
    tens = f"{a * (b // 10 * 10)}"
    return (f"{tens}+{a * (b % 10)}=" if b % 10 else ""), str(a * b)
