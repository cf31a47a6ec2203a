"""Other engines and stores give the same facts, and differ only where the engine itself does."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import normalise
from proof.captures.model import Capture
from proof.engines import private_docker, registry
from proof.engines.interface import Engine, EngineOptions
from proof.facts import book as facts
from proof.provision import loader
from proof.runs import execute
from proof.runs.execute import Run
from proof.snippets import base_images, project
from proof.snippets.engine_version import PLATFORM
from tests.support.helpers import REPOSITORY, measure, snapshot, tiny

pytestmark = pytest.mark.engine

ARTICLE = ("joined", "multi", "single", "split")  # the snippets of docs/index.md


@pytest.fixture(scope="module")
def containerd(cache: Path, engine: Engine) -> Iterator[Engine]:
    """A private engine whose images are in containerd's store, as in newer releases of Docker."""
    del engine  # where there is no private engine, its fixture says so
    with private_docker.start(cache, PLATFORM, store="containerd") as started:
        assert started.info().image_store == "containerd"
        yield started


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The user's Podman, as `--engine podman` uses it."""
    if shutil.which("podman") is None and not os.environ.get("CI"):
        pytest.skip("no podman here: apt-get install podman")
    folder = tmp_path_factory.mktemp("cache")
    with registry.opened("podman", EngineOptions(folder, PLATFORM)) as found:
        before = snapshot(found)
        yield found
    with registry.opened("podman", EngineOptions(folder, PLATFORM)) as found:
        assert snapshot(found) == before


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Engine]:
    """The user's Docker, as `--engine docker` uses it: the private one, which the user has in DOCKER_HOST."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_HOST", engine.client.env["DOCKER_HOST"])
        with registry.opened("docker", EngineOptions(tmp_path_factory.mktemp("cache"), PLATFORM)) as found:
            yield found


@pytest.fixture(scope="module")
def book() -> facts.FactBook:
    """The committed captures, measured by Docker with its classic store."""
    return facts.load(REPOSITORY / "snippets")


def run(name: str, engine: Engine, cache: Path) -> Run:
    known = base_images.load(REPOSITORY)
    (snippet,) = project.load_all(REPOSITORY, [name])
    for base in snippet.bases:
        loader.ensure(known, base, engine, origin="rebuilt", cache=cache)
    done = execute.run(snippet, engine, cache=cache, keeps={base: known.images[base].keeps for base in snippet.bases})
    assert done.unexpected is None, done.unexpected.output
    return done


def sizes(done: Run, committed: Capture) -> tuple[list[int], list[int]]:
    """The bytes of each layer, as measured and as committed; where noise is declared and small enough, none of it."""
    assert done.image is not None
    new, old = [layer.size for layer in done.image.layers], [layer.size for layer in committed.layers]
    if len(new) == len(old):
        new = [a if abs(a - b) > done.snippet.noise_bytes else b for a, b in zip(new, old, strict=True)]
    return new, old


def printed(done: Run, name: str) -> str:
    return next(one.output for one in done.steps if one.step.name == name)


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_an_image_has_the_context_as_it_is(
    kind: str, request: pytest.FixtureRequest, cache: Path, tmp_path: Path
) -> None:
    """The names of images in the user's engine are in no file of an image, and no file is there that is ignored."""
    own: Engine = request.getfixturevalue(kind)
    root = tiny(tmp_path)
    loader.ensure(base_images.load(root), "alpine:3.22", own, origin="rebuilt", cache=cache)
    context = root / "snippets/note/context"
    text = 'FROM alpine:3.22\nWORKDIR /srv\nCOPY . .\nCMD ["sha256sum", "-c", "sums"]\n'
    (context / "Dockerfile").write_text(text)
    (context / "sums").write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  Dockerfile\n")
    (snippet,) = project.load_all(root, ["note"])
    assert printed(execute.run(snippet, own, cache=cache), "run") == "Dockerfile: OK\n"
    (context / "Dockerfile.dockerignore").write_text("sums\n")
    assert "sums: No such file" in printed(execute.run(snippet, own, cache=cache), "run")


