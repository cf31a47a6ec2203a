"""Errors: what a stranger wrote stays evidence, or a word of a command, whatever it holds."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.core.errors import UsageError, Where, command
from tests.support.helpers import REPOSITORY
from tests.support.injections import HOSTILE

NAMES = (
    *(text for text in HOSTILE if "\0" not in text),
    "x; touch PWNED #",
    "$(touch PWNED)`touch PWNED`",
    "it's \\' \"$HOME\" !!",
    "a\nb\tc\rd\\x41",
    "\u202ex\u00a0y\u200bz\u0007",
    "~",
    "*",
    "-rf",
    "",
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_one_word_of_a_command(name: str, tmp_path: Path) -> None:
    """In a shell into which it is pasted, and on one line."""
    pasted = command("printf", r"%s\0", "first", name)
    done = subprocess.run(["bash", "-c", pasted], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.split(b"\0") == [b"first", name.encode(), b""]
    assert list(tmp_path.iterdir()) == []
    assert pasted.isprintable()


@pytest.mark.parametrize("wrap", [Path, lambda name: Where(Path(name))], ids=["path", "where"])
def test_a_path_is_no_option(wrap: type[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it would be taken for one; others are as they are."""
    monkeypatch.chdir(tmp_path)
    assert command("rm", wrap("-rf")) == "rm ./-rf"
    assert command("rm", "-r", wrap("a b")) == "rm -r 'a b'"


def test_a_name_that_is_no_text() -> None:
    """A path may have any bytes, and JSON half of a character: there is a command all the same."""
    assert command("rm", Path(os.fsdecode(b"a\xff"))) == r"rm $'a\xff'"
    assert command("proof", "update", "\ud800") == r"proof update $'\xed\xa0\x80'"


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_does_not_begin_a_line(name: str) -> None:
    """What stands after a line break in it could look like another message, or a hint."""
    error = UsageError(f"{name} is wrong", where=Where(Path("/docs") / name.replace("\0", "")), hint=f"rename {name}")
    first, second = str(error).split("\n")
    assert (first.startswith("/docs"), second.startswith("    hint: rename ")) == (True, True)


# A hint as the tool's code has it: what stands before a name makes it a word of a command.
PROGRAMS = r"(?:rm|mv|cp|cd|git|docker|podman|proof|pip|chmod|chown|sudo)"
BEFORE = re.compile(rf"(?:^|[\s:(`]){PROGRAMS}(?: [\w.-]+)* $")


def unquoted(source: str) -> Iterator[str]:
    """The lines of hints that put a value into a command without `command`."""
    for node in ast.walk(ast.parse(source)):
        hints = [keyword.value for keyword in getattr(node, "keywords", ()) if keyword.arg == "hint"]
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "hint" for t in node.targets):
            hints.append(node.value)
        for text in (text for hint in hints for text in ast.walk(hint) if isinstance(text, ast.JoinedStr)):
            for before, value in zip(text.values, text.values[1:], strict=False):
                if isinstance(before, ast.Constant) and BEFORE.search(str(before.value)):
                    yield f"{value.lineno}: {ast.unparse(text)}"


def test_hints_quote_what_they_name() -> None:
    """A hint that is a command is made by `command`, so nobody has to remember to quote."""
    package = REPOSITORY / "scripts/proof"
    found = {str(path.relative_to(package)): list(unquoted(path.read_text("utf-8"))) for path in package.rglob("*.py")}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        'raise E("x", hint=f"rm {path}")',
        'raise E("x", hint=f"rm -r {path}, or something else")',
        'hint = f"git rm -r {folder}, then proof update x"',
        'hint = f"{command(1)}, then proof update {name}"',
        'hint = "x" if y else f"use `docker run -d --name {name}`"',
    ],
)
def test_a_hint_that_does_not_quote_is_found(source: str) -> None:
    assert len(list(unquoted(source))) == 1


@pytest.mark.parametrize(
    "source", ['hint = f"rename {path}"', 'hint = f"{command(a)}, or {b}"', 'what = f"rm {path}"', 'hint = "rm x"']
)
def test_other_hints_are_not_found(source: str) -> None:
    assert list(unquoted(source)) == []
