"""What `limr look` says on the terminal: what was found, warnings, values, classes, prompts."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pandas as pd

from limr.look import outlook
from limr.look.classes import ALWAYS, NEVER
from limr.look.looked import Looked

_PROMPT = 58  # characters of a prompt
_SHOWN = 5  # prompts at either end
_VALUES = 8
MEANING = {
    "dead": f"surely solved in under {NEVER:.0%} of samples",
    "solved": f"surely solved in over {ALWAYS:.0%}",
    "learning": "surely between the two, or surely rising",
    "unclear": "too few samples to say",
}


def plain(text: str) -> str:
    """Return a text without what could steer a terminal or turn its direction."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else c
            for c in text)  # fmt: skip
    return " ".join("".join(kept).split())


def lines(looked: Looked) -> list[str]:
    """Return the summary, a line each."""
    return [
        *_found(looked),
        *_warnings(looked),
        "",
        *_values(looked),
        "",
        *_classes(looked),
        "",
        *_prompts(looked),
    ]


def _found(looked: Looked) -> list[str]:
    imported, table = looked.imported, looked.prompts
    samples, most = int(table["n"].sum()), int(table["visits"].max())
    said = [
        f"{plain(looked.log)}: {imported.format or 'a log'}, {imported.rows_read:,} rows; "
        f"{samples:,} samples of {len(table):,} prompts, up to {most} visit{'s' * (most != 1)}."
    ]
    if imported.taken:
        taken = ", ".join(f"{name} = {column}" for name, column in imported.taken.items())
        said.append(f"  columns: {plain(taken)}")
    said += [f"  {plain(f.text)}" for f in looked.findings if f.kind == "info"]
    said += [
        f"  {r.rows:,} rows left out: {plain(r.reason)}; the first: {plain(r.first)}."
        for r in imported.refused
    ]
    return said


def _warnings(looked: Looked) -> list[str]:
    return [
        f"Warning [{f.code}]: {plain(f.text)}" + (f" First: {plain(f.where)}." if f.where else "")
        for f in looked.findings
        if f.kind == "warning"
    ]


def _values(looked: Looked) -> list[str]:
    values = looked.imported.values
    if not values:
        return ["Counts of correct samples are the log's own."]
    said = [f"What '{plain(looked.imported.column)}' was taken for:"]
    said += [f"  {plain(value):>22}  {rows:>12,} rows  {taken}"
             for value, rows, taken in values[:_VALUES]]  # fmt: skip
    if len(values) > _VALUES:
        said.append(f"  {'…':>22}  and {len(values) - _VALUES} other values")
    return said


def _classes(looked: Looked) -> list[str]:
    return [f"{looked.counts[name]:>8,} {name:<9} {meaning}" for name, meaning in MEANING.items()]


def _prompts(looked: Looked) -> list[str]:
    table = looked.prompts
    scored = table[table["score"].notna()]
    if not len(scored):
        return ["No prompt could be scored."]
    short = readable(list(table["prompt"]))
    short_of = dict(zip(table["problem_id"], short, strict=True))
    said = [f"Best by {looked.selector}" + _in_words(looked) + ":"]
    said += [_row(row, short_of) for _, row in scored.head(_SHOWN).iterrows()]
    if len(scored) > _SHOWN:
        worst = scored.tail(min(_SHOWN, len(scored) - _SHOWN))
        said += ["Worst:", *(_row(row, short_of) for _, row in worst.iterrows())]
    if sure := outlook.sentence(looked.outlook, {finding.code for finding in looked.findings}):
        said += ["", sure]
    return said


def _in_words(looked: Looked) -> str:
    missing = looked.options.get("missing")
    return f" ({missing})" if missing == "mean-of-present" else ""


def _row(row: pd.Series, short_of: dict[str, str]) -> str:
    text = plain(short_of[row["problem_id"]]) or str(row["problem_id"])
    cut = text if len(text) <= _PROMPT else f"{text[: _PROMPT - 1]}…"
    return (
        f"  {row['score']:7.3f}  {row['first']:4.2f} → {row['last']:4.2f}  "
        f"{int(row['n_correct']):>4} of {int(row['n']):<4} {row['class']:<9} {cut}"
    )


def readable(prompts: Sequence[str]) -> list[str]:
    """Return prompts without what all of them begin and end with: templates and instructions."""
    if len(set(prompts)) < 3:
        return list(prompts)
    begin = common_length(prompts)
    end = common_length([text[::-1] for text in prompts])
    return [_word(text[begin : len(text) - end if end else None], text, begin) for text in prompts]


def common_length(texts: Sequence[str]) -> int:
    """Return how many characters all texts begin with."""
    low, high = min(texts), max(texts)
    pairs = enumerate(zip(low, high, strict=False))
    return next((place for place, (a, b) in pairs if a != b), len(low))


def _word(inside: str, text: str, begin: int) -> str:
    """Return a part of a text, begun with a whole word."""
    while begin > 0 and inside and text[begin - 1].isalnum() and inside[:1].isalnum():
        begin -= 1
        inside = text[begin] + inside
    return inside.strip() or text
