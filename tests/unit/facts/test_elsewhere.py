"""Facts that another site measured: read from the pinned copy of its facts.json."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import ProofError
from proof.facts import book
from proof.facts.values import Fact, Source
from proof.reports import json_report
from tests.support.helpers import captured, tiny
from tests.support.makers import write

URL = "https://example.com/facts.json"
PLACE = "https://example.com/#note-build"


def published(folder: Path) -> dict[str, Any]:
    """What `proof facts --json` prints in another project."""
    root = captured(tiny(folder))
    known = book.load(root / "snippets")
    text = json_report.facts([known.everywhere(name) for name in known], (), {})
    data: dict[str, Any] = json.loads(text)
    data["facts"][0]["place"] = PLACE
    return data


def cite(
    root: Path, content: str, *, fact: str = "note.size", facts: str = URL, pinned: str = "", more: str = ""
) -> None:
    """A project that cites a fact from this facts.json."""
    pinned = pinned or hashlib.sha256(content.encode()).hexdigest()
    source = f'[[source]]\nname = "theirs"\ntitle = "Their site"\nfacts = "{facts}"\nsha256 = "{pinned}"\n{more}'
    write(root, {"snippets/cited.toml": f'{source}figures.size = {{ fact = "{fact}" }}\n'})
    write(root, {"snippets/theirs.facts.json": content})


def test_a_fact_of_another_site_is_a_cited_figure(tmp_path: Path) -> None:
    """With its unit, the day, what it was measured with, and the place where that site shows it."""
    data = published(tmp_path)
    cite(tmp_path / "mine", json.dumps(data), fact=data["facts"][0]["name"])
    found = book.load(tmp_path / "mine/snippets")["theirs.size"]
    (first, *_), unit = data["facts"][0]["values"], data["facts"][0]["unit"]
    engine = first["environment"]["engine"]
    said = f"Their site, {data['facts'][0]['name']}, measured with {engine} on linux/amd64"
    assert found == Fact(first["value"], unit, "theirs.size", said, Source(said, first["date"][:10], PLACE))


def test_without_a_place_the_file_is_named(tmp_path: Path) -> None:
    data = published(tmp_path)
    name = data["facts"][1]["name"]
    cite(tmp_path / "mine", json.dumps(data), fact=name)
    origin = book.load(tmp_path / "mine/snippets")["theirs.size"].origin
    assert isinstance(origin, Source)
    assert origin.url == URL


def first(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    """A change of the first value of the first fact."""
    return lambda data: change(data["facts"][0]["values"][0])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.update(schema=1), "it has schema 1, not 2"),
        (lambda data: data.update(facts=3), "it is no facts.json"),
        (lambda data: data.pop("facts"), "it is no facts.json"),
        (lambda data: data["facts"][0].update(kind="cited"), "is no measured fact of that site"),
        (lambda data: data["facts"][0].update(name="other"), "is no measured fact of that site"),
        (lambda data: data["facts"][0].update(values=[]), "can't be read: IndexError"),
        (lambda data: data["facts"][0].update(unit="parsec"), "has no valid value"),
        (lambda data: data["facts"][0].update(unit=["B"]), "has no valid value"),
        (first(lambda value: value.update(value="1")), "has no valid value"),
        (first(lambda value: value.update(value=True)), "has no valid value"),
        (first(lambda value: value.update(value=1.5)), "has no valid value"),
        (first(lambda value: value.update(value=10**30)), "has no valid value"),
        (first(lambda value: value.update(value=float("nan"))), "has no valid value"),
        (first(lambda value: value.update(date="today")), "can't be read: ValueError"),
        (first(lambda value: value.update(date=1)), "can't be read: TypeError"),
        (first(lambda value: value.update(environment=None)), "can't be read: TypeError"),
        (first(lambda value: value["environment"].update(engine="a\u202eb")), "the invisible character U+202E"),
    ],
)
def test_what_is_not_as_published(change: Callable[[dict[str, Any]], object], says: str, tmp_path: Path) -> None:
    """An error at the line of cited.toml, whatever the pinned file holds."""
    data = published(tmp_path)
    name = data["facts"][0]["name"]
    change(data)
    cite(tmp_path / "mine", json.dumps(data), fact=name)
    with pytest.raises(ProofError) as error:
        book.load(tmp_path / "mine/snippets")
    assert says in error.value.what
    assert error.value.hint
    assert error.value.where is not None
    assert error.value.where.path.name == "cited.toml"


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00", '{"schema": 2, "facts": [[]]}', "[" * 100_000])
def test_what_is_no_json(content: str, tmp_path: Path) -> None:
    cite(tmp_path, content)
    with pytest.raises(ProofError):
        book.load(tmp_path / "snippets")


def test_another_file_than_the_pinned_one(tmp_path: Path) -> None:
    """The message has the hash to write once somebody has looked at the change."""
    cite(tmp_path, "{}", pinned="0" * 64)
    with pytest.raises(ProofError, match=r"theirs\.facts\.json isn't the pinned file") as error:
        book.load(tmp_path / "snippets")
    assert hashlib.sha256(b"{}").hexdigest() in error.value.hint


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"facts": "file:///etc/passwd"}, "invalid URL"),
        ({"more": 'sha256 = "b"\n'}, "invalid TOML"),
        ({"fact": "nothing.here"}, "is no measured fact"),
    ],
)
def test_a_mistake_in_cited_toml(more: dict[str, str], says: str, tmp_path: Path) -> None:
    cite(tmp_path, '{"schema": 2, "facts": []}', **more)
    with pytest.raises(ProofError, match=says):
        book.load(tmp_path / "snippets")


def test_a_missing_copy(tmp_path: Path) -> None:
    """The hint is the command that gets it."""
    cite(tmp_path, "{}")
    (tmp_path / "snippets/theirs.facts.json").unlink()
    with pytest.raises(ProofError, match=r"theirs\.facts\.json is missing") as error:
        book.load(tmp_path / "snippets")
    assert error.value.hint == f"curl -fsSo snippets/theirs.facts.json {URL}"
