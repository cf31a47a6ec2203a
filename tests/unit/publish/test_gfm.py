"""A page as Markdown: each construct, and GitHub's own parser reads back what the page says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from proof.publish import gfm

ADDRESS = "https://example.org/guide/"


def tree(html: str) -> LexborNode:
    """The element around this HTML, as the finisher reads it."""
    found = LexborHTMLParser(f"<article>{html}</article>", scripting=True).css_first("article")
    assert found is not None
    return found


def markdown(html: str, address: str = ADDRESS) -> str:
    """What is written of a page with this HTML, without the last line break."""
    return gfm.written(tree(html), address).removesuffix("\n")


def read_back(text: str) -> LexborNode:
    """The HTML that GitHub's parser makes of it."""
    cmark = pytest.importorskip("cmarkgfm.cmark", reason="cmarkgfm is not installed on a Mac")
    options = cmark.Options.CMARK_OPT_UNSAFE | cmark.Options.CMARK_OPT_FOOTNOTES
    return tree(cmark.github_flavored_markdown_to_html(text, options=options))


def words(node: LexborNode) -> str:
    """Its text, as a reader sees it."""
    return re.sub(r"[ \t\n\f\r]+", "", node.text())


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2 id='a'>C #<a class='headerlink' href='#a'>¶</a></h2>", "## C \\#"),
        ("<p>It\ntakes <strong><data class='fact' value='1'>1MB</data></strong>.</p>", "It takes **1MB**."),
        ("<p>a<br>b</p>", "a\\\nb"),
        ("<p>1. no list</p><p># no heading</p><p>- neither</p>", "1\\. no list\n\n\\# no heading\n\n\\- neither"),
        (
            "<p>snake_case *and* &lt;b> `x` [y] ~z~ &amp;lt;</p>",
            "snake_case \\*and\\* \\<b> \\`x\\` \\[y\\] \\~z\\~ \\&lt;",
        ),
        ("<p>see https://a_b.example/_x</p>", "see https\\://a_b.example/\\_x"),
        ("<p><code>a  `b`</code></p>", "`` a `b` ``"),
        ("<p><em>a</em><strong>b</strong> <b>c!</b>d</p>", "<em>a</em><strong>b</strong> <b>c\\!</b>d"),
        (
            "<p><a href='../x/#y'>z</a> <a href='mailto:a@b.c'>m</a></p>",
            "[z](https://example.org/x/#y) [m](mailto:a@b.c)",
        ),
        ("<p><a href='a b(c'>z</a><a>no</a></p>", "[z](<https://example.org/guide/a%20b(c>)no"),
        ("<p><img alt='a [b]' src='c.png'></p>", "![a \\[b\\]](https://example.org/guide/c.png)"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ul><li><p>a</p><pre>b</pre></li><li></li></ul><ul><li>c</li></ul>", "- a\n\n  ```\n  b\n  ```\n\n+ c"),
        ("<ol start='9'><li>a</li><li>b<p>c</p></li></ol><ol><li>d</li></ol>", "9. a\n\n10. b\n\n    c\n\n1) d"),
        ("<blockquote><p>a</p><p>b</p></blockquote><hr>", "> a\n>\n> b\n\n***"),
        ("<details><summary>More</summary><p>a</p></details>", "**More**\n\na"),
        ("<dl><dt>Term</dt><dd>what</dd></dl>", "**Term**\n\nwhat"),
        (
            "<table><tr><th>a<th align='right'>b|c<tr><th><code>x|y</code><td>1<br>2<tr><td>3</table>",
            "| a | b\\|c |\n| --- | ---: |\n| `x\\|y` | 1 2 |\n| 3 |  |",
        ),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "|  |  |\n| --- | --- |\n| 1 | 2 |"),
        ("<table></table><p></p><ul></ul><h2></h2>", ""),
        ("<p><sup>2</sup><button>x</button><svg><title>t</title></svg></p>", "<sup>2</sup>"),
        (
            "<div class='admonition abstract'><p class='admonition-title'>In short</p><p>a</p></div>",
            "> **In short**\n>\n> a",
        ),
    ],
)
def test_each_construct(html: str, expected: str) -> None:
    assert markdown(html) == expected


def test_without_an_address_links_stay_as_they_are() -> None:
    assert markdown("<p><a href='../x/'>z</a></p>", "") == "[z](../x/)"
    assert markdown("<p><a href='http://[bad'>z</a></p>") == "[z](http://[bad)"


def test_a_file_has_its_name_and_language() -> None:
    box = "<div class='highlight'><span class='filename'>%s</span><pre><code><span>a</span>\n</code></pre></div>"
    assert markdown(box % "Dockerfile") == "**Dockerfile**\n\n```dockerfile\na\n```"
    assert markdown(box % "cmd/main.go").endswith("```go\na\n```")
    assert markdown(box % "go.mod").endswith("```text\na\n```")
    assert markdown("<pre><code>```\nx\n</code></pre>") == "````\n```\nx\n````"


def test_a_transcript_is_one_block() -> None:
    """With its caption above it, and the lines that the page folds."""
    html = (
        "<figure class='transcript'><figcaption><span>✗</span> fails as expected: exit 1</figcaption>"
        "<div><pre class='transcript__input'><code><span>$ </span>docker run x</code></pre>"
        "<div><details><summary>⋮ 2 more lines</summary><pre><samp>a\n\n</samp></pre></details>"
        "<pre><samp>b  \n</samp></pre></div></div></figure>"
    )
    assert markdown(html) == "✗ fails as expected: exit 1\n\n```console\n$ docker run x\na\n\nb  \n```"


