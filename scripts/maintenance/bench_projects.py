"""Generates the projects that are timed: copies of one snippet, and pages with everything pasted in by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from proof.captures import store
from proof.core.errors import PageError
from proof.facts import expression
from proof.facts.cited import CITED
from proof.pages import indexes, scan, transcript
from proof.pages.page import INDEX, Options, Page, Rendering
from proof.pages.site import Site
from proof.snippets import capture_locations, manifest

# A chart, or a longer fence, which may show how to write one.
_CHART = re.compile(r"^(?P<longer>`{4,}).*?^(?P=longer)$|^``` chart\n.*?^```$", re.MULTILINE | re.DOTALL)
_PAGE = """# {{{{ {name}.size }}}} in the image {name}

It weighs {{{{ bytes({name}.size) }}}}. It is not empty. {{{{ claim: {name}.layers > 0 }}}}

{transcripts}
"""


def generate(root: Path, model: str, folder: Path, count: int, *, pages: bool) -> Path:
    """Generate a project with `count` copies of the snippet `model` from the project `root`, with or without pages."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns("docs", "snippets"))
    shutil.copytree(root / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.md"))
    (folder / "snippets").mkdir()
    for listed in ("bases.toml", *CITED):  # bases.toml may name figures of cited.toml
        if (root / "snippets" / listed).is_file():
            shutil.copy(root / "snippets" / listed, folder / "snippets")
    _edit(folder / "mkdocs.yml", r"^nav:\n(?:[ #-].*\n)*", "")
    (folder / "docs" / "index.md").write_text("# Many\n", "utf-8")
    (snippet,) = manifest.variants(root / "snippets" / model)
    source = capture_locations.folder_of(snippet.folder, "rebuilt")
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
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", built]
        subprocess.run(command, cwd=root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)
        for path in sorted((folder / "docs").rglob("*.md")):
            place = path.relative_to(folder / "docs").with_suffix("")
            page = Path(built) / (place.parent if place.name == "index" else place) / "index.html"
            if page.is_file():  # not what `exclude_docs` keeps off the site
                html = LexborHTMLParser(page.read_text("utf-8"))
                path.write_text(_pasted(root, path.read_text("utf-8"), html), "utf-8")
    return folder


def _edit(path: Path, pattern: str, new: str) -> None:
    text = path.read_text("utf-8")
    path.write_text(re.sub(pattern, new, text, flags=re.MULTILINE), "utf-8")


def _pasted(root: Path, source: str, built: LexborHTMLParser) -> str:
    """A page with what the extension makes of it as HTML, found in the page that was built with it."""
    site = Site.at(root)
    page = Page(site, Options(root / "docs"), site.document(source), Rendering(lambda: scan.scan(root, expand=False)))
    charts, explorers = (iter(built.css(f"figure.{kind}")) for kind in ("chart", "explorer"))

    def token(found: re.Match[str]) -> str:
        kind, _, rest = found[1].partition(" ")
        if kind in ("claim:", "waiver:"):
            return ""
        if kind == "transcript":
            snippet, _, step = rest.strip().partition("/")
            element = built.css_first(f"#{transcript.anchor(snippet, step)}") if step.isidentifier() else None
            return str(element.html) if element else found[0]  # an example of how to write one
        if kind == "explorer":
            element = next(explorers, None) if page.book.captures.keys() >= {*rest.split()} else None
            return f"<div>{element.html}</div>" if element else found[0]
        try:
            return str(expression.evaluate(found[1], page.book))
        except PageError:
            return found[0]  # one of Docker's own templates, in a code span

    lists = {line: indexes.lines(page, named) for line in source.split("\n") if (named := INDEX.match(line))}
    text = "\n".join(line for old in source.split("\n") for line in lists.get(old, [old]))
    text = re.sub(r"\{\{\s*(.*?)\s*\}\}", token, text)
    text = _CHART.sub(lambda found: found[0] if found["longer"] else str(next(charts).html), text)
    return text + "".join(f"\n\n{box.html}" for box in built.css("details.try"))
