"""The arguments of the verbs: their declarations, and the validated options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proof.core.errors import UsageError
from proof.engines import registry
from proof.reports.formats import FORMATS

if TYPE_CHECKING:
    from proof.snippets.places import Origin

Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for what add_subparsers returns

_MOST_SHARDS = 64  # starting more machines takes longer than the measuring
_LONGEST = 86_400  # seconds
_PORTS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Reports:
    """The reports to write, besides what a person reads in the terminal."""

    json: bool = False
    written: tuple[tuple[str, str], ...] = ()  # names of FORMATS, each with its file or an empty string
    by_cause: bool = False  # the exit code for drift names its cause

    @classmethod
    def of(cls, wanted: Sequence[str], *, json: bool, by_cause: bool) -> Reports:
        """Parse the values of `--report`; UsageError for an unknown one."""
        written: dict[str, str] = {}
        for text in wanted:
            name, equals, file = text.partition("=")
            known = FORMATS.get(name)
            if known is None or not bool(equals) is bool(file) is known.to_file:
                usages = ", or ".join(f"--report {known.usage}" for known in FORMATS.values())
                raise UsageError(f"unknown report '{text}'", hint=usages)
            written[name] = file
        return cls(json=json, written=tuple(written.items()), by_cause=by_cause)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What `proof check` and `proof update` were asked to do."""

    root: Path  # of the project
    write: bool  # keep what changed: `update`
    names: tuple[str, ...]  # of snippets; with no pages either, all of them
    pages: tuple[Path, ...]  # whose snippets to run
    engine: str
    bases: Origin
    newest_bases: bool  # what the registry's tags name today, instead of the locked images
    mirror: str
    jobs: int | None
    quick: bool
    rerun: bool
    fresh: bool
    timeout: float | None  # seconds, instead of each step's own
    memory: int | None  # bytes
    same_engine: bool
    engine_from: str
    no_engine_ok: bool
    shard: str | None  # I/N
    results: Path | None
    reports: Reports

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> RunOptions:
        """Check what argparse parsed; UsageError where options contradict each other."""
        from proof.snippets import settings

        root = project_root(parsed)
        bases = parsed.bases or settings.load(root).bases
        if bases != "registry" and (parsed.mirror or parsed.newest_bases):
            option = f"--mirror {parsed.mirror}" if parsed.mirror else "--newest-bases"
            raise UsageError(f"{option.split(maxsplit=1)[0]} needs --bases registry", hint=f"--bases registry {option}")
        return cls(
            root=root,
            write=parsed.write,
            names=tuple(parsed.names),
            pages=tuple(parsed.page),
            engine=parsed.engine,
            bases=bases,
            newest_bases=parsed.newest_bases,
            mirror=parsed.mirror,
            jobs=parsed.jobs,
            quick=parsed.quick,
            rerun=parsed.rerun,
            fresh=parsed.fresh,
            timeout=parsed.timeout,
            memory=parsed.memory,
            same_engine=parsed.same_engine,
            engine_from=parsed.engine_from,
            no_engine_ok=parsed.no_engine_ok,
            shard=parsed.shard,
            results=parsed.results,
            reports=reports_of(parsed),
        )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `check` and `update`."""
    names = parser.add_argument("names", nargs="*", metavar="NAME", help="the snippets to run (default: all)")
    names.completer = snippet_names  # type: ignore[attr-defined]  # as argcomplete looks for it
    parser.add_argument(
        "--engine",
        choices=(registry.AUTO, *registry.ENGINES),
        default=registry.AUTO,
        help="a private Docker daemon, or your own Docker or Podman (default: private where possible)",
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
        "--jobs",
        type=count,
        metavar="N",
        help="how many snippets to run at once in a private engine (default: one per processor, from 2 to 8)",
    )
    parser.add_argument(
        "--mirror",
        metavar="HOST",
        default="",
        help="with --bases registry: pull from this host instead (the same paths, the same digests)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        action="append",
        default=[],
        help="run the snippets that this page uses; repeatable",
    )
    parser.add_argument("--quick", action="store_true", help="leave out snippets marked as slow")
    parser.add_argument(
        "--rerun", action="store_true", help="also run snippets that were accurate and have not changed since"
    )
    parser.add_argument("--fresh", action="store_true", help="build without the build cache")
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="use this timeout for every step")
    parser.add_argument(
        "--memory",
        type=size,
        metavar="SIZE",
        help="memory limit for all containers of a private engine, like 300M or 4G (default: 90%% of what is free)",
    )
    parser.add_argument(
        "--same-engine",
        action="store_true",
        help="also compare the engine's own words with those that pages show for it",
    )
    parser.add_argument(
        "--engine-from",
        type=source,
        metavar="TEXT",
        default="",
        help="where an unusual engine comes from, like 'built from its source', for the captures to say",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--no-engine-ok", action="store_true", help="without an engine, print a warning and exit 0")
    parser.add_argument(
        "--exit-by-cause",
        action="store_true",
        help="for drift, exit with its cause instead of 1: 5 the snippet was edited, 6 a base image moved, "
        "7 the engine or its output format changed, 8 a capture was edited by hand, 1 none of these",
    )
    parser.add_argument("--shard", metavar="I/N", help="run only one part of the snippets: 1/3 is the first of three")
    parser.add_argument("--results", type=Path, metavar="DIR", help="write the results to DIR, for `proof merge`")
    add_report_option(parser)


def add_report_option(parser: argparse.ArgumentParser) -> None:
    """Declare `--report`."""
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="KIND",
        help=f"{' or '.join(f'{known.usage} ({known.help})' for known in FORMATS.values())}; repeatable",
    )


def reports_of(parsed: argparse.Namespace) -> Reports:
    """The reports that the arguments of a verb ask for."""
    return Reports.of(parsed.report, json=parsed.json, by_cause=parsed.exit_by_cause)


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


def count(text: str) -> int:
    """A number of shards or jobs."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= _MOST_SHARDS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST_SHARDS}, not '{text}'")
    return int(text)


def port(text: str) -> int:
    """The number of a port."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < _PORTS:
        raise argparse.ArgumentTypeError(f"expected a port, from 1 to {_PORTS - 1}, not '{text}'")
    return int(text)


def seconds(text: str) -> float:
    """A number of seconds."""
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0 and at most {_LONGEST}, not '{text}'")
    return float(text)


def source(text: str) -> str:
    """Where an engine comes from, in the fixed form that a capture may have."""
    from proof.captures.provenance import is_engine_from

    if not is_engine_from(text):
        raise argparse.ArgumentTypeError("expected 'built from its source', maybe with 'of Docker 29.7.2'")
    return text


def size(text: str) -> int:
    """A number of bytes, written like 300M or 4G."""
    if not (found := re.fullmatch(r"([0-9]{1,6})([MG])", text)) or not int(found[1]):
        raise argparse.ArgumentTypeError(f"expected a size like 300M or 4G, not '{text}'")
    return int(found[1]) << {"M": 20, "G": 30}[found[2]]
