"""`proof explain`: where a number comes from, and what depends on it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proof.pages.explain import explain
from proof.reports import explanations
from tests.support.helpers import edit
from tests.support.in_process import proof
from tests.support.makers import write

PAGE = """# More

{{ note.size }} and {{ percent(note.own_size / note.size) }}
of it. Only one layer is ours. {{ claim: note.own_layers == 1 }}

An example is `{{ note.size }}`, and here is another one:

````markdown
{{ note.size }}

```dockerfile
--8<-- "note/context/Dockerfile"
```
````

``` chart
kind = "bars"
title = "One bar"
rows = [{ name = "the note", value = "note.size" }]
```
"""


@pytest.fixture(autouse=True)
def more(root: Path) -> None:
    """Another page."""
    write(root, {"docs/more.md": PAGE})


def uses(root: Path, name: str) -> list[str]:
    (found,) = explain(root, name)
    return [f"{use.where.path.name}:{use.where.line} {use.kind} {use.text}" for use in found.uses]


def test_a_fact(root: Path) -> None:
    """Its command, engine and base; each place where it is used, but not those where it is only quoted."""
    (found,) = explain(root, "note.size")
    assert (found.kind, found.name, str(found.fact)) == ("fact", "note.size", "8.31MB")
    assert str(found.step) == "note/build"
    assert found.capture is not None
    assert found.capture.provenance.engine == "docker 26"
    assert found.depends[0] == "the commands in snippet.toml"
    assert {"snippets/note/context/Dockerfile", "the base alpine:3.22"} <= set(found.depends)
    assert found.stale == ()
    assert uses(root, "note.size") == [
        "index.md:3 fact bytes(note.size)",
        "index.md:10 fact note.size",
        "more.md:3 fact note.size",
        "more.md:3 fact percent(note.own_size / note.size)",
        "more.md:19 chart note.size",
    ]


def test_json(root: Path) -> None:
    """It has the words and values of the lines."""
    (explanation,) = json.loads(explanations.as_json(explain(root, "note.size")))["explanations"]
    assert (explanation["kind"], explanation["name"]) == ("fact", "note.size")
    lines = list(explanations.as_lines(explain(root, "note.size")))
    assert explanation["is"] == lines[0]
    for value in [*explanation["command"], *explanation["used"], *explanation["stale if"]]:
        assert any(line.endswith(value) for line in lines)


def test_a_snippet_or_a_step(root: Path) -> None:
    """Its files and transcripts count as uses too."""
    said = uses(root, "note")
    assert 'index.md:13 file --8<-- "note/context/Dockerfile"' in said
    assert "index.md:16 transcript transcript note/build" in said
    assert "more.md:4 claim note.own_layers == 1" in said
    assert uses(root, "count") == ["index.md:22 fact count.words", "index.md:24 transcript transcript count/words"]
    (step,) = explain(root, "note/run")
    assert str(step.step) == "note/run"


def test_a_claim_and_a_line(root: Path) -> None:
    """Each comes with the facts in it."""
    assert [each.name for each in explain(root, "note.own_layers  ==  1")] == [
        "note.own_layers == 1",
        "note.own_layers",
    ]
    line = explain(root, "docs/more.md:3")
    assert [(each.kind, each.name) for each in line] == [("fact", "note.size"), ("fact", "note.own_size")]
    assert [each.name for each in explain(root, "docs/index.md:16")] == ["note"]


def test_a_cited_figure(root: Path) -> None:
    (found,) = explain(root, "leaflet.size")
    assert (found.kind, found.snippet, found.depends) == ("cited figure", None, ())
    assert "a leaflet, 2020-01-01" in proof("explain", "leaflet.size", cwd=root).stdout


def test_a_total_on_an_official_base(root: Path) -> None:
    """It has a snippet as well as a source."""
    edit(root / "snippets/bases.toml", "command =", 'official_size = "leaflet.size"\ncommand =')
    edit(root / "snippets/cited.toml", "date", 'url = "https://example.com/leaflet"\ndate')
    (found,) = explain(root, "note.official_size")
    assert (found.kind, str(found.step), found.stale) == ("fact", "note/build", ())
    said = "a leaflet, 2020-01-01 https://example.com/leaflet\n  command   docker build -t note ."
    assert said in proof("explain", "note.official_size", cwd=root).stdout


def test_what_is_stale_says_why(root: Path) -> None:
    edit(root / "snippets/note/context/note.txt", "a note", "a NOTE")
    (found,) = explain(root, "note.size")
    assert found.stale == ("note is stale: context/note.txt changed",)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("note.sise", "there is no fact 'note.sise' - did you mean 'note.size'?"),
        ("nots", "unknown snippet 'nots' - did you mean 'note'?"),
        ("note/ran", "the snippet 'note' has no step 'ran' - did you mean 'run'?"),
        ("docs/other.md:3", "docs/other.md is not a page of this site"),
        ("docs/index.md:1", "the nearest lines with one: 3, 5, 6"),
        ("docs/index.md:99999", "nothing on this line comes from a snippet"),
        ("../../etc/passwd.md:1", "is not a page of this site"),
        ("", "invalid snippet name"),
        ("\x1b[31m", "invalid snippet name"),
        ("note.size; import os", "there is no fact"),
    ],
)
def test_what_there_is_not(root: Path, name: str, says: str) -> None:
    """Exit code 2, and what is near."""
    done = proof("explain", name, cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "\x1b" not in done.stderr


def test_for_people(root: Path) -> None:
    """A line for each thing to know. A capture that was made outside of a repository has no commit."""
    lines = proof("explain", "note.size", cwd=root).stdout
    for piece in ("note.size is 8.31MB (8,311,412 B)", "docker build -t note .", "docker 26", "docs/index.md:10"):
        assert piece in lines
    assert "the commands in snippet.toml change\n" in lines
    assert "by no page" in proof("explain", "note.user", cwd=root).stdout
    (size,) = explain(root, "note.size")
    assert size.capture is not None
    for revision, written in (
        ("not under version control", ", not under version control"),
        ("0123abc", ", at commit 0123abc"),
    ):
        by = replace(size.capture.provenance, revision=revision)
        of_revision = replace(size, capture=replace(size.capture, provenance=by))
        assert any(line.endswith(written) for line in explanations.as_lines([of_revision]))


def test_the_facts_of_a_snippet(root: Path) -> None:
    """They read as in a difference: a size for people, with its exact bytes; a count without a unit."""
    lines = [line[12:] for line in proof("explain", "note", cwd=root).stdout.splitlines()]
    assert {"size = 8.31MB (8,311,412 B)", "layers = 2"} <= set(lines)
