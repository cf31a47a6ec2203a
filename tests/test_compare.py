"""What counts as a difference, and what is noise with a known cause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proof import capture as captures
from proof import manifest
from proof.capture import CapturedFact, folder_of
from proof.compare import compare
from proof.errors import ManifestError
from tests.helpers import captured, edit, tiny


@pytest.mark.parametrize(
    ("old", "new", "different"),
    [
        (CapturedFact(100, "B", ""), CapturedFact(100, "B", "another source"), False),
        (CapturedFact(100, "B", ""), CapturedFact(101, "B", ""), True),
        (CapturedFact(100, "B", ""), CapturedFact(101, "B", "", tolerance=0.01), False),
        (CapturedFact(100, "B", ""), CapturedFact(102, "B", "", tolerance=0.01), True),
        (CapturedFact(100, "B", ""), CapturedFact(100, "count", ""), True),
        (CapturedFact("a", "text", ""), CapturedFact("b", "text", ""), True),
        (CapturedFact("a", "text", ""), CapturedFact("b", "text", "", volatile="an id"), False),
        (CapturedFact(8.1, "s", ""), CapturedFact(99.9, "s", "", volatile="the clock"), False),
    ],
)
def test_a_fact_differs_beyond_its_tolerance(
    old: CapturedFact,
    new: CapturedFact,
    different: bool,  # noqa: FBT001 - an expected value
    tmp_path: Path,
) -> None:
    """Exact unless a tolerance or a reason for being volatile says otherwise; a unit is always exact."""
    snippet = manifest.load(captured(tiny(tmp_path)) / "snippets" / "note")
    folder = folder_of(snippet.folder, "rebuilt")
    capture = captures.load(folder)
    assert capture is not None
    before, after = (replace(capture, facts={"size": fact}) for fact in (old, new))
    assert bool(list(compare(before, after, snippet, folder))) is different


def test_noise_says_why(tmp_path: Path) -> None:
    """`noise` needs its bytes and its reason."""
    root = tiny(tmp_path)
    file = root / "snippets" / "note" / "snippet.toml"
    edit(file, 'image = "note"', 'image = "note"\nnoise = { bytes = 4096, because = "a log" }')
    assert manifest.load(file.parent).noise == 4096
    for wrong in ("noise = { bytes = 4096 }", 'noise = { bytes = 0, because = "x" }', "noise = 3"):
        edit(file, file.read_text().splitlines()[2], wrong)
        with pytest.raises(ManifestError, match=r"snippet\.toml:3"):
            manifest.load(file.parent)
