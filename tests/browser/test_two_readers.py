"""The tool and the browser read every page alike, and nothing in it acts: shown by made-up HTML and Markdown.

Whatever the tool would publish is loaded in the browser. `PROOF_INPUTS=20000` tries more inputs, and PROOF_SEED others.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader
from mkdocs.commands.build import get_context
from mkdocs.config import load_config
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import get_navigation
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from proof.core.errors import ProofError
from proof.publish import csp, finish
from proof.publish.finish import publish as publish_site
from proof.publish.page import Page, paths
from proof.publish.scripts import Scripts
from tests.browser.conftest import settled, watched_context
from tests.browser.frames import READERS, Frames, Shown
from tests.browser.frames import frames as frames_in
from tests.browser.serve import serve
from tests.support.helpers import REPOSITORY, captured, mkdocs, tiny
from tests.support.makers import write
from tests.support.odd_html import VECTORS, made_up

SEED = int(os.environ.get("PROOF_SEED", "1"))
INPUTS = int(os.environ.get("PROOF_INPUTS", "500"))
AT_ONCE = 60  # pages in the browser
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="description" content="{description}">{head}</head>
<body><main><p title="{double}">1</p><p title='{single}'>2</p><p title={bare}>3</p>{body}<p>4</p></main></body></html>
"""
PLACES = [*["body"] * 14, "double", "single", "bare", "title", "description", "head"]
BARE = """{% extends "main.html" %}
{% block styles %}{% endblock %}{% block config %}{% endblock %}{% block scripts %}{% endblock %}"""
# Where Markdown takes a text. {} stands for it.
CONTEXTS = [
    *("{}", "x {} y", "# {}", "{}\n===", "- {}\n- x", "1. x\n\n    {}", "> {}", "*{}* **{}** ~~{}~~", "    {}"),
    *("| a | b |\n|---|---|\n| {} | x |", "[{}](x)", "[x]({})", "[x](<{}>)", '[x](y "{}")', "[x](y '{}')"),
    *("![{}](a.png)", "![x]({})", '![x](a.png "{}")', "[x][y]\n\n[y]: {}", '[x][y]\n\n[y]: z "{}"', "[{}]: x\n\n[{}]"),
    *("<{}>", "<https://{}>", "`{}`", "``{}``", "```\n{}\n```", "``` {}\nx\n```", '``` go title="{}"\nx\n```'),
    *("``` { .go {} }\nx\n```", '``` go hl_lines="{}"\nx\n```', "# x {: {} }", '# x {: title="{}" }', "# x { #{} }"),
    *("x\n{: class='{}' }", "[x](y){: {} }", '!!! note "{}"\n    x', "!!! {}\n    x", '??? note "{}"\n    x'),
    *("&{};", "term\n:   {}", "{{ {} }}", "{{ claim: {} }}", "{{ waiver: {} }}\n\n    x", '--8<-- "{}"'),
    *("---\ntitle: {quoted}\n---\n# x", "---\ntitle: {quoted}\n---\nx", "---\ndescription: {quoted}\n---\n# x"),
    *("---\ntags: [x, {quoted}]\ndate: 2026-01-01\n---\n# x", "---\nauthor: {quoted}\n---\n# x"),
    *("---\ndate: {quoted}\n---\n# x", "---\n{}\n---\n# x", "---\nhide: [{quoted}]\n---\n# x", "title: {}\n\n# x"),
]
# What Markdown takes for its own, or puts in place of what is finished.
MARKS = [
    *("`", "``", "*", "**", "_", "[", "]", "](", "][", "](x", "!", "\\", "\\<", "{: ", "}", "{: #x }", "|", "\n\n", "\n", "    "),
    *("# ", "> ", "- ", "1. ", "```\n", "~~~\n", "\n===\n", "[x]: ", "\t", "  \n", "{{ ", " }}", "!!! note\n    ", ": ", "<!-- x -->"),
    *("&lt;", "&amp;lt;", "&quot;", "&#60;", "\x02", "\x03", "\x02wzxhzdk:0\x03", "\x02klzzwxh:0000\x03", "wzxhzdk:0", "<https://"),
    *("\x02amp\x03", "&#2;wzxhzdk:0&#3;", "<a@b>", "---\n", "...\n", "'", '"', "$", "~~", "^^", "==", "--", "\\\n", "*[x]: ", "[^1]", "\n[^1]: "),
]


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
            page = publish(text)
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
    """HTML in the body, an attribute, the title or the head: what is published has the tool's tree, and does nothing."""

    def inputs() -> Iterator[str]:
        yield from (filled(PAGE, body=vector) for vector in VECTORS)
        for number in range(INPUTS * 3 // 5):
            place = random.Random(f"{SEED}/{number}").choice(PLACES)
            yield filled(PAGE, **{place: made_up(SEED, number)})

    def publish(html: str) -> Watched | None:
        return published(with_canaries(html, frames.elsewhere), tmp_path, scripts)

    counts = examined(inputs(), publish, frames)
    assert counts["let through"] > 0.3 * counts["inputs"]


def with_canaries(text: str, elsewhere: str) -> str:
    """A text of the corpus with a script and an address that are noticed."""
    return text.replace("CANARY", "canary()").replace("ELSEWHERE", elsewhere)


def filled(page: str, **texts: str) -> str:
    """A page with these texts in it."""
    return re.sub(r"\{(\w+)\}", lambda found: texts.get(found[1], ""), page)


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
    """Makes pages as MkDocs does, with this project's extensions and templates, but without scripts and styles."""

    def __init__(self, root: Path) -> None:
        path = configure(root, "plugins: []")
        self._config = load_config(str(path))
        self._config.plugins._current_plugin = "none"  # that makes these files
        environment = self._config.theme.get_env()
        assert environment.loader is not None
        partials = [f"partials/javascripts/{name}.html" for name in environment.list_templates() if "javascripts" in name]
        environment.loader = ChoiceLoader([DictLoader({**dict.fromkeys(partials, ""), "test.html": BARE}), environment.loader])
        self._template = environment.get_template("test.html")

    def page(self, text: str) -> str:
        """The HTML of a page."""
        file = File.generated(self._config, "index.md", content=text)
        files = Files([file])
        navigation = get_navigation(files, self._config)
        (page,) = navigation.pages
        page.read_source(self._config)
        page.render(self._config, files)
        page.next_page = page  # whose title is shown in the footer
        return self._template.render(get_context(navigation, files, self._config, page))


def test_markdown_that_is_let_through(
    scripts: Scripts, frames: Frames, tmp_path: Path
) -> None:
    """The same in Markdown, wherever it takes a text, and in front matter."""
    generator = Generator(captured(tiny(tmp_path)))

    def inputs() -> Iterator[str]:
        for number in range(INPUTS * 2 // 5):
            dice = random.Random(f"{SEED}/{number}")
            text = made_up(SEED, number)
            for mark in dice.choices(MARKS, k=dice.choice([0, 0, 1, 2, 4])):
                at = dice.randint(0, len(text))
                text = text[:at] + mark + text[at:]
            if dice.random() < 0.5:  # to stay where a text ends with its line
                text = " ".join(text.split())
            yield dice.choice(CONTEXTS).replace("{}", text).replace("{quoted}", json.dumps(text))

    def publish(text: str) -> Watched | None:
        try:
            html = generator.page(with_canaries(text, frames.elsewhere))
        except ProofError:
            return None
        except Exception as error:
            print('EXC', repr(error)[:200], repr(text)[:300])
            return None
        return published(html, tmp_path, scripts)

    examined(inputs(), publish, frames)


def test_the_vectors_would_act(frames: Frames) -> None:
    """As they are, a third of them and more run their scripts; below a policy alone, none does."""
    vectors = [vector for vector in VECTORS if re.search("canary|CANARY|ELSEWHERE", vector)]
    policy = f'<meta http-equiv="Content-Security-Policy" content="{csp.policy([])}">'
    bare, below = Counter[str](), Counter[str]()
    for start in range(0, len(vectors), AT_ONCE):
        pages = [filled(PAGE, body=with_canaries(each, frames.elsewhere)) for each in vectors[start : start + AT_ONCE]]
        for counts, begin in ((bare, "<head>"), (below, f"<head>{policy}")):
            for shown in frames.show([page.replace("<head>", begin, 1) for page in pages]):
                acts = {"ran": shown.ran, "asked": shown.asked, "blocked": shown.blocked}
                counts.update(name for name, any_of in acts.items() if any_of)
    print(f"{len(vectors)} vectors: {dict(bare)}, below a policy {dict(below)}")
    assert bare["ran"] > len(vectors) / 3
    assert below["ran"] == 0
    assert below["blocked"] > len(vectors) / 3


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the theme and the search, whose headings, texts and tags are vectors."""
    root = captured(tiny(tmp_path_factory.mktemp("built")))
    configure(root, "plugins: [search]")
    write(root, {"docs/proof/index.md": "# Proof\n"})  # which index.md links to
    vectors = [with_canaries(vector, "//localhost/canary.js") for vector in VECTORS[::9] if "\n" not in vector and vector.isprintable()]
    for number, vector in enumerate(vectors):
        tag = re.sub(r"[<>\"]|&[#\w]+;", lambda found: {"<": "&lt", ">": "&gt"}.get(found[0], "'"), vector)
        front = f"---\ntags: {json.dumps([f'needle {tag[:80]}'])}\ntitle: {json.dumps(f'needle {number} {tag[:150]}')}\n---\n"
        texts = [f"# needle {vector}", f"## needle `{vector}`", f"needle {vector}", f"- needle {vector}", f"    needle {vector}"]
        (root / f"docs/{number}.md").write_text(front + "\n\n".join(texts), "utf-8")
    done = mkdocs(root, root / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    publish_site(root / "site", root)
    return root / "site"


def test_the_search_shows_text(built: Path, browser: Browser) -> None:
    """What is found is shown as text, in titles, tags and excerpts: nothing acts in the results."""
    complaints: list[str] = []
    with serve(built) as address:
        context = watched_context(browser, address, complaints)
        context.add_init_script("self.canary = () => console.error('a script ran')")
        page = context.new_page()
        with settled(page):
            page.goto("")
        page.get_by_role("textbox", name="Search").fill("needle")
        results = page.locator(".md-search-result__list")
        results.locator("li").nth(5).wait_for(state="attached")
        for more in results.locator("summary").all():
            more.click()
        found = results.evaluate("list => [...list.querySelectorAll('*')].map(each => each.localName)")
        assert len(found) > 100
        print(Counter(found))
        assert set(found) <= set("li a article div h1 h2 p mark code pre ul ol details summary nav span".split())
        context.close()
    assert complaints == []


def test_the_built_pages_have_the_tools_trees(built: Path, browser: Browser) -> None:
    """Whole pages of the theme as well. Without scripts, because the theme's change the tree."""
    pages = paths(built)
    with serve(built) as address:
        context = browser.new_context(base_url=address, java_script_enabled=False)
        page = context.new_page()
        for path in pages:
            page.goto(path.relative_to(built).as_posix())
            shown, _ = page.evaluate(READERS + "written(document)")
            assert shown == tree(LexborHTMLParser(path.read_text("utf-8"), scripting=False))
        context.close()
    assert len(pages) > 20
