"""The audit of a rendered page: which text is a sentence, what backs it, and which names must exist."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import PageError
from proof.facts.book import FactBook
from proof.facts.values import Fact, Source
from proof.pages.document import Document
from proof.pages.lint.audit import FalseClaimError, audit
from proof.pages.lint.evidence import _contains
from proof.pages.page import WHOLE_PAGE, Options, Page, Rendering, Waiver
from proof.pages.site import Site
from tests.support.helpers import tiny
from tests.support.makers import capture

BOOK = FactBook({"multi": capture(snippet="multi"), "single": capture()})
CITED = FactBook({}, [Fact(5, "count", name="cited.size", source="x", origin=Source("a leaflet", "2020-06-04", ""))])
INLINE = "a abbr b del em i ins kbd mark q s samp small span strong sub sup".split()
BLOCKS = "p li td th h1 h2 h3 h4 h5 h6 dt dd figcaption summary caption".split()
CONTAINERS = "ul ol dl table thead tbody tr div blockquote details section figure pre".split()


def claim(predicate: str = "multi.layers == 8") -> str:
    """The mark of a claim, as the extension makes it."""
    return f'<span class="claim" data-text="{predicate}"></span>'


def waiver(reason: str = "an example") -> str:
    """The mark of a waiver."""
    return f'<span class="waiver" data-text="{reason}"></span>'


def parsed(html: str) -> ET.Element:
    return ET.fromstring(f"<div>{html}</div>")  # noqa: S314 - a text of this file


def audited(
    html: str | ET.Element,
    root: Path = Path("/nowhere"),
    book: FactBook = BOOK,
    *,
    source: str = "",
    waived: str = "",
    snippets: Collection[str] = (),
    **rendering: Any,
) -> Page:
    """What the audit finds on a page with this body."""
    document = Document(source, root, lambda _: root / "docs/index.md")
    page = Page(
        Site(root), Options(root / "docs", collect=True), document, Rendering(**rendering), snippets={*snippets}
    )
    page.waivers += [Waiver(WHOLE_PAGE, waived)] if waived else []
    page.book = book
    audit(parsed(html) if isinstance(html, str) else html, page)
    return page


def said(page: Page) -> list[str]:
    """The messages of the page's problems."""
    return [problem.what for problem in page.problems]


def loose(html: str) -> list[str]:
    """The sentences with something that nothing backs, as a reader sees them."""
    return [problem.evidence for problem in audited(html).problems]


