"""The finishing step, on the site as it is built: what a page allows, loads and says of itself."""

import gzip
import json
import os
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from selectolax.lexbor import LexborHTMLParser

from proof.core import limits
from proof.core.errors import LimitError, RefusedError, UsageError, Where
from proof.facts import book as facts
from proof.publish import card, lean, styles, theme
from proof.publish import markup as markup_module
from proof.publish.finish import publish
from proof.publish.page import Page, digest
from proof.publish.scripts import AFTER_PAINT, Scripts
from tests.support.helpers import REPOSITORY, mkdocs, succeeded

ADDRESS = "https://example.org/article/"
# As scripts/site passes them on.
PUBLISHED = {"REPO_URL": "https://github.com/example/article", "EDIT_URI": "edit/main/docs/"}
ATOM = {"a": "http://www.w3.org/2005/Atom"}
MAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
SMALL = """<!doctype html><html><head><meta charset="utf-8"><title>Two &amp; one · Notes</title>
<meta name="description" content="What a </script> weighs."></head>
<body><h1>Two</h1><p>A lead.</p></body></html>
"""
ADDRESSED = SMALL.replace("<title>", f'<link rel="canonical" href="{ADDRESS}"><title>')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built for an address and finished."""
    folder = tmp_path_factory.mktemp("published")
    succeeded(mkdocs(REPOSITORY, folder, {**PUBLISHED, "SITE_URL": ADDRESS}))
    publish(folder, REPOSITORY)
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Page]:
    return [Page(site, path) for path in sorted(site.rglob("*.html"))]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A site of one page, by no generator in particular."""
    (tmp_path / "index.html").write_text(SMALL, "utf-8")
    return tmp_path


def policy(page: Page) -> dict[str, list[str]]:
    """A page's policy, as a browser splits it."""
    found = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.html)
    assert len(found) == 1
    return {words[0]: words[1:] for part in found[0].split(";") if (words := part.split())}


def test_a_policy_allows_every_script_of_its_page_and_no_other(site: Path, pages: list[Page]) -> None:
    """Each inline script and each file is allowed by its hash; with one character more, neither is."""
    for page in pages:
        assert page.inline_scripts
        assert not page.script_files  # the loader in the page names them
        (names,) = re.findall(r"const scripts = (.*)", "".join(page.inline_scripts))
        loaded = [page.file(source).read_bytes() for source in json.loads(names)]
        assert len(loaded) >= 2
        allowed = [*map(digest, loaded), *(digest(script.encode()) for script in page.inline_scripts)]
        assert sorted(policy(page)["script-src"]) == sorted(f"'{name}'" for name in set(allowed))
    assert (site / "assets/explorer.js").is_file()


