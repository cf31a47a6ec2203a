"""Generates the projects that are timed: copies of one snippet, and pages with everything pasted in by hand."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from maintenance.bench import clock
from maintenance.bench.clock import Taken
from proof.captures import store
from proof.core.errors import PageError
from proof.facts import expression
from proof.pages import explorer, indexes, scan, transcript
from proof.pages.page import INDEX, Page
from proof.pages.site import Site
from proof.snippets import manifest, places

# A chart, or a longer fence, which may show how to write one.
_CHART = re.compile(r"^(?P<longer>`{4,}).*?^(?P=longer)$|^``` chart\n.*?^```$", re.MULTILINE | re.DOTALL)
_FIGURE = re.compile(r'<figure class="chart\b.*?</figure>', re.DOTALL)
_BOX = re.compile(r'<details class="try\b.*?</details>', re.DOTALL)

MODEL = "joined"  # the snippet of this article that generated projects have copies of
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
        build(root, Path(built))
        html = {path: _built(path.relative_to(folder / "docs"), Path(built)) for path in _pages(folder)}
    for path in _pages(folder):
        page = Page(
            root,
            root / "docs",
            load_book=lambda: Site.at(root).book,
            list_pages=lambda: scan.scan(root, expand=False),
            source=path.read_text("utf-8"),
        )
        lines = [line for old in page.source.split("\n") for line in _index(old, page)]
        text = re.sub(r"\{\{\s*(.*?)\s*\}\}", partial(_pasted, page), "\n".join(lines))
        boxes = "".join(f"\n\n{box}" for box in _BOX.findall(html[path]))
        path.write_text(_drawn(text, _FIGURE.findall(html[path])) + boxes, "utf-8")
    return folder


def build(root: Path, built: Path) -> Taken:
    """Time MkDocs."""
    return clock.module("mkdocs", "build", "--quiet", "--site-dir", str(built), cwd=root)


def _edit(path: Path, pattern: str, new: str) -> None:
    text = path.read_text("utf-8")
    path.write_text(re.sub(pattern, new, text, flags=re.MULTILINE), "utf-8")


def _index(line: str, page: Page) -> list[str]:
    if (found := INDEX.match(line)) is None:
        return [line]
    if found["step"]:
        return indexes.error(page, found["step"])
    if found["snippet"]:
        return indexes.measurements_of(page, found["snippet"])
    return {"proof": indexes.proof, "measurements": indexes.measurements, "errors": indexes.errors}[found["list"]](page)


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
        page.explorers += 1
        return f"<div>{explorer.render(images, f'explorer-{page.explorers}')}</div>"
    if not text.startswith("transcript "):
        try:
            return str(expression.evaluate(text, page.book))
        except PageError:
            return found[0]  # one of Docker's own templates, in a code span
    snippet, _, name = text.removeprefix("transcript ").strip().partition("/")
    if snippet not in page.book.captures:
        return found[0]  # an example of how to write one
    capture = page.book.captures[snippet]
    step = capture.step(name)
    assert step is not None
    asked = next(s for s in page.snippet(snippet).steps if s.name == name)
    html = transcript.render(capture, step, asked.show, expect=asked.expect)
    return f'<div id="{transcript.anchor(snippet, name)}">{html}</div>'
