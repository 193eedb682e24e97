"""Sphinx's settings; docs/site/build.py stages the pages and calls it."""

from functools import partial
from typing import Any

from docutils import nodes
from pygments.lexers.special import TextLexer

project = "limr"
author = "the authors of limr"
extensions = ["myst_parser", "sphinx_copybutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "katex"
html_static_path = ["../../workflow/report/katex.min.js", "formulas.js"]
html_js_files = [("katex.min.js", {"defer": "defer"}), ("formulas.js", {"defer": "defer"})]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries have no page here
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
    """Show the rule graph's Mermaid as text, which only a script from a network could draw.

    Formulas are drawn in the browser (`formulas.js`).
    """
    app.add_lexer("mermaid", TextLexer)
    app.add_html_math_renderer("katex", (partial(_formula, "span"), None), (_block, None))


def _formula(tag: str, page: Any, node: Any) -> None:
    page.body.append(f'<{tag} class="math">{page.encode(node.astext())}</{tag}>')
    raise nodes.SkipNode


def _block(page: Any, node: Any) -> None:
    _formula("div", page, node)
