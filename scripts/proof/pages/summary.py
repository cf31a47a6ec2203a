"""The box "In short" at the top of a page: it gets an address of its own, and the page's card shows its text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

ID = "in-short"
_TITLE = "In short"


def address(root: ET.Element) -> None:
    """Give the first admonition with that title an ID, a class and a link to itself, like those of headings."""
    for box in root.iter("div"):
        title = box.find("p")
        if "admonition" in box.get("class", "").split() and title is not None and title.text == _TITLE:
            box.set("id", ID)
            box.set("class", f"{box.get('class')} {ID}")
            link = {"class": "headerlink", "href": f"#{ID}", "title": "Permanent link"}
            ET.SubElement(title, "a", link).text = "¶"
            return
