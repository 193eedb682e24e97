"""`limr completion`: what bash offers, asked of bash itself."""

from __future__ import annotations

import subprocess

import pytest

from limr.__main__ import main
from limr.cli import completion

ASK = """
COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _limr; echo "${COMPREPLY[*]}"
"""


@pytest.fixture(scope="module")
def script() -> str:
    return completion.script()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["limr", "sc"], "score"),
        (["limr", "score", "--sel"], "--selector"),
        (["limr", "score", "x", "--selector", "li"], "lim lim-curve-free linear"),
        (["limr", "run", "demo"], "demo demo-full"),
        (["limr", "completion", ""], "bash zsh"),
        (["limr", "look", "no-such-file"], ""),
        (["limr", "look", "/bin/bas"], "/bin/bash"),
    ],
)
def test_bash_offers(script: str, words: list[str], offered: str) -> None:
    done = subprocess.run(
        ["bash", "-c", script + ASK, *words[:0], "bash", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert offered.split() == [word for word in done.stdout.split() if word in offered.split()]
    assert bool(offered) == bool(done.stdout.strip())


def test_zsh_reads_the_same_after_its_own_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    assert capsys.readouterr().out == completion._ZSH + completion.script()
