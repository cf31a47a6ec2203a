"""Text from outside in generated Markdown: it travels as hexadecimal digits, so that no Markdown processor can read it.

What is escaped for one extension means something to the next one; digits mean nothing to any.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markdown.util import AtomicString

from proof.core.text import visible

TOKEN = re.compile(r"(text|code):((?:[0-9a-f]{2})*)")  # what stands between `{{` and `}}`


def text(raw: str) -> str:
    """The token for a text."""
    return f"{{{{ text:{raw.encode().hex()} }}}}"


def code(raw: str) -> str:
    """The token for a piece of code."""
    return f"{{{{ code:{raw.encode().hex()} }}}}"


def element(found: re.Match[str]) -> ET.Element:
    """What a token stands for, as an element of its own: text that is loose in a block is searched for attributes."""
    made = ET.Element("code") if found[1] == "code" else ET.Element("span", {"class": "verbatim"})
    made.text = AtomicString(visible(bytes.fromhex(found[2]).decode("utf-8", "replace")))
    return literal(made)


def literal(root: ET.Element) -> ET.Element:
    """The element, saying what it says: Python-Markdown's serialiser would take `&lt;` in it for an entity."""
    for each in root.iter():
        each.text, each.tail = _literal(each.text), _literal(each.tail)
        for name, value in each.items():
            each.set(name, value.replace("&", "&amp;"))
    return root


def _literal(raw: str | None) -> str | None:
    return AtomicString(raw.replace("&", "&amp;")) if raw else raw


def read(text: str | None) -> str:
    """What a text in a literal element says."""
    return (text or "").replace("&amp;", "&")
