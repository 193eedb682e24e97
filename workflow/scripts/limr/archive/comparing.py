"""A comparison of two studies as lines for people."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def in_words(found: Json) -> list[str]:
    """Return a comparison as lines for people."""
    lines = [f"A: {found['first']}", f"B: {found['second']}"]
    configuration = found["configuration"]
    if configuration is None:
        lines.append("Configuration: not known of both.")
    else:
        lines += _section("Configuration", configuration, lambda d: f"{d['key']}: {_both(d)}")
    lines += _section("Data", found["data"], lambda d: f"{d['name']}: {_short(d)}")
    lines += _section("Code", found["code"], lambda d: f"{d['name']}: {_short(d)}")
    lines += _section(
        "Subsets",
        found["subsets"],
        lambda d: f"{d['arm']}: {_both(d)}, {d['shared']} problems in both",
    )
    moved = [row for row in found["numbers"] if row["moved"]]
    lines.append(f"Numbers: {len(moved)} of {len(found['numbers'])} arms moved.")
    return lines + [f"  {_number(row)}" for row in found["numbers"]]


def _section(title: str, entries: list[Json], line: Any) -> list[str]:
    head = f"{title}: {'the same' if not entries else f'{len(entries)} differ'}."
    return [head, *(f"  {line(entry)}" for entry in entries)]


def _both(entry: Json) -> str:
    return f"{entry['first']} → {entry['second']}"


def _short(entry: Json) -> str:
    ends = (str(entry[key])[:12] if entry[key] else "not there" for key in ("first", "second"))
    return " → ".join(ends)


def _number(row: Json) -> str:
    sides = [_percent(row[key], row[f"{key}_of"]) for key in ("first", "second")]
    text = f"{row['arm']}: {sides[0]} → {sides[1]}"
    if row["difference"] is None:
        return text
    mean, low, high = (100 * value for value in row["difference"])
    kind = "paired by question" if row["paired"] else "other questions"
    verdict = "moved" if row["moved"] else "not told apart"
    return f"{text}; {mean:+.1f} points [{low:.1f}, {high:.1f}], {kind}: {verdict}"


def _percent(values: list[float] | None, basis: Json | None) -> str:
    if values is None or basis is None:
        return "not there"
    mean, low, high = (100 * value for value in values)
    runs = f"{basis['runs']} run{'s' if basis['runs'] > 1 else ''}"
    of = f"step {basis['step']}, {runs}, {basis['questions']:,} questions"
    return f"{mean:.1f} % [{low:.1f}, {high:.1f}] ({of})"
