"""What the snippets of a page prove: names, versions, ports, user IDs and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof.pages.lint.evidence import Evidence
from proof.pages.lint.quantities import Quantity, find
from proof.pages.page import Options, Page
from proof.pages.site import Site
from tests.support.helpers import captured, edit, tiny


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """A page of the tiny project that shows one snippet, of whose Dockerfile it states something."""
    root = tiny(tmp_path)
    edit(root / "snippets/note/context/Dockerfile", "FROM alpine:3.22", "FROM alpine:3.22\nENV PORT=8443 NODE=v22")
    site = Site.at(captured(root))
    return Page(site, Options(root / "docs"), snippets={"note"})


def label(text: str) -> Quantity:
    """The label that a text states."""
    (found,) = find(text)
    return found


def test_code(page: Page) -> None:
    """Its lines are whole, stand together in a file, an output or among the commands, and are indented alike."""
    evidence = Evidence(page)
    page.snippets = {"note", "count"}
    file = (page.root / "snippets/note/context/Dockerfile").read_text()
    first, *_, last = file.strip().splitlines()
    command = page.snippet("note").steps[0].text
    printed = page.book.captures["count"].steps[0].output
    assert printed
    for text in (file, first, f"    {last}\n\n", f"{first}\n\nENV PORT=8443 NODE=v22 AS paper"):
        assert evidence.shows(text, "Dockerfile"), text
    for text in (command, printed):
        assert evidence.shows(text, "What it prints"), text
        assert not evidence.shows(text, "Dockerfile"), text
    apart, moved = "ENV  PORT=8443 NODE=v22 AS paper", f"{first}\n  ENV PORT=8443 NODE=v22 AS paper"
    for text in (
        "ENV PORT=8443",
        f"{last}\n{first}",
        f"{command}\n{printed}",
        f"{file}RUN true",
        "FROM golang",
        apart,
        moved,
    ):
        assert not evidence.shows(text, "Dockerfile"), text


@pytest.mark.parametrize(
    "text", ["$ docker image ls", "  % go build .", "REPOSITORY   TAG   IMAGE ID   SIZE\nnote   a   b   1.2MB"]
)
def test_a_file_is_no_transcript(text: str, page: Page) -> None:
    """Anything can be written into a file. A command and an output have been run."""
    (page.root / "snippets/note/context/notes.txt").write_text(text)
    assert not Evidence(page).shows(text, "notes.txt")
    (page.root / "snippets/note/context/notes.txt").write_text(text.replace("$", "-").replace("%", "-").title())
    assert Evidence(page).shows(text.replace("$", "-").replace("%", "-").title(), "notes.txt")


@pytest.mark.parametrize(
    "line",
    [
        *("$\N{NO-BREAK SPACE}docker image ls", "root@host:~# docker ps", "bash-5.1# docker ps", "\u276f docker ps"),
        *(
            "user@laptop ~ % docker ps",
            "PS C:\\> docker ps",
            "$ ./app --version",
            "/ # ls -l /app",
            "~$ docker ps",
            "#5 [2/2] COPY a b",
            "#7 CACHED",
        ),
        *("REPOSITORY   TAG   SIZE(MB)", "REPOSITORY\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}SIZE"),
    ],
)
def test_a_prompt_of_any_shell(line: str, page: Page) -> None:
    (page.root / "snippets/note/context/notes.txt").write_text(f"{line}\n# docker build .\n", "utf-8")
    assert not Evidence(page).shows(line, "notes.txt")
    assert Evidence(page).shows("# docker build .", "notes.txt")  # a comment


def test_a_name(page: Page) -> None:
    """It has to be a whole word."""
    evidence = Evidence(page)
    assert [name for name in ("PORT", "ORT", "POR", "alpine", "NODE", "node") if evidence.names(name)] == [
        "PORT",
        "alpine",
        "NODE",
    ]


@pytest.mark.parametrize(
    ("text", "proved"),
    [
        (":8443", True),
        ("port 8443", True),
        ("port 844", False),
        ("port 443", False),
        ("Alpine 3.22", True),
        ("Alpine 3.2", False),
        ("Alpine 2.22", False),
        ("version v3.22", True),
        ("Node 22", True),
        ("Python 22", False),
        ("Node 2", False),
    ],
)
def test_a_label(page: Page, text: str, *, proved: bool) -> None:
    """A number is in the snippets as a whole. A version without a point has its name before it, in any case."""
    assert Evidence(page).has_label(label(f"it is on {text}"), cited="") is proved


def test_a_version_that_a_source_states(page: Page) -> None:
    """A version may be in what is cited instead, but a port may not."""
    evidence = Evidence(page)
    assert evidence.has_label(label("since Go 1.14"), cited="Go 1.14 of 2020")
    assert evidence.has_label(label("with Docker 99"), cited="the notes of DOCKER 99")
    assert not evidence.has_label(label("with Docker 99"), cited="in 99 files")
    assert not evidence.has_label(label("on port 9999"), cited="port 9999")


def test_the_engines(page: Page) -> None:
    """The versions of the engines that made the captures are proved, as are the names that pages have for them."""
    evidence = Evidence(page)
    engine = page.book.shown("note")[0].provenance.engine
    assert evidence.has_label(label(f"with {engine.title()}"), cited="")
    assert evidence.has_label(label("with Docker 29"), cited="")
    page.snippets = set()
    assert not Evidence(page).has_label(label("with Docker 29"), cited="")


@pytest.mark.parametrize(("snippet", "codes"), [("note", {0}), ("fails", {0, 127})])
def test_an_exit_code(page: Page, snippet: str, codes: set[int]) -> None:
    """It is the code of a step, wherever else the number is written."""
    page.snippets = {snippet}
    evidence = Evidence(page)
    assert {n for n in (0, 1, 3, 22, 127, 8443) if evidence.has_label(label(f"exit code {n}"), cited=str(n))} == codes
