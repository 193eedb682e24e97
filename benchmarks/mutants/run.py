"""How many small faults the tests notice: some mutants of each room, sampled with a seed.

    make mutants SAMPLE=40

cosmic-ray names every place where an operator, a comparison, a number or a keyword of a module can
be exchanged for another. Some of these mutants are drawn per room; each is written into a copy of
this repository, and the room's tests are run on it, in a process that is forked where numpy,
PyTorch and pytest are loaded already. Places in annotations and decorators, on which no value
depends, are left out. What no test noticed is listed; docs/mutants.md says what became of it.
`--again RESULTS` tries those once more.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIBRARY = "workflow/scripts/limr"
Mutant = tuple[Path, str, int]  # the file, what it becomes, the line that is another
SECONDS = 30  # of the processor, for one mutant; one that needs more counts as noticed


@dataclass(frozen=True)
class Room:
    """Modules, below the library, and the tests that must notice a fault in them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "losses, advantages": Room(("train/embedded/losses.py",), ("train/test_embedded_losses.py",)),
    "cuts": Room(("subsets/cut.py",), ("subsets/test_cut.py",)),
    "estimates": Room(
        tuple(f"statistics/{n}.py" for n in ("estimates", "intervals", "bootstrap",
                                             "hypothesis_tests")),
        ("statistics/test_statistics.py",),
    ),
    "power": Room(("statistics/power.py",), ("statistics/test_statistics.py",)),
    "verify's comparisons": Room(
        ("archive/differences.py",),
        ("archive/test_archive_compare.py", "archive/test_archive_verify.py"),
    ),
    "resume": Room(
        ("train/states.py",),
        ("train/test_states.py", "train/test_damaged_state.py", "train/test_embedded_state.py",
         "train/test_openrlhf_checkpoints.py"),
    ),
    "joins": Room(
        ("trajectories/matching.py", "evaluate/collect.py"),
        ("trajectories/test_text_logs.py", "trajectories/test_table_formats.py",
         "trajectories/test_logs_of_trainers.py", "trajectories/test_reader_faults.py",
         "trajectories/test_trajectories.py", "trajectories/test_trainers_formats.py",
         "evaluate/test_collect.py"),
    ),
    "selectors": Room(
        tuple(
            f"scores/selectors/{name}.py"
            for name in ("bottom_lim", "decayed", "forgetting", "frontier", "greso", "hmm",
                         "learnability", "lim", "lim_curve_free", "linear", "nonzero", "progress",
                         "two_anchor", "variance", "window")
        ),
        ("scores/test_selectors.py", "scores/test_own_file_selectors.py"),
    ),
    "noise": Room(
        tuple(f"scores/{name}.py" for name in ("noise", "posterior", "selector_kinds")),
        ("scores/test_noise.py", "scores/test_posterior.py", "scores/test_resampling.py",
         "scores/test_selectors.py"),
    ),
}  # fmt: skip


def main() -> int:
    """Draw mutants, try them, write what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=40, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", choices=list(ROOMS), help="(all)")
    parser.add_argument("--again", type=Path, metavar="RESULTS", help="only these, which lived")
    parser.add_argument("--tools", type=Path, default=ROOT / "build/mutants-tools")
    parser.add_argument("--output", type=Path, default=ROOT / "build/mutants.json")
    options = parser.parse_args()
    output = options.output.resolve()
    lived = json.loads(options.again.read_text())["rooms"] if options.again else {}
    sys.path.append(str(options.tools))
    folder = copied(ROOT / "build/mutants")
    load_libraries(folder)
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": options.seed,
        "sample": options.sample,
        "rooms": {},
    }
    for name in options.room or lived or ROOMS:
        room = ROOMS[name]
        if lived:
            drawn, every = list(again(lived[name]["survivors"], folder)), lived[name]["mutants"]
        else:
            drawn, every = sample(room, folder, options.sample, options.seed)
        found["rooms"][name] = tried(room, folder, drawn, every)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(found, indent=1) + "\n")
        one = found["rooms"][name]
        print(f"{name}: {one['noticed']} of {one['tried']} noticed, {one['mutants']} there are, "
              f"{one['cpu_seconds']:.0f} s", flush=True)  # fmt: skip
    return 0


def copied(folder: Path) -> Path:
    """Copy what git knows of this repository; mutants are written there, never here."""
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    ).stdout.decode()  # fmt: skip
    for name in listed.split("\0")[:-1]:
        at = folder / name
        at.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, at, follow_symlinks=False)
    return folder


def load_libraries(folder: Path) -> None:
    """Load what is not limr's, once, and let limr be found in the copy."""
    import hypothesis  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pytest  # noqa: F401
    import scipy.special
    import scipy.stats  # noqa: F401
    import torch  # noqa: F401

    os.chdir(folder)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder / "workflow/scripts"))
    os.environ["PYTHONPATH"] = str(folder / "workflow/scripts")


