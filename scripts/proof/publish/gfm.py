"""A page as GitHub Flavored Markdown: all that it says, without what only a browser can show.

It reads the page's tree, as every other module of this package does. Facts are filled in by then, and a chart has its
table of numbers. Each paragraph is one line, so only its beginning could be taken for another block.
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import quote, urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from proof.publish.page import attribute, classes

_BLOCKS = frozenset(
    "article aside blockquote dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section summary table ul".split()
)
_CELLS = frozenset({"td", "th"})
_CONTROLS = frozenset("button input label nav option output script select style svg template".split())
_EMPHASIS = {"b": "**", "strong": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
_CODE = frozenset("code kbd samp".split())
_RAW = frozenset("sub sup".split())  # Markdown has no other way to write them than as HTML
_UNSAID = frozenset("claim__mark chart__key headerlink md-content__button try waiver".split())
_LABELS = frozenset("admonition-title engines__label explorer__title filename".split())

_BLANKS = re.compile(r"[ \t\n\f\r]+")  # what a browser collapses: no other blanks
# An address is not to become a link on its own, since in one a backslash would be seen.
_SPECIAL = re.compile(r"[\\`*\[\]<~]|&(?=#?\w|$)|(?<![^\W_])_|_(?![^\W_])|:(?=//|/$)|(?<=www)\.|!$")
_OPENING = re.compile(r"(?m)^(?:(?=[#>=:+-])|(\d{1,9})(?=[.)]))")
_BREAK, _BREAKS = "\\\n", re.compile(r" *(?:\\\n *)+")
_ENDS = re.compile(r"^(?: |\\\n)+|(?: |\\\n)+$")
_ENTITY = re.compile(r"&(?=#?\w+;)")
# The language of a file, where its name does not end with it.
_LANGUAGES = {"Dockerfile": "dockerfile", ".dockerignore": "text", "go.mod": "text", "go.sum": "text"}


def written(content: LexborNode, address: str = "", source: str = "", notes: str = "") -> str:
    """The Markdown of a page's content, ending with a line break.

    Links are absolute if the page's address is known. `source` is Markdown for the last line, which says where all of
    this comes from. The labels of footnotes begin with `notes`, so that those of several pages differ in one file.
    """
    writer = _Writer(address, notes)
    blocks: list[str] = []
    writer.blocks(content, blocks)
    if source:
        blocks += ["***", source]
    blocks += [f"[^{notes}{number}]: {text}" for text, number in writer.notes.items()]
    return "\n\n".join(blocks) + "\n"


def of_html(html: str) -> str:
    """The Markdown of a page's content that no site generator has put into a theme."""
    tree = LexborHTMLParser(f"<article>{html}</article>", scripting=True)
    content = tree.css_first("article")
    assert content is not None
    return written(content, source=measured(content))


def measured(content: LexborNode) -> str:
    """When and with what the numbers of a page were measured, as Markdown. Empty if it has none."""
    summary = content.css_first("details.measured > summary")
    return text(summary.text().strip()) if summary else ""


def text(raw: str) -> str:
    """Plain text as Markdown, in one line."""
    return _SPECIAL.sub(r"\\\g<0>", _BLANKS.sub(" ", raw))


def link(label: str, address: str) -> str:
    """A link with this label, which is Markdown."""
    if re.search(r"[\s()<>\\]|^$", address):
        address = "<" + re.sub(r"[<>\s\\]", lambda c: quote(c[0]), address) + ">"
    return f"[{label}](" + _ENTITY.sub(r"\\&", address) + ")"


