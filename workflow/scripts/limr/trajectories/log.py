"""A log in memory: a few numbers per row, whatever the trainer, and where each row is.

Texts are kept once each (prompts), or as a hash (responses, groups); 40 to 70 bytes per row.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.log_files import LogFile
from limr.trajectories.matching import MOST_MADE
from limr.trajectories.records import Batch, Values

Places = npt.NDArray[np.int64]
NUMBER, MISSING, NOT_FINITE, OTHER = range(4)  # what a value is that should be a number
_WORDS = {"true": 1.0, "false": 0.0, "correct": 1.0, "incorrect": 0.0, "yes": 1.0, "no": 0.0,
          "right": 1.0, "wrong": 0.0, "pass": 1.0, "passed": 1.0, "fail": 0.0, "failed": 0.0}  # fmt: skip
_SESSION = re.compile(r"^(?P<group>.+)_(?P<rollout>\d+)_\d+$")
_MOST_SHOWN = 1000  # distinct values that are counted; a scale has more
_END = 64  # characters at a response's end that tell it from others, with its length


@dataclass
class Column:
    """A column of numbers, as the log has it.

    Attributes:
        values: (n_rows,) numbers; NaN where there is none.
        kinds: (n_rows,) what each is: `NUMBER`, `MISSING`, `NOT_FINITE`, `OTHER`.
        met: value as the log writes it -> rows; empty where there are too many different ones.
    """

    values: Floats
    kinds: npt.NDArray[np.int8]
    met: Counter[str]


@dataclass
class Log:
    """The rows of a log, in the order in which they were read.

    Attributes:
        files: the files.
        file: (n_rows,) place of the row's file.
        row: (n_rows,) number of the row in it, from 1.
        prompts: each distinct (text, gold answer or None), in order of appearance.
        prompt: (n_rows,) place in `prompts`.
        names: each distinct id of a problem that the log gives; empty where it gives none.
        name: (n_rows,) place in `names`; None where the log gives none.
        step: (n_rows,) the step that the row says; None where rows say none.
        group: (n_rows,) equal for the samples of one prompt at one time; 0 unknown; None: no such
            column.
        rollout: (n_rows,) equal for the rows of one rollout; None as above.
        response: (n_rows,) equal for equal responses; None as above.
        reward: the reward; None where the log has none.
        correct: what the log itself says of correctness; None where it says nothing.
        taken: canonical name -> the log's column.
        broken: rows that could not be read: (file, row, why).
    """

    files: Sequence[LogFile]
    file: npt.NDArray[np.int32]
    row: Places
    prompts: list[tuple[str, str | None]]
    prompt: Places
    names: list[str]
    name: Places | None
    step: Places | None
    group: Places | None
    rollout: Places | None
    response: Places | None
    reward: Column | None
    correct: Column | None
    taken: Mapping[str, str]
    broken: list[tuple[int, int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.prompt)

    def where(self, row: int) -> str:
        """Return where a row is, for messages."""
        file = self.files[int(self.file[row])]
        return place(file, int(self.row[row]))

    def kept(self, rows: Flags | Places) -> Log:
        """Return the log with some rows only, or in another order."""
        part: dict[str, Any] = dict(vars(self))
        for name in ("file", "row", "prompt", "name", "step", "group", "rollout", "response"):
            if part[name] is not None:
                part[name] = part[name][rows]
        for name in ("reward", "correct"):
            column = part[name]
            if column is not None:
                part[name] = Column(column.values[rows], column.kinds[rows], column.met)
        return Log(**part)


    def compacted(self) -> Log:
        """Return the log without prompts and names that no row has."""
        part: dict[str, Any] = dict(vars(self))
        used, part["prompt"] = _used(self.prompt)
        part["prompts"] = [self.prompts[at] for at in used]
        if self.name is not None and (self.name >= 0).all():
            used, part["name"] = _used(self.name)
            part["names"] = [self.names[at] for at in used]
        return Log(**part)


def _used(places: Places) -> tuple[list[int], Places]:
    """Return the places that occur, in order, and (n_rows,) where each is among them."""
    used, inverse = np.unique(places, return_inverse=True)
    return used.tolist(), np.asarray(inverse, np.int64)


def place(file: LogFile, row: int) -> str:
    """Return where a row of a file is: its line, or its number."""
    return f"{file.name}:{row}" if file.kind == "jsonl" else f"{file.name}: row {row}"


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
            "row": batch.rows,
            "prompt": prompt,
        }
        if "id" in columns:
            found["name"] = _codes(columns["id"], self._names, _name)
        if "step" in columns:
            found["step"], unread = _steps(columns["step"])
            if unread.any():
                good = np.flatnonzero(~bad & ~unread)
                first = int(np.argmax(unread))
                self._broken.append((file, int(batch.rows[first]), "its step is no whole number"))
        if "uid" in columns:
            found["group"], found["rollout"] = _uids(columns["uid"])
        for name in ("group", "rollout", "response"):
            if name in columns:
                found[name] = hashes(columns[name])
        for name in ("reward", "correct"):
            if name in columns:
                found[f"{name}.values"], found[f"{name}.kinds"] = self._numbers(name, columns[name])
        for name, values in found.items():
            self._parts.setdefault(name, []).append(values if len(good) == len(bad) else values[good])

    def _prompts_of(self, columns: Mapping[str, Values]) -> tuple[Places, Flags]:
        """Return (n_rows,) places of the prompts, and which rows have none."""
        golds = columns.get("gold")
        texts = columns.get("prompt", columns.get("id"))
        assert texts is not None
        if isinstance(texts, pa.DictionaryArray) and golds is None:
            distinct = [_text(text) for text in texts.dictionary.to_pylist()]
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
            prompts = [_text(prompt) for prompt in prompts]
        gold = [None] * len(prompts) if golds is None else _listed(golds)
        if not set(map(type, gold)) <= {str, type(None)}:
            gold = [_gold(answer) for answer in gold]
        return list(zip(prompts, gold, strict=True))

    def _place(self, text: str | None, gold: str | None) -> int:
        if not text:
            return -1
        place = self._prompts.setdefault((text, gold), len(self._prompts))
        if place == MOST_MADE:
            raise InputError(
                f"more than {MOST_MADE:,} distinct prompts, such as {text[-60:]!r}: does each row's "
                "prompt hold something of its own (a date, a number, the response)?"
            )
        return place

    def _numbers(self, name: str, values: Values) -> tuple[Floats, npt.NDArray[np.int8]]:
        numbers, kinds, met = as_numbers(values)
        self._met[name].update(met)
        if len(self._met[name]) > _MOST_SHOWN:
            self._many[name] = True
        if self._many[name]:
            self._met[name].clear()
        return numbers, kinds

    def finish(self) -> Log:
        """Return the log."""
        whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        columns = {
            name: Column(whole[f"{name}.values"], whole[f"{name}.kinds"], self._met[name])
            if f"{name}.values" in whole else None
            for name in ("reward", "correct")
        }  # fmt: skip
        return Log(
            self._files,
            whole.get("file", np.zeros(0, np.int32)),
            whole.get("row", np.zeros(0, np.int64)),
            list(self._prompts),
            whole.get("prompt", np.zeros(0, np.int64)),
            list(self._names),
            whole.get("name"), whole.get("step"), whole.get("group"), whole.get("rollout"),
            whole.get("response"), columns["reward"], columns["correct"],
            self._taken, self._broken,
        )  # fmt: skip


def _listed(values: Values) -> list[Any]:
    return values if isinstance(values, list) else list(values.to_pylist())


def _text(value: Any) -> str | None:
    """Return the problem's text of a prompt: itself, or the last user message of a chat."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, Mapping):
        return _text(value.get("messages") or value.get("content") or value.get("prompt"))
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
    """Return (n_rows,) equal numbers for equal values; 0 where there is none.

    Texts are compared by their length and their end.
    """
    listed = _listed(values)
    if set(map(type, listed)) == {msgspec.Raw}:  # responses, as JSON has them: many and long
        sizes = np.fromiter(map(len, map(memoryview, listed)), np.int64, len(listed))
        ends = [hash(bytes(view[-_END:])) for view in map(memoryview, listed)]
        none = [place for place in np.flatnonzero(sizes <= len(b"null")).tolist()
                if bytes(listed[place]) in (b"", b"null")]  # fmt: skip
        found = np.array(ends, np.int64) ^ sizes << 32 | 1
        found[none] = 0
        return found
    return np.array([_hash(value) for value in listed], np.int64)