@pytest.mark.parametrize("kind", ["engine", "containerd", "docker", "podman"])
def test_a_run_sees_what_it_builds(kind: str, request: pytest.FixtureRequest, cache: Path, tmp_path: Path) -> None:
    """Without `reuse`, the first build of a run takes no RUN from the cache of another run, and the second one does."""
    own: Engine = request.getfixturevalue(kind)
    root = tiny(tmp_path)
    loader.ensure(base_images.load(root), "alpine:3.22", own, origin="rebuilt", cache=cache)
    word = f"word-{os.urandom(8).hex()}"  # that no build has printed before
    (root / "snippets/note/context/Dockerfile").write_text(
        f"FROM alpine:3.22\nRUN echo {word}; grep -c : /etc/hosts\nCOPY note.txt /\n"
    )
    step = '[[step]]\nname = "{}"\ncommand = "docker build -t note ."\nunshown = "a test"\n'
    manifest = f'title = "A note"\nimage = "note"\n{step.format("first")}{step.format("again")}'
    (root / "snippets/note/snippet.toml").write_text(manifest)
    (snippet,) = project.load_all(root, ["note"])
    runs = [execute.run(snippet, own, cache=cache, reuse=reuse) for reuse in (True, False, False)]
    for done in runs:
        assert re.search(rf"(?m)^(?:#\d+ \d+\.\d+ )?{word}$", printed(done, "first")), printed(done, "first")
        assert not re.search(rf"(?m)^(?:#\d+ \d+\.\d+ )?{word}$", printed(done, "again"))
    assert len({normalise.normalise(printed(done, "first"), snippet.steps[0]) for done in runs}) == 1
    images = [done.image for done in runs if done.image]
    layers = [[(layer.instruction, layer.size, layer.files) for layer in image.layers] for image in images]
    assert layers == [layers[0]] * len(runs)
    assert {image.command for image in images} == {images[0].command}


class TestContainerd:
    @pytest.mark.parametrize("name", ARTICLE)
    def test_the_article(self, name: str, containerd: Engine, cache: Path, book: facts.FactBook) -> None:
        """Sizes, layers, each layer's size, the base's layers, the configuration: to the byte those of the article."""
        done, committed = run(name, containerd, cache), book.captures[name]
        assert done.image is not None
        new, old = sizes(done, committed)
        assert new == old
        assert done.base_layers == committed.facts["base_layers"].value
        base = [layer.digest for layer in committed.layers if layer.from_base]
        assert [layer.digest for layer in done.image.layers[: done.base_layers]] == base
        told = {"command": done.image.command, "user": done.image.user or "root", "platform": done.image.platform}
        assert told == {fact: committed.facts[fact].value for fact in told}

    def test_captures_of_the_classic_store(self, containerd: Engine, cache: Path) -> None:
        """What `docker image ls` and the build log say is the store's own: it is compared by what it means."""
        (result,) = measure(REPOSITORY, containerd, cache, "multi")
        assert (result.verdict, result.differences) == ("accurate", ())
        alike, other = result.words
        assert alike
        assert other


