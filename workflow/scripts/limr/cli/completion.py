"""`limr completion`: what a shell needs to complete limr's commands, options and names."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from limr.cli import run as run_command

HELP = 'let the Tab key complete limr: eval "$(limr completion bash)", or zsh, in your .bashrc'
_BASH = """\
# limr: completion for bash; for zsh, too, by bashcompinit
_limr() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    local words="" named=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    case "${{COMP_WORDS[1]}} $before" in
{values}
    esac
    if [ -z "$words" ]; then
        case "${{COMP_WORDS[1]}}" in
{options}
        esac
        case "$word" in
            -*) ;;
            *) words="$named" ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ "${{#COMPREPLY[@]}}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}}
complete -o filenames -F _limr limr
"""
_ZSH = "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument."""
    parser.add_argument("shell", choices=("bash", "zsh"), help="whose completion to print")


def run(options: argparse.Namespace) -> int:
    """Print the shell's code; return 0."""
    sys.stdout.write((_ZSH if options.shell == "zsh" else "") + script())
    return 0


def script() -> str:
    """Return code for bash: a case for each command's options, and for each option's names."""
    names = [found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)])]
    values, options = [], []
    for name in names:
        parser = argparse.ArgumentParser(add_help=True)
        importlib.import_module(f"limr.cli.{name}").configure(parser)
        flags: list[str] = []
        named: list[str] = []
        for action in parser._actions:
            choices = " ".join(map(str, action.choices or ()))
            flags += action.option_strings
            if not action.option_strings:
                named += [choices] if choices else []
            elif choices:
                tries = "|".join(f'"{name} {flag}"' for flag in action.option_strings)
                values.append(f'        {tries}) words="{choices}" ;;')
        if name == "run":
            named.append(" ".join(run_command.shipped()))
        inside = f'words="{" ".join(flags)}"; named="{" ".join(named)}"'
        options.append(f"            {name}) {inside} ;;")
    return _BASH.format(
        commands=" ".join(names), values="\n".join(values), options="\n".join(options)
    )