class TestText:
    """Every visible sentence is read once."""

    @pytest.mark.parametrize("tag", BLOCKS)
    def test_blocks(self, tag: str) -> None:
        """Prose may be in headings, cells, captions and so on."""
        assert said(audited(f"<{tag}>It has 3 layers.</{tag}>")) == ["the number '3 layers' is typed, not measured"]

    @pytest.mark.parametrize("tag", ["pre", "div", "samp", "script"])
    def test_what_is_no_prose(self, tag: str) -> None:
        """Other elements, such as the output of a program, are not read as prose."""
        assert loose(f"<{tag}>It has 3 layers.</{tag}>") == []

    @pytest.mark.parametrize("tag", [*BLOCKS, *CONTAINERS])
    def test_a_block_in_a_block(self, tag: str) -> None:
        """The text of an inner block does not belong to the outer one, but the text after it does."""
        inner = f"<{tag}>It has 3 layers.</{tag}>" if tag in BLOCKS else f"<{tag}><p>It has 3 layers.</p></{tag}>"
        assert loose(f"<li>A list: {inner} and 4 layers</li>") == ["A list: and 4 layers", "It has 3 layers."]

    @pytest.mark.parametrize("tag", CONTAINERS)
    def test_a_container_in_a_block(self, tag: str) -> None:
        """The direct text of a container, such as a listing, does not belong to the block around it."""
        assert loose(f"<li>It prints <{tag}>3 layers</{tag}></li>") == []

    @pytest.mark.parametrize("tag", INLINE)
    def test_inline_text(self, tag: str) -> None:
        """Emphasis, links and the like are read with the text around them."""
        assert loose(f"<p>It has 3 <{tag}>layers</{tag}>.</p>") == ["It has 3 layers."]

    def test_nested_inline_text(self) -> None:
        """Nested inline elements are read at any depth, with the text after each."""
        assert loose("<p><b>about <em>99 <i>MB</i> of</em> it</b> all</p>") == ["about 99 MB of it all"]
        assert loose("<p><b>x</b> 99<i> MB</i></p>") == ["x 99 MB"]

    def test_an_element_of_another_class(self) -> None:
        """It is read like any other text."""
        assert loose('<p>It has <span class="more claim">3</span> layers.</p>') == ["It has 3 layers."]

    def test_code_and_facts_hold_no_numbers(self) -> None:
        """Numbers in facts need no claim, and those in code must be in a snippet instead."""
        assert loose("<p>Call <code>sleep</code> for <data>99&amp;nbsp;MB</data>.</p>") == []
        assert said(audited("<p>Call <code>sleep 5 s</code>.</p>")) == ["`sleep 5 s` is in no snippet of this page"]
        # What a link to another site quotes is cited.
        assert loose('<p>See <a href="https://example.com/"><code>sleep 5 s</code></a>.</p>') == []
        assert loose("<p>Call <code>x</code> for <data>99 MB</data>, not 5 s.</p>") == ["Call x for 99 MB, not 5 s."]
        assert loose("<p>Call <code>a<b>b</b>c</code>, 5 s.</p>") == ["Call abc, 5 s."]

    def test_text_over_several_lines(self) -> None:
        """A line end counts as a space."""
        assert loose("<p>It\n has   3\nlayers.</p>") == ["It has 3 layers."]

    def test_each_sentence_for_itself(self) -> None:
        """A claim backs only its own sentence."""
        html = f"<p>One has 3 layers. {claim()}Eight layers. {claim()} It takes 4 s. And 5 s.</p>"
        assert loose(html) == ["One has 3 layers.", "It takes 4 s.", "And 5 s."]

    @pytest.mark.parametrize("text", ["\ue005 has 3 layers.", "\uf8ff has 3 layers."])
    def test_a_private_character(self, text: str) -> None:
        """A private-use character in the source stands for nothing."""
        assert loose(f"<p>{text}</p>") == [f"\ufffd{text[1:]}"]
        assert loose(f"<p><code>x</code> {text}</p>") == [f"x \ufffd{text[1:]}"]


class TestBound:
    """The numbers of a sentence must be backed by its own claims, or waived."""

    def test_a_claim_backs_only_its_numbers(self) -> None:
        """A number that is in none of the sentence's claims stays unbound, however many claims there are."""
        page = audited(f"<p>It weighs 99 MB in eight layers {claim()}</p>")
        assert said(page) == ["the number '99 MB' is typed, not measured"]
        assert [each.sentence for each in page.claims] == ["It weighs 99 MB in eight layers"]
        assert said(audited(f"<p>Eight layers, the smallest {claim()}</p>")) == []
        assert said(audited("<p>The smallest.</p>")) == ["'smallest' draws a conclusion that nothing checks"]

    def test_several_claims(self) -> None:
        """A sentence may have several claims. Each fact and each claim counts as one bound number."""
        html = f"<p>Eight layers and <data>99 MB</data>, at most 9 layers{claim()} {claim('multi.layers &lt;= 9')}</p>"
        page = audited(html)
        assert said(page) == []
        assert page.bound == 3
        assert [each.predicate for each in page.claims] == ["multi.layers == 8", "multi.layers <= 9"]
        assert page.snippets == {"multi"}

    @pytest.mark.parametrize(
        ("html", "sentence"),
        [
            # A mark after the full stop belongs to the sentence before it, with or without a space.
            ("One. Two. {} Three.", "Two."),
            ("One. Two.{} Three.", "Two."),
            ("One. Two! {}", "Two!"),
            ("One. Two? {} Three.", "Two?"),
            ('One. "Two." {} Three.', '"Two."'),
            ("One. (Two.) {} Three.", "(Two.)"),
            ("One. “Two.” {} Three.", "“Two.”"),
            # One before it belongs to the sentence that it stands in.
            ("One. Two {}. Three.", "Two ."),
            # A fact or a piece of code after the full stop begins the next one.
            ("One. <code>two</code> {}. Three.", "two ."),
            ("One. {} <data>2</data> Three.", "One."),
        ],
    )
    @pytest.mark.parametrize("kind", ["claim", "waiver"])
    def test_whose_mark_it_is(self, html: str, sentence: str, kind: str) -> None:
        """A mark belongs to one sentence."""
        page = audited(f"<p>{html.format(claim() if kind == 'claim' else waiver())}</p>")
        marked = page.claims if kind == "claim" else page.waivers
        assert [each.sentence.rstrip('")”') for each in marked] == [sentence.rstrip('")”')]

    def test_a_waiver_backs_its_sentence(self) -> None:
        """It backs only its own sentence, in which names of files need not exist either."""
        page = audited(f"<p>Not 3 layers. It takes 4 s, <code>/srv/x.go</code>. {waiver('a promise')} And 5 s.</p>")
        assert page.waivers == [Waiver("It takes 4 s, /srv/x.go.", "a promise")]
        assert said(page) == [
            "the number '3 layers' is typed, not measured",
            "the number '5 s' is typed, not measured",
        ]
        assert page.bound == 0

    def test_a_claim_in_a_waived_sentence(self) -> None:
        """The claim is still checked."""
        page = audited(f"<p>It has 9 layers and 4 s {claim('multi.layers == 9')}{waiver()}</p>")
        assert said(page) == ["this claim is false"]

    def test_what_is_wrong_says_how_to_mend_it(self) -> None:
        """The problem has the visible sentence, and a hint."""
        (problem,) = audited("<p>It takes <data>99 MB</data> in <b>4 s</b>.</p>").problems
        assert isinstance(problem, PageError)
        assert problem.evidence == "It takes 99 MB in 4 s."
        assert problem.hint == "use {{ a.fact }}, add {{ claim: … }} to the sentence, or add {{ waiver: why }}"


