"""One look for all figures: one colour per arm, labels at lines, the same bytes each time."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from limr.analysis import which_scores
from limr.analysis.results import Inputs
from limr.core import files
from limr.core.plugins import heavy_imports

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import ColorType

# Okabe and Ito's palette, safe for colour-blind readers; black and yellow are left out.
PALETTE = ("#0072B2", "#D55E00", "#56B4E9", "#009E73", "#CC79A7", "#B8860B", "#7F3C8D", "#4D4D4D")
BASE = "#6E6E6E"
INK = "#222222"
ON_DARK, ON_LIGHT = "#FEFEFE", "#000000"  # on coloured cells; the same on a dark page
# In the order of PALETTE: what tells arms apart without colour.
DASHES = ("", "5,1.6", "1.3,1.3", "5,1.4,1.3,1.4", "8,2,2,2", "2.6,1.2", "", "5,1.6")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Of no arm: a colour means one arm everywhere.
SOLVED = {"always": "#3F4E8C", "sometimes": "#A9B4D9", "never": "#6B5A4E", "unknown": "#A9B4D9"}

# Of figures for a paper, in inches: its column, its page, what is too wide for a column; and the
# size of texts and lines against those on a screen.
COLUMN, PAGE, WIDE, SMALLER, PAPER_DPI = 3.4, 7.0, 6.5, 0.8, 300

_RC: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same on every machine
    "font.size": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "xtick.bottom": False,
    "ytick.left": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "limr",
}


@contextmanager
def applied() -> Iterator[None]:
    """Apply the style within a block, and leave the caller's settings as they were."""
    with heavy_imports():  # which only drawing needs
        import matplotlib as mpl
        import matplotlib.backends.backend_agg
        import matplotlib.backends.backend_pdf
        import matplotlib.backends.backend_svg
        import matplotlib.figure

    with mpl.rc_context(cast(Any, _RC)):
        yield


@contextmanager
def hatched() -> Iterator[None]:
    """Draw hatches within a block in thin grey lines."""
    import matplotlib as mpl

    with mpl.rc_context({"hatch.color": "#8A8A8A", "hatch.linewidth": 0.5}):
        yield


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Laid(Figure):
        """Draws once per file: before, Matplotlib draws it for its layout alone."""

        def draw(self, renderer: Any) -> None:
            engine = self.get_layout_engine()
            if isinstance(engine, ConstrainedLayoutEngine):
                engine.execute(self)
            else:
                super().draw(renderer)

    return Laid(figsize=(width, height), layout="constrained")


def save(drawn: Figure, paths: Mapping[str, Path | str], dpi: int | None = None) -> None:
    """Write a figure as those of `pdf`, `png` and `svg` that are wanted.

    They have no dates: the same data give the same bytes. `dpi`: of the PNG, None: for a screen.
    """
    nothing = dict.fromkeys(("CreationDate", "ModDate", "Creator", "Producer"))
    about: Mapping[str, dict[str, Any]] = {
        "pdf": {"metadata": nothing},
        # packed anew below
        "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 0}},
        "svg": {
            "metadata": dict.fromkeys(("Date", "Creator", "Format", "Type")),
            "facecolor": "none",
        },
    }
    for kind, path in paths.items():
        with files.atomic(path) as temporary:
            drawn.savefig(temporary, format=kind, dpi=dpi, **about[kind])
            if kind == "png":
                _pack(temporary)


