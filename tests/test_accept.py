"""Captures of another machine: looked at as data, written where they belong, and told in a pull request's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof import admission, bases
from proof import capture as captures
from proof import results as files
from proof.capture import Basis, Capture, CapturedFact, CapturedLayer, folder_of
from proof.errors import CannotMeasureError
from proof.report import changes
from proof.verify import Result
from tests.helpers import captured, proof, results, tiny, tree

DIGEST = f"sha256:{'1' * 64}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with made-up captures, whole ones."""
    root = captured(tiny(tmp_path))
    results(root)
    return root


def whole(root: Path) -> Capture:
    """The capture of the snippet `note`."""
    capture = captures.load(folder_of(root / "snippets" / "note", "rebuilt"))
    assert capture is not None
    return capture


def wrong(value: Any) -> Any:
    """A value of a type that the type checker would not let through, as JSON does."""
    return value


def moved(root: Path) -> list[Result]:
    """Results on the registry's bases, as `proof update` leaves them: `note` grew, `count` could not be measured."""
    found = []
    for result in results(root):
        assert result.new
        basis = Basis("linux/amd64", "docker", "registry")
        inputs = {name: DIGEST if name.startswith("the base") else v for name, v in result.new.inputs.items()}
        images = {name: f"docker.io/library/{name}@{DIGEST}" for name in result.new.provenance.bases}
        provenance = replace(result.new.provenance, bases=images)
        new = replace(result.new, basis=basis, inputs=inputs, provenance=provenance)
        found.append(replace(result, verdict="written", new=new, old=None))
    count, fails, note = found
    assert note.new
    grown = {**note.new.facts, "own_size": CapturedFact(28, "B", ""), "size": CapturedFact(8_311_413, "B", "")}
    return [
        replace(count, verdict="not measured", new=None, error=CannotMeasureError("429 Too Many Requests")),
        fails,
        replace(note, new=replace(note.new, facts=grown)),
    ]


def handed_over(root: Path, folder: Path) -> Path:
    """A folder of these results."""
    files.save(moved(root), folder, root=root, origin="registry", seconds=1)
    return folder


