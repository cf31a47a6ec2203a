"""Keeps untrusted text in the tree literal, as Python-Markdown's serialiser takes `&lt;` in a text for an entity."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markdown.util import AtomicString


def literal(root: ET.Element) -> ET.Element:
    """The element, with its texts and attributes escaped."""
    for each in root.iter():
        each.text, each.tail = _literal(each.text), _literal(each.tail)
        for name, value in each.items():
            each.set(name, value.replace("&", "&amp;"))
    return root


def _literal(raw: str | None) -> str | None:
    return AtomicString(raw.replace("&", "&amp;")) if raw else raw


def read(text: str | None) -> str:
    """The original text of an element that `literal` escaped."""
    return (text or "").replace("&amp;", "&")
