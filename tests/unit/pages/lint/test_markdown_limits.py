"""What no author writes, and Markdown takes minutes to read, is refused with its line."""

from __future__ import annotations

import itertools
import re
import string
import time
from pathlib import Path

import pytest

from proof.core.errors import RefusedError
from proof.pages.lint import markdown_limits
from proof.pages.scan import scan
from proof.pages.site import Site
from tests.support.helpers import REPOSITORY, captured, tiny

LINES, CHARACTERS = "more than 500 lines, or 10,000 characters, without a blank line", "more than 100 `[` in a text"

NAMES = ["".join(letters) for letters in itertools.product(string.ascii_lowercase[:8], repeat=3)]  # 512 of them


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(tiny(tmp_path_factory.mktemp("limits")))


def said(text: str, root: Path) -> list[str]:
    """The problems of a page with this text below its title, as `line what`."""
    path = root / "docs/long.md"
    path.write_text(f"# Long\n\n{text}\n", "utf-8")
    Site.at.cache_clear()
    (report,) = (report for report in scan(root, expand=False) if report.path == path)
    return [f"{problem.where.line} {problem.what}" for problem in report.problems if problem.where]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n" * 500, []),
        ("- a\n" * 501, [f"3 {LINES}"]),
        ("Fine.\n\n" + "- a\n" * 501, [f"5 {LINES}"]),
        ("- a\n" * 400 + "  \n" + "- a\n" * 400, []),
        ("aaaa\n" * 401 + "a" * 2_000 * 4, ["404 a line of more than 5,000 characters"]),
        ((" a" * 999 + "\n") * 6, [f"3 {LINES}"]),
        ("aaa aaa\n" * 450, []),
        ("[" * 24_000, ["3 a line of more than 5,000 characters"]),
        ("[[[[ [[[[\n" * 400, [f"3 {CHARACTERS}"]),
        ("".join(f"# {name}\n\n" for name in NAMES[:499]), []),
        ("".join(f"# {name}\n\n" for name in NAMES), ["1001 more than 500 headings"]),
        ("".join(f"> # {name}\n\n" for name in NAMES), ["1001 more than 500 headings"]),
        ("``` sh\n" + "# a\n" * 600 + "```\n{{ waiver: an example }}", None),
        ("[a" * 101, [f"3 {CHARACTERS}"]),
        ("> - " + "[a" * 101, [f"3 {CHARACTERS}"]),
        ("[a" * 100, []),
        ("`[[[` " * 100, []),
        ("| [ " * 60 + "|\n" + "|-" * 60 + "|\n" + "| [ " * 60 + "|", []),  # each cell is a text
        ("```\n" + "a\n" * 600 + "```\n{{ waiver: an example }}", None),
        ("``` make\n" + "{{" * 2_501 + "\n```\n{{ waiver: an example }}", ["4 a line of more than 5,000 characters"]),
    ],
)
def test_what_is_too_long(text: str, expected: list[str] | None, project: Path) -> None:
    """It is one problem of the page. The limits are those of a block or a text; fences have none."""
    found = said(text, project)
    if expected is None:
        assert not any("more than" in problem for problem in found)
    else:
        assert found == expected


@pytest.mark.parametrize(
    "text",
    ["[" * 24_000, "![a](" * 12_000, "<a " * 20_000, "<![CDATA[" * 5_000, "[\n\n" * 20_000, "a\n=\n" * 20_000],
)  # fmt: skip
def test_no_page_takes_long(text: str, project: Path) -> None:
    """Each of the first four took more than 45 seconds."""
    began = time.process_time()
    said(text[:95_000], project)
    assert time.process_time() - began < 10


def test_a_page_has_a_limit(project: Path) -> None:
    with pytest.raises(RefusedError, match=r"long\.md: the file is larger than 100,000 bytes"):
        said("a\n\n" * 40_000, project)
    (project / "docs/long.md").unlink()


def test_real_pages_are_far_from_the_limits() -> None:
    for path in (REPOSITORY / "docs").rglob("*.md"):
        text = path.read_text("utf-8")
        assert len(text) < 50_000
        lines = text.split("\n")
        assert max(map(len, lines)) < markdown_limits._LINE / 4, path
        assert sum(markdown_limits._HEADING.match(line) is not None for line in lines) < markdown_limits._HEADINGS / 4
        for block in re.split(r"\n\s*\n", text):
            assert block.count("\n") < markdown_limits._LINES / 4, path
            assert len(block) < markdown_limits._CHARACTERS / 2, path
            assert block.count("[") < markdown_limits._BRACKETS / 2, path
