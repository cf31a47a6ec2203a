"""Charts: to scale, legible, the same content in words and numbers, and errors with the line of the mistake."""

import itertools
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.captures import objections, store
from proof.captures.model import CapturedEntry, CapturedFact
from proof.pages import scan
from proof.pages.charts.svg import NARROW, SIZE, WIDE, Label, plain
from proof.pages.charts.treemap import squarified
from proof.pages.stopping import StopBuildError
from proof.snippets.capture_locations import folder_of
from tests.support import makers
from tests.support.helpers import REPOSITORY, captured
from tests.unit.pages.test_extension import convert

SIZES = {
    "whole": CapturedFact(1000, "B", ""),
    "five": CapturedFact(500, "B", ""),
    "third": CapturedFact(334, "B", ""),
    "tiny": CapturedFact(1, "B", ""),
    "none": CapturedFact(0, "B", ""),
    "size": CapturedFact(667, "B", ""),
    "layer_1": CapturedFact(332, "B", ""),
    "layer_2": CapturedFact(334, "B", ""),
    "layer_3": CapturedFact(1, "B", ""),
    "seconds": CapturedFact(2.5, "s", ""),
    "word": CapturedFact("there", "text", ""),
    "hostile": CapturedFact('"/></text><script>alert(1)</script>\x1b[31m {{ note.five }}', "text", ""),
}
STAGES = """\
FROM alpine:3.22 AS source
FROM source AS check
RUN true
FROM source AS build
RUN true
FROM scratch
COPY --from=build /a /a
"""
LOG = "#4 [source 1/1] FROM alpine:3.22\n#5 [build 1/1] RUN true\n#6 [stage-3 1/1] COPY --from=build /a /a\n"

BARS = 'kind = "bars"\ntitle = "A title"\nrows = [{ name = "one", value = "note.whole" }]\n'
KINDS = {
    "bars": """
        kind = "bars"
        title = "A title"
        parts = ["base", "ours"]
        rows = [
          { name = "first", values = ["note.whole", "note.five"] },
          { name = "second", values = ["note.tiny", "note.none"], note = "times(note.whole / note.five)" },
        ]
        """,
    "treemap": """
        kind = "treemap"
        title = "A title"
        parts = ["base", "ours"]
        rows = [
          { name = "first", value = "note.five", part = "base" },
          { name = "second", value = "note.third", part = "ours" },
          { name = "third", value = "note.none", part = "ours" },
        ]
        """,
    "layers": """
        kind = "layers"
        title = "A title"
        total = "note.size"
        rows = [
          { name = "the removal", value = "note.layer_3", hides = "/srv/note.txt" },
          { name = "`RUN mkdir`", value = "note.layer_2", holds = "/srv/note.txt" },
          { name = "base", value = "note.layer_1" },
        ]
        """,
    "lines": """
        kind = "lines"
        title = "A title"
        each = ["whole", "five", "third"]
        at = "{}"
        series = [{ name = "first", value = "note.{}" }, { name = "second", value = "note.{} / 2" }]
        """,
    "graph": """
        kind = "graph"
        title = "A title"
        boxes = [{ name = "first", lines = ["of {{ note.five }}"] }, { name = "second", dim = true }]
        arrows = [{ from = "first", to = "second", says = "becomes" }]
        """,
    "stages": """
        kind = "stages"
        title = "A title"
        step = "staged/build"
        """,
    "grid": """
        kind = "grid"
        title = "A title"
        columns = [
          { name = "size", value = "note.{}" },
          { name = "large", yes = "note.{} > note.third", words = ["yes, it is", "no"] },
        ]
        rows = [{ name = "first", of = "five" }, { name = "second", of = "tiny" }]
        """,
}
LAYERS = KINDS["layers"]


