"""The lock of the registry bases: written with captures, read before a run, and refused if malformed."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import bases_lock, store
from proof.captures.model import Capture, Environment
from proof.core.errors import ManifestError, RefusedError, Where
from proof.snippets import base_images, manifest
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import folder_of
from proof.snippets.model import Snippet
from tests.support.helpers import results
from tests.support.hostile import create
from tests.support.in_process import proof

ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


@pytest.fixture
def known(root: Path) -> Bases:
    return base_images.load(root)


def on_registry(root: Path, digest: str) -> Capture:
    """The capture of `note` as if made with this image, written next to the rebuilt one."""
    capture = results(root)[2].new
    assert capture
    capture = replace(
        capture,
        environment=Environment("linux/amd64", "docker", "registry"),
        inputs={name: digest if name.startswith("the base") else value for name, value in capture.inputs.items()},
        provenance=replace(capture.provenance, bases={"alpine:3.22": f"docker.io/library/alpine:3.22@{digest}"}),
    )
    store.save(capture, folder_of(root / "snippets" / "note", "registry"))
    return capture


def test_what_is_kept_is_what_is_read(root: Path, known: Bases) -> None:
    """The newest digest of each base, one line each, in the form that `docker pull` takes."""
    assert bases_lock.load(root, known) == {}
    bases_lock.keep(root, known, [])
    assert not (root / "snippets" / "bases.lock").exists()
    for digest in (ONE, TWO):
        bases_lock.keep(root, known, [on_registry(root, digest)])
        assert bases_lock.load(root, known) == {"alpine:3.22": digest}
    lines = (root / "snippets" / "bases.lock").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == [f"docker.io/library/alpine:3.22@{TWO}"]


def test_a_tag_that_moved_is_named_with_both_images(known: Bases) -> None:
    """A new base, or one that did not move, is not reported."""
    said = list(bases_lock.moved({"alpine:3.22": ONE}, {"alpine:3.22": TWO}, known))
    assert said == [f"docker.io/library/alpine:3.22 has moved: it was {ONE}, now it is {TWO}"]
    assert list(bases_lock.moved({"alpine:3.22": ONE}, {"alpine:3.22": ONE}, known)) == []
    assert list(bases_lock.moved({}, {"alpine:3.22": ONE}, known)) == []


@pytest.mark.parametrize(
    "line", ["docker.io/library/alpine:3.22", f"alpine {ONE}", "alpine@sha256:12", f"alpine@{ONE} x", "<<<<<<< HEAD"]
)
def test_a_line_that_the_tool_did_not_write_is_refused(line: str, root: Path) -> None:
    """The line number is reported, the exit code is 2, and nothing runs."""
    (root / "snippets" / "bases.lock").write_text(f"# a comment\n{line}\n")
    done = proof("status", cwd=root)
    assert done.returncode == 2
    assert "snippets/bases.lock:2: expected an image with its digest" in done.stderr
    with pytest.raises(ManifestError):
        bases_lock.load(root, base_images.load(root))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"link": "bases.lock", "to": "/etc/shadow"}, "found a symbolic link"),
        ({"link": "bases.lock", "to": "nothing/there"}, "found a symbolic link"),
        ({"pipe": "bases.lock"}, "found a named pipe"),
        ({"file": "bases.lock", "size": 10**12}, "the file is larger than 1,000,000 bytes"),
    ],
    ids=str,
)
def test_a_lock_that_leads_elsewhere_is_refused(given: dict[str, Any], says: str, root: Path) -> None:
    """Otherwise an error could quote the first line of /etc/shadow, or a pipe could block forever."""
    create(root / "snippets", given)
    done = proof("status", cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"snippets/bases.lock: {says}" in done.stderr.replace("expected a regular file, ", "")
    assert "root:" not in done.stderr


@pytest.mark.parametrize("hidden", ["\u2028", "\x85", "\x0c", "\x0b", "\x1c", "\r"])
def test_a_line_ends_where_everybody_ends_it(hidden: str, root: Path) -> None:
    """Not where only Python sees a line end: a reviewer would not see the second image."""
    line = f"docker.io/library/alpine:3.22@{ONE}"
    (root / "snippets" / "bases.lock").write_bytes(f"# a comment{hidden}{line}\n{line}{hidden}{line}\n".encode())
    with pytest.raises(ManifestError, match="lock:2: expected an image with its digest"):
        bases_lock.load(root, base_images.load(root))


def test_a_base_that_is_no_more_leaves_the_lock(root: Path, known: Bases) -> None:
    """Its line is not an error, and the next update removes it."""
    bases_lock.keep(root, known, [on_registry(root, ONE)])
    with (root / "snippets" / "bases.lock").open("a") as lock:
        lock.write(f"docker.io/library/gone:1@{ONE}\n")
    assert bases_lock.load(root, known) == {"alpine:3.22": ONE}
    bases_lock.keep(root, known, [on_registry(root, TWO)])
    assert "gone" not in (root / "snippets" / "bases.lock").read_text()


def test_a_capture_of_another_image_than_the_locked_is_stale(root: Path, known: Bases) -> None:
    """For example, if a refresh reached only some snippets. `proof status` names them, without a registry."""
    bases_lock.keep(root, known, [on_registry(root, TWO)])
    assert "stale" not in proof("status", cwd=root).stdout.replace("Nothing is stale", "")
    on_registry(root, ONE)
    done = proof("status", cwd=root)
    words = " ".join(done.stdout.split())
    assert "note: pages leave out the words of docker" in words
    assert "on registry bases, which are stale: the base alpine:3.22 changed" in words
    assert "run proof update note --bases registry with that engine" in words
    shutil.rmtree(folder_of(root / "snippets/note", "rebuilt"))
    words = " ".join(proof("status", cwd=root).stdout.split())
    assert "note is stale: the base alpine:3.22 changed" in words
    assert "proof update note --bases registry" in words


def pin(root: Path, digest: str) -> list[Snippet]:
    """The snippet `note`, with this digest in its Dockerfile."""
    dockerfile = root / "snippets/note/context/Dockerfile"
    dockerfile.write_text(f"ARG B=alpine:3.22@{digest}\nFROM alpine:3.22@{digest} AS one\nFROM alpine:3.22@{digest}\n")
    return manifest.variants(root / "snippets/note")


def test_a_digest_in_a_dockerfile(root: Path) -> None:
    """It is the lock's, or becomes it. For a rebuilt base the lock has to have it."""
    snippets = pin(root, ONE)
    assert bases_lock.locked(snippets, {}, complete=False) == {"alpine:3.22": ONE}
    assert bases_lock.locked(snippets, {"alpine:3.22": ONE}, complete=True) == {"alpine:3.22": ONE}
    with pytest.raises(RefusedError, match=r"not the one in bases\.lock") as error:
        bases_lock.locked(snippets, {"alpine:3.22": TWO}, complete=False)
    assert error.value.where == Where(root / "snippets/note/context/Dockerfile", 3)
    with pytest.raises(RefusedError, match=r"bases\.lock has no digest"):
        bases_lock.locked(snippets, {}, complete=True)


