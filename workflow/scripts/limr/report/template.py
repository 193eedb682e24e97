"""Templates of pages: texts made inert, and a policy that allows only a page's own script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from limr.core import safe_text
from limr.core.errors import InputError
from limr.report import table_text

FOLDER = Path(__file__).parents[3] / "report"

Json = dict[str, Any]


def template(folder: Path, name: str) -> jinja2.Template:
    """Return a template of a folder; what it is given is escaped, and control characters shown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_inert,
    )
    environment.filters["is_long"] = table_text.is_long
    environment.filters["code"] = code
    return environment.get_template(name)


def _inert(value: Any) -> Any:
    """Make control characters of a text visible; the page's own parts stay as they are."""
    return safe_text.visible(value.replace(" %", "\u00a0%")) if type(value) is str else value


def code(text: object) -> Markup:
    """Return a text whose parts between back quotes are set as code."""
    shown = str(escape(_inert(str(text))))
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", shown))  # noqa: S704 (escaped above)


def fixed(
    folder: Path,
    styles: Sequence[str] = ("report.css",),
    scripts: Sequence[str] = ("report.js",),
) -> Json:
    """Return a page's style and script, and a security policy that allows only these two.

    Raises:
        InputError: one of them holds what would end its element.
    """
    style = "".join((folder / name).read_text(encoding="utf-8") for name in styles)
    script = "".join((folder / name).read_text(encoding="utf-8") for name in scripts)
    if "</" in style or "</script" in script:
        raise InputError(f"{folder}: the style or the script would end its own element.")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704 (our own files)


def formulas(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the scripts that draw formulas, where a text may have TeX in it."""
    found = any(mark in text for text in texts for mark in ("$", r"\(", r"\["))
    return ("katex.min.js", "formulas.js") if found else ()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def cells(frame: pd.DataFrame, whole: bool = True) -> Json:
    """Return a frame of texts for the macro `table_of`.

    Args:
        frame: the rows to show.
        whole: whether these are all rows of the table.

    Returns:
        columns, rows, right (which columns are numbers), everywhere: (name, text) of the columns
        that say the same in each of several rows, which are not among the others.
    """
    same = [
        name
        for place, name in enumerate(frame.columns)
        if place and whole and len(frame) > 2 and frame.iloc[:, place].nunique() == 1
    ]
    everywhere = [(name, table_text.shortest(str(frame[name].iloc[0]))) for name in same]
    frame = frame.drop(columns=same)
    rows = frame.to_numpy().tolist()
    right = [
        bool(rows) and all(table_text.is_number(row[place]) for row in rows)
        for place in range(frame.shape[1])
    ]
    told = [(name, value) for name, value in everywhere if value != "–"]
    return {"columns": list(frame.columns), "rows": rows, "right": right, "everywhere": told}
