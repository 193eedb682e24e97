"""Where results come from: digests of the code that a rule uses, and a run's record."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2]
ROOT = SCRIPTS.parents[1]
# `from limr.a import b, c`, its names perhaps in parentheses, and every line that may be an import.
_PLAIN = re.compile(r"^[ \t]*from (limr[\w.]*) import (\([\w\s,]*\)|[\w ,]+)$", re.MULTILINE)
_ANY = re.compile(r"^(?=.*\blimr\b).*\b(?:import|from)\b", re.MULTILINE)
PACKAGES = ("limr", "torch", "transformers", "numpy", "pandas", "pyarrow", "math-verify")


def code_digest(script: str, plugins: Iterable[str] = (), scripts: Path = SCRIPTS) -> str:
    """Return a digest of every library module that a script uses, directly or not.

    A rule carries it as a param, so that an edit of a module reruns exactly the rules whose scripts
    import it. Plug-ins are loaded by name and must be given; nothing is executed.

    Args:
        script: name of the rule, i.e. of `{scripts}/{script}.py`.
        plugins: dotted modules loaded by name, e.g. `limr.scores.selectors.lim`.
        scripts: the folder `workflow/scripts` of the code.
    """
    used = _behind(_imports(scripts / f"{script}.py") | set(plugins), scripts)
    text = "".join(f"{module} {_file_digest(path)}\n" for module, path in sorted(used.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def modules_behind(modules: Iterable[str]) -> list[str]:
    """Return these modules of the library and all that they import, directly or not, sorted."""
    return sorted(_behind(modules, SCRIPTS))


def _behind(modules: Iterable[str], scripts: Path) -> dict[str, Path]:
    wanted = set(modules)
    found: dict[str, Path] = {}
    while wanted:
        module = wanted.pop()
        path = None if module in found else _path(module, scripts)
        if path is not None:
            found[module] = path
            wanted |= _imports(path)
    return found


@cache
def _path(module: str, scripts: Path) -> Path | None:
    base = scripts.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _imports(path: Path) -> frozenset[str]:
    """Return the `limr` modules that a file imports, wherever in the file it does."""
    text = path.read_text(encoding="utf-8")
    plain = _PLAIN.findall(text)
    if len(plain) == len(_ANY.findall(text)):  # a plan of jobs reads 200 files: without parsing
        listed = (
            (module, part.split())
            for module, names in plain
            for part in names.strip("()").split(",")
        )
        names = {f"{module}.{words[0]}" for module, words in listed if words}
        return frozenset(names.union(module for module, _ in plain))
    return _parsed_imports(text)


def _parsed_imports(text: str) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in found if name == "limr" or name.startswith("limr."))


def digest(value: Any) -> str:
    """Return a digest of a JSON value that does not depend on the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def describe(settings: Mapping[str, Any], code: str, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the part of run.json that is known before a run.

    Args:
        settings: everything that was configured for it.
        code: its rule's code digest.
        inputs: name -> sha256 of each file it reads.
    """
    return {
        "settings": dict(settings),
        "settings_sha256": digest(settings),
        "code": code,
        "commit": _commit(),
        "inputs_sha256": dict(inputs),
        "environments_sha256": {
            p.name: _file_digest(p) for p in sorted((ROOT / "envs").glob("*.lock"))
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):  # an env need not have them all
            found[name] = importlib.metadata.version(name)
    return found


def _commit() -> str | None:
    """Return the commit of the code, with `-changed` where files differ; None outside git."""
    command = ["git", "-C", str(ROOT), "describe"]
    command += ["--always", "--abbrev=40", "--dirty=-changed"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 (a fixed command)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
