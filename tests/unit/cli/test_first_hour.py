"""What somebody who is new to the tool gets wrong, and the message that says what to do instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof

NOTE = "snippets/note/snippet.toml"
DOCKERFILE = "snippets/note/context/Dockerfile"
PAGE = "docs/index.md"
CLAIM = "claim: note.own_layers == 1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


@pytest.mark.parametrize(
    ("file", "old", "new", "says", "hint"),
    [
        (
            NOTE,
            "-t note .",
            "-t Note .",
            "6: `Note` is refused as the value of `-t`",
            "names of images are in lower case: note",
        ),
        (
            NOTE,
            "-t note .",
            "-t @note .",
            "6: `@note` is refused",
            "use a name in lower case, as in example or example:1.0",
        ),
        (
            NOTE,
            "docker build -t",
            "docker build --platform amd64 -t",
            "6: `amd64` is refused",
            "use a platform, as in linux/amd64",
        ),
        (
            NOTE,
            "image ls note",
            "image ls note | head -3",
            "15: `|` is a pipe",
            "quote it: '|', or run a shell in the container",
        ),
        (
            NOTE,
            '[[step]]\nname = "build"',
            '[step]\nname = "build"',
            "9: invalid TOML: ",
            "if there can be several, write [[step]] above each",
        ),
        (
            DOCKERFILE,
            "FROM alpine:3.22\nCOPY",
            "FROM node:22-alpine\nCOPY",
            "4: the image 'node:22-alpine' is not in bases.toml\n",
            "add a [[base]]",
        ),
        (
            DOCKERFILE,
            "FROM alpine:3.22\nCOPY",
            "FROM alpin:3.22\nCOPY",
            "did you mean 'alpine:3.22'?",
            "add a [[base]]",
        ),
        (
            DOCKERFILE,
            "mkdir /empty",
            "echo $((1<<2))",
            "2: `<<` in `$((…))` is refused: a builder could read it as a heredoc",
            "write the number",
        ),
        (
            PAGE,
            CLAIM,
            "claim note.own_layers == 1",
            "6: `claim` needs a colon",
            "write {{ claim: note.own_layers == 1 }}",
        ),
        (PAGE, CLAIM, "waiver an example of it", "6: `waiver` needs a colon", "write {{ waiver: an example of it }}"),
        (
            PAGE,
            CLAIM,
            "claim: note.own_size < 11 MB",
            "6: `11 MB` is no number: a size is written with MB()",
            "write MB(11)",
        ),
        (PAGE, CLAIM, "claim: note.own_size < 12.5kB", "6: `12.5kB` is no number", "write MB(0.0125)"),
        (
            PAGE,
            CLAIM,
            "claim: note.own_layers = 1",
            "6: `=` in `note.own_layers = 1` compares nothing",
            "write note.own_layers == 1",
        ),
    ],
)
def test_a_slip(root: Path, *, file: str, old: str, new: str, says: str, hint: str) -> None:
    """The message says what was meant, not what a parser or a regular expression made of it."""
    edit(root / file, old, new)
    done = proof("status", cwd=root)
    told = done.stdout + done.stderr
    assert done.returncode == 2
    assert f"{file}:" in told
    assert says in told
    assert f"hint: {hint}" in told


def test_one_table_of_several(root: Path) -> None:
    """A manifest with a single [step] is valid TOML, which two of them are not: the hint is the same."""
    (root / NOTE).write_text('title = "A note"\n\n[step]\nname = "build"\n')
    told = proof("status", cwd=root).stderr
    assert "snippet.toml:3: [step] is one table, but there can be several" in told
    assert "hint: write [[step]]\n" in told
    (root / NOTE).write_text('title = "A note"\n[step]\nname = "a"\n[step]\nname = "b"\n')
    told = proof("status", cwd=root).stderr
    assert "snippet.toml:4: invalid TOML: cannot declare ('step',) twice" in told
    assert "hint: if there can be several, write [[step]] above each" in told


@pytest.mark.parametrize("path", ["snippets/note", "snippets/note/", "./note"])
def test_a_path_instead_of_a_name(path: str, root: Path) -> None:
    """Completing a file name in a shell ends with a path; the names of all other snippets would not help."""
    done = proof("check", path, cwd=root)
    assert (done.returncode, done.stderr) == (
        2,
        f"proof: '{path}' is a path, not the name of a snippet\n    hint: write note\n",
    )


def test_a_message_names_few_snippets(root: Path) -> None:
    """Of many snippets, the hint lists some."""
    for number in range(20):
        folder = root / f"snippets/more_{number:02}"
        (folder / "context").mkdir(parents=True)
        (folder / "snippet.toml").write_text((root / "snippets/count/snippet.toml").read_text())
    told = proof("check", "nobody", cwd=root).stderr
    assert "more_09, and 11 more" in told.splitlines()[-1]
    assert "more_10" not in told
