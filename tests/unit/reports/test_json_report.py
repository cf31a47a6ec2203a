"""Facts as JSON: what anyone can cite, as docs/tool/facts.md describes it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from proof.facts import book as book_module
from proof.facts.book import FactBook
from proof.pages import addresses
from proof.reports import json_report
from proof.snippets import project
from tests.support.helpers import REPOSITORY, address

DESCRIBED: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "object": dict,
    "null": type(None),
}


@pytest.fixture(scope="module")
def book() -> FactBook:
    return book_module.load(REPOSITORY / "snippets")


@pytest.fixture(scope="module")
def written(book: FactBook) -> dict[str, Any]:
    """What the site of this repository publishes, at an address of its own."""
    places = addresses.of_steps(REPOSITORY, "https://example.com/site")
    read: dict[str, Any] = json.loads(
        json_report.facts(book, project.load_all(REPOSITORY), places), parse_constant=pytest.fail
    )
    return read


def test_every_fact_is_there(written: dict[str, Any], book: FactBook) -> None:
    """Measured and cited, once each, with the value that pages use; and every number is finite."""
    assert written["schema"] == 1
    assert {fact["name"]: fact["value"] for fact in written["facts"]} == {n: f.value for n, f in book.items()}
    assert len(written["facts"]) == len(book)
    numbers = [fact[key] for fact in written["facts"] for key in ("value", "tolerance") if fact["unit"] != "text"]
    assert all(math.isfinite(number) for number in numbers)


def test_the_keys_are_those_of_the_documentation(written: dict[str, Any]) -> None:
    """Each fact has exactly the keys of the table, each with a value of a type that the table names."""
    text = (REPOSITORY / "docs/tool/facts.md").read_text("utf-8")
    table = text.partition("<!-- keys of facts.json -->")[2].partition("<!-- end -->")[0]
    types = dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", table, re.MULTILINE))
    assert set(written) == {"schema", "facts"}
    for fact in written["facts"]:
        assert list(fact) == list(types)
        wrong = {
            key: value
            for key, value in fact.items()
            if not any(isinstance(value, DESCRIBED[name]) for name in types[key].split(" or "))
        }
        assert wrong == {}, fact["name"]
        assert isinstance(fact["value"], str) == (fact["unit"] == "text")
        assert fact["unit"] in ("B", "KiB", "s", "count", "text", "")


def test_a_number_can_be_cited(written: dict[str, Any], book: FactBook) -> None:
    """A measured fact says with which command, engine and bases it was measured, when, and where it is shown."""
    facts = {fact["name"]: fact for fact in written["facts"]}
    origin = book.captures["single"]
    size = facts["single.size"]
    assert (size["step"], size["command"], size["inside"]) == ("build", "docker build -t example .", None)
    assert (size["engine"], size["date"]) == (origin.provenance.engine, origin.provenance.date)
    assert size["basis"] == {"platform": "linux/amd64", "engine": "docker", "bases": "rebuilt"}
    assert size["place"] == "https://example.com/site/#single-build"
    read = facts["single.du_src"]
    assert (read["step"], read["place"]) == ("du", "https://example.com/site/#single-du")
    for fact in written["facts"]:
        if fact["kind"] in ("measured", "computed"):
            assert all(fact[key] for key in ("snippet", "step", "command", "engine", "revision", "place")), fact["name"]
        else:
            assert (fact["kind"], fact["engine"], fact["place"]) == ("cited", None, None)


def test_a_computed_total(written: dict[str, Any], book: FactBook) -> None:
    """It says what was measured of it and when, and where the rest was published."""
    facts = {fact["name"]: fact for fact in written["facts"]}
    total, base = facts["single.official_size"], facts["repo_info_golang_1_27_local.size"]
    assert total["value"] == facts["single.own_size"]["value"] + base["value"]
    assert (total["kind"], total["url"]) == ("computed", base["url"])
    assert base["source"] in total["source"]
    assert (total["date"], total["step"]) == (book.captures["single"].provenance.date, "build")


def test_a_place_is_a_page_of_the_site(written: dict[str, Any]) -> None:
    """Its address is that of a page below docs/, as MkDocs makes it."""
    known = {f"https://example.com/site/{address(page)}" for page in (REPOSITORY / "docs").rglob("*.md")}
    assert {fact["place"].partition("#")[0] for fact in written["facts"] if fact["place"]} <= known


def test_without_an_address_there_are_no_places(book: FactBook) -> None:
    """`proof facts --json` says where a fact comes from, but reads no page."""
    (size,) = [f for f in json.loads(json_report.facts(book))["facts"] if f["name"] == "single.size"]
    assert (size["snippet"], size["step"], size["place"]) == ("single", None, None)
