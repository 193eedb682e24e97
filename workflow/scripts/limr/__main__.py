"""The command `limr`: each subcommand is a file in `limr/cli/`.

Exit codes: 0 fine, 1 a check or a run failed, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from limr import __version__, cli
from limr.core.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="limr",
        description="Which of my RL prompts are worth the compute, and is the gain real?",
        epilog="The study itself runs by Snakemake: see README.md.",
    )
    parser.add_argument("--version", action="version", version=f"limr {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    known = [found.name for found in pkgutil.iter_modules(cli.__path__)]
    modules: dict[str, ModuleType] = {}
    for name in (
        given[:1] if given[:1] and given[0] in known else known
    ):  # the others are not loaded
        module = importlib.import_module(f"limr.cli.{name}")
        modules[name] = module
        module.configure(subparsers.add_parser(name, help=module.HELP, description=module.HELP))
    options = parser.parse_args(given)
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
