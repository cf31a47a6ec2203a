"""`proof render`: the pages as plain Markdown, without a site generator."""

from pathlib import Path

import pytest

from tests.support.helpers import captured, edit, tiny, tree
from tests.support.in_process import proof


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with captures."""
    return captured(tiny(tmp_path))


def test_a_page_is_printed_with_its_facts(root: Path) -> None:
    """Its front matter and its links stay; expressions are filled in; the last line says when it was measured."""
    edit(root / "docs/index.md", "# ", "---\ntitle: A title\n---\n# ")
    edit(root / "docs/index.md", "{{ transcript note/run }}", "[see](other.md#x)\n\n{{ transcript note/run }}")
    (root / "docs/other.md").write_text("# Other\n\n## x\n", "utf-8")
    done = proof("render", "docs/index.md", cwd=root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("---\ntitle: A title\n---\n\n# ")
    assert "[see](other.md#x)\n\n" in done.stdout
    assert "```console\n$ docker run note\n" in done.stdout
    assert "{{" not in done.stdout
    assert "<" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith(("Last measured on", "[^"))


def test_all_pages_go_into_a_directory(root: Path) -> None:
    (root / "docs/more").mkdir()
    (root / "docs/more/other.md").write_text("# Other\n", "utf-8")
    assert proof("render", "--to", "out", cwd=root).returncode == 0
    assert tree(root / "out").keys() == {"index.md", "more/other.md"}
    assert (root / "out/more/other.md").read_text("utf-8") == "# Other\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("docs/indx.md",), "no page docs/indx.md"),
        (("snippets/note/snippet.toml",), "no page snippets/note/snippet.toml"),
        (("--to", "docs"), "docs has the pages themselves"),
        (("docs/index.md", "docs/index.md"), "several pages need a directory"),
    ],
)
def test_wrong_use_writes_nothing(arguments: tuple[str, ...], says: str, root: Path) -> None:
    before = tree(root)
    done = proof("render", *arguments, cwd=root)
    assert done.returncode == 2
    assert says in done.stderr
    assert "hint:" in done.stderr
    assert done.stdout == ""
    assert tree(root) == before


def test_a_problem_stops_it(root: Path) -> None:
    edit(root / "docs/index.md", "note.own_size", "note.own_sise")
    done = proof("render", "docs/index.md", cwd=root)
    assert done.returncode == 2
    assert "docs/index.md:3: unknown fact 'note.own_sise'" in done.stderr
    assert done.stdout == ""
