"""A Content-Security-Policy: a page runs its own scripts, and asks no other host for anything.

It stands in the page, for a static host sends no header of ours; so it cannot say who may frame the page.
"""

from __future__ import annotations

import base64
import hashlib

from proof.publish import markup, scripts
from proof.publish.page import Page, reading

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


def add_policy(page: Page) -> Page:
    """The page with a policy that allows the inline scripts that are known, by their hashes.

    It is asked of the finished page too: a script is trusted for what it is, and not for being there.
    """
    found = reading(page.html).scripts
    for script in found:
        if not scripts.known(script):
            raise markup.unknown(page, None, script)
    return page.in_head(f'<meta http-equiv="Content-Security-Policy" content="{policy(found)}">')


def policy(allowed: list[str]) -> str:
    """The policy's text, for these inline scripts."""
    hashes = "".join(f" {name}" for name in dict.fromkeys(hashed(script) for script in allowed))
    return "; ".join(f"{key} {value}{hashes if key == 'script-src' else ''}" for key, value in _POLICY.items())


def hashed(script: str) -> str:
    """How a policy names an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