@pytest.mark.parametrize(
    ("names", "alone"),
    [
        (("single.size", "single.layers", "multi.size", "multi.layers"), 0),  # a row each
        (("single.size", "multi.size", "single.layers", "multi.layers"), 0),  # a column each
        (("single.size", "multi.size", "multi.layers", "multi.du_src"), 0),  # one fact beside it, and one below it
    ],
)
def test_small_tables(names: tuple[str, ...], alone: int) -> None:
    assert _lonely(2, names) == alone


def test_a_fact_alone_of_its_kind() -> None:
    """Where its row and its column are about other snippets, another one may have been meant."""
    rows = ["single.size", "single.layers", "single.du_src"] * 3
    assert _lonely(3, rows) == 0
    assert _lonely(3, [*rows[:4], "multi.size", *rows[5:]]) == 1
    assert _lonely(3, [*rows[:3], "multi.size", "multi.layers", "multi.du_src", *rows[6:]]) == 0  # a row of its own
    assert _lonely(3, ["single.size", "multi.size", "single.layers"] * 3) == 0  # a column of its own


def _lonely(width: int, names: Sequence[str]) -> int:
    """How many facts of a table of this width are reported."""
    cells = ["<td><data>1</data></td>" for _ in names]
    rows = ["".join(cells[n : n + width]) for n in range(0, len(cells), width)]
    root = parsed(f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
    page = audited(root, stated=dict(zip(root.iter("data"), names, strict=True)))
    return sum("stands alone in a table" in what for what in said(page))


class TestClaims:
    def test_of_cited_figures_alone(self) -> None:
        """No run checks them, so there is no mark that says so."""
        (problem,) = audited(f"<p>It is five. {claim('cited.size == 5')}</p>", book=CITED).problems
        assert problem.what == "no run checks this claim: its facts are cited"

    def test_a_false_claim(self) -> None:
        """The problem has the sentence, its claim and the facts."""
        page = audited(f"<p>It has nine layers. {claim('multi.layers == 9')}</p>")
        (problem,) = page.problems
        assert isinstance(problem, FalseClaimError)
        assert problem.code == 1
        assert problem.evidence == "It has nine layers.\nclaim: multi.layers == 9\nfacts: multi.layers = 8"
        assert [each.holds for each in page.claims] == [False]
        assert page.bound == 1

    @pytest.mark.parametrize("predicate", ["multi.layers", "multi.nothing == 8", "8 =="])
    def test_no_claim(self, predicate: str) -> None:
        """A claim that cannot be evaluated backs nothing, and gets no explanation."""
        root = parsed(f"<p>It has layers. {claim(predicate)}</p>")
        page = audited(root)
        assert len(page.problems) == 1
        assert (page.claims, page.bound, page.snippets) == ([], 0, set())
        assert [element.tag for element in root.iter()] == ["div", "p", "span"]

    @pytest.mark.parametrize(
        ("html", "stands_inside"),
        [
            ("One {} and two.", True),
            ("One {}.", True),
            ("One, {} {} and two.", True),
            ("One: {} two.", True),
            ("<b>One {}</b> and two.", True),
            ("One. {} Two.", False),
            ("One. {}{} Two. {}", False),
            (f"One. {waiver()} {{}} Two.", False),
            ("“One.” {} Two.", False),
            ("<b>One.</b> {} Two.", False),
            ('<a href="https://a.example">One.</a> {} Two.', False),
            ("One: {}", False),
            ("One {}<ul><li>Two.</li></ul>", False),
        ],
    )
    def test_it_stands_behind_its_sentence(self, html: str, *, stands_inside: bool) -> None:
        """Its mark would split a sentence for those who read or hear it. At the end of a block it follows anything."""
        marks = [claim()] * html.count("{}")
        found = set(said(audited(f"<p>{html.format(*marks)}</p>")))
        assert found == ({"this claim stands in the middle of its sentence"} if stands_inside else set())

    def test_it_is_explained(self) -> None:
        """Its mark becomes a button that opens what was checked; the text after it stays."""
        root = parsed(f"<p>Eight layers. {claim()} More <b>text.</b>{claim('1 &lt; multi.layers')} End.</p>")
        assert len(audited(root).claims) == 2
        assert ET.tostring(root, "unicode") == (
            '<div><p>Eight layers. <span class="claim"><button type="button" class="claim__mark" '
            'popovertarget="claim-1" aria-label="How this is checked">✓</button>'
            '<span class="claim__why" id="claim-1" popover="auto">Checked whenever the site is built: '
            "<code>multi.layers == 8</code> holds for multi.layers = 8.</span></span> More <b>text.</b>"
            '<span class="claim"><button type="button" class="claim__mark" popovertarget="claim-2" '
            'aria-label="How this is checked">✓</button>'
            '<span class="claim__why" id="claim-2" popover="auto">Checked whenever the site is built: '
            # Text from outside is literal for Python-Markdown's serialiser: see verbatim.
            "<code>1 &lt; multi.layers</code> holds for multi.layers = 8.</span></span> End.</p></div>"
        )

    def test_what_it_was_checked_over_can_be_seen(self) -> None:
        """A value of a capture may contain anything, so invisible characters are made visible."""
        book = FactBook({"multi": capture(facts=capture().facts)})
        fact = book.captures["multi"].facts["command"]
        book.captures["multi"].facts["command"] = type(fact)("a\x1b[31m & b", "text", "x")
        predicate = "multi.command != 'x'"
        root = parsed(f"<p>It is so {claim(predicate)}</p>")
        audited(root, book=book)
        why = next(element for element in root.iter("code"))
        assert why.tail == " holds for multi.command = a␛[31m &amp; b."


class TestNames:
    """Every image, path, file and stage that prose names must be in a snippet of the page."""

    @pytest.mark.parametrize(
        "code",
        [
            # References of images.
            *("alpine:3.22", "golang:1.27-alpine", "ghcr.io/a/b-c_d:v1", f"alpine:3.22@sha256:{'ab12' * 16}", "a:b"),
            # Paths.
            *("/srv", "/srv/", "/srv/note.txt", "/etc/ssl/certs/", "/var/*.log", "/a/b-c/*", "/.ssh/x_y"),
            # Files.
            *("main.go", "go.mod", "go.sum", "snippet.toml", "note.txt", "ca.pem", "zoneinfo.zip", "cmd/app/main.go"),
            *("Dockerfile", "web/Dockerfile", ".dockerignore", "my-dir/.dockerignore", "a-b.go"),
            # Anything with a number.
            *(":3.22", "Alpine:3.22", f"alpine:3.22@sha512:{'a' * 64}", "CGO_ENABLED=0", "-p 8080:8080"),
            *("exit status 2", "a 1"),
        ],
    )
    def test_a_name(self, code: str) -> None:
        """On a page without snippets, no name exists."""
        (problem,) = audited(f"<p>See <code>{code}</code> here.</p>").problems
        assert problem.what == f"`{code}` is in no snippet of this page"
        assert problem.evidence == "snippets of this page: none"
        assert problem.hint == "correct the name, or add {{ waiver: why }} to the sentence"
        assert said(audited("<p></p>", codes={code})) == [problem.what]

    @pytest.mark.parametrize(
        "code",
        [
            *("go build", "alpine", "alpine:", "Alpine:edge", "a:b c", "alpine:edge@sha256", "a:.b", "-a:b"),
            *("linux/amd64", "arm64", "sha256", "x86_64", "utf8"),
            *("/", "//", "a/b", "a//main.go", "/srv//x", "/a b", "/srv:x", "/*"),
            *("main.py", ".go", "go", "main.go.bak", "main_go", "Dockerfile.web", "dockerignore", "xDockerfile"),
            *("builder", "--no-cache", "/a.dockerignore/ b", "docker run --init"),
        ],
    )
    def test_no_name(self, code: str) -> None:
        """Names of commands, flags and words are not checked."""
        assert said(audited(f"<p>See <code>{code}</code> here.</p>", codes={code})) == []

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("the stage {builder} is", ["builder"]),
            ("the stages {a} and {b}", ["a"]),
            ("the stage  {a}", ["a"]),
            ("the {builder} stage", ["builder"]),
            ("the {a} and {b} stage", ["b"]),
            ("stage {a}, and {b} stage", ["a", "b"]),
            ("the onstage {a}", []),
            ("the stages{a}", []),
            ("the stage of {a}", []),
            ("the {a}stage", []),
            ("the {a} stages", []),
            ("the {a}, stage", []),
            ("backstage {a}", []),
            ("{a} and {b}", []),
        ],
    )
    def test_a_stage(self, text: str, names: list[str]) -> None:
        """What prose calls a stage must exist, whatever its name."""
        html = text.replace("{", "<code>").replace("}", "</code>")
        assert said(audited(f"<p>{html}.</p>")) == [f"`{name}` is in no snippet of this page" for name in names]

    def test_a_command(self, root: Path) -> None:
        """What readers would run or copy has to be in a snippet of the page, or waived."""
        line, html = "COPY --chmod=a+r company.crt /etc/ssl/certs/", "<p>Add <code>{}</code>{} to it.</p>"
        (problem,) = audited(html.format(line, ""), root, snippets={"note"}).problems
        assert (problem.what, problem.hint) == (
            f"no snippet of this page has the command `{line}`",
            "run it, or add {{ waiver: why }}",
        )
        page = audited(html.format(line, waiver()), root, snippets={"note"})
        assert (page.problems, page.notes) == ([], [])  # nor does the waiver waive nothing
        assert audited(html.format("COPY note.txt /srv/note.txt", ""), root, snippets={"note"}).problems == []
        assert audited(html.format(line, ""), root, snippets={"note"}, waived="about the tool").problems == []
        assert audited(f'<p><a href="https://a.org/"><code>{line}</code></a></p>').problems == []

    @pytest.mark.parametrize(
        ("code", "refused"),
        [
            ("$ docker system prune", True),
            ("root@host:~# docker ps", True),
            ("\u276f docker ps", True),
            ("docker ps", False),
            ("a > b", False),
            ("$HOME", False),
        ],
    )
    def test_a_prompt(self, code: str, *, refused: bool) -> None:
        """A sentence may name a command, but not look like a transcript."""
        page = audited(f"<p>So <code>{escape(code)}</code> it is.</p>")
        assert ["a prompt in a sentence" in problem.what for problem in page.problems] == [True] * refused

    def test_a_fact_is_no_name(self) -> None:
        """The text of a fact is not checked as a name."""
        assert said(audited("<p>See <data>/srv/x</data> and the stage <data>a</data>.</p>")) == []

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """The tiny project."""
        return tiny(tmp_path)

    @pytest.mark.parametrize(
        ("snippets", "code", "known"),
        [
            ("note", "alpine:3.22", True),
            ("note", "/srv/note.txt", True),
            ("note", "/srv/", True),
            ("note", "note.txt", True),
            ("note", "/note.txt", False),
            ("note", "Dockerfile", True),
            ("note", "alpine:3.2", False),
            ("note", "/srv/other.txt", False),
            ("note", "words.txt", False),
            ("count", "alpine:3.22", True),  # the base of a command, which no file of the context names
            ("count", "/srv/note.txt", False),
            ("note count", "/srv/note.txt", True),
            ("note count", "/srv/none.txt", False),
            ("note", "/one/printed.txt", True),  # by a command
            ("count", "/one/printed.txt", False),
            ("note", "linked.txt", False),  # a link
            ("note", "/one/run.txt", True),  # in a command
            ("note", "only.txt", True),  # an empty file
        ],
    )
    def test_where_a_name_is_looked_for(self, root: Path, snippets: str, code: str, known: bool) -> None:  # noqa: FBT001 - an expected value
        """Names are searched in file names, files, commands, bases and outputs of the page's snippets."""
        folder = root / "snippets" / "note"
        (folder / "context" / "linked.txt").symlink_to("note.txt")
        (folder / "context" / "only.txt").write_bytes(b"\xff")
        manifest = folder / "snippet.toml"
        manifest.write_text(
            manifest.read_text() + '[[step]]\nname = "more"\ncommand = "docker run note /one/run.txt"\n'
        )
        output = capture().steps[0].__class__("run", "docker run note", None, 0, 0.1, "see /one/printed.txt\n")
        book = FactBook({"note": capture(snippet="note", steps=(output,))})
        page = audited(f"<p>See <code>{code}</code>.</p>", root, book, snippets=set(snippets.split()))
        assert said(page) == ([] if known else [f"`{code}` is in no snippet of this page"])
        if not known:
            listed = ", ".join(sorted(snippets.split()))
            assert page.problems[0].evidence == f"snippets of this page: {listed}"

    @pytest.mark.parametrize(
        ("name", "text", "stands"),
        [
            ("a.go", "a.go", True),
            ("a.go", "see a.go here", True),
            ("a.go", "(a.go)", True),
            ("a.go", "/a.go/", True),
            ("a.go", "", False),
            ("a.go", "b.go", False),
            ("a.go", "aa.go", False),
            ("a.go", "_a.go", False),
            ("a.go", "1a.go", False),
            ("a.go", ".a.go", False),
            ("a.go", "-a.go", True),
            ("a.go", "a.gob", False),
            ("a.go", "a.go1", False),
            ("a.go", "a.go-x", False),
            ("a.go", "a.go.", True),
            ("alpine:3.2", "alpine:3.22", False),
            # It may stand in several places, and any of them will do.
            ("a.go", "aa.go a.gob a.go", True),
            ("a.go", "aa.go a.gob aa.go", False),
            ("aa", "aaa aa", True),
            ("aa", "baaa", False),
        ],
    )
    def test_whole_names(self, name: str, text: str, stands: bool) -> None:  # noqa: FBT001 - an expected value
        """A name that is only part of another one does not count."""
        assert _contains(name, text) is stands


