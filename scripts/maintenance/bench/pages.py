"""Times `proof status` on generated projects, and building a site compared with the same pages written by hand."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from maintenance.bench import clock, preview
from maintenance.bench.record import Row
from proof.captures import store
from proof.core.errors import PageError
from proof.facts import expression
from proof.pages import explorer, indexes, scan, transcript
from proof.pages.page import INDEX, Options, Page, Rendering
from proof.pages.site import Site
from proof.snippets import manifest, places

# A chart, or a longer fence, which may show how to write one.
_CHART = re.compile(r"^(?P<longer>`{4,}).*?^(?P=longer)$|^``` chart\n.*?^```$", re.MULTILINE | re.DOTALL)
_FIGURE = re.compile(r'<figure class="chart\b.*?</figure>', re.DOTALL)
_BOX = re.compile(r'<details class="try\b.*?</details>', re.DOTALL)

METHOD = """
Generated: copies of one snippet with its capture, for `proof status` beside one page, for the site with a page each.
Status is timed where it has looked at the project before, and once where it has not.

By hand: the same pages, transcripts, figures and boxes pasted in as HTML, without the extension; the sides take turns.

Save to page: from saving a page while scripts/serve runs until a browser is told of the new one.
"""
_PAGE = """# {{{{ {name}.size }}}} in the image {name}

It weighs {{{{ bytes({name}.size) }}}}. It is not empty. {{{{ claim: {name}.layers > 0 }}}}

