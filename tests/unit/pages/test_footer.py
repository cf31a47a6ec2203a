"""What stands at the ends of a page: the box "In short", which can be linked to, and with what it was measured."""

import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

from markdown import Markdown

from proof.captures import store
from proof.facts import book
from proof.pages import footer
from proof.pages.page import Options, Page
from proof.pages.site import Site
from proof.snippets import capture_locations
from tests.support import makers


def foot(root: Path, *snippets: str) -> str:
    return footer.foot(Page(Site(root), Options(root / "docs"), snippets=set(snippets)))


def text(html: str) -> str:
    return unescape(re.sub("<.*?>", "", html))


def line(root: Path, *snippets: str) -> str:
    """What stands there while the box is closed."""
    return text(foot(root, *snippets).partition("</summary>")[0])


def keep(root: Path, snippet: str, engine: str = "docker 26", **fields: Any) -> None:
    """Another capture of the snippet by this engine, with other fields of its provenance."""
    folder = root / "snippets" / snippet
    made = makers.by_engine(book.load(root / "snippets").captures[snippet], engine)
    wording = made.engine.wording or "docker-28"
    if wording == "docker-29":  # in words of its own
        made = replace(made, steps=tuple(replace(step, output="new words\n") for step in made.steps))
    made = replace(made, provenance=replace(made.provenance, **fields))
    store.save(made, capture_locations.folder_of(folder, "rebuilt", "", wording))


def test_a_page_says_when_it_was_last_measured(root: Path) -> None:
    """One day with its engine, or the oldest and the newest with every engine. Without captures it says nothing."""
    assert line(root) == line(root, "not_captured") == ""
    assert line(root, "note") == "Last measured on 2 January 2026 with Docker 26 on rebuilt bases."
    keep(root, "note", "docker 28", date="2026-11-23T22:57:31Z")
    between = "Measured between 2 January 2026 and 23 November 2026 with Docker 26 and Docker 28 on rebuilt bases."
    assert line(root, "note", "fails") == between


def test_a_page_says_what_kind_of_bases_it_was_measured_on(root: Path) -> None:
    """Pulled, rebuilt, or both, if only some of its snippets have captures of pulled ones."""
    made = book.load(root / "snippets").captures["note"]
    official = replace(made, environment=replace(made.environment, bases="registry"))
    store.save(official, capture_locations.folder_of(root / "snippets/note", "registry"))
    assert line(root, "note") == "Last measured on 2 January 2026 with Docker 26 on pulled bases."
    assert line(root, "note", "fails") == "Last measured on 2 January 2026 with Docker 26 on rebuilt and pulled bases."


def test_what_ci_does_not_repeat_has_its_own_date(root: Path) -> None:
    """Of an engine that CI doesn't repeat, the page says when it was last asked, and what it was never asked."""
    keep(root, "note", "docker 29.7.2", date="2026-11-26T01:00:00Z")
    first = "Last measured on 2 January 2026 with Docker 26 on rebuilt bases. Docker 29.7.2: last repeated "
    assert line(root, "note") == f"{first}on 26 November 2026."
    assert line(root, "note", "fails") == f"{first}on 26 November 2026. Captured with Docker 26 alone: fails."
    keep(root, "fails", "docker 29.7.2", date="2026-11-27T01:00:00Z")
    assert line(root, "note", "fails") == f"{first}between 26 November 2026 and 27 November 2026."


def test_a_site_with_one_engine_says_it_once(root: Path) -> None:
    """If all was measured with Docker 29, there is nothing that another engine repeats."""
    keep(root, "note", "docker 29.7.2")
    shutil.rmtree(root / "snippets/note/captured/rebuilt")
    assert line(root, "note") == "Last measured on 2 January 2026 with Docker 29.7.2 on rebuilt bases."


def test_the_box_has_all_the_rest(root: Path) -> None:
    """Engine, builder, image store, platform, bases and commits, once for captures that share them; and it is text."""
    keep(root, "note", "docker 29.7.2", engine_from="built <script>", filesystem="?", revision="0a1b2c3d4e5f+")
    html = foot(root, "note", "fails")
    assert "<script>" not in html
    old, new, bases = ([*map(text, re.findall("<dd>(.*?)</dd>", each))] for each in re.findall("<dl>(.*?)</dl>", html))
    assert old == [
        "Docker 26",
        "private",
        "buildx 0.13.1",
        "overlay2 on extfs",
        "linux/amd64",
        "rebuilt",
        "fails at 0123456789ab, 2026-01-02T03:04:05Znote at 0123456789ab, 2026-01-02T03:04:05Z",
    ]
    assert (new[0], new[3]) == ("Docker 29.7.2, built <script>", "containerd")
    assert new[-1] == "note at 0a1b2c3d4e5f+, 2026-01-02T03:04:05Z"
    assert bases[0].startswith("alpine:3.22: Alpine 3.22.1: the official layer")


def test_a_transcript_says_only_what_differs(root: Path) -> None:
    """From most captures of the page by that engine; where nothing differs, nothing is said."""
    keep(root, "fails", filesystem="xfs", private=False)
    md = Markdown(extensions=["proof"], extension_configs={"proof": {"project": str(root)}})
    html = md.convert("\n\n".join(f"{{{{ transcript {step} }}}}" for step in ("note/build", "note/run", "fails/run")))
    found = re.findall('<p class="unusual">(.*?)</p>', html)
    assert found == ["Measured here with Docker 26: daemon the user's own; image store overlay2 on xfs."]
    assert html.index('id="fails-run"') < html.index(found[0])


def test_the_first_box_in_short_has_an_address(root: Path) -> None:
    """An ID for links, a class for styles, and a link to itself as headings have one. Other boxes stay as they are."""
    md = Markdown(extensions=["admonition", "proof"], extension_configs={"proof": {"project": str(root)}})
    html = md.convert('!!! note "Other"\n\n    A.\n\n!!! note "In short"\n\n    B.\n\n!!! note "In short"\n\n    C.\n')
    assert '<div class="admonition note in-short" id="in-short">' in html
    assert '>In short<a class="headerlink" href="#in-short" title="Permanent link">¶</a></p>' in html
    assert html.count("in-short") == 3
    assert '<div class="admonition note">\n<p class="admonition-title">Other</p>' in html
