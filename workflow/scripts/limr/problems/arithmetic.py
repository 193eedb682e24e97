r"""Generated arithmetic and algebra in six levels: the problems of the embedded study.

All possible problems are split once, by a hash that does not depend on any seed, into those to
train on, those held out for benchmarks, and those for the base model's warm-up. So the three are
disjoint whatever the seeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from limr.core.errors import InputError, nearest
from limr.core.random_streams import stream
from limr.core.tables import Problem
from limr.problems import arithmetic_useless
from limr.problems.arithmetic_families import FAMILIES, Item

SOURCE = "arithmetic"
BOX = "\\boxed{"

# All characters of prompts and worked solutions.
CHARACTERS = "0123456789+-*/=(),x?}\\boed{"
# The same for a tokenizer, longest match first: `\boxed{` is one token, so that the characters that
# occur nowhere else are left out.
TOKENS: tuple[str, ...] = (BOX, *"0123456789+-*/=(),x?}")

LEVELS = (1, 2, 3, 4, 5, 6)
_BUCKETS = {"train": (0, 30), "held-out": (30, 55), "warmup": (55, 100)}  # shares in per cent
_SPLITS: Mapping[str, tuple[str, tuple[int, ...]]] = {  # split -> bucket, levels
    "train": ("train", LEVELS),
    "warmup": ("warmup", LEVELS),
    "easy": ("held-out", (1, 2)),
    "medium": ("held-out", (3, 4)),
    "hard": ("held-out", (5, 6)),
}
SPLITS = tuple(_SPLITS)
NAMES = tuple(family.name for family in FAMILIES)

# What makes the base model imperfect; the shares are means over the levels.
_WITH_WORKING = 0.45
_WRONG = 0.15
_WITHOUT_BOX = 0.30
_MEAN_LEVEL = 3.5


Key = TypeVar("Key")


@dataclass(frozen=True)
class _Entry:
    item: Item
    family: str
    level: int
    bucket: str


def generate(
    n: int,
    seed: int,
    split: str,
    avoid: Collection[str] = (),
    levels: Collection[int] = LEVELS,
    families: Collection[str] = NAMES,
) -> list[Problem]:
    """Draw `n` distinct problems of a split, as evenly over levels and families as possible.

    Args:
        n: how many, at least 1.
        seed: the same arguments give the same problems in the same order.
        split: one of `SPLITS`: `train` and `warmup` have levels 1 to 6; `easy` 1 and 2, `medium` 3
            and 4, `hard` 5 and 6 are held out.
        avoid: prompts that must not be drawn.
        levels: draw from these levels of the split only.
        families: draw from these families only.

    Returns:
        The problems ordered by level; `problem_id` is `arithmetic-<split>-<number from 1>`.

    Raises:
        InputError: there is no such split, or it has fewer than `n` problems.
    """
    groups = _groups(split, avoid, levels, families)
    available = sum(len(entries) for entries in groups.values())
    if not available:
        raise InputError(
            f"{SOURCE}: the split '{split}' has no problem of the families {sorted(families)} at "
            f"the levels {sorted(levels)}. docs/map.md#problems-that-teach-nothing lists them."
        )
    if not 1 <= n <= available:
        raise InputError(
            f"{SOURCE}: {n} problems were asked of the split '{split}', which has {available}. "
            f"Ask for 1 to {available}."
        )
    chosen: list[_Entry] = []
    for name, count in _even_shares(n, groups).items():
        entries = groups[name]
        order = stream(seed, SOURCE, split, name).permutation(len(entries))
        chosen += [entries[index] for index in order[:count]]
    width = max(4, len(str(n)))
    ids = (f"{SOURCE}-{split}-{number:0{width}d}" for number in range(1, n + 1))
    return [
        Problem(key, entry.item.prompt, entry.item.answer, SOURCE, entry.level)
        for key, entry in zip(ids, chosen, strict=True)
    ]


def solution(prompt: str) -> str:
    r"""Return a worked solution that ends in `\boxed{answer}`, at most 27 characters.

    Raises:
        InputError: the prompt is not one of the generated ones.
    """
    if (found := arithmetic_useless.working(prompt)) is not None:
        return f"{found[0]}{BOX}{found[1]}}}"
    if prompt not in _space():
        raise InputError(f"{SOURCE}: '{prompt[:60]}' is not one of the generated problems.")
    item = _space()[prompt].item
    return f"{item.working}{BOX}{item.answer}}}"


def warmup_examples(
    n: int,
    seed: int,
    avoid: Collection[str] = (),
    levels: Collection[int] = LEVELS,
    easy_share: float = 0,
) -> list[tuple[str, str]]:
    """Draw `n` pairs (prompt, target) of the split `warmup`, to train an imperfect base model.

    The families are equally frequent and a prompt may be drawn again. About 45 % of the targets
    show the working, 15 % have a wrong answer (4 % at level 1, 26 % at level 6), 30 % have no box.
    The arguments are those of `generate`. `easy_share` of the pairs are easy problems of
    `arithmetic_useless` instead, always right and in a box.
    """
    groups = list(_groups("warmup", avoid, levels).values())
    generator = stream(seed, SOURCE, "warmup examples")
    families = generator.integers(len(groups), size=n).tolist()
    draws = generator.random((n, 5)).tolist()
    pairs = [_example(groups[family], *draw) for family, draw in zip(families, draws, strict=True)]
    if easy_share:
        known = arithmetic_useless.easy("warmup")
        easy = stream(seed, SOURCE, "easy warm-up examples")
        for number in (easy.random(n) < easy_share).nonzero()[0].tolist():
            prompt, answer = known[int(easy.integers(len(known)))]
            pairs[number] = prompt, f"{BOX}{answer}}}"
    return pairs


def _example(
    entries: Sequence[_Entry], which: float, working: float, wrong: float, how: float, box: float
) -> tuple[str, str]:
    """Return a pair from five uniform draws: which entry, with working, wrong, how, with a box."""
    entry = entries[int(which * len(entries))]
    answer = entry.item.answer
    if wrong < _WRONG * entry.level / _MEAN_LEVEL:
        answer = _wrong_answer(answer, how)
    target = answer if box < _WITHOUT_BOX else f"{BOX}{answer}}}"
    shown = entry.item.working if working < _WITH_WORKING else ""
    return entry.item.prompt, shown + target


def _wrong_answer(answer: str, draw: float) -> str:
    """Return another non-negative number nearby: off by 1, 2 or 10, as usual mistakes are."""
    numerator, slash, denominator = answer.partition("/")
    value = int(numerator)
    slips = [value + slip for slip in (-10, -2, -1, 1, 2, 10) if value + slip >= 0]
    return f"{slips[int(draw * len(slips))]}{slash}{denominator}"


def _even_shares(n: int, groups: Mapping[str, Sequence[_Entry]]) -> dict[str, int]:
    """Divide `n` evenly among levels, then among each level's families."""
    levels: dict[int, dict[str, int]] = {}
    for name, entries in groups.items():
        levels.setdefault(entries[0].level, {})[name] = len(entries)
    totals = _divided(n, {level: sum(sizes.values()) for level, sizes in levels.items()})
    shares: dict[str, int] = {}
    for level, sizes in levels.items():
        shares |= _divided(totals[level], sizes)
    return shares