def test_the_first_problem_is_raised() -> None:
    """A site build stops at it; `proof status` collects them all."""
    page = Page(Site(Path("/nowhere")), Options(Path("/nowhere/docs")))
    page.book = BOOK
    with pytest.raises(PageError, match="the number '3 layers' is typed"):
        audit(parsed("<p>It has 3 layers. And 4 layers.</p>"), page)


def test_the_place_of_a_problem(tmp_path: Path) -> None:
    """The problem has the line of the number, the claim or the name in the page's source."""
    source = "# Title\n\nIt has\n3 layers.\n\nEight. {{ claim: cited.size == 2 }}\n\nSee `a.go`.\n"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(source)
    html = f"<p>It has\n3 layers.</p><p>Eight. {claim('cited.size == 2')}</p><p>See <code>a.go</code>.</p>"
    page = audited(html, tmp_path, CITED, source=source)
    lines = [problem.where.line if problem.where else None for problem in page.problems]
    assert lines == [4, 6, 8]


class TestValues:
    """What is typed next to a value."""

    @pytest.mark.parametrize(
        "unit",
        """MB MiB kB bytes % percent s seconds x × k K M B b MBs Mbytes KByte gbit megs gigs petabytes tebibytes bits ms
        µs msec milliseconds nanoseconds mins hrs h d days weeks months years dozen hundred thousand thousands million
        billion trillion bn fold ‰""".split(),
    )
    @pytest.mark.parametrize("join", ["", " ", "-", "\N{NO-BREAK SPACE}"])
    def test_a_unit(self, unit: str, join: str) -> None:
        """A value is written with its unit, so another one makes it false."""
        said_now = said(audited(f"<p>It has <data>10.7</data>{join}{unit} of it.</p>"))
        assert said_now == [f"the unit '{unit}' is typed after the value '10.7'"]

    @pytest.mark.parametrize(
        "rest", [" layers", " of them", ".", "-layer image", ", and", " to it", " times as much", " secrets"]
    )
    def test_no_unit(self, rest: str) -> None:
        """What is counted is no unit."""
        assert said(audited(f"<p>It has <data>two</data>{rest}</p>")) == []

    @pytest.mark.parametrize(
        "text",
        [
            '<data>2</data> <a href="https://x.y"></a> MB',
            '<a href="https://x.y">takes <data>2</data> </a> seconds',
            "<data>2</data> miIlion files",
            "<data>2</data> rninutes",
            f"<data>2</data> {claim('cited.size == 1')} MB",
        ],
    )
    def test_what_readers_take_for_a_unit(self, text: str) -> None:
        """However many blanks stand before it, and with letters that look like its own."""
        assert any("is typed after the value" in problem for problem in said(audited(f"<p>It has {text}.</p>")))

    def test_words(self) -> None:
        """A number in words has no unit after it either, nor has one a unit in code."""
        assert said(audited("<p>It has <data>two</data> million.</p>")) != []
        assert said(audited("<p>It has <data>2</data> <code>MB</code>.</p>")) != []

    @pytest.mark.parametrize(
        "around",
        [
            "<data>2</data><data>1</data>",
            "<data>2</data> <data>1</data>",
            "<data>2</data><span class='waiver'/><data>1</data>",
            "<data>2</data>.<data>1</data>",
            "<data>2</data>,<data>1</data>",
            "1<data>2</data>",
            "a<data>2</data>",
            "<code>1</code><data>2</data>",
            "<b>1</b><data>2</data>",
            "−<data>2</data>",
            "-<data>2</data>",
            ".<data>2</data>",
            "$<data>2</data>",
            "<data>2</data>1",
            "<data>2</data>a",
            "<data>2</data><sup>2</sup>",
            "<data>2</data>½",
            "<data>2</data>.5",
            "<data>2</data>,000",
            "<data>2</data>€",
        ],
    )
    def test_what_touches_a_value(self, around: str) -> None:
        """Readers take it for a part of the number."""
        messages = said(audited(f"<p>Of it, {around} are here.</p>"))
        assert any("nothing separates" in message for message in messages)

    @pytest.mark.parametrize(
        "around",
        [
            "(<data>2</data>)",
            "“<data>2</data>”",
            "the <data>2</data>, <data>1</data> and <data>4</data>",
            "two-<data>2</data>-layer",
            "<data>2</data>’s",
            "<data>2</data> → <data>1</data>",
            "<b><data>2</data></b>:",
        ],
    )
    def test_what_may_touch_a_value(self, around: str) -> None:
        """Punctuation separates it."""
        assert not any("nothing separates" in message for message in said(audited(f"<p>Of it, {around} here.</p>")))

    def test_twice(self) -> None:
        """Two names with the same fact: one of them was probably meant to be another."""
        root = parsed("<p>A is <data>10MB</data> and B <data>10MB</data>.</p><p>C is <data>10MB</data>.</p>")
        stated = dict.fromkeys(root.iter("data"), "multi.size")
        assert said(audited(root, stated=stated)) == ["this sentence shows `multi.size` twice"]
        first, *others = root.iter("data")
        assert said(audited(root, stated={first: "single.size"} | dict.fromkeys(others, "multi.size"))) == []


