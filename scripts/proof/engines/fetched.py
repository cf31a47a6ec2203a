"""What containers fetched through the proxy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fetched:
    """What a container fetched in one request."""

    host: str
    scheme: str  # http or https
    path: str  # with its query; empty if the connection is encrypted
    bytes: int  # of the answer's body, or of all that an encrypted connection brought
    sha256: str  # of the body; empty if the connection is encrypted


@dataclass
class Log:
    """What containers fetched, and what they asked for in vain."""

    fetched: list[Fetched] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # each as HOST:PORT, with the reason
