"""Every kind of drift is provoked, one at a time, and must be found with its cause."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import store
from proof.captures.model import Capture, CapturedFact
from proof.core import units
from proof.core.errors import ProofError
from proof.engines.interface import Engine
from proof.pages import status
from proof.runs.result import worst
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import capture_in, edit, measure, tiny

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("memory_lasts")]


@dataclass(frozen=True)
class Drift:
    """One change, and what must be reported."""

    kind: str
    name: str
    change: Callable[[Path], None]
    code: int  # of `--exit-by-cause`, or of `proof status`
    says: str  # a piece of what is said
    snippet: str = "note"

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def in_file(path: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root / path, old, new)


def written(path: str, text: str, *, mode: int = 0o644) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).write_text(text)
        (root / path).chmod(mode)

    return change


def gone(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def mode(path: str, bits: int) -> Callable[[Path], None]:
    return lambda root: (root / path).chmod(bits)


def recaptured(snippet: str, change: Callable[[Capture], Capture]) -> Callable[[Path], None]:
    """A capture with other values, as if something had changed since it was written."""

    def apply(root: Path) -> None:
        folder = folder_of(root / "snippets" / snippet, "rebuilt")
        capture = capture_in(folder)
        store.save(change(capture), folder)

    return apply


def fact(name: str, value: units.Scalar) -> Callable[[Capture], Capture]:
    return lambda c: replace(c, facts={**c.facts, name: replace(c.facts[name], value=value)})


def output(step: str, old: str, new: str) -> Callable[[Capture], Capture]:
    def change(capture: Capture) -> Capture:
        one = capture.step(step)
        assert one is not None
        assert old in one.output
        changed = replace(one, output=one.output.replace(old, new, 1))
        return replace(capture, steps=tuple(changed if s.name == step else s for s in capture.steps))

    return change


def in_output(step: str, pattern: str, new: str) -> Callable[[Capture], Capture]:
    def change(capture: Capture) -> Capture:
        steps = [replace(s, output=re.sub(pattern, new, s.output)) if s.name == step else s for s in capture.steps]
        assert steps != list(capture.steps)
        return replace(capture, steps=tuple(steps))

    return change


def layer(**fields: Any) -> Callable[[Capture], Capture]:
    return lambda c: replace(c, layers=(c.layers[0], replace(c.layers[1], **fields)))


def exits(step: str, code: int) -> Callable[[Capture], Capture]:
    return lambda c: replace(c, steps=tuple(replace(s, exit=code) if s.name == step else s for s in c.steps))


def without_step(step: str) -> Callable[[Capture], Capture]:
    return lambda c: replace(c, steps=tuple(s for s in c.steps if s.name != step))


def with_engine(version: str, change: Callable[[Capture], Capture]) -> Callable[[Capture], Capture]:
    return lambda c: change(replace(c, inputs={**c.inputs, "the engine": version}))


NOTE, COUNT, FAILS = "snippets/note", "snippets/count", "snippets/fails"
DOCKERFILE, MANIFEST, CAPTURED = f"{NOTE}/context/Dockerfile", f"{NOTE}/snippet.toml", f"{NOTE}/captured/rebuilt"
RECORD, BASES = f"{CAPTURED}/capture.json", "snippets/bases.toml"

SNIPPET = [
    Drift("program", "its text", in_file(f"{NOTE}/context/note.txt", "a note", "a letter"), 5, "note/run"),
    Drift("program", "a line more", written(f"{NOTE}/context/note.txt", "a\nb\n"), 5, "note/run"),
    Drift("program", "it fails now", written(f"{COUNT}/context/words.sh", "exit 3\n"), 5, "exit 3", "count"),
    Drift("context", "a file more", written(f"{NOTE}/context/extra.txt", "x"), 5, "context/extra.txt is new"),
    Drift("context", "a file gone", gone(f"{COUNT}/context/note.txt"), 5, "context/note.txt is gone", "count"),
    Drift("context", "an executable bit", mode(f"{NOTE}/context/note.txt", 0o755), 5, "context/note.txt changed"),
    Drift("Dockerfile", "a comment", in_file(DOCKERFILE, "FROM alpine:3.22\nCOPY", "# why\nFROM alpine:3.22\nCOPY"), 5, "Dockerfile changed"),
    Drift("Dockerfile", "CMD", in_file(DOCKERFILE, '["cat"', '["head"'), 5, "note.command"),
    Drift("Dockerfile", "USER", in_file(DOCKERFILE, "CMD", "USER 65532\nCMD"), 5, "note.user"),
    Drift("Dockerfile", "another base", in_file(DOCKERFILE, "FROM alpine:3.22\nCOPY", "FROM scratch\nCOPY"), 5, "exit 127"),
    Drift("Dockerfile", "it does not build", in_file(DOCKERFILE, "COPY note.txt", "COPY missing.txt"), 5, "exit 1"),
    Drift("manifest", "a command", in_file(f"{COUNT}/snippet.toml", "sh words.sh", "sh ./words.sh"), 5, "commands", "count"),
    Drift("manifest", "a step renamed", in_file(MANIFEST, 'name = "run"', 'name = "start"'), 5, "note/start"),
    Drift("manifest", "an exit code", in_file(f"{FAILS}/snippet.toml", "exit = 127", "exit = 126"), 5, "exit 127", "fails"),
    Drift("manifest", "a failure that succeeds", in_file(MANIFEST, 'command = "docker run note"', 'command = "docker run note"\nexit = 1\nexpect = "x"'), 5, "exit 0"),
    Drift("manifest", "a fact more", in_file(f"{COUNT}/snippet.toml", "facts.words", 'facts.file = { match = "(note)", unit = "text" }\nfacts.words'), 5, "count.file", "count"),
    Drift("manifest", "another measured tag", in_file(MANIFEST, 'image = "note"', "# no image"), 5, "note.size"),
]  # fmt: skip
BASE = [
    Drift("base", "its command", in_file(BASES, '["/bin/sh"]', '["/bin/ash"]'), 6, "the base alpine:3.22 changed"),
    Drift("base", "an instruction", in_file(BASES, "3.22.1-x86_64.tar.gz", "3.22.2-x86_64.tar.gz"), 6, "the base alpine:3.22 changed"),
    Drift("base", "files of another layer", in_file(BASES, "diff_id =", 'diff_id = "sha256:418dccb7d85a63a6aa574439840f7a6fa6fd2321b3e2394568a317735e867d35"\n[[base.layer]]\ninstruction = "COPY flashvm /usr/lib/"\npackage = "flashvm"\ntree = "flashvm/data/oci/"\nat = "usr/lib/oci/"\n#'), 6, "note.base_size"),
    Drift("base", "a layer of another kind", in_file(BASES, "blob =", 'tree = "flashvm/data/"\nat = "data/"\n#'), 2, "does not match its `diff_id`"),
    Drift("base", "a package with another hash", in_file(BASES, 'sha256 = "c1', 'sha256 = "d1'), 3, "is not the pinned file"),
    Drift("base", "what `inside` runs in", in_file(BASES, '["/bin/sh"]', '["/bin/ash"]'), 6, "the base alpine:3.22 changed", "count"),
]  # fmt: skip
EDITED = [
    Drift("capture", "a digit of an id", in_file(f"{CAPTURED}/image_ls.txt", "note ", "n0te "), 8, "image_ls.txt"),
    Drift("capture", "a blank", in_file(f"{CAPTURED}/run.txt", "weighs\n", "weighs \n"), 8, "run.txt"),
    Drift("capture", "a file gone", gone(f"{CAPTURED}/run.txt"), 8, "note/run"),
    Drift("capture", "a size", in_file(RECORD, '"value": 8311412', '"value": 8311413'), 8, "note.size"),
    Drift("capture", "a unit", in_file(RECORD, '"unit": "count"', '"unit": "B"'), 3, "layers has the wrong unit"),
    Drift("capture", "an exit code", in_file(RECORD, '"exit": 0', '"exit": 1'), 8, "exit"),
    Drift("capture", "the engine's version", in_file(RECORD, '"engine": "docker ', '"engine": "docker 1'), 8, "capture.json"),
    Drift("capture", "the basis", in_file(RECORD, '"platform": "linux/amd64"', '"platform": "linux/arm64"'), 4, "linux/arm64"),
    Drift("capture", "the kind of engine", in_file(RECORD, '"engine": "docker"', '"engine": "podman"'), 8, "podman"),
    Drift("capture", "no JSON any more", in_file(RECORD, "{", "["), 3, "not a capture written by proof"),
]  # fmt: skip
WORLD = [
    Drift("world", "a size by a byte", recaptured("note", fact("own_size", 28)), 1, "note.own_size"),
    Drift("world", "a layer more", recaptured("note", fact("layers", 3)), 1, "note.layers"),
    Drift("world", "the user", recaptured("note", fact("user", "nobody")), 1, "note.user"),
    Drift("world", "a fact less", recaptured("note", lambda c: replace(c, facts={k: f for k, f in c.facts.items() if k != "user"})), 1, "note.user"),
    Drift("world", "a fact more", recaptured("note", lambda c: replace(c, facts={**c.facts, "old": CapturedFact(1, "count", "")})), 1, "note.old"),
    Drift("world", "an output", recaptured("note", output("run", "weighs", "weighed")), 1, "note/run"),
    Drift("world", "a step of a build", recaptured("note", output("build", "COPY note.txt", "COPY other.txt")), 1, "note/build"),
    Drift("world", "an exit code", recaptured("fails", exits("run", 126)), 1, "fails/run exit", "fails"),
    Drift("world", "a message", recaptured("fails", output("run", "/bin/sh", "/bin/bash")), 1, "fails/run", "fails"),
    Drift("world", "a step that was not run", recaptured("note", without_step("image_ls")), 1, "note/image_ls"),
    Drift("engine", "another format of a table", recaptured("note", with_engine("docker 20", output("image_ls", "TAG ", "TAGS"))), 7, "docker 20"),
    Drift("engine", "another message", recaptured("fails", with_engine("docker 29", output("run", "docker: ", "error: "))), 7, "docker 29", "fails"),
]  # fmt: skip
FORGED = [  # resealed, as anyone can: the seal has no key
    Drift("forged", "an invented line of a log", recaptured("note", output("build", "#1 DONE", "#1 It took no time at all\n#1 DONE")), 1, "note/build"),
    Drift("forged", "an invented line of no step", recaptured("note", output("build", "\n\n#1 ", "\nIt is fast\n\n#1 ")), 1, "note/build"),
    Drift("forged", "what a step printed that prints nothing", recaptured("note", output("build", "#1 DONE", "#1 0.123 fast\n#1 DONE")), 1, "note/build"),
    Drift("forged", "another builder", recaptured("note", output("build", '"default" instance', '"fast" instance')), 1, "note/build"),
    Drift("forged", "another name of the image", recaptured("note", output("build", "naming to docker.io/library/note", "naming to docker.io/library/nota")), 1, "note/build"),
    Drift("forged", "more sent than there is", recaptured("note", in_output("build", r"transferring context: \S+", "transferring context: 9.9MB")), 1, "note/build: transferred"),
    Drift("forged", "a layer's instruction", recaptured("note", layer(instruction="RUN nothing")), 1, "layer 2: instruction"),
    Drift("forged", "a layer's content", recaptured("note", layer(digest=f"sha256:{'0' * 64}")), 1, "layer 2: digest"),
    Drift("forged", "a layer's files", recaptured("note", layer(files=2)), 1, "layer 2: files"),
    Drift("forged", "whose a layer is", recaptured("note", layer(from_base=True)), 1, "layer 2: from_base"),
    Drift("forged", "a fact's source", recaptured("note", lambda c: replace(c, facts={**c.facts, "size": replace(c.facts["size"], source="a guess")})), 1, "note.size: source"),
    Drift("forged", "a tolerance for anything", recaptured("note", lambda c: replace(c, facts={**c.facts, "size": replace(c.facts["size"], value=5_000_000, tolerance=0.99)})), 1, "note.size"),
    Drift("forged", "a value that is said to vary", recaptured("count", lambda c: replace(c, facts={"words": replace(c.facts["words"], value=7, volatile="the moon")})), 1, "count.words", "count"),
    Drift("forged", "a base", recaptured("note", lambda c: replace(c, provenance=replace(c.provenance, bases={"alpine:3.22": "Alpine 4"}))), 1, "the base alpine:3.22"),
    Drift("forged", "a date to come", recaptured("note", lambda c: replace(c, provenance=replace(c.provenance, date="2999-01-01T00:00:00Z"))), 1, "note: date"),
    Drift("forged", "an engine", recaptured("note", lambda c: replace(c, provenance=replace(c.provenance, engine="<b>docker</b>"))), 1, "note: engine"),
    Drift("forged", "a command", recaptured("note", lambda c: replace(c, steps=tuple(replace(s, command=f"time {s.command}") for s in c.steps))), 1, "note/run command"),
    Drift("forged", "a step more", recaptured("note", lambda c: replace(c, steps=(*c.steps, replace(c.steps[0], name="again")))), 1, "note/again"),
    Drift("forged", "another order", recaptured("note", lambda c: replace(c, steps=c.steps[::-1])), 1, "the order of the steps"),
]  # fmt: skip


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory, engine: Engine, cache: Path) -> Path:
    root = tiny(tmp_path_factory.mktemp("drift"))
    assert {r.verdict for r in measure(root, engine, cache, write=True)} == {"written"}
    assert status.status(root).problems == []
    return root


@pytest.fixture
def project(tmp_path: Path, captured: Path) -> Path:
    return Path(shutil.copytree(captured, tmp_path / "project"))


@pytest.mark.parametrize("drift", [*SNIPPET, *BASE, *EDITED, *WORLD, *FORGED], ids=str)
def test_a_run_catches_it(drift: Drift, project: Path, engine: Engine, cache: Path) -> None:
    """`proof check --exit-by-cause`: the exit code gives the cause of the drift, the message describes it."""
    drift.change(project)
    try:
        results = measure(project, engine, cache, drift.snippet)
        code = worst(results, by_cause=True)
        said = "\n".join(
            f"{r.verdict} {r.error or ''} {' '.join(map(str, r.changes))} "
            + " ".join(f"{d.where} {d.what} {d.old} {d.new}" for d in r.differences)
            for r in results
        )
    except ProofError as error:
        code, said = error.code, str(error)
    assert (code, drift.says in said) == (drift.code, True), said


def printing(project: Path, engine: Engine, cache: Path, word: str) -> Path:
    """The project with a build that prints, captured."""
    edit(project / DOCKERFILE, "CMD", f"RUN echo {word} && echo two\nCMD")
    assert {r.verdict for r in measure(project, engine, cache, "note", write=True)} == {"written"}
    return project


def test_what_a_successful_step_printed_is_compared(project: Path, engine: Engine, cache: Path) -> None:
    """An invented line is found on a warm cache, too: what a capture shows of a RUN, no run takes from the cache."""
    word = f"one-{os.urandom(8).hex()}"  # that no build has printed before
    printing(project, engine, cache, word)
    folder = folder_of(project / NOTE, "rebuilt")
    capture = capture_in(folder)
    build = capture.step("build")
    assert build is not None
    assert re.search(rf"^#\d+ \d\.\d{{3}} {word}$", build.output, re.MULTILINE)
    forged = output("build", f" {word}\n", " invented\n")(capture)
    store.save(forged, folder)
    for fresh in False, True:
        store.save(forged, folder)
        (found,) = measure(project, engine, cache, "note", fresh=fresh)
        assert found.verdict == "drift", [(d.old, d.new) for d in found.differences]
        assert [(d.old, d.new) for d in found.differences] == [("  invented", f"  {word}")]
        store.save(capture, folder)
        (found,) = measure(project, engine, cache, "note", fresh=fresh)
        assert found.verdict == "accurate"
        assert found.new is not None
        assert found.new.layers == capture.layers  # the image is that of the shown commands
