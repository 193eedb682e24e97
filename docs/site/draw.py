"""Draw the pictures of the pages, which are kept in docs/pictures: `draw.py FOLDER`."""

import sys
from pathlib import Path

import pictures
from example_curves import example, picked
from limr.core import plugins


def draw(folder: Path) -> None:
    """Write pipeline.svg, lim.svg and selectors.svg."""
    of = example()
    chosen = {name: picked(of, name)[1] for name in plugins.names("selectors")}
    pictures.kinds(of, chosen, folder / "selectors.svg")
    pictures.pipeline(folder / "pipeline.svg")
    pictures.lim(of, picked(of, "lim")[0], folder / "lim.svg")


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "pictures"))