def test_versions_of_docker_are_labelled() -> None:
    html = (
        "<div class='engines'><input type='radio'><label>Docker 29.7</label>"
        "<div class='engines__panel'><p class='engines__label'>Docker 29.7</p><p>a</p></div>"
        "<div class='engines__panel'><p class='engines__label'>Docker 26.1</p><p>b</p></div></div>"
    )
    assert markdown(html) == "**Docker 29.7**\n\na\n\n**Docker 26.1**\n\nb"


def test_a_chart_is_its_table() -> None:
    html = (
        "<figure class='chart'><figcaption>To scale</figcaption><div><p class='chart__key'>base</p><svg></svg>"
        "<details><summary>The numbers</summary><table><tr><th>a</th></tr><tr><td>1</td></tr></table></details></div>"
        "</figure>"
    )
    assert markdown(html) == "**To scale**\n\n| a |\n| --- |\n| 1 |"


def test_an_explorer_is_a_list_of_layers() -> None:
    html = (
        "<figure class='explorer'><div class='explorer__image'><p class='explorer__title'><b>One</b> 3B</p><ul>"
        "<li class='explorer__layer'><details><summary><span><b>1</b> <code>ADD /</code></span><data>3B</data>"
        "</summary><ul><li><details><summary><span>bin/</span><data>2B</data></summary></details></li></ul></details></li>"
        "</ul></div></figure>"
    )
    assert markdown(html) == "**One** 3B\n\n- **1** `ADD /`: 3B"


def test_claims_and_cited_figures_have_footnotes() -> None:
    """One for each, however often it is cited. Its address is a link. Waivers and boxes to paste are left out."""
    cited = "<data class='fact fact--cited' title='cited: a.size: 7B, a_b https://e.example/a_b; c'>7B</data>"
    html = (
        f"<p>{cited} and {cited}. <span class='claim'><button>✓</button><span class='claim__why'>Checked: "
        "<code>x == 1</code>.</span></span><span class='waiver' data-text='why'></span></p>"
        "<details class='try'><summary>Try</summary></details><details class='measured'><summary>M</summary></details>"
    )
    notes = "[^1]: cited: a.size: 7B, a_b <https://e.example/a_b>; c\n\n[^2]: Checked: `x == 1`."
    assert markdown(html) == f"7B[^1] and 7B[^1]. [^2]\n\n{notes}"
    assert len(read_back(markdown(html)).css("sup a")) == 3


def test_footnotes_of_several_pages_in_one_file() -> None:
    """Each page's labels begin with its address, so that no footnote of a page belongs to another one."""
    note = "<data class='fact fact--cited' title='cited: {0}'>{0}</data>"
    pages = (gfm.written(tree(note.format(name)), notes=f"{name}/") for name in ("a", "b"))
    both = read_back("\n".join(pages))
    assert [link.text() for link in both.css("sup a")] == ["1", "2"]
    assert [item.text().split("↩")[0].strip() for item in both.css("section li")] == ["cited: a", "cited: b"]


def test_the_source_is_said_last() -> None:
    assert gfm.written(tree("<p>a</p>"), source="From b.") == "a\n\n***\n\nFrom b.\n"


SIGNS = st.text(st.sampled_from("ab1. \\`*_[](){}<>#+-=|~!&;:/@\n\t\u00a0é"), max_size=12)
LINES = st.recursive(
    SIGNS.map(lambda raw: raw.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.tuples(st.sampled_from("strong em code del a span".split()), st.lists(inner, max_size=3)).map(
        lambda made: f"<{made[0]}{' href=x' if made[0] == 'a' else ''}>{''.join(made[1])}</{made[0]}>"
    ),
    max_leaves=5,
)


def block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A block with blocks or lines in it."""
    items = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        items.map(lambda made: "<ul>" + "".join(f"<li>{each}</li>" for each in made) + "</ul>"),
        items.map(lambda made: "<ol>" + "".join(f"<li>{each}</li>" for each in made) + "</ol>"),
        items.map(lambda made: f"<blockquote>{''.join(made)}</blockquote>"),
        items.map(lambda made: "<table><tr>" + "".join(f"<td>{each}</td>" for each in made) + "</tr></table>"),
    )


PAGES = st.lists(
    st.recursive(
        st.one_of(
            LINES.map(lambda line: f"<p>{line}</p>"),
            LINES.map(lambda line: f"<h2>{line}</h2>"),
            SIGNS.map(lambda raw: "<pre>" + raw.replace("&", "&amp;").replace("<", "&lt;") + "</pre>"),
            LINES,
        ),
        block,
        max_leaves=6,
    ),
    max_size=4,
).map("".join)


@given(PAGES)
def test_github_reads_what_the_page_says(html: str) -> None:
    """No character is lost, and none makes a link, an element or a block of its own."""
    page, text = tree(html), markdown(html)
    found = read_back(text)
    assert words(found) == words(page), text
    for tag in ("pre", "h2", "script", "img"):
        assert len(found.css(tag)) <= len(page.css(tag)), text


def test_deep_nesting_is_read() -> None:
    """As deep as a published page may be."""
    assert markdown("<ul><li>" * 120 + "x").count("- ") == 120
    assert markdown("<em>" * 200 + "x").count("x") == 1
