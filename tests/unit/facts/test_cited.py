"""Figures that no snippet measures: two files, each with its sources."""

from pathlib import Path

import pytest

from proof.core.errors import ManifestError, RefusedError
from proof.facts import book
from proof.facts.values import Fact, Source
from tests.support.makers import write


def source(name: str, figure: str, **more: str) -> str:
    """One source with one figure."""
    lines = {"title": f'"the {name}"', "date": '"2020-06-04"'} | more
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    return f'[[source]]\nname = "{name}"\n{text}figures.size = {figure}\n'


@pytest.mark.parametrize(
    ("value", "unit", "kept", "kept_unit"),
    [
        ("7.6", "B", 8, "B"),
        ("7.64", "MB", 7_640_000, "B"),
        ("328.79", "MB", 328_790_000, "B"),  # which as a float is a little less
        ("0.0000016", "MB", 2, "B"),
        ("1.5", "MiB", 1_536.0, "KiB"),
        ("1.5", "s", 1.5, "s"),
        ("2", "count", 2, "count"),
        ("0.96", "ratio", 0.96, ""),
    ],
)
def test_a_unit(tmp_path: Path, value: str, unit: str, kept: float, kept_unit: str) -> None:
    """A figure is converted to the unit of measured facts. Bytes are rounded, not truncated."""
    write(tmp_path, {"snippets/cited.toml": source("first", f'{{ value = {value}, unit = "{unit}" }}')})
    found = book.load(tmp_path / "snippets")["first.size"]
    assert found == Fact(
        kept, kept_unit, "first.size", "the first", Source("the first", "2020-06-04", ""), tolerance=0.0
    )
    assert type(found.value) is type(kept)


FIGURE = '{ value = 1, unit = "B" }'


def test_both_files(tmp_path: Path) -> None:
    """First the published figures, then those of the benchmarks."""
    write(tmp_path, {"snippets/bench.toml": source("bench", FIGURE), "snippets/cited.toml": source("cited", FIGURE)})
    assert list(book.load(tmp_path / "snippets")) == ["cited.size", "bench.size"]
    write(tmp_path, {"snippets/bench.toml": source("cited", FIGURE)})
    with pytest.raises(ManifestError, match=r"bench\.toml:2: two sources are called 'cited'"):
        book.load(tmp_path / "snippets")


@pytest.mark.parametrize("url", ["http://example.com", "https://example.com/a?b=c#d", "https://x/~!", ""])
def test_an_address(tmp_path: Path, url: str) -> None:
    """An http or https URL is accepted, and none."""
    write(tmp_path, {"snippets/cited.toml": source("first", FIGURE, url=f'"{url}"')})
    origin = book.load(tmp_path / "snippets")["first.size"].origin
    assert origin == Source("the first", "2020-06-04", url)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("go", "'go' is already a snippet"),
        ("go_1_27", "'go_1_27' could be a variant of the snippet 'go'"),
        ("go_web", "'go_web' is already a snippet"),
        ("go_web_1", "'go_web_1' could be a variant of the snippet 'go_web'"),
        ("golang", ""),
        ("web", ""),
        ("a_go", ""),
    ],
)
def test_a_name_that_a_snippet_has(tmp_path: Path, name: str, says: str) -> None:
    """A source cannot have a name that a snippet has or could get."""
    write(tmp_path, {"snippets/go/snippet.toml": "", "snippets/go_web/snippet.toml": "", "snippets/web": ""})
    write(tmp_path, {"snippets/cited.toml": source(name, FIGURE)})
    if not says:
        assert list(book.load(tmp_path / "snippets")) == [f"{name}.size"]
        return
    with pytest.raises(ManifestError) as error:
        book.load(tmp_path / "snippets")
    assert error.value.what == says


NO_ADDRESS = (
    *("https://", "ftp://example.com", "xhttps://a", "https//a", "https://a b", "https://\u00e4", "HTTPS://a", "/a"),
    *("javascript:alert(1)", "data:text/html,x", "https://example.com/ x"),
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"more = 1\n{source('a', FIGURE)}", 1, "unknown key 'more'"),
        ("source = 1\n", 1, "`source` must be"),
        (source("a", FIGURE).replace("name", "nam"), 2, "unknown key 'nam'"),
        (source("a", FIGURE).replace('name = "a"', ""), 1, "`name` is missing"),
        (source("a", FIGURE).replace('title = "the a"', ""), 1, "`title` is missing"),
        (source("a", FIGURE).replace('date = "2020-06-04"', ""), 1, "`date` is missing"),
        (source("a", FIGURE, date="2020-06-04"), 4, "`date` must be a string"),
        (source("a.size", FIGURE), 2, "invalid name 'a.size'"),
        (source("A", FIGURE), 2, "invalid name 'A'"),
        (source("a", FIGURE) + source("a", FIGURE), 7, "two sources are called 'a'"),
        (source("a", FIGURE).replace("figures.size", 'figures."a.b"'), 5, "invalid name 'a.b'"),
        (source("a", FIGURE, more="1"), 5, "unknown key 'more'"),
        (source("a", FIGURE, url="1"), 5, "`url` must be a string"),
        *((source("a", FIGURE, url=f'"{url}"'), 5, "invalid URL") for url in NO_ADDRESS),
        *(
            (source("a", FIGURE, date=f'"{day}"'), 4, "invalid date")
            for day in ("today", "2026-13", "2026-1-1", "20260101")
        ),
        (source("a", FIGURE, title=r'"a\u202Eb"'), 3, "`title` has the invisible character U+202E"),
        (source("a", "2"), 5, "`size` must be a table"),
        (source("a", "{"), 5, "invalid TOML"),
        (source("a", '{ value = 1, unti = "B" }'), 5, "unknown key 'unti' - did you mean 'unit'?"),
        (source("a", "{ value = 1 }"), 5, "`unit` is missing"),
        (source("a", "{ value = 1, unit = 1 }"), 5, "`unit` must be a string"),
        (source("a", '{ value = 1, unit = "Mb" }'), 5, "unknown unit 'Mb'"),
        (source("a", '{ unit = "count" }'), 5, "`value` must be a number"),
        *(
            (source("a", f'{{ value = {value}, unit = "MB" }}'), 5, "`value` must be a number")
            for value in ('"2"', "nan", "-inf", "1e300", "true", "1e13")
        ),
        (source("a", "{ value = 2.6, unit = 'count' }"), 5, "a count is a whole number"),
    ],
)
@pytest.mark.parametrize("name", ["cited.toml", "bench.toml"])
def test_a_mistake(tmp_path: Path, name: str, text: str, line: int, says: str) -> None:
    """It is an error with its line, in either file."""
    write(tmp_path, {f"snippets/{name}": text})
    with pytest.raises(ManifestError) as error:
        book.load(tmp_path / "snippets")
    assert says in error.value.what
    assert error.value.where is not None
    assert (error.value.where.path.name, error.value.where.line) == (name, line)


def test_a_link(tmp_path: Path) -> None:
    """A link to a file outside the project is refused."""
    write(tmp_path, {"elsewhere.toml": source("first", FIGURE), "p/snippets/go/snippet.toml": ""})
    (tmp_path / "p/snippets/cited.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(RefusedError, match="found a symbolic link"):
        book.load(tmp_path / "p/snippets")
