"""Reads the texts of a site that are in no page's prose: titles, descriptions and the navigation.

No fact and no claim can stand there, so they may not state anything that needs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from proof.core import site_config
from proof.core.errors import PageError, ProofError, Where
from proof.core.site_file import site_file
from proof.facts import claims
from proof.pages.page import PageReport, page_text

FRONT_MATTER = re.compile(r"\A\ufeff?-{3}[ \t]*\n(.*?\n)(?:-{3}|\.{3})[ \t]*(?:\n|\Z)", re.DOTALL)  # as MkDocs reads it
_OF_PAGE = ("title", "subtitle", "description", "summary", "tags", "author")
_OF_SITE = ("site_name", "site_description", "site_author", "repo_name", "copyright")


def problems(root: Path, config: dict[str, Any], scanned: Iterable[PageReport]) -> Iterator[ProofError]:
    """What the settings of the site, and the front matter of its pages, state without proof."""
    if "INHERIT" in config:
        what, hint = "settings from another file are not read", "move them here, in place of INHERIT"
        yield PageError(what, where=Where(site_file(root)), hint=hint)
    settings = [config.get(key) for key in _OF_SITE] + list(_titles(config.get("nav")))
    file = site_file(root)
    yield from _unbound(file, page_text(root, file), settings)
    for report in scanned:
        if report.front and not report.page.waived:
            values = site_config.parse_plain(report.front, report.path)
            yield from _unbound(report.path, f"---\n{report.front}", [values.get(key) for key in _OF_PAGE])


def _titles(nav: Any) -> Iterator[Any]:
    """The titles in the navigation, on every level."""
    for entry in nav if isinstance(nav, list) else ():
        for title, below in entry.items() if isinstance(entry, dict) else ():
            yield title
            yield from _titles(below)


def _unbound(path: Path, text: str, values: Iterable[Any]) -> Iterator[ProofError]:
    lines = text.splitlines()
    for said in (each for value in values for each in (value if isinstance(value, list) else [value])):
        for sentence in claims.sentences(said) if isinstance(said, str) else ():
            for loose in claims.unbound(sentence, ()):
                found = (number for number, line in enumerate(lines, 1) if loose.text in line)
                hint = "say it in a sentence of a page, where a fact or a claim can stand"
                yield PageError(loose.what, where=Where(path, next(found, 1)), evidence=sentence, hint=hint)
