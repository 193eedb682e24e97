"""From batches of rows to a `Log`: blocks of rows, distinct texts and numbers once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core.errors import InputError
from limr.trajectories.batch import Batch, Values
from limr.trajectories.curves import Flags
from limr.trajectories.log import OF_BLOCKS, Column, Log, Places
from limr.trajectories.log_files import LogFile
from limr.trajectories.matching import MOST_MADE
from limr.trajectories.numbers import MOST_SHOWN, NUMBER, Numbers, as_numbers, narrow

_MOST_JOINED = 2**16  # distinct values of all batches
_SESSION = re.compile(r"^(?P<group>.+)_(?P<rollout>\d+)_\d+$")


class Builder:
    """Makes a `Log` of batches."""

    def __init__(self, files: Sequence[LogFile], taken: Mapping[str, str]) -> None:
        self._files, self._taken = files, taken
        self._parts: dict[str, list[Any]] = {}
        self._prompts: dict[tuple[str, str | None], int] = {}
        self._names: dict[str, int] = {}
        self._numbers: dict[str, list[Numbers]] = {"reward": [], "correct": []}
        self._broken: list[tuple[int, int, str]] = []

    def add(self, file: int, batch: Batch) -> None:
        """Add the rows of a file; rows without a prompt or an id are broken.

        Raises:
            InputError: more distinct prompts than any data set has.
        """
        self._broken += [(file, row, why) for row, why in batch.broken]
        columns = batch.columns
        prompt = self._prompts_of(columns)
        bad = prompt < 0
        for at in np.flatnonzero(bad):
            self._broken.append((file, int(batch.rows[at]), "no prompt in it"))
        found: dict[str, Any] = {"row": batch.rows.astype(np.int64), "prompt": prompt}
        if "id" in columns:
            found["name"] = _codes(columns["id"], self._names, _name)
        if "step" in columns:
            found["step"], unread = _steps(columns["step"])
            for at in np.flatnonzero(unread & ~bad):
                self._broken.append((file, int(batch.rows[at]), "its step is no whole number"))
            bad |= unread
        if "uid" in columns:
            found["group"], found["rollout"] = _uids(columns["uid"])
        for name in ("group", "rollout"):
            if name in columns:
                found[name] = hashes(columns[name])
        good = np.flatnonzero(~bad) if bad.any() else slice(None)
        for name, parts in self._numbers.items():
            if name in columns:
                parts.append(as_numbers(columns[name]).of(good))
        found = {name: values[good] for name, values in found.items()}
        found["file"] = np.full(len(found["row"]), file, np.int32)
        for name, values in in_blocks(found).items():
            self._parts.setdefault(name, []).append(values)

    def _prompts_of(self, columns: Mapping[str, Values]) -> Places:
        """Return (n_rows,) places of the prompts; -1 where a row has none."""
        golds = columns.get("gold")
        if "prompt" in columns:
            texts = columns["prompt"]
        elif "id" in columns:
            texts = [_name(value) for value in _listed(columns["id"])]
        else:
            raise ValueError("a format must name a prompt or an id")
        if isinstance(texts, pa.DictionaryArray) and golds is None:
            known, distinct = self._prompts, texts.dictionary.to_pylist()
            of_text = [known.get((text, None), -1) for text in distinct]
            for place, text in enumerate(distinct):
                if of_text[place] < 0:
                    of_text[place] = self._place(prompt_text(text), None)
            where = texts.indices
            if where.null_count:
                where = where.fill_null(len(distinct))
            places_ = np.array([*of_text, -1], np.int64)
            return np.asarray(places_[where.to_numpy(zero_copy_only=False)])
        places: dict[Any, int] = {}
        pairs = self._pairs(texts, golds)
        for pair in dict.fromkeys(pairs):
            places[pair] = self._place(*pair)
        return np.fromiter(map(places.__getitem__, pairs), np.int64, len(pairs))

    def _pairs(self, texts: Values, golds: Values | None) -> list[tuple[str | None, str | None]]:
        """Return (text, gold answer) of each row."""
        prompts = _listed(texts)
        if set(map(type, prompts)) != {str}:
            prompts = [prompt_text(prompt) for prompt in prompts]
        gold = [None] * len(prompts) if golds is None else _listed(golds)
        if not set(map(type, gold)) <= {str, type(None)}:
            gold = [_gold(answer) for answer in gold]
        return list(zip(prompts, gold, strict=True))

    def _place(self, text: str | None, gold: str | None) -> int:
        if not text:
            return -1
        place = self._prompts.setdefault((_whole(text), gold), len(self._prompts))
        if place == MOST_MADE:
            raise InputError(
                f"more than {MOST_MADE:,} distinct prompts, such as {text[-60:]!r}: does each "
                "row's prompt hold something of its own (a date, a number, the response)?"
            )
        return place

    def finish(self) -> Log:
        """Return the log."""
        whole = {name: np.concatenate(self._parts.pop(name)) for name in list(self._parts)}
        if "n" in whole:
            n = whole.pop("n")
            whole = in_blocks(whole, n)
        none = np.zeros(0, np.int64)
        fields: dict[str, Any] = {name: whole.get(name) for name in OF_BLOCKS}
        for name in ("file", "row", "n", "prompt"):
            fields[name] = whole.get(name, none)
        return Log(
            files=self._files,
            prompts=list(self._prompts),
            names=list(self._names),
            reward=joined(self._numbers["reward"]),
            correct=joined(self._numbers["correct"]),
            taken=self._taken,
            broken=self._broken,
            **fields,
        )


def in_blocks(found: Mapping[str, Any], n: Places | None = None) -> dict[str, Any]:
    """Return columns of blocks, where rows that follow each other and are alike become one.

    Args:
        found: column -> (n,) values of rows, or of smaller blocks.
        n: (n,) rows of each; None: one.
    """
    size = len(found["row"])
    n = np.ones(size, np.int64) if n is None else n
    new = np.ones(size, bool)
    if "rollout" not in found and size:
        row = found["row"]
        new[1:] = row[1:] != row[:-1] + n[:-1]
        for name, values in found.items():
            if name != "row":
                new[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(new)
    blocks = {name: values[starts] for name, values in found.items()}
    blocks["n"] = np.add.reduceat(n, starts) if size else n
    return blocks


def joined(parts: Sequence[Numbers]) -> Column | None:
    """Return the numbers of all batches as one column; None where there are none."""
    if not parts:
        return None
    met: Counter[str] = Counter()
    for part in parts:
        if len(met) <= MOST_SHOWN:
            met.update(dict(zip(part.shown, part.counts.tolist(), strict=True)))
    met = Counter() if len(met) > MOST_SHOWN else +met
    values = np.concatenate([part.values for part in parts])
    kinds = np.concatenate([part.kinds for part in parts])
    shown = [text for part in parts for text in part.shown]
    places = np.arange(len(shown))
    if len(shown) <= _MOST_JOINED:  # few different values: each once
        known: dict[tuple[str, int, str], int] = {}
        for place, key in enumerate(
            zip(map(float.hex, values.tolist()), kinds.tolist(), shown, strict=True)
        ):
            places[place] = known.setdefault(key, len(known))
        once = np.unique(places, return_index=True)[1]
        values, kinds, shown = values[once], kinds[once], [shown[place] for place in once]
    ends = np.cumsum([len(part.values) for part in parts])
    codes = [
        narrow(places[end - len(part.values) : end], len(shown))[part.codes]
        for part, end in zip(parts, ends.tolist(), strict=True)
    ]
    return Column(np.concatenate(codes), values, kinds, shown, met)


def _listed(values: Values) -> list[Any]:
    return values if isinstance(values, list) else list(values.to_pylist())


def prompt_text(value: Any) -> str | None:
    """Return the problem's text of a prompt: itself, or the last user message of a chat."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, Mapping):
        return prompt_text(value.get("messages") or value.get("content") or value.get("prompt"))
    if isinstance(value, list) and value:
        said = [m for m in value if isinstance(m, Mapping) and m.get("role") == "user"]
        if said:
            return _content(said[-1].get("content"))
        if all(isinstance(part, str) for part in value):
            return "".join(value) or None
    return None


