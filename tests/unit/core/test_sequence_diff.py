"""The differences of two lists: exact for short lists, in bounded time for long ones."""

import difflib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.core.sequence_diff import Block, blocks

LISTS = st.lists(st.sampled_from("abc"), max_size=30)


@given(old=LISTS, new=LISTS)
def test_the_blocks_are_all_that_differs(old: list[str], new: list[str]) -> None:
    """Replacing the blocks turns the old list into the new one, and each block is a real difference."""
    made, done = list[str](), 0
    for block in blocks(old, new):
        made += [*old[done : block.old_from], *new[block.new_from : block.new_to]]
        done = block.old_to
        assert old[block.old_from : block.old_to] != new[block.new_from : block.new_to]
    assert [*made, *old[done:]] == new


@given(same=LISTS)
def test_the_same_list(same: list[str]) -> None:
    """Equal lists have no blocks."""
    assert list(blocks(same, same)) == []


def test_two_changes_far_apart() -> None:
    """They are two blocks, if the distance between them is short enough for an exact comparison."""
    old = [str(number) for number in range(200)]
    new = [*old[:10], "x", *old[11:150], *old[151:]]
    assert list(blocks(old, new)) == [Block(10, 11, 10, 11), Block(150, 151, 150, 150)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a"] * 4_000, [*["a"] * 1_999, "b", *["a"] * 2_000], [Block(1_999, 2_000, 1_999, 2_000)]),
        (["a"] * 200_000, [*["a"] * 100_000, "b", *["a"] * 99_999], [Block(100_000, 100_001, 100_000, 100_001)]),
        (["a", "b"] * 50_000, ["b", "a"] * 50_000, [Block(0, 100_000, 0, 100_000)]),
        (["a"] * 100_000, ["b"] * 100_000, [Block(0, 100_000, 0, 100_000)]),
        (["a"] * 100_000, ["a"] * 50_000, [Block(50_000, 100_000, 50_000, 50_000)]),
        ([], ["a"] * 100_000, [Block(0, 0, 0, 100_000)]),
    ],
)
def test_long_lists_are_not_compared_item_by_item(
    old: list[str], new: list[str], expected: list[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long lists are not passed to difflib, whose time grows with the cube of the length."""
    handed: list[int] = []

    class Counting(difflib.SequenceMatcher[Any]):
        def __init__(self, *, a: Sequence[Any], b: Sequence[Any], autojunk: bool) -> None:
            handed.extend((len(a), len(b)))
            super().__init__(a=a, b=b, autojunk=autojunk)

    monkeypatch.setattr(difflib, "SequenceMatcher", Counting)
    assert list(blocks(old, new)) == expected
    assert max(handed, default=0) <= 256