def _hash(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str):
        return hash((len(value), value[-_END:])) or 1
    if isinstance(value, (list, dict)):
        return _hash(repr(value))
    if isinstance(value, msgspec.Raw):
        return 0 if bytes(value) in (b"", b"null") else hash(bytes(value)) or 1
    return hash(value) or 1


def as_numbers(values: Values) -> tuple[Floats, npt.NDArray[np.int8], Counter[str]]:
    """Return numbers (NaN where there is none), what each value is, and the values met.

    Booleans count as 1 and 0, and so do words such as `correct`; texts of numbers are numbers.
    """
    if not isinstance(values, list):
        kind = values.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            null = values.is_null().to_numpy(zero_copy_only=False)
            filled = values.cast(pa.float64()).fill_null(math.nan)
            return _of_array(filled.to_numpy(zero_copy_only=False), null)
        values = values.to_pylist()
    types = set(map(type, values))
    if types <= {int, float} and types:
        with suppress(OverflowError):
            return _of_array(np.array(values, np.float64), np.zeros(len(values), bool))
    if types == {bool}:
        flags = np.array(values, np.float64)
        right = int(flags.sum())
        met = {"true": right, "false": len(values) - right}
        return flags, np.zeros(len(values), np.int8), Counter({k: n for k, n in met.items() if n})
    seen: dict[tuple[type, Any], tuple[float, int, str]] = {}
    numbers, kinds = np.empty(len(values)), np.empty(len(values), np.int8)
    met = Counter()
    for place, value in enumerate(values):
        key = (type(value), value if value.__hash__ else repr(value))
        found = seen.get(key)
        if found is None:
            found = seen[key] = _number(value)
        numbers[place], kinds[place] = found[:2]
        met[found[2]] += 1
    return numbers, kinds, met


