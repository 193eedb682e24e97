"""Sphinx's settings; docs/site/build.py stages the pages and calls it."""

from typing import Any

from pygments.lexers.special import TextLexer

project = "limr"
author = "the authors of limr"
extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "config/README.md", "docs/**", "benchmarks/**"]
myst_heading_anchors = 4
html_theme = "furo"  # dark where the reader's screen is, readable on a phone
html_title = "limr"
copybutton_prompt_text = "$ "
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
nitpicky = True


def setup(app: Any) -> None:
    """Show the rule graph's Mermaid as text: drawing it would need a script from the network."""
    app.add_lexer("mermaid", TextLexer)
