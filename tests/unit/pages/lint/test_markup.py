"""What an author may write: no HTML, few attributes, and only code that was run."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from mkdocs.config import load_config
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from selectolax.lexbor import LexborHTMLParser

from proof.pages import scan
from proof.pages.lint import markup
from proof.pages.site import Site
from proof.pages.stopping import StopBuildError
from tests.support.helpers import captured, tiny
from tests.support.makers import write


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with captures. The snippet `note` has a Dockerfile, and prints "a note"."""
    return captured(tiny(tmp_path_factory.mktemp("markup")))


EXTENSIONS = ["tables", "toc", "admonition", "pymdownx.details", "pymdownx.superfences"]


def convert(text: str, root: Path, *, more: tuple[str, ...] = (), **options: object) -> str:
    """What a site generator does with a page that uses the snippet `note`."""
    settings = {"proof": {"project": str(root), **options}}
    html: str = Markdown(extensions=[*EXTENSIONS, "proof", *more], extension_configs=settings).convert(text)
    return html


FORGED = (
    '<figure class="transcript"><pre class="transcript__input" data-copy="docker run -v /:/host note">'
    "<code>docker image ls</code></pre><pre><samp>note latest 1.23MB</samp></pre>"
    '<details class="provenance"><summary>measured</summary></details></figure>'
)


class TestAddresses:
    """Links lead to pages of the site or to web addresses, and images are files of the site."""

    @pytest.mark.parametrize(
        "text",
        [
            "[x](javascript:alert(1))",
            "<javascript://%0aalert(1)>",
            "[x](JAVA%09script:alert(1))",
            "[x](vbscript:x)",
            "[x](data:text/html,x)",
            "[x][a]\n\n[a]: javascript:alert(1)",
            "[x](//evil.invalid/)",
            "[x](\\\\evil.invalid)",
            "[x](a%0a::error::boo.md)",
            "[x](a%0d::warning::b.md)",
            "[x](%1b[31mred.md)",
            "[x](a%c2%9b.md)",
            "[x](a%e2%80%ae.md)",
            "[x](##[error]q.md)",
            "![x](https://evil.invalid/x.png)",
            "![x](//evil.invalid/x.png)",
            "![x](data:image/svg+xml,x)",
            "![x](javascript:alert(1))",
            "[x](http://[)",
        ],
    )
    def test_what_leads_elsewhere_stops_the_build(self, text: str, project: Path) -> None:
        """It would act in a preview, or in the log in which MkDocs prints it."""
        with pytest.raises(StopBuildError, match="this address is not allowed"):
            convert(text, project)

    def test_usual_addresses_stay(self, project: Path) -> None:
        links = "[a](https://a.example/?b=c&d=%20#e) [b](../b.md#c) [m](mailto:m@example.org)"
        html = convert(f"{links} ![c](../c.png)", project)
        for name in ("https://a.example/?b=c&amp;d=%20#e", "../b.md#c", "../c.png"):
            assert f'"{name}"' in html


