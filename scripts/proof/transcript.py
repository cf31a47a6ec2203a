"""A captured step → HTML: built and escaped here, never parsed as Markdown.

What a program printed is text from outside. Markup in it is escaped, control and bidirectional characters are made
visible, and its length is capped, so that nothing printed can act in a reader's browser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import escape

from proof.capture import Capture, CapturedStep

CAP = 20_000  # characters of output on a page; the capture has all of it
_CONTROL = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"}


def render(capture: Capture, step: CapturedStep, show: Iterable[re.Pattern[str]]) -> str:
    """The transcript of one step: prompt, command, the lines that `show` selects, and where it comes from.

    Copying takes the command alone (`data-copy`), and the prompt cannot be selected (the style sheet).
    """
    lines = "".join(_lines(step.output, tuple(show)))
    source = provenance(capture, step, elided="transcript__elided" in lines)
    place = f"<figcaption>in a container of <code>{escape(step.inside)}</code></figcaption>" if step.inside else ""
    classes, end = "transcript", ""
    if step.exit:
        classes, end = (
            "transcript transcript--failed",
            f'<span class="transcript__exit">exit {step.exit}</span>',
        )
    return (
        f'<figure class="{classes}">{place}'
        f'<div class="highlight" data-copy="{escape(step.command)}"><pre><code>'
        '<span class="transcript__prompt">$ </span>'
        f'<span class="transcript__command">{escape(visible(step.command))}</span>\n'
        f"{lines}{end}</code></pre></div>{source}</figure>"
    )


def provenance(capture: Capture, step: CapturedStep, *, elided: bool) -> str:
    """Where a transcript comes from, on demand: a native disclosure, opened by pointer or keyboard alike."""
    source = capture.provenance
    kind = "a private daemon" if source.private else "an engine of the user's"
    bases = "".join(f"<li><code>{escape(n)}</code>: {escape(o)}</li>" for n, o in source.bases.items())
    rows = {
        "Measured": f'<time datetime="{escape(source.date)}">{escape(source.date)}</time>',
        "Engine": escape(f"{source.engine}, {source.builder}, {kind}"),
        "Image store": escape(f"{source.image_store} on {source.filesystem}"),
        "Platform": escape(capture.basis.platform),
        "Bases": f"{escape(capture.basis.bases)}<ul>{bases}</ul>",
        "Source": f"<code>snippets/{escape(capture.snippet)}</code> at <code>{escape(source.revision)}</code>",
        "Took": f"{step.seconds:g} s",
    }
    if elided:
        rows["All it printed"] = f"<pre><code>{escape(visible(step.output[:CAP]))}</code></pre>"
    body = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in rows.items())
    day = escape(source.date[:10])
    summary = f"<summary>measured {day}, {escape(capture.basis.bases)} bases</summary>"
    return f'<details class="provenance">{summary}<dl>{body}</dl></details>'


def visible(text: str) -> str:
    """Text whose control, bidirectional and unassigned characters can be seen and do nothing."""
    return text.translate(_SEEN)


def anchor(snippet: str, step: str, *, again: int = 0) -> str:
    """The id of a transcript on its page; `again` is how often it was shown there before, for an id stands once."""
    return f"{snippet}-{step}".replace("_", "-") + (f"-{again + 1}" if again else "")


class _Seen(dict[int, str]):
    """Each character as it is shown, found once: transcripts are long and made of few."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        if code < 0x20 and c not in "\n\t":
            self[code] = chr(0x2400 + code)  # the Unicode pictures of control characters: ESC is ␛
        else:
            hidden = c not in "\n\t" and unicodedata.category(c) in _CONTROL
            self[code] = f"⟨U+{code:04X}⟩" if hidden else c
        return self[code]


_SEEN = _Seen()


def _lines(output: str, show: tuple[re.Pattern[str], ...]) -> Iterable[str]:
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