@pytest.fixture(autouse=True)
def measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snippet of several stages, and facts of round values, which no run would give."""
    monkeypatch.setattr(objections, "of", lambda *_: iter(()))
    manifest = 'title = "Stages"\nimage = "staged"\n[[step]]\nname = "build"\ncommand = "docker build -t staged ."\n'
    makers.write(root / "snippets" / "staged", {"context/Dockerfile": STAGES, "snippet.toml": manifest})
    captured(root)
    folders = [folder_of(root / "snippets" / name, "rebuilt") for name in ("note", "staged")]
    note, staged = (store.load(folder) for folder in folders)
    assert note is not None
    assert staged is not None
    store.save(replace(note, facts=SIZES), folders[0])
    store.save(replace(staged, steps=(replace(staged.steps[0], output=LOG),)), folders[1])


def fence(body: str) -> str:
    return f"``` chart\n{re.sub(r'^ {8}', '', body, flags=re.MULTILINE).strip()}\n```"


def drawn(body: str, root: Path) -> ET.Element:
    """The figure that a fence becomes."""
    page = ET.fromstring(f"<div>{convert(fence(body), root)}</div>")  # noqa: S314 - what we wrote ourselves
    return page[0]


def svg(body: str, root: Path) -> ET.Element:
    found = drawn(body, root).find(".//svg[@role='img']")
    assert found is not None
    return found


def widths(picture: ET.Element, css: str) -> list[float]:
    """The widths of the marks of a class, in %."""
    return [float(mark.get("width", "")[:-1]) for mark in picture.iter("rect") if css in mark.get("class", "")]


def test_bars_are_to_scale(root: Path) -> None:
    """The longest row fills the width, and each part of each row has its share of it. Nothing has no length."""
    picture = svg(KINDS["bars"], root)
    assert widths(picture, "chart__c1") == pytest.approx([1000 / 1500 * 100, 1 / 1500 * 100], rel=1e-4)
    assert widths(picture, "chart__c2") == pytest.approx([500 / 1500 * 100, 0], rel=1e-4)
    second = next(mark for mark in picture.iter("rect") if "chart__c2" in mark.get("class", ""))
    assert second.get("x") == "66.6667%"
    body = BARS.replace("note.whole", "note.none")
    assert widths(svg(body, root), "chart__c1") == [0]


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=30))
def test_a_treemap_fills_its_box(values: list[float]) -> None:
    """Each area is proportional to its value. All boxes lie inside the given one, and none overlap."""
    values = sorted(values, reverse=True)
    scale = 400 * 300 / math.fsum(values)
    boxes = list(squarified([value * scale for value in values], (0, 0, 400, 300)))
    assert [w * h for _, _, w, h in boxes] == pytest.approx([value * scale for value in values], rel=1e-6)
    for n, (x, y, w, h) in enumerate(boxes):
        assert -1e-3 <= x <= x + w <= 400.001
        assert -1e-3 <= y <= y + h <= 300.001
        for x2, y2, w2, h2 in boxes[:n]:
            assert min(x + w, x2 + w2) - max(x, x2) < 1e-3 or min(y + h, y2 + h2) - max(y, y2) < 1e-3


def test_a_treemap_is_as_square_as_in_the_paper() -> None:
    """The example in the paper by Bruls, Huizing and van Wijk: areas 6, 6, 4, 3, 2, 2, 1 in a box of 6 by 4."""
    boxes = squarified([6, 6, 4, 3, 2, 2, 1], (0, 0, 6, 4))
    shapes = [(round(w, 2), round(h, 2)) for _, _, w, h in boxes]
    assert shapes == [(3, 2), (3, 2), (1.71, 2.33), (1.29, 2.33), (1.2, 1.67), (1.2, 1.67), (0.6, 1.67)]


def test_a_treemap_names_what_there_is_room_for(root: Path) -> None:
    """A name is shown on every screen, only on a wide one, or not at all."""
    body = """
        kind = "treemap"
        title = "A title"
        rows = [
          { name = "large", value = "note.whole" },
          { name = "middling", value = "0.15 * note.whole" },
          { name = "small", value = "note.tiny" },
        ]
        """
    cells = svg(body, root).findall("svg")
    assert [["chart__wide" in text.get("class", "") for text in cell.findall("text")] for cell in cells] == [
        [False, False],
        [True, True],
        [],
    ]


def test_a_treemap_on_a_page_is_to_scale(root: Path) -> None:
    """The areas of the cells are proportional to their values. A zero value has no cell, but is in the table."""
    figure = drawn(KINDS["treemap"], root)
    cells = figure.findall(".//svg[@role='img']/svg")
    areas = [float(cell.get("width", "")[:-1]) * float(cell.get("height", "")) for cell in cells]
    assert areas[0] / areas[1] == pytest.approx(500 / 334, rel=1e-4)
    assert len(cells) == 2
    assert "third" in {cell.text for cell in figure.iter("th")}


def test_a_hidden_file_is_crossed_out_and_counted(root: Path) -> None:
    """Its layer keeps its length, and gets strokes and a note. A file that nothing hides gets neither."""
    picture = svg(KINDS["layers"], root)
    assert widths(picture, "chart__c2") == [100]  # of 334 B, the longest
    assert widths(picture, "chart__c1") == pytest.approx([1 / 334 * 100, 332 / 334 * 100], rel=1e-4)
    text = "".join(picture.itertext())
    assert "/srv/note.txt: hidden, and still counted" in text
    assert picture.find(".//line[@class='chart__cross']") is not None
    again = svg(KINDS["layers"].replace("hides", "holds"), root)
    assert "".join(again.itertext()).count(": hidden, and still counted") == text.count(": hidden, and still counted")
    whole = svg(KINDS["layers"].replace('hides = "/srv/note.txt"', 'holds = "/srv"'), root)
    assert whole.find(".//line[@class='chart__cross']") is None
    assert "still counted" not in "".join(whole.itertext())


@pytest.mark.parametrize(
    ("hides", "holds", "refused"),
    [
        ("/srv/note.txt", "/srv/note.txt", ""),
        ("/srv/small.txt", "/srv/small.txt", "/srv/small.txt"),  # in no list, and there is nothing that isn't listed
        ("/srv/note.txt", "/srv/gone.txt", "/srv/gone.txt"),  # the layer removes it
        ("/srv/gone.txt", "/srv/note.txt", "/srv/gone.txt"),
    ],
)
def test_a_layer_holds_what_its_contents_say(hides: str, holds: str, refused: str, root: Path) -> None:
    """As far as they were captured, for an explorer."""
    folder = folder_of(root / "snippets" / "note", "rebuilt")
    note = store.load(folder)
    assert note is not None
    contents = [
        [("base", "directory")],
        [("srv", "directory"), ("srv/note.txt", "file"), ("srv/gone.txt", "removed")],
        [("srv", "directory"), ("srv/note.txt", "removed")],
    ]
    layers = tuple(
        replace(note.layers[0], size=0, files=_files(rows), contents=tuple(listed(rows))) for rows in contents
    )
    store.save(replace(note, layers=layers), folder)
    body = LAYERS.replace('hides = "/srv/note.txt"', f'hides = "{hides}"')
    body = body.replace('holds = "/srv/note.txt"', f'holds = "{holds}"')
    if not refused:
        assert svg(body, root) is not None
        return
    with pytest.raises(StopBuildError, match=f"`{refused}` is not in the contents of this layer"):
        svg(body, root)


def listed(rows: list[tuple[str, str]]) -> Iterator[CapturedEntry]:
    """The contents of a layer with these paths, and empty files."""
    yield CapturedEntry(0, "directory", "", 0, _files(rows), 0)
    for path, kind in rows:
        yield CapturedEntry(path.count("/") + 1, kind, path.rpartition("/")[2], 0, _files(rows, path), 0)


def _files(rows: list[tuple[str, str]], below: str = "") -> int:
    """How many files have a path that begins like this."""
    return sum(kind == "file" and path.startswith(below) for path, kind in rows)


def test_lines_are_to_scale_from_zero(root: Path) -> None:
    """The height of a point above the axis is proportional to its value."""
    picture = svg(KINDS["lines"], root)
    ground = float(picture.find("line[@class='chart__axis']").get("y1"))  # type: ignore[union-attr,arg-type]
    heights = [ground - float(point.get("cy", "")) for point in picture.iter("circle")]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 0.5, 0.334, 0.5, 0.25, 0.167], rel=1e-4)


def test_values_stand_beside_their_line(root: Path) -> None:
    """Above a point, or below it at a minimum. If a phone lacks room, the ends and the extremes are kept."""
    names = ["whole", "five", "whole"]
    body = (
        'kind = "lines"\ntitle = "A title"\nat = "x"\nseries = [{ name = "one", value = "note.{}" }]\n'
        f"each = {names}"
    )
    picture = svg(body, root)
    points = [float(point.get("cy", "")) for point in picture.iter("circle")]
    values = [float(text.get("y", "")) for text in picture.iter("text") if (text.text or "")[0].isdigit()]
    assert [value > point for value, point in zip(values, points, strict=True)] == [False, True, False]
    many = svg(body.replace(str(names), str(["third"] * 4 + ["whole"] + ["third"] * 6)), root)
    shown = [text.text for text in many.iter("text") if "chart__wide" not in text.get("class", "") and text.text != "x"]
    assert len(shown) < 12
    assert "1kB" in shown
    assert shown.count("334B") >= 2


def test_arrows_lead_downwards(root: Path) -> None:
    """A box is below every box that leads to it, directly or not."""
    body = """
        kind = "graph"
        title = "A title"
        boxes = [{ name = "c" }, { name = "b" }, { name = "a" }]
        arrows = [{ from = "a", to = "b" }, { from = "b", to = "c" }, { from = "a", to = "c" }]
        """
    boxes = [box for box in svg(body, root).findall("svg") if box.find("rect") is not None]
    tops = {"".join(box.itertext()): float(box.get("y", "")) for box in boxes}
    assert tops["a"] < tops["b"] < tops["c"]


def test_many_ways_through_a_graph(root: Path) -> None:
    """Two boxes on each of 50 levels, each with an arrow to both below: 2**49 ways, drawn in a moment."""
    boxes = [f"{side}{'i' * level}" for level in range(50) for side in "ab"]
    arrows = [(boxes[i], boxes[j]) for i in range(0, 98, 2) for i, j in itertools.product((i, i + 1), (i + 2, i + 3))]
    names = ",\n".join(f'{{ name = "{name}" }}' for name in boxes)
    ends = ",\n".join(f'{{ from = "{start}", to = "{end}" }}' for start, end in arrows)
    drawing = svg(f'kind = "graph"\ntitle = "A title"\nboxes = [{names}]\narrows = [{ends}]\n', root)
    assert len({box.get("y") for box in drawing.findall("svg") if box.find("rect") is not None}) == 50


def test_stages_that_did_not_run_are_dim(root: Path) -> None:
    """What ran is read from the captured log, the dependencies from the Dockerfile."""
    figure = drawn(KINDS["stages"], root)
    assert [[("".join(cell.itertext())) for cell in row] for row in figure.iter("tr")] == [
        ["Stage", "In this build", "Is needed by"],
        ["source", "built", "check, build"],
        ["check", "skipped", "nothing"],
        ["build", "built", "last stage"],
        ["last stage", "built", "nothing"],
    ]
    assert len([box for box in figure.iter("rect") if "dim" in box.get("class", "")]) == 1


def test_a_grid_evaluates_its_marks(root: Path) -> None:
    """A tick or a cross shows the value of a predicate, next to a word."""
    figure = drawn(KINDS["grid"], root)
    marks = [cell.get("class", "").rpartition("--")[2] for cell in figure.iter("svg")]
    assert marks == ["yes", "no"]
    assert [" ".join("".join(row.itertext()).split()) for row in figure.findall(".//tbody/tr")] == [
        "first500Byes, it is",
        "second1Bno",
    ]
    turned = KINDS["grid"].replace("columns", "x").replace("rows", "columns").replace("x =", "rows =")
    assert sorted(m.get("class", "") for m in drawn(turned, root).iter("svg")) == sorted(
        m.get("class", "") for m in figure.iter("svg")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_also_words_and_a_table(kind: str, root: Path) -> None:
    """It has a name, a description and a table with the same content."""
    html = convert(fence(KINDS[kind]), root)
    # All of it is allowed by a Content-Security-Policy without unsafe-inline.
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|javascript:", html)
    figure = drawn(KINDS[kind], root)
    assert figure.findtext("figcaption") == "A title"
    table = figure.find(".//table")
    assert table is not None
    stated = {cell.text for cell in table.iter("data")}
    names = {"".join(cell.itertext()) for cell in table.findall(".//tbody//th")}
    assert names
    picture = figure.find(".//svg[@role='img']")
    if kind == "grid":
        assert picture is None  # the table is the picture
        return
    assert picture is not None
    by_id = {part.get("id"): part.text or "" for part in picture}
    assert by_id[picture.get("aria-labelledby")] == "A title"
    described = by_id[picture.get("aria-describedby")]
    for said in stated | names - {"In all"}:
        assert said is not None
        assert said in ("834B", "100%") or said in described  # those are all of it
    assert all(cell.get("title") and cell.get("value") for cell in table.iter("data"))


def test_ids_stand_once(root: Path) -> None:
    """Several pictures on a page have different IDs, and refer to their own."""
    html = convert("\n\n".join(fence(KINDS[kind]) for kind in ("bars", "bars", "treemap")), root)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)) == 6
    assert set(re.findall(r'aria-(?:labelled|described)by="([^"]+)"', html)) == set(ids)


@pytest.mark.parametrize("kind", ["bars", "layers", "graph", "treemap"])
def test_a_hostile_fact_is_only_text(kind: str, root: Path) -> None:
    """What a program printed is escaped, made visible, and never evaluated."""
    html = convert(fence(re.sub("first|base", "{{ note.hostile }}", KINDS[kind])), root)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␛[31m {{ note.five }}" in html
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_a_title_is_the_page_s_own_markdown(root: Path) -> None:
    """It states facts and draws conclusions, which are checked as in prose."""
    good = BARS.replace(
        "A title", "All of {{ note.whole }}, twice the *other* {{ claim: note.whole == 2 * note.five }}"
    )
    html = convert(fence(good), root)
    assert "holds for note.whole = 1,000 B, note.five = 500 B" in html
    assert ">All of 1kB, twice the *other*</title>" in html
    with pytest.raises(StopBuildError, match="this claim is false"):
        convert(fence(good.replace("2 *", "3 *")), root)
    with pytest.raises(StopBuildError, match="draws a conclusion"):
        convert(fence(BARS.replace("A title", "The smallest")), root)


def test_a_page_uses_what_its_pictures_show(root: Path) -> None:
    """So that `proof check --page` runs it, and every number of a picture counts as bound."""
    (root / "docs" / "index.md").write_text(f"# Title\n\n{fence(KINDS['stages'])}\n\n{fence(KINDS['bars'])}\n")
    (scanned,) = scan.scan(root)
    assert scanned.page.snippets == {"note", "staged"}
    assert scanned.page.bound == 5
    assert scanned.problems == []


@pytest.mark.parametrize(
    ("body", "says", "line"),
    [
        ("", "`kind` is missing", 4),
        (BARS.replace("bars", "bar"), "unknown kind 'bar' - did you mean 'bars'?", 5),
        (BARS + "colour = 1", "unknown key 'colour'", 8),
        (BARS.replace("whole", "hole"), "unknown fact 'note.hole' - did you mean 'note.whole'?", 7),
        (BARS.replace("note.whole", "note.word"), "'there' is not a number", 7),
        (BARS.replace("note.whole", "note.none - note.whole"), "is negative", 7),
        (BARS.replace('"one"', '"one of 8.31MB"'), "the number '8.31MB' is typed", 7),
        (BARS.replace("rows = [", 'rows = [\n{ name = "two", value = "note.seconds" },\n'), "different units", 7),
        (BARS.replace("= [{", "= ["), "invalid TOML", 7),
        (BARS.replace("note.whole", "MB(270)"), "`MB(270)` names no fact", 7),
        (BARS.replace("note.whole", "note.whole * 0 + MB(270)"), "hardly depends on its facts", 7),
        (BARS.replace('"one"', '"{{ 1 + 1 }}"'), "`1 + 1` names no fact", 7),
        (BARS.replace('"one"', '"{{ note.five }} MB"'), "the unit 'MB' is typed after the value", 7),
        (BARS.replace('"one"', '"{{ note.five }}{{ note.third }}"'), "nothing separates", 7),
        (BARS.replace('"one"', '"\\u04175 less"'), "`name` has U+0417, which readers may take for another", 7),
        (BARS.replace('"one"', '"`/srv/other`"'), "`/srv/other` is in no snippet of this page", 7),
        (BARS.replace('"one"', '"Go 9.99"'), "'Go 9.99' in a chart is in no snippet of this page", 7),
        (BARS.replace('"one"', '"port 8080"'), "'port 8080' in a chart is in no snippet of this page", 7),
        ('kind = "bars"\ntitle = "A"\nrows = []', "`rows` has 0 tables", 7),
        (KINDS["bars"].replace(', "note.five"]', "]"), "expected 2 values, found 1", 8 + 1),
        (KINDS["bars"].replace('"base", ', '"a", "b", "c", "d", '), "5 parts, but only 4 colours", 7),
        (
            KINDS["treemap"].replace('part = "ours"', 'part = "our"'),
            "unknown part 'our' - did you mean 'ours'?",
            10,
        ),
        (KINDS["treemap"].replace("note.five", "note.none").replace("note.third", "note.none"), "is zero", 8),
        (LAYERS.replace('{ name = "base", value = "note.layer_1" },', ""), "the layers add up to 335B, but", 7),
        (LAYERS.replace('total = "note.size"', ""), "`total` is missing", 7 - 3),
        (LAYERS.replace("note.size", "note.layer_1 + note.layer_2 + note.layer_3"), "not the size of the image", 7),
        (LAYERS.replace("note.layer_1", "note.layer_2"), "these layers are not in their order", 8),
        (LAYERS.replace("note.layer_1", "staged.layer_1"), "layers of different images: note and staged", 8),
        (LAYERS.replace("note.layer_1", "note.none"), "`value` is not a layer of an image", 11),
        (LAYERS.replace("note.layer_1", "note.layer_1 - note.tiny"), "`value` is not a layer of an image", 11),
        (LAYERS.replace("/srv/note.txt", "libfoo-2.0.1.so"), "`hides` is not a path in the image", 9),
        (LAYERS.replace('holds = "/srv/note.txt"', 'holds = "/etc/shadow"'), "`/etc/shadow` is in no snippet of", 10),
        (KINDS["lines"].replace('"whole", "five", "third"', '"whole"'), "at least two points", 7),
        (KINDS["lines"].replace('"whole", ', '"five", ' * 199), "`each` has 201 texts", 7),
        (KINDS["lines"].replace('"third"]', '"fourth"]'), "unknown fact 'note.fourth'", 9),
        (
            KINDS["graph"].replace('to = "second"', 'to = "secnd"'),
            "unknown box 'secnd' - did you mean 'second'?",
            8,
        ),
        (KINDS["graph"].replace('name = "second"', 'name = "first"'), "two boxes are called 'first'", 7),
        (
            """kind = "graph"\ntitle = "A"\nboxes = [{ name = "a" }, { name = "b" }, { name = "c" }]
            arrows = [{ from = "a", to = "b" }, { from = "b", to = "c" }, { from = "c", to = "a" }]""",
            "form a cycle: a → b → c → a",
            8,
        ),
        (
            KINDS["graph"].replace("arrows = [", "arrows = [" + '{ from = "first", to = "second" },\n' * 200),
            "`arrows` has 201 tables",
            8,
        ),
        (KINDS["stages"].replace("staged/build", "staged/bild"), "'staged/bild' is not a captured `docker build`", 7),
        (KINDS["stages"].replace("staged", "stage"), "unknown snippet 'stage'", 7),
        (KINDS["stages"].replace("staged", "note"), "no stages in the output of", 7),
        (KINDS["grid"].replace("> note.third", "/ 2"), "neither true nor false", 9),
        (KINDS["grid"].replace("> note.third", "> leaflet.size"), "no run checks this: a figure in it is cited", 9),
        (KINDS["grid"].replace('of = "tiny"', 'value = "note.tiny"'), "either all rows or all columns need `of`", 11),
        (KINDS["grid"].replace('"yes, it is", "no"', '"yes"'), "two `words`", 9),
    ],
)
def test_what_stops_a_build(body: str, says: str, line: int, root: Path) -> None:
    """Every fault ends the build at the line of the page, with a hint."""
    text = f"# Title\n\n{fence(body)}\n"
    page = root / "docs" / "index.md"
    page.write_text(f"---\ntitle: {'x'}\n---\n\n{text}".replace("---\n\n#", "---\n#"))
    shift = page.read_text().split("\n").index("``` chart") + 1 - 4
    with pytest.raises(StopBuildError) as stopped:
        convert(text, root)
    assert says in str(stopped.value)
    assert str(stopped.value.where) == f"{page}:{line + shift}"
    assert stopped.value.hint
    assert stopped.value.exit_code == 2


def test_a_picture_says_whose_figures_are_in_it(root: Path) -> None:
    """A figure that others published is not to be taken for one of ours."""
    assert "chart__cited" not in convert(fence(BARS), root)
    html = convert(fence(BARS.replace("note.whole", "leaflet.size")), root)
    assert re.search(r'<p class="chart__cited">With figures that were published, and not measured here: \w', html)
    assert 'title="cited: leaflet.size: ' in html
    named = convert(fence(BARS.replace('name = "', 'name = "{{ leaflet.size }} ', 1)), root)
    assert re.search(r">[^<]+B \(cited\) \w", named)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("``` chart\n" + BARS, "never closed"),
        (f'``` chart title="A"\n{BARS}```', "takes no options"),
        (f"Text.\n\n    ``` chart\n{BARS}    ```", "indented like code"),
    ],
)
def test_a_fence_that_is_none(text: str, says: str, root: Path) -> None:
    """A fence that was meant as a chart is never shown as code."""
    with pytest.raises(StopBuildError, match=says):
        convert(text, root)


@given(st.lists(st.tuples(st.text("ab ", max_size=30), st.booleans()), min_size=1, max_size=6), st.floats(40, 300))
def test_labels_wrap_without_loss(pieces: list[tuple[str, bool]], width: float) -> None:
    """Every word is there in its order; a line is too long only where a single word is."""
    label = Label(tuple(pieces))
    lines = label.wrapped(width)
    assert " ".join(map(str, lines)).split() == str(label).split()
    assert all(line.width <= width or len(str(line).split()) == 1 for line in lines)


def test_long_names_stay_on_a_phone(root: Path) -> None:
    """No line of a name reaches beyond the width of a phone, nor into its value."""
    name = "a name that goes on and on, as names of flags and of instructions of Dockerfiles sometimes do"
    picture = svg(BARS.replace('"one"', json.dumps(name)), root)
    lines = [text.text or "" for text in picture.iter("text") if text.get("class") == "chart__name"]
    assert " ".join(lines) == name
    assert max(plain(line).width for line in lines) + plain("1kB").width < NARROW


def luminance(colour: str) -> float:
    """Of #rrggbb, as WCAG 2 has it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_style_sheet_fits() -> None:
    """The same sizes; contrasts of 3:1 on white and on Material's slate for what is drawn, 4.5:1 for words on it."""
    css = (REPOSITORY / "docs" / "assets" / "proof.css").read_text("utf-8")
    colours = dict(re.findall(r"--chart-(\w+): (#[0-9a-f]{6});", css))
    ink = colours.pop("ink")
    assert f"@container (max-width: {WIDE - 1}px)" in css
    assert f"font-size: {SIZE}px" in css
    assert set(colours) == {"1", "2", "3", "4", "edge"}
    for name, colour in colours.items():
        assert contrast(colour, "#ffffff") >= 3, name
        assert contrast(colour, "#1e2529") >= 3, name
        assert name == "edge" or contrast(colour, ink) >= 4.5, name
