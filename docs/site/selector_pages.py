"""A page for every selector that there is: formula, behaviour, options, and a drawn example."""

from __future__ import annotations

import re
from pathlib import Path

import pictures
from example_curves import EPOCHS, FILES, SAMPLES, SIZE, example, must_be_given, picked
from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.study import reference

PAGE = """\
# {title}: `{name}`

{docstring}

{behaviour}
## What it picks

{picture}

## Options

{options}

In a study: `scores: {{mine: {{selector: {name}{trajectories}{files}}}}}`. All selectors side by
side, cuts and missing epochs: [selection.md](../selection.md).
"""
PICTURE = """\
![Learning curves; the picked ones are coloured]({name}.svg)

{n} simulated problems of six kinds, {epochs} epochs of {samples} samples, default options{files}.
Orange: the best {size}; dashed: the mean curve. Where scores are tied at the last place the choice
among them is random, with a seed. The picture is drawn by the selector's own code.
"""
INDEX = """\
# Selectors

What each selector scores, and what it picks from the same {n} simulated learning curves.

```{{toctree}}
:maxdepth: 1

{names}
```
"""


def write(folder: Path) -> list[str]:
    """Write `selectors/` below a staged docs folder; return the selectors' names."""
    names = plugins.names("selectors")
    selection = (folder / "selection.md").read_text(encoding="utf-8")
    pages = folder / "selectors"
    pages.mkdir(exist_ok=True)
    for name in names:
        (pages / f"{name}.md").write_text(page(name, selection, pages), encoding="utf-8")
    listed = INDEX.format(n=len(example().kinds), names="\n".join(names))
    (pages / "index.md").write_text(listed, encoding="utf-8")
    return names


def page(name: str, selection: str, pages: Path) -> str:
    """Return a selector's page; its picture is drawn into the folder of the pages."""
    module = plugins.load("selectors", name)
    rows = reference.rows(validation.options(module))
    return PAGE.format(
        title=module.TITLE,
        name=name,
        docstring=(module.__doc__ or "").strip().replace("*", r"\*"),
        behaviour=behaviour(name, selection),
        picture=picture(name, module.TITLE, pages),
        options="\n".join([reference.TITLE, *rows]) if rows else "It has none.",
        trajectories=", trajectories: full" if module.NEEDS_TRAJECTORIES else "",
        files="".join(f", {option}: {option}.json" for option in must_be_given(module)),
    )


def behaviour(name: str, selection: str) -> str:
    """Return a selector's row of the table in selection.md as a list; "" where it has none yet."""
    lines = selection.splitlines()
    head = next(line for line in lines if line.startswith("| selector |"))
    row = next((line for line in lines if line.startswith(f"| `{name}` |")), None)
    if row is None:
        return ""
    cells = [re.split(r"(?<!\\)\|", line)[2:-1] for line in (head, row)]
    return "".join(f"- {key.strip()}: {value.strip()}\n" for key, value in zip(*cells, strict=True))


def picture(name: str, title: str, pages: Path) -> str:
    """Draw what a selector picks; return the Markdown that shows it, or why there is nothing."""
    of = example()
    try:
        values, chosen = picked(of, name)
    except InputError as error:
        return f"It has no picture: with default options it scores nothing here ({error})"
    given = must_be_given(plugins.load("selectors", name))
    files = "".join(f"; `{option}` holds {FILES[option][0]}" for option in given)
    pictures.picks(of, values, chosen, title, pages / f"{name}.svg")
    return PICTURE.format(
        name=name,
        n=len(of.kinds),
        epochs=EPOCHS,
        samples=SAMPLES,
        size=min(SIZE, chosen.sum()),
        files=files,
    )