def test_moved_digests_are_written_where_they_stand(root: Path) -> None:
    """In each FROM that is built, and nowhere else."""
    path = root / "snippets/note/context/Dockerfile"
    snippets = pin(root, ONE)
    assert list(bases_lock.move_pins(snippets, {"alpine:3.22": ONE})) == []
    assert list(bases_lock.move_pins(snippets, {"alpine:3.22": TWO})) == [path]
    assert path.read_text().splitlines() == [
        f"ARG B=alpine:3.22@{ONE}",
        f"FROM alpine:3.22@{ONE} AS one",
        f"FROM alpine:3.22@{TWO}",
    ]


def test_a_digest_is_given_everywhere_or_nowhere(root: Path) -> None:
    """Otherwise a log could not show what is written; and commands name a base without one."""
    pin(root, ONE)
    path = root / "snippets/note/context/Dockerfile"
    path.write_text(f"FROM alpine:3.22@{ONE}\nCOPY --from=alpine:3.22 /etc /x\n")
    with pytest.raises(ManifestError, match="has another digest here"):
        manifest.variants(root / "snippets/note")
    (root / "snippets/note/snippet.toml").write_text(
        f'title = "t"\n[[step]]\nname = "a"\ncommand = "docker run alpine:3.22@{ONE} true"\n'
    )
    with pytest.raises(ManifestError, match="without its digest"):
        manifest.variants(root / "snippets/note")
