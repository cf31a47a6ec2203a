"""Captures from another machine are checked, written, and described in the text of a pull request."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proof.captures import derived, store
from proof.captures import objections as checks
from proof.captures.model import Capture, CapturedFact, Environment
from proof.core.errors import CannotMeasureError
from proof.reports import changes, pull_request
from proof.runs.result import Result
from proof.shards import result_files
from proof.snippets import base_images, project
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import (
    LAYERS,
    REPOSITORY,
    capture_in,
    capture_of,
    captured,
    edit,
    of_layers,
    results,
    succeeded,
    tiny,
    tree,
)
from tests.support.in_process import proof
from tests.support.makers import by_engine

DIGEST = f"sha256:{'1' * 64}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with complete made-up captures."""
    root = captured(tiny(tmp_path))
    results(root)
    return root


def wrong(value: Any) -> Any:
    """A value of a type that the type checker would reject, but JSON can hold."""
    return value


def moved(root: Path) -> list[Result]:
    """Results on the registry's bases, as `proof update` leaves them: `note` grew, `count` could not be measured."""
    found = []
    for result in results(root):
        assert result.new
        environment = Environment("linux/amd64", "docker", "registry")
        inputs = {name: DIGEST if name.startswith("the base") else v for name, v in result.new.inputs.items()}
        images = {name: f"docker.io/library/{name}@{DIGEST}" for name in result.new.provenance.bases}
        provenance = replace(result.new.provenance, bases=images)
        new = replace(result.new, environment=environment, inputs=inputs, provenance=provenance)
        found.append(replace(result, verdict="written", new=new, old=None))
    count, fails, note = found
    assert note.new
    grown = of_layers(note.new, note.snippet, (LAYERS[0], replace(LAYERS[1], size=28)))
    return [
        replace(count, verdict="not measured", new=None, error=CannotMeasureError("429 Too Many Requests")),
        fails,
        replace(note, new=grown),
    ]


def handed_over(root: Path, folder: Path) -> Path:
    """A directory with these results."""
    result_files.save(moved(root), folder, root=root, origin="registry", seconds=1)
    return folder


def test_captures_are_written_beside_the_others(root: Path, tmp_path: Path) -> None:
    """Captures are written here byte for byte and their bases are locked; nothing else changes."""
    before = tree(root)
    done = succeeded(proof("accept", str(handed_over(root, tmp_path / "all")), cwd=root))
    assert "2 of 3 captures written, on registry bases" in done.stdout
    after = tree(root)
    assert {name.split("captured/")[0] for name in set(after) - set(before)} == {
        *("snippets/fails/", "snippets/note/", "snippets/bases.lock"),
    }
    assert after["snippets/bases.lock"].splitlines()[1:] == [f"docker.io/library/alpine:3.22@{DIGEST}".encode()]
    assert all(after[name] == content for name, content in before.items())
    there = tree(tmp_path / "all" / "captures" / "note")
    assert there == tree(root / "snippets" / "note" / "captured" / "registry")


def test_the_text_tells_what_moved_and_what_did_not_come(root: Path, tmp_path: Path) -> None:
    """Old and new values that pages show, bases, another environment, and what could not be measured."""
    body = tmp_path / "build" / "body.md"
    succeeded(proof("accept", str(handed_over(root, tmp_path / "all")), "--body", str(body), cwd=root))
    text = body.read_text()
    cells = (changes.code(cell) for cell in ("note.own_size", "27B (27 B)", "28B (28 B)", "+3.70%"))
    assert f"| {' | '.join(cells)} |" in text
    assert "2 snippets were measured in this environment for the first time" in text
    assert "429 Too Many Requests" in text
    before, now = base_images.load(root).made_of("alpine:3.22"), f"docker.io/library/alpine:3.22@{DIGEST}"
    base = (changes.code(cell) for cell in ("alpine:3.22", before, now))
    assert f"| {' | '.join(base)} |" in text


