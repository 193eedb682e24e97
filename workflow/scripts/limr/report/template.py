"""Templates of pages: texts made inert, and a policy that allows only a page's own script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

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
    return environment.get_template(name)


def _inert(value: Any) -> Any:
    """Make control characters of a text visible; the page's own parts stay as they are."""
    return safe_text.visible(value.replace(" %", "\u00a0%")) if type(value) is str else value


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


def cells(frame: pd.DataFrame) -> Json:
    """Return a frame of texts for the macro `table_of`: columns, rows, which are numbers."""
    rows = frame.to_numpy().tolist()
    right = [
        bool(rows) and all(table_text.is_number(row[place]) for row in rows)
        for place in range(frame.shape[1])
    ]
    return {"columns": list(frame.columns), "rows": rows, "right": right}
