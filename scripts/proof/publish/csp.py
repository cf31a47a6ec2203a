"""The Content-Security-Policy of a page: it runs only known scripts, and loads nothing from other hosts.

The policy is in the page itself, because a static host sends no headers of ours. There it cannot restrict framing.
"""

from __future__ import annotations

import base64
import hashlib

from proof.publish import markup
from proof.publish.page import Page, reading
from proof.publish.scripts import Scripts, is_after_paint

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",  # of MkDocs' own theme; Material's icons are in its style sheet
    "img-src": "'self' data:",  # the theme's icons are in its style sheet
    "connect-src": "'self'",  # the search index
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def add_policy(page: Page, scripts: Scripts) -> Page:
    """Add a policy to the page that allows its inline scripts by their hashes.

    Raises UsageError for an unknown script. This is checked for the finished page once more, because being in the page
    is no reason to trust a script.
    """
    found = reading(page.html).scripts
    for script in found:
        if not (scripts.know(script) or is_after_paint(script)):
            raise markup.unknown(page, None, script)
    return page.in_head(f'<meta http-equiv="Content-Security-Policy" content="{policy(found)}">')


def policy(allowed: list[str]) -> str:
    """The text of a policy that allows these inline scripts."""
    hashes = "".join(f" {name}" for name in dict.fromkeys(hashed(script) for script in allowed))
    return "; ".join(f"{key} {value}{hashes if key == 'script-src' else ''}" for key, value in _POLICY.items())


def hashed(script: str) -> str:
    """The source expression that allows an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