LOADER = AFTER_PAINT.replace("{{ styles }}", "x.css").replace("{{ scripts | tojson }}", '["notes.txt"]')
REFUSED = [
    # Only `lean` adds it. In a page of an author, it could load any file of docs/ as a script, also a .txt file.
    (f"<script>{LOADER}</script>", "unknown inline script"),
    # a script of the page's own, whatever it is called
    ("<script>alert(1)</script>", "unknown inline script"),
    ("<script type=module>alert(1)</script>", "an inline script must not have attributes"),
    ("<script type='text/javascript;x'>alert(1)</script>", "an inline script must not have attributes"),
    ("<script src=https://example.com/a.js></script>", "is not allowed here"),
    ("<script src=//example.com/a.js></script>", "is not allowed here"),
    ("<script src='assets/notes.txt'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script src='data:text/javascript,alert(1)//.js'></script>", "is not allowed here"),
    ("<script src='assets/site.js'>alert(1)</script>", "a script from a file has only `src` and `defer`"),
    ("<script src='assets/site.js' type=module></script>", "a script from a file has only `src` and `defer`"),
    # two readers of HTML would see two pages: these hide a script from one that is not a browser's
    ('<p title=="x><script src=assets/evil.txt></script>">', "`assets/evil.txt` is neither"),
    ('<p title==\u00a0"x><script src=assets/evil.txt></script>">', "`assets/evil.txt` is neither"),
    ('<script src="assets/site.js"></script x><script src=evil.txt></script>', "`evil.txt` is neither"),
    ('<script src="assets/site.js"/><p title="</script><script src=evil.txt></script>">', "has only `src`"),
    ('<svg><script src="assets/site.js"/><script src=evil.txt></script></svg>', "<script> is not allowed in a picture"),
    ('<x\0 id="__config" onclick=alert(1)>', "> is not allowed in a page"),
    ('<noscript><p title="</noscript><script src=evil.txt></script>"></noscript>', "<noscript> is not allowed"),
    ("<script src='errors/x.js'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script src='assets/x.js'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script src='assets/%2e%2e/errors/x.js'></script>", "is neither the theme's script nor one that mkdocs.yml"),
    ("<script src='../assets/site.js'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script src='/assets/site.js'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script src='search/search.js'></script>", "is neither the theme's script nor one that mkdocs.yml names"),
    ("<script id=__config type=application/json>{}</script>" * 2, "only the theme may have data"),
    ("<script type=application/json>{}</script>", "only the theme may have data"),
    ("<a id=__config>x</a>", "the theme would take this for its settings"),
    ("<form name=__config></form>", "the theme would take this for its settings"),
    # markup that runs one
    ("<img src=x onerror=alert(1)>", "the attribute `onerror`"),
    ("<svg/onload=alert(1)>", "the attribute `onload`"),
    ("<details open ONTOGGLE=alert(1)>", "the attribute `ontoggle`"),
    ("<a href=javascript:alert(1)>x</a>", "is not allowed here"),
    ("<a href=' jAvA\tscript:alert(1)'>x</a>", "is not allowed here"),
    ("<a href='&#106;avascript&colon;alert(1)'>x</a>", "is not allowed here"),
    ("<a href='\x01javascript:alert(1)'>x</a>", "is not allowed here"),
    ("<a href='data:text/html,x'>x</a>", "is not allowed here"),
    ("<a href='vbscript:x'>x</a>", "is not allowed here"),
    ("<svg><a xlink:href='javascript:alert(1)'/></svg>", "<a> is not allowed in a picture"),
    ("<svg><animate attributeName=href to=javascript:alert(1) /></svg>", "<animate> is not allowed"),
    ("<svg><use href='data:image/svg+xml,x'/></svg>", "<use> is not allowed"),
    ("<svg><foreignObject></foreignObject></svg>", "<foreignObject> is not allowed in a picture"),
    ("<math><mtext></mtext></math>", "<math> is not allowed"),
    ("<iframe srcdoc='x'></iframe>", "<iframe> is not allowed"),
    ("<object data=x></object>", "<object> is not allowed"),
    ("<embed src=x>", "<embed> is not allowed"),
    # markup that leads elsewhere, asks elsewhere, or makes the page another one
    ("<meta http-equiv=refresh content='0;url=https://example.com'>", "<meta> is not allowed in a page"),
    ("<base href=https://example.com>", "<base> is not allowed"),
    ("<form action=https://example.com></form>", "the attribute `action`"),
    ("<button formaction=https://example.com>x</button>", "the attribute `formaction`"),
    ("<a href=x ping=https://example.com>x</a>", "the attribute `ping`"),
    ("<img src=https://example.com/i.png>", "is not allowed here"),
    ("<img src=\\\\example.com/i.png>", "is not allowed here"),
    ("<img srcset=https://example.com/i.png>", "the attribute `srcset`"),
    ("<video src=x poster=y></video>", "<video> is not allowed"),
    ("<link rel=stylesheet href=x.css>", "<link> is not allowed in a page"),
    ("<style>@import 'https://example.com'</style>", "<style> is not allowed"),
    ('<h1 style="color: red">x</h1>', "the attribute `style`"),
    ("<template></template>", "<template> is not allowed"),
    ("<textarea></textarea>", "<textarea> is not allowed"),
    ("<noscript><img></noscript>", "<noscript> is not allowed"),
    ("<plaintext>", "<plaintext> is not allowed"),
    # what two parsers read in two ways
    ("<svg><title><img src=x onerror=y></title></svg>", "<img> is not allowed in a picture"),
    ("<svg><desc><p>x</p></desc></svg>", "<p> is not allowed in a picture"),
    (
        "<svg><th></th></svg>",
        "<td> is not allowed in a picture",
    ),  # corrected to one of HTML, and read again as one of SVG
    ("<g></g>", "<g> is not allowed in a page"),
    ("<p><title>x</title></p>", "<title> is not allowed in a page"),
    ("<ul><li>" * 200, "nested too deeply"),  # Chromium ends an element there
    ("<!--><img src=x onerror=y>-->", "the attribute `onerror`"),
    ("<!-- a --!><img src=x onerror=y> -->", "the attribute `onerror`"),
    ("<![CDATA[<x>]]><img src=x onerror=y>", "the attribute `onerror`"),
    ("<?php x ><img src=x onerror=y>?>", "the attribute `onerror`"),
]


