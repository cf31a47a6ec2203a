"""A command's flags, each kept in one piece where a line wraps: it would break behind every hyphen."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_FLAG = re.compile(r"(?<!\S)(-\S+)")


def in_html(html: str) -> str:
    """A command as escaped HTML, with its flags in elements of their own."""
    return _FLAG.sub(r'<span class="flag">\1</span>', html)


def in_codes(root: ET.Element) -> None:
    """The same in every code span of a tree, and not in its blocks of code, which do not wrap."""
    blocks = {code for block in root.iter("pre") for code in block}
    for code in root.iter("code"):
        if len(code) or not code.text or code in blocks:
            continue
        code.text, *pieces = _FLAG.split(code.text)  # in turn a flag and what stands behind it
        for flag, behind in zip(pieces[::2], pieces[1::2], strict=True):
            span = ET.SubElement(code, "span", {"class": "flag"})
            span.text, span.tail = flag, behind
