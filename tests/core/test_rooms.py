"""The rooms of the library: imports go down only, so that each can be read after those below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "workflow/scripts/limr"
# From the bottom up; rooms of one floor know nothing of each other. `core` is everybody's.
FLOORS = (
    ("core",),
    ("statistics", "grading", "sources", "slurm"),
    ("models", "problems", "study"),
    ("train", "evaluate", "trajectories"),
    ("scores", "plan", "live"),
    ("subsets", "analysis"),
    ("report",),
    ("archive", "look"),
    ("cli",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def room(module: str) -> str:
    """The room of `limr.room.module`; `__main__` is above them all."""
    return (module.split(".") + [""])[1]


def arrows(path: Path, text: str) -> list[tuple[str, str]]:
    """What a file of the library imports, at its top or within a function: (its room, theirs)."""
    own = path.relative_to(LIBRARY).parts[0]
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "limr":
            names = [f"limr.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        found += [(own, room(name)) for name in names if name.startswith("limr.")]
    return [(a, b) for a, b in found if b not in (a, "__version__")]


def goes_down(arrow: tuple[str, str]) -> bool:
    return FLOOR[arrow[1]] < FLOOR[arrow[0]]


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*/**/*.py")), ids=str)
def test_imports_go_down(path: Path) -> None:
    up = [arrow for arrow in arrows(path, path.read_text()) if not goes_down(arrow)]
    assert not up, f"{path}: imports from {up[0][1]}, which is not below {up[0][0]}"


def test_nothing_lies_beside_the_rooms() -> None:
    assert {path.name for path in LIBRARY.glob("*.py")} == {"__init__.py", "__main__.py"}
    assert {path.parent.name for path in LIBRARY.glob("*/__init__.py")} == set(FLOOR)


def test_an_arrow_upward_is_found() -> None:
    path = LIBRARY / "core/files.py"
    [arrow] = arrows(path, "def f():\n    from limr.study.arms import Arm\n")
    assert not goes_down(arrow)
    assert goes_down(("study", "core"))
    assert not goes_down(("study", "models"))