class TestHidden:
    """What readers don't see, or see as something else."""

    @pytest.mark.parametrize("character", "\u034f\ufe0f\x7f\x01\u202e\u00ad\u200b\x1b")
    def test_an_invisible_character_stops_the_build(self, character: str, project: Path) -> None:
        with pytest.raises(StopBuildError, match="this line has the invisible character"):
            convert(f"# A\n\nIt takes te{character}n megabytes.", project)

    @pytest.mark.parametrize(
        "text",
        [
            "\u0417\u041e MB",
            "\u0455maller",
            "3 \u3386",
            "\uff13 \uff05",
            "20 \u041c\u0412",
            "a\u05c3 b",
            "\u05d0",
            "\u4e8c\u5341",
            "\u216b",
            "sma\u0337ller",
            "\u01b75 MB",
            "7\u00d8 MB",
            "\u0131 MB",
        ],
    )
    def test_a_character_that_looks_like_another(self, text: str, project: Path) -> None:
        """Or that changes the order of what stands around it."""
        with pytest.raises(StopBuildError, match="readers may take for another character"):
            convert(f"# A\n\nIt takes {text}.", project)

    @pytest.mark.parametrize("entity", ["&#1047;5 MB", "5 &#x34F;MB", "&#x3164;", "&Oslash;", "&#x202E;"])
    def test_an_entity_for_one(self, entity: str, project: Path) -> None:
        """A reviewer sees it, but no reader does."""
        with pytest.raises(StopBuildError, match="stands for"):
            convert(f"# A\n\nIt takes {entity}. {{{{ waiver: an example }}}}", project)

    def test_characters_that_mislead_nobody(self, project: Path) -> None:
        assert "é ß æ ñ µs → ™ … × ½ 😀" in convert(
            "# A\n\nIt is é ß æ ñ µs → ™ … × ½ 😀 {{ waiver: an example }}", project
        )

    @pytest.mark.parametrize("name", ["hidden", "popover", "data-x", "onclick", "open"])
    def test_an_attribute_without_a_value_is_one(self, name: str, project: Path) -> None:
        with pytest.raises(StopBuildError, match=f"the attribute {name}="):
            convert(f'The second has *not*{{ {name}="" }} two.', project)

    def test_a_fence_in_a_title_is_none(self, project: Path) -> None:
        """What is put there later has quotes, which would end the title."""
        with pytest.raises(StopBuildError, match="a fence cannot stand in an attribute"):
            convert('{{ page waiver: an example }}\n\n[x](index.md "\n``` text\n\n```\n")', project)

    @pytest.mark.parametrize("code", ["0002wzxhzdk:0\\u0003", "0002amp\\u0003#x65;", "202e"])
    def test_a_title_of_a_chart_is_plain(self, code: str, project: Path) -> None:
        """TOML can spell the characters that stand for something else in Python-Markdown."""
        chart = f'``` chart\nkind = "bars"\ntitle = "a \\u{code} b"\nbars = []\n```'
        with pytest.raises(StopBuildError, match="`title` has the invisible character"):
            convert(chart, project)


class TestHtml:
    """It is text, and an error."""

    @pytest.mark.parametrize(
        "text",
        [
            FORGED,
            '<samp><data class="fact" value="1230000">1.23MB</data></samp>',
            "It weighs <data class=fact value=1230000>a bit</data>.",
            "<script src=assets/evil.txt></script>",
            '<p title=="x><script src=assets/evil.txt></script>">',
            '<p title=\u00a0"x><script src=assets/evil.txt></script>">',
            '<p title=\'<link rel="icon" href="../../../secret.svg">\'>',
            '<svg><script src="ok.js"></svg>',
            '<x id="__config" onclick=alert(1)>',
            '<pre><code id=\'x"></button><iframe srcdoc="">\'>a</code></pre>',
            "<div markdown>\n*a*\n</div>",
            "<p>It has layers.</p>",
            "</p>",
            "<!doctype html>",
            "<?php ?>",
            "<![CDATA[ x ]]>",
            "a <!-- comment --> in a sentence",
            "<!-- <b> -->",
            "| a |\n|---|\n| <b>x</b> |",
            "# <b>x</b>",
            "- <b>x</b>",
            "> <b>x</b>",
            '!!! note "<b>x</b>"\n\n    text',
            "[<b>x</b>](https://example.com)",
            "*<b>x</b>*",
            "<b",
        ],
    )
    @pytest.mark.parametrize("more", [(), ("md_in_html",), ("extra",)], ids=("alone", "md_in_html", "extra"))
    def test_it_is_refused(self, text: str, more: tuple[str, ...], project: Path) -> None:
        """Wherever it stands, also if an extension would bring it back."""
        with pytest.raises(StopBuildError, match="pages have no HTML"):
            convert(f"# A page\n\n{text}\n", project, more=more)
        html = convert(f"# A page\n\n{text}\n", project, more=more, collect=True)
        made = {node.tag for node in LexborHTMLParser(html).css("body *")}
        assert made <= set("p h1 div code pre span ul li blockquote a em table thead tbody tr th td".split())

    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("a < b and c > d, a<-b", "a < b and c > d, a<-b"),
            ("`<b>` and &lt;i>", "<b> and <i>"),
            ("a &amp;lt; b &hellip;", "a &lt; b …"),
            ("<https://example.com>", "https://example.com"),
            ("A\n<!-- for a tool -->\npage.", "A\npage."),
        ],
    )
    def test_what_is_none(self, text: str, seen: str, project: Path) -> None:
        """A sign of comparison, code, entities, links in angle brackets, and comments alone on their lines."""
        page = LexborHTMLParser(convert(text, project)).body
        assert page is not None
        assert page.text().strip() == seen

    def test_mkdocs_does_not_look_for_it(self, project: Path) -> None:
        """Its reader would end in a traceback."""
        config = load_config(str(project / "mkdocs.yml"))
        files = Files([file := File("index.md", config.docs_dir, config.site_dir, use_directory_urls=True)])
        page = Page(None, file, config)
        page.markdown = "`<![a`"
        page.render(config, files)
        assert page.content == "<p><code>&lt;![a</code></p>"

    def test_a_comment_in_a_fence(self, project: Path) -> None:
        """It is code there."""
        html = convert("{{ waiver: an example }}\n\n```\n<!-- for a tool -->\n```", project)
        assert "&lt;!-- for a tool --&gt;" in html

    def test_its_line(self, project: Path) -> None:
        """Each is reported, at its line."""
        page = write(project / "docs", {"html.md": "# A page\n\nOne.\n\n<b>two</b>\n"}) / "html.md"
        Site.at.cache_clear()
        (report,) = (each for each in scan.scan(project, expand=False) if each.path == page)
        assert [problem.where.line for problem in report.problems if problem.where] == [5, 5]
        page.unlink()
        Site.at.cache_clear()


