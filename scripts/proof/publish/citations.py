"""How to cite a page and the numbers on it: CSL-JSON, BibTeX, and a data set in the words of schema.org.

The numbers are those in the tables of facts on a page of measurements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborNode

from proof.core.text import plain
from proof.publish import head
from proof.publish.page import Page

FILES = {
    "BibTeX": ("cite.bib", "application/x-bibtex"),
    "CSL-JSON": ("cite.json", "application/vnd.citationstyles.csl+json"),
}
_NO_KEY = re.compile(r"[^\w.-]", re.ASCII)  # what a key of BibTeX must not have
_EXACT = re.compile(r"([0-9,]+) (\w+)")  # like 235,722,182 B
_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    c: f"\\{c}" for c in "{}$&#_%"
}


@dataclass(frozen=True)
class _Number:
    """A measured fact, as the table of facts shows it."""

    name: str
    written: str
    exact: str  # with its unit; empty if that is what is written
    source: str

    @property
    def value(self) -> dict[str, Any]:
        """It in the words of schema.org."""
        found = _EXACT.fullmatch(self.exact)
        value = {"value": int(found[1].replace(",", "")), "unitText": found[2]} if found else {"value": self.written}
        return {"@type": "PropertyValue", "name": self.name, **value, "description": self.source}


def write(page: Page) -> None:
    """Write the two files for a page, and say in its head what data it has. Needs the page's address."""
    numbers = _numbers(page.tree.root)
    entries = [_entry(page, page.url.strip("/").replace("/", "-") or "index", head.heading(page), "webpage")]
    entries += [
        {**_entry(page, each.name, f"{each.name}: {each.exact or each.written}", "dataset"), "note": plain(each.source)}
        for each in numbers
    ]
    bib, csl = (page.path.with_name(name) for name, _ in FILES.values())
    bib.write_text("\n".join(map(_bibtex, entries)), "utf-8", newline="\n")
    csl.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")
    if numbers:
        text = json.dumps(_data_set(page, numbers), ensure_ascii=False).replace("<", "\\u003c")
        page.add_to_head(page.element("script", text, type="application/ld+json"))


def _numbers(root: LexborNode | None) -> list[_Number]:
    rows = root.css("table.facts tbody tr") if root else []
    cells = ([" ".join(cell.text().split()) for cell in row.css("td")] for row in rows)
    return list({row[0]: _Number(*row) for row in cells if len(row) == 4}.values())


def _entry(page: Page, key: str, title: str, kind: str) -> dict[str, Any]:
    """An entry of CSL-JSON: https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html."""
    day = max(page.measured, default="") or page.meta("article:published_time")
    site = page.title.partition(" · ")[2] or page.title
    issued = (
        {"issued": {"date-parts": [[int(part) for part in day.split("-")]]}}
        if re.fullmatch(r"\d{4}-\d\d-\d\d", day)
        else {}
    )
    author = [{"literal": plain(page.meta("author") or site)}]
    return (
        {
            "id": _NO_KEY.sub("", key),
            "type": kind,
            "title": plain(title),
            "author": author,
            "container-title": plain(site),
        }
        | issued
        | {"URL": page.address}
    )


def _bibtex(entry: dict[str, Any]) -> str:
    fields = {
        "title": entry["title"],
        "author": entry["author"][0]["literal"],
        "howpublished": entry["container-title"],
    }
    if "issued" in entry:
        year, month, _ = entry["issued"]["date-parts"][0]
        fields |= {"year": str(year), "month": str(month)}
    fields |= {"note": entry["note"]} if "note" in entry else {}
    lines = [f"  {name} = {{{{{_tex(value)}}}}},\n" for name, value in fields.items()]
    return f"@misc{{{entry['id']},\n{''.join(lines)}  url = {{{entry['URL']}}},\n}}\n"


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in text)


def _data_set(page: Page, numbers: Sequence[_Number]) -> dict[str, Any]:
    """https://schema.org/Dataset."""
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": head.heading(page),
        "description": page.meta("description"),
        "url": page.address,
        "dateModified": max(page.measured, default=""),
        "creator": {"@type": "Organization", "name": page.meta("author")},
        "isAccessibleForFree": True,
        "variableMeasured": [each.value for each in numbers],
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": kind, "contentUrl": f"{page.address}{name}"}
            for name, kind in (*FILES.values(), ("index.md", "text/markdown"))
        ],
    }
