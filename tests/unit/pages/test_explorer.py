"""An explorer as HTML: all that was captured, marked where it is hidden or copied, and nothing that acts."""

import gzip
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from proof.captures.model import CapturedEntry, CapturedLayer
from proof.core.errors import PageError
from proof.facts import book
from proof.pages import explorer
from proof.pages.explorer import Image
from proof.snippets import manifest, project
from tests.support.helpers import REPOSITORY
from tests.support.makers import ALPINE, capture, write
from tests.support.site import Parsed

E = CapturedEntry
SNIPPETS = REPOSITORY / "snippets"
HOSTILE = '<img src=x onerror="alert(1)">{{ multi.size }}</summary>'
BASE = CapturedLayer(
    "ADD rootfs / # buildkit",
    3000,
    5,
    ALPINE,
    from_base=True,
    contents=(
        E(0, "directory", "", 3000, 5, 500),
        E(1, "directory", "usr", 2500, 4, 0),
        E(2, "directory", "lib", 2500, 4, 0),
        E(3, "file", HOSTILE, 1500, 1, 0),
        E(3, "others", "", 1000, 3, 0),
        E(1, "file", "passwd", 500, 1, 500),
    ),
)
WORKDIR = CapturedLayer("WORKDIR /src", 0, 0, ALPINE, from_base=False, contents=(E(0, "directory", "", 0, 0, 0),))
RUN = CapturedLayer(
    "RUN /bin/sh -c go build -o /app && rm /passwd # buildkit",
    2000,
    2,
    ALPINE,
    from_base=False,
    contents=(
        E(0, "directory", "", 2000, 2, 0),
        E(1, "file", "app", 2000, 1, 0),
        E(1, "removed", "passwd", 0, 1, 0),
    ),
)
COPY = CapturedLayer(
    "COPY /app /usr/bin/app # buildkit",
    2000,
    1,
    ALPINE,
    from_base=False,
    contents=(
        E(0, "directory", "", 2000, 1, 0),
        E(1, "directory", "usr", 2000, 1, 0),
        E(2, "directory", "bin", 2000, 1, 0),
        E(3, "file", "app", 2000, 1, 0),
    ),
)
ONE = "FROM alpine:3.22\nWORKDIR /src\nRUN go build -o /app && rm /passwd\n"
TWO = "FROM alpine:3.22 AS built\nRUN true\nFROM alpine:3.22\ncopy --chmod=755 \\\n --from=built /app /usr/bin/app\n"


def image(root: Path, name: str, dockerfile: str, *layers: CapturedLayer) -> Image:
    """A snippet of this Dockerfile, and a capture of it."""
    text = f'title = "Of {name} & co"\nimage = "{name}"\ncontents = {{}}\n'
    text += f'[[step]]\nname = "build"\ncommand = "docker build -t {name} ."\n'
    write(root / "snippets" / name, {"snippet.toml": text, "context/Dockerfile": dockerfile})
    (snippet,) = manifest.variants(root / "snippets" / name)
    return explorer.image(snippet, capture(snippet=name, layers=layers))


@pytest.fixture
def one(tmp_path: Path) -> Image:
    return image(tmp_path, "one", ONE, BASE, WORKDIR, RUN)


@pytest.fixture
def two(tmp_path: Path) -> Image:
    return image(tmp_path, "two", TWO, replace(BASE, contents=BASE.contents[:1]), COPY)


def rows(html: str) -> list[str]:
    """The text of each row of the disclosures."""
    return [text(row) for row in re.findall(r"<(?:summary|div)>(.*?)</(?:summary|div)>", html.partition("<figcap")[0])]


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_rows(one: Image) -> None:
    """Each layer and each entry, the largest first; directories with one entry are joined."""
    assert rows(explorer.render([one], "explorer-1")) == [
        "1 ADD rootfs / 500B hidden 3kB",
        "usr/lib/ 2.5kB",
        f"{HOSTILE} 1.5kB",
        "3 other files 1kB",
        "passwd hidden by a later layer 500B",
        "2 WORKDIR /src 0B",
        "3 RUN go build -o /app && rm /passwd 2kB",
        "app 2kB",
        "passwd removed 0B",
    ]


def test_only_known_elements(one: Image, two: Image) -> None:
    """A name from an image is text. There is no style, and no handler, which the policy of the site forbids."""
    html = explorer.render([one, two], "explorer-1")
    elements = {word for element in Parsed(html).elements for word in element.split(" ")}
    assert not {"img", "onerror", "style", "script", "src"} & elements
    assert {"details", "summary", "svg", "rect", "table"} <= elements
    assert all(html.count(f"<{tag}") == html.count(f"</{tag}>") for tag in ("details", "summary", "ul", "li", "div"))