def _divided(n: int, capacity: Mapping[Key, int]) -> dict[Key, int]:
    """Divide `n` as evenly as the capacities allow; the first ones get the remainder."""
    shares = dict.fromkeys(capacity, 0)
    left = n
    while left:
        open_keys = [key for key in capacity if shares[key] < capacity[key]]
        each = max(1, left // len(open_keys))
        for key in open_keys:
            more = min(each, capacity[key] - shares[key], left)
            shares[key] += more
            left -= more
    return shares


def _groups(
    split: str,
    avoid: Collection[str],
    wanted_levels: Collection[int],
    families: Collection[str] = NAMES,
) -> dict[str, list[_Entry]]:
    """Return family -> entries of a split, families without entries left out."""
    if split not in _SPLITS:
        raise InputError(f"{SOURCE}: there is no split '{split}'.{nearest(split, SPLITS)}")
    bucket, levels = _SPLITS[split]
    wanted, avoided = set(levels) & set(wanted_levels), frozenset(avoid)
    groups: dict[str, list[_Entry]] = {}
    for entry in _space().values():
        inside = entry.bucket == bucket and entry.level in wanted
        if inside and entry.family in families and entry.item.prompt not in avoided:
            groups.setdefault(entry.family, []).append(entry)
    return groups


@cache
def _space() -> dict[str, _Entry]:
    """Return every problem by its prompt, in the families' order (about 25,000; 0.1 s)."""
    space: dict[str, _Entry] = {}
    for family in FAMILIES:
        for item in family.items():
            entry = _Entry(item, family.name, family.level, _bucket(item.key))
            if space.setdefault(item.prompt, entry) is not entry:
                raise ValueError(f"{item.prompt!r} is in two families")
    return space


def _bucket(key: str) -> str:
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 100
    return next(name for name, (low, high) in _BUCKETS.items() if low <= share < high)
