"""A run by Podman has no layer for WORKDIR, where a capture by Docker has an empty one."""

from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import derived
from proof.captures.diff import compare
from proof.captures.empty_layers import completed
from proof.captures.model import Capture, CapturedLayer
from proof.snippets.model import Snippet
from tests.support.makers import capture, placed

BASE = CapturedLayer("ADD rootfs / # buildkit", 700, 8, "sha256:" + "a" * 64, from_base=True)
OF_BASE = CapturedLayer("WORKDIR /go", 0, 0, "sha256:" + "0" * 64, from_base=True)
EMPTY = CapturedLayer("WORKDIR /src", 0, 0, "sha256:" + "0" * 64, from_base=False)
COPY = CapturedLayer("COPY main.go . # buildkit", 30, 1, "sha256:" + "b" * 64, from_base=False)
RUN = CapturedLayer("RUN /bin/sh -c true # buildkit", 0, 0, "sha256:" + "0" * 64, from_base=False)
COPIED = replace(COPY, instruction="/bin/sh -c #(nop) COPY file:0123 in . ")
RAN = replace(RUN, instruction="/bin/sh -c true")


@pytest.fixture
def snippet(tmp_path: Path) -> Snippet:
    """A snippet with an image."""
    return replace(placed(tmp_path / "single"), image="example")


def of(snippet: Snippet, engine: str, *layers: CapturedLayer) -> Capture:
    """What this engine measures of an image with these layers."""
    facts = derived.of_image(snippet, layers)
    plain = capture(layers=layers, facts=facts, steps=())
    return replace(plain, provenance=replace(plain.provenance, engine=engine))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((BASE, EMPTY, COPY), (BASE, COPIED)),
        ((BASE, EMPTY, COPY, EMPTY), (BASE, COPIED)),
        ((BASE, EMPTY, EMPTY, RUN, COPY), (BASE, RAN, COPIED)),
        ((BASE, RUN, EMPTY, COPY), (BASE, RAN, COPIED)),
        ((BASE, OF_BASE, EMPTY, COPY), (BASE, OF_BASE, COPIED)),
        ((BASE, COPY), (BASE, COPIED)),
    ],
)
def test_the_same_image(old: tuple[CapturedLayer, ...], new: tuple[CapturedLayer, ...], snippet: Snippet) -> None:
    """With the empty layers of WORKDIR the images are the same, and so are the facts."""
    docker, podman = of(snippet, "docker 26.1.5", *old), of(snippet, "podman 5.4.2", *new)
    assert list(compare(docker, podman, snippet, snippet.folder)) == []
    assert completed(podman, docker, snippet).facts.keys() == docker.facts.keys()
    assert completed(podman, docker, snippet).facts["layers"] == docker.facts["layers"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ((BASE, COPY, RUN), (BASE, COPIED), "single: layer 3"),  # another empty layer
        ((BASE, replace(EMPTY, size=1), COPY), (BASE, COPIED), "single.size"),  # not empty
        ((BASE, replace(EMPTY, files=1), COPY), (BASE, COPIED), "single: layer 3"),
        ((BASE, EMPTY, COPY), (BASE,), "single: layer 3"),
        ((BASE, EMPTY, COPY), (BASE, COPIED, COPIED), "single: layer 2: size"),
        ((BASE, EMPTY, COPY), (BASE, replace(COPIED, size=31)), "single.size"),
        ((BASE, EMPTY, COPY), (BASE, replace(COPIED, digest=BASE.digest)), "single: layer 3: digest"),
        ((BASE, OF_BASE, COPY), (BASE, COPIED), "single.base_layers"),
        ((BASE, COPY), (replace(BASE, instruction="ADD other /"), COPIED), "single: layer 1: instruction"),
    ],
)
def test_another_image(
    old: tuple[CapturedLayer, ...], new: tuple[CapturedLayer, ...], said: str, snippet: Snippet
) -> None:
    """Any other layer is compared: its size, its files, its digest and, in a base, its instruction."""
    docker, podman = of(snippet, "docker 26.1.5", *old), of(snippet, "podman 5.4.2", *new)
    assert said in [each.what for each in compare(docker, podman, snippet, snippet.folder)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("docker 26.1.5", "docker 29.7.2"),
        ("podman 5.4.2", "podman 5.4.2"),
        ("podman 5.4.2", "docker 26.1.5"),
    ],
)
def test_other_engines(old: str, new: str, snippet: Snippet) -> None:
    """Between other engines nothing is added."""
    before, after = of(snippet, old, BASE, EMPTY, COPY), of(snippet, new, BASE, COPY)
    assert completed(after, before, snippet) is after
    assert "single.layers" in [each.what for each in compare(before, after, snippet, snippet.folder)]


def test_the_same_engine_words_an_instruction_alike(snippet: Snippet) -> None:
    """Between two Dockers the instruction of a layer is compared."""
    before = of(snippet, "docker 26.1.5", BASE, COPY)
    after = of(snippet, "docker 29.7.2", BASE, replace(COPY, instruction="COPY other.go . # buildkit"))
    assert "single: layer 2: instruction" in [each.what for each in compare(before, after, snippet, snippet.folder)]


@pytest.mark.parametrize(("other", "differs"), [("file:" + "1" * 64, False), ("dir:" + "0" * 64, True)])
def test_two_runs_by_podman(other: str, differs: bool, snippet: Snippet) -> None:  # noqa: FBT001 - an expected value
    """The hash of what was copied depends on the times of the files."""
    text = f"/bin/sh -c #(nop) COPY file:{'0' * 64} in /app "
    one = of(snippet, "podman 5.4.2", BASE, replace(COPY, instruction=text))
    two = of(snippet, "podman 5.4.2", BASE, replace(COPY, instruction=text.replace("file:" + "0" * 64, other)))
    said = [each.what for each in compare(one, two, snippet, snippet.folder)]
    assert ("single: layer 2: instruction" in said) is differs
