"""Where the block to paste stands on a page, and what the page says about it."""

import re
from html import unescape
from pathlib import Path

import pytest
from markdown import Markdown

from tests.support.helpers import captured, edit
from tests.support.makers import write


def convert(root: Path, text: str, page: str = "docs/guides/one.md", **settings: object) -> str:
    """The HTML of a page of the project."""
    write(root, {page: text})
    options: dict[str, dict[str, object]] = {"proof": {"project": str(root), **settings}}
    return Markdown(
        extensions=["pymdownx.superfences", "pymdownx.details", "proof"], extension_configs=options
    ).convert(text)


def says(html: str) -> list[str]:
    """What a reader sees of each box, without the block."""
    found = re.findall(r'<details class="try".*?</details>', html, re.DOTALL)
    return [unescape(re.sub(r"<pre>.*?</pre>|<[^>]+>", "", box, flags=re.DOTALL)) for box in found]


def test_a_snippet_has_one_box_after_its_last_transcript(root: Path) -> None:
    """Other text may stand in between, and the box is closed."""
    lines = ("{{ transcript note/build }}", "Text.", "{{ transcript fails/run }}", "{{ transcript note/image_ls }}")
    html = convert(root, "\n\n".join((*lines, "The end.")))
    texts = ('id="fails-run"', "mkdir fails", 'id="note-image-ls"', "mkdir note", "The end")
    places = [html.index(text) for text in texts]
    assert places == sorted(places)
    assert html.count('<details class="try"') == html.count("Try it yourself") == 2
    assert "<details open" not in html


def test_the_box_is_not_in_another_one(root: Path) -> None:
    """Where the last transcript is in a closed box, even in two, the block comes after the outer one."""
    inner = '    ??? info "Still more"\n\n        {{ transcript note/build }}\n\n    Within.'
    html = convert(root, f'??? info "More"\n\n{inner}\n\nAfter.')
    places = [html.index(text) for text in ("Within.", "</details>", '<details class="try"', "mkdir note", "After.")]
    assert sorted(places[2:]) == places[2:]
    assert html.index("Within.") < html.index("</details>", html.index("Within.")) < html.index('<details class="try"')


def test_the_box_says_what_the_block_leaves(root: Path) -> None:
    """The directory, the tags, the containers, and that failures are meant."""
    note, fails = says(
        convert(root, "{{ transcript note/build }}\n\n{{ transcript note/run }}\n\n{{ transcript fails/run }}")
    )
    assert "It creates the directory note, tags an image as note and leaves stopped containers." in note
    assert "An image of yours that has this tag loses it." in note
    assert "What fails above fails here too." not in note
    assert "What fails above fails here too." in fails


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exit = 127", "exit = { docker = 127, podman = 0 }"),
        ('command = "docker run', 'command = "docker run --platform linux/arm64'),
    ],
)
def test_a_failure_that_depends_on_the_reader(old: str, new: str, root: Path) -> None:
    """With another engine, or an emulator, it may succeed."""
    edit(root / "snippets/fails/snippet.toml", old, new)
    (fails,) = says(convert(captured(root), "{{ transcript fails/run }}"))
    assert "What fails above fails here too, unless your Docker or your machine can do more." in fails


def test_a_page_about_base_images_is_linked_where_there_is_one(root: Path) -> None:
    """By its file, relative to the page, of which a site generator makes an address."""
    text = "{{ transcript note/build }}"
    assert '<a href="../proof/index.md">rebuilt</a>' in convert(root, text, about_bases="proof/index.md")
    assert "base images are <span>rebuilt</span>" in convert(root, text)


def test_the_size_on_the_official_base(root: Path) -> None:
    """It is what a reader gets."""
    edit(root / "snippets/bases.toml", "command =", 'official_size = "leaflet.size"\ncommand =')
    (note,) = says(convert(root, "{{ transcript note/build }}"))
    assert note.endswith("With the official base, the image takes 8MB: this site's base images are rebuilt.")


def test_nothing_in_a_file_acts_on_the_page(root: Path) -> None:
    """A block shows it as it is. A box without a block says why, and names the file."""
    hostile = '</code></pre></details><script>alert(1)</script> {{ note.size }} *a* "&amp;\n'
    edit(root / "snippets/note/context/note.txt", "a note, and what it weighs\n", hostile)
    html = convert(captured(root), "{{ transcript note/build }}")
    (shown,) = re.findall(r"<pre><code>(mkdir note .*?)</code></pre>", html, re.DOTALL)
    assert hostile in unescape(shown)
    assert "<script" not in html
    name = "<b>`{{ x }}` *y*.bin"
    write(root, {f"snippets/note/context/{name}": b"\xff"})
    html = convert(captured(root), "{{ transcript note/build }}")
    assert f"This snippet can't be pasted: {name.replace('`', '')} isn't a text file." in says(html)[0]
    assert "<b>" not in html


def test_an_index_page_has_no_boxes(root: Path) -> None:
    """It shows every snippet, and is long enough."""
    html = convert(root, "# All\n\n{{ measurements }}\n", "docs/all/index.md")
    assert 'class="transcript' in html
    assert says(html) == []
