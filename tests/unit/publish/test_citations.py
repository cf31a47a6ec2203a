"""How a page and its numbers are cited, whatever they say."""

import json
import re
from pathlib import Path
from typing import Any

from proof.publish import citations
from proof.publish.page import Page

ADDRESS = "https://example.org/measurements/one/"
ROW = "<tr><td><code>one.<wbr>size</code></td><td>8.3MB</td><td>8,311,385 B</td><td>%s</td></tr>"
OTHER = "<tr><td><code>one.layers</code></td><td>3</td><td></td><td>the manifest</td></tr>"


def written(
    tmp_path: Path, *, title: str = "One", source: str = "the layers", rows: str = ROW
) -> tuple[Page, Any, str]:
    """A page with a table of facts, and what is written for it: CSL-JSON and BibTeX."""
    html = f"""<!doctype html><html><head><meta charset=utf-8><title>{title} · Site</title>
        <link rel=canonical href="{ADDRESS}"><meta name=author content="A &amp; B"><meta name=description content="d">
        </head><body><time class=measured datetime=2026-12-03>x</time>
        <table class=facts><thead><tr><th>Fact</th></tr></thead>
        <tbody>{rows % source if "%" in rows else rows}</tbody></table></body></html>"""
    path = tmp_path / "index.html"
    page = Page(tmp_path, path, html)
    citations.write(page)
    return page, json.loads((tmp_path / "cite.json").read_text("utf-8")), (tmp_path / "cite.bib").read_text("utf-8")


def data_set(page: Page) -> Any:
    """The data set in a page's head."""
    (script,) = page.settle().tree.css('script[type="application/ld+json"]')
    assert script.parent is not None
    assert script.parent.tag == "head"
    return json.loads(script.text())


def test_a_page_and_its_numbers_have_entries(tmp_path: Path) -> None:
    _, csl, bib = written(tmp_path, rows=ROW + OTHER)
    issued = {"date-parts": [[2026, 12, 3]]}
    same = {"author": [{"literal": "A & B"}], "container-title": "Site", "issued": issued, "URL": ADDRESS}
    assert csl == [
        {"id": "index", "type": "webpage", "title": "One"} | same,
        {"id": "one.size", "type": "dataset", "title": "one.size: 8,311,385 B", "note": "the layers"} | same,
        {"id": "one.layers", "type": "dataset", "title": "one.layers: 3", "note": "the manifest"} | same,
    ]
    assert re.findall(r"@misc\{(.*),", bib) == ["index", "one.size", "one.layers"]
    assert "  author = {{A \\& B}},\n" in bib
    assert "  year = {{2026}},\n  month = {{12}},\n" in bib


def test_the_data_set_has_the_exact_values(tmp_path: Path) -> None:
    page, *_ = written(tmp_path, rows=ROW + OTHER)
    found = data_set(page)
    assert found["@type"] == "Dataset"
    assert [(each["name"], each["value"]) for each in found["variableMeasured"]] == [
        ("one.size", 8_311_385),
        ("one.layers", "3"),
    ]
    assert {part["contentUrl"] for part in found["distribution"]} == {
        f"{ADDRESS}{name}" for name in ("cite.bib", "cite.json", "index.md")
    }


def test_a_page_without_numbers_has_no_data_set(tmp_path: Path) -> None:
    page, csl, _ = written(tmp_path, rows="")
    assert len(csl) == 1
    assert not page.tree.css('script[type="application/ld+json"]')


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """It ends no script, no field and no entry; control characters are escaped; TeX runs none of it."""
    source = "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; } } @misc{x, \\input{/etc/passwd} %~^$\x1b[31m"
    page, csl, bib = written(tmp_path, title="\\write18{rm} } @book{y,", source=source)
    assert data_set(page)["variableMeasured"][0]["description"].startswith("</script><script>")
    assert "\x1b" not in csl[1]["note"]
    assert re.findall(r"(?m)^@\w+", bib) == ["@misc", "@misc"]
    assert "\\input" not in bib
    assert "\\write" not in bib
    bare = re.sub(r"\\[{}]", "", bib)
    assert bare.count("{") == bare.count("}")