class _Writer:
    def __init__(self, address: str, notes: str) -> None:
        self._address = address
        self._notes = notes
        self.notes: dict[str, int] = {}  # footnotes, by their Markdown: each with its number

    def blocks(self, parent: LexborNode, to: list[str]) -> None:
        """Add what is in an element to a list of blocks."""
        inline = ""
        for node in parent.iter(include_text=True):
            if node.tag in _BLOCKS:
                _add_paragraph(inline, to)
                inline = ""
                if not _UNSAID & classes(node):
                    self._block(node, to)
            else:
                inline += self._piece(node)
        _add_paragraph(inline, to)

    def _block(self, node: LexborNode, to: list[str]) -> None:
        tag, kinds = node.tag or "", classes(node)
        if tag in ("p", "summary", "dt", "figcaption"):
            is_label = tag in ("summary", "dt") or kinds & _LABELS
            _add_paragraph(_bold(self._line(node)) if is_label else self._inline(node), to)
        elif re.fullmatch("h[1-6]", tag):
            if line := self._line(node):
                to.append("#" * int(tag[1]) + " " + re.sub("#+$", r"\\\g<0>", line))
        elif tag == "hr":
            to.append("***")
        elif tag in ("ul", "ol"):
            self._list(node, to)
        elif tag == "pre":
            to.append(_fence(node.text()))
        elif tag == "table":
            self._table(node, to)
        elif "highlight" in kinds:
            self._file(node, to)
        elif tag == "blockquote" or "admonition" in kinds:
            self._quote(node, to)
        elif tag == "figure":
            self._figure(node, kinds, to)
        elif tag != "details" or "measured" not in kinds:  # that is said in the last line
            self.blocks(node, to)

    def _list(self, node: LexborNode, to: list[str]) -> None:
        number = int(start) if (start := attribute(node, "start")).isdecimal() else 1
        previous = to[-1] if to else ""
        bullet = "+" if previous.startswith("- ") else "-"  # another sign begins another list
        stop = ")" if re.match(r"\d+\. ", previous) else "."
        items: list[tuple[str, list[str]]] = []
        loose = False
        for item in (child for child in node.iter() if child.tag == "li"):
            blocks: list[str] = []
            self.blocks(item, blocks)
            loose = loose or any(not block.startswith(("- ", "+ ")) for block in blocks[1:])
            if blocks:
                items.append((f"{bullet} " if node.tag == "ul" else f"{number + len(items)}{stop} ", blocks))
        gap = "\n\n" if loose else "\n"
        if items:
            to.append(gap.join(_indented(gap.join(blocks), first, " " * len(first)) for first, blocks in items))

    def _quote(self, node: LexborNode, to: list[str]) -> None:
        blocks: list[str] = []
        self.blocks(node, blocks)
        if blocks:
            to.append(_indented("\n\n".join(blocks), "> ", "> "))

    def _table(self, node: LexborNode, to: list[str]) -> None:
        rows = [row for row in node.css("tr") if _table_of(row) == node.mem_id]
        cells = [[cell for cell in row.iter() if cell.tag in _CELLS] for row in rows]
        width = max(map(len, cells), default=0)
        if not width:
            return
        lines = [[self._line(cell).replace("|", "\\|") for cell in row] for row in cells]
        sides = ["---:" if attribute(cell, "align") == "right" else "---" for cell in cells[0]]
        if not any(cell.tag == "th" for cell in cells[0]):
            lines, sides = [[], *lines], []
        lines.insert(1, [*sides, *["---"] * (width - len(sides))])
        to.append("\n".join(f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in lines))

    def _file(self, node: LexborNode, to: list[str]) -> None:
        name = label.text() if (label := node.css_first(".filename")) else ""
        if name:
            to.append(_bold(text(name)))
        last = name.rpartition("/")[2]
        language = _LANGUAGES.get(last, last.rpartition(".")[2].lower() if "." in last else "")
        to.extend(_fence(box.text(), language) for box in node.css("pre"))

    def _figure(self, node: LexborNode, kinds: set[str], to: list[str]) -> None:
        if caption := node.css_first("figcaption"):
            line = self._line(caption)
            _add_paragraph(_bold(line) if "chart" in kinds else line, to)
        if "transcript" in kinds:
            lines = (box.text().removesuffix("\n") for box in node.css("pre"))
            to.append(_fence("\n".join(lines), "console"))
        elif "chart" in kinds:
            for part in node.css("table, p.chart__cited"):
                self._block(part, to)
        elif "explorer" in kinds:
            self._explorer(node, to)
        else:
            for child in node.iter():
                if child.tag != "figcaption":
                    self._block(child, to) if child.tag in _BLOCKS else _add_paragraph(self._piece(child), to)

    def _explorer(self, node: LexborNode, to: list[str]) -> None:
        """The layers of its images. Their directories and files are for readers who can open them."""
        for part in node.css(".explorer__image"):
            self._block(part.css_first(".explorer__title") or part, to)
            layers = part.css(".explorer__layer > details > summary")
            lines = (": ".join(map(self._line, layer.css("summary > span, summary > data"))) for layer in layers)
            to.append("\n".join(f"- {line}" for line in lines))

    def _line(self, node: LexborNode) -> str:
        """What an element says, in one line."""
        return _BLANKS.sub(" ", self._inline(node).replace(_BREAK, " ")).strip(" ")

    def _inline(self, node: LexborNode) -> str:
        return "".join(map(self._piece, node.iter(include_text=True)))

    def _piece(self, node: LexborNode) -> str:
        """What a part of a paragraph says."""
        if node.is_text_node:
            return text(node.text_content or "")
        tag, kinds = node.tag or "", classes(node)
        if tag in _CONTROLS or kinds & _UNSAID or not node.is_element_node:
            return ""
        if tag == "br":
            return _BREAK
        if tag == "img":
            return f"!{link(text(attribute(node, 'alt')), self._absolute(attribute(node, 'src')))}"
        if tag in _CODE:
            beside = node.prev is not None and node.prev.tag in _CODE  # the signs of the two would be one
            return f"<code>{text(node.text())}</code>" if beside else _code(node.text())
        if "claim__why" in kinds:
            return self._note(self._line(node))
        inside = self._inline(node)
        if tag == "a" and attribute(node, "href"):
            return link(inside.strip(" "), self._absolute(attribute(node, "href")))
        if tag in _EMPHASIS:
            return _emphasized(node, inside)
        if tag in _RAW:
            return f"<{tag}>{inside}</{tag}>"
        if "fact--cited" in kinds:
            words = re.split(r"(https?://[^\s<>;]+)", attribute(node, "title"))  # each second one is an address
            return inside + self._note("".join(f"<{w}>" if n % 2 else text(w) for n, w in enumerate(words)))
        return f" {inside} " if tag in _BLOCKS | _CELLS else inside

    def _note(self, markdown: str) -> str:
        """The mark of a footnote that says this. What is said twice has one footnote."""
        return f"[^{self._notes}{self.notes.setdefault(markdown, len(self.notes) + 1)}]"

    def _absolute(self, address: str) -> str:
        with contextlib.suppress(ValueError):
            return urljoin(self._address, address)
        return address


