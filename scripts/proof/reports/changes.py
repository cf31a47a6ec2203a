"""What changed, as Markdown for a job summary or a pull request: facts, layers, transcripts, and failures.

Text that the tool did not write is put in `<code>`. Each of its characters that could mean something to Markdown, HTML
or GitHub (mentions, links, references) is written as a character reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from proof.captures.diff import format_fact, same
from proof.captures.model import CapturedFact
from proof.core.errors import ProofError
from proof.reports.rows import headline
from proof.runs.result import Result

_ROWS = 300  # of one table: a pull request's text ends at 65,536 characters
_LENGTH = 160  # characters of one cell
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,/+%()=-")


def code(text: str) -> str:
    """Escape untrusted text, shortened to one line, for a table cell."""
    line = text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
    return f"<code>{''.join(_piece(line, i) for i in range(len(line)))}</code>"


def _piece(line: str, i: int) -> str:
    c = line[i]
    # A full stop is harmless, except after www, where GitHub makes a link of it.
    if c in _PLAIN or (c == "." and line[i - 1 : i] != "w"):
        return c
    # GitHub looks for mail addresses in the decoded text: an invisible word joiner after the @ prevents a match.
    joiner = "&#8288;" if c == "@" and "." in line[i:] else ""
    return "".join(f"&#{ord(x)};" for x in (c if c.isprintable() else repr(c)[1:-1])) + joiner


def summary(results: Sequence[Result], problems: Sequence[ProofError]) -> str:
    """A whole report of a run: the headline, then all sections."""
    return "\n\n".join([counts(results), *sections(results, problems)]) + "\n"


def counts(results: Sequence[Result]) -> str:
    """How many snippets there are, and how many of each verdict."""
    counts = Counter(result.verdict for result in results)
    head = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"**{len(results)} snippets: {head}.**"


def sections(results: Sequence[Result], problems: Sequence[ProofError]) -> list[str]:
    """The sections of the report, each a heading and a table. Those without rows are left out."""
    tables = {
        "Facts": facts(results),
        "Transcripts": table(
            ("step", "old", "new"),
            (
                (difference.what, difference.old, difference.new)
                for result in results
                for difference in result.differences
                if result.new and "/" in difference.what
            ),
        ),
        "Not accurate": table(
            ("snippet", "verdict", "what", "because"),
            (
                (result.snippet.name, result.verdict, headline(result), "; ".join(map(str, result.changes)))
                for result in results
                if result.verdict not in ("accurate", "written")
            ),
        ),
        "Not compared, as engines print it differently": table(
            ("output or fact",), ((name,) for result in results for name in result.not_compared)
        ),
        "Pages": table(("where", "what"), ((str(problem.where or ""), problem.what) for problem in problems)),
    }
    return [f"### {title}\n\n{content}" for title, content in tables.items() if content]


def facts(results: Sequence[Result]) -> str:
    """A table of every fact that changed; empty if none did."""
    return table(
        ("fact", "old", "new", "change"),
        (
            (f"{snippet}.{name}", format_fact(old), format_fact(new), _change(old, new))
            for snippet, name, old, new in sorted(changed(results), key=_weight)
        ),
    )


def _weight(row: tuple[str, str, CapturedFact | None, CapturedFact | None]) -> int:
    """Sort key. Changed numbers come first, because a long table is cut off; then layers, new facts and texts."""
    _, name, old, new = row
    if any(fact and isinstance(fact.value, str) for fact in (old, new)):
        return 3
    return 2 if old is None or new is None else int(name.startswith("layer_"))


def changed(results: Sequence[Result]) -> Iterator[tuple[str, str, CapturedFact | None, CapturedFact | None]]:
    """The snippet, name, old and new value of every fact that changed."""
    for result in results:
        if result.new:
            before: dict[str, CapturedFact] = result.old.facts if result.old else {}
            for name in dict.fromkeys([*before, *result.new.facts]):
                old, new = before.get(name), result.new.facts.get(name)
                if not same(old, new):
                    yield result.snippet.name, name, old, new


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, or an empty string for no rows. The text of its cells may be anybody's."""
    body = [f"| {' | '.join(map(code, row))} |" for row in rows]
    if not body:
        return ""
    more = [f"\n{len(body) - _ROWS} more are left out here."] if len(body) > _ROWS else []
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *body[:_ROWS], *more])


def _change(old: CapturedFact | None, new: CapturedFact | None) -> str:
    if old is None or new is None or isinstance(old.value, str) or isinstance(new.value, str) or not old.value:
        return "–"
    return f"{(new.value - old.value) / abs(old.value):+.2%}"
