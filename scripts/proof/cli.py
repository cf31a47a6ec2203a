"""The command `proof`: arguments, and the one place that turns errors into exit codes.

0 accurate · 1 drift or a failing claim · 2 wrong use, or a broken manifest or page · 3 could not measure ·
4 another basis · 130 interrupted
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from proof import ci
from proof.errors import (
    CannotMeasureError,
    EngineLostError,
    NoEngineError,
    ProofError,
    RegistryAwayError,
    UsageError,
    complain,
    complain_of_a_crash,
)

if TYPE_CHECKING:
    from proof.bases import Bases
    from proof.engine import Engine
    from proof.manifest import Snippet
    from proof.rebuild import Loaded
    from proof.report.terminal import Terminal
    from proof.verify import Result

PLATFORM = "linux/amd64"  # of every snippet that names no other: the one that rebuilt bases exist for


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    sys.excepthook = complain_of_a_crash
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except ProofError as error:
        complain(f"proof: {error}")
        return error.code
    except KeyboardInterrupt:
        complain("\nproof: interrupted; what was finished is kept")
        return 130
    except BrokenPipeError:  # `proof facts | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        from proof import files

        if (trouble := files.trouble(error)) is None:
            raise
        complain(f"proof: {trouble}")
        return trouble.code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="proof",
        description="Run what an article shows, keep what really happened, and let its pages say nothing else.",
        epilog="Exit codes: 0 accurate, 1 drift, 2 wrong use, 3 could not measure, 4 another basis, 130 interrupted.",
    )
    parser.add_argument("--project", type=Path, default=None, metavar="DIR", help="the project (default: around here)")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, text in (
        ("check", "run every snippet for real and compare with what was captured; writes nothing"),
        ("update", "the same, then keep what changed"),
    ):
        verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        verb.add_argument("names", nargs="*", metavar="NAME", help="snippets (default: all)")
        verb.add_argument(
            "--engine",
            choices=("auto", "private", "docker", "podman"),
            default="auto",
            help="a private Docker daemon, or a reachable engine of yours (default: private where it can be)",
        )
        verb.add_argument(
            "--bases",
            choices=("rebuilt", "registry"),
            default="rebuilt",
            help="base images rebuilt from pinned packages, or pulled (default: rebuilt)",
        )
        verb.add_argument(
            "--jobs",
            type=ci.count,
            metavar="N",
            help="how many snippets run at a time in a private engine (default: one for each processor, 2 to 8)",
        )
        verb.add_argument(
            "--mirror",
            metavar="HOST",
            default="",
            help="where --bases registry asks instead of the registry: the same paths below HOST, the same digests",
        )
        verb.add_argument("--page", type=Path, action="append", default=[], help="the snippets that this page uses")
        verb.add_argument("--quick", action="store_true", help="leave out the snippets that call themselves slow")
        verb.add_argument(
            "--rerun", action="store_true", help="run also what was accurate before and has not changed since"
        )
        verb.add_argument("--fresh", action="store_true", help="build without the build cache")
        verb.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for every step, instead of its own")
        verb.add_argument(
            "--memory",
            type=_bytes,
            metavar="SIZE",
            help="what all containers of a private engine may use, as 300M or 4G (default: 90%% of what is free)",
        )
        verb.add_argument("--json", action="store_true", help="print the results as JSON")
        verb.add_argument(
            "--no-engine-ok", action="store_true", help="where there is no engine, say so and exit with 0"
        )
        verb.add_argument(
            "--exit-by-cause",
            action="store_true",
            help="instead of 1: 5 the snippet was edited, 6 a base moved, 7 the engine or its format changed, "
            "8 a capture was edited by hand, 1 nothing that goes in has changed",
        )
        ci.add_options(verb)
        verb.set_defaults(run=_verify, write=name == "update")
    ci.add_verbs(verbs)
    status = verbs.add_parser(
        "status",
        help="without an engine: which captures are stale and why, claims that fail, numbers that nothing backs",
        description="Say what is wrong with captures and pages, as far as it can be known without an engine.",
    )
    status.set_defaults(run=_status)
    facts = verbs.add_parser("facts", help="print what was measured", description="Print what was measured.")
    facts.add_argument("--json", action="store_true", help="as JSON")
    facts.set_defaults(run=_facts)
    engine = verbs.add_parser(
        "engine",
        help="a private engine to look inside, with the bases in it",
        description='A private engine that stays, with the bases in it: eval "$(proof engine env)", then use docker.',
    )
    engine.add_argument("action", choices=("start", "env", "stop"))
    engine.set_defaults(run=_look_inside)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("between 0 and 86400 seconds")
    return value


def _bytes(text: str) -> int:
    if not (found := re.fullmatch(r"(\d+)([MG])", text)):
        raise argparse.ArgumentTypeError("a number and M or G, as 300M")
    return int(found[1]) << {"M": 20, "G": 30}[found[2]]


def cache_folder() -> Path:
    """Where packages, bases and the private engine's data are kept: $PROOF_CACHE, or below the user's cache."""
    if chosen := os.environ.get("PROOF_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "proof"


def _root(options: argparse.Namespace) -> Path:
    from proof.manifest import find_root

    if options.project and not options.project.is_dir():
        raise UsageError(f"there is no folder {options.project}")
    return find_root((options.project or Path.cwd()).absolute())


def _verify(options: argparse.Namespace) -> int:
    from concurrent.futures import ThreadPoolExecutor

    from proof import bases, conclusion
    from proof import results as files
    from proof.report.terminal import Terminal
    from proof.verdicts import Verdicts

    # Asked to end, as a CI system asks, it cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    reports = conclusion.Reports.of(options.report, json=options.json, by_cause=options.exit_by_cause)
    terminal = Terminal(stderr=options.json)
    root = _root(options)
    known = bases.load(root)
    verdicts = Verdicts(root, cache_folder(), known, PLATFORM)
    options.names += _used_by(options.page, root)
    if options.mirror and options.bases != "registry":
        raise UsageError("--mirror goes with --bases registry", cure=f"--bases registry --mirror {options.mirror}")
    snippets = _chosen(options, terminal, known=known, root=root)
    if options.results:
        files.check_empty(options.results)
    earlier = [found for snippet in snippets if (found := verdicts.get(snippet))] if _may_reuse(options) else []
    cached = {result.snippet.name: result for result in earlier}
    # A page that cannot be right is said before minutes are spent; after an update the pages may say something else.
    checked: conclusion.Checked | None = None
    with ThreadPoolExecutor(1) as meanwhile:  # an engine takes as long to start as pages to be read
        reading = meanwhile.submit(conclusion.Checked.of, root, snippets, everything=not options.names)

        def pages_are_read() -> None:
            nonlocal checked
            if options.write:
                checked = None if reading.exception() else reading.result().once_updated()
            elif not checked:
                checked = reading.result()
                checked.say(terminal)

        for result in earlier:
            terminal.result(result)
        try:
            if left := [snippet for snippet in snippets if snippet.name not in cached]:
                with _output(options, root, terminal), _engine(options, terminal) as engine:
                    pages_are_read()
                    ran = _run_all(options, terminal, engine=engine, known=known, snippets=left, root=root)
                    if engine.private and options.bases == "rebuilt":
                        verdicts.keep(ran)
                    cached |= {result.snippet.name: result for result in ran}
            pages_are_read()
        except NoEngineError as error:
            pages_are_read()
            if not options.no_engine_ok:
                raise
            terminal.say(f"proof: {error}", "yellow")
            terminal.say("Nothing was verified: the pages show the committed captures, as they are.", "bold yellow")
            return 0
    results, seconds = [cached[snippet.name] for snippet in snippets], time.monotonic() - started
    if options.results:
        files.save(results, options.results, root=root, origin=options.bases, seconds=seconds)
    return conclusion.conclude(root, terminal, results, seconds=seconds, reports=reports, checked=checked)


def _chosen(options: argparse.Namespace, terminal: Terminal, *, known: Bases, root: Path) -> list[Snippet]:
    """The snippets that are meant by the arguments; UsageError where that is none."""
    from proof import manifest, plan

    snippets = manifest.load_all(root, options.names)
    known.check(snippets)
    if options.quick and (slow := [snippet.name for snippet in snippets if snippet.slow]):
        snippets = [snippet for snippet in snippets if not snippet.slow]
        terminal.say(f" · left out by --quick: {', '.join(slow)}")
        if not snippets:
            raise UsageError("--quick leaves nothing to run", cure="leave --quick out")
    return plan.part(snippets, plan.parse(options.shard)) if options.shard else snippets


def _may_reuse(options: argparse.Namespace) -> bool:
    """Whether what a run has found before is an answer: to whoever runs it here, as always, and not to CI."""
    from proof import private

    told = (options.rerun, options.fresh, options.timeout, options.memory)
    reported = (options.results, options.report, os.environ.get("CI"))
    as_before = options.engine in ("auto", "private") and options.bases == "rebuilt" and not private.obstacle()
    return as_before and not any(told) and not any(reported)


def _run_all(
    options: argparse.Namespace,
    terminal: Terminal,
    *,
    engine: Engine,
    known: Bases,
    snippets: list[Snippet],
    root: Path,
) -> list[Result]:
    from dataclasses import replace

    from proof import bases, beside, pins, verify

    cache, pinned = cache_folder(), pins.load(root, known)
    loaded, missing = _load_bases(options, terminal, engine=engine, known=known, names=bases.wanted(snippets))
    if options.bases == "registry":
        for line in pins.moved(pinned, {name: base.key for name, base in loaded.items()}, known):
            terminal.say(f" · {line}", "yellow")
    session = verify.Session(
        root=root,
        engine=engine,
        bases=known,
        loaded=loaded,
        origin=options.bases,
        cache=cache,
        provenance=verify.provenance(root, engine, loaded),
        fresh=options.fresh,
        timeout=options.timeout,
    )
    # In a shared engine what a build leaves is told from what was there before: nothing else of ours may be at work.
    jobs = 1 if engine.shared else options.jobs or beside.default_jobs()
    found: dict[str, Result] = {}
    with terminal.running() as on_step:
        session = replace(session, on_step=on_step)

        def one(snippet: Snippet, /, *, beside: bool) -> Result:
            if lost := [error for name, error in missing.items() if name in snippet.bases]:
                return verify.Result(snippet, "not measured", error=lost[0])
            return verify.verify(snippet, session, write=options.write, beside=beside)

        for result in beside.run(snippets, one, jobs=jobs):
            terminal.result(result)
            found[result.snippet.name] = result
    if options.write and options.bases == "registry":
        kept = [result.new for result in found.values() if result.new and result.verdict in ("written", "accurate")]
        pins.keep(root, known, kept)
    return [found[snippet.name] for snippet in snippets]


def _load_bases(
    options: argparse.Namespace, terminal: Terminal, *, engine: Engine, known: Bases, names: Iterable[str]
) -> tuple[dict[str, Loaded], dict[str, CannotMeasureError]]:
    """Every base that can be had, and why each other one cannot: it holds back its own snippets alone."""
    from functools import partial

    from proof import rebuild

    get = partial(rebuild.ensure, engine=engine, origin=options.bases, cache=cache_folder(), mirror=options.mirror)
    loaded: dict[str, Loaded] = {}
    missing: dict[str, CannotMeasureError] = {}
    away = ""
    for name in names:
        if away:  # to wait as long again for each base would take hours
            missing[name] = RegistryAwayError(f"{name} was not asked for: {away}")
            continue
        try:
            with terminal.stage(f"base {name}, {options.bases}"):
                loaded[name] = engine.again(partial(get, known, name))
        except EngineLostError:
            raise
        except CannotMeasureError as error:
            terminal.problems([error])
            missing[name] = CannotMeasureError(error.what, where=error.where)
            away = error.what if isinstance(error, RegistryAwayError) else ""
    return loaded, missing


@contextlib.contextmanager
def _output(options: argparse.Namespace, root: Path, terminal: Terminal) -> Iterator[None]:
    """Only one run at a time writes the captures of a project; any number may check them meanwhile."""
    if not options.write:
        yield
        return
    from proof import capture, lock

    snippets = root / "snippets"
    with lock.holding(snippets, on_wait=terminal.waiting):
        capture.sweep(snippets)
        yield


@contextlib.contextmanager
def _engine(options: argparse.Namespace, terminal: Terminal) -> Iterator[Engine]:
    """The engine to use: the private one where it can be, else a reachable one of the user's."""
    from proof import private, shared

    def lost() -> None:
        terminal.say(" · the engine was lost, and started again", "yellow")

    choice, cache = options.engine, cache_folder()
    kinds: tuple[Literal["private", "docker", "podman"], ...] = ("private", "docker", "podman")
    obstacles = []
    for kind in kinds if choice == "auto" else (choice,):
        with contextlib.ExitStack() as stack:
            try:
                if kind == "private":
                    with terminal.stage("private engine"):
                        start = private.start(cache, PLATFORM, memory=options.memory, on_restart=lost)
                        engine = stack.enter_context(start)
                else:
                    engine = stack.enter_context(shared.connect(kind, cache, PLATFORM))
                    address = engine.env.get("DOCKER_HOST", "").removeprefix("unix://")
                    terminal.say(f" · using your {kind}{address and f' at {address}'}; its own images stay as they are")
                    if not engine.sandbox:
                        terminal.say(
                            f" · {kind} runs without a sandbox here: use it for snippets that you trust", "yellow"
                        )
            except NoEngineError as error:
                if choice == kind:
                    raise
                obstacles.append(f"{kind}: {error.what}")
                continue
            yield engine
            return
    raise NoEngineError(
        "no container engine can be had here",
        evidence="\n".join(obstacles),
        cure="run scripts/bootstrap as root on Debian or Ubuntu, or start Docker or Podman",
    )