def test_captures_are_written_beside_the_others(root: Path, tmp_path: Path) -> None:
    """What was written there is written here, byte for byte, and locked; nothing else is touched."""
    before = tree(root)
    done = proof("accept", str(handed_over(root, tmp_path / "all")), cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 3 captures are written, on registry bases" in done.stdout
    after = tree(root)
    assert {name.split("captured/")[0] for name in set(after) - set(before)} == {
        *("snippets/fails/", "snippets/note/", "snippets/bases.lock"),
    }
    assert after["snippets/bases.lock"].splitlines()[1:] == [f"docker.io/library/alpine:3.22@{DIGEST}".encode()]
    assert all(after[name] == content for name, content in before.items())
    there = tree(tmp_path / "all" / "captures" / "note")
    assert there == tree(root / "snippets" / "note" / "captured" / "registry")


def test_the_text_tells_what_moved_and_what_did_not_come(root: Path, tmp_path: Path) -> None:
    """Old and new of what the pages show, the bases, another basis, what could not be measured."""
    body = tmp_path / "build" / "body.md"
    done = proof("accept", str(handed_over(root, tmp_path / "all")), "--body", str(body), cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    text = body.read_text()
    cells = (changes.code(cell) for cell in ("note.own_size", "27B (27 B)", "28B (28 B)"))
    assert f"| {' | '.join(cells)} | +3.70% |" in text
    assert "2 snippets are measured on another basis for the first time" in text
    assert "429 Too Many Requests" in text
    base = (
        changes.code(cell) for cell in ("alpine:3.22", "Alpine, rebuilt", f"docker.io/library/alpine:3.22@{DIGEST}")
    )
    assert f"| {' | '.join(base)} |" in text


def test_the_text_is_one_that_github_takes(root: Path, tmp_path: Path) -> None:
    """However much moved: cut between two rows, with what a reviewer must know in front."""
    *others, note = moved(root)
    assert note.new
    facts = {**note.new.facts, "own_layers": CapturedFact(2, "count", "")}
    many = {f"fact_{number}": CapturedFact("@" * 40, "text", "") for number in range(1000)}
    others.append(replace(note, new=replace(note.new, facts={**many, **facts})))
    files.save(others, tmp_path / "all", root=root, origin="registry", seconds=1)
    body = tmp_path / "body.md"
    done = proof("accept", str(tmp_path / "all"), "--body", str(body), cwd=root)
    assert done.returncode == 0, done.stderr
    text = body.read_text()
    assert 50_000 < len(text) < 65_536
    assert text.count("<code>") == text.count("</code>")
    assert text.endswith("see the files of this branch.\n")
    assert text.index("Mend the pages") < text.index("### Facts")


def test_sentences_that_fail_are_told(root: Path, tmp_path: Path) -> None:
    """A claim that the new captures deny is the reviewer's to mend."""
    found = moved(root)
    note = found.pop()
    assert note.new
    facts = {**note.new.facts, "own_layers": CapturedFact(2, "count", "")}
    found.append(replace(note, new=replace(note.new, facts=facts)))
    files.save(found, tmp_path / "all", root=root, origin="registry", seconds=1)
    done = proof("accept", str(tmp_path / "all"), "--body", str(tmp_path / "body.md"), cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes.code("docs/index.md:6") in (tmp_path / "body.md").read_text()
    assert "Mend the pages" in (tmp_path / "body.md").read_text()


def test_what_drifted_or_was_never_written_is_not_taken(root: Path, tmp_path: Path) -> None:
    """`accept` writes what `update` wrote; a `check` accepts nothing, and so does a refresh of one."""
    found = [replace(result, verdict="drift") for result in moved(root)[1:]]
    files.save([moved(root)[0], *found], tmp_path / "all", root=root, origin="registry", seconds=1)
    before = tree(root)
    done = proof("accept", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 0
    assert "0 of 3 captures are written" in done.stdout
    assert tree(root) == before


def test_nothing_is_written_where_anything_is_refused(root: Path, tmp_path: Path) -> None:
    """One capture that was edited on the way: code 2, and not even the good ones are taken."""
    folder = handed_over(root, tmp_path / "all")
    (folder / "captures" / "note" / "run.txt").write_text("something else\n")
    before = tree(root)
    done = proof("accept", str(folder), cwd=root)
    assert done.returncode == 2
    assert "run.txt was changed after it was written" in done.stderr
    assert tree(root) == before


def objections(root: Path, capture: Capture) -> list[str]:
    """What is said against a capture of `note`."""
    known = bases.load(root)
    snippet = results(root)[2].snippet
    keys = {name: known.key(name) for name in known.images}
    return list(admission.objections(capture, snippet, "rebuilt", keys))


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
    """What goes into the lock is the image that was measured: anything else is refused, and nothing is written."""
    *others, note = moved(root)
    assert note.new
    images = dict.fromkeys(note.new.provenance.bases, image)
    note = replace(note, new=replace(note.new, provenance=replace(note.new.provenance, bases=images)))
    files.save([*others, note], tmp_path / "all", root=root, origin="registry", seconds=1)
    before = tree(root)
    done = proof("accept", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 2
    assert "its base alpine:3.22 has no digest" in done.stderr
    assert tree(root) == before


def test_nothing_is_said_against_a_capture_that_is_right(root: Path) -> None:
    """The made-up one is whole."""
    assert objections(root, whole(root)) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: replace(c, snippet="count"), "it is of count"),
        (lambda c: replace(c, basis=Basis("linux/amd64", "docker", "registry")), "it is of note on linux/amd64"),
        (lambda c: replace(c, tampered=("run.txt",)), "run.txt was changed"),
        (lambda c: replace(c, steps=c.steps[:-1]), "its steps are not those"),
        (lambda c: replace(c, steps=(replace(c.steps[0], command="docker run evil"), *c.steps[1:])), "its steps"),
        (lambda c: replace(c, steps=(replace(c.steps[0], exit=1), *c.steps[1:])), "its steps"),
        (lambda c: replace(c, facts={"a b": CapturedFact(1, "B", "")}), "'a b' is no fact"),
        (lambda c: replace(c, facts={"size": CapturedFact("big", "B", "")}), "'size' is no fact"),
        (lambda c: replace(c, facts={"size": CapturedFact(1, "text", "")}), "'size' is no fact"),
        (lambda c: replace(c, facts={"size": CapturedFact(1, "MB", "")}), "'size' is no fact"),
        (lambda c: replace(c, facts={"size": CapturedFact(float("nan"), "B", "")}), "never writes"),
        (lambda c: replace(c, facts={"size": CapturedFact(wrong(value=True), "B", "")}), "never writes"),
        (lambda c: replace(c, facts={"size": CapturedFact(wrong([1]), "B", "")}), "never writes"),
        (lambda c: replace(c, facts={"size": CapturedFact(1, "B", "", tolerance=wrong(None))}), "never writes"),
        (lambda c: replace(c, layers=(CapturedLayer("x", wrong(1.5), 1, "", from_base=True),)), "never writes"),
        (lambda c: replace(c, layers=({},)), "never writes"),
        (lambda c: replace(c, inputs={"x": 1}), "never writes"),
        (lambda c: replace(c, provenance=replace(c.provenance, private="yes")), "never writes"),
        (lambda c: replace(c, provenance=replace(c.provenance, date="today")), "where it comes from"),
        (lambda c: replace(c, provenance=replace(c.provenance, bases={"evil:1": ""})), "where it comes from"),
        (lambda c: replace(c, inputs={**c.inputs, "context/note.txt": "sha256:0"}), "another state"),
        (lambda c: replace(c, inputs={**c.inputs, "the base alpine:3.22": "sha256:0"}), "another state"),
    ],
)
def test_a_capture_that_is_not_right_is_objected_to(
    root: Path, change: Callable[[Capture], Capture], says: str
) -> None:
    """Its types, its name, its steps, its facts, where it comes from, and the state that it is of."""
    assert any(says in found for found in objections(root, change(whole(root))))
