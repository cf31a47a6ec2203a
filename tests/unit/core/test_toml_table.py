"""The line numbers in errors about hand-written TOML files."""

import tomllib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.core.toml_table import Table

# A comment at the end of a line lists the places of what begins on it, in the notation of `written`.
CASES = {
    "a multi-line string that holds headers and keys": '''
        text = """ # text
        [[step]]
        name = 1
        [note]
        """
        [[step]] # step step.0
        name = "one" # step.0.name
        out = """ # step.0.out
        [[step]]
        name = "two"
        """
        [[step]] # step.1
        name = "two" # step.1.name
        [note] # note
        ''',
    "multi-line strings that end with quotes of their own": '''
        a = """ # a
        x""""
        b = """ # b
        [c]"""""
        d = \'\'\' # d
        [e]\'\'\'\'\'
        f = """""" # f
        [c] # c
        ''',
    "tables of a step": """
        [[step]] # step step.0
        name = 1 # step.0.name
        [step.facts.x] # step.0.facts step.0.facts.x
        match = 1 # step.0.facts.x.match
        [step.facts.y] # step.0.facts.y
        match = 1 # step.0.facts.y.match
        [[step]] # step.1
        facts.x.match = 1 # step.1.facts step.1.facts.x step.1.facts.x.match
        facts.x.unit = 1 # step.1.facts.x.unit
        [[step]] # step.2
        [step.facts.x] # step.2.facts step.2.facts.x
        match = 1 # step.2.facts.x.match
        """,
    "arrays of tables in arrays of tables": """
        [[base]] # base base.0
        [[base.layer]] # base.0.layer base.0.layer.0
        k = 1 # base.0.layer.0.k
        [[base.layer]] # base.0.layer.1
        k = 1 # base.0.layer.1.k
        [[base]] # base.1
        k = 1 # base.1.k
        [[base.layer]] # base.1.layer base.1.layer.0
        k = 1 # base.1.layer.0.k
        """,
    "inline tables": """
        a = { b = 1, c.d = "}" } # a a.b a.c a.c.d
        e = [{ f = "[g]" }, { f = '] #' }] # e e.0 e.0.f e.1 e.1.f
        g = 1 # g
        """,
    "an array of inline tables over several lines": """
        bar = [ # bar
          # { value = 0 },
          { value = "]" }, # bar.0 bar.0.value

          { value = [1, 2] }, { value = 3 } # bar.1 bar.1.value bar.1.value.0 bar.1.value.1 bar.2 bar.2.value
        , { value = 4 }, # bar.3 bar.3.value
        ]
        title = 1 # title
        """,
    "brackets and number signs in strings and comments": """
        a = "[b] # ]" # a
        # [b]
        c = '[b] = "' # c
        # it's "quoted
        [b] # b
        """,
    "quoted keys": """
        "a b" = 1 # a*b
        'c"' = 1 # c"
        "\\u0064" = 1 # d
        [ "e" . 'f' ] # e e.f
        "=" = 1 # e.f.=
        "[" = 1 # e.f.[
        """,
}


def places(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of each value in a TOML file."""
    if at:
        yield at
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*at, key))


def written(place: tuple[str | int, ...]) -> str:
    return ".".join(str(part).replace(" ", "*").replace(".", "*") for part in place)


def line(path: Path, text: str, place: tuple[str | int, ...]) -> int | None:
    """The line that an error about this place names."""
    return Table(path, text, tomllib.loads(text), at=place).where().line


@pytest.mark.parametrize("case", CASES)
def test_every_place_has_its_line(case: str) -> None:
    """Each key, table and item is found on the line whose comment names it."""
    text = "\n".join(row.strip() for row in CASES[case].strip().split("\n"))
    rows = [row.rpartition(" # ")[2].split() if " # " in row else [] for row in text.split("\n")]
    expected = {place: number for number, names in enumerate(rows, start=1) for place in names}
    found = {written(place): line(Path("x.toml"), text, place) for place in places(tomllib.loads(text))}
    assert found == expected


def test_a_missing_key_has_the_line_of_its_table() -> None:
    """For the file itself, that is the first line."""
    text = "a = 1\n[[step]]\nname = 1\n[[step]]\n[step.facts]\nx = { match = 1 }\n"
    table = Table.parse(Path("x.toml"), text)
    assert table.where("b").line == 1
    assert [step.where("command").line for step in table.tables("step")] == [2, 4]
    (fact,) = table.tables("step")[1].subtables("facts")
    assert (fact.name, fact.where().line, fact.where("unit").line, fact.where("match").line) == ("x", 6, 6, 6)


def test_a_text_inside_a_page_has_the_lines_of_the_page() -> None:
    """A chart is in a fence, below other lines."""
    table = Table.parse(Path("page.md"), 'title = "t"\n[[bar]]\nvalue = 1\n', above=10)
    assert [table.where().line, table.where("title").line, table.tables("bar")[0].where("value").line] == [10, 11, 13]


@pytest.mark.parametrize(("begin", "item", "end"), [("[", "1", "]"), ("{a=", "{b=1}", "}")])
def test_values_deep_in_each_other_take_little_memory(begin: str, item: str, end: str) -> None:
    """Every place holds the keys of all places around it: their lines are not noted to any depth."""
    values = ",".join([item] * 10_000)
    text = f"title = 'x'\nx = {begin * 250}[{values}]{end * 250}\n"
    table = Table.parse(Path("snippet.toml"), text)
    tracemalloc.start()
    try:
        assert table.where("title").line == 1
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert table.where("x").line == 2


STRINGS = st.sampled_from(
    ['"""\n[a]\nb = 1"""', "'''\n[[a]]'''", '"]"', "'}'", '"#"', '"\\""', '""', "''", '"""x"""""', "'''\\'''"]
)
COMMENTS = st.sampled_from(["", " # [a]", ' # """', " # {'", "\n", "\n# ]\n"])
VALUES = st.recursive(
    st.sampled_from(["1", "-1.5e3", "true", "1979-05-27 07:32:00"]) | STRINGS,
    lambda inner: (
        st.lists(st.tuples(COMMENTS.filter(lambda text: not text.startswith(" ")), inner), max_size=3).map(
            lambda items: "[" + "".join(f"{blank}{item}," for blank, item in items) + "]"
        )
        | st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{n} = {item}" for n, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)
HEADERS = st.sampled_from(["a", "b", "a.b", "b.a", "a.'b c'", 'b."]"', "c"])


@given(data=st.data())
def test_a_marked_key_is_found(data: st.DataObject) -> None:
    """A key has the right line, whatever is above it."""
    rows, marks = [], {}
    arrays = data.draw(st.sets(HEADERS.filter(lambda name: "." not in name)))
    for number in range(data.draw(st.integers(1, 6))):
        if (name := data.draw(HEADERS)) in arrays:
            rows.append(f"[[{name}]]")
        elif f"[{name}]" not in rows:
            rows.append(f"[{name}]")
        marks[f"mark{number}"] = "\n".join(rows).count("\n") + 2
        rows.append(f"mark{number} = {data.draw(VALUES)}{data.draw(COMMENTS)}")
    text = "\n".join(rows)
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # [a] after a = 1, or twice
        return
    found = {place[-1]: line(Path("x"), text, place) for place in places(parsed) if place[-1] in marks}
    assert found == marks
