"""Tables for people: cells as texts, rounded, in Markdown and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from limr.core import plugins

_NUMBER = re.compile(r"[+−-]?[\d,]+(\.\d+)?|–")
LONG = 34  # characters; a longer cell is set in lines

# What LaTeX reads as a command, and signs that its old engines do not have.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "−": "$-$", "–": "--", "…": r"\ldots{}", "≥": r"$\ge$", "≤": r"$\le$", "±": r"$\pm$",
        "×": r"$\times$", "ρ": r"$\rho$", "<": r"$<$", ">": r"$>$", "’": "'", "‘": "`",
        "\n": " ", "\r": " ", "\t": " ",
    }
)  # fmt: skip


def texts(frame: pd.DataFrame, module: ModuleType) -> pd.DataFrame:
    """Return a table as texts for people: rounded, missing values as a dash."""
    decimals = getattr(module, "DECIMALS", 1)
    return frame.astype(object).map(lambda value: text(value, decimals))


def read_texts(name: str, tsv: Path | str) -> tuple[pd.DataFrame, str, str]:
    """Return a written table as texts for people, its title and its caption."""
    module = plugins.load("tables", name)
    decimals = getattr(module, "DECIMALS", 1)
    cells = pd.read_csv(tsv, sep="\t", dtype=object, keep_default_na=False)
    plain = set(getattr(module, "TEXTS", ()))  # columns of texts, which may look like numbers
    if hasattr(module, "NUMBERS"):  # all others are texts, since the study names some of them
        plain |= set(cells.columns) - set(module.NUMBERS)
    shown = cells.apply(
        lambda column: column.map(
            lambda cell: (cell or "–") if column.name in plain else text(_value(cell), decimals)
        )
    )
    return shown, str(module.TITLE), str(module.caption(pd.read_csv(tsv, sep="\t")))


def text(value: object, decimals: int) -> str:
    """Return a cell as a text for people: rounded, a missing value as a dash."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, float):
        return rounded(value, decimals)
    return f"{value:,}" if isinstance(value, int) else str(value)


def rounded(value: float, decimals: int) -> str:
    """Return a number with a minus, which 0 does not have."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def number(cell: str) -> float | str:
    """Return a cell as a number if it is one."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _value(cell: str) -> object:
    """Return what a cell of a written table was: floats are written with a point or exponent."""
    return number(cell) if cell else None


def markdown(shown: pd.DataFrame) -> str:
    """Return a Markdown table of a frame of texts."""
    rows = [list(shown.columns), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def is_number(text: object) -> bool:
    """Return whether a cell's text is a number or the dash of a missing one."""
    return bool(_NUMBER.fullmatch(str(text)))


def shortest(text: str) -> str:
    """Return a cell's text without zeros that end a number's decimals."""
    return text.rstrip("0").rstrip(".") if is_number(text) and "." in text else text


def is_long(text: object) -> bool:
    """Return whether a cell's text is to be set in several lines."""
    return len(str(text)) > LONG


def decoding(entry: Mapping[str, Any]) -> str:
    """Return how responses are drawn, in words; `entry` is one of a benchmark's decodings."""
    n, length = entry["samples"], f"at most {entry['max_tokens']:,} tokens"
    samples = f"{n} sample{'s' if n > 1 else ''}"
    if entry["temperature"] == 0:
        return f"greedy, {length}" if n == 1 else f"greedy, {samples}, {length}"
    nucleus = f", top-p {entry['top_p']:g}" if entry.get("top_p", 1) < 1 else ""
    return f"{samples}, temperature {entry['temperature']:g}{nucleus}, {length}"


def latex(shown: pd.DataFrame, title: str, caption: str, label: str) -> str:
    r"""Return a LaTeX table (booktabs) of a frame of texts, every text escaped.

    Numbers are aligned right; columns with a long text are wrapped and share the width.

    Args:
        shown: cells as `texts` gives them.
        title: what it is, bold in the caption.
        caption: what the numbers are.
        label: for `\ref`, after `tab:`.
    """
    columns = [shown.iloc[:, place].astype(str) for place in range(shown.shape[1])]
    long = [bool(column.map(is_long).any()) for column in columns]
    width = f"p{{{0.8 / max(1, sum(long)):.2f}\\linewidth}}"
    kinds = [
        width if wide else ("r" if len(column) and column.map(is_number).all() else "l")
        for column, wide in zip(columns, long, strict=True)
    ]
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{\\textbf{{{escape_latex(title)}.}} {escape_latex(caption)}}}",
        f"  \\label{{tab:{re.sub(r'[^a-z0-9-]', '-', label)}}}",
        "  \\small",
        f"  \\begin{{tabular}}{{{''.join(kinds)}}}",
        "    \\toprule",
        f"    {_latex_row(list(shown.columns))}",
        "    \\midrule",
        *(f"    {_latex_row(row)}" for row in shown.to_numpy().tolist()),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: list[Any]) -> str:
    return " & ".join(escape_latex(str(cell)) for cell in cells) + r" \\"


def escape_latex(text: str) -> str:
    """Return a text that LaTeX sets as it is; control characters are left out."""
    return "".join(c for c in text.translate(_LATEX) if c.isprintable())
