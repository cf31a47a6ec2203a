"""Captures that are stale, that pages leave out, or that contradict themselves: found without an engine."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import staleness, store
from proof.captures.index import BaseKeys, SnippetCaptures
from proof.captures.model import Capture, CapturedFact, CapturedLayer, CapturedStep
from proof.core.errors import ProofError
from proof.snippets import base_images, manifest
from proof.snippets.capture_locations import folder_of
from proof.snippets.engine_version import WORDINGS, Wording
from proof.snippets.model import Snippet
from tests.support.helpers import REPOSITORY, capture_in, captured, edit, tiny
from tests.support.makers import by_engine, capture

OUTPUTS = REPOSITORY / "tests/data/outputs"
DOCKER_29 = "docker 29.7.2"
STALE = {"context/note.txt": "sha256:0"}
FORGED = "note: the tool cannot have written this capture: "


class Project:
    """The tiny project, with captures of `note` in both wordings."""

    def __init__(self, root: Path) -> None:
        self.root = captured(root)
        self.bases = base_images.load(root)
        self.keys = {name: self.bases.key(name) for name in self.bases.images}

    @property
    def snippet(self) -> Snippet:
        return manifest.variants(self.root / "snippets/note")[0]

    def folder(self, wording: Wording = "docker-28") -> Path:
        return folder_of(self.root / "snippets/note", "rebuilt", "", wording)

    def arrange(self, *, old: str, new: str) -> None:
        """Each capture is `fresh`, `stale` or `none`: the one by Docker 26, and the one by Docker 29."""
        made = capture_in(self.folder())
        for wording, state in zip(WORDINGS, (old, new), strict=True):
            one = by_engine(made, DOCKER_29) if wording == "docker-29" else made
            folder = self.folder(wording)
            if state == "none":
                store.remove(folder)
            else:
                store.save(replace(one, inputs=one.inputs | (STALE if state == "stale" else {})), folder)

    def stale(self) -> list[str]:
        return [error.what for error in self.errors(self.snippet)]

    def errors(self, snippet: Snippet) -> list[ProofError]:
        return list(staleness.stale(SnippetCaptures(snippet, lambda: BaseKeys(self.bases, self.keys, {}))))

    def hidden(self) -> list[str]:
        return list(staleness.left_out(SnippetCaptures(self.snippet, lambda: BaseKeys(self.bases, self.keys, {}))))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tiny(tmp_path))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, []),
        ({"builder": "buildx A"}, [FORGED + "its provenance is not what the tool writes: builder 'buildx A'"]),
    ],
)
def test_provenance_in_a_form_of_its_own(fields: dict[str, Any], says: list[str], project: Project) -> None:
    """Readers see it, so it may not be a text that somebody made up: no page is built with it."""
    made = capture_in(project.folder())
    store.save(replace(made, provenance=replace(made.provenance, **fields)), project.folder())
    assert project.stale() == says


def _in_step(capture: Capture, **fields: Any) -> Capture:
    return replace(capture, steps=(replace(capture.steps[0], **fields), *capture.steps[1:]))


def _with_fact(capture: Capture, name: str, **fields: Any) -> Capture:
    fact = replace(capture.facts.get(name, CapturedFact(1, "B", "made up")), **fields)
    return replace(capture, facts=capture.facts | {name: fact})


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda c: _in_step(c, command="docker build -t better ."), "its steps are not those of"),
        (lambda c: _in_step(c, inside="another"), "its steps are not those of"),
        (lambda c: replace(c, steps=c.steps[:-1]), "its steps are not those of"),
        (lambda c: _with_fact(c, "size", value=5), "its fact 'size' is not what its layers and outputs say"),
        (lambda c: _with_fact(c, "own_layers", value=9), "its fact 'own_layers' is not what"),
        (lambda c: _with_fact(c, "base_layers", value=0), "its fact 'base_layers' is not what"),
        (lambda c: _with_fact(c, "size", tolerance=0.5), "its fact 'size' is not what"),
        (lambda c: _with_fact(c, "size", source="weighed by hand"), "its fact 'size' is not what"),
        (lambda c: _with_fact(c, "size", volatile="it varies"), "its fact 'size' is not what"),
        (lambda c: _with_fact(c, "user", value="nobody " * 100_000), "its fact 'user' is not what"),
        (lambda c: _with_fact(c, "speed"), "note has no fact 'speed'"),
        (lambda c: replace(c, facts={k: v for k, v in c.facts.items() if k != "size"}), "its fact 'size' is not what"),
        (lambda c: replace(c, layers=()), "it has 0 layers, but its snippet measures note"),
        (lambda c: replace(c, layers=c.layers[::-1]), "a layer of its base lies above one of its own"),
        (lambda c: replace(c, snippet="fails"), "it is of fails on"),
        (lambda c: replace(c, provenance=replace(c.provenance, bases={})), "its provenance names other bases"),
        (
            lambda c: replace(c, provenance=replace(c.provenance, bases=dict.fromkeys(c.provenance.bases, "official"))),
            "is not made of the packages in",
        ),
    ],
)
def test_a_forged_capture_with_a_valid_seal(forge: Callable[[Capture], Capture], says: str, project: Project) -> None:
    """The seal has no key. What the tool cannot have written is refused although the seal is right."""
    store.save(forge(capture_in(project.folder())), project.folder())
    (what,) = [what for what in project.stale() if what.startswith(FORGED) and says in what]
    assert what


CHANGED = "note is stale: context/note.txt changed"


@pytest.mark.parametrize(
    ("old", "new", "stale", "hidden"),
    [
        ("fresh", "fresh", [], []),
        ("fresh", "none", [], []),
        ("none", "fresh", [], []),
        ("none", "none", ["note was never captured"], []),
        ("stale", "none", [CHANGED], []),
        ("none", "stale", [CHANGED], []),
        ("stale", "stale", [CHANGED], [DOCKER_29]),
        ("fresh", "stale", [], [DOCKER_29]),
        ("stale", "fresh", [], ["docker 26"]),
    ],
)
def test_what_is_stale_and_what_is_left_out(
    old: str, new: str, stale: list[str], hidden: list[str], project: Project
) -> None:
    """A stale capture is an error if pages show it, and left out with a note if another one is current."""
    project.arrange(old=old, new=new)
    assert project.stale() == stale
    assert project.hidden() == [
        f"note: pages leave out the words of {engine}, which are stale: context/note.txt changed; "
        "run proof update note with that engine"
        for engine in hidden
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("exit = 127", "exit = 126", "fails/run exited with 127, but 126 is declared"),
        ('"no such file or directory"', '"no such thing"', "fails/run did not print 'no such thing'"),
        ("exit = 127", 'exit = { "docker <29" = 126, "docker >=29" = 127 }', "exited with 127, but 126 is declared"),
    ],
)
def test_another_outcome_than_the_declared_one(old: str, new: str, says: str, project: Project) -> None:
    """A capture claims the inputs of the manifest as it is now, and has another exit code or lacks the message."""
    folder = project.root / "snippets/fails"
    before = capture_in(folder_of(folder, "rebuilt"))
    edit(folder / "snippet.toml", old, new)
    captured(project.root)  # computes its inputs again
    now = capture_in(folder_of(folder, "rebuilt"))
    store.save(replace(now, steps=before.steps), folder_of(folder, "rebuilt"))
    found = [error.what for error in project.errors(manifest.variants(folder)[0])]
    assert any(says in what for what in found), found


def test_an_outcome_of_another_engine(project: Project) -> None:
    """What is declared for the engine of the capture counts."""
    edit(project.root / "snippets/fails/snippet.toml", "exit = 127", 'exit = { "docker <29" = 127, "docker >=29" = 1 }')
    folder = captured(project.root) / "snippets/fails"
    snippet = manifest.variants(folder)[0]
    assert project.errors(snippet) == []
    made = capture_in(folder_of(folder, "rebuilt"))
    store.save(by_engine(made, DOCKER_29), folder_of(folder, "rebuilt", "", "docker-29"))
    (found,) = project.errors(snippet)
    assert found.what == "fails/run exited with 127, but 1 is declared"
    assert found.where is not None
    assert found.where.path == folder / "captured/rebuilt-docker-29/run.txt"


def printed(name: str, engine: str) -> str:
    return (OUTPUTS / engine / f"{name}.txt").read_text("utf-8")


def of_image(engine: str, size: int, *outputs: str) -> Capture:
    """A capture of an image of this size, with these outputs."""
    steps = tuple(CapturedStep(f"step_{n}", "x", None, 0, 0.1, text) for n, text in enumerate(outputs))
    made = by_engine(capture(), "docker 29.7.2" if engine == "docker-29" else "docker 26.1.5")
    layers = (CapturedLayer("COPY", size, 5, f"sha256:{'a' * 64}", from_base=False),)
    return replace(made, steps=steps, layers=layers, facts={"size": replace(made.facts["size"], value=size)})


def said(found: Capture) -> list[str]:
    return [error.what for error in staleness.contradictions(found, Path("folder"))]


SIZE = 2_024_551  # bytes in the layers of the recorded image: its program and its note


@pytest.mark.parametrize("engine", ["docker-26", "docker-28", "docker-29"])
def test_real_outputs_do_not_contradict_themselves(engine: str) -> None:
    """The last build of an image and the table have the same ID, and the table has the size of the layers."""
    assert said(of_image(engine, SIZE, printed("cached", engine), printed("image_ls", engine))) == []


@pytest.mark.parametrize("engine", ["docker-26", "docker-28", "docker-29"])
def test_an_image_has_one_id(engine: str) -> None:
    """A table with another ID than the build is found."""
    table = printed("image_ls", engine)
    forged = table.replace(table.split("\n")[1].split()[2 if engine != "docker-29" else 1], "0123456789ab")
    found = said(of_image(engine, SIZE, printed("cached", engine), forged))
    assert found == ["hello has two IDs in the transcripts of single"]


@pytest.mark.parametrize(
    ("engine", "size", "other"),
    [
        ("docker-26", "2.02MB", "2.03MB"),
        ("docker-26", "2.02MB", "2.02kB"),
        ("docker-29", "3.18MB", "2.02kB"),
        ("docker-29", "3.18MB", "1.9MB"),  # less than its files
        ("docker-29", "3.18MB", "5.5MB"),  # more than its files twice, and what a store adds
        ("docker-29", "3.18MB", "3.18GB"),
    ],
)
def test_a_table_has_the_size_of_the_layers(engine: str, size: str, other: str) -> None:
    """The classic store counts as the tool does. containerd's counts more, but no other order of magnitude."""
    table = printed("image_ls", engine)
    assert size in table
    assert said(of_image(engine, SIZE, table)) == []
    assert said(of_image(engine, SIZE, table.replace(size, other))) == [
        f"the table says {other}, but the layers hold 2.02MB"
    ]


def test_a_long_row_takes_no_long_time() -> None:
    """The captures of a stranger are read when the site is built: not in a time that grows with the square."""
    for start in ("", "a b 0123456789ab", "a b 0123456789ab 1B", "a:b 0123456789ab", "a:b 0123456789ab 1B 1B"):
        for piece in (" ", "a", "a ", "1", "1B ", ":", "a:", "0123456789ab "):
            began = time.process_time()
            said(of_image("docker-29", SIZE, start + piece * (60_000 // len(piece)) + "x"))
            assert time.process_time() - began < 3, (start, piece)
