"""Selects the snippets of `proof check` and `proof update`, and runs them on an engine."""

from __future__ import annotations

import contextlib
import logging
import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from proof.captures import bases_lock, store
from proof.captures.model import Provenance
from proof.cli import engine_choice
from proof.core.errors import CannotMeasureError, EngineLostError, ProofError, RegistryAwayError, UsageError, Where
from proof.core.settings import cache_folder
from proof.engines import emulation, private_daemon, user_engine
from proof.engines.interface import Engine
from proof.pages import scan
from proof.provision import loader
from proof.provision.loader import Loaded
from proof.reports.terminal import Terminal
from proof.runs import scheduler, verify
from proof.runs.result import Result
from proof.runs.result_cache import ResultCache
from proof.shards import plan
from proof.snippets import base_images, manifest, project
from proof.snippets.base_images import Bases
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Snippet
from proof.system import locks, revision

_log = logging.getLogger(__name__)


def choose_snippets(options: Namespace, terminal: Terminal, bases: Bases) -> tuple[list[Snippet], list[ProofError]]:
    """The snippets that the arguments select, and what is wrong with those of them that cannot be run.

    Raises UsageError if none is left to run.
    """
    names = [*options.names, *_used_by(options.page, options.root)]
    snippets, broken = project.load_sound(options.root, bases, names)
    terminal.problems(broken)
    if not snippets:
        raise UsageError("no snippet is left to run", hint="see above")
    if options.bases == "rebuilt":
        bases.check_recipes(base_images.wanted(snippets))
    if options.quick and (slow := [snippet.name for snippet in snippets if snippet.slow]):
        snippets = [snippet for snippet in snippets if not snippet.slow]
        terminal.say(f" · left out by --quick: {', '.join(slow)}")
        if not snippets:
            raise UsageError("--quick leaves no snippet to run", hint="drop --quick")
    return plan.part(snippets, plan.parse(options.shard)) if options.shard else snippets, broken


def may_reuse(options: Namespace) -> bool:
    """Whether earlier verdicts may be reused: only for a plain run on this machine, never in CI."""
    special = (
        options.rerun,
        options.fresh,
        options.timeout,
        options.memory,
        options.same_engine,
        options.newest_bases,
        options.network,
    )
    reported = (options.results, options.report, os.environ.get("CI"))
    private = options.engine in ("auto", "private") and not private_daemon.obstacle()
    return private and not any(special) and not any(reported)


def reused_results(
    snippets: list[Snippet], options: Namespace, terminal: Terminal, cache: ResultCache
) -> dict[str, Result]:
    """The results of those snippets that need not run, since nothing has changed since their last run."""
    results: dict[str, Result] = {}
    if may_reuse(options):
        results = {result.snippet.name: result for snippet in snippets if (result := cache.get(snippet))}
        _log.info("not run, since nothing has changed since their last run: %s", ", ".join(results) or "none")
    for result in results.values():
        terminal.result(result)
    return results


def run_snippets(
    snippets: list[Snippet], options: Namespace, terminal: Terminal, bases: Bases, cache: ResultCache
) -> dict[str, Result]:
    """Run these snippets on the engine that the options choose, and keep their verdicts for the next run."""
    results: dict[str, Result] = {}
    with (
        _captures_locked(options, terminal),
        engine_choice.chosen(options.engine, terminal, cache_folder(), memory=options.memory) as engine,
    ):
        _check_kept(options, engine)
        try:
            for result in _run_all(snippets, options, terminal, bases, engine):
                terminal.result(result)
                results[result.snippet.name] = result
        finally:  # what an interrupted run has finished does not have to run again
            if engine.private:
                cache.keep(list(results.values()))
        if options.write and options.bases == "registry":
            kept = [
                result.new for result in results.values() if result.new and result.verdict in ("written", "accurate")
            ]
            bases_lock.keep(options.root, bases, kept)
    return results


def _run_all(
    snippets: list[Snippet], options: Namespace, terminal: Terminal, bases: Bases, engine: Engine
) -> Iterator[Result]:
    """Run the snippets, and yield the result of each as soon as it is there."""
    if options.same_engine:
        _check_own_words(engine)
    pinned = bases_lock.load(options.root, bases)
    if options.newest_bases and options.write:
        locked: dict[str, str] = {}
    else:
        # `check --newest-bases` compares with what the tags name, but a Dockerfile's own digest stays.
        kept = {} if options.newest_bases else pinned
        locked = bases_lock.locked(snippets, kept, complete=options.bases == "rebuilt")
    loaded, missing = _load_bases(base_images.wanted(snippets), options, terminal, bases, engine, locked=locked)
    if options.bases == "registry":
        for line in bases_lock.moved(pinned, {name: base.key for name, base in loaded.items()}, bases):
            terminal.say(f" · {line}", "yellow")
        if options.newest_bases and options.write:
            snippets = _with_moved_pins(snippets, loaded, terminal)
    if engine.emulated_on and loaded:
        emulation.check(engine, next(iter(loaded)))
    provenance = verify.provenance(options.root, engine, loaded, options.engine_from)
    if options.write:
        _warn_if_uncommitted(provenance, terminal)
    # In a shared engine, what a build adds is found by comparing before and after: only one may run at a time.
    jobs = (options.jobs or scheduler.default_jobs()) if engine.private else 1
    with terminal.running() as on_step:
        session = verify.Session(
            root=options.root,
            engine=engine,
            bases=bases,
            loaded=loaded,
            origin=options.bases,
            cache=cache_folder(),
            provenance=provenance,
            fresh=options.fresh,
            timeout=options.timeout,
            same_engine=options.same_engine,
            network=options.network,
            on_step=on_step,
        )

        def run(snippet: Snippet, /, *, concurrent: bool) -> Result:
            for name in snippet.bases:
                if name in missing:
                    return Result(snippet, "not measured", error=missing[name])
            return verify.verify(snippet, session, write=options.write, concurrent=concurrent)

        yield from scheduler.run(snippets, run, jobs=jobs)


