"""How much work a stranger's study may ask of whoever verifies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from limr.core import provenance

# key of a study -> the most that is made again for it
MOST = {"draws": 100_000, "problems": 1_000_000, "samples": 100_000}
MOST_SCORE_DRAWS = 1_000
MOST_EVALUATIONS = 1_000_000


def exceeded(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what asks for more than any study does; before the study is spelled out."""
    for where, key, value in _numbers(config, ""):
        most = MOST_SCORE_DRAWS if where.startswith("scores.") and key == "draws" else MOST.get(key)
        if most is not None and value > most:
            yield f"{where}: {value:,} is more than is made again ({most:,})"
    asked = config.get("evaluate")
    asked = asked if isinstance(asked, Mapping) else {}
    parts = [config.get("seeds"), config.get("arms"), asked.get("benchmarks")]
    steps = [asked.get("ppo_steps"), asked.get("sft_steps")]
    product = max(1, sum(len(part) for part in steps if isinstance(part, list)))
    for part in parts:
        product *= max(1, len(part)) if isinstance(part, (list, Mapping)) else 1
    if product > MOST_EVALUATIONS:
        yield f"seeds, arms, steps and benchmarks make {product:,} evaluations: more than are read"


def _numbers(node: Any, where: str) -> Iterator[tuple[str, str, float]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            at = f"{where}.{key}" if where else str(key)
            if isinstance(value, (int, float)):
                yield at, str(key), value
            yield from _numbers(value, at)
    elif isinstance(node, list):
        for value in node:
            yield from _numbers(value, where)


def within(folder: Path, path: str) -> bool:
    """Return whether a path of a study is there, in its folder or in this limr's workflow.

    A study of a stranger may name any file of the machine, a device among them.
    """
    target = (folder / path).resolve()
    places = (folder.resolve(), provenance.ROOT / "workflow")
    return target.exists() and any(target.is_relative_to(place) for place in places)
