"""Changes of pages, one at a time, and which of them are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.error_rate import pages
from proof.core.errors import UsageError
from proof.pages import scan
from proof.pages.lint import confirmed
from proof.pages.site import Site
from tests.support.helpers import captured, edit, tiny

PAGE = """# A page

It weighs {{ note.size }}, which is {{ percent(note.own_size / note.size) }} of it, in {{ words(note.layers) }} layers.
Only two layers are there. {{ claim: note.layers == 2 }} The base is smaller. {{ claim: note.base_size < note.size }}

{{ waiver: an example }}

``` text
{{ note.size }}, Go 1.27
```

It is as in [Go 1.27](https://example.com/1.27).
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one page, whose claims are confirmed."""
    project = captured(tiny(tmp_path))
    (project / "docs/index.md").write_text(PAGE)
    confirmed.confirm(project, scan.scan(project))
    Site.at.cache_clear()
    return project


def made(root: Path) -> list[tuple[str, str, str]]:
    """The changes of the page: kind, old and new."""
    (report,) = scan.scan(root, expand=False)
    return [(change.kind, change.old, change.new) for change in pages.changes(report, root, Site.at(root).book)]


def test_what_is_changed(root: Path) -> None:
    """Each value, unit, number, comparison and label, and nothing in code."""
    found = made(root)
    kinds = {kind: sum(k == kind for k, *_ in found) for kind in pages.KINDS}
    assert kinds == dict(zip(pages.KINDS, (7, 6, 2, 2, 1, 1, 1, 0), strict=True))
    assert ("a value typed in place of a fact", "{{ words(note.layers) }}", "three") in found
    assert ("a unit typed after a fact", "", " MiB") in found
    assert ("a number in a claim", "2", "3") in found
    assert ("a comparison in a claim", "<", ">") in found
    assert ("a number in the sentence of a claim", "two", "three") in found
    assert ("a comparison in the sentence of a claim", "smaller", "larger") in found
    assert ("a version, port, ID or exit code", "1.27", "1.64") in found


def test_a_change_is_of_the_whole_page(root: Path) -> None:
    """It has its line, and differs from the page in nothing else."""
    (report,) = scan.scan(root, expand=False)
    change = next(c for c in pages.changes(report, root, Site.at(root).book) if c.kind == pages.KINDS[2])
    assert (change.page, change.line) == ("docs/index.md", 4)
    assert change.text == PAGE.replace("layers == 2", "layers == 3")


def test_all_are_noticed(root: Path) -> None:
    """On a page like this none is missed."""
    tallies = pages.measure(root)
    assert {kind: tally.total - tally.caught for kind, tally in tallies.items() if tally.missed} == {}
    assert sum(tally.total for tally in tallies.values()) == len(made(root))


def test_what_is_missed_is_listed(root: Path) -> None:
    """Without claims.lock, an edited sentence is not noticed."""
    (root / "snippets" / confirmed.FILE).unlink()
    (missed,) = pages.measure(root)["a comparison in the sentence of a claim"].missed
    assert (missed.old, missed.new) == ("smaller", "larger")


def test_a_page_with_problems(root: Path) -> None:
    """Every change of it would seem to be noticed."""
    edit(root / "docs/index.md", "It weighs", "It weighs 5 MB, or")
    with pytest.raises(UsageError, match="has problems already"):
        pages.measure(root)
