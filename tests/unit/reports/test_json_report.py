"""Facts as JSON: what anyone can cite, as docs/tool/facts.md describes it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import store
from proof.facts import book as book_module
from proof.facts.book import FactBook
from proof.pages import addresses
from proof.reports import json_report
from proof.snippets import capture_locations, project
from proof.snippets.capture_locations import Origin
from tests.support import makers
from tests.support.helpers import REPOSITORY, address, captured, tiny

DESCRIBED: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "object": dict,
    "list": list,
    "null": type(None),
}


@pytest.fixture(scope="module")
def book() -> FactBook:
    return book_module.load(REPOSITORY / "snippets")


@pytest.fixture(scope="module")
def written(book: FactBook) -> dict[str, Any]:
    """What the site of this repository publishes, at an address of its own."""
    places = addresses.of_steps(REPOSITORY, "https://example.com/site")
    text = json_report.facts(map(book.everywhere, book), project.load_all(REPOSITORY), places)
    read: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return read


def test_every_fact_is_there(written: dict[str, Any], book: FactBook) -> None:
    """Measured and cited, once each, first with the value that pages use; and every number is finite."""
    assert written["schema"] == 2
    assert {fact["name"]: fact["values"][0]["value"] for fact in written["facts"]} == {
        n: f.value for n, f in book.items()
    }
    assert len(written["facts"]) == len(book)
    values = [value for fact in written["facts"] if fact["unit"] != "text" for value in fact["values"]]
    assert all(math.isfinite(value[key]) for value in values for key in ("value", "tolerance"))


def documented(part: str) -> dict[str, str]:
    """The keys of a table of the documentation with their types."""
    text = (REPOSITORY / "docs/tool/facts.md").read_text("utf-8")
    table = text.partition(f"<!-- keys of {part} -->")[2].partition("<!-- end -->")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", table, re.MULTILINE))


def wrong(read: dict[str, Any], part: str) -> dict[str, Any]:
    """What has not a type that the table names. The keys are those of the table."""
    types = documented(part)
    assert list(read) == list(types)
    return {
        key: value
        for key, value in read.items()
        if not any(isinstance(value, DESCRIBED[name]) for name in types[key].split(" or "))
    }


def test_the_keys_are_those_of_the_documentation(written: dict[str, Any]) -> None:
    """Each object has exactly the keys of its table, each with a value of a type that the table names."""
    assert set(written) == {"schema", "facts"}
    for fact in written["facts"]:
        assert wrong(fact, "facts.json") == {}, fact["name"]
        assert fact["unit"] in ("B", "KiB", "s", "count", "text", "")
        for value in fact["values"]:
            assert wrong(value, "values") == {}, fact["name"]
            assert isinstance(value["value"], str) == (fact["unit"] == "text")
            assert (value["environment"] is None) == (fact["kind"] == "cited")
            assert not value["environment"] or wrong(value["environment"], "environment") == {}, fact["name"]


def test_a_number_can_be_cited(written: dict[str, Any], book: FactBook) -> None:
    """A measured fact says with which command, engine and bases it was measured, when, and where it is shown."""
    facts = {fact["name"]: fact for fact in written["facts"]}
    origin = book.captures["single"].provenance
    size = facts["single.size"]
    assert (size["step"], size["command"], size["inside"]) == ("build", "docker build -t example .", None)
    assert size["place"] == "https://example.com/site/#single-build"
    first = size["values"][0]
    assert (first["date"], first["revision"]) == (origin.date, origin.revision)
    assert first["environment"] == {
        "platform": "linux/amd64",
        "engine": origin.engine,
        "engine_from": "",
        "builder": origin.builder,
        "image_store": "overlay2",
        "bases": "rebuilt",
        "base_images": origin.bases,
    }
    read = facts["single.du_src"]
    assert (read["step"], read["place"]) == ("du", "https://example.com/site/#single-du")
    for fact in written["facts"]:
        if fact["kind"] in ("measured", "computed"):
            assert all(fact[key] for key in ("snippet", "step", "command", "place")), fact["name"]
            assert all(value["revision"] for value in fact["values"])
        else:
            assert (fact["kind"], fact["step"], fact["place"], len(fact["values"])) == ("cited", None, None, 1)


def test_each_environment_has_its_value(tmp_path: Path) -> None:
    """A fact of two engines and on two kinds of bases has a value of each; a capture of old inputs has none."""
    root = captured(tiny(tmp_path))
    folder = root / "snippets/note"
    made = book_module.load(root / "snippets").captures["note"]

    def keep(origin: Origin, engine: str, size: int, **fields: Any) -> None:
        one = makers.by_engine(replace(made, environment=replace(made.environment, bases=origin), **fields), engine)
        facts = one.facts | {"size": replace(one.facts["size"], value=size)}
        wording = one.engine.wording or "docker-28"
        store.save(replace(one, facts=facts), capture_locations.folder_of(folder, origin, "", wording))

    def read() -> list[tuple[str, str, str, int]]:
        (fact,) = json.loads(json_report.facts([book_module.load(root / "snippets").everywhere("note.size")]))["facts"]
        each = [(value["environment"], value["value"]) for value in fact["values"]]
        return [(where["bases"], where["engine"], where["image_store"], value) for where, value in each]

    keep("rebuilt", "docker 26.1.5", 26)
    keep("rebuilt", "docker 29.7.2", 29)
    both = [("rebuilt", "docker 26.1.5", "overlay2", 26), ("rebuilt", "docker 29.7.2", "containerd", 29)]
    assert read() == both
    keep("registry", "docker 28.0.4", 28, inputs=made.inputs | {"snippet.toml": "sha256:" + "0" * 64})
    assert read() == both
    keep("registry", "docker 28.0.4", 28)
    assert read() == [*both, ("registry", "docker 28.0.4", "overlay2", 28)]  # the first one is what pages show
    keep("rebuilt", "docker 29.7.2", 29, inputs=made.inputs | {"snippet.toml": "sha256:" + "0" * 64})
    assert read() == [("registry", "docker 28.0.4", "overlay2", 28), both[0]]


def test_a_computed_total(written: dict[str, Any], book: FactBook) -> None:
    """It says what was measured of it and when, and where the rest was published."""
    facts = {fact["name"]: fact for fact in written["facts"]}
    total, base = facts["single.official_size"], facts["repo_info_golang_1_27_local.size"]
    (value, *_), (published,) = total["values"], base["values"]
    assert value["value"] == facts["single.own_size"]["values"][0]["value"] + published["value"]
    assert (total["kind"], value["url"]) == ("computed", published["url"])
    assert base["source"] in total["source"]
    assert (value["date"], total["step"]) == (book.captures["single"].provenance.date, "build")


def test_a_place_is_a_page_of_the_site(written: dict[str, Any]) -> None:
    """Its address is that of a page below docs/, as MkDocs makes it."""
    known = {f"https://example.com/site/{address(page)}" for page in (REPOSITORY / "docs").rglob("*.md")}
    assert {fact["place"].partition("#")[0] for fact in written["facts"] if fact["place"]} <= known


def test_without_an_address_there_are_no_places(book: FactBook) -> None:
    """`proof facts --json` says where a fact comes from, but reads no page."""
    (size,) = json.loads(json_report.facts([book.everywhere("single.size")]))["facts"]
    assert (size["snippet"], size["step"], size["place"]) == ("single", None, None)
