"""How often the lint of pages is wrong: on planted sentences, and on the pages, changed one number at a time.

Prints it, and saves the figures for the pages in snippets/lint.toml. See tests/data/sentences/README.md.
"""

from __future__ import annotations

import html
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from proof.core.errors import ProofError, UsageError
from proof.facts import expression, phrases
from proof.facts.book import FactBook
from proof.pages.document import FRONT_MATTER, page_text
from proof.pages.lint import confirmed, quantities
from proof.pages.page import PageReport
from proof.pages.scan import Reader, scan
from proof.pages.site import Site
from proof.snippets import project

OTHER = "another fact with the same unit"  # nothing but a reader can tell: the other fact is measured, too
_TOKEN = re.compile(
    r"\{\{\s*(?!transcript|waiver|page waiver|proof\s*\}|measurements|errors\s*\}|text:|code:)(.*?)\s*\}\}", re.DOTALL
)
_CLAIM = re.compile(r"claim:\s*(.*)", re.DOTALL)
_KIND = re.compile(r"[\w /,-]{1,40}: ")  # of a sentence, in front of it
_DIGITS = re.compile(r"\d+")
_FLIPPED = {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">", ">": "<"}
_OPERATOR = re.compile(r"[=!<>]=|[<>]")
_NEXT = dict(zip(phrases.NUMBERS, [*phrases.NUMBERS[1:], phrases.NUMBERS[0]], strict=True))
_PAIRS = (
    "smaller/larger larger/smaller smallest/largest largest/smallest fewer/more less/more more/less "
    "shorter/longer longer/shorter grew/shrank shrank/grew same/other"
)
_OPPOSITE = dict(pair.split("/") for pair in _PAIRS.split())
_WORD = re.compile(r"(?<![\w`{])[A-Za-z]+(?![\w`}])")
_LABEL = re.compile(r"\b(Go|Docker|Alpine|port|user|exit code) (\d+(?:\.\d+)*)\b")
_STATED = re.compile(rf"{_WORD.pattern}|(?<![\w.{{`])\d+(?![\w.}}`])")
_CODE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)


class Rates(NamedTuple):
    """What the lint makes of planted sentences."""

    total: int
    missed: list[str]
    wrong: list[str]  # reported, although they need no proof
    recall: float  # the share of what needs a proof that is reported
    precision: float  # the share of what is reported that needs a proof


def of_sentences(folder: Path) -> Rates:
    """Let the lint read a set of sentences, each with its kind in front of it."""
    needing, harmless = (_lines(folder / name) for name in ("needs-proof.txt", "needs-none.txt"))
    reported = {line for line in needing | harmless if quantities.find(_prose(line.partition(": ")[2]))}
    caught = len(reported & needing)
    return Rates(
        total=len(needing | harmless),
        missed=sorted(needing - reported),
        wrong=sorted(reported - needing),
        recall=caught / len(needing),
        precision=caught / len(reported),
    )


def _lines(path: Path) -> set[str]:
    """The sentences of a file, each with its kind."""
    lines = {number: line for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if line}
    sentences = {number: line for number, line in lines.items() if not line.startswith("#")}
    for number, line in sentences.items():
        if not _KIND.match(line):
            raise UsageError(f"{path}:{number} has no kind: {line[:60]!r}", hint="write `kind: sentence` in each line")
    return set(sentences.values())


def sets(root: Path) -> list[Path]:
    """The sets of sentences, the newest last."""
    return sorted(path.parent for path in (root / "tests/data/sentences").glob("*/about.toml"))


def of_sets(rates: dict[Path, Rates]) -> dict[str, float]:
    """What was found in each set when it was new, and what is found today, by the names of the figures."""
    figures: dict[str, float] = {}
    for folder, rate in rates.items():
        name = folder.name.replace("-", "_")
        about = tomllib.loads((folder / "about.toml").read_text("utf-8"))
        figures[f"set_{name}"] = rate.total
        for figure in ("recall", "precision"):
            figures[f"first_{figure}_{name}"] = round(about[f"first_{figure}"], 4)
            figures[f"{figure}_{name}"] = round(getattr(rate, figure), 4)
    return figures


def _prose(markdown: str) -> str:
    """The sentence as the audit hands it to the grammar."""
    text = re.sub(r"\{\{.*?\}\}", quantities.FACT, markdown)
    text = re.sub(r"`[^`]*`", quantities.CODE, text)
    return html.unescape(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).replace("*", "")


class Edit(NamedTuple):
    """One change of a page's text."""

    kind: str
    start: int
    end: int
    new: str


class Change(NamedTuple):
    """One change of a page, and what the lint makes of it."""

    kind: str
    page: str
    line: int
    old: str
    new: str
    noticed: bool


def of_pages(root: Path) -> Iterator[Change]:
    """Change the pages that have to prove what they say."""
    site = Site.at(root)
    reader = Reader(site, site.book)
    for report in scan(root, expand=False):
        if report.problems:
            raise UsageError(f"{report.path} has problems already", hint="proof status")
        if report.page.waived or report.page.generated:
            continue
        text = page_text(root, report.path)
        for kind, start, end, new in edits(text, site.book):
            page = reader.render(FRONT_MATTER.sub("", text[:start] + new + text[end:]), expand=False)
            noticed = bool(page.problems) or any(confirmed.problems(root, [PageReport(report.path, page)]))
            line = text.count("\n", 0, start) + 1
            yield Change(kind, report.path.relative_to(root).as_posix(), line, text[start:end], new, noticed)


