"""Draw the pictures of docs/concepts.md, which are kept in docs/pictures: `draw.py FOLDER`."""

import sys
from pathlib import Path

import pictures
from example_curves import example, picked


def draw(folder: Path) -> None:
    """Write pipeline.svg and lim.svg."""
    of = example()
    pictures.pipeline(folder / "pipeline.svg")
    pictures.lim(of, picked(of, "lim")[0], folder / "lim.svg")


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "pictures"))
