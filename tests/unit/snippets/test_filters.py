"""Filters: programs that the output of a command is piped into, and that only read it."""

import shutil
import subprocess

import pytest

from proof.core.errors import RefusedError
from proof.snippets import filters

GIVEN = "c 2\na 10\n\nb 1\n"
ACCEPTED = [
    # words, what comes out of `GIVEN`
    (["head"], GIVEN),
    (["head", "-1"], "c 2\n"),
    (["head", "-n", "2"], "c 2\na 10\n"),
    (["head", "-n2"], "c 2\na 10\n"),
    (["tail", "-1"], "b 1\n"),
    (["tail", "-n", "+3"], "\nb 1\n"),
    (["grep", "1"], "a 10\nb 1\n"),
    (["grep", "-E", "^(a|b)"], "a 10\nb 1\n"),
    (["grep", "-Fv", "-c", "1"], "2\n"),
    (["sort"], "\na 10\nb 1\nc 2\n"),
    (["sort", "-rn", "-k", "2"], "a 10\nc 2\nb 1\n\n"),
    (["sort", "-u", "-k2"], None),
    (["wc", "-l"], "4\n"),
]


def refuse(what: str, hint: str) -> RefusedError:
    return RefusedError(what, hint=hint)


@pytest.mark.parametrize(
    ("words", "output"), ACCEPTED, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_accepted(words: list[str], output: str | None) -> None:
    """Each is accepted, and is a program that does what its words say."""
    filters.check(words, refuse)
    if shutil.which(words[0]):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(words, input=GIVEN, capture_output=True, text=True, check=True, env=env)
        assert output is None or done.stdout.replace(" " * 7, "") == output


@pytest.mark.parametrize(
    "words",
    [
        *(["sh"], ["head", "x"], ["head", "-n"], ["head", "-n", "-1"], ["head", "-3", "-3"], ["head", "-c", "1"]),
        *(["tail", "-f"], ["tail", "--follow"], ["tail", "-n", "+"], ["tail", "-n", "1\0x"]),
        *(["grep"], ["grep", "-E"], ["grep", "a", "b"], ["grep", "a", "-r"], ["grep", "-e", "a"], ["grep", "-fx", "a"]),
        *(["grep", ""], ["grep", "-E", "-"], ["grep", "-r", "a"], ["grep", "--include=x", "a"], ["grep", "-P", "a"]),
        *(["sort", "x"], ["sort", "-o", "x"], ["sort", "-ox"], ["sort", "-T", "x"], ["sort", "-k"], ["sort", "-m"]),
        *(["sort", "-k", "0"], ["sort", "-S", "1G"], ["sort", "--parallel=9"], ["sort", "-"], ["sort", "--"]),
        *(["wc"], ["wc", "-c"], ["wc", "-l", "x"], ["wc", "-l", "-l"], ["/usr/bin/head"], ["HEAD"], [""]),
        *(["sort", ""], ["head", ""], ["tail", ""]),
    ],
    ids=" ".join,
)
def test_refused(words: list[str]) -> None:
    """No filter names a file, follows one, or starts a program."""
    with pytest.raises(RefusedError, match=r"^`\|` is a pipe for a shell") as error:
        filters.check(words, refuse)
    assert "docker run IMAGE sh -c" in error.value.hint
