"""Every command in the documents is run by a test, or says why it cannot be."""

import re
from pathlib import Path

import pytest

import documents

# Pages that are followed from top to bottom in a folder of their own, and by which test.
GUIDES = {
    "bring-your-own.md": "tests/workflow/test_guides.py",
    "contributing.md": "tests/workflow/test_guides.py",
    "module.md": "tests/workflow/test_module.py",
}
OTHERS = "tests/workflow/test_commands.py"  # runs the commands of all other pages in one project


def test_no_command_stands_outside_of_a_block(root: Path) -> None:
    for page in documents.pages(root):
        assert not documents.stray_commands(page), page


def test_every_mark_is_a_known_reason_or_a_test_that_there_is(root: Path) -> None:
    for page in documents.pages(root):
        for block in documents.blocks(page):
            where = f"{page.name}, line {block.line}"
            assert set(block.needs) <= set(documents.REASONS), where
            for name in block.tests:
                file, _, function = name.partition("::")
                text = (root / file).read_text()
                assert re.search(rf"^def {function}\(", text, re.MULTILINE), (where, name)


def test_every_other_command_is_run(root: Path) -> None:
    for page in documents.pages(root):
        if any(block.is_run for block in documents.blocks(page)):
            runner = (root / GUIDES.get(page.name, OTHERS)).read_text()
            assert page.name in runner or page.name not in GUIDES, page
    assert "documents.pages(" in (root / OTHERS).read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```sh\nlimr plan x\n```\n", (True, (), ())),
        ("<!-- needs: gpu -->\n```sh\nlimr plan x\n```\n", (False, ("gpu",), ())),
        ("<!-- test: a.py::b -->\n```sh\nx\n```\n", (False, (), ("a.py::b",))),
        ("```text\nlimr plan x\n```\n", (False, (), ())),
        ("1. Do:\n\n   ```sh\n   limr plan x\n   ```\n", (True, (), ())),
    ],
)
def test_blocks_are_read(text: str, expected: object, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    [block] = documents.blocks(page)
    assert (block.is_run, block.needs, block.tests) == expected
    assert not block.text.startswith(" ")


def test_a_stray_command_is_found_and_a_wrong_one_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say\n\n    snakemake --cores 2\n\n```sh\nfalse\ntrue\n```\n")
    assert documents.stray_commands(page) == ["    snakemake --cores 2"]
    with pytest.raises(AssertionError, match=r"page.md, line 5"):
        documents.follow(page, tmp_path, {})