def _content(content: Any) -> str | None:
    """Return the text of a message, which may be a list of parts."""
    if isinstance(content, list):
        parts = [p.get("text") if isinstance(p, Mapping) else p for p in content]
        return "".join(part for part in parts if isinstance(part, str)) or None
    return content if isinstance(content, str) and content else None


def _whole(text: str) -> str:
    """Return a text without halves of character pairs, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _gold(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else repr(value)


def _name(value: Any) -> str | None:
    return None if value is None or isinstance(value, (list, dict)) else str(value)


def _codes(values: Values, known: dict[str, int], read: Callable[[Any], str | None]) -> Places:
    texts = (read(value) for value in _listed(values))
    return np.array([-1 if t is None else known.setdefault(t, len(known)) for t in texts], np.int64)


def _steps(values: Values) -> tuple[Places, Flags]:
    """Return (n_rows,) steps and which of them are no whole numbers."""
    if isinstance(values, list) and set(map(type, values)) == {int}:
        with suppress(OverflowError):
            return np.array(values, np.int64), np.zeros(len(values), bool)
    if isinstance(values, pa.Array) and pa.types.is_integer(values.type) and not values.null_count:
        whole_ = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
        return whole_, np.zeros(len(values), bool)
    found = as_numbers(values)
    numbers, kinds = found.row_values, found.row_kinds
    whole = (kinds == NUMBER) & (np.abs(numbers) < 2**53) & (numbers == np.rint(numbers))
    steps = np.where(whole, numbers, 0).astype(np.int64)
    return steps, ~whole


def _uids(values: Values) -> tuple[Places, Places]:
    """Return (n_rows,) groups and rollouts of ids that may be `{group}_{rollout}_{turn}`."""
    ids = _listed(values)
    split = [_SESSION.match(uid) if isinstance(uid, str) else None for uid in ids]
    if not all(split):
        return hashes(ids), np.zeros(len(ids), np.int64)
    groups = [match["group"] for match in split if match]
    return hashes(groups), hashes([f"{m['group']}_{m['rollout']}" for m in split if m])


def hashes(values: Values) -> Places:
    """Return (n_rows,) equal numbers for equal values; 0 where there is none."""
    return np.array([_hash(value) for value in _listed(values)], np.int64)


def _hash(value: Any) -> int:
    if value is None:
        return 0
    return hash(repr(value) if isinstance(value, (list, dict)) else value) or 1