def sample(room: Room, folder: Path, number: int, seed: int) -> tuple[list[Mutant], int]:
    """Return some mutants of a room, and how many there are."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    every = [one for module in room.modules for one in mutants(folder / LIBRARY / module)]
    drawn = random.Random(seed).sample(every, min(number, len(every)))  # noqa: S311 (no secret)
    return [
        (path, mutate_code(path.read_text(), get_operator(operator)(), occurrence), line)
        for path, operator, occurrence, line in drawn
    ], len(every)


def again(survivors: list[dict[str, Any]], folder: Path) -> Iterator[Mutant]:
    """Yield mutants that lived, at the nearest line that reads as theirs did."""
    for one in survivors:
        path = folder / LIBRARY / one["module"]
        lines = path.read_text().splitlines(keepends=True)
        places = [n for n, text in enumerate(lines) if text.strip() == one["was"]]
        if not places:
            print(f"{one['module']}:{one['line']}: changed since: {one['was']}")
            continue
        place = min(places, key=lambda n: abs(n + 1 - one["line"]))
        lines[place] = lines[place].replace(one["was"], one["is"])
        yield path, "".join(lines), place + 1


def tried(room: Room, folder: Path, drawn: list[Mutant], every: int) -> dict[str, Any]:
    """Try mutants of a room, which has `every`."""
    if not noticed_nothing(room, folder):
        raise SystemExit(f"{room.tests}: they fail without a mutant")
    survivors, begin = [], cpu()
    for path, mutant, line in drawn:
        text = path.read_text()
        try:
            path.write_text(mutant)
            if noticed_nothing(room, folder):
                survivors.append(
                    {
                        "module": path.relative_to(folder / LIBRARY).as_posix(),
                        "line": line,
                        "was": text.splitlines()[line - 1].strip(),
                        "is": mutant.splitlines()[line - 1].strip(),
                    }
                )
        finally:
            path.write_text(text)
    return {
        "modules": list(room.modules),
        "mutants": every,
        "tried": len(drawn),
        "noticed": len(drawn) - len(survivors),
        "cpu_seconds": round(cpu() - begin, 1),
        "survivors": sorted(survivors, key=lambda one: (one["module"], one["line"])),
    }


def cpu() -> float:
    """Return the seconds of the processor that ended processes of this one took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def mutants(path: Path) -> Iterator[tuple[Path, str, int, int]]:
    """Yield (file, operator, its occurrence, line) of every mutant of a module."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    text = path.read_text()
    idle = set(lines_without_values(text))
    for name in sorted(operator_names()):
        operator_of = get_operator(name)
        if operator_of.arguments():  # it needs names to put in
            continue
        operator = operator_of()
        places = [
            start
            for node in ast_nodes(get_ast(text))
            for start, _end in operator.mutation_positions(node)
        ]
        for occurrence, (line, column) in enumerate(places):
            if not any(first <= (line, column) < last for first, last in idle):
                yield path, name, occurrence, line


def lines_without_values(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield (start, end) of annotations and decorators: (line, column)."""
    for node in ast.walk(ast.parse(text)):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            parts.append(node.annotation)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(node.returns)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts.extend(node.decorator_list)
        for part in parts:
            if part is not None:
                # From the line's @ on.
                start = (part.lineno, part.col_offset - 1)
                yield start, (part.end_lineno or 0, part.end_col_offset or 0)


def noticed_nothing(room: Room, folder: Path) -> bool:
    """Return whether all tests of a room pass in the copy, in a forked process."""
    child = os.fork()
    if child == 0:
        os._exit(tested(room, folder))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def tested(room: Room, folder: Path) -> int:
    """Run a room's tests in this process, which ends then."""
    import pytest

    os.setpgid(0, 0)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with Path(os.devnull).open("w") as nothing:
        for descriptor in (1, 2):
            os.dup2(nothing.fileno(), descriptor)
    tests = [str(folder / "tests" / name) for name in room.tests]
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, "-m", "not slow and not long", *tests]))


if __name__ == "__main__":
    begin = time.monotonic()
    code = main()
    print(f"{time.monotonic() - begin:.0f} s")
    sys.exit(code)
