"""Which layer a change of size comes from: matched by content, whatever lies between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proof.captures.layer_diff import LayerChange, kind, layer_changes
from proof.captures.model import CapturedLayer
from tests.support.makers import capture


def layer(instruction: str, size: int, digest: str = "", *, base: bool = False) -> CapturedLayer:
    """One layer. The default digest is derived from the size."""
    return CapturedLayer(instruction, size, 1, digest or f"sha256:{size}", from_base=base)


BASE = layer("ADD rootfs /", 8_000, base=True)
APP = layer("COPY /go/bin/app /app # buildkit", 2_000)
LAYERS = st.lists(
    st.builds(
        lambda instruction, size, base: layer(instruction, size, base=base),
        st.sampled_from(["COPY a b", "RUN go build", "WORKDIR /", "ADD x /"]),
        st.integers(min_value=0, max_value=5),
        st.booleans(),
    ),
    max_size=6,
).map(lambda found: sorted(found, key=lambda one: not one.from_base))


def changes(old: list[CapturedLayer], new: list[CapturedLayer]) -> list[LayerChange]:
    """The differences between two images with these layers."""
    return list(layer_changes(capture(layers=tuple(old)), capture(layers=tuple(new))))


def test_a_program_that_grew() -> None:
    """One layer, its number, kind and both sizes."""
    (found,) = changes([BASE, APP], [BASE, layer(APP.instruction, 2_300)])
    assert found == LayerChange(2, "copied", APP.instruction, 2_000, 2_300)
    assert found.grew == 300


def test_a_base_that_moved() -> None:
    """The base's layer is told apart from the program on it."""
    (found,) = changes([BASE, APP], [layer(BASE.instruction, 8_500, base=True), APP])
    assert (found.kind, found.grew) == ("base", 500)


def test_a_layer_that_came_and_one_that_went() -> None:
    """A layer in between does not make those above it new."""
    extra = layer("RUN strip /app", 10)
    (came,) = changes([BASE, APP], [BASE, extra, APP])
    assert came == LayerChange(2, "made", extra.instruction, None, 10)
    (gone,) = changes([BASE, extra, APP], [BASE, APP])
    assert gone == LayerChange(2, "made", extra.instruction, 10, None)
    assert gone.grew == -10


def test_a_base_with_one_layer_more() -> None:
    """A layer of the base is never paired with one of the snippet's own."""
    found = changes([BASE, APP], [BASE, layer("RUN apk", 7, base=True), layer(APP.instruction, 2_001)])
    assert [(change.kind, change.old, change.new) for change in found] == [("base", None, 7), ("copied", 2_000, 2_001)]


def test_the_kinds() -> None:
    """The kind depends on the first word of the instruction, and on the base."""
    words = {"COPY a b": "copied", "ADD a /": "copied", "RUN x": "made", "WORKDIR /go": "other", "": "other"}
    assert {text: kind(layer(text, 1)) for text in words} == words
    assert kind(layer("RUN x", 1, base=True)) == "base"


@given(old=LAYERS, new=LAYERS)
def test_the_growths_add_up_to_the_images(old: list[CapturedLayer], new: list[CapturedLayer]) -> None:
    """Whatever moved: nothing is lost and nothing is counted twice."""
    grown = sum(change.grew for change in changes(old, new))
    assert grown == sum(one.size for one in new) - sum(one.size for one in old)


@given(layers=LAYERS)
def test_the_same_image_has_no_changes(layers: list[CapturedLayer]) -> None:
    """Nothing changed, nothing reported."""
    assert changes(layers, layers) == []