def test_the_text_is_one_that_github_takes(root: Path) -> None:
    """A long text is cut between two rows; what a reviewer must know comes first."""
    *others, note = moved(root)
    assert note.new
    assert note.old is None
    many = {f"fact_{number}": CapturedFact("@" * 160, "text", "") for number in range(1000)}
    single = {f"layer_{number}": CapturedFact(number, "B", "") for number in range(3, 100)}
    taken = replace(note, old=capture_of(root), new=replace(note.new, facts={**many, **single, **note.new.facts}))
    text = pull_request.proposal(root, [*others, taken], [taken])
    assert 15_000 < len(text) < 65_536
    assert text.count("<code>") == text.count("</code>")
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))
    # The size that moved stands before a thousand new texts, and they take no room from what comes after them.
    rows = [line for line in text.splitlines() if line.startswith("| <code>")]
    assert changes.code("note.size") in text
    places = [
        next(i for i, row in enumerate(rows) if changes.code(name) in row) for name in ("note.own_size", "note.fact_0")
    ]
    assert places[0] < places[1]
    assert re.search(r"\n\d+ more rows do not fit here: see the files on this branch\.\n", text)
    assert "### Not accurate" in text
    assert "429 Too Many Requests" in text


def test_the_rows_that_are_cut_are_counted() -> None:
    """The rows shown and the number of missing rows add up."""
    head, row = "### Facts\n\n| fact |\n|---|", "| <code>one</code> |"
    section = "\n".join([head, *[row] * 100])
    for room in (300, 500, 1000, len(section) - 1):
        cut = pull_request._cut(section, room)
        assert len(cut) <= room
        missing = re.search(r"(\d+) more rows do not fit here", cut)
        assert missing
        assert cut.count(row) + int(missing[1]) == 100
    assert pull_request._cut(section, len(section)) == section


def test_sentences_that_fail_are_told(root: Path, tmp_path: Path) -> None:
    """A claim that fails with the new captures is listed for the reviewer."""
    found = moved(root)
    note = found.pop()
    assert note.new
    found.append(replace(note, new=of_layers(note.new, note.snippet, (*LAYERS, LAYERS[1]))))
    result_files.save(found, tmp_path / "all", root=root, origin="registry", seconds=1)
    succeeded(proof("accept", str(tmp_path / "all"), "--body", str(tmp_path / "body.md"), cwd=root))
    assert changes.code("docs/index.md:6") in (tmp_path / "body.md").read_text()
    assert "Correct the sentences on these pages" in (tmp_path / "body.md").read_text()