def _of_array(
    numbers: Floats, null: Flags
) -> tuple[Floats, npt.NDArray[np.int8], Counter[str]]:
    finite = np.isfinite(numbers)
    kinds = np.where(null, MISSING, np.where(finite, NUMBER, NOT_FINITE)).astype(np.int8)
    distinct, counts = np.unique(numbers[finite], return_counts=True)
    met = Counter({f"{v:g}": int(n) for v, n in zip(distinct, counts, strict=True)}
                  if len(distinct) <= _MOST_SHOWN else {f"{v!r}": 1 for v in distinct[: _MOST_SHOWN + 1]})  # fmt: skip
    if null.any():
        met["null"] = int(null.sum())
    if (~finite & ~null).any():
        met["NaN or infinite"] = int((~finite & ~null).sum())
    return np.where(finite, numbers, math.nan), kinds, met


def _number(value: Any) -> tuple[float, int, str]:
    """Return a value as a number, what it is, and how it is shown."""
    if value is None:
        return math.nan, MISSING, "null"
    if isinstance(value, bool):
        return float(value), NUMBER, "true" if value else "false"
    if isinstance(value, list) and len(value) == 1:
        return _number(value[0])
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            return _WORDS[word], NUMBER, repr(value)[:40]
        try:
            value = float(word)
        except ValueError:
            return math.nan, OTHER, repr(value)[:40]
    if isinstance(value, (int, float)):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number, NUMBER, f"{number:g}"
        return math.nan, NOT_FINITE, "NaN or infinite"
    return math.nan, OTHER, f"a {type(value).__name__}"
