"""`proof check` and `proof update`: run snippets on an engine and compare; `update` also writes what changed."""

from __future__ import annotations

import argparse
import signal
import time

from proof.cli.options import Verbs, add_run_options, resolve


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare both verbs."""
    for name, text in (
        ("check", "run every snippet and compare the results with the captures; write nothing"),
        ("update", "run every snippet and keep what changed"),
    ):
        parser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add_run_options(parser)
        parser.set_defaults(run=_run, write=name == "update")


def _run(options: argparse.Namespace) -> int:
    from proof.cli.conclude import conclude
    from proof.cli.page_check import PageCheck
    from proof.cli.run_snippets import choose_snippets, reused_results, run_snippets
    from proof.core.errors import NoEngineError, NotInstalledError, exit_code_of
    from proof.core.settings import cache_folder
    from proof.pages import measurement_pages
    from proof.reports.terminal import Terminal
    from proof.runs.result_cache import ResultCache
    from proof.shards import result_files
    from proof.snippets import base_images
    from proof.snippets.engine_version import PLATFORM

    # CI systems stop a job with SIGTERM: clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    resolve(options)
    root, terminal = options.root, Terminal(stderr=options.json)
    bases = base_images.load(root)
    snippets, broken = choose_snippets(options, terminal, bases)
    if options.results:
        result_files.check_empty(options.results)
    cache = ResultCache(root, cache_folder(), bases, PLATFORM, origin=options.bases)
    by_name = reused_results(snippets, options, terminal, cache)
    page_check = None
    if not options.write:  # an update may solve the problems of pages
        everything = not (options.names or options.page)
        page_check = PageCheck.of(root, snippets, everything=everything, broken=broken, cache=cache_folder())
        page_check.report(terminal)  # before minutes are spent
    try:
        if left := [snippet for snippet in snippets if snippet.name not in by_name]:
            by_name |= run_snippets(left, options, terminal, bases, cache)
    except NoEngineError as error:
        if broken:
            terminal.problems([error])
        elif not (options.no_engine_ok and isinstance(error, NotInstalledError)):
            raise
        terminal.say(f"Nothing was verified: {error.what}. The pages show the committed captures.", "bold yellow")
        return exit_code_of(broken)
    results, seconds = [by_name[snippet.name] for snippet in snippets], time.monotonic() - started
    if options.results:
        shared = {"root": root, "origin": options.bases, "same_engine": options.same_engine}
        result_files.save(results, options.results, seconds=seconds, **shared)
    code = conclude(options, terminal, results, seconds=seconds, page_check=page_check, broken=broken)
    for page in measurement_pages.write_missing(root) if options.write else ():
        terminal.say(f" · a page for the measurements of a new snippet: {page.relative_to(root)}")
    return code