def _with_moved_pins(snippets: list[Snippet], loaded: Mapping[str, Loaded], terminal: Terminal) -> list[Snippet]:
    """The snippets, with the digests of these bases in their Dockerfiles."""
    for path in bases_lock.move_pins(snippets, {name: base.key for name, base in loaded.items()}):
        terminal.say(f" · {Where(path)} has the new digest", "yellow")
    return [
        next(again for again in manifest.variants(snippet.folder) if again.variant == snippet.variant)
        if snippet.pins
        else snippet
        for snippet in snippets
    ]


def _warn_if_uncommitted(source: Provenance, terminal: Terminal) -> None:
    """Say that captures will name no commit that holds what they measured, if there is none."""
    if revision.is_uncommitted(source.revision):
        terminal.say(
            f" · snippets have changed since commit {source.revision[:-1]}, so no commit will hold what is captured "
            "now. Commit the snippets first, run proof update again, and then commit the captures.",
            "yellow",
        )


def _check_kept(options: Namespace, engine: Engine) -> None:
    """Raise UsageError if this run is to write what it measures, and its engine emulates the platform."""
    if engine.emulated_on and (options.write or options.results):
        raise UsageError(
            f"your {engine.kind} is on {engine.emulated_on} and emulates {engine.platform}, so it can check captures, "
            "but not make them: pages show what was measured without an emulator",
            hint=user_engine.use_another(engine),
        )


def _check_own_words(engine: Engine) -> None:
    """Raise UsageError if no page shows what this engine says in its own words: there is nothing to compare it with."""
    info = engine.info()
    name = f"{engine.kind} {info.version}"
    if not EngineVersion.of(name, info.image_store).is_shown:
        raise UsageError(
            f"no page shows the words of {name} with its image store, {info.image_store}",
            hint="drop --same-engine, or use Docker 28 or earlier, or Docker 29 with containerd's image store",
        )


def _load_bases(
    names: Iterable[str],
    options: Namespace,
    terminal: Terminal,
    bases: Bases,
    engine: Engine,
    *,
    locked: Mapping[str, str],
) -> tuple[dict[str, Loaded], dict[str, CannotMeasureError]]:
    """The base images that could be loaded, and the errors of the others, whose snippets are not measured."""
    get = partial(loader.ensure, engine=engine, origin=options.bases, cache=cache_folder(), mirror=options.mirror)
    loaded: dict[str, Loaded] = {}
    missing: dict[str, CannotMeasureError] = {}
    away = ""
    for name in names:
        if away:  # retrying for each image could take hours
            missing[name] = RegistryAwayError(f"{name} was not requested: {away}")
            continue
        try:
            with terminal.stage(f"base {name}, {options.bases}"):
                loaded[name] = engine.retry_if_lost(partial(get, bases, name, locked=locked.get(name, "")))
        except EngineLostError:
            raise
        except CannotMeasureError as error:
            terminal.problems([error])
            missing[name] = CannotMeasureError(error.what, where=error.where)
            away = error.what if isinstance(error, RegistryAwayError) else ""
    return loaded, missing


@contextlib.contextmanager
def _captures_locked(options: Namespace, terminal: Terminal) -> Iterator[None]:
    """Only one run at a time may write the captures of a project; any number may check them."""
    if not options.write:
        yield
        return
    snippets = options.root / "snippets"
    with locks.holding(snippets, on_wait=terminal.waiting):
        store.sweep(snippets)
        yield


def _used_by(pages: Iterable[Path], root: Path) -> list[str]:
    """The snippets that these pages use; UsageError for a page that does not exist or uses none."""
    if not pages:
        return []
    used: set[str] = set()
    reports = {report.path.resolve(): report for report in scan.all_read(root, expand=False)}
    for path in pages:
        report = reports.get((root / path).resolve()) or reports.get(path.resolve())
        if report is None or not report.page.snippets:
            what = "is not a page of this site" if report is None else "uses no snippet"
            raise UsageError(f"{path} {what}", hint="--page docs/index.md")
        used |= report.page.snippets
    return sorted(used)