class SeesElements(Treeprocessor):
    """Lists the elements of the tree."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self._seen = seen

    def run(self, root: ET.Element) -> None:
        self._seen += [element.tag for element in root.iter()]


class TestAttributes:
    """Of those that attribute lists can set, few are allowed."""

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("*a*{ .transcript }", "the class `transcript`"),
            ("*a*{ class=try }", "the class `try`"),
            ("*a*{ .md-banner .x }", "the class `md-banner`"),
            ("*a*{ style=color:red }", 'the attribute style="color:red"'),
            ("*a*{ onclick=alert(1) }", 'the attribute onclick="alert(1)"'),
            ("*a*{ data-copy=x }", 'the attribute data-copy="x"'),
            ("*a*{ hidden }", 'the attribute hidden=""'),
            ("*a*{ popover }", 'the attribute popover=""'),
            ("*a*{ #__config }", 'the attribute id="__config"'),
            ("*a*{ id='a b' }", 'the attribute id="a b"'),
            ("[a](https://example.com){ href=https://evil.example }", "the attribute href"),
            ("![a](a.png){ loading=now }", 'the attribute loading="now"'),
            ("![a](a.png){ width=100vw }", 'the attribute width="100vw"'),
            ("It is {{ note.layers }}{ title='8 layers' }.", 'the attribute title="8 layers"'),
            ("It is *one*{ title='8 layers' }.", "the number '8 layers' is typed"),
            ("A paragraph\n{ .claim }", "the class `claim`"),
            ("# A heading { .fact }", "the class `fact`"),
            ("# \\_\\_config", 'the attribute id="__config"'),
            ("*a*{ #a } *b*{ #a }", "two elements of this page have the ID `a`"),
            ("It is so. {{ claim: note.layers > 0 }} *b*{ #claim-1 }", "have the ID `claim-1`"),
            ("!!! transcript\n    a", "the class `transcript`"),
            ('??? note try "A"\n    a', "the class `try`"),
        ],
    )
    def test_it_is_refused(self, text: str, says: str, project: Path) -> None:
        with pytest.raises(StopBuildError) as stopped:
            convert(text, project)
        assert says in stopped.value.what

    def test_of_an_extension(self, project: Path) -> None:
        """Whatever gives an author a class of the tool: what has one is not looked up as code."""
        text = "/// html | div.transcript\n\n    docker ps\n\n///"
        with pytest.raises(StopBuildError, match="the class `transcript` is not allowed"):
            convert(text, project, more=("pymdownx.blocks.html",))

    @pytest.mark.parametrize(
        ("options", "more"),
        [
            *[(each, "pymdownx.highlight") for each in ("#a .evil", "data-copy=y", "#__config", 'title="3 layers"')],
            *[
                (each, "fenced_code")
                for each in ("#a .evil", "data-copy=y", "#__config", "style=x", "onclick=alert(1)")
            ],
        ],
    )
    def test_of_a_fence(self, options: str, more: str, project: Path) -> None:
        """A highlighter hands them on."""
        md = Markdown(
            extensions=["attr_list", *(["pymdownx.superfences"] if "pymdownx" in more else []), more, "proof"],
            extension_configs={"proof": {"project": str(project)}},
        )
        with pytest.raises(StopBuildError, match=r"is not allowed|is typed, not measured"):
            md.convert(f"{{{{ waiver: an example }}}}\n\n``` {{ .sh {options} }}\na\n```")

    @pytest.mark.parametrize("attributes", ["#__a .evil data-copy=x", ".transcript onclick=x", "style=x data-md=y"])
    def test_the_preview_leaves_them_out(self, attributes: str, project: Path) -> None:
        """It shows pages with their problems."""
        plain = "*a* {{ note.layers }}\n\n``` { .sh }\nFROM alpine:3.22\n```"
        text = plain.replace("a*", f"a*{{ {attributes} }}").replace("layers }}", f"layers }}}}{{ {attributes} }}")
        text = text.replace("{ .sh }", f"{{ .sh {attributes} }}")
        pages = [convert(page, project, more=("pymdownx.highlight",), collect=True) for page in (plain, text)]
        one, other = (LexborHTMLParser(page).html for page in pages)
        assert one == other

    def test_what_is_allowed(self, project: Path) -> None:
        """A plain ID, a few attributes, and the classes that the settings list."""
        text = (
            "# One { #one }\n\n![a](a.png){ width=30% loading=lazy title='A picture' }\n\nTwo\n{ .two #b-2 }\n\n"
            '!!! two "Title"\n    a\n\n??? note "Title"\n    b\n\n'
            "{{ waiver: an example }}\n\n``` { .sh #c .two }\nc\n```"
        )
        html = convert(text, project, classes=["two"], more=("attr_list", "pymdownx.highlight"))
        tree = LexborHTMLParser(html)
        for css in ("h1#one", 'img[width="30%"][loading=lazy]', "p#b-2.two", "div.admonition.two", "#c.two.highlight"):
            assert tree.css_first(css), css

    @pytest.mark.parametrize("name", ["title", "id", "class", "width"])
    def test_a_name_without_a_value(self, name: str, project: Path) -> None:
        """It is left out: other extensions do not expect it."""
        html = convert(f"# A page {{: {name} }}\n\n[x](y){{: {name}= }}", project, collect=True)
        assert f' {name}=""' not in html

    @pytest.mark.parametrize("text", ["[x](https://])", "<https://[>", "![x](http://[)", "[x]\n\n[x]: //["])
    def test_what_is_no_address(self, text: str, project: Path) -> None:
        """MkDocs would end in a traceback."""
        with pytest.raises(StopBuildError, match="this address is not allowed"):
            convert(text, project)

    def test_an_error_message(self, project: Path) -> None:
        """A heading of this class is in no table of contents: an index of errors has too many."""
        html = convert("[TOC]\n\n## A\n\n### `no such file` {{ waiver: by make }} { #cited .message }", project)
        assert html.count("no such file") == 1
        assert '<h3 class="message message--reported" id="cited"><code>no such file</code>' in html

    def test_an_error_message_of_nobody(self, project: Path) -> None:
        """It says so on any page, and whatever it consists of."""
        with pytest.raises(StopBuildError, match="no snippet printed this error message"):
            convert("## A\n\n### `no such file` { #cited .message }", project)
        for text in (
            "{{ page waiver: no numbers }}\n\n### `x` { #cited .message }",
            "## ![x](x.png) { .message }",
            "{{ page waiver: no numbers }}\n\n### \\[`ERROR] x` { .message }",
        ):
            assert 'class="message message--reported"' in convert(text, project)

    def test_a_file_that_comes_later(self, project: Path) -> None:
        """The site generator would miss it, so it does not see the link."""
        md = Markdown(
            extensions=["proof"], extension_configs={"proof": {"project": str(project), "built_later": ["../x.json"]}}
        )
        seen: list[str] = []
        md.treeprocessors.register(SeesElements(seen), "sees", 0)
        assert md.convert("[x](../x.json) [y](y.md)") == '<p><a href="../x.json">x</a> <a href="y.md">y</a></p>'
        assert seen.count("a") == 1


BLOCKS = {
    "fence": "```\n{}\n```",
    "text": "``` text\n{}\n```",
    "no language known": "``` nothing\n{}\n```",
    "tildes": "~~~~\n{}\n~~~~",
    "options": "``` {{ .sh }}\n{}\n```",
    "numbers": '``` sh linenums="1"\n{}\n```',
    "indented": "    {}",
    "in a list": "- an item\n\n    ```\n    {}\n    ```",
    "indented in a list": "- an item\n\n        {}",
    "in a quote": "> ```\n> {}\n> ```",
    "in a box": "!!! note\n\n    ```\n    {}\n    ```",
    "in a closed box": "??? note\n\n        {}",
}


class TestCode:
    """Its lines stand in a snippet of the page, or are waived, in whatever way it is written."""

    @pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("docker history note | head -3", "this command is shown, but nothing ran it"),
            ("$ docker image ls", "this command is shown, but nothing ran it"),
            ("user@laptop ~ %  docker  run --privileged note", "this command is shown, but nothing ran it"),
            ("note   latest   0123456789ab   1.23MB", "this code is typed, and in no snippet"),
            ("FROM golang:1.27", "this code is typed, and in no snippet"),
        ],
    )
    def test_it_is_refused(self, block: str, line: str, says: str, project: Path) -> None:
        with pytest.raises(StopBuildError, match=says):
            convert(f"# A page of {{{{ note.layers }}}}\n\n{block.format(line)}\n", project)

    @pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
    def test_it_was_run(self, block: str, project: Path) -> None:
        convert(f"# A page of {{{{ note.layers }}}}\n\n{block.format('docker image ls note')}\n", project)

    @pytest.mark.parametrize(
        ("title", "fine"),
        [
            ("Dockerfile", True),
            ("context/Dockerfile", False),
            ("file, Dockerfile", False),
            ("Dockerfile, the first stage", True),
            ("note.txt", False),
            ("file", False),
            ("", False),
        ],
    )
    def test_the_title_names_its_file(self, title: str, project: Path, *, fine: bool) -> None:
        """Otherwise readers could take it for what was printed."""
        text = f'# A page of {{{{ note.layers }}}}\n\n``` text title="{title}"\nFROM alpine:3.22 AS paper\n```\n'
        if fine:
            convert(text, project)
        else:
            with pytest.raises(StopBuildError, match="this code is typed"):
                convert(text, project)

    def test_a_file_of_that_name_elsewhere(self, project: Path, tmp_path: Path) -> None:
        """It is not the one that was built: its title has to be its path."""
        project = shutil.copytree(project, tmp_path / "project")
        (project / "snippets/note/context/old").mkdir()
        (project / "snippets/note/context/old/Dockerfile").write_text("FROM scratch\n")
        text = '# A page of {{ note.layers }}\n\n``` text title="Dockerfile"\nFROM scratch\n```\n'
        with pytest.raises(StopBuildError, match="this code is typed"):
            convert(text, project, draft=True)
        convert(text.replace('title="', 'title="old/'), project, draft=True)

    @pytest.mark.parametrize(
        "title",
        [
            "docker image ls x",
            "docker  run --rm x",
            "docker\N{NO-BREAK SPACE}run x",
            "Docker image ls x",
            "Output of docker run x",
            "output, of docker image ls x",
            "(podman --debug run x)",
        ],
    )
    def test_a_title_is_no_command(self, title: str, project: Path) -> None:
        """Readers would think that it printed the block."""
        with pytest.raises(StopBuildError, match="this title is a command"):
            convert(f'# {{{{ note.layers }}}}\n\n``` text title="{title}"\ndocker image ls note\n```\n', project)

    def test_a_file_is_no_output(self, project: Path) -> None:
        """Under the name of a file stands what is in the file, and no command or output."""
        text = '# A page of {{ note.layers }}\n\n``` text title="Dockerfile"\ndocker run note\n```\n'
        with pytest.raises(StopBuildError, match="this command is shown, but nothing ran it"):
            convert(text, project)
        convert(text.replace("Dockerfile", "Run it"), project)

    def test_an_empty_block(self, project: Path) -> None:
        """It states nothing."""
        assert "<pre>" in convert("```\n\n```", project)

    def test_lines_put_together(self, project: Path) -> None:
        """Each of them was run, but not so."""
        file = (project / "snippets/note/context/Dockerfile").read_text().split("\n")
        text = (
            '# A page of {{ note.layers }}\n\n``` text title="Dockerfile"\n'
            + "\n".join([file[-2], *file[:-2]])
            + "\n```"
        )
        with pytest.raises(StopBuildError, match="do not stand together"):
            convert(text, project)

    @pytest.mark.parametrize("block", [text for name, text in BLOCKS.items() if "in a" not in name])
    @pytest.mark.parametrize("between", ["\n", "\n\n", "\n\n\n"])
    def test_a_waiver_above_it(self, block: str, between: str, project: Path) -> None:
        """Alone in its paragraph, it covers the next block, and leaves nothing on the page."""
        if between == "\n" and block.startswith("    "):
            return  # that is one paragraph
        html = convert("One.\n\n{{ waiver: an example }}" + between + block.format("docker ps"), project)
        assert "waiver" not in html
        text = "One.\n\n{{ waiver: an example }}\n\n" + block.format("docker ps")
        with pytest.raises(StopBuildError, match="nothing ran it"):
            convert(f"{text}\n\nThen:\n\n{block.format('docker ps')}", project)

    @pytest.mark.parametrize(
        "below",
        ["", "\n\nOne.", "\n\n- one\n\n    ```\n    a\n    ```", "\n\n{{ transcript note/run }}", "\n\n# B\n\n    c"],
    )
    def test_a_waiver_above_nothing(self, below: str, project: Path) -> None:
        with pytest.raises(StopBuildError, match=r"no block of code below this waiver|is in no snippet"):
            convert(f"One.\n\n{{{{ waiver: an example }}}}{below}", project)

    @pytest.mark.parametrize(
        ("line", "refused"),
        [
            ("proof update", False),
            ("docker ps", True),
            ("$  docker image ls", True),
            ("user@laptop ~ % docker  ps", True),
            ("FROM alpine:3.22", False),
        ],
    )
    def test_on_a_waived_page(self, line: str, refused: bool, project: Path) -> None:  # noqa: FBT001 - expected
        """Only commands need a waiver of their own there."""
        text = f"# A\n\n{{{{ page waiver: it is about the tool }}}}\n\n```\n{line}\n```"
        if refused:
            with pytest.raises(StopBuildError, match="nothing ran it"):
                convert(text, project)
        else:
            convert(text, project)

    def test_its_line(self, project: Path) -> None:
        text = "---\ntitle: A\n---\n\n# A\n\n> ```\n> one\n> ```\n\n```\ndocker ps\n```\n"
        page = write(project / "docs", {"code.md": text}) / "code.md"
        Site.at.cache_clear()
        (report,) = (each for each in scan.scan(project, expand=False) if each.path == page)
        assert [problem.where.line for problem in report.problems if problem.where] == [8, 12]
        page.unlink()
        Site.at.cache_clear()


@pytest.mark.parametrize("limit", ["_TAGS", "_BYTES"])
def test_a_page_that_a_site_generator_would_take_long_for(
    limit: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops at its own text, before anything else reads its HTML."""
    assert "<p>" in convert("Text.\n\n" * 20, root)
    monkeypatch.setattr(markup, limit, 100 if limit == "_BYTES" else 39)
    with pytest.raises(StopBuildError, match="this page has more than"):
        convert("Text.\n\n" * 20, root)
