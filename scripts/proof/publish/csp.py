"""The Content-Security-Policy of a page: it runs only known scripts, and loads nothing from other hosts.

The policy is in the page itself, because a static host sends no headers of ours. There it cannot restrict framing.
Scripts are named by their hashes, those in files too: a browser then runs a file only with the attribute `integrity`,
and only with this content.
"""

from __future__ import annotations

from collections.abc import Iterable

from proof.publish.page import Page, attribute, digest

_POLICY = {
    "default-src": "'none'",
    "script-src": "",
    "style-src": "'self'",
    "font-src": "'self'",  # of MkDocs' own theme; Material's icons are in its style sheet
    "img-src": "'self' data:",  # the theme's icons are in its style sheet
    "connect-src": "'self'",  # the search index
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def add_policy(page: Page, loaded: Iterable[str] = ()) -> None:
    """Add a policy to the page that allows the scripts in it, and those files that its inline scripts load."""
    for script in page.tree.css("script[src]"):
        script.attrs["integrity"] = digest(page.content(attribute(script, "src")))
    files = [digest(page.content(address)) for address in (*page.script_files, *loaded)]
    inline = [digest(script.encode()) for script in page.inline_scripts]
    content = policy(f"'{name}'" for name in (*inline, *files))
    page.add_to_head(page.element("meta", http_equiv="Content-Security-Policy", content=content))


def policy(scripts: Iterable[str]) -> str:
    """The text of a policy that allows these scripts, which are hashes or addresses."""
    allowed = " ".join(dict.fromkeys(scripts)) or "'none'"
    return "; ".join(f"{key} {value or allowed}" for key, value in _POLICY.items())
