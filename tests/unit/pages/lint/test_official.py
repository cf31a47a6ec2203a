"""The rules about official sizes: what is reported in sentences, tables and charts, and what it accepts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import store
from proof.pages import scan
from proof.pages.page import Page
from proof.pages.site import Site
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import captured, edit, up_to_date
from tests.support.makers import write

DIFF_ID = 'diff_id = "sha256:418dccb7d85a63a6aa574439840f7a6fa6fd2321b3e2394568a317735e867d35"\n'
COMMAND = 'command = ["/bin/sh"]\n'
FLYER = """
[[source]]
name = "flyer"
title = "a flyer"
date = "2020-01-01"
figures.size = { value = 9, unit = "MB" }
figures.transfer_size = { value = 3, unit = "MB" }
figures.pages = { value = 2, unit = "count" }
"""
CHART = """``` chart
kind = "bars"
title = "{}"
rows = [{{ name = "note", value = "{}" }}, {{ name = "another", value = "flyer.size" }}]
```
"""


@pytest.fixture
def rebuilt(root: Path) -> Path:
    """The tiny project, whose base isn't the official image, and cites what that one takes."""
    edit(root / "snippets/bases.toml", DIFF_ID, "")
    edit(root / "snippets/bases.toml", COMMAND, f'{COMMAND}official_size = "leaflet.size"\n')
    cited = root / "snippets/cited.toml"
    cited.write_text(cited.read_text() + FLYER)
    edit(root / "docs/index.md", "{{ leaflet.size }}", "")
    shutil.copytree(root / "snippets/note", root / "snippets/memo")
    return captured(root)


def read(root: Path, text: str) -> Page:
    """A page with this text."""
    write(root, {"docs/more.md": f"# More\n\n{text}\n"})
    Site.at.cache_clear()
    return next(report.page for report in scan.scan(root) if report.path.name == "more.md")


def said(page: Page) -> list[str]:
    """The problems, each with its line."""
    return [f"{problem.where.line}: {problem.what}" for problem in page.problems if problem.where]


def about(name: str, cited: str = "flyer.size", line: int = 3) -> str:
    return f"{line}: {name} is on a rebuilt base, but {cited}, next to it, isn't"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("It takes {{ note.size }}, and another one\n{{ flyer.size }}.", [about("note.size")]),
        ("Another one takes {{ flyer.size }}, and this\none {{ note.size }}.", [about("note.size", line=4)]),
        ("It takes {{ percent(note.size / flyer.size) }}.", [about("note.size")]),
        ("Its base takes {{ note.base_size }} of {{ flyer.size }}.", [about("note.base_size")]),
        ("It is smaller than that. {{ claim: note.size < flyer.size }}", [about("note.size")]),
        ("| a | b |\n|---|---|\n| {{ flyer.size }} | {{ note.size }} |", [about("note.size", line=5)]),
        ("| a | b |\n|---|---|\n| {{ note.size }} | {{ flyer.transfer_size }} |",
         [about("note.size", "flyer.transfer_size", line=5)]),
        ("It takes {{ note.size }}, and another {{ memo.official_size }}.", [about("note.size", "memo.official_size")]),
        (CHART.format("Notes", "note.size"), [about("note.size", line=5)]),
    ],
)  # fmt: skip
def test_two_kinds(text: str, problems: list[str], rebuilt: Path) -> None:
    """A cited size next to a total on a rebuilt base is reported at the line of that total."""
    assert said(read(rebuilt, text)) == problems


@pytest.mark.parametrize(
    "text",
    [
        "It takes {{ note.size }} ({{ note.official_size }} on the official base), and another one {{ flyer.size }}.",
        "It takes {{ note.official_size }}, and another one {{ flyer.size }}.",
        "Its base takes {{ note.base_size }} instead of {{ leaflet.size }}.",
        "It adds {{ note.own_size }} to {{ leaflet.size }}.",
        "It takes {{ note.size }}. Another one takes {{ flyer.size }}.",
        "It takes {{ note.size }}, on {{ flyer.pages }} pages.",
        "That takes {{ fails.size }} on nothing, and another one {{ flyer.size }}.",
        "It is smaller than that. {{ claim: note.official_size < flyer.size }}",
        "| a | b |\n|---|---|\n| this | {{ note.size }} |\n| another | {{ flyer.size }} |",
        "| a | b | c |\n|---|---|---|\n| {{ note.size }} | {{ flyer.size }} | {{ note.official_size }} |",
        CHART.format("Notes", "note.official_size"),
    ],
)
def test_one_kind(text: str, rebuilt: Path) -> None:
    """With the official total in it, or with the base's own cited size, nothing is mixed."""
    assert said(read(rebuilt, text)) == []