def test_what_drifted_or_was_never_written_is_not_taken(root: Path, tmp_path: Path) -> None:
    """`accept` writes what `update` wrote; a `check` accepts nothing, and so does a refresh of one."""
    found = [replace(result, verdict="drift") for result in moved(root)[1:]]
    result_files.save([moved(root)[0], *found], tmp_path / "all", root=root, origin="registry", seconds=1)
    before = tree(root)
    done = proof("accept", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 0
    assert "0 of 3 captures written" in done.stdout
    assert tree(root) == before


def test_nothing_is_written_where_anything_is_refused(root: Path, tmp_path: Path) -> None:
    """If one capture was edited on the way: code 2, and none is accepted."""
    folder = handed_over(root, tmp_path / "all")
    (folder / "captures" / "note" / "run.txt").write_text("something else\n")
    before = tree(root)
    done = proof("accept", str(folder), cwd=root)
    assert done.returncode == 2
    assert "run.txt was changed after it was written" in done.stderr
    assert tree(root) == before


def objections(root: Path, capture: Capture, name: str = "note") -> list[str]:
    """The objections to a capture of this snippet."""
    snippet = project.find(root / "snippets", name)
    return list(checks.from_elsewhere(capture, snippet, "rebuilt", base_images.load(root)))


@pytest.mark.parametrize(
    "image",
    [
        f"docker.io/library/alpine:3.22@sha256:{'2' * 64}",  # not the one that the inputs name
        "docker.io/library/alpine:3.22",
        f"docker.io/library/alpine:3.22\nevil@{DIGEST}",
        "Alpine, rebuilt",
    ],
)
def test_a_base_of_the_registry_has_its_digest(image: str, root: Path, tmp_path: Path) -> None:
    """Only the measured image may go into the lock: anything else is refused, and nothing is written."""
    *others, note = moved(root)
    assert note.new
    images = dict.fromkeys(note.new.provenance.bases, image)
    note = replace(note, new=replace(note.new, provenance=replace(note.new.provenance, bases=images)))
    result_files.save([*others, note], tmp_path / "all", root=root, origin="registry", seconds=1)
    before = tree(root)
    done = proof("accept", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 2
    assert "its base alpine:3.22 has no digest" in done.stderr
    assert tree(root) == before


@pytest.mark.parametrize("engine", ["docker 26", "docker 26.1.5", "docker 28.5.2+dfsg4", "docker 29.7.2"])
def test_nothing_is_said_against_another_docker(engine: str, root: Path) -> None:
    """A capture by any Docker is accepted, with containerd's store too."""
    assert objections(root, by_engine(capture_of(root), engine)) == []


def test_the_words_of_podman_are_not_kept(root: Path) -> None:
    """No page shows them."""
    assert objections(root, by_engine(capture_of(root), "podman 5.4.2")) == ["the words of podman 5.4.2 are not kept"]


def test_a_capture_by_docker_29_has_a_place_of_its_own(root: Path, tmp_path: Path) -> None:
    """It is written beside the capture by Docker 28, which stays even if it is no longer true."""
    note = results(root)[2]
    assert note.new
    new, before = by_engine(note.new, "docker 29.7.2"), tree(folder_of(note.snippet.folder, "rebuilt"))
    for change in (lambda c: c, layer(size=28)):
        folder = tmp_path / f"all-{change(new).facts['size'].value}"
        result_files.save(
            [*results(root)[:2], replace(note, verdict="written", new=change(new))],
            folder, root=root, origin="rebuilt", seconds=1,
        )  # fmt: skip
        succeeded(proof("accept", str(folder), cwd=root))
        assert store.load(folder_of(note.snippet.folder, "rebuilt", "", "docker-29")) == change(new)
        assert tree(folder_of(note.snippet.folder, "rebuilt")) == before


def provenance(**fields: Any) -> Callable[[Capture], Capture]:
    """Change its provenance."""
    return lambda c: replace(c, provenance=replace(c.provenance, **fields))


def fact(name: str, **fields: Any) -> Callable[[Capture], Capture]:
    """Change an existing fact."""
    return lambda c: replace(c, facts={**c.facts, name: replace(c.facts[name], **fields)})


def layer(**fields: Any) -> Callable[[Capture], Capture]:
    """Change its own layer, with the facts that follow from it."""
    return lambda c: replace(
        c,
        layers=(c.layers[0], replace(c.layers[1], **fields)),
        facts=c.facts | derived.of_image(_IMAGE, (c.layers[0], replace(c.layers[1], **fields))),
    )


_IMAGE = wrong(SimpleNamespace(image="note", noise_bytes=0, contents=None))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: replace(c, snippet="count"), "it is of count"),
        (
            lambda c: replace(c, environment=Environment("linux/amd64", "docker", "registry")),
            "it is of note on linux/amd64",
        ),
        (lambda c: replace(c, environment=Environment("linux/amd64", "podman", "rebuilt")), "measured with podman"),
        (lambda c: replace(c, tampered=("run.txt",)), "run.txt was changed"),
        (lambda c: replace(c, steps=c.steps[:-1]), "its steps are not those"),
        (lambda c: replace(c, steps=(replace(c.steps[0], command="docker run evil"), *c.steps[1:])), "its steps"),
        (lambda c: replace(c, steps=(replace(c.steps[0], exit=1), *c.steps[1:])), "its steps"),
        (lambda c: replace(c, steps=(replace(c.steps[0], seconds=99_999.0), *c.steps[1:])), "build seconds '99999'"),
        # Facts: exactly those that follow from the layers and the outputs.
        (lambda c: replace(c, facts={**c.facts, "invented": CapturedFact(1, "B", "")}), "note has no fact 'invented'"),
        (
            lambda c: replace(c, facts={**c.facts, "transfer_size": CapturedFact(1, "B", "")}),
            "note has no fact 'transfer_size'",
        ),
        (lambda c: replace(c, facts={n: f for n, f in c.facts.items() if n != "user"}), "'user' is not what"),
        (fact("size", value=8_311_411), "'size' is not what"),
        (fact("size", unit="text"), "'size' is not what"),
        (fact("size", tolerance=0.99), "'size' is not what"),
        (fact("size", volatile="it varies"), "'size' is not what"),
        (fact("size", source="an estimate"), "'size' is not what"),
        (fact("layer_2", source="layer 2: COPY all of it"), "'layer_2' is not what"),
        (fact("command", value='{"a": 1}'), "'command' is not what"),
        (fact("command", value="[" * 50_000), "'command' is not what"),
        (fact("user", value="root\n::error::"), "'user' is not what"),
        (fact("platform", value="linux"), "'platform' is not what"),
        # Layers.
        (lambda c: replace(c, layers=()), "it has 0 layers, but its snippet measures note"),
        (lambda c: replace(c, layers=c.layers * 65), "it has 130 layers"),
        (lambda c: replace(c, layers=c.layers[::-1]), "a layer of its base lies above"),
        (layer(size=-1), "its layer 2 is not one"),
        (layer(files=-1), "its layer 2 is not one"),
        (layer(digest="sha256:0"), "its layer 2 is not one"),
        (layer(instruction="RUN " + "x" * 100_000), "its layer 2 is not one"),
        # Where it comes from.
        (provenance(date="today"), "date 'today'"),
        (provenance(engine="docker 26 and a half"), "engine 'docker 26 and a half'"),
        (provenance(bases={"evil:1": ""}), "its provenance names other bases"),
        (provenance(bases={"alpine:3.22": "Alpine, all of it"}), "its base alpine:3.22 is not made of"),
        (lambda c: replace(c, inputs={**c.inputs, "context/note.txt": "sha256:0"}), "with other inputs"),
        (lambda c: replace(c, inputs={**c.inputs, "the base alpine:3.22": "sha256:0"}), "with other inputs"),
        (lambda c: replace(c, inputs={**c.inputs, "the normaliser": "7"}), "another version of this tool"),
    ],
)
def test_a_capture_that_is_not_right_is_objected_to(
    root: Path, change: Callable[[Capture], Capture], says: str
) -> None:
    """Types, name, steps, facts, provenance and inputs are checked."""
    assert any(says in found for found in objections(root, change(capture_of(root))))