def test_exact_bytes(one: Image) -> None:
    """Each size has its exact bytes, and the files that it is the sum of."""
    html = explorer.render([one], "explorer-1")
    assert '<data value="3000" title="3,000 B in 5 files">3kB</data>' in html
    assert '<data value="500" title="500 B in 1 file">500B</data>' in html
    assert '<data value="5000" title="5,000 B">5kB</data>' in html


def test_what_is_hidden(one: Image, two: Image) -> None:
    """It is marked, can be left out, and is part of the bar. If nothing is hidden, there is nothing to leave out."""
    html = explorer.render([one], "explorer-1")
    assert html.count('class="explorer__gone"') == 1
    assert '<input type="checkbox">' in html
    assert '<rect class="chart__c3" x="50%" width="10%" height="100%"/>' in html
    plain = replace(BASE, contents=(replace(BASE.contents[0], hidden=0),))
    html = explorer.render([replace(two, capture=capture(layers=(plain, COPY)))], "explorer-1")
    assert "<input" not in html
    assert "hidden by a later layer" not in html


def test_what_crossed(one: Image, two: Image) -> None:
    """A `COPY --from` is marked in its image, and in the other one where the same path has the same size."""
    html = explorer.render([one, two], "explorer-1")
    assert "2 COPY /app /usr/bin/app copied from built 2kB" in text(html)
    assert "app copied to the other image 2kB" in text(html)
    alone = explorer.render([one], "explorer-1")
    assert "copied" not in alone
    larger = replace(COPY, size=2001)
    other = replace(two, capture=replace(two.capture, layers=(BASE, larger)))
    assert "copied to the other image" not in explorer.render([one, other], "explorer-1")
    # If the layers are not those of the Dockerfile, none is marked, rather than a wrong one.
    more = replace(two, capture=replace(two.capture, layers=(BASE, WORKDIR, COPY)))
    assert "copied from" not in explorer.render([more], "explorer-1")


def test_a_table_has_it_all(one: Image, two: Image) -> None:
    """Without the disclosures: every layer, where it comes from, its size, and what is hidden of it."""
    html = explorer.render([one, two], "explorer-1").partition("<table")[2]
    cells = [[text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in html.split("<tr>")[2:]]
    assert cells == [
        ["Of one & co, layer 1: ADD rootfs /", "base image", "3kB", "500B"],
        ["Of one & co, layer 2: WORKDIR /src", "", "0B", ""],
        ["Of one & co, layer 3: RUN go build -o /app && rm /passwd", "", "2kB", ""],
        ["Of two & co, layer 1: ADD rootfs /", "base image", "3kB", "500B"],
        ["Of two & co, layer 2: COPY /app /usr/bin/app", "copied from built", "2kB", ""],
    ]


def test_what_cannot_be_shown(one: Image) -> None:
    """A snippet that does not ask for contents, or has none yet, with what to do."""
    with pytest.raises(PageError, match="does not capture what is in its image") as error:
        explorer.image(replace(one.snippet, contents=None), one.capture)
    assert "contents = {}" in error.value.hint
    for nothing in (None, replace(one.capture, layers=(replace(BASE, contents=()),))):
        with pytest.raises(PageError, match="was never captured") as error:
            explorer.image(one.snippet, nothing)
        assert error.value.hint == "proof update one"


def test_ids(one: Image, two: Image) -> None:
    """Each image is labelled, by an ID that its page has once."""
    html = explorer.render([one, two], "explorer-1") + explorer.render([one], "explorer-2")
    ids = re.findall(r' id="([^"]*)"', html)
    assert ids == re.findall(r'aria-labelledby="([^"]*)"', html) == ["explorer-1-1", "explorer-1-2", "explorer-2-1"]


def test_the_steps_of_an_image(tmp_path: Path) -> None:
    """A stage that starts from another one has that one's layers too."""
    text = "FROM alpine:3.22 AS a\nRUN one\nFROM a AS b\nENV x=y\nCOPY two /\nFROM b\nWORKDIR /three\n"
    assert image(tmp_path, "chain", text, BASE).snippet.image_steps() == ["RUN one", "COPY two /", "WORKDIR /three"]


def test_the_article_is_light() -> None:
    """Both images of the article, side by side, take little of a page."""
    captures = book.load(SNIPPETS).captures
    names = ("single", "multi")
    html = explorer.render([explorer.image(project.find(SNIPPETS, n), captures.get(n)) for n in names], "explorer-1")
    assert len(gzip.compress(html.encode(), 6)) < 15_000
