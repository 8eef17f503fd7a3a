"""Elements of a page. Text is put into a tree and escaped as the tree is written, so no text can become markup."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from l4serve.config.words.characters import visible

Child = ElementTree.Element | str | None
_NO_URL = (("https://", "https&#58;//"), ("http://", "http&#58;//"))
"""A page holds no address that anything could follow; a browser shows the entity as a colon."""


def element(
    tag: str, *children: Child | Iterable[Child], **attributes: str | float | bool | None
) -> ElementTree.Element:
    """An element with children in order; `class_` is class, an underscore is a hyphen, True is a bare attribute."""
    made = ElementTree.Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            made.set(name.rstrip("_").replace("_", "-"), name if value is True else visible(shown))
    for child in children:
        if child is None or isinstance(child, str | ElementTree.Element):
            _add(made, child)
        else:
            for each in child:
                _add(made, each)
    return made


def _add(parent: ElementTree.Element, child: Child) -> None:
    if isinstance(child, ElementTree.Element):
        parent.append(child)
    elif child:
        _add_text(parent, visible(child))


def _add_text(parent: ElementTree.Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def svg(width: float, height: float, label: str, *children: Child | Iterable[Child]) -> ElementTree.Element:
    """A drawing as wide as its place, with a text for those who do not see it."""
    box = f"0 0 {width:g} {height:g}"
    return element("svg", *children, viewBox=box, role="img", aria_label=label, preserveAspectRatio="xMinYMin meet")


def rectangle(
    x: float, y: float, width: float, height: float, class_: str, title: str | None = None
) -> ElementTree.Element:
    """A rectangle, with a text that shows when it is pointed at."""
    told = element("title", title) if title else None
    return element(
        "rect", told, x=round(x, 2), y=round(y, 2), width=round(width, 2), height=round(height, 2), class_=class_
    )


def text(x: float, y: float, said: str, class_: str = "label", anchor: str | None = None) -> ElementTree.Element:
    """A line of text at a place."""
    return element("text", said, x=round(x, 2), y=round(y, 2), class_=class_, text_anchor=anchor)


def document(title: str, style: str, body: Iterable[Child]) -> str:
    """A whole page: one file that loads nothing and runs nothing, whatever its texts say."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    sheet = ElementTree.Element("style")
    sheet.text = style
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        sheet,
    )
    page = element("html", head, element("body", body), lang="en")
    written = ElementTree.tostring(page, encoding="unicode", method="html")
    for address, inert in _NO_URL:
        written = written.replace(address, inert)
    return f"<!doctype html>\n{written}\n"
