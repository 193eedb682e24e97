"""From batches of rows to a `Log`: distinct texts once, numbers as vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.core.errors import InputError
from limr.trajectories.batch import Batch, Values
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.log import Column, Log, Places
from limr.trajectories.log_files import LogFile
from limr.trajectories.matching import MOST_MADE
from limr.trajectories.numbers import MOST_SHOWN, NUMBER, as_numbers

_SESSION = re.compile(r"^(?P<group>.+)_(?P<rollout>\d+)_\d+$")


class Builder:
    """Makes a `Log` of batches."""

    def __init__(self, files: Sequence[LogFile], taken: Mapping[str, str]) -> None:
        self._files, self._taken = files, taken
        self._parts: dict[str, list[Any]] = {}
        self._prompts: dict[tuple[str, str | None], int] = {}
        self._names: dict[str, int] = {}
        self._met: dict[str, Counter[str]] = {"reward": Counter(), "correct": Counter()}
        self._many = {"reward": False, "correct": False}
        self._broken: list[tuple[int, int, str]] = []

    def add(self, file: int, batch: Batch) -> None:
        """Add the rows of a file; rows without a prompt or an id are broken.

        Raises:
            InputError: more distinct prompts than any data set has.
        """
        self._broken += [(file, row, why) for row, why in batch.broken]
        columns = batch.columns
        prompt, bad = self._prompts_of(columns)
        good = np.flatnonzero(~bad)
        for at in np.flatnonzero(bad):
            self._broken.append((file, int(batch.rows[at]), "no prompt in it"))
        found: dict[str, Any] = {
            "file": np.full(len(batch.rows), file, np.int32),
            "row": batch.rows.astype(np.int32),
            "prompt": prompt.astype(np.int32),
        }
        if "id" in columns:
            found["name"] = _codes(columns["id"], self._names, _name)
        if "step" in columns:
            found["step"], unread = _steps(columns["step"])
            for at in np.flatnonzero(unread & ~bad):
                self._broken.append((file, int(batch.rows[at]), "its step is no whole number"))
            good = np.flatnonzero(~bad & ~unread)
        if "uid" in columns:
            found["group"], found["rollout"] = _uids(columns["uid"])
        for name in ("group", "rollout"):
            if name in columns:
                found[name] = hashes(columns[name])
        for name in ("reward", "correct"):
            if name in columns:
                found[f"{name}.values"], found[f"{name}.kinds"] = self._numbers(name, columns[name])
        for name, values in found.items():
            self._parts.setdefault(name, []).append(
                values if len(good) == len(bad) else values[good]
            )

    def _prompts_of(self, columns: Mapping[str, Values]) -> tuple[Places, Flags]:
        """Return (n_rows,) places of the prompts, and which rows have none."""
        golds = columns.get("gold")
        if "prompt" in columns:
            texts = columns["prompt"]
        elif "id" in columns:
            texts = [_name(value) for value in _listed(columns["id"])]
        else:
            raise ValueError("a format must name a prompt or an id")
        if isinstance(texts, pa.DictionaryArray) and golds is None:
            distinct = [prompt_text(text) for text in texts.dictionary.to_pylist()]
            places = np.array([self._place(text, None) for text in distinct] + [-1], np.int64)
            where = texts.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
            found = places[where]
        else:
            known: dict[Any, int] = {}
            pairs = self._pairs(texts, golds)
            for pair in dict.fromkeys(pairs):
                known[pair] = self._place(*pair)
            found = np.fromiter(map(known.__getitem__, pairs), np.int64, len(pairs))
        return found, found < 0

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

    def _numbers(self, name: str, values: Values) -> tuple[Floats, npt.NDArray[np.int8]]:
        numbers, kinds, met = as_numbers(values)
        self._met[name].update(met)
        if len(self._met[name]) > MOST_SHOWN:
            self._many[name] = True
        if self._many[name]:
            self._met[name].clear()
        return numbers, kinds

    def finish(self) -> Log:
        """Return the log."""
        whole = {name: np.concatenate(self._parts.pop(name)) for name in list(self._parts)}
        columns = {
            name: Column(whole[f"{name}.values"], whole[f"{name}.kinds"], self._met[name])
            if f"{name}.values" in whole
            else None
            for name in ("reward", "correct")
        }
        return Log(
            self._files,
            whole.get("file", np.zeros(0, np.int32)),
            whole.get("row", np.zeros(0, np.int64)),
            list(self._prompts),
            whole.get("prompt", np.zeros(0, np.int64)),
            list(self._names),
            whole.get("name"),
            whole.get("step"),
            whole.get("group"),
            whole.get("rollout"),
            columns["reward"],
            columns["correct"],
            self._taken,
            self._broken,
        )


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
    numbers, kinds, _ = as_numbers(values)
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