class TestLabels:
    """Versions, ports, user IDs and exit codes are those of the page's snippets."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        root = tiny(tmp_path)
        path = root / "snippets/note/context/note.txt"
        path.write_text("golang:1.27-alpine EXPOSE 8080 65532 took 23.0s, 29MB, alpine 3\n")
        return root

    @pytest.mark.parametrize(
        "text",
        [
            *("Go 1.27", "Go 1.27 on port 8080", "user 65532", "exit code 0", "Alpine 3", "version 1.27", "v1.27"),
            *("Docker 26.1", "Docker 26"),
        ],
    )
    def test_known(self, project: Path, text: str) -> None:
        """It is in a file, in a command or in an output, or it is the engine's."""
        book = FactBook({"note": capture(snippet="note")})
        assert said(audited(f"<p>It is {text}.</p>", project, book, snippets={"note"})) == []

    @pytest.mark.parametrize(
        "text",
        [
            "Go 1.2",
            "Go 1.28",
            "Go 27",
            "port 80",
            "port 808",
            "user 6553",
            "exit code 9",
            "Docker 23.0",
            "Docker 29",
            "v2",
        ],
    )
    def test_unknown(self, project: Path, text: str) -> None:
        """A part of another number is none, nor is a duration or a size."""
        (problem,) = audited(f"<p>It is {text}.</p>", project, snippets={"note"}).problems
        assert problem.what.endswith(f"{text}' is in no snippet of this page") or text in problem.evidence

    def test_cited(self) -> None:
        """A version may be in the address of a link to another site. A port may not, nor is a page here a source."""
        link = '<a href="https://go.dev/doc/go1.14#runtime">its notes</a>'
        assert said(audited(f"<p>Since Go 1.14, by {link}, it is so.</p>")) == []
        assert len(audited(f"<p>Since Go 1.15, by {link}, it is so.</p>").problems) == 1
        assert len(audited(f"<p>Since Go 1.1, by {link}, it is so.</p>").problems) == 1
        assert len(audited('<p>On port 99, by <a href="https://example.com/99">this</a>.</p>').problems) == 1
        assert len(audited('<p>Since Go 1.14, see <a href="go1.14.md">there</a>.</p>').problems) == 1

    def test_named_by_a_fact(self) -> None:
        """A version may be in the name of a fact in the sentence, or in the title of its source."""
        figure = Fact(
            5.0, "B", name="notes_1_14.size", source="x", origin=Source("golang:1.14-alpine3.12", "2020-06-04", "")
        )
        book = FactBook({}, [figure])
        root = parsed("<p>Go 1.14 on Alpine 3.12 has <data>5B</data>. Go 1.15 has none.</p>")
        page = audited(root, book=book, stated={next(root.iter("data")): figure.name})
        assert [problem.evidence for problem in page.problems] == ["Go 1.15 has none."]


