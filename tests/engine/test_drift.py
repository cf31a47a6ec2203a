"""Every kind of drift is provoked on a real engine, one at a time, and must be found with its cause."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from proof.captures import store
from proof.captures.model import Capture
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
        store.save(change(capture_in(folder)), folder)

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


def layer(digest: str) -> Callable[[Capture], Capture]:
    return lambda c: replace(c, layers=(c.layers[0], replace(c.layers[1], digest=digest)))


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
# One of each kind: every field of a capture, and every line of a log, is in the tests of captures/diff.py and normalise.py.
CAPTURES = [
    Drift("edited", "a digit of an id", in_file(f"{CAPTURED}/image_ls.txt", "note ", "n0te "), 8, "image_ls.txt"),
    Drift("edited", "a size", in_file(RECORD, '"value": 8311412', '"value": 8311413'), 8, "note.size"),
    Drift("edited", "no JSON any more", in_file(RECORD, "{", "["), 3, "not a capture written by proof"),
    Drift("world", "a size by a byte", recaptured("note", fact("own_size", 28)), 1, "note.own_size"),
    Drift("world", "an output", recaptured("note", output("run", "weighs", "weighed")), 1, "note/run"),
    Drift("engine", "another format of a table", recaptured("note", with_engine("docker 20", output("image_ls", "TAG ", "TAGS"))), 7, "docker 20"),
    # Sealed again, as anyone can: the seal has no key.
    Drift("forged", "an invented line of a log", recaptured("note", output("build", "#1 DONE", "#1 It took no time at all\n#1 DONE")), 1, "note/build"),
    Drift("forged", "a layer's content", recaptured("note", layer(f"sha256:{'0' * 64}")), 1, "layer 2: digest"),
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


@pytest.mark.parametrize("drift", [*SNIPPET, *BASE, *CAPTURES], ids=str)
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