{transcripts}
"""


def generate(root: Path, model: str, folder: Path, count: int, *, pages: bool) -> Path:
    """Generate a project with `count` copies of the snippet `model` from the project `root`, with or without pages."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns("docs", "snippets"))
    shutil.copytree(root / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.md"))
    (folder / "snippets").mkdir()
    shutil.copy(root / "snippets" / "bases.toml", folder / "snippets")
    _edit(folder / "mkdocs.yml", r"^nav:\n(?:[ #-].*\n)*", "")
    (folder / "docs" / "index.md").write_text("# Many\n", "utf-8")
    (snippet,) = manifest.variants(root / "snippets" / model)
    source = places.folder_of(snippet.folder, "rebuilt")
    captured = store.load(source)
    assert captured is not None
    for number in range(count):
        name = f"copy_{number}"
        target = Path(shutil.copytree(snippet.folder, folder / "snippets" / name))
        if not pages:
            _edit(target / "snippet.toml", r"^unshown = .*\n", "")
            _edit(target / "snippet.toml", r"^\[\[step\]\]", '[[step]]\nunshown = "generated"')
        else:
            shown = "\n\n".join(f"{{{{ transcript {name}/{step.name} }}}}" for step in snippet.steps)
            (folder / "docs" / f"{name}.md").write_text(_PAGE.format(name=name, transcripts=shown), "utf-8")
        store.save(replace(captured, snippet=name), target / "captured" / "rebuilt")
    return folder


def by_hand(root: Path, folder: Path) -> Path:
    """Generate the same site with all values and transcripts pasted in, so that it does not need the extension."""
    shutil.copytree(root, folder)
    _edit(folder / "mkdocs.yml", r"^  - proof(?::\n(?:    .*\n)*|\n)", "")
    _edit(folder / "mkdocs.yml", r"^strict: true", "strict: false")  # some links lead to what an index would list
    with tempfile.TemporaryDirectory() as built:
        _build(root, Path(built))
        html = {path: _built(path.relative_to(folder / "docs"), Path(built)) for path in _pages(folder)}
    for path in _pages(folder):
        rendering = Rendering(lambda: scan.scan(root, expand=False))
        document = Site.at(root).document(path.read_text("utf-8"))
        page = Page(Site.at(root), Options(root / "docs"), document, rendering)
        lines = [line for old in page.source.split("\n") for line in _index(old, page)]
        text = re.sub(r"\{\{\s*(.*?)\s*\}\}", partial(_pasted, page), "\n".join(lines))
        boxes = "".join(f"\n\n{box}" for box in _BOX.findall(html[path]))
        path.write_text(_drawn(text, _FIGURE.findall(html[path])) + boxes, "utf-8")
    return folder


def status(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time `proof --help`, and `proof status` with each number of snippets; measure the memory of `proof status`."""
    (shown,) = clock.alternate(times, partial(clock.module, "proof.cli.main", "--help", cwd=work))
    yield Row("help", "proof --help", "s", shown.seconds, None, "", 0.15)
    found = {}
    for count in counts:
        project = generate(root, model, work / f"status-{count}", count, pages=False)
        goal = 0.5 if count <= 1000 else count / 1000 * 0.5
        first = _status(project, work)
        (found[count],) = clock.alternate(times, partial(_status, project, work))
        yield Row(f"status_{count}", f"status of {count:,} snippets", "s", found[count].seconds, None, "", goal)
    yield Row("status_first", f"status of {count:,}, for the first time", "s", first.seconds, None, "", goal)
    last, before = counts[-1], counts[-2]
    seconds = found[last].seconds, found[before].seconds
    yield Row("status_linear", f"status of {last:,} again", "s", *seconds, f"of {before:,}", last / before)
    few, many = found[counts[0]], found[counts[-1]]
    yield Row(
        "status_memory", f"memory of a status of {counts[-1]:,}", "KiB", many.kib, few.kib, f"of {counts[0]}", 1.1
    )


def _status(project: Path, work: Path) -> clock.Taken:
    # With a separate cache, so that the first call finds nothing in it.
    return clock.module("proof.cli.main", "status", cwd=project, env={"PROOF_CACHE": str(work / "cache")})


def site(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time building this site and generated ones, compared with the same pages by hand."""
    hand = "the pages by hand"
    projects = {"site": (root, "building this site")}
    for count in counts:
        made = generate(root, model, work / f"site-{count}", count, pages=True)
        projects[f"site_{count}"] = (made, f"building {count:,} pages")
    memory = {}
    for name, (project, what) in projects.items():
        pasted = by_hand(project, work / f"{name}-by-hand")
        built = work / "built"
        ours, theirs = clock.alternate(times, partial(_build, project, built), partial(_build, pasted, built))
        memory[name] = ours.kib, theirs.kib
        yield Row(name, what, "s", ours.seconds, theirs.seconds, hand, 1.05)
    for name, (with_it, without) in memory.items():
        yield Row(f"{name}_memory", f"memory of {projects[name][1]}", "KiB", with_it, without, hand, 1.1)
    yield from preview.page_edited(root, "index.md", times)


def _build(root: Path, built: Path) -> clock.Taken:
    return clock.module("mkdocs", "build", "--quiet", "--site-dir", str(built), cwd=root)


def _edit(path: Path, pattern: str, new: str) -> None:
    text = path.read_text("utf-8")
    path.write_text(re.sub(pattern, new, text, flags=re.MULTILINE), "utf-8")


def _index(line: str, page: Page) -> list[str]:
    named = INDEX.match(line)
    return [line] if named is None else indexes.lines(page, named)


def _pages(folder: Path) -> list[Path]:
    return sorted((folder / "docs").rglob("*.md"))


def _drawn(text: str, figures: list[str]) -> str:
    """Replace each chart in a text by its figure."""
    ordered = iter(figures)
    return _CHART.sub(lambda found: found[0] if found["longer"] else next(ordered), text)


def _built(page: Path, built: Path) -> str:
    """The HTML of a page in the built site."""
    place = page.parent if page.stem == "index" else page.with_suffix("")
    return (built / place / "index.html").read_text("utf-8")


def _pasted(page: Page, found: re.Match[str]) -> str:
    """What `{{ … }}` becomes in a page: the HTML of a transcript, a value, or nothing for a claim or waiver."""
    text = found[1]
    if text.startswith(("claim:", "waiver:")):
        return ""
    if text.startswith("explorer "):
        if not page.book.captures.keys() >= {*text.split()[1:]}:
            return found[0]
        images = [explorer.image(page.snippet(name), page.book.captures[name]) for name in text.split()[1:]]
        page.rendering.explorers += 1
        return f"<div>{explorer.render(images, f'explorer-{page.rendering.explorers}')}</div>"
    if not text.startswith("transcript "):
        try:
            return str(expression.evaluate(text, page.book))
        except PageError:
            return found[0]  # one of Docker's own templates, in a code span
    snippet, _, name = text.removeprefix("transcript ").strip().partition("/")
    if snippet not in page.book.captures:
        return found[0]  # an example of how to write one
    step = next(step for step in page.snippet(snippet).steps if step.name == name)
    anchor = transcript.anchor(snippet, name)
    html = transcript.of_step(page.snippet(snippet), step, page.book.shown(snippet), anchor)
    return f'<div id="{anchor}">{html}</div>'
