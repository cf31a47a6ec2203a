"""The policy of a page: what it allows, directive by directive, and which scripts."""

from pathlib import Path

import pytest

from proof.publish import csp
from proof.publish.page import Page, digest

# What each directive keeps a page from, should somebody get markup of theirs into it.
DIRECTIVES = [
    ("default-src", ["'none'"]),  # whatever is not named: frames, media, plug-ins
    ("script-src", ["'none'"]),  # scripts that are not named, and in attributes
    ("style-src", ["'self'"]),  # styles that read a page through the addresses they ask for
    ("font-src", ["'self'"]),  # fonts that tell another host who reads
    ("img-src", ["'self'", "data:"]),  # pictures that tell another host who reads
    ("connect-src", ["'self'"]),  # requests of a script to another host
    ("worker-src", ["'self'"]),  # workers made of text
    ("base-uri", ["'none'"]),  # a <base> that turns every relative address to another host
    ("form-action", ["'none'"]),  # a form that sends what is typed to another host
]


def parsed(policy: str) -> dict[str, list[str]]:
    """A policy, as a browser splits it."""
    return {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}


@pytest.mark.parametrize(("directive", "sources"), DIRECTIVES)
def test_a_directive(directive: str, sources: list[str]) -> None:
    """Each is there, and allows just this: `base-uri` and `form-action` do not fall back to `default-src`."""
    assert parsed(csp.policy([]))[directive] == sources


def test_there_is_no_other_directive() -> None:
    """A directive that the table does not have could allow more than `default-src`."""
    assert list(parsed(csp.policy([]))) == [directive for directive, _ in DIRECTIVES]


def test_the_hash_of_a_script() -> None:
    """As in the example of the standard (CSP 3, 8.3)."""
    assert digest(b"alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


def test_scripts_are_allowed_by_their_names_alone() -> None:
    """Each once, in their order, and nowhere but where scripts are allowed."""
    directives = parsed(csp.policy(["'one'", "'two'", "'one'"]))
    assert directives["script-src"] == ["'one'", "'two'"]
    del directives["script-src"]
    assert directives == {name: sources for name, sources in DIRECTIVES if name != "script-src"}


def test_a_page_states_its_policy_first(tmp_path: Path) -> None:
    """After its charset and before anything that the policy is about."""
    path = tmp_path / "index.html"
    (tmp_path / "own.js").write_text("ä", "utf-8")
    path.write_text(
        '<meta charset="utf-8"><title>t</title><script>ours()</script><script src="own.js"></script>', "utf-8"
    )
    page = Page(tmp_path, path)
    csp.add_policy(page)
    inline, file = digest(b"ours()"), digest("ä".encode())
    stated = csp.policy([f"'{inline}'", f"'{file}'"])
    assert page.html.startswith(
        f'<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{stated}"><title>'
    )
    assert f'<script src="own.js" integrity="{file}"></script>' in page.html
