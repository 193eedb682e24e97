"""A page with every figure that there is: what it shows, its options, and a drawn example."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from limr.core import plugins, validation
from limr.report import make
from limr.study import reference

ROOT = Path(__file__).parents[2]
ONLY = "LIMR_SITE_FIGURES"  # names to draw, for tests; all by default
PAGE = """\
# Figures

Every figure that a study can have, drawn from made-up results. In a study:
`figures: {{NAME: {{OPTION: VALUE}}}}`; each comes as PDF, PNG and SVG with its data.

{figures}
"""
FIGURE = """\
## {title}: `{name}`

![{title}, of made-up results](figures/{name}.png)

{caption}

{options}
"""


def write(folder: Path) -> None:
    """Write `figures.md` below a staged docs folder, and the drawings beside it."""
    sys.path.insert(0, str(ROOT / "tests"))
    import synthetic_study

    names = os.environ[ONLY].split() if ONLY in os.environ else plugins.names("figures")
    inputs, drawings = synthetic_study.inputs(), folder / "figures"
    drawings.mkdir()
    parts = []
    for name in names:
        module = plugins.load("figures", name)
        kinds = {"caption": "txt", "pdf": "pdf", "png": "png", "svg": "svg", "tsv": "tsv"}
        paths = {key: drawings / f"{name}.{kind}" for key, kind in kinds.items()}
        make.draw_figure(name, inputs, {}, paths)
        caption = paths["caption"].read_text(encoding="utf-8").strip()
        for key in ("pdf", "svg", "tsv", "caption"):
            paths[key].unlink()
        rows = reference.rows(validation.options(module))
        parts.append(
            FIGURE.format(
                title=module.TITLE,
                name=name,
                caption=caption.removeprefix(f"{module.TITLE}. ").replace("*", r"\*"),
                options="\n".join([reference.TITLE, *rows]) if rows else "It has no options.",
            )
        )
    (folder / "figures.md").write_text(PAGE.format(figures="\n".join(parts)), encoding="utf-8")
