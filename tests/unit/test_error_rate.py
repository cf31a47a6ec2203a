"""Changes of pages, one at a time, and which of them are noticed."""

from collections import Counter
from pathlib import Path

import pytest

from maintenance import error_rate
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


def test_each_number_and_comparison_is_changed_and_noticed(root: Path) -> None:
    """Each value, unit, number, comparison and label, and nothing in code."""
    changes = list(error_rate.of_pages(root))
    assert Counter(change.kind for change in changes) == {
        "a value typed in place of a fact": 7,
        "a unit typed after a fact": 6,
        "a number in a claim": 2,
        "a comparison in a claim": 2,
        "a number in the sentence of a claim": 1,
        "a comparison in the sentence of a claim": 1,
        "a version, port, ID or exit code": 1,
    }
    assert {
        ("docs/index.md", 3, "{{ words(note.layers) }}", "three"),
        ("docs/index.md", 3, "", " MiB"),
        ("docs/index.md", 4, "2", "3"),
        ("docs/index.md", 4, "<", ">"),
        ("docs/index.md", 4, "two", "three"),
        ("docs/index.md", 4, "smaller", "larger"),
        ("docs/index.md", 12, "1.27", "1.64"),
    } <= {(change.page, change.line, change.old, change.new) for change in changes}
    assert all(change.noticed for change in changes)


def test_what_is_missed_is_told(root: Path) -> None:
    """Without claims.lock, an edited sentence is not noticed."""
    (root / "snippets" / confirmed.FILE).unlink()
    (missed,) = [change for change in error_rate.of_pages(root) if not change.noticed]
    assert (missed.old, missed.new) == ("smaller", "larger")


def test_a_page_with_problems(root: Path) -> None:
    """Every change of it would seem to be noticed."""
    edit(root / "docs/index.md", "It weighs", "It weighs 5 MB, or")
    with pytest.raises(UsageError, match="has problems already"):
        list(error_rate.of_pages(root))


def test_a_sentence_without_its_kind_is_an_error(tmp_path: Path) -> None:
    """Without it, nothing would be read of the sentence, and the rates would be wrong."""
    (tmp_path / "needs-proof.txt").write_text("# a set\n\nsize: It is 270 MB.\nIt is 270 MB.\n")
    (tmp_path / "needs-none.txt").write_text("advice: Use it twice.\n")
    with pytest.raises(UsageError, match=r"needs-proof\.txt:4 has no kind: 'It is 270 MB\.'"):
        error_rate.of_sentences(tmp_path)
