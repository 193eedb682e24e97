"""Run in .venv-openrlhf: gives arguments to the trainers' own parsers and checks, starts nothing.

Reads JSON: name -> {module, arguments}; prints JSON: "parsed": name -> what was parsed, by dotted
name, and "differences" of the equations (differences.py), as a start takes longer than either.
Prefixes of flags are refused here, which the trainers accept.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from typing import Any

import differences
import openrlhf.utils
import ray

from limr.train.openrlhf import flash_attention, hooks

PARSED: dict[str, Any] = {}


class Stop(Exception):  # noqa: N818 (no error)
    """The trainer would start now."""


def _stop(*_arguments: Any, **_options: Any) -> None:
    raise Stop


def parsed(module: str, arguments: list[str]) -> dict[str, Any]:
    """What a trainer's parser makes of its arguments."""
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    except Stop:
        return dict(PARSED)
    raise AssertionError(f"{module} did not start")


def main() -> None:
    """Parse and compare everything."""
    found: dict[str, Any] = {"differences": differences.largest()}
    original = argparse.ArgumentParser.parse_args

    def parse_args(self: argparse.ArgumentParser) -> argparse.Namespace:
        self.allow_abbrev = False
        read = original(self)
        PARSED.clear()
        PARSED.update(vars(read))
        return read

    argparse.ArgumentParser.parse_args = parse_args
    ray.is_initialized = _stop  # the first thing that each trainer does
    openrlhf.utils.get_strategy = _stop
    hooks.install([flash_attention.IMPORTER])
    asked, shown = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr
    found["parsed"] = {name: parsed(one["module"], one["arguments"]) for name, one in asked.items()}
    json.dump(found, shown, default=str)
    shown.flush()  # a library that ends the process leaves what is buffered


if __name__ == "__main__":
    main()