@pytest.mark.parametrize(("markup", "says"), REFUSED, ids=lambda text: text[:60])
def test_markup_that_no_page_may_hold_stops_the_build(markup: str, says: str, small: Path) -> None:
    """What a policy would forbid, and what it does not speak of, is found before a reader is."""
    path = small / "index.html"
    path.write_text(SMALL.replace("<p>A lead.</p>", f"<p>A lead.</p>\n{markup}"), "utf-8")
    with pytest.raises(UsageError, match=re.escape(says)) as refused:
        publish(small, REPOSITORY)
    assert refused.value.where == Where(path)
    assert refused.value.hint
    assert "Content-Security-Policy" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "markup", ["<meta http-equiv=refresh content=0>", "<img src=x>", "<base href=x>", "<h1 style=x>"]
)
def test_front_matter_cannot_write_into_the_head(markup: str, small: Path) -> None:
    """A theme puts a description into an attribute as it is."""
    (small / "index.html").write_text(SMALL.replace("weighs.", f'weighs.">{markup}<meta name="x" content="'), "utf-8")
    with pytest.raises(UsageError, match=r"index\.html: .* not allowed"):
        publish(small, REPOSITORY)


def test_a_description_cannot_give_the_page_another_address(small: Path) -> None:
    """The first canonical address would count."""
    other = ADDRESSED.replace("weighs.", 'weighs."><link rel="canonical" href="https://example.com/"><meta name="x')
    (small / "index.html").write_text(other, "utf-8")
    with pytest.raises(UsageError, match="a page has one canonical address"):
        publish(small, REPOSITORY)


