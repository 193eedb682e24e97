"""Drawings in the page: what they may hold, and that nothing else gets in."""

from __future__ import annotations

from pathlib import Path

import pytest

from limr.report.inline_svg import inline

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def drawn(tmp_path: Path, inside: str, head: str = "") -> str | None:
    path = tmp_path / "f.svg"
    path.write_text(f'{head}{HEAD}viewBox="0 0 9 9">{inside}</svg>')
    return inline(path, "f")


def test_a_drawing_keeps_its_shapes_texts_and_own_ids(tmp_path: Path) -> None:
    found = drawn(
        tmp_path,
        "<metadata><x/></metadata><defs>"
        '<path id="m1" d="M 0.12345 1" style="stroke: #ffffff"/></defs>'
        '<g id="unused"><use xlink:href="#m1" x="1.500" style="fill: #0072b2"/></g>'
        '<rect clip-path="url(#m1)" width="3"/>'
        '<text style="font-size: 10px">a &lt;b&gt; &amp; c</text>',
    )
    assert found == (
        '<svg viewBox="0 0 9 9" stroke-linejoin="round" stroke-linecap="butt"><defs>'
        '<path id="f-m1" d="M 0.12 1" stroke="#ffffff"></path></defs>'
        '<use href="#f-m1" x="1.5" fill="#0072b2"></use>'
        '<rect clip-path="url(#f-m1)" width="3"></rect>'
        '<text font-size="10px">a &lt;b&gt; &amp; c</text></svg>'
    )


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path onload="alert(1)"/>',
        "<foreignObject/>",
        '<a href="javascript:alert(1)"/>',
        '<use xlink:href="https://example.org/x.svg#y"/>',
        '<image href="data:image/svg+xml;base64,AA"/>',
        '<image href="//example.org/x.png"/>',
        '<path style="fill: url(https://example.org/x)"/>',
        '<path style="behaviour: x"/>',
        '<path fill="&quot;onload"/>',
        '<set attributeName="href"/>',
        '<path xmlns="http://www.w3.org/1999/xhtml"/>',
        "<path",
    ],
)
def test_what_no_drawing_needs_is_shown_as_a_picture(inside: str, tmp_path: Path) -> None:
    assert drawn(tmp_path, inside) is None


def test_entities_large_files_and_missing_ones_are_pictures(tmp_path: Path) -> None:
    assert drawn(tmp_path, "", '<!DOCTYPE svg [<!ENTITY a "b">]>') is None
    assert drawn(tmp_path, f'<path d="{"M 1 2 " * 100_000}"/>') is None
    assert drawn(tmp_path, "<g>" * 100_000 + "</g>" * 100_000) is None
    assert inline(tmp_path / "none.svg", "f") is None
