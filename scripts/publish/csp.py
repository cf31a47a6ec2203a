"""A Content-Security-Policy: a page runs its own scripts, and asks no other host for anything.

It stands in the page, for a static host sends no header of ours; so it cannot say who may frame the page.
"""

from __future__ import annotations

import base64
import hashlib

from proof.errors import UsageError, Where
from publish.page import Page, reading

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # the theme's icons are in its style sheet
    "connect-src": "'self'",  # the search index
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def forbid(page: Page) -> Page:
    """The page with a policy that allows its inline scripts by their hashes, and nothing else that is inline."""
    finished = reading(page.html)
    if finished.inline:
        raise UsageError(
            f"the page {page} has a style or a handler in its markup, which its policy forbids",
            where=Where(page.path),
            evidence="\n".join(finished.inline[:5]),
            cure="a class, and a rule in a style sheet of docs/assets/",
        )
    return page.in_head(f'<meta http-equiv="Content-Security-Policy" content="{policy(finished.scripts)}">')


def policy(scripts: list[str]) -> str:
    """The policy's text, for these inline scripts."""
    hashes = "".join(f" {name}" for name in dict.fromkeys(hashed(script) for script in scripts))
    return "; ".join(f"{key} {value}{hashes if key == 'script-src' else ''}" for key, value in _POLICY.items())


def hashed(script: str) -> str:
    """How a policy names an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
