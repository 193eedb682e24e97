"""A figure's SVG file as a part of a page: small, in the page's colours, and inert.

A file may come from an archive of a stranger, so that nothing is copied as it is: elements and
attributes that drawings need are written anew, everything else refuses the whole file. What
Matplotlib writes as `style` becomes attributes: the page's policy allows no style but its own, and
the page's style sheet can give them other colours on a dark screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

LARGEST = 400_000  # bytes; larger drawings are shown as pictures
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_LEFT_OUT = ("metadata", "style")
_ELEMENTS = ("svg", "g", "defs", "path", "use", "clipPath", "rect", "text", "tspan", "image",
             "pattern")  # fmt: skip
_ATTRIBUTES = (
    *("d", "x", "y", "width", "height", "transform", "viewBox", "clip-path", "href", "id"),
    "patternUnits",
    *("fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
    "stroke-dashoffset",
    *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity", "text-anchor"),
    *("font-size", "font-weight", "font-style", "preserveAspectRatio"),
)
_DROPPED = ("version", "style", "font-family", "font-variant", "font-stretch",
            "dominant-baseline", "image-rendering", "white-space", "xml:space")  # fmt: skip
_HARMLESS = re.compile(r"[\w\s.,%#()+-]*")
_REFERENCE = re.compile(r"url\(#([\w-]+)\)|#([\w-]+)")
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")


class UnusableError(Exception):
    """The file is no drawing that a page may hold; the message says why."""


def inline(path: Path, name: str) -> Markup | None:
    """Return a drawing as markup without a title; None where the page shows its picture instead.

    Args:
        path: the SVG file, of Matplotlib.
        name: what ids begin with, so that they are the page's only ones: of letters, digits and -.
    """
    if not path.is_file() or path.stat().st_size > 4 * LARGEST:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    if "<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (without entities; its size is bounded)
        used = {found for element in root.iter() for found in _references(element)}
        markup = "".join(_written(root, name, used))
    except (ElementTree.ParseError, UnusableError, RecursionError):
        return None
    return Markup(markup) if len(markup) <= LARGEST else None  # noqa: S704 (written by _written)


def _references(element: Element) -> Iterator[str]:
    for value in element.attrib.values():
        for match in _REFERENCE.finditer(value):
            yield match[1] or match[2]


def _written(element: Element, name: str, used: set[str]) -> Iterator[str]:
    tag = element.tag.removeprefix(_SVG)
    if tag in _LEFT_OUT:
        return
    if tag not in _ELEMENTS:
        raise UnusableError(f"it has an element '{tag}'")
    attributes = dict(_attributes(element, name, used))
    if tag == "svg":
        attributes |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    content = "".join(part for child in element for part in _written(child, name, used))
    text = element.text or "" if tag in ("text", "tspan") else ""
    if tag in ("g", "defs") and not content:
        return
    if tag == "g" and not attributes:
        yield content
        return
    told = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    yield f"<{tag}{told}>{escape(text)}{content}</{tag}>"
    if element.tail and element.tail.strip():
        yield str(escape(element.tail))


def _attributes(element: Element, name: str, used: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the attributes that stay, those of `style` among them."""
    given = {key.removeprefix(_XLINK): value for key, value in element.attrib.items()}
    styles = dict(_pair(part) for part in given.get("style", "").split(";") if part.strip())
    for key, value in {**given, **styles}.items():
        if key in _DROPPED or (key == "id" and value not in used):
            continue
        if key not in _ATTRIBUTES:
            raise UnusableError(f"it has an attribute '{key}'")
        picture = key == "href" and _PICTURE.fullmatch(value)
        if key == "href" and not picture and not value.startswith("#"):
            raise UnusableError("it refers to something outside")
        if not picture and not _HARMLESS.fullmatch(value):
            raise UnusableError(f"its attribute '{key}' is no number, name or colour")
        yield key, value if picture else _own(key, value, name)


def _own(key: str, value: str, name: str) -> str:
    """Return a value with ids that are the page's only ones, numbers as fine as can be seen."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href" or value.startswith("url("):
        return value.replace("#", f"#{name}-")
    if key in ("fill", "stroke"):
        return value
    return _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key.strip(), value.strip()
