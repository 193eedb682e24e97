"""For notebooks: a log in three lines, as a scored frame and a figure.

import limr
log = limr.read("rollouts/")
log.score("lim").head()
log.plot()
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.core.tables import Problem
from limr.look import look as looking
from limr.look import terminal
from limr.look.looked import Looked
from limr.problems import own_file
from limr.trajectories import reader
from limr.trajectories.findings import Finding
from limr.trajectories.reading import Imported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS = 10  # in a notebook's table


class Log:
    """A trainer's log; made by `limr.read`.

    Attributes:
        imported: the log as it was read: samples per prompt and visit, and where they are.
    """

    def __init__(
        self, name: str, imported: Imported, problems: Sequence[Problem] | None = None
    ) -> None:
        self.name, self.imported, self._problems = name, imported, problems

    def look(self, selector: str | None = None, **options: Any) -> Looked:
        """Return everything that `limr look` shows, scored by a selector.

        Args:
            selector: such as `lim`; None: one that the log can bear.
            options: of the selector, such as `missing="mean-of-present"`.

        Raises:
            InputError: there is no such selector or option.
        """
        return looking.of_imported(self.name, self.imported, self._problems, selector, options)

    def score(self, selector: str | None = None, **options: Any) -> pd.DataFrame:
        """Return one row per prompt, best first; the columns are `limr.look.looked.COLUMNS`.

        Args:
            selector: see `look`.
            options: see `look`.

        Raises:
            InputError: see `look`.
        """
        return self.look(selector, **options).prompts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed in the log, warnings included."""
        return self.looked.findings

    @cached_property
    def looked(self) -> Looked:
        """The look with the selector that the log can bear."""
        return self.look()

    def plot(self, most: int = 200) -> Axes:
        """Draw learning curves by class over the mean curve; return the axes.

        Args:
            most: curves drawn, evenly spaced from the best to the worst.
        """
        from limr.look import charts

        return charts.curves(self.looked, most)

    def save(self, folder: str | Path) -> list[Path]:
        """Write the folder of `limr look`: prompts.parquet, summary.json, report.html."""
        from limr.look import writing

        return writing.write(self.looked, Path(folder))

    def __len__(self) -> int:
        return len(self.looked.prompts)

    def __repr__(self) -> str:
        return "\n".join(terminal.lines(self.looked))

    def _repr_html_(self) -> str:
        looked = self.looked
        warned = "".join(
            f"<li><b>{html.escape(f.code)}</b>: {html.escape(terminal.plain(f.text))}</li>"
            for f in looked.findings if f.kind == "warning"
        )  # fmt: skip
        counts = ", ".join(f"{n:,} {name}" for name, n in looked.counts.items())
        table = looked.prompts.head(_ROWS).to_html(index=False, float_format="{:.3f}".format)
        return (
            f"<p><b>{html.escape(self.name)}</b> ({html.escape(looked.imported.format)}): "
            f"{len(looked.prompts):,} prompts: {counts}; by {html.escape(looked.selector)}</p>"
            f"{f'<ul>{warned}</ul>' if warned else ''}{table}"
        )


def read(
    *paths: str | Path,
    data: str | Path | None = None,
    format: str | None = None,
    **options: Any,
) -> Log:
    """Read a trainer's log.

    Args:
        paths: files, folders or patterns; several are parts of one run, in order.
        data: the file that was trained on; None: every prompt of the log is a problem.
        format: the importer; None: it is recognised.
        options: of the importer, such as `correct_above=0.5` or `map={"prompt": "question"}`.

    Raises:
        InputError: whatever is in doubt: what was found, and how to say what is meant.
    """
    problems = None if data is None else own_file.open_file(Path(data)).problems
    imported = reader.read(paths, problems, options, format)
    return Log(", ".join(map(str, paths)), imported, problems)