def fit_for_paper(drawn: Figure) -> None:
    """Make a figure as wide as a column or a page of a paper, its texts at least 7 points high."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    width, height = drawn.get_size_inches()
    drawn.set_size_inches(COLUMN if width < WIDE else PAGE, SMALLER * height)
    for text in cast(list[Text], drawn.findobj(Text)):
        text.set_fontsize(max(7.0, SMALLER * float(text.get_fontsize())))
    for line in cast(list[Line2D], drawn.findobj(Line2D)):
        line.set(
            linewidth=SMALLER * line.get_linewidth(), markersize=SMALLER * line.get_markersize()
        )
    for marks in cast(list[Collection], drawn.findobj(Collection)):
        marks.set_linewidth([SMALLER * float(one) for one in np.atleast_1d(marks.get_linewidth())])

    drawn.draw_without_rendering()  # places are known after that
    for ax in drawn.axes:
        for title in cast(list[Text], ax.findobj(lambda one: isinstance(one, Text))):
            words = title.get_text()
            share = ax.get_window_extent().width / max(1.0, title.get_window_extent().width)
            if share < 1 and words and words == ax.get_title(loc="left"):
                title.set_text(textwrap.fill(words, max(8, int(share * len(words)))))


def _pack(png: Path) -> None:
    """Write a picture again with 256 colours: a third of its bytes, and of those of the page."""
    from PIL import Image

    with Image.open(png) as picture:
        dpi, few = (
            picture.info["dpi"],
            picture.convert("RGB").quantize(256, dither=Image.Dither.NONE),
        )
    few.save(png, format="png", optimize=True, dpi=dpi)


def colours(inputs: Inputs) -> dict[str, str]:
    """Return group -> colour: by place in the study, so that it is one colour in every figure.

    The base policy, an arm without training and problems, is grey.
    """
    own = [
        g.name for g in inputs.groups if g.train != "none" or inputs.subsets.keys() & set(g.arms)
    ]
    found = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(own)}
    return {group.name: found.get(group.name, BASE) for group in inputs.groups}


def place(colour: str) -> int:
    """Return a colour's place in `PALETTE`, `DASHES` and `MARKERS`; the base policy's is -1."""
    return PALETTE.index(colour) if colour in PALETTE else -1


def dashes(colour: str) -> str:
    """Return the dashes of a colour's lines, as SVG writes them; the base policy's are long."""
    return "9,4" if place(colour) < 0 else DASHES[place(colour)]


def marks(place: int) -> dict[str, Any]:
    """Return line style and marker of a group by its place, for Matplotlib."""
    dashes = DASHES[place % len(DASHES)] if place >= 0 else "9,4"
    pattern = tuple(float(part) for part in dashes.split(",")) if dashes else ()
    return {
        "linestyle": (0, pattern) if pattern else "-",
        "marker": MARKERS[place % len(MARKERS)] if place >= 0 else None,
    }


def score_colours(inputs: Inputs) -> dict[str, str]:
    """Return score -> colour: that of the first arm cut from it, else one that no arm has.

    Random and constant scores have none.
    """
    known = colours(inputs)
    of_arm = {arm["name"]: known[arm["group"]] for arm in inputs.study["arms"]}
    found = {}
    for name in which_scores.comparable(inputs):
        records = inputs.subsets.items()
        arms = [arm for arm, record in records if record["score"] == name and record["rule"]]
        found[name] = of_arm[arms[0]] if arms else ""
    free = [colour for colour in PALETTE if colour not in found.values()] or list(PALETTE)
    left = (free[place % len(free)] for place in range(len(found)))
    return {name: colour or next(left) for name, colour in found.items()}


def width(place: int) -> float:
    """Return the width of a panel's line by its place: later ones are thinner and hide nothing."""
    return max(1.4, 3.0 - 0.35 * place)


