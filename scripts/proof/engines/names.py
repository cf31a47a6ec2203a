"""The names that a snippet's images and containers have in an engine, and output without them.

The names of images that the tool creates in an engine start with a prefix, which is removed from the output again. In
a user's own engine the prefix is one that nobody else uses, so that none of the user's images is touched. In a private
engine each snippet has a prefix of its own, so that snippets that give their images the same name can run in parallel.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proof.snippets.commands import base_name, familiar, full_name

OWN = "proof-"  # how each prefix begins
_IMAGE_TABLE = ("REPOSITORY ", "IMAGE ")  # how the output of `image ls` begins; the second since Docker 29
_CONTAINER_TABLE = "CONTAINER ID "  # how the output of `ps` begins
_GAP, _NARROWEST = 3, 10  # blanks between its columns, and the width of a column with them


def new_prefix() -> str:
    """A random prefix, ending in a slash."""
    return f"{OWN}{secrets.token_hex(4)}/"


@dataclass(frozen=True)
class Names:
    """How names of a snippet become names in an engine."""

    prefix: str = ""  # of every image created here
    bases: frozenset[str] = frozenset()  # images without the prefix: a private engine's bases, used by all snippets
    host: str = ""  # that the engine puts in front of names without one
    # By base, the digest that the Dockerfiles give with its name. An engine knows none of an image that was loaded.
    pins: Mapping[str, str] = field(default_factory=dict)

    def for_snippet(self, bases: Iterable[str]) -> Names:
        """Names with a prefix that no other snippet has."""
        return replace(self, prefix=new_prefix(), bases=frozenset(familiar(base) for base in bases))

    def image(self, name: str) -> str:
        """The name that the engine stores an image under."""
        if familiar(name) in self.bases:
            return self.host + name.partition("@")[0]
        return f"{self.host}{self.prefix}{base_name(name)}"

    def container(self, name: str) -> str:
        """The name that the engine knows a container under."""
        return f"{self._container_prefix}{name}"

    @property
    def _container_prefix(self) -> str:
        return f"{self.prefix.removesuffix('/')}-" if self.prefix else ""

    @property
    def own_images(self) -> list[str]:
        """The flags of `docker image ls` with which it lists the images of this snippet, and no bases."""
        return [f"--filter=reference={self.host}{self.prefix}{names}" for names in ("*", "*/*", "*/*/*")]

    @property
    def own_containers(self) -> str:
        """The flag of `docker ps` with which it lists the containers of this snippet."""
        return f"--filter=name=^{self._container_prefix}"

    def displayed(self, output: str) -> str:
        """Output without the prefix: what a reader's own engine would print."""
        if self.prefix and self._container_prefix in output:
            if output.startswith(_CONTAINER_TABLE):
                return _realigned(output, [self.prefix, self._container_prefix])
            output = output.replace(self._container_prefix, "")
        if self.host:
            output = output.replace(self.host, "")
        if self.prefix and self.prefix in output:
            output = output.replace(f"docker.io/{self.prefix}", "docker.io/library/")
            is_table = output.startswith(_IMAGE_TABLE)
            output = _narrowed(output, self.prefix) if is_table else output.replace(self.prefix, "")
        for base, digest in self.pins.items():
            output = _pinned(output, base, digest)
        return output


def _narrowed(table: str, prefix: str) -> str:
    """Remove the prefix from a table's first column, and make that as narrow as it would have been without it."""
    rows = [row for line in table.splitlines() if (row := re.fullmatch(r"(\S+)( *)(.*)", line))]
    gap = min((len(row[2]) for row in rows if row[3]), default=0)
    cells = [row[1].replace(prefix, "") for row in rows]
    width = max(map(len, cells)) + gap
    return "".join(f"{cell:{width}}{row[3]}\n" for cell, row in zip(cells, rows, strict=True))


def _pinned(output: str, base: str, digest: str) -> str:
    """The log of a build with the digest behind each mention of this base by the builder."""
    names = "|".join(map(re.escape, {full_name(base), base}))
    mention = rf"(?P<host>(?:docker\.io/)?(?:library/)?)(?:{names})(?:@sha256:[0-9a-f]{{64}})?(?![\w.@:/-])"
    of_builder = (
        rf"^(?P<head>(?:#\d+ \[[^\]]*\] (?:FROM|load metadata for)|STEP \d+/\d+: FROM| *\d+ \|.*\bFROM) ){mention}"
    )
    return re.sub(of_builder, rf"\g<head>\g<host>{base}@{digest}", output, flags=re.MULTILINE)


def _realigned(table: str, prefixes: Sequence[str]) -> str:
    """A table of docker's without these prefixes of cells, and with columns as wide as it would have made them."""
    header, *rows = table.removesuffix("\n").split("\n")
    starts = [title.start() for title in re.finditer(r"\S+(?: \S+)*", header)]
    ends = [*starts[1:], None]
    cells = [[row[a:b].rstrip() for a, b in zip(starts, ends, strict=True)] for row in (header, *rows)]
    for prefix in prefixes:
        cells = [[cell.removeprefix(prefix) for cell in row] for row in cells]
    widths = [max(_NARROWEST, *(len(cell) + _GAP for cell in column)) for column in zip(*cells, strict=True)]
    widths[-1] = 0
    return "".join("".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) + "\n" for row in cells)
