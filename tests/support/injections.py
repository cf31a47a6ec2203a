"""Hostile texts that try to act as commands or markup in reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proof.captures import store
from proof.captures.model import Capture
from proof.core.errors import PageError, ProofError
from tests.support.helpers import capture_in

HOSTILE = (
    "::error file=app.js::owned",
    "  ::set-output name=x::y",
    "a\n::add-mask::y",
    "a\r::stop-commands::token",
    "a\r\n::set-env name=PATH::/tmp",
    "##[error]owned",
    "before ##[add-mask]y after",
    "###[group]owned",
    "%0A::error::owned%0D%25",
    ",title=x::y",
    "a:b,c=d",
    "]]>",
    "</failure></testcase><testcase name='free'/>",
    "<!--",
    "<![CDATA[",
    "&amp; &lt; &#x41;",
    "\x00\x01\x08\x0b\x1b[31mred\x7f\ufffe",
    "\u202edesrever\u2066",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></td></tr></table><h1>big</h1>",
    "a | b \\| c \\\\| d",
    "`code` ``more`` ```",
    "**bold** _em_ ~~gone~~ [a](javascript:alert(1)) ![i](https://example.invalid/i.png)",
    "[ref]: https://example.invalid",
    "<https://example.invalid> https://example.invalid www.example.invalid me@example.invalid",
    "@somebody #1 GH-1 owner/name#1 :+1:",
    "\n\n# heading\n\n- item\n\n    code\n",
    "$(id) `id` ${{ github.token }}",
    "\\",
    "x" * 10_000,
)

# What acts on a terminal, in a CI system's log, in Rich's markup, in Markdown: a sample of each.
ACTING = (
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31mred",
    "a\rb\r::error::x",
    "::error file=x::y",
    "a\n::add-mask::y",
    "x ##[group]y",
    "\u202eback\u2066",
    "[/x]",
    "[bold]b[/bold] [link=https://example.invalid]l[/link] :smile:",
    "<b> | `x` | **y** @somebody #1 https://example.invalid",
)


def everywhere(folder: Path, text: str) -> tuple[Capture, list[str], list[ProofError]]:
    """The capture in `folder` with this text in every field that may hold it; the other ones, and why each may not.

    Each string, each name and each number of the record is tried by itself, under a seal that fits: as somebody would
    who wants to be believed.
    """
    record = folder / store.RECORD
    honest = record.read_text("utf-8")
    kept, refused = honest, list[str]()
    errors: list[ProofError] = []
    for path in _paths(json.loads(honest)):
        if path in (["schema"], ["seal"]):
            continue
        record.write_text(_changed(kept, path, text), "utf-8")
        try:
            assert store.load(folder) is not None
            kept = record.read_text("utf-8")
        except PageError as error:
            refused.append(".".join(map(str, path)))
            errors.append(error)
    record.write_text(kept, "utf-8")
    found = capture_in(folder)
    assert store.RECORD not in found.tampered
    return found, refused, errors


def acts(printed: str) -> list[str]:
    """The lines of a log that would have an effect."""
    lines = printed.split("\n")
    commands = [line for line in lines if line.strip().startswith("::") or "##[" in line or "##vso[" in line]
    return commands + [
        line for line in lines if not line.replace("\t", "").replace("\N{NO-BREAK SPACE}", "").isprintable()
    ]


def _paths(data: Any) -> Iterator[list[Any]]:
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        if isinstance(value, dict | list):
            yield from ([key, *rest] for rest in _paths(value))
        else:
            yield [key]


def _changed(record: str, path: list[Any], text: str) -> str:
    data = json.loads(record)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    del data["seal"]
    data["seal"] = store._seal(data)
    return json.dumps(data)
