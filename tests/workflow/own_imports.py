"""What each environment must be able to import: its rules' scripts and all that they lead to."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from limr.core import plugins as registry
from limr.core.provenance import SCRIPTS, _imports, modules_behind

ROOT = Path(__file__).parents[2]
ALL = registry.PACKAGES
IN_DATA = ("selectors", "importers", "figures", "tables", "datasets")


def rules() -> dict[str, set[str]]:
    """Return what stands under `conda:` -> the scripts of its rules."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for body in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            conda = re.search(r"^    conda:\n        (.+)$", body, flags=re.MULTILINE)
            script = re.search(r'^        "\.\./scripts/(\w+)\.py"$', body, flags=re.MULTILINE)
            assert conda, body
            assert script, body
            found.setdefault(conda[1], set()).add(script[1])
    return found


def plugins(*kinds: str) -> list[str]:
    """Return the modules of all plug-ins of these kinds."""
    return [registry.module_name(kind, name) for kind in kinds for name in registry.names(kind)]


def jobs() -> list[tuple[str, str, list[str]]]:
    """Return (environment, script, plug-ins that it may load) of every kind of job there is."""
    found = []
    for conda, scripts in rules().items():
        for script in sorted(scripts):
            if "environment(" not in conda:
                found.append((Path(conda.strip('"')).stem, script, plugins(*IN_DATA)))
                continue
            for name in registry.names("engines"):
                module = registry.load("engines", name)
                found.append((module.ENVIRONMENT, script, [module.__name__]))
    return found


def modules(environment: str) -> list[str]:
    """Return the library's modules that an environment's jobs may import or start by name."""
    found: set[str] = set()
    for own, script, loaded in jobs():
        if own == environment:
            script_imports = _imports(SCRIPTS / f"{script}.py")
            found |= set(modules_behind({*script_imports, *loaded}))
    while True:  # what is started by name may itself name more
        named = {name for module in found for name in _named(module)} - found
        if not named:
            return sorted(found)
        found |= set(modules_behind(named))


def packages(environment: str) -> list[str]:
    """Return what those modules and scripts import from outside, wherever in a file they do."""
    scripts = {SCRIPTS / f"{script}.py" for own, script, _ in jobs() if own == environment}
    files = scripts | {path for module in modules(environment) if (path := source(module))}
    names = {name for path in files for name in _imported(path)}
    known = {*sys.stdlib_module_names, "limr"}
    return sorted(name for name in names if name.partition(".")[0] not in known)


def needed(environment: str) -> list[str]:
    """Return all that an environment's jobs may import: the library's modules and packages."""
    return [*packages(environment), *modules(environment)]


def unsatisfied(
    python: str | Path,
    names: Iterable[str],
    allowed: Iterable[str] | None = None,
    after: Sequence[Path] = (),
) -> dict[str, str]:
    """Return which of these modules a Python has not of its own, and why.

    Args:
        python: the interpreter, which is run isolated.
        names: modules of the library or of packages.
        allowed: distributions that it may see; None: all that it has.
        after: folders after the library's at the end of its path.
    """
    asked = {
        "modules": list(names),
        "after": [str(SCRIPTS), *map(str, after)],
        "allowed": None if allowed is None else list(allowed),
    }
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-I", str(Path(__file__).parent / "import_all.py")],
            input=json.dumps({**asked, "folder": folder}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def source(module: str) -> Path | None:
    """Return a library module's file, if there is such a module."""
    base = SCRIPTS.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _named(module: str) -> set[str]:
    """Return the modules that a module names in a text, such as one that it starts by `-m`."""
    path = source(module)
    texts = _nodes(path)[1] if path else ()
    return {text for text in texts if re.fullmatch(r"limr(\.\w+)+", text) and source(text)}


def _imported(path: Path) -> Iterable[str]:
    return _nodes(path)[0]


@cache
def _nodes(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return a file's imports and its texts."""
    imports, texts = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports.add(node.module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return frozenset(imports), frozenset(texts)