def test_no_file_from_outside_gets_into_a_page(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A policy has the hashes of files, and a page might name another one."""
    (tmp_path_factory.getbasetemp() / "secret.svg").write_text("<svg/>")
    away = os.path.relpath(tmp_path_factory.getbasetemp() / "secret.svg", small)
    (small / "index.html").write_text(f'<link rel="icon" href="{away}">', "utf-8")
    page = Page(small, small / "index.html")
    with pytest.raises(RefusedError):
        page.content(away)
    with pytest.raises(UsageError, match=r"the site has no file `assets/none\.svg`"):
        page.content("assets/none.svg")


@pytest.mark.parametrize("name", ["evil.html~", "4913", "x~", "notes.txt", "a.htm", "a.xhtml", "a.svgz"])
def test_a_file_that_could_be_a_page_stops_the_build(name: str, small: Path) -> None:
    """A site generator copies what an editor leaves behind, and a browser may take it for HTML."""
    (small / name).write_text("<script>alert(1)</script>", "utf-8")
    with pytest.raises(UsageError, match="file is not published"):
        publish(small, REPOSITORY)


def test_blanks_take_no_time(small: Path) -> None:
    """Each run of blanks is read once."""
    blanks = " " * 300_000
    (small / "index.html").write_text(SMALL.replace("A lead.", f"a{blanks}b\nc"), "utf-8")
    began = time.process_time()
    publish(small, REPOSITORY)
    assert time.process_time() - began < 10
    assert f"a{blanks}b\nc" in (small / "index.html").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_endless_page_is_an_error_that_names_it(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever takes the time: each page has a deadline."""

    def endless(_: Page) -> None:
        while True:
            pass

    monkeypatch.setattr(limits, "SECONDS", 0.1)
    monkeypatch.setattr(theme, "correct", endless)
    with pytest.raises(LimitError, match=r"index\.html: reading this takes longer"):
        publish(small, REPOSITORY)


def test_a_page_is_published_as_it_was_read(small: Path) -> None:
    """What a browser repairs is written repaired, and harmless elements of a theme stay as they are."""
    html = (
        "<table><caption>c</caption><tr><th scope=col>a</table><kbd>/</kbd><!-- a note -->"
        "<a href='https://example.com/?a=b#c' rel=noopener>a</a><a href=mailto:a@example.com>m</a>"
        "<pre>\n\n x</pre><b><p>1</b>2</p><img src='../a.png' alt=a>"
        "<script src='assets/calculator.js' defer></script>"
    )
    (small / "assets").mkdir()
    (small / "assets/calculator.js").write_text("x")
    (small / "index.html").write_text(SMALL.replace("<p>A lead.</p>", html), "utf-8")
    (page,) = publish(small, REPOSITORY)
    written = (small / "index.html").read_text("utf-8")
    assert Page(small, small / "index.html").html == written == page.html
    assert "<pre>\n\n x</pre><b></b><p><b>1</b>2</p>" in written
    assert f'<script src="assets/calculator.js" defer="" integrity="{digest(b"x")}"></script>' in written


def test_a_script_is_known_by_where_it_comes_from(site: Path) -> None:
    """Those of the theme's templates and of overrides/, with a path where a template leaves one open; no other one."""
    scripts = Scripts.of(REPOSITORY)
    found = {script for path in site.rglob("*.html") for script in Page(site, path).inline_scripts}
    assert len(found) >= 5
    for script in found:
        assert scripts.know(script) is not ("PerformanceObserver" in script)  # the loader is known to no page
        for other in (f"{script} ", f"{script};alert(1)"):
            assert not scripts.know(other)
    scope = next(script for script in found if script.startswith('__md_scope=new URL("'))
    rest = scope.partition('"')[2].partition('"')[2]
    assert scripts.know(f'__md_scope=new URL("../..{chr(34)}{rest}')
    for other in ("https://example.com", '"+alert(1)+"', "\\", "${alert(1)}", "</script>", "javascript:x"):
        assert not scripts.know(f'__md_scope=new URL("{other}"{rest}')


def test_a_file_in_the_place_of_the_themes_script_is_not_loaded(site: Path, tmp_path: Path) -> None:
    """A file of docs/ goes before one of the theme's with the same name."""
    bundle = next(site.glob("assets/javascripts/bundle.*.js"))
    path = tmp_path / bundle.relative_to(site)
    path.parent.mkdir(parents=True)
    path.write_bytes(bundle.read_bytes())
    html = SMALL.replace("<p>A lead.</p>", f"<script src='{bundle.relative_to(site)}'></script>")
    (tmp_path / "index.html").write_text(html, "utf-8")
    markup_module.check(Page(tmp_path, tmp_path / "index.html"), Scripts.of(REPOSITORY))
    path.write_text("alert(1)")
    with pytest.raises(UsageError, match="is neither the theme's script"):
        markup_module.check(Page(tmp_path, tmp_path / "index.html"), Scripts.of(REPOSITORY))


def test_a_finished_site_is_not_finished_again(small: Path) -> None:
    publish(small, REPOSITORY)
    with pytest.raises(UsageError, match="already finished"):
        publish(small, REPOSITORY)


@pytest.mark.parametrize(
    ("css", "line"),
    [("\n@media print { .a { color: red }", 2), ("\n\n.a { color: red }}", 3), (".a { color: rgb(1 }", 1), ("/*", 1)],
)
def test_a_brace_too_few_or_too_many_stops_the_build(css: str, line: int, tmp_path: Path) -> None:
    """Closed by the browser at the end, a block would swallow the style sheets behind it."""
    harmless = '/* { */ .b::before { content: "}" }'
    path = tmp_path / "more.css"
    path.write_text(harmless, "utf-8")
    assert [str(rule) for rule in styles.read(path)] == ['.b::before{content:"}"}']
    path.write_text(f"{harmless} {css}", "utf-8")
    with pytest.raises(UsageError, match=rf"more\.css:{line}: a bracket or a quote is not closed, or not opened"):
        styles.read(path)


def test_the_first_paint_waits_for_one_style_sheet(site: Path, pages: list[Page]) -> None:
    """The theme's and ours are one file, ours behind the theme's, and the same for all pages."""
    links = {
        tuple(
            (page.file(address).relative_to(site).as_posix(), media)
            for address, media in re.findall(r'<link rel="stylesheet" href="([^"]+)"(?: media="(\w+)")?>', page.html)
        )
        for page in pages
    }
    [((first, now), (later, then))] = links
    assert (now, then) == ("", "print")
    joined = (site / first).read_text("utf-8")
    assert 0 < joined.index(".md-typeset") < joined.index(".transcript") < joined.index(".measured")
    assert len(gzip.compress(joined.encode(), 6)) < 14_400  # with 200 of headers, what a new connection sends at once
    assert ".md-search-result__link" not in joined
    assert ".md-search-result__link" in (site / later).read_text("utf-8")


def test_the_search_loads_nothing_until_it_is_used(site: Path, pages: list[Page]) -> None:
    """The index that every page asks for has no documents, and the worker that it starts is a small one."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    documents = json.loads((site / "search" / "documents.json").read_text("utf-8"))
    assert index["docs"] == []
    assert len(documents["docs"]) > 100
    assert index["config"] == documents["config"]
    worker = (site / "search" / "search.js").read_text("utf-8")
    named = re.search(r'importScripts\("([^"]+)"\)', worker)
    assert named is not None
    assert (site / "search" / named[1]).is_file()
    for page in pages:
        assert "/workers/" not in page.html
        assert 'search/search.js"' in page.html


def test_blanks_that_mean_something_stay(small: Path) -> None:
    """Indents of the markup go; those of code and of scripts do not, nor the gap between two words."""
    code = "<pre><code>if x {\n\n    y\n}</code></pre>"
    script = "<script>\n  `\n  text`\n</script>"
    (small / "index.html").write_text(f"<div>\n    <p>one\n      two</p>\n\n  {code}\n  {script}\n</div>", "utf-8")
    page = Page(small, small / "index.html")
    lean.remove_indentation(page)
    assert page.tree.body is not None
    assert page.tree.body.inner_html == f"<div>\n<p>one\ntwo</p>\n{code}\n{script}\n</div>"


def test_code_has_one_element_for_each_color(small: Path) -> None:
    """Neighbors of one color become one element. The text stays as it was, and so does a transcript."""
    said = (
        '<span></span><code><span class="k">COPY</span><span class="w"> </span><span class="s">a</span>'
        '<span class="w">  </span><span class="s">b</span> <span class="s">c</span>\n<span class="hll">'
        '<span class="s">d</span><span class="nx">e</span></span></code></pre>'
    )
    flags = '<pre><code><span class="flag">-a</span> <span class="flag">-b</span></code></pre>'
    (small / "index.html").write_text(f'<div class="language-go highlight"><pre>{said}</div>{flags}', "utf-8")
    page = Page(small, small / "index.html")
    lean.merge_spans(page)
    assert page.tree.body is not None
    assert page.tree.body.inner_html == (
        '<div class="language-go highlight"><pre><code><span class="k">COPY</span> <span class="s">a  b c</span>\n'
        f'<span class="hll"><span class="s">d</span>e</span></code></pre></div>{flags}'
    )


def test_a_table_without_a_class_gets_one(small: Path) -> None:
    """With a box around it, except for one that has another inside. One with a class stays as it is."""
    (small / "index.html").write_text(
        '<table id="a" border=1>\n<tr></table><table class="facts"><tr></table>'
        "<table><tr><td><table class=x><tr></table><table><tr></table></table>",
        "utf-8",
    )
    page = Page(small, small / "index.html")
    theme.wrap_tables(page)
    assert page.tree.body is not None
    box, end = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">', "</div></div>"
    rows = "<tbody><tr></tr></tbody>"
    assert page.tree.body.inner_html == (
        f'{box}<table id="a" border="1" class="plain-table">\n{rows}</table>{end}<table class="facts">{rows}</table>'
        f'<table class="plain-table"><tbody><tr><td><table class="x">{rows}</table>'
        f'{box}<table class="plain-table">{rows}</table>{end}</td></tr></tbody></table>'
    )


def test_a_card_shows_the_sizes_to_scale(site: Path) -> None:
    """The widths of the bars are to each other as the bytes of the two images."""
    image = Image.open(site / "assets/cards/card.png").convert("RGB")
    assert image.size == (1200, 630)
    rows = [[image.getpixel((x, y)) for x in range(72, 1200)] for y in (440, 510)]
    widths = [sum(pixel == row[0] for pixel in row) for row in rows]
    book = facts.load(REPOSITORY / "snippets")
    share = float(book["multi.size"].value) / float(book["single.size"].value)
    assert abs(widths[1] - widths[0] * share) <= 1
    assert widths[0] > 800


def boxed(text: str) -> str:
    """The box "In short" as the generator writes it."""
    title = '<p class="admonition-title">In short<a class="headerlink" href="#in-short">¶</a></p>'
    return f'<div class="admonition in-short" id="in-short">{title}<p>{text}</p></div><p>Not this.</p>'


def test_a_summary_is_read_without_its_title_and_marks() -> None:
    """What a reader would quote: the facts in it, but no title, no mark of a claim and no explanation."""
    claim = '<span class="claim"><button>✓</button><span class="claim__why">Checked</span></span>'
    cited = '<strong><data class="fact fact--cited" value="9000000">9MB</data></strong>'
    text = f'It takes <data class="fact" value="8000000">8MB</data>,<br>not <b>more</b>.{claim} {cited} before.'
    page = Page(Path(), Path("index.html"), f"<h1>Two</h1>{boxed(text)}")
    assert card.answer(page) == "It takes 8MB,not more. 9MB (cited) before."
    assert card._sizes(Page(Path(), Path("index.html"), boxed(f"{text}{text.replace('8', '7')}"))) == {
        "8MB": 8_000_000,
        "7MB": 7_000_000,
    }


def texts(drawn: list[tuple[str, str]], fill: str) -> str:
    """What was written on a card in one colour."""
    return " ".join(text for text, colour in drawn if colour == fill)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is written on cards from now on, and in which colour."""
    found: list[tuple[str, str]] = []
    write = ImageDraw.ImageDraw.text

    def text(pen: ImageDraw.ImageDraw, place: tuple[float, float], text: str, **more: Any) -> None:
        found.append((text, more["fill"]))
        write(pen, place, text, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return found


def test_a_card_has_the_summary(small: Path, drawn: list[tuple[str, str]]) -> None:
    """Whole if there is room for it, in place of the description."""
    (small / "index.html").write_text(
        ADDRESSED.replace("<p>A lead.</p>", boxed("It takes 8MB. That is little.")), "utf-8"
    )
    publish(small, REPOSITORY)
    assert "It takes 8MB. That is little." in texts(drawn, card._INK)
    assert "weighs" not in texts(drawn, card._INK)


@pytest.mark.parametrize("text", ["x" * 1_100_000, "word " * 300_000, "One sentence. " * 80_000])
@pytest.mark.parametrize("title", ["{0} · {0}", "A title · {0}"])
def test_a_card_cuts_what_is_too_long(title: str, text: str, small: Path, drawn: list[tuple[str, str]]) -> None:
    """Pillow refuses a text of a million characters, and a shorter one takes minutes."""
    sizes = "".join(f'<strong><data class="fact" value="{size}">{text}</data></strong>' for size in (1, 2))
    html = ADDRESSED.replace("Two &amp; one · Notes", title.format(text)).replace("<p>A lead.</p>", boxed(text + sizes))
    page = Page(small, small / "index.html", html)
    began = time.process_time()
    card.draw(page, small)
    assert max(len(written) for written, _ in drawn) <= 1000
    assert time.process_time() - began < 10


def test_every_page_describes_itself(pages: list[Page]) -> None:
    """Title, description, author and addresses; a picture of its own; dates and tags where it has them."""
    for page in [page for page in pages if page.listed]:
        assert page.address == f"{ADDRESS}{page.url}"
        assert page.meta("og:url") == page.address
        assert page.meta("og:title")
        assert page.meta("og:description") == page.meta("description") != ""
        assert (page.site / page.meta("og:image").removeprefix(ADDRESS)).is_file()
        assert page.meta("author")
        assert page.metas("article:tag")
        day = page.meta("article:published_time") or page.meta("article:modified_time")  # of generated pages
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", day)
        assert "edit/main/docs/" in page.html


def test_feed_and_sitemap_name_the_pages(site: Path, pages: list[Page]) -> None:
    """The sitemap lists every page but the one for what is missing; the feed those with something measured."""
    listed = {page.address for page in pages if page.listed}
    sitemap = ET.parse(site / "sitemap.xml")  # noqa: S314 - written by the tool itself
    assert {loc.text for loc in sitemap.findall(".//s:loc", MAP)} == listed
    feed = ET.parse(site / "feed.xml")  # noqa: S314
    entries = {
        entry.findtext("a:id", "", ATOM): entry.findtext("a:updated", "", ATOM)
        for entry in feed.findall("a:entry", ATOM)
    }
    measured = {page.address: max(page.measured) for page in pages if page.measured}
    assert entries == {address: f"{day}T00:00:00Z" for address, day in measured.items()}
    assert len(entries) > 15
    assert feed.findtext("a:updated", "", ATOM) == max(entries.values())
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (site / "robots.txt").read_text("utf-8")


def test_every_page_has_its_markdown(site: Path, pages: list[Page]) -> None:
    """With the same headings and blocks of code, absolute links, and where it comes from; and two lists hold all."""
    cmark = pytest.importorskip("cmarkgfm.cmark", reason="cmarkgfm is not installed on a Mac")
    listed = [page for page in pages if page.listed]
    assert len(listed) > 100
    (copied,) = re.findall(
        r'each\(document, "(\.as-markdown.*?)"', (REPOSITORY / "docs/assets/site.js").read_text("utf-8")
    )
    for page in listed:
        assert [link.text() for link in page.tree.css(copied)] == ["View as Markdown"]  # among those to cite it
        text = page.path.with_suffix(".md").read_text("utf-8")
        tree = LexborHTMLParser(cmark.github_flavored_markdown_to_html(text, cmark.Options.CMARK_OPT_FOOTNOTES))
        titles = [heading.text().removesuffix("¶").split() for heading in page.tree.css("article :is(h1, h2, h3)")]
        said = [re.sub(r"\[\d+\]", "", heading.text()).split() for heading in tree.css("h1, h2, h3")]
        assert said == titles, page
        files = [box.text() for box in page.tree.css("article .highlight pre")]
        assert files == [box.text() for box in tree.css("pre") if box.text() in files], page
        links = [str(link.attributes["href"]) for link in tree.css("a[href]")]
        assert all(link.startswith(("https://", "http://", "#fn")) for link in links), page
        assert f"]({page.address})." in text
        assert 'href="index.md" type="text/markdown">View as Markdown</a>' in page.html
        assert text in (site / "llms-full.txt").read_text("utf-8")
    labels = re.findall(r"^(\[\^[^]]+\]): ", (site / "llms-full.txt").read_text("utf-8"), re.MULTILINE)
    assert len(labels) == len(set(labels)) > 0  # no page's footnote is taken for another page's
    list_ = (site / "llms.txt").read_text("utf-8")
    assert list_.startswith("# Using Multi-Stage Docker Builds with Go\n\n> One Go program")
    assert sorted(re.findall(r"\]\(([^)]*)\)", list_)) == sorted(f"{page.address}index.md" for page in listed)


def test_every_measurement_is_a_data_set(pages: list[Page]) -> None:
    """With every fact of the project once, and an entry to cite each by."""
    named: list[str] = []
    for page in pages:
        for script in page.tree.css('script[type="application/ld+json"]'):
            data = json.loads(script.text())
            named += [each["name"] for each in data["variableMeasured"]]
            entries = json.loads((page.path.parent / "cite.json").read_text("utf-8"))
            assert [entry["id"] for entry in entries[1:]] == [each["name"] for each in data["variableMeasured"]]
        assert not page.listed or (page.path.parent / "cite.bib").is_file()
    book = facts.load(REPOSITORY / "snippets")
    assert sorted(named) == sorted(name for name in book if name not in book.cited)


def test_without_an_address_nothing_absolute_is_said(small: Path) -> None:
    """A build that was not told where it goes has no feed, no canonical address and no picture's address."""
    (page,) = publish(small, REPOSITORY)
    assert "og:url" not in page.html
    assert "og:image" not in page.html
    assert not (small / "feed.xml").exists()
    assert not list(small.glob("llms*"))
    assert not list(small.glob("cite*"))
    assert not list(small.rglob("*.png"))  # nor a card, to which nothing could link
    assert (small / "robots.txt").read_text("utf-8") == "User-agent: *\nAllow: /\n"


def test_a_feed_stays_xml_whatever_a_page_says(small: Path) -> None:
    """A control character in a title or a tag would end it for every reader of feeds."""
    head = f'<link rel="canonical" href="{ADDRESS}"><meta property="article:tag" content="a\x0bb">'
    text = SMALL.replace("<title>Two &amp; one", f"{head}<title>]]&gt;&lt;/title&gt;\x1b[31m &amp;#0;\ufffe")
    measured = '<time class="measured" datetime="2026-11-23">x</time>'
    (small / "index.html").write_text(text.replace("<p>", f"{measured}<p>"), "utf-8")
    publish(small, REPOSITORY)
    feed = ET.parse(small / "feed.xml")  # noqa: S314 - written by the tool itself
    assert feed.findtext("a:entry/a:title", "", ATOM) == "]]></title>\\x1b[31m &#0;\\ufffe"
    assert ET.parse(small / "sitemap.xml").findtext(".//s:loc", "", MAP) == ADDRESS  # noqa: S314


@pytest.mark.parametrize("value", ["x", "nan", "inf", "1e999", "-1", "", "9" * 400])
def test_a_fact_that_a_page_made_up_draws_no_bar(value: str, small: Path) -> None:
    """HTML in a page can look like a fact; a card needs a number of bytes."""
    fact = f'<strong><data class="fact" value="{value}">8MB</data></strong>'
    other = fact.replace("8MB", "9MB")
    (small / "index.html").write_text(SMALL.replace("A lead.", fact + other), "utf-8")
    (page,) = publish(small, REPOSITORY)
    assert card._sizes(page) == {}


def test_the_page_for_what_is_missing_works_at_any_depth(site: Path) -> None:
    """Its links and files are named from the host's root, and it is not to be found."""
    html = (site / "404.html").read_text("utf-8")
    named = re.findall(r'(?:href|src)="(?!data:)([^"#]+)"', html)
    assert named
    assert not [name for name in named if not name.startswith(("/article/", "https://")) and name != "/article"]
    assert '<meta name="robots" content="noindex">' in html


# The deadline may strike while Python collects garbage, where no error can be raised: it strikes again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_style_sheet_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it has a deadline."""
    monkeypatch.setattr(limits, "SECONDS", 0.1)
    (tmp_path / "a.css").write_text("a{b:c}" * 100_000, "utf-8")
    with pytest.raises(LimitError, match=r"a\.css: reading this takes longer than 0\.1 s"):
        styles.read(tmp_path / "a.css")


def split(css: str, folder: Path, first: set[str], later: set[str]) -> styles.Styles:
    (folder / "a.css").write_text(css, "utf-8")
    return styles.split(styles.read(folder / "a.css"), first, later)


def test_a_style_sheet_loses_what_nothing_can_match(tmp_path: Path) -> None:
    """A rule stays if each name that it needs is there; alternatives, animations and used properties stay whole."""
    icon = "url(\"data:image/svg+xml;utf8,<svg a='rotate(1)};'/>\")"
    css = f"""
        .a, .gone > .a {{ color: red }} .gone {{ --x: 1 }} [data-b="gone"] p {{ top: 0 }} hr, p hr::after {{ top: 0 }}
        p.a[data-b=c] {{ color: var(--used) }} :root {{ --used: {icon}; --unused: {icon}; top: 1px; --last:2px}}
        .a:not(.gone) , :is(.gone, .a) b{{ top: 2px }} #gone {{ top: 3px }} b:hover {{ --gone: 1 }}
        @media screen {{ .gone {{ top: 6px }} }} @media (width < 9em) {{ .a {{ margin: 1px  calc(1px + 2px) , 0 }} }}
        @keyframes gone {{ from {{ top: 7px }} }} [data-md-color-switching] *, .c {{ top: 8px; content: "a ;  b" }}
        [data-md-color-switching] .a {{ top: 9px }}
    """
    first, later = split(css, tmp_path, {"a", "c", "p", "b"}, set())
    assert first == (
        ".a{color:red}p.a[data-b=c]{color:var(--used)}"
        f":root{{--used:{icon};top:1px}}"
        ".a:not(.gone),:is(.gone, .a) b{top:2px}@media (width < 9em){.a{margin:1px calc(1px + 2px) , 0}}"
        "@keyframes gone { from { top: 7px } }"
        '.c{top:8px;content:"a ;  b"}'
    )
    assert later == ""


def test_what_only_the_themes_script_and_the_printer_need_comes_later(tmp_path: Path) -> None:
    """A selector comes later if it needs a name of the script; a property, if nothing earlier uses it."""
    css = """
        :root { --now: 1; --both: 2; --then: 3; --by-script: 4; --gone: 5 }
        .a, .a .late { top: var(--now); left: var(--both) } .late mark { top: var(--then); right: var(--both) }
        @media print { .a { top: 5px } .gone { top: 6px } @page { margin: 1cm } } @page { margin: 2cm }
        @media screen { @media print { .a { top: 7px } } .late { top: 8px } .a { top: 9px } }
        @media print, (scripting: none) { .a { top: 10px } }
    """
    first, later = split(css, tmp_path, {"a"}, {"late", "mark", "--by-script"})
    assert first == (
        ":root{--now:1;--both:2}.a{top:var(--now);left:var(--both)}@page { margin: 2cm }"
        "@media screen{.a{top:9px}}@media print, (scripting: none){.a{top:10px}}"
    )
    assert later == (
        ":root{--then:3;--by-script:4}.a .late{top:var(--now);left:var(--both)}"
        ".late mark{top:var(--then);right:var(--both)}@media print{.a{top:5px}@page { margin: 1cm }}"
        "@media screen{@media print{.a{top:7px}}}@media screen{.late{top:8px}}"
    )
