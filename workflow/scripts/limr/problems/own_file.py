"""Problems from a user's own file, whatever it is: verl or TRL parquet, JSON lines, csv, …

`limr.problems.row_files` reads the rows, `limr.problems.own_columns` says which column is what.
`limr.problems.own_rows` writes chosen rows of the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem, check_problems
from limr.problems import own_columns, row_files
from limr.problems.normalised_text import made_id, one_blank
from limr.problems.own_columns import Choice, Role, value_at

# So many rows are looked at to find the columns.
_FIRST = 1000
_FROM_TEXT = "made from the text"


@dataclass(frozen=True)
class OwnFile:
    """What a user's own file holds.

    Attributes:
        path: the file or folder.
        kind: what it is, a key of `limr.problems.row_files.IN_WORDS`.
        problems: with unique ids, in the order in which the file first has them.
        rows: one number for each row: the place of its problem in `problems`.
        columns: role (prompt, answer, id, source, level) -> the dotted path of the column that was
            taken; for ids in words where they are made. A role that nothing was found for is not
            there.
        notes: sentences about what was noticed, such as doubled rows.
    """

    path: Path
    kind: row_files.Kind
    problems: list[Problem]
    rows: list[int]
    columns: dict[Role, str]
    notes: list[str]

    def rows_of(self, problem_ids: Iterable[str]) -> list[int]:
        """Return the numbers (from 0, rising) of all rows of some problems, as `own_rows` wants.

        Raises:
            KeyError: an id that is none of the file's.
        """
        places = {problem.problem_id: place for place, problem in enumerate(self.problems)}
        wanted = {places[key] for key in problem_ids}
        return [row for row, place in enumerate(self.rows) if place in wanted]

    def in_words(self) -> str:
        """Return one sentence on what was taken for what."""
        taken = ", ".join(f"{role}: {path}" for role, path in self.columns.items())
        taken += "" if "answer" in self.columns else "; no gold answers"
        return (
            f"{self.path}: {row_files.IN_WORDS[self.kind]}, {len(self.rows):,} rows, "
            f"{len(self.problems):,} problems ({taken})."
        )


class _Row(NamedTuple):
    where: str
    prompt: str
    answer: str
    id: str | None
    source: str | None
    level: int | None
    has_odd_level: bool


def read(path: Path) -> list[Problem]:
    """Return the problems of a file or folder, and nothing else of it (see `open_file`)."""
    return open_file(path).problems


def open_file(path: Path, columns: Mapping[str, str | None] | None = None) -> OwnFile:
    """Return what a file or folder holds.

    Ids are those of the file where they are unique. An index that restarts in every source gives
    `SOURCE-INDEX`; where that is not unique either, ids are made from the texts. Rows with the same
    text and answer under the same id, or without one, are one problem.

    Args:
        path: JSON lines, a JSON list, csv (these may be packed), parquet, or a folder of Hugging
            Face datasets.
        columns: role -> dotted path of its column, where the usual names do not fit or mislead,
            such as `{"prompt": "extra_info.question", "level": None}`; None: there is none.

    Raises:
        InputError: not such a file, no rows, no column of the prompt, a prompt missing or empty, or
            an id that two different problems have.
    """
    stream = _objects(row_files.rows(path))
    first = [row for _, row in islice(stream, _FIRST)]
    if not first:
        raise InputError(f"{path}: no problems in it.")
    choice = own_columns.choose(first, str(path), columns or {})
    rows = [_row(row, where, choice) for where, row in _objects(row_files.rows(path, choice.top))]
    notes = list(choice.notes)
    odd = [row.where for row in rows if row.has_odd_level]
    if odd:
        notes.append(
            f"{choice.paths['level']} is no whole number in {len(odd):,} rows, {odd[0]} is the "
            "first: they have no level."
        )
    rows, more = _short_answers(rows)
    ids, how, said = _ids(rows, choice, path)
    problems, places, doubled = _without_copies(rows, ids, path)
    check_problems(problems, str(path), allow_empty_answers=True)
    taken: dict[Role, str] = {**choice.paths, "id": how}
    return OwnFile(
        path, row_files.kind_of(path), problems, places, taken, [*notes, *more, *said, *doubled]
    )


def _objects(rows: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, row in rows:
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object, found {type(row).__name__}.")
        yield where, row


def _row(row: Mapping[str, Any], where: str, choice: Choice) -> _Row:
    paths = choice.paths
    prompt = _prompt(row, where, paths["prompt"])
    values = {role: value_at(row, path) for role, path in paths.items()}
    key, level = values.get("id"), values.get("level")
    number = own_columns.level_number(level)
    if isinstance(key, float) and key == key // 1:
        key = int(key)  # whole numbers beside missing ones are floats in pandas
    fits = isinstance(key, (str, int)) and not isinstance(key, bool) and str(key).strip()
    if fits and own_columns.has_half_pair(str(key)):
        raise InputError(f"{where}: the id {key!r} holds half of a character pair.")
    source = values.get("source")
    return _Row(
        where,
        prompt,
        own_columns.gold_text(values.get("answer"), paths.get("answer", "")),
        str(key) if fits else None,
        None if source in (None, "") else str(source),
        number,
        level not in (None, "") and number is None,
    )


def _prompt(row: Mapping[str, Any], where: str, path: str) -> str:
    value = value_at(row, path)
    text = own_columns.prompt_text(value)
    if text is None or not text.strip():
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:80] + "…"
        also = f"; this row has {', '.join(map(str, row))}" if value is None else ""
        raise InputError(
            f"{where} needs a '{path}', a text or chat messages with one of role 'user'; found "
            f"{shown}{also}. Mend or leave out the row, or name another column for the prompt."
        )
    if own_columns.has_half_pair(text):
        raise InputError(f"{where}: its {path} holds half of a character pair (a text cut short?).")
    if own_columns.is_python_messages(text):
        raise InputError(
            f"{where}: its {path} is Python's print of chat messages ({text[:40]!r}…). Export the "
            "data as JSON lines or parquet, or name a column with the plain text for the prompt."
        )
    return text


def _short_answers(rows: list[_Row]) -> tuple[list[_Row], list[str]]:
    """Take the answer after '####', as GSM8K marks it, where every row has one."""
    if not all("####" in row.answer for row in rows):
        return rows, []
    short = [row._replace(answer=row.answer.rpartition("####")[2].strip()) for row in rows]
    return short, ["every answer has '####' (as in GSM8K): what follows it is the gold answer."]


def _ids(rows: Sequence[_Row], choice: Choice, path: Path) -> tuple[list[str], str, list[str]]:
    """Return an id for each row, how they came about, and notes.

    Raises:
        InputError: a column that is surely one of ids lacks one, or is not unique.
    """
    column = choice.paths.get("id")
    if column is None:
        return _made(rows), _FROM_TEXT, []
    sure = column in own_columns.SURE_IDS or "id" in choice.named
    missing = next((row for row in rows if row.id is None), None)
    if missing is not None:
        if sure:
            raise InputError(
                f"{missing.where} needs an '{column}', a text or a whole number, as other rows "
                "have. Give it one, or say that the file has no ids (id='')."
            )
        return _made(rows), _FROM_TEXT, [f"some rows have no {column}: ids are made from texts."]
    plain = [str(row.id) for row in rows]
    clash = _clash(rows, plain)
    if clash is None:
        return plain, column, []
    by_source = [f"{row.source}-{row.id}" for row in rows]
    if all(row.source is not None for row in rows) and _clash(rows, by_source) is None:
        source = choice.paths["source"]
        return by_source, f"{source}-{column}", [f"{column} restarts in every {source}."]
    if sure:
        a, b = clash
        raise InputError(
            f"{path}: ids occur twice with different problems, the first is '{b.id}' ({a.where} "
            f"and {b.where}). Make them unique, or say that the file has no ids (id=''): "
            "they are then made from the texts."
        )
    return _made(rows), _FROM_TEXT, [f"{column} is not unique: ids are made from the texts."]


def _clash(rows: Sequence[_Row], ids: Sequence[str]) -> tuple[_Row, _Row] | None:
    """Return two rows that share an id and differ in text or answer."""
    seen: dict[str, _Row] = {}
    for row, key in zip(rows, ids, strict=True):
        other = seen.setdefault(key, row)
        if other is not row and _content(other) != _content(row):
            return other, row
    return None


def _content(row: _Row) -> tuple[str, str]:
    return one_blank(row.prompt), row.answer.strip()


def _made(rows: Sequence[_Row]) -> list[str]:
    """Return ids from the texts; where a text has several answers, from both."""
    contents = [_content(row) for row in rows]
    answers = Counter(text for text, _ in dict.fromkeys(contents))
    return [made_id(f"{t}\n{answer}" if answers[t] > 1 else t) for t, answer in contents]


def _without_copies(
    rows: Sequence[_Row], ids: Sequence[str], path: Path
) -> tuple[list[Problem], list[int], list[str]]:
    """Return one problem an id, each row's place among them, and a note of doubled rows."""
    places: dict[str, int] = {}
    problems: list[Problem] = []
    found = []
    for row, key in zip(rows, ids, strict=True):
        place = places.setdefault(key, len(problems))
        if place == len(problems):
            source = path.stem if row.source is None else row.source
            problems.append(Problem(key, row.prompt, row.answer, source, row.level))
        found.append(place)
    n = len(rows) - len(problems)
    if not n:
        return problems, found, []
    copy = next(row for row, place in enumerate(found) if place != row)
    times = Counter(found).most_common(1)[0][1]
    note = (
        f"{n:,} rows repeat the text and the answer of an earlier one ({rows[copy].where} is the "
        f"first; a problem stands up to {times} times): {len(problems):,} problems."
    )
    return problems, found, [note]


def write_made(path: Path, ids: Sequence[str], prompts: Sequence[str], source: str) -> None:
    """Write problems whose ids were made from their texts, so that they can be joined again."""
    problems = [Problem(key, text, "", source) for key, text in zip(ids, prompts, strict=True)]
    files.write_jsonl(path, [asdict(problem) for problem in problems])
