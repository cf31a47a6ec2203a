"""Reads the texts of a site that are in no page's prose: titles, descriptions and the navigation.

No fact and no claim can stand there, so they may not state anything that needs one. Themes write front matter into
pages and the search index as it is, so it may hold only a few keys, and no markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from proof.core import site_config
from proof.core.errors import PageError, ProofError, UsageError, Where, raise_all
from proof.core.limits import limited
from proof.core.site_file import site_file
from proof.core.text import first_invisible, first_misleading
from proof.pages.document import FRONT_MATTER, page_text
from proof.pages.lint import claims
from proof.pages.page import PageReport

_OTHER = re.compile(r"\A\ufeff?[ ]{0,3}[A-Za-z0-9_-]+:")  # MkDocs takes a page that begins so for front matter, too
_ACTING = re.compile(r"[<>\"]|&[#\w]+;")
_KINDS = {
    **dict.fromkeys(("title", "subtitle", "description", "summary", "author", "status"), str),
    "date": date,
    **dict.fromkeys(("tags", "hide"), list),
    "search": dict,
}
_LARGEST = 10**15  # of a number
_MOST = 20  # problems that are listed of a page
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
            with limited(Where(report.path, 1)):
                values = site_config.parse_plain(report.front, report.path)
                said = [values.get(key) for key in _OF_PAGE]
                yield from list(islice(_unbound(report.path, f"---\n{report.front}", said), _MOST))


def check(root: Path, docs: Path) -> None:
    """Raise UsageError if the front matter of pages has other keys or values than a site needs."""
    wrong: list[UsageError] = []
    for path in sorted(docs.rglob("*.md")):
        with limited(Where(path, 1)):
            wrong += islice(_wrong(path, page_text(root, path)), _MOST)
    raise_all(wrong)


def _wrong(path: Path, text: str) -> Iterator[UsageError]:
    """What is wrong with the front matter of a page that has this text."""
    if (found := FRONT_MATTER.match(text)) is None:
        if _OTHER.match(text):
            hint = "put a blank line above it, or write front matter between lines with ---"
            yield PageError("MkDocs would take this line for front matter", where=Where(path, 1), hint=hint)
        return
    try:
        values = site_config.parse_plain(found[1], path)
    except UsageError as error:
        yield error
        return
    lines = text.splitlines()
    for key, value in values.items():
        if not isinstance(value, _KINDS.get(key, ())):
            hint = f"a page may have {', '.join(f'{name} ({kind.__name__})' for name, kind in _KINDS.items())}"
        elif key == "status" and not re.fullmatch(r"[\w-]+", str(value)):
            hint = "write one name, of the theme Material"
        elif key == "search" and not _is_search(value):
            hint = "write `boost`, a number from 0 to 1000, or `exclude`, true or false"
        elif not _is_plain(value, 200 if key == "title" else 500):
            hint = 'write a short text in Latin letters, without <, >, ", entities or invisible characters. Quotes: “ ”'
        else:
            continue
        line = next((number for number, line in enumerate(lines, 1) if line.startswith(str(key))), None)
        what = f"front matter must not have this `{key!s:.40}`"
        yield PageError(what, where=Where(path, line), evidence=_shown(value), hint=hint)


def _is_plain(value: Any, longest: int) -> bool:
    """Whether a value is a short text without markup, a number or a date, or a list or table of such."""
    match value:
        case dict():
            return all(_is_plain(each, longest) for each in (*value, *value.values()))
        case list():
            return all(_is_plain(each, longest) for each in value)
        case str():
            seen = not first_invisible(value) and not first_misleading(value)
            return len(value) <= longest and not _ACTING.search(value) and seen
        case _:
            return isinstance(value, date) or (isinstance(value, int | float) and abs(value) < _LARGEST)


def _shown(value: Any) -> str:
    try:
        return f"{value!s:.200}"
    except ValueError:  # Python prints no number of thousands of digits
        return "a number with too many digits"


def _is_search(value: Any) -> bool:
    """Whether these are settings of the search. A number that JSON does not have would break it on every page."""
    boost, exclude = value.get("boost", 1), value.get("exclude", False)
    is_number = isinstance(boost, int | float) and 0 <= boost <= 1000
    return is_number and isinstance(exclude, bool) and value.keys() <= {"boost", "exclude"}


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
                yield PageError(loose.what, where=Where(path, next(found, 1)), evidence=sentence[:200], hint=hint)
