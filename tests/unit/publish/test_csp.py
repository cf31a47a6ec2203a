"""The policy of a page: what it allows, directive by directive, and which scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from proof.core.errors import UsageError
from proof.publish import csp
from proof.publish.page import load
from proof.publish.scripts import Scripts

# What each directive keeps a page from, should somebody get markup of theirs into it.
DIRECTIVES = [
    ("default-src", ["'none'"]),  # whatever is not named: frames, media, plug-ins
    ("script-src", ["'self'"]),  # scripts of other hosts, and in attributes
    ("style-src", ["'self'"]),  # styles that read a page through the addresses they ask for
    ("font-src", ["'self'"]),  # fonts that tell another host who reads
    ("img-src", ["'self'", "data:"]),  # pictures that tell another host who reads
    ("connect-src", ["'self'"]),  # requests of a script to another host
    ("worker-src", ["'self'"]),  # workers made of text
    ("base-uri", ["'none'"]),  # a <base> that turns every relative address to another host
    ("form-action", ["'none'"]),  # a form that sends what is typed to another host
]

OURS = Scripts(inline=(re.compile(re.escape("ours()")),), named=frozenset(), themes=())


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
    """As in the example of the standard (CSP 3, 8.3), and of the bytes in UTF-8."""
    assert csp.hashed("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
    digest = base64.b64encode(hashlib.sha256(b"\xc3\xa4").digest()).decode()
    assert csp.hashed("ä") == f"'sha256-{digest}'"


def test_scripts_are_allowed_by_their_hashes_alone() -> None:
    """Each once, in their order, and nowhere but where scripts are allowed."""
    found = parsed(csp.policy(["one()", "two()", "one()"]))
    assert found["script-src"] == ["'self'", csp.hashed("one()"), csp.hashed("two()")]
    del found["script-src"]
    assert found == {name: sources for name, sources in DIRECTIVES if name != "script-src"}


def page(folder: Path, *inline: str) -> Path:
    """A small page with these scripts in it."""
    body = "".join(f"<script>{script}</script>" for script in inline)
    path = folder / "index.html"
    path.write_text(f'<html><head><meta charset="utf-8"><title>t</title></head><body>{body}</body></html>', "utf-8")
    return path


def test_a_page_states_its_policy_first(tmp_path: Path) -> None:
    """After its charset and before anything that the policy is about."""
    html = csp.add_policy(load(tmp_path, page(tmp_path, "ours()")), OURS).html
    stated = f'<meta http-equiv="Content-Security-Policy" content="{csp.policy(["ours()"])}">'
    assert re.search(rf'<head><meta charset="utf-8">\s*{re.escape(stated)}<title>', html)


@pytest.mark.parametrize("inline", [("theirs()",), ("ours()", "theirs()"), ("ours() ",)])
def test_a_script_that_is_not_known_is_not_allowed(inline: tuple[str, ...], tmp_path: Path) -> None:
    """It is refused, and named: to leave it out of the policy would hide it."""
    with pytest.raises(UsageError, match="unknown inline script") as error:
        csp.add_policy(load(tmp_path, page(tmp_path, *inline)), OURS)
    assert error.value.evidence == f"<script>{inline[-1]}".strip()
