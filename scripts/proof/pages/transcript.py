"""Renders a captured step as HTML, which is never parsed as Markdown.

The output of a program is untrusted. Markup in it is escaped, control and bidirectional characters are made visible,
and its length is capped, so no output can act in a reader's browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby, repeat

from proof.captures.buildkit_log import split_counters
from proof.captures.diff import is_in_same_words
from proof.captures.engine_output import Side, mean_the_same
from proof.captures.model import Capture, CapturedStep
from proof.core import units
from proof.core.errors import ProofError
from proof.core.patterns import Pattern
from proof.core.text import as_html, visible
from proof.pages import flag_spans
from proof.snippets.engine_version import LAST_OF_OLD_WORDING, EngineVersion
from proof.snippets.model import Snippet, Step

CAP = 20_000  # characters of output on a page; the capture has the rest
_FEW = 6  # lines; a shorter output is never closed
_COLUMNS = re.compile(r"[A-Z]+(?: [A-Z]+)*(?: {2,}[A-Z]+(?: [A-Z]+)*)+$")  # the header of a table of `docker`


def of_step(
    snippet: Snippet, step: Step, captures: Iterable[Capture], *, closed: bool = False
) -> dict[EngineVersion, str]:
    """The transcript of a step as pages show it, by engine: of those that say something else.

    Empty if none of the captures has the step.
    """
    shown: list[tuple[Capture, CapturedStep]] = []
    for capture in captures:
        done = capture.step(step.name)
        if done is not None and not any(_says_the_same(step, capture, done, *other) for other in shown):
            shown.append((capture, done))
    build = snippet.dockerfiles.get(step.name)
    frontend = build.frontend if build else ""
    rendered: dict[EngineVersion, str] = {}
    for capture, done in shown:
        notes = [*_with_last(step, capture.engine)] if capture.engine.wording == "docker-28" else []
        rendered[capture.engine] = render(done, step.on(capture.engine), closed=closed, frontend=frontend, notes=notes)
    return rendered


def _says_the_same(step: Step, capture: Capture, done: CapturedStep, other: Capture, before: CapturedStep) -> bool:
    """Whether a reader learns the same from both outputs."""
    if is_in_same_words(done, before, step):
        return True
    sides = Side(before.output, before.exit, other.engine), Side(done.output, done.exit, capture.engine)
    return mean_the_same(*sides, step)


def _with_last(step: Step, measured: EngineVersion) -> Iterator[str]:
    """What the last engine with the old wording is declared to do otherwise than the one that was measured."""
    last = LAST_OF_OLD_WORDING
    engine = f"with Docker {last.major}"
    if (code := step.on(last).exit) != step.on(measured).exit:
        yield f"{engine}: exit {code}" if code else f"{engine} it succeeds"
    for condition, why in step.differs.items():
        if condition.holds(last) and not condition.holds(measured):
            yield f"{engine}, {why}"


def render(
    step: CapturedStep,
    declared: Step,
    *,
    closed: bool = False,
    frontend: str = "",
    notes: Sequence[str] = (),
) -> str:
    """The transcript of one step: prompt, command, and the lines that it is declared to show.

    The other lines are collapsed, or all lines if `closed`, which also says how long it took. The message of an
    expected failure is emphasised. `frontend` is the one that the Dockerfile of a build asks for, if any. `notes` are
    shown above the command. The copy button copies only the command (`data-copy`), and the style sheet keeps the prompt
    from being selected.
    """
    said = [f"in a container of <code>{as_html(step.inside)}</code>"] if step.inside else []
    if declared.until:
        said.append(f"repeated until it printed <code>{as_html(visible(declared.until))}</code>")
    if step.exit:
        mark = '<span aria-hidden="true">✗</span>'
        said.insert(0, f'<span class="transcript__exit">{mark} fails as expected: exit {step.exit}</span>')
    if frontend:
        said.append(f"(read by the engine's own frontend, in place of <code>{as_html(frontend)}</code>)")
    if closed:
        said.append(f"(took {step.seconds:g} s)")
    said += [f"({as_html(note)})" for note in notes]
    caption = f"<figcaption>{' '.join(said)}</figcaption>" if said else ""
    classes = "transcript transcript--failed" if step.exit else "transcript"
    command = flag_spans.in_html(as_html(step.command))
    return (
        f'<figure class="{classes}">{caption}<div class="transcript__screen">'
        f'<pre class="transcript__input" data-copy="{as_html(step.command)}"><code>'
        f'<span class="transcript__prompt">$ </span>{command}</code></pre>\n'
        f"{_output(step, declared, closed=closed)}</div></figure>"
    )


def tab_buttons(name: str, engines: Iterable[EngineVersion]) -> str:
    """The tabs of a transcript that several engines print, the first one open. `name` is unique on the page.

    They are radio buttons: they need no script, and the keyboard reaches them.
    """
    buttons = ""
    for engine in engines:
        identifier = f"{name}-{engine.wording}"
        checked = "" if buttons else " checked"
        buttons += (
            f'<input type="radio" name="{name}-engine" id="{identifier}" value="{engine.wording}"{checked}>'
            f'<label for="{identifier}">{engine.label}</label>'
        )
    return buttons


def not_current(problems: Sequence[ProofError]) -> str:
    """A box that says why a capture is not of the snippet as it is now, and what to do. For drafts only."""
    reasons = "".join(f"<li>{as_html(problem.what)}</li>" for problem in problems)
    return (
        '<div class="admonition warning stale"><p class="admonition-title">These results are not current</p>'
        f"<ul>{reasons}</ul><p>Run <code>{as_html(problems[0].hint)}</code>.</p></div>"
    )


def anchor(snippet: str, step: str, *, again: int = 0) -> str:
    """The ID of a transcript on its page. `again` is how often the page showed it before, as IDs must be unique."""
    return f"{snippet}-{step}".replace("_", "-") + (f"-{again + 1}" if again else "")


def _output(step: CapturedStep, declared: Step, *, closed: bool) -> str:
    if not step.output:
        return ""
    lines, expect = visible(step.output[:CAP]).rstrip("\n").split("\n"), visible(declared.expect)
    seen = [False] * len(lines) if closed and len(lines) > _FEW else [*_shown(lines, declared.output.show)]
    html = ""
    for shown, group in groupby(range(len(lines)), key=seen.__getitem__):
        piece = [f"{_line(lines[number], expect)}\n" for number in group]
        text = f"<pre><samp>{''.join(piece)}</samp></pre>\n"
        if not shown:
            count = f"{len(lines)} lines" if len(piece) == len(lines) else _count(len(piece))
            text = f'<details class="transcript__elided"><summary>⋮ {count}</summary>{text}</details>\n'
        html += text
    if beyond := step.output.count("\n", CAP):
        html += f'<p class="transcript__beyond">⋮ {_count(beyond)} in the capture</p>\n'
    attributes = 'class="transcript__output"'
    if _COLUMNS.match(lines[0]) or all("\t" in line for line in lines):
        # Columns must not wrap, so the table scrolls: it needs keyboard focus and a label.
        attributes = 'class="transcript__output transcript__output--table" tabindex="0" role="group"'
        attributes += f' aria-label="Output of {as_html(step.command)}"'
    return f"<div {attributes}>{html}</div>"


def _shown(lines: list[str], show: tuple[Pattern, ...]) -> Iterator[bool]:
    """Whether each line is shown. A run of only empty lines is never collapsed."""
    for shown, group in groupby(lines, key=lambda line: not show or any(each.search(line) for each in show)):
        run = list(group)
        yield from repeat(shown or not any(run), len(run))


def _line(line: str, expect: str) -> str:
    """One line, with the counters of a build log set apart, and the expected error message (`expect`) emphasised."""
    counters, text = split_counters(line)
    html = escape(text)
    if expect and (expect in line or text.startswith("ERROR: ")):
        html = f"<strong>{html}</strong>"
    return f"<small>{counters}</small>{html}" if counters else html


def _count(lines: int) -> str:
    return units.counted(lines, "more line")