def edits(text: str, book: FactBook) -> Iterator[Edit]:
    """Each change of a page's text: of its values, its claims and their sentences, and its labels."""
    front = FRONT_MATTER.match(text)
    blocks = [(0, front.end() if front else 0), *(fence.span() for fence in _FENCE.finditer(text))]
    prose = _TOKEN.sub(lambda token: quantities.FACT * len(token[0]), text)
    for token in _TOKEN.finditer(text):
        if _is_inside(token.start(), blocks):
            continue
        if claim := _CLAIM.fullmatch(token[1]):
            yield from _in_claim(claim[1], token.start(1) + claim.start(1))
            yield from _in_sentence(prose, token.start())
        else:
            yield from _of_value(token, book)
    quoted = blocks + [code.span() for code in _CODE.finditer(text)]
    for label in _LABEL.finditer(text):
        if not _is_inside(label.start(), quoted):
            before, dot, last = label[2].rpartition(".")
            yield Edit("a version, port, ID or exit code", *label.span(2), f"{before}{dot}{int(last) + 37}")


def _is_inside(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _in_claim(claim: str, begin: int) -> Iterator[Edit]:
    for number in re.finditer(r"(?<![\w.])\d+(?![\w.])", claim):
        for other in (int(number[0]) + 1, int(number[0]) * 10 + 3):
            yield Edit("a number in a claim", begin + number.start(), begin + number.end(), str(other))
    for sign in _OPERATOR.finditer(claim):
        yield Edit("a comparison in a claim", begin + sign.start(), begin + sign.end(), _FLIPPED[sign[0]])


def _in_sentence(text: str, end: int) -> Iterator[Edit]:
    """Changes of the words that state something in the sentence that ends here, in front of a claim."""
    block = text.rfind("\n\n", 0, end) + 2
    stops = [stop.end() for stop in re.finditer(r"[.!?:]\s+", text[block : end - 2])]
    start = block + (stops[-1] if stops else 0)
    stated = " ".join(quantity.text.lower() for quantity in quantities.find(text[start:end]))
    for word in _STATED.finditer(text, start, end):
        lower = word[0].lower()
        if not re.search(rf"\b{lower}\b", stated):
            continue
        if number := str(int(lower) + 1) if lower.isdigit() else _NEXT.get(lower):
            yield Edit("a number in the sentence of a claim", *word.span(), number)
        if opposite := _OPPOSITE.get(lower):
            yield Edit("a comparison in the sentence of a claim", *word.span(), opposite)


def _of_value(token: re.Match[str], book: FactBook) -> Iterator[Edit]:
    try:
        value = expression.evaluate(token[1], book)
    except ProofError:
        return  # not a token, but an example of one
    if value.unit == "text" and value.exact is None:
        return  # a name, and no number
    shown = str(value).replace("\N{NO-BREAK SPACE}", " ")
    for other in _other_values(shown):
        yield Edit("a value typed in place of a fact", *token.span(), other)
    for unit in (" MiB", "%", " seconds") if _DIGITS.search(shown) else ():
        yield Edit("a unit typed after a fact", token.end(), token.end(), unit)
    for name in expression.names(token[1]):
        snippet, _, fact = name.partition(".")
        for other in ("single", "multi"):
            there = book.get(f"{other}.{fact}")
            if other != snippet and name in book and there and there.value != book[name].value:
                yield Edit(OTHER, *token.span(1), token[1].replace(name, f"{other}.{fact}", 1))
                return


def _other_values(shown: str) -> Iterator[str]:
    """Other values in place of the one that is shown. None for a text without a number or a comparison."""
    if digits := _DIGITS.search(shown):
        for other in (str(int(digits[0]) + 1), f"{digits[0]}7", str(int(digits[0]) * 3 + 2)):
            yield shown[: digits.start()] + other + shown[digits.end() :]
        return
    for word in _WORD.finditer(shown):
        if other_word := _NEXT.get(word[0]) or _OPPOSITE.get(word[0]):
            yield shown[: word.start()] + other_word + shown[word.end() :]


def main(words: list[str]) -> int:
    """Measure, print and save."""
    root = project.find_root(Path.cwd())
    folders = [Path(word) for word in words if word not in ("sentences", "--list")]
    rates = {folder: of_sentences(folder) for folder in folders or sets(root)}
    for folder, rate in rates.items():
        print(f"{folder.name}: {rate.total} sentences, recall {rate.recall:.1%}, precision {rate.precision:.1%}")
        for sentence in rate.missed + rate.wrong if "--list" in words else ():
            print(f"  {sentence}")
    if words:
        return 0
    changes = list(of_pages(root))
    others = [change.noticed for change in changes if change.kind == OTHER]
    noticed = [change.noticed for change in changes if change.kind != OTHER]
    for kind, number in Counter(change.kind for change in changes).items():
        print(f"{sum(c.noticed for c in changes if c.kind == kind):5} of {number:5} noticed: {kind}")
    for change in changes:
        if not change.noticed and change.kind != OTHER:
            print(f"  {change.page}:{change.line}: {change.old!r} → {change.new!r} ({change.kind})")
    figures: dict[str, float] = {
        **of_sets(rates),
        "changes": len(noticed),
        "noticed": sum(noticed) / len(noticed),
        "other_facts": len(others),
        "other_facts_noticed": sum(others) / len(others),
    }
    lines = [
        *("# Written by scripts/error-rate.", "", "[[source]]", 'name = "lint"'),
        *('title = "one run of scripts/error-rate"', f'date = "{datetime.now(UTC):%Y-%m-%d}"'),
    ]
    for name, value in figures.items():
        unit = "count" if isinstance(value, int) else "ratio"
        lines.append(f'figures.{name} = {{ value = {round(value, 4)}, unit = "{unit}" }}')
    (root / "snippets/lint.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
