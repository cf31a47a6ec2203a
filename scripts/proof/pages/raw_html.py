"""Reads the HTML that an author typed into a page: Markdown hands it on as it is, past every other check."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from proof.facts import claims, quantities
from proof.facts.claims import Unbound

READ = frozenset(
    {"alt", "title", "aria-label", "aria-description", "data-toc-label", "placeholder", "label", "summary"}
)  # attributes that readers see, or hear
_INLINE = frozenset(
    "a abbr b bdi bdo big cite del dfn em i ins kbd mark q s small span strong sub sup time u var wbr".split()
)
_CODE = frozenset("code pre samp script style svg".split())


def unbound(html: str) -> Iterator[Unbound]:
    """What its texts state without proof. No claim can stand in HTML."""
    parser = _Texts()
    parser.feed(html)
    parser.close()
    parser.flush()
    for text in parser.texts:
        for sentence in claims.sentences(" ".join(text.split())):
            yield from claims.unbound(sentence, ())


class _Texts(HTMLParser):
    """Collects the texts of blocks and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._block: list[str] = []
        self._code = 0  # how many elements with code are open

    def flush(self) -> None:
        """End a block."""
        self.texts.append("".join(self._block))
        self._block.clear()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if value and name in READ]
        if tag in _CODE:
            self._block += [] if self._code else [quantities.CODE]
            self._code += 1
        elif tag not in _INLINE:
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in _CODE:
            self._code = max(0, self._code - 1)
        elif tag not in _INLINE:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self._code:
            self._block.append(data)
