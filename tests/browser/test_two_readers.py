"""The tool and the browser read every page alike, and nothing in it acts: shown by made-up HTML and Markdown.

Whatever the tool would publish is loaded in the browser. `PROOF_INPUTS=20000` tries more inputs, and PROOF_SEED others.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import pytest
from mkdocs.commands.build import get_context
from mkdocs.config import load_config
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import get_navigation
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from proof.core.errors import ProofError
from proof.publish import csp, finish
from proof.publish.page import Page, paths
from proof.publish.scripts import Scripts
from tests.browser.conftest import settled, watched_context
from tests.browser.frames import READERS, Frames, Shown
from tests.browser.frames import frames as frames_in
from tests.browser.serve import serve
from tests.support import odd_pages
from tests.support.helpers import REPOSITORY, captured, mkdocs, succeeded, tiny
from tests.support.makers import write
from tests.support.odd_pages import VECTORS, with_canaries

SEED = int(os.environ.get("PROOF_SEED", "1"))
INPUTS = int(os.environ.get("PROOF_INPUTS", "500"))
AT_ONCE = 60  # pages in the browser
# The theme's page without styles, without the settings for its script, and without that script.
BARE = """{% extends "main.html" %}
{% block styles %}{% endblock %}{% block config %}{% endblock %}{% block scripts %}{% endblock %}"""


class Watched(Page):
    """A page that compares its tree, each time it is written, with what is read again."""

    kept = True

    def settle(self) -> Page:
        """Settle, and compare."""
        before = tree(self.tree)
        settled = super().settle()
        self.kept = self.kept and before == tree(parsed(settled.html))
        return settled


def parsed(html: str) -> LexborHTMLParser:
    """A page as the tool reads it."""
    return LexborHTMLParser(html, scripting=True)


def tree(page: LexborHTMLParser) -> str:
    """A tree in the format of readers.js."""
    page.merge_text_nodes()
    return page.html_pretty(tag_with_ns=True, full_doctype=True, without_text_indent=True) or ""


def published(html: str, site: Path, scripts: Scripts) -> Watched | None:
    """The page as the tool would publish it, or nothing if it refuses it."""
    page = Watched(site, site / "a" / "index.html", html)
    page.path.parent.mkdir(exist_ok=True)  # the page as Markdown is written beside it
    try:
        finish._finished(finish._checked(page, scripts), None)
    except ProofError:
        return None
    return page


def faults(page: Watched, shown: Shown) -> list[str]:
    """What is wrong with a page that was loaded. It may ask for images of its own site, and link to others."""
    own = r"http://127\.0\.0\.1:\d+/"
    wrong = {
        "written, it is another tree": not page.kept,
        "the browser has another tree": shown.tree != tree(parsed(page.html)),
        "a script ran": shown.ran > 0,
        "a request": any(not re.match(rf"image ({own}|data:)", what) for what in shown.asked),
        "an address": any(
            not re.match(rf"a (https?:|mailto:|$)|img ({own}|data:|$)", where) for where in shown.addresses
        ),
        "only the policy held": bool(shown.blocked),
    }
    return [what for what, is_so in wrong.items() if is_so]


@pytest.fixture(scope="module")
def frames(browser: Browser) -> Iterator[Frames]:
    with frames_in(browser) as found:
        yield found


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    return Scripts.of(REPOSITORY)


def examined(inputs: Iterable[str], publish: Callable[[str], Watched | None], frames: Frames) -> Counter[str]:
    """Load what is published of each of these texts. Fails with the smallest text that goes wrong."""
    counts: Counter[str] = Counter()
    failed: list[tuple[str, list[str]]] = []

    def let_through() -> Iterator[tuple[str, Watched]]:
        for text in inputs:
            try:
                page = publish(text)
            except Exception as error:
                error.add_note(f"PROOF_SEED={SEED}, and this input: {text!r}")
                raise
            counts.update(["inputs", "let through" if page else "refused"])
            if page:
                yield text, page

    found = let_through()
    while batch := list(islice(found, AT_ONCE)):
        for (text, page), shown in zip(batch, frames.show([page.html for _, page in batch]), strict=True):
            wrong = faults(page, shown)
            counts.update(wrong)
            counts["images"] += len(shown.asked)
            failed += [(text, wrong)] if wrong else []
    print(f"PROOF_SEED={SEED} PROOF_INPUTS={INPUTS}:", ", ".join(f"{count} {what}" for what, count in counts.items()))

    def is_wrong(text: str) -> bool:
        page = publish(text)
        return page is not None and bool(faults(page, *frames.show([page.html])))

    for text, wrong in failed[:3]:
        print(f"{', '.join(wrong)}: {minimised(text, is_wrong)!r}")
    assert not failed, f"{len(failed)} inputs"
    return counts


def minimised(text: str, is_wrong: Callable[[str], bool]) -> str:
    """The text without all that can be left out, as long as it is wrong. As it is, if it is right by itself."""
    size = len(text) if is_wrong(text) else 0
    while size := size // 2:
        for start in range(0, len(text), size):
            if is_wrong(shorter := text[:start] + text[start + size :]):
                text = shorter
    return text


def test_html_that_is_let_through(scripts: Scripts, frames: Frames, tmp_path: Path) -> None:
    """HTML in the body, an attribute, the title or the head: the browser has the tool's tree, and nothing acts."""
    vectors = [odd_pages.filled(body=vector) for vector in VECTORS]
    made_up = (odd_pages.page(SEED, number) for number in range(INPUTS * 3 // 5))

    def publish(html: str) -> Watched | None:
        return published(with_canaries(html, frames.elsewhere), tmp_path, scripts)

    counts = examined(chain(vectors, made_up), publish, frames)
    assert counts["let through"] > 0.3 * counts["inputs"]


def configure(root: Path, plugins: str) -> Path:
    """Give a project the settings of this one. Problems do not stop it: a page is to be harmless all the same."""
    settings = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    extensions = settings[settings.index("markdown_extensions:") :]
    theme = f"theme: {{ name: material, font: false, custom_dir: {REPOSITORY / 'overrides'} }}"
    own = f"- proof:\n      project: {root}\n      collect: true"
    path = root / "mkdocs.yml"
    path.write_text(f"site_name: Odd\n{theme}\n{plugins}\n{extensions.replace('- proof:', own)}", "utf-8")
    return path


class Generator:
    """Makes single pages as MkDocs does, with this project's extensions and templates."""

    def __init__(self, root: Path) -> None:
        self._config = load_config(str(configure(root, "plugins: []")))
        self._config.plugins._current_plugin = "none"  # the name of what has made the files
        self._template = self._config.theme.get_env().from_string(BARE)

    def page(self, text: str) -> str:
        """The HTML of a page. What stops a build is raised."""
        file = File.generated(self._config, "index.md", content=text)
        files = Files([file])
        navigation = get_navigation(files, self._config)
        (page,) = navigation.pages
        page.read_source(self._config)
        page.render(self._config, files)
        page.next_page = page  # whose title is shown in the footer
        return self._template.render(get_context(navigation, files, self._config, page))


def test_markdown_that_is_let_through(scripts: Scripts, frames: Frames, tmp_path: Path) -> None:
    """The same in Markdown, wherever it takes a text, and in front matter."""
    generator = Generator(captured(tiny(tmp_path)))

    def publish(text: str) -> Watched | None:
        try:
            html = generator.page(with_canaries(text, frames.elsewhere))
        except ProofError:
            return None
        return published(html, tmp_path, scripts)

    counts = examined((odd_pages.markdown(SEED, number) for number in range(INPUTS * 2 // 5)), publish, frames)
    assert counts["let through"] > 0.5 * counts["inputs"]


def test_the_vectors_would_act(frames: Frames) -> None:
    """As they are, a third of them and more run their scripts; below a policy alone, none does."""
    vectors = [vector for vector in VECTORS if re.search("canary|CANARY|ELSEWHERE", vector)]
    policy = f'<meta http-equiv="Content-Security-Policy" content="{csp.policy([])}">'
    bare, below = Counter[str](), Counter[str]()
    for start in range(0, len(vectors), AT_ONCE):
        batch = [with_canaries(vector, frames.elsewhere) for vector in vectors[start : start + AT_ONCE]]
        pages = [odd_pages.filled(body=vector) for vector in batch]
        for counts, begin in ((bare, "<head>"), (below, f"<head>{policy}")):
            for shown in frames.show([page.replace("<head>", begin, 1) for page in pages]):
                counts.update(what for what in ("ran", "asked", "blocked") if getattr(shown, what))
    print(f"{len(vectors)} vectors: {dict(bare)}, below a policy {dict(below)}")
    assert bare["ran"] > len(vectors) / 3
    assert below["ran"] == 0
    assert below["blocked"] > len(vectors) / 3


def word(number: int) -> str:
    """The word that finds a page of the built site."""
    return f"needle{number:03}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the theme and the search, with vectors as titles, tags, headings and texts."""
    root = captured(tiny(tmp_path_factory.mktemp("built")))
    configure(root, "plugins: [search]")
    write(root, {"docs/proof/index.md": "# Proof\n"})  # which the other pages link to
    vectors = [with_canaries(vector, "//localhost/canary.js") for vector in VECTORS[::20] if vector.isprintable()]
    for number, vector in enumerate(vectors):
        # In front matter, an entity without a semicolon is all that is left of it.
        plain = re.sub(r"&[#\w]+;", "", vector).replace("<", "&lt").replace(">", "&gt").replace('"', "'")
        title = json.dumps(f"{word(number)} {plain}"[:200])
        texts = ("# {}", "## needle `{}`", "needle {}", "- needle {}", "    needle {}")
        text = "\n\n".join(each.replace("needle", word(number)).replace("{}", vector) for each in texts)
        write(root, {f"docs/{number}.md": f"---\ntitle: {title}\ntags: [{title}]\n---\n{text}\n"})
    succeeded(mkdocs(root, root / "site"))
    finish.publish(root / "site", root)
    return root / "site"


def test_the_search_shows_text(built: Path, browser: Browser) -> None:
    """Nothing acts in its results: their titles, tags and excerpts are text."""
    complaints: list[str] = []
    with serve(built) as address:
        context = watched_context(browser, address, complaints)
        context.add_init_script("self.canary = () => console.error('a script ran')")
        page = context.new_page()
        with settled(page):
            page.goto("")
        field = page.get_by_role("textbox", name="Search")
        field.click()
        shown: set[str] = set()
        for number in range(len(list((built.parent / "docs").glob("[0-9]*.md")))):
            field.fill("")
            field.press_sequentially(word(number))
            result = page.locator(".md-search-result__item", has_text=word(number)).first
            result.wait_for(state="attached")
            shown.update(result.evaluate("result => [...result.querySelectorAll('*')].map(each => each.localName)"))
        context.close()
    assert shown <= set("a article div h1 h2 p mark code pre ul ol li details summary nav span".split())
    assert complaints == []


def test_whole_pages_have_the_tools_trees(built: Path, browser: Browser) -> None:
    """Pages as they are published, with all that the theme has. Without scripts, because they change the tree."""
    with serve(built) as address:
        context = browser.new_context(base_url=address, java_script_enabled=False)
        page = context.new_page()
        for path in paths(built):
            page.goto(path.relative_to(built).as_posix())
            shown, _ = page.evaluate(f"{READERS}\nwritten(document)")
            assert shown == tree(LexborHTMLParser(path.read_text("utf-8"), scripting=False))
        context.close()