def _used_by(paths: list[Path], root: Path) -> list[str]:
    """The snippets that these pages take anything from; UsageError for a page that is not there or takes nothing."""
    if not paths:
        return []
    from proof import pages

    used: set[str] = set()
    scanned = {found.path.resolve(): found for found in pages.scan(root, expand=False)}
    for path in paths:
        found = scanned.get((root / path).resolve()) or scanned.get(path.resolve())
        if found is None or not found.page.snippets:
            what = "is no page of this site" if found is None else "uses no snippet"
            raise UsageError(f"{path} {what}", cure="--page docs/index.md")
        used |= found.page.snippets
    return sorted(used)


def _status(options: argparse.Namespace) -> int:
    from proof import status
    from proof.report.terminal import Terminal

    found = status.status(_root(options), cache_folder())
    Terminal().status(found)
    return found.code


def _look_inside(options: argparse.Namespace) -> int:
    from proof import bases, private, rebuild
    from proof.report.terminal import Terminal

    cache, terminal = cache_folder(), Terminal()
    running = private.detached(cache)
    if options.action == "stop":
        terminal.say(f"{private.stop(cache)} stopped")
    elif options.action == "env":
        if not running:
            raise UsageError("no engine was started to stay", cure="proof engine start")
        print(f"export DOCKER_HOST={running[0][2]}")
    elif running:
        terminal.say(f"it runs already: export DOCKER_HOST={running[0][2]}")
    else:
        known = bases.load(_root(options))
        with private.start(cache, PLATFORM, detach=True) as engine:
            for name in known.images:
                with terminal.stage(f"base {name}"):
                    rebuild.ensure(known, name, engine, origin="rebuilt", cache=cache)
            terminal.say('it runs until `proof engine stop`; to use it: eval "$(proof engine env)"')
    return 0


def _facts(options: argparse.Namespace) -> int:
    from proof import facts

    book = facts.load(_root(options) / "snippets")
    if options.json:
        from proof.report import data

        print(data.facts(book))
    else:
        from proof.report.terminal import Terminal

        Terminal().facts(book)
    return 0


if __name__ == "__main__":
    sys.exit(main())
