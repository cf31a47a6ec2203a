"""Times `proof status` on generated projects, and building a site compared with the same pages written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from maintenance.bench import clock, preview
from maintenance.bench.clock import Taken
from maintenance.bench.generated import build, by_hand, generate
from maintenance.bench.record import Row
from maintenance.bench.script import Edit


def status(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time `proof --help`, and `proof status` with each number of snippets; measure the memory of `proof status`."""
    (shown,) = clock.alternate(times, partial(clock.module, "proof.cli.main", "--help", cwd=work))
    yield Row("help", "proof --help", "s", shown.seconds, None, "", 0.15)
    again = []
    for count in counts:
        project = generate(root, model, work / f"status-{count}", count, pages=False)
        first = _status(project, work)
        again += clock.alternate(times, partial(_status, project, work))
        yield Row(f"status_{count}", f"status of {count:,} snippets", "s", again[-1].seconds, None, "", 0.5)
    yield Row("status_first", f"status of {count:,}, for the first time", "s", first.seconds, None, "", 0.5)
    most, fewer = again[-1].seconds, again[-2].seconds
    yield Row("status_linear", f"status of {count:,} again", "s", most, fewer, f"{counts[-2]:,}", count / counts[-2])
    few, many = again[0].kib, again[-1].kib
    yield Row("status_memory", f"memory of a status of {count:,}", "KiB", many, few, f"{counts[0]}", 1.1)


def _status(project: Path, work: Path) -> Taken:
    # With a separate cache, so that the first call finds nothing in it.
    return clock.module("proof.cli.main", "status", cwd=project, env={"PROOF_CACHE": str(work / "cache")})


def site(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time building this site and generated ones, compared with the same pages by hand; then an edit of a page."""
    projects = {"site": (root, "building this site")}
    for count in counts:
        pages = generate(root, model, work / f"site-{count}", count, pages=True)
        projects[f"site_{count}"] = (pages, f"building {count:,} pages")
    hand = "the pages by hand"
    for name, (project, what) in projects.items():
        pasted, built = by_hand(project, work / f"{name}-by-hand"), work / "built"
        ours, theirs = clock.alternate(times, partial(build, project, built), partial(build, pasted, built))
        yield Row(name, what, "s", ours.seconds, theirs.seconds, hand, 1.05)
        yield Row(f"{name}_memory", f"memory of {what}", "KiB", ours.kib, theirs.kib, hand, 1.1)
    edit = Edit("", "index.md", "\n{{ waiver: a benchmark }} It is")
    save = partial(edit.apply, root / "docs" / edit.file)
    with preview.serving(root, "--plain") as port:
        show = partial(preview.until_shown, port, "/", save)
        show()  # not counted: the first time loads modules
        (shown,) = clock.alternate(times, show)
    yield Row("page_edited", "one page edited, save to page", "s", shown.seconds, None, "", 0.2)
