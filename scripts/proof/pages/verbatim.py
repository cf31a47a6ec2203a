"""Puts untrusted text into generated Markdown as hexadecimal digits, so that no Markdown processor interprets it.

Text that is escaped for one extension may have a meaning for the next one. Digits have none for any.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markdown.util import AtomicString

from proof.core.text import visible

TOKEN = re.compile(r"(text|code):((?:[0-9a-f]{2})*)")  # the text between `{{` and `}}`


def text(raw: str) -> str:
    """The token for a text."""
    return f"{{{{ text:{raw.encode().hex()} }}}}"


def code(raw: str) -> str:
    """The token for a piece of code."""
    return f"{{{{ code:{raw.encode().hex()} }}}}"


def element(found: re.Match[str]) -> ET.Element:
    """The element for a token. Bare text would be searched for attribute lists."""
    made = ET.Element("code") if found[1] == "code" else ET.Element("span", {"class": "verbatim"})
    made.text = AtomicString(visible(bytes.fromhex(found[2]).decode("utf-8", "replace")))
    return literal(made)


def literal(root: ET.Element) -> ET.Element:
    """The element, escaped so that Python-Markdown's serialiser does not take `&lt;` in its text as an entity."""
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
