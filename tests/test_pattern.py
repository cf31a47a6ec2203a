"""Regular expressions of a manifest: as `re` reads them, and ended where they would run for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof import pattern
from proof.errors import ManifestError, Where
from proof.pattern import Pattern

WHERE = Where(Path("snippet.toml"), 3)


def test_matches_line_by_line() -> None:
    """`^` and `$` are those of a line, and look-around works as it does in `re`."""
    assert Pattern.compile(r"^b(?=c)", WHERE).search("a\nbc") is not None
    assert Pattern.compile(r"(?<=\d)s$", WHERE).search("1s\n2m") is not None
    assert Pattern.compile("x", WHERE).search("y") is None


def test_replaces_by_a_plain_text() -> None:
    """What is put in place of a match is no template."""
    assert Pattern.compile(r"\d+", WHERE).sub(r"<\1>", "a1b22") == r"a<\1>b<\1>"


@pytest.mark.parametrize("text", ["^(a|aa)+$", "(a+)+b|(a+)+c", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_catastrophe_is_ended(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search would outlive its author, it ends with the manifest's line and the way out."""
    monkeypatch.setattr(pattern, "_TIMEOUT", 0.1)
    endless = Pattern.compile(text, WHERE)
    for act in (endless.search, lambda given: endless.sub("", given)):
        with pytest.raises(ManifestError, match=r"^snippet\.toml:3: this regular .* still at work") as error:
            act("a" * 4000 + "!")
        assert error.value.evidence == text
        assert error.value.cure
