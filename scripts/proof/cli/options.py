"""The arguments that several verbs share: their declarations, and the checks of their values."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from proof.core.errors import UsageError
from proof.engines import registry
from proof.reports.formats import FORMATS

Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for what add_subparsers returns

_Number = TypeVar("_Number", int, float)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `check` and `update`."""
    names = parser.add_argument("names", nargs="*", metavar="NAME", help="the snippets to run (default: all)")
    names.completer = snippet_names  # type: ignore[attr-defined]  # as argcomplete looks for it
    _add_engine_options(parser)
    parser.add_argument(
        "--page", type=Path, action="append", default=[], help="run the snippets that this page uses; repeatable"
    )
    parser.add_argument("--quick", action="store_true", help="leave out snippets marked as slow")
    parser.add_argument(
        "--rerun", action="store_true", help="also run snippets that were accurate and have not changed since"
    )
    parser.add_argument("--fresh", action="store_true", help="build without the build cache")
    parser.add_argument(
        "--same-engine",
        action="store_true",
        help="also compare the engine's own words with those that pages show for it",
    )
    parser.add_argument("--shard", metavar="I/N", help="run only one part of the snippets: 1/3 is the first of three")
    parser.add_argument("--results", type=Path, metavar="DIR", help="write the results to DIR, for `proof merge`")
    add_report_options(
        parser,
        by_cause="for drift, exit with its cause instead of 1: 5 the snippet was edited, 6 a base image moved, "
        "7 the engine or its output format changed, 8 a capture was edited by hand, 1 none of these",
    )


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        choices=(registry.AUTO, *registry.ENGINES),
        default=registry.AUTO,
        help="a private Docker daemon, or your own Docker or Podman (default: private where possible)",
    )
    parser.add_argument(
        "--engine-from",
        type=_source,
        metavar="TEXT",
        default="",
        help="where an unusual engine comes from, like 'built from its source', for the captures to say",
    )
    parser.add_argument(
        "--no-engine-ok", action="store_true", help="if no engine is installed, print a warning and exit 0"
    )
    parser.add_argument(
        "--bases",
        choices=("rebuilt", "registry"),
        help="rebuild base images from pinned packages, or pull them (default: what proof.toml says, or rebuilt)",
    )
    parser.add_argument(
        "--newest-bases",
        action="store_true",
        help="with --bases registry: pull what the tags name today, instead of the images in bases.lock",
    )
    parser.add_argument(
        "--mirror",
        metavar="HOST",
        default="",
        help="with --bases registry: pull from this host instead (the same paths, the same digests)",
    )
    parser.add_argument(
        "--network",
        action="store_true",
        help="let steps reach the hosts that they name in `network`, which are those in proof.toml",
    )
    parser.add_argument(
        "--jobs",
        type=count,
        metavar="N",
        help="how many snippets to run at once in a private engine (default: one per processor, from 2 to 8)",
    )
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="use this timeout for every step")
    parser.add_argument(
        "--memory",
        type=_size,
        metavar="SIZE",
        help="memory limit for all containers of a private engine, like 300M or 4G (default: 90%% of what is free)",
    )


def add_report_options(parser: argparse.ArgumentParser, *, by_cause: str = "as for `proof check`") -> None:
    """Declare what a run reports, besides what a person reads in the terminal."""
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--exit-by-cause", action="store_true", help=by_cause)
    kinds = " or ".join(f"{usage} ({meaning})" for usage, meaning in FORMATS.values())
    parser.add_argument(
        "--report", type=_report, action="append", default=[], metavar="KIND", help=f"{kinds}; repeatable"
    )


def resolve(options: argparse.Namespace) -> None:
    """Fill in what the project decides: its `root`, and its `bases`. UsageError if options contradict each other."""
    from proof.snippets import settings

    options.root = project_root(options)
    chosen = settings.load(options.root)
    options.bases = options.bases or chosen.bases
    if options.bases != "registry" and (options.mirror or options.newest_bases):
        option = f"--mirror {options.mirror}" if options.mirror else "--newest-bases"
        raise UsageError(f"{option.split(maxsplit=1)[0]} needs --bases registry", hint=f"--bases registry {option}")
    options.mirror = options.mirror or chosen.mirror


def project_root(parsed: argparse.Namespace) -> Path:
    """The project that `--project` names, or the one around the working directory."""
    from proof.snippets.project import find_root

    if parsed.project and not parsed.project.is_dir():
        raise UsageError(f"no such directory: {parsed.project}")
    return find_root((parsed.project or Path.cwd()).absolute())


def snippet_names(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The directories of the project's snippets, for a shell to complete. Nothing is read but their names."""
    try:
        root = project_root(parsed_args)
    except (UsageError, OSError):
        return []
    return sorted(path.parent.name for path in (root / "snippets").glob("*/snippet.toml"))


def _number(what: str, most: _Number, read: Callable[[str], _Number]) -> Callable[[str], _Number]:
    """A function that reads a number of at most `most`, written with digits and maybe a point."""

    def parsed(text: str) -> _Number:
        if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text):
            try:
                if 0 < (value := read(text)) <= most:
                    return value
            except ValueError:
                pass
        raise argparse.ArgumentTypeError(f"expected {what}, not '{text}'")

    return parsed


count = _number("a number from 1 to 64", 64, int)  # starting more machines takes longer than the measuring
port = _number("a port, from 1 to 65535", 65535, int)
_seconds = _number("seconds, more than 0 and at most 86400", 86_400.0, float)


def _size(text: str) -> int:
    """A number of bytes, written like 300M or 4G."""
    if not (found := re.fullmatch(r"([0-9]{1,6})([MG])", text)) or not int(found[1]):
        raise argparse.ArgumentTypeError(f"expected a size like 300M or 4G, not '{text}'")
    return int(found[1]) << {"M": 20, "G": 30}[found[2]]


def _source(text: str) -> str:
    """Where an engine comes from, in the fixed form that a capture may have."""
    from proof.captures.provenance import is_engine_from

    if not is_engine_from(text):
        raise argparse.ArgumentTypeError("expected 'built from its source', maybe with 'of Docker 29.7.2'")
    return text


def _report(text: str) -> tuple[str, str]:
    """The name of a format, and its file or an empty string."""
    name, equals, file = text.partition("=")
    usage, _ = FORMATS.get(name, ("", ""))
    if not usage or bool(equals) is not bool(file) or bool(file) is not ("=" in usage):
        usages = ", or ".join(f"--report {usage}" for usage, _ in FORMATS.values())
        raise argparse.ArgumentTypeError(f"unknown report '{text}': {usages}")
    return name, file