class TestElsewhere:
    """Text that is in no sentence."""

    @pytest.mark.parametrize(
        "html",
        [
            '<p><img alt="It has 3 layers" src="x.png" /></p>',
            '<p><a title="It has 3 layers" href="x.md">a</a></p>',
            '<p><img alt="It has &amp;#51; layers" src="x.png" /></p>',
        ],
    )
    def test_attributes(self, html: str) -> None:
        """Readers see them, or hear them. The serialiser leaves entities in them as they are."""
        (problem,) = audited(html).problems
        assert problem.what == "the number '3 layers' is typed, not measured"

    def test_the_title_of_a_value(self) -> None:
        """It is made of the facts."""
        assert said(audited('<p><data title="multi.layers: 3 layers">3</data></p>')) == []

    def test_a_waived_page(self) -> None:
        """On a page that measures nothing, claims and names are checked all the same."""
        html = f"<p>Up to 3 layers. False. {claim('cited.size == 2')} See <code>go.mod</code>.</p>"
        page = audited(html, book=CITED, waived="limits")
        assert said(page) == ["this claim is false", "`go.mod` is in no snippet of this page"]

    def test_private_characters(self) -> None:
        """What an author typed of the private use area, such as an icon, stands for nothing."""
        assert said(audited("<p>An icon. \ue123 \ue000</p><p>It is \uf8ff. \ue005</p>")) == []


def test_a_claim_after_a_waiver() -> None:
    """Both belong to the sentence before them."""
    page = audited(f"<p>It has 8 layers. {waiver()}\n{claim()} And more.</p>")
    assert [(c.sentence, w.sentence) for c, w in zip(page.claims, page.waivers, strict=True)] == [
        ("It has 8 layers.",) * 2
    ]
    assert said(page) == []


def test_a_page_full_of_problems() -> None:
    """A hundred are listed, and a last one says that there are more."""
    page = audited("<p>It has 3 layers.</p>" * 300)
    assert len(page.problems) == 101
    assert said(page)[-1] == "this page has more than 100 problems"