class TestPodman:
    @pytest.mark.parametrize("name", ARTICLE)
    def test_the_article(self, name: str, podman: Engine, cache: Path, book: facts.FactBook) -> None:
        """The facts are those of the article, except for the empty layer that only Docker makes for a WORKDIR."""
        done, committed = run(name, podman, cache), book.captures[name]
        assert done.image is not None
        workdirs = [
            layer for layer in committed.layers if layer.instruction.startswith("WORKDIR") and not layer.from_base
        ]
        assert all(layer.size == 0 for layer in workdirs)
        own = [layer.size for layer in committed.layers if layer not in workdirs]
        new = [layer.size for layer in done.image.layers]
        assert len(new) == len(own)
        assert all(abs(a - b) <= done.snippet.noise_bytes for a, b in zip(new, own, strict=True))
        assert abs(done.image.size - float(committed.facts["size"].value)) <= done.snippet.noise_bytes
        assert done.base_layers == committed.facts["base_layers"].value
        base = [layer.digest for layer in committed.layers if layer.from_base]
        assert [layer.digest for layer in done.image.layers[: done.base_layers]] == base
        told = {"command": done.image.command, "user": done.image.user or "root", "platform": done.image.platform}
        assert told == {fact: committed.facts[fact].value for fact in told}
        for one in done.steps:
            for rule in one.step.facts.values():
                found, before = rule.match.search(one.output), committed.step(one.step.name)
                assert before is not None
                assert found is not None
                assert found[0] in before.output

    def test_what_it_prints(self, podman: Engine, cache: Path) -> None:
        """Programs print the same; Podman's own table and log are Podman's, without a trace of the reserved names."""
        done = run("multi", podman, cache)
        assert printed(done, "run") == "hello world\n"
        assert re.search(r"^example +latest ", printed(done, "image_ls"), re.MULTILINE)
        assert "STEP 1/4: FROM golang:1.27-alpine AS builder" in printed(done, "build")
        assert not any(podman.names.prefix in one.output or "localhost" in one.output for one in done.steps)

    def test_no_registry_is_asked(self, podman: Engine, cache: Path, tmp_path: Path) -> None:
        """A missing image fails a build at once, however Podman resolves its name."""
        root = tiny(tmp_path)
        loader.ensure(base_images.load(root), "alpine:3.22", podman, origin="rebuilt", cache=cache)
        dockerfile = root / "snippets/note/context/Dockerfile"
        dockerfile.write_text("FROM alpine:3.22 AS a\nFROM a\n")
        (snippet,) = project.load_all(root, ["note"])
        # As if it had been read otherwise.
        dockerfile.write_text(text := "FROM alpine:3.22 AS a\nFROM 127.0.0.1:9/canary\n")
        snippet.dockerfiles["build"] = replace(snippet.dockerfiles["build"], text=text)
        done = execute.run(snippet, podman, cache=cache).steps[0]
        assert done.exit != 0
        assert "127.0.0.1:9/canary: image not known" in done.output

    def test_captures_of_docker(self, podman: Engine, cache: Path) -> None:
        """They are compared by what they mean. Podman's words are not kept, not even of a snippet that changed."""
        (result,) = measure(REPOSITORY, podman, cache, "multi")
        assert (result.verdict, result.differences) == ("accurate", ())
        assert result.words[1]

    @pytest.mark.parametrize("removed", [False, True])
    def test_the_users_steps_stay(self, podman: Engine, cache: Path, tmp_path: Path, *, removed: bool) -> None:
        """A build takes steps from the user's own builds. Removing its image leaves them there, whoever removes it."""
        root = tiny(tmp_path)
        if removed:
            with (root / "snippets/note/snippet.toml").open("a") as manifest:
                manifest.write('\n[[step]]\nname = "remove"\ncommand = "docker rmi note"\n')
        loader.ensure(base_images.load(root), "alpine:3.22", podman, origin="rebuilt", cache=cache)
        context = tmp_path / "theirs"
        shutil.copytree(root / "snippets/note/context", context)
        text = "FROM alpine:3.22\nCOPY note.txt /\nCOPY note.txt /again.txt\n"
        (root / "snippets/note/context/Dockerfile").write_text(text + 'CMD ["cat", "/note.txt"]\n')
        (context / "Dockerfile").write_text(text.replace("alpine:3.22", podman.names.image("alpine:3.22")))
        before = podman.images()
        podman.client.run(["podman", "build", "--quiet", "--network=none", "."], cwd=context, deadline=60)
        theirs = podman.images() - before
        try:
            assert len(theirs) == 2
            (snippet,) = project.load_all(root, ["note"])
            done = execute.run(snippet, podman, cache=cache)
            assert printed(done, "build").count("Using cache") == 2
            assert theirs <= podman.images()
        finally:
            podman.remove(images=sorted(theirs))

    def test_it_builds_what_was_checked(self, podman: Engine, cache: Path, tmp_path: Path) -> None:
        """Podman would take a Containerfile before the Dockerfile, which nobody has looked at."""
        root = tiny(tmp_path)
        loader.ensure(base_images.load(root), "alpine:3.22", podman, origin="rebuilt", cache=cache)
        (root / "snippets/note/context/Containerfile").write_text("FROM scratch AS unseen\nCOPY note.txt /\n")
        (snippet,) = project.load_all(root, ["note"])
        log = execute.run(snippet, podman, cache=cache).steps[0].output
        assert "FROM alpine:3.22" in log
        assert "unseen" not in log

    def test_it_finds_no_program_of_the_hosts(self, podman: Engine, cache: Path, tmp_path: Path) -> None:
        """A build of a file in `.in` starts the C preprocessor, which would read any file: here there is none."""
        root = tiny(tmp_path)
        loader.ensure(base_images.load(root), "alpine:3.22", podman, origin="rebuilt", cache=cache)
        context = root / "snippets/note/context"
        (context / "Dockerfile.in").write_text('FROM scratch\n#include "/etc/passwd"\n')
        done = podman.client.run(["podman", "build", "--file=Dockerfile.in", "."], cwd=context, deadline=60, merge=True)
        assert done.exit != 0
        assert "root:" not in done.text()
        assert {"git", "cpp", "gpg", "ssh", "sh"}.isdisjoint(
            path.name for path in Path(podman.client.env["PATH"]).iterdir()
        )
