"""Wraps each flag of a command in a span, so that no line breaks after its hyphens."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_FLAG = re.compile(r"(?<!\S)(-\S+)")


def in_html(html: str) -> str:
    """Wrap the flags of a command that is given as escaped HTML."""
    return _FLAG.sub(r'<span class="flag">\1</span>', html)


def in_codes(root: ET.Element) -> None:
    """Wrap the flags in every code span of a tree, but not in code blocks, whose lines do not wrap."""
    blocks = {code for block in root.iter("pre") for code in block}
    for code in root.iter("code"):
        if len(code) or not code.text or code in blocks:
            continue
        code.text, *pieces = _FLAG.split(code.text)  # alternately a flag and the text after it
        for flag, after in zip(pieces[::2], pieces[1::2], strict=True):
            span = ET.SubElement(code, "span", {"class": "flag"})
            span.text, span.tail = flag, after