CALLED = "3: note.size is on a rebuilt base, but these words name an official image"


@pytest.mark.parametrize(
    "text",
    [
        "The official image takes {{ note.size }}.",
        "With the official Go 1.27 image, it takes {{ note.size }}.",
        "The [official](https://example.com/) one takes {{ note.size }}.",
        "The official `note:1` takes {{ note.size }}. {{ claim: note.layers > 0 }}",
        "The size of the *official base* is that of {{ note.size }}.",
        "The official images share it. {{ claim: note.size > 0 }}",
        CHART.format("Official images", "note.size").replace("flyer.size", "note.own_size"),
    ],
)
def test_called_official(text: str, rebuilt: Path) -> None:
    """A total on a rebuilt base is reported where the words around it name an official image."""
    assert [problem[2:] for problem in said(read(rebuilt, text)) if "rebuilt" in problem] == [CALLED[2:]]


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| the official image | {{ note.size }} |",
        "| a | the official image |\n|---|---|\n| notes | {{ note.size }} |",
    ],
)
def test_a_row_or_a_column_called_official(text: str, rebuilt: Path) -> None:
    """A cell is read with the first cells of its row and its column."""
    assert said(read(rebuilt, text)) == [CALLED.replace("3", "5", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "The official image takes {{ note.official_size }}.",
        "It takes {{ note.size }}, or {{ note.official_size }} with the official image.",
        "The base takes {{ note.base_size }}, and the official one {{ leaflet.size }}.",
        "To the official image, it adds {{ note.own_size }}.",
        "There is an official image, too. This one takes {{ note.size }}.",
        "As the official guide says, it takes {{ note.size }}.",
        "An unofficial image takes {{ note.size }}.",
        "| a | the official image |\n|---|---|\n| {{ note.size }} | {{ note.official_size }} |",
        "| a | the official image | another |\n|---|---|---|\n| notes | | {{ note.size }} |",
    ],
)
def test_not_called_official(text: str, rebuilt: Path) -> None:
    """Official totals may be called so, and any total in another sentence, or next to the official one."""
    assert said(read(rebuilt, text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "The official image takes {{ note.size }}. {{ waiver: it was the same on that day }}",
        "It takes {{ note.size }}, and another one {{ flyer.size }}. {{ waiver: they are of different bases }}",
        "| a | b |\n|---|---|\n| {{ flyer.size }} | {{ note.size }} {{ waiver: they are of different bases }} |",
        CHART.format("Notes {{ waiver: they are of different bases }}", "note.size"),
    ],
)
def test_a_waiver(text: str, rebuilt: Path) -> None:
    """It can be waived, in the cell or the title at fault. Such a waiver isn't called needless."""
    page = read(rebuilt, text)
    assert (said(page), page.notes) == ([], [])


MIXED = "It takes {{ note.size }}, and another one {{ flyer.size }}."


def test_a_page_waiver(rebuilt: Path) -> None:
    """It waives this, too."""
    assert said(read(rebuilt, f"{{{{ page waiver: it shows what is refused }}}}\n\n{MIXED}")) == []


def test_an_official_image(rebuilt: Path) -> None:
    """A rebuilt base whose layers all have the official digest is the official image."""
    layer = 'package = "flashvm"\nblob'
    edit(rebuilt / "snippets/bases.toml", layer, DIFF_ID + layer)
    assert said(read(up_to_date(rebuilt), MIXED)) == []


def test_images_of_a_registry(rebuilt: Path) -> None:
    """They are the official ones."""
    old = store.load(folder_of(rebuilt / "snippets/note", "rebuilt"))
    assert old is not None
    pulled = replace(old, environment=replace(old.environment, bases="registry"))
    store.save(pulled, folder_of(rebuilt / "snippets/note", "registry"))
    assert said(read(rebuilt, MIXED)) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (MIXED, "state note.official_size, or add"),
        ("Its base takes {{ note.base_size }} of {{ flyer.size }}.", "state leaflet.size, or add"),
    ],
)
def test_what_to_do(text: str, hint: str, rebuilt: Path) -> None:
    """The hint names the fact that is missing, or the key that has to name it."""
    (problem,) = read(rebuilt, text).problems
    assert problem.hint.startswith(hint)
    edit(rebuilt / "snippets/bases.toml", 'official_size = "leaflet.size"\n', "")
    (problem,) = read(rebuilt, text).problems
    assert problem.hint.startswith("give the base an `official_size` in bases.toml, or add")