def _add_paragraph(inline: str, to: list[str]) -> None:
    """Add a paragraph, unless it is empty."""
    line = _ENDS.sub("", _BREAKS.sub(r"\\\n", _BLANKS.sub(_kept, inline)))
    if line:
        to.append(_OPENING.sub(lambda start: (start[1] or "") + "\\", line))


def _kept(blanks: re.Match[str]) -> str:
    return "\n" if "\n" in blanks[0] else " "


def _bold(line: str) -> str:
    return f"**{line}**" if line and "*" not in line else line


def _emphasized(node: LexborNode, inside: str) -> str:
    """Its text between signs, or between tags where the characters beside them would give signs another meaning."""
    line = inside.strip(" ")
    if not line:
        return inside
    mark, tag = _EMPHASIS[node.tag or ""], node.tag
    before, after = inside[: len(inside) - len(inside.lstrip(" "))], inside[len(inside.rstrip(" ")) :]
    alone = node.parent is not None and node.parent.tag not in _EMPHASIS and _BREAK not in line
    fits = alone and _fits(line[0], before, node.prev, node, -1) and _fits(line[-1], after, node.next, node, 0)
    return f"{before}{mark}{line}{mark}{after}" if fits else f"{before}<{tag}>{line}</{tag}>{after}"


def _fits(edge: str, blank: str, beside: LexborNode | None, node: LexborNode, end: int) -> bool:
    """Whether a sign has its meaning between a character of the text that it marks and what stands beside that text."""
    if edge in "*~" or edge.isspace():
        return False
    if blank:
        return True
    if beside is None:
        return edge.isalnum() or (node.parent is not None and node.parent.tag in _BLOCKS | _CELLS | {"a"})
    outside = (beside.text_content if beside.is_text_node else beside.text()) or ""
    return beside.tag not in _EMPHASIS and outside != "" and (edge.isalnum() or not outside[end].isalnum())


def _code(raw: str) -> str:
    line = _BLANKS.sub(" ", raw)
    if not line.strip(" "):
        return line
    longest = max(map(len, re.findall("`+", line)), default=0)
    blank = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{'`' * (longest + 1)}{blank}{line}{blank}{'`' * (longest + 1)}"


def _fence(raw: str, language: str = "") -> str:
    longest = max(map(len, re.findall("`+", raw)), default=0)
    sign = "`" * max(3, longest + 1)
    content = raw.removesuffix("\n")
    return f"{sign}{language}\n{content}\n{sign}"


def _indented(block: str, first: str, rest: str) -> str:
    """A block whose first line begins with one sign, and the others with another."""
    head, *lines = block.split("\n")
    return "\n".join([first + head, *(rest + line if line else rest.rstrip(" ") for line in lines)])


def _table_of(row: LexborNode) -> int | None:
    parent = row.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent.mem_id if parent is not None else None
