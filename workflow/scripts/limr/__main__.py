"""The command `limr`: each subcommand is a file in `limr/cli/`.

Exit codes: 0 fine, 1 a check or a run failed, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from limr import __version__, cli
from limr.core.errors import InputError, nearest

FIRST = ("look", "run", "score")  # in the help, before the others


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with a command line, and what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        for kind, name in (("int", "a whole number"), ("float", "a number")):
            message = message.replace(f"invalid {kind} value:", f"expected {name}, found")
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` shows what there is.\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(action, f"there is no '{value}'.{nearest(value, names)}")

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Leave because of words that no option or argument takes."""
        options = [text for action in self._actions for text in action.option_strings]
        first = words[0]
        near = nearest(first.partition("=")[0], options) if first.startswith("--") else ""
        what = "is not an option" if first.startswith("-") else "is one argument too many"
        self.error(f"{first} {what}.{near}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code."""
    if arguments is None:  # as a program
        # Imports make half a million objects that stay: to look for garbage among them, as they
        # come and once more at the end, takes a fifth of a short command.
        gc.set_threshold(100_000)
        atexit.register(gc.freeze)
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = Parser(
        prog="limr",
        description="Which of my RL prompts are worth the compute, and is the gain real?",
        epilog="Start with `limr look LOG` or `limr run demo`; `limr COMMAND --help` has examples.",
    )
    parser.add_argument("--version", action="version", version=f"limr {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    found = [module.name for module in pkgutil.iter_modules(cli.__path__)]
    known = [*FIRST, *(name for name in found if name not in FIRST)]
    modules: dict[str, ModuleType] = {}
    for name in (
        given[:1] if given[:1] and given[0] in known else known
    ):  # the others are not loaded
        module = importlib.import_module(f"limr.cli.{name}")
        modules[name] = module
        module.configure(subparsers.add_parser(name, help=module.HELP, description=module.HELP))
    options, rest = parser.parse_known_args(given)
    if rest:
        subparsers.choices[options.command].unknown(rest)
    try:
        return int(modules[options.command].run(options))
    except InputError as error:
        sys.stderr.write(f"limr {options.command}: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
