"""SHA-256 digests in the notation of container engines: `sha256:` and 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
from pathlib import Path

from proof.core import files


def sha256(content: bytes) -> str:
    """The digest of `content`."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def hash_text(text: str) -> str:
    """The digest of `text` in UTF-8."""
    return sha256(text.encode())


def hash_file(path: Path, *, below: Path, limit: int) -> str:
    """The digest of a file's content, or of a link's target. See `files.read` for `below`, `limit` and the errors."""
    if path.is_symlink():
        return hash_text(str(path.readlink()))
    return sha256(files.read(path, below=below, limit=limit))
