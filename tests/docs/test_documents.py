"""Every command in the documents is run by a test, or says why it cannot be and is checked."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import command_check
import documents

ROOT = Path(__file__).parents[2]
PAGES = [str(page.relative_to(ROOT)) for page in documents.pages(ROOT)]
# Pages that are followed from top to bottom in a folder of their own, and by which test.
GUIDES = {
    "docs/bring-your-own.md": "tests/workflow/test_guides.py",
    "docs/contributing.md": "tests/workflow/test_guides.py",
    "docs/extending.md": "tests/workflow/test_guides.py",
    "docs/module.md": "tests/workflow/test_module.py",
}
OTHERS = "tests/workflow/test_commands.py"  # runs the commands of all other pages in one project
CLUSTER = "tests/slurm/test_slurm_commands.py"  # runs those that need a cluster


@pytest.mark.parametrize("name", PAGES)
def test_no_command_is_outside_of_a_block(name: str) -> None:
    assert not documents.stray_commands(ROOT / name)


@pytest.mark.parametrize("name", PAGES)
def test_every_mark_is_known_and_has_a_reason(name: str) -> None:
    for block in documents.blocks(ROOT / name):
        assert not block.unknown, block.where
        assert block.is_commands or not block.needs, block.where


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_every_command_could_work(name: str) -> None:
    """Programs, subcommands, options, targets and files are there: also where nothing is run."""
    assert not faults(ROOT / name)


def faults(page: Path) -> list[str]:
    """Return what is wrong with a page's commands, in blocks and in sentences.

    What is run may use names that the page itself adds; only what is not run is looked at whole.
    """
    found = []
    for block in documents.blocks(page):
        if block.is_commands:
            for fault in command_check.faults(block.text, ROOT, whole=not block.is_run):
                found.append(f"{block.where}: {fault}")
    for text in documents.inline_commands(page):
        found += command_check.faults(text, ROOT, whole=False)
    return found


def test_every_page_has_its_runner() -> None:
    for name in PAGES:
        blocks = documents.blocks(ROOT / name)
        if any(block.is_run for block in blocks) and name in GUIDES:
            assert Path(name).name in (ROOT / GUIDES[name]).read_text()
        if any("cluster" in block.needs for block in blocks):
            assert f'"{name}"' in (ROOT / CLUSTER).read_text(), name
    assert "documents.pages(" in (ROOT / OTHERS).read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```sh\nlimr plan x\n```\n", (True, {}, ())),
        (
            "<!-- needs: gpu — it trains a model of 7B -->\n```sh\nlimr plan x\n```\n",
            (False, {"gpu": "it trains a model of 7B"}, ()),
        ),
        ("<!-- needs: gpu -->\n```sh\nx\n```\n", (True, {}, ("needs: gpu",))),
        ("<!-- needs: time — it takes a minute -->\n```sh\nx\n```\n", (True, {}, None)),
        ("<!-- test: a.py::b -->\n```sh\nx\n```\n", (True, {}, ("test: a.py::b",))),
        ("```text\nhello\n```\n", (False, {}, ())),
        ("1. Do:\n\n   ```sh\n   limr plan x\n   ```\n", (True, {}, ())),
    ],
)
def test_blocks_are_read(text: str, expected: tuple[object, ...], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    [block] = documents.blocks(page)
    assert (block.is_run, block.needs) == expected[:2]
    assert block.unknown if expected[2] is None else block.unknown == expected[2]
    assert not block.text.startswith(" ")


@pytest.mark.parametrize(
    "text",
    [
        "Say\n\n    snakemake --cores 2\n",
        "Say\n\n    LIMR_MIRROR=x .venv/bin/python x.py\n",
        "Say\n\n$ make demo\n",
        "```\nmake demo\n```\n",
        "```text\nlimr score x\n```\n",
        "```bash\nlimr score x\n```\n",
    ],
)
def test_a_command_that_no_test_would_run_is_found(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert len(documents.stray_commands(page)) == 1


def test_a_wrong_command_makes_the_run_of_its_page_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say\n\n```sh\ntrue\nfalse\ntrue\n```\n")
    with pytest.raises(AssertionError, match=r"page.md, line 3"):
        documents.follow(page, documents.Terminal(tmp_path, dict(os.environ)))


def test_a_block_finds_what_the_last_one_left(tmp_path: Path) -> None:
    (tmp_path / "down").mkdir()
    page = tmp_path / "page.md"
    page.write_text("```sh\nexport A=b\ncd down\n```\n\n```sh\necho $A > here\n```\n")
    documents.follow(page, documents.Terminal(tmp_path, dict(os.environ)))
    assert (tmp_path / "down/here").read_text() == "b\n"


WRONG = (
    "limr scroe log.parquet",
    "limr score log.parquet --format rollouts --outptu scores.parquet",
    "limr score log.parquet --format rollots --output scores.parquet",
    "snakemake --configfile config/demo.yaml archive",
    "snakemake --configfile config/demmo.yaml",
    "snakemake --corse 2",
    "make demmo",
    "make setup && make chekc",
    "python -m pip install --require-hashs -r envs/train.lock",
    "python -m pip install -r envs/trian.lock",
    "python benchmarks/gpu/chekc.py --model FOLDER",
    "python benchmarks/gpu/check.py --modle FOLDER",
    "snakmake --cores 2",
    "limr plan 'config/config.yaml",
    "for study in a b; do limr plan $study",
)


@pytest.mark.slow
@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_command_that_is_not_run_makes_its_page_fail(command: str, tmp_path: Path) -> None:
    text = (ROOT / "docs/gpu-checks.md").read_text()
    page = tmp_path / "gpu-checks.md"
    page.write_text(text)
    assert not faults(page)
    page.write_text(f"{text}\n<!-- needs: hour — it takes an hour -->\n```sh\n{command}\n```\n")
    assert faults(page)


# What the programs themselves tell their user to run: epilogs and messages (texts in the code that
# are no docstrings), and comments above a study's keys.
SOURCES = ("workflow/scripts/limr/**/*.py", "envs/*.py")
COMMENTS = ("config/*.yaml", "profiles/*/*.yaml", "Makefile", "envs/*.in", "workflow/rules/*.smk")


def advice() -> list[tuple[str, str]]:
    """Return (file, command) of all commands in texts that a user gets to see."""
    found = []
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for text in texts(ast.parse(path.read_text())):
                found += [(path.name, span) for span in re.findall(r"`([^`]+)`", text)]
                if re.match(r"(limr [a-z]+|snakemake) (-|[A-Z{])", text):
                    found.append((path.name, text))
    for pattern in COMMENTS:
        for path in sorted(ROOT.glob(pattern)):
            for line in re.findall(r"#(.*)$", path.read_text(), re.MULTILINE):
                spans = re.findall(r"`([^`]+)`", line)
                bare = re.fullmatch(r"\s*(?:[\w ,]+: )?((?:make|snakemake|limr) [^:]*)", line)
                spans += [bare[1]] if bare and not spans else re.findall(r"\b(make \w+)(?=:)", line)
                found += [(path.name, span) for span in spans]
    starts = re.compile(r"(?:LIMR_\w+=\S+ )?(limr|snakemake|make|python\S*) -?[a-z]")
    return [(name, " ".join(text.split())) for name, text in found if starts.match(text.strip())]


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings, whole, with {…} for what is put in."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node)} - {id(node)}
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node.value


@pytest.mark.slow
def test_every_command_in_a_message_or_a_comment_could_work() -> None:
    found = advice()
    for expected in ("limr verify", "make lock", "limr fetch --check MIRROR", "make demo"):
        assert expected in {command for _, command in found}
    wrong = []
    for name, command in found:
        wrong += [f"{name}: {x}" for x in command_check.faults(command, ROOT, whole=False)]
    assert not wrong


@pytest.mark.slow
def test_every_command_in_a_message_or_a_comment_is_one_that_a_page_runs() -> None:
    """A page's block has it, with arguments: so it is run, or its mark says why it is not."""
    known: list[list[str]] = []
    for name in PAGES:
        for block in documents.blocks(ROOT / name):
            if block.is_commands:
                known += command_check.commands(block.text)
    for name, command in advice():
        [words] = command_check.commands(command)
        words = [word for word in words if not gap(word)]
        assert any(follows(words, other) for other in known), f"{name}: {command}"


def gap(word: str) -> bool:
    """Tell whether the reader, or the program, fills a word in."""
    named = "{" in word or "…" in word or word.isupper() or "=/" in word
    return named or word.endswith(("STUDY.yaml", ".zip"))


def follows(words: list[str], other: list[str]) -> bool:
    """Tell whether a command has the same program, subcommand and options, in any order."""
    return words[:1] == [other[0].rpartition("/")[2]] and set(words) <= {*other, *words[:1]}
