"""A captured step → HTML: built and escaped here, never parsed as Markdown.

What a program printed is text from outside. Markup in it is escaped, control and bidirectional characters are made
visible, and its length is capped, so that nothing printed can act in a reader's browser.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape

from proof.capture import Capture, CapturedStep
from proof.pattern import Pattern

CAP = 20_000  # characters of output on a page; the capture has all of it
_CONTROL = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"}


def render(capture: Capture, step: CapturedStep, show: Iterable[Pattern]) -> str:
    """The transcript of one step: prompt, command, the lines that `show` selects, and where it comes from.

    Copying takes the command alone (`data-copy`), and the prompt cannot be selected (the style sheet).
    """
    lines = "".join(_lines(step.output, tuple(show)))
    source = provenance(capture, step, elided="transcript__elided" in lines)
    place = f"<figcaption>in a container of <code>{as_html(step.inside)}</code></figcaption>" if step.inside else ""
    classes, end = "transcript", ""
    if step.exit:
        classes, end = (
            "transcript transcript--failed",
            f'<span class="transcript__exit">exit {step.exit}</span>',
        )
    return (
        f'<figure class="{classes}">{place}'
        f'<div class="highlight" data-copy="{as_html(step.command)}"><pre><code>'
        '<span class="transcript__prompt">$ </span>'
        f'<span class="transcript__command">{as_html(step.command)}</span>\n'
        f"{lines}{end}</code></pre></div>{source}</figure>"
    )


def provenance(capture: Capture, step: CapturedStep, *, elided: bool) -> str:
    """Where a transcript comes from, on demand: a native disclosure, opened by pointer or keyboard alike."""
    source = capture.provenance
    kind = "a private daemon" if source.private else "an engine of the user's"
    bases = "".join(f"<li><code>{as_html(n)}</code>: {as_html(o)}</li>" for n, o in source.bases.items())
    rows = {
        "Measured": f'<time datetime="{as_html(source.date)}">{as_html(source.date)}</time>',
        "Engine": as_html(f"{source.engine}, {source.builder}, {kind}"),
        "Image store": as_html(f"{source.image_store} on {source.filesystem}"),
        "Platform": as_html(capture.basis.platform),
        "Bases": f"{as_html(capture.basis.bases)}<ul>{bases}</ul>",
        "Source": f"<code>snippets/{as_html(capture.snippet)}</code> at <code>{as_html(source.revision)}</code>",
        "Took": f"{step.seconds:g} s",
    }
    if elided:
        rows["All it printed"] = f"<pre><code>{as_html(step.output[:CAP])}</code></pre>"
    body = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in rows.items())
    day = as_html(source.date[:10])
    summary = f"<summary>measured {day}, {as_html(capture.basis.bases)} bases</summary>"
    return f'<details class="provenance">{summary}<dl>{body}</dl></details>'


def as_html(raw: str) -> str:
    """Text from outside as HTML in which it can do nothing."""
    return escape(visible(raw))


def visible(text: str) -> str:
    """Text whose control, bidirectional and unassigned characters can be seen and do nothing."""
    return "".join(_seen(c) for c in text)


def anchor(snippet: str, step: str, *, again: int = 0) -> str:
    """The id of a transcript on its page; `again` is how often it was shown there before, for an id stands once."""
    return f"{snippet}-{step}".replace("_", "-") + (f"-{again + 1}" if again else "")


def _seen(c: str) -> str:
    if c in "\n\t":
        return c
    if ord(c) < 0x20:
        return chr(0x2400 + ord(c))  # the Unicode pictures of control characters: ESC is ␛
    return f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _CONTROL else c


def _lines(output: str, show: tuple[Pattern, ...]) -> Iterable[str]:
    text = visible(output[:CAP]).rstrip("\n")
    hidden = 0
    for line in text.split("\n") if text else []:
        if show and not any(pattern.search(line) for pattern in show):
            hidden += 1
            continue
        if hidden:
            yield _elision(hidden)
            hidden = 0
        yield f"{escape(line)}\n"
    hidden += output.count("\n", CAP)
    if hidden:
        yield _elision(hidden)


def _elision(count: int) -> str:
    return f'<span class="transcript__elided">⋮ {count} line{"s" if count > 1 else ""} not shown</span>\n'