def titled(frame: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Return a frame with `title`, `colour`, `mark` and `run` (arm and seed), in the study's order.

    `mark` is the group's place in `DASHES` and `MARKERS`.
    """
    colour = frame["group"].map(colours(inputs))
    order = [group.name for group in inputs.groups]
    result = frame.assign(
        title=frame["group"].map({group.name: group.title for group in inputs.groups}),
        colour=colour,
        mark=colour.map(place),
        run=frame["arm"] + " seed " + frame["seed"].astype(str),
    )
    return result.sort_values(
        "group", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def runs(frame: pd.DataFrame) -> str:
    """Return how many runs each arm of a titled frame has, as a caption says it."""
    found = frame.groupby("title", sort=False)["run"].nunique()
    counts = ", ".join(f"{title} {n}" for title, n in found.items())
    return f"number of runs: {counts or 'none'}"


def lines(
    ax: Axes,
    frame: pd.DataFrame,
    y: str,
    *,
    markers: bool = True,
    x: str = "step",
    band: bool = True,
) -> None:
    """Draw the mean over runs of each group against `x`, with a band from lowest to highest run.

    Groups differ by colour, by dashes and, with `markers`, by the shape of their points.

    Args:
        ax: where.
        frame: `group`, `colour`, `mark`, `run`, `x` and `y`, one row per run and step.
        y: the column on the vertical axis.
        markers: whether to mark the steps.
        x: the column on the horizontal axis; the same for all runs of a group at a step.
        band: whether to draw the band.
    """
    for _, rows in frame.groupby("group", sort=False):
        style = marks(int(rows["mark"].iloc[0]))
        if not markers:
            style["marker"] = None
        own = rows[[x, y]].dropna().groupby(x)[y].agg(["mean", "min", "max", "size"])
        colour = rows["colour"].iloc[0]
        style |= {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.8}
        ax.plot(own.index, own["mean"], color=colour, linewidth=2.0, **style)
        if band:
            several = own[["min", "max"]].where(own["size"] > 1)
            ends = (several["min"], several["max"])
            ax.fill_between(own.index, *ends, color=colour, alpha=0.13, linewidth=0)


def label_ends(ax: Axes, frame: pd.DataFrame, y: str, gap: float = 0.06) -> None:
    """Write each group's title at the end of its line, moved apart where they would overlap.

    Args:
        ax: with its limits set.
        frame: see `lines`, with `title`.
        y: the column on the vertical axis.
        gap: least distance of two labels, as a share of the axis.
    """
    last = frame[frame["step"] == frame.groupby("group")["step"].transform("max")]
    ends = last.groupby(["group", "title", "colour"], sort=False)[y].mean().reset_index()
    ends = ends.sort_values(y, kind="stable")
    low, high = ax.get_ylim()
    places = _apart([(value - low) / (high - low) for value in ends[y]], gap)
    for place, title, colour in zip(places, ends["title"], ends["colour"], strict=True):
        look = {"color": colour, "va": "center", "fontweight": "bold"}
        note(ax, title, (1.0, place), (6, 0), "axes fraction", annotation_clip=False, **look)


def note(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    coordinates: Any = "data",
    **look: Any,
) -> None:
    """Write a text beside a point.

    Args:
        ax: where.
        text: what to write.
        at: the point.
        offset: how far from it, in printer's points.
        coordinates: what `at` is in, as Matplotlib's `xycoords`.
        look: colour, alignment and font, as Matplotlib names them.
    """
    ax.annotate(text, at, xycoords=coordinates, xytext=offset, textcoords="offset points", **look)


def draw_cut(ax: Axes, at: float, text: str) -> None:
    """Draw the score from which problems are kept, with a text to its left."""
    ax.axvline(at, color=INK, linewidth=1.6)
    look = {"ha": "right", "va": "top", "fontweight": "bold"}
    note(ax, text, (at, 0.97), (-6, 0), ("data", "axes fraction"), **look)


def score_label(scores: pd.Series[Any], lowest: float) -> str:
    """Return the label of an axis of scores whose first bar holds all that are lower."""
    clipped = int((scores < lowest).sum())
    return f"score ({clipped:,} below {lowest:g} in the first bar)" if clipped else "score"


def panels(
    drawn: Figure,
    frame: pd.DataFrame,
    columns: int,
    draw: Callable[[Axes, pd.DataFrame], None],
    *,
    sharey: bool = False,
) -> list[Axes]:
    """Draw one panel per benchmark, row by row, titled with its number of questions.

    Args:
        drawn: an empty figure.
        frame: `panel` (the title), `questions`, and what `draw` needs.
        columns: panels in a row.
        draw: draws the rows of one panel.
        sharey: whether all panels have one vertical range.
    """
    n = frame["panel"].nunique()
    axes = list(drawn.subplots(-(-n // columns), columns, squeeze=False, sharey=sharey).ravel())
    for place, (title, rows) in enumerate(frame.groupby("panel", sort=False)):
        draw(axes[place], rows)
        axes[place].set_title(f"{title} (n = {int(rows['questions'].max()):,})")
        axes[place].set_ylabel("% correct" if place % columns == 0 else "")
    for ax in axes[n:]:
        ax.set_visible(False)
    return axes[:n]


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """Return sorted places moved so that neighbours are `gap` apart, about where they were."""
    moved = list(places)
    for _ in range(200):
        for i in range(len(moved) - 1):
            short = gap - (moved[i + 1] - moved[i])
            if short > 1e-9:
                moved[i] -= short / 2
                moved[i + 1] += short / 2
    shift = max(0.0, -min(moved, default=0.0)) - max(0.0, max(moved, default=0.0) - 1.0)
    return [place + shift for place in moved]


def legend(drawn: Figure, frame: pd.DataFrame) -> None:
    """Draw one legend of the groups above all panels."""
    import matplotlib as mpl

    shown = frame.drop_duplicates("group")
    handles = [
        mpl.lines.Line2D([], [], color=row["colour"], linewidth=2, **handle(row))
        for _, row in shown.iterrows()
    ]
    drawn.legend(
        handles,
        list(shown["title"]),
        loc="outside upper left",
        ncols=len(handles),
        fontsize=10,
        handlelength=2.8,
    )


def handle(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the look of a group's line in a legend."""
    return {**marks(int(row["mark"])), "markersize": 6, "markeredgecolor": "white"}


def on(cell: ColorType) -> str:
    """Return the colour of a text on a coloured cell: of white and black, what differs more."""
    from matplotlib.colors import to_rgb

    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(cell)]
    light = sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
    return ON_LIGHT if light > 0.179 else ON_DARK
