"""The tables of docs/tool that follow from the code: keys of the TOML files, docker commands, and the command line.

Each stands between `<!-- reference: NAME -->` and `<!-- end -->` in a page. Run it as `scripts/reference`. It
also writes the pages for the measurements of new snippets.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from proof.cli import main
from proof.core.declared import keys_of
from proof.pages import measurement_pages
from proof.snippets.base_images import Base, Layer, Package
from proof.snippets.commands import VERBS, Flags
from proof.snippets.model import FactRule, Noise, Snippet, Step
from proof.snippets.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "tool"
_PLACE = re.compile(r"(?P<begin><!-- reference: (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def updated(page: str) -> str:
    """The text of a page with all of its generated tables as they are today; KeyError for an unknown one."""
    return _PLACE.sub(lambda found: f"{found['begin']}\n{TABLES[found['name']]()}\n\n{found['end']}", page)


def _key_table(kind: type) -> str:
    rows = [
        (f"`{name}`", f"{key.kind}, required" if key.required else key.kind, key.meaning)
        for name, key in keys_of(kind).items()
    ]
    return _table(("Key", "Type", "Meaning"), rows)


def _command_line() -> str:
    """A section for each verb. Verbs that take the same arguments share one."""
    parser = main.parser()
    sections: dict[str, list[argparse.ArgumentParser]] = {}
    for verb in _verbs(parser):
        sections.setdefault(_arguments(verb), []).append(verb)
    written = ["This goes before the verb:", "", _arguments(parser), ""]
    for table, verbs in sections.items():
        written += [f"### {' and '.join(verb.prog for verb in verbs)}", ""]
        for verb in verbs:
            text = verb.description or ""
            written += [f"- `{verb.prog}`: {text[:1].lower()}{text[1:]}"] if len(verbs) > 1 else [_sentence(text)]
        written += [""]
        written += [table, ""] if table else []
    return "\n".join(written).strip()


def _verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of what was declared
        if isinstance(action.choices, dict):
            yield from action.choices.values()


def _arguments(parser: argparse.ArgumentParser) -> str:
    """The table of a parser's arguments, without `--help`; empty where it takes none."""
    rows = [
        (f"`{_usage(action)}`", _help(action))
        for action in parser._actions  # noqa: SLF001
        if not isinstance(action.choices, dict) and "--help" not in action.option_strings
    ]
    return _table(("Argument", "Meaning"), rows) if rows else ""


def _usage(action: argparse.Action) -> str:
    """An argument as one types it: `--jobs N`, `NAME …`."""
    if action.nargs == 0:
        return action.option_strings[-1]
    value = str(action.metavar or action.dest.upper())
    if action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if action.nargs in ("*", "+"):
        value += " …"
    return f"{action.option_strings[-1]} {value}" if action.option_strings else value


def _help(action: argparse.Action) -> str:
    """What `--help` says of an argument, with options and variables as code."""
    text = (action.help or "").replace("%%", "%")
    return re.sub(r"`[^`]+`|--[a-z][a-z-]*|\$[A-Z_]+", lambda found: f"`{found[0].strip('`')}`", text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(map(_cell, cells))} |" for cells in (header, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(header)}", *lines[1:]])


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _commands() -> str:
    """A row for each docker command that can run, with all ways to write it."""
    written: dict[str, list[str]] = {}
    flags: dict[str, Flags] = {}
    for words, (verb, allowed) in VERBS.items():
        written.setdefault(verb, []).append(f"`docker {' '.join(words)}`")
        flags[verb] = allowed
    rows = [
        (", ".join(names), ", ".join(f"`{flag}`" for flag in flags[verb]) or "none") for verb, names in written.items()
    ]
    return _table(("Command", "Flags"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "snippet": partial(_key_table, Snippet),
    "noise": partial(_key_table, Noise),
    "step": partial(_key_table, Step),
    "fact": partial(_key_table, FactRule),
    "project": partial(_key_table, Settings),
    "package": partial(_key_table, Package),
    "base": partial(_key_table, Base),
    "layer": partial(_key_table, Layer),
    "commands": _commands,
    "command line": _command_line,
}


if __name__ == "__main__":
    for path in sorted(PAGES.glob("*.md")):
        text = path.read_text("utf-8")
        if (current := updated(text)) != text:
            path.write_text(current, "utf-8")
            sys.stdout.write(f"updated {path.relative_to(ROOT)}\n")
    for path in measurement_pages.write_missing(ROOT):
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
