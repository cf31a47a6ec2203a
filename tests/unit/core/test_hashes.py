"""Digests in the notation of container engines."""

from pathlib import Path

import pytest

from proof.core import hashes
from proof.core.errors import RefusedError
from tests.support.makers import write

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing, as everybody knows it
TEXT = "sha256:982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"  # sha256sum of "text"


def test_sha256() -> None:
    """A digest is the algorithm, a colon and 64 digits. A text is hashed as UTF-8."""
    assert hashes.sha256(b"") == EMPTY
    assert hashes.sha256(b"text") == TEXT
    assert hashes.hash_text("text") == TEXT
    assert hashes.hash_text("ö") == hashes.sha256(b"\xc3\xb6")


def test_hash_file(tmp_path: Path) -> None:
    """The hash of a file depends on its content, the hash of a link only on its target path."""
    write(tmp_path, {"a": "text", "b": "other"})
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "broken").symlink_to("text")
    (tmp_path / "away").symlink_to("/etc/passwd")
    for name, digest in (("a", TEXT), ("broken", TEXT), ("away", hashes.hash_text("/etc/passwd"))):
        assert hashes.hash_file(tmp_path / name, below=tmp_path, limit=5) == digest
    assert hashes.hash_file(tmp_path / "link", below=tmp_path, limit=5) == hashes.hash_text("a")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """It is refused. If it were truncated, two files with the same beginning would have the same hash."""
    write(tmp_path, {"a": "text"})
    assert hashes.hash_file(tmp_path / "a", below=tmp_path, limit=4) == TEXT
    with pytest.raises(RefusedError, match="larger than 3 bytes"):
        hashes.hash_file(tmp_path / "a", below=tmp_path, limit=3)