def test_a_fact_of_an_output_is_what_the_output_says(root: Path) -> None:
    """Value, unit and declared properties must be right, and the fact must exist."""
    capture = capture_of(root, "count")
    assert objections(root, capture, "count") == []
    for changed in (
        fact("words", value=7)(capture),
        fact("words", tolerance=0.5)(capture),
        fact("words", volatile="the moon")(capture),
        fact("words", unit="B")(capture),
        replace(capture, facts={}),
    ):
        assert objections(root, changed, "count") == ["its fact 'words' is not what its layers and outputs say"]
    silent = replace(capture, steps=(replace(capture.steps[0], output=""),))
    assert "count/words did not print the fact 'words'" in objections(root, silent, "count")
    endless = replace(capture, steps=(replace(capture.steps[0], output=f"{'9' * 400} note.txt\n"),))
    assert any("cannot be read as count" in found for found in objections(root, endless, "count"))


def test_an_expected_failure_printed_what_is_expected(root: Path) -> None:
    """As a run of it must have."""
    capture = capture_of(root, "fails")
    assert objections(root, capture, "fails") == []
    silent = replace(capture, steps=tuple(replace(step, output="") for step in capture.steps))
    assert objections(root, silent, "fails") == ["fails/run did not print 'no such file or directory'"]


def test_what_a_registry_would_send_adds_up(root: Path) -> None:
    """Transfer sizes do not follow from the layers, but the total must be the sum of both parts."""
    edit(root / "snippets/note/snippet.toml", 'image = "note"', 'image = "note"\ntransfer = true')
    capture = capture_of(captured(root))
    sent = dict(derived.of_transfer(30, 20, 10))
    assert objections(root, replace(capture, facts=capture.facts | sent)) == []
    for wrong_one in (dict(derived.of_transfer(31, 20, 10)), dict(derived.of_transfer(10, 20, -10)), {}):
        assert objections(root, replace(capture, facts=capture.facts | wrong_one))


def test_what_docker_29_displays_is_kept(root: Path) -> None:
    """It does not follow from the layers either. Its form is checked, and that it fits them."""
    capture = by_engine(capture_of(root), "docker 29.7.2")
    none = objections(root, capture)
    shown = dict(derived.of_display(13_000_000, 4_000_000))
    assert objections(root, replace(capture, facts=capture.facts | shown)) == none
    bare = {name: replace(fact, tolerance=0.5) for name, fact in shown.items()}
    small, negative = (dict(derived.of_display(*sizes)) for sizes in ((30, 10), (30, -10)))
    for wrong_one in (bare, small, negative, {"disk_usage": shown["disk_usage"]}):
        assert objections(root, replace(capture, facts=capture.facts | wrong_one)) != none


def test_every_committed_capture_could_be_handed_over() -> None:
    """What the tool itself writes is accepted."""
    known = base_images.load(REPOSITORY)
    snippets = project.load_all(REPOSITORY)
    assert len(snippets) > 100
    for snippet in snippets:
        capture = capture_in(folder_of(snippet.folder, "rebuilt", snippet.variant))
        assert list(checks.from_elsewhere(capture, snippet, "rebuilt", known)) == []
