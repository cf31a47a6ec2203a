"""What a search may take at its worst, in a process with little memory."""

import subprocess
import sys

import pytest

from tests.support.helpers import REPOSITORY

SEARCH = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from pathlib import Path
from proof.core.errors import ManifestError, Where
from proof.core.patterns import Pattern
try:
    Pattern.compile({text!r}, Where(Path("x"), 1)).search("x" + "a" * 199_000 + "xa")
except (ValueError, ManifestError) as error:
    print(error)
else:
    print("found")
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(?R)|b", "is not supported"),
        ("(?:(?:a{256}){256}){256}", "`{256}` is one too many"),
        ("(.)*", "found"),
        ("((a*?)*?)*?x$", "this regular expression"),
        ("(?:" + "(a)*?" * 29 + ")*?x$", "this regular expression"),
        ("(?:(){100}(){100}" + "()" * 27 + "a)*?x$", "this regular expression"),
    ],
)
def test_a_search_needs_little_memory(text: str, says: str) -> None:
    """A gigabyte of address space is enough, even for the most expensive accepted patterns."""
    run = subprocess.run(
        [sys.executable, "-c", SEARCH.format(text=text)],
        cwd=REPOSITORY / "scripts",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert says in run.stdout
