"""`proof new`: which names it takes, and what it copies."""

from pathlib import Path

import pytest

from proof.snippets import base_images, project
from proof.starters import snippet as starter
from tests.support.helpers import succeeded, tree
from tests.support.in_process import proof
from tests.support.makers import write


def test_a_new_snippet_is_valid(root: Path) -> None:
    """It builds on a base image of the project, and says what to do next."""
    done = succeeded(proof("new", "web", cwd=root))
    assert "snippets/web/snippet.toml" in done.stdout
    assert "proof update web" in done.stdout
    (made,) = project.load_all(root, ["web"])
    base_images.load(root).check([made])
    assert list(made.bases) == ["alpine:3.22"]
    assert not (root / "snippets/web/captured").exists()


def test_it_names_the_schema_if_there_is_one(root: Path) -> None:
    """Editors then complete its keys."""
    starter.make(root, "one")
    assert "#:schema" not in (root / "snippets/one/snippet.toml").read_text()
    write(root, {"schemas/snippet.json": "{}"})
    starter.make(root, "two")
    assert (root / "snippets/two/snippet.toml").read_text().startswith("#:schema ../../schemas/snippet.json\n")


def test_a_copy_has_the_files_but_no_capture(root: Path) -> None:
    """The manifest and the context are those of the other one. Its captures prove nothing about a new one."""
    assert proof("new", "second", "--from", "note", cwd=root).returncode == 0
    for name in ("snippet.toml", "context/Dockerfile", "context/note.txt"):
        assert (root / "snippets/second" / name).read_bytes() == (root / "snippets/note" / name).read_bytes()
    assert not (root / "snippets/second/captured").exists()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../web", "/srv/web", "a/b", "Web", "1a", "web-1", "a b", "a\n", "a\x1b[31m", "naïve", "x" * 101],
)
def test_a_name_that_no_page_could_use(root: Path, name: str) -> None:
    """It becomes a directory and a part of expressions, so it is refused, and nothing is written."""
    before = tree(root)
    done = proof("new", name, cwd=root)
    assert done.returncode == 2
    assert "invalid snippet name" in done.stderr
    assert "\x1b" not in done.stderr
    assert tree(root) == before


@pytest.mark.parametrize("kind", ["snippet", "folder", "file", "link to nothing", "variant"])
def test_nothing_is_overwritten(root: Path, kind: str) -> None:
    """Neither a snippet, nor what is no snippet yet, nor a name that another one's matrix takes."""
    place = root / "snippets" / "web_1"
    match kind:
        case "snippet":
            starter.make(root, "web_1")
        case "folder":
            place.mkdir()
        case "file":
            place.write_text("mine")
        case "link to nothing":
            place.symlink_to(root.parent / "elsewhere")
        case _:
            starter.make(root, "web")
            manifest = root / "snippets/web/snippet.toml"
            manifest.write_text('matrix = { number = ["1", "2"] }\n' + manifest.read_text())
    before = tree(root)
    done = proof("new", "web_1", cwd=root)
    assert done.returncode == 2
    assert "there is a snippet 'web_1' already" in done.stderr
    assert tree(root) == before
    assert not (root.parent / "elsewhere").exists()


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("nots", "unknown snippet 'nots' - did you mean 'note'?"),
        ("../snippets/note", "invalid snippet name"),
        ("/etc", "invalid snippet name"),
        ("..", "invalid snippet name"),
    ],
)
def test_what_cannot_be_copied(root: Path, other: str, says: str) -> None:
    """Only a snippet of this project is copied."""
    before = tree(root)
    done = proof("new", "web", "--from", other, cwd=root)
    assert done.returncode == 2
    assert says in done.stderr
    assert tree(root) == before


def test_a_link_out_of_a_context_is_not_copied(root: Path) -> None:
    """What a run would refuse, a copy refuses too; and no part of the copy stays."""
    (root / "snippets/note/context/secret").symlink_to("/etc/passwd")
    done = proof("new", "web", "--from", "note", cwd=root)
    assert done.returncode == 2
    assert "secret" in done.stderr
    assert not [path for path in root.rglob("*") if "web" in path.name or path.name.startswith(".snippet")]


def test_a_broken_neighbour_is_no_obstacle(root: Path) -> None:
    write(root / "snippets", {"web/snippet.toml": "title ="})
    starter.make(root, "web_1")
    assert (root / "snippets/web_1/snippet.toml").is_file()
