"""The messages of expected failures: `{{ errors }}` and `{{ error snippet/step }}`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from proof.captures.buildkit_log import mask_reference, split_counters
from proof.captures.normalise import without_ignored
from proof.core.errors import PageError
from proof.core.text import as_html
from proof.pages.indexes import writing
from proof.pages.page import Page, PageReport
from proof.snippets import project
from proof.snippets.model import Step


@dataclass
class _Message:
    """An error message from one or more steps, with what to do about it."""

    text: str
    name: str = ""  # its ID on the page
    steps: list[str] = field(default_factory=list)  # as snippet/step
    remedies: list[str] = field(default_factory=list)  # in Markdown, like the links
    links: list[str] = field(default_factory=list)  # to the pages that show it


def errors(page: Page) -> list[str]:
    """The Markdown for `{{ errors }}`: every expected error message that the page has not listed yet, by alphabet."""
    messages = _left(page)
    return [line for text in sorted(messages, key=str.lower) for line in _entry(messages.pop(text), page)]


def error(page: Page, step: str) -> list[str]:
    """The Markdown for `{{ error snippet/step }}`: the message of that step, where the page wants it.

    Raises PageError if no page shows that step, if it does not fail, or if its message is already on the page.
    """
    messages = _left(page)
    message = next((message for message in messages.values() if step in message.steps), None)
    if message is None:
        what = f"'{step}' has no error message that is left to list"
        raise PageError(what, hint="name a step with `exit` that a page shows, and each message once")
    return _entry(messages.pop(message.text), page)


def _left(page: Page) -> dict[str, _Message]:
    """The messages of all steps that fail and that a page shows, without those already listed.

    They are collected once for a page, because it may list each of them by itself.
    """
    if page.rendering.messages is None:
        messages = page.rendering.messages = {}
        snippets = project.load_all(page.root, read=page.site.variants)
        steps = {str(step): step for snippet in snippets for step in snippet.steps}
        for report in page.rendering.list_pages():
            for name in [] if report.page.generated else report.page.shown:
                if name in steps and not steps[name].failure.unlisted:
                    _collect(steps[name], report, page, messages)
        names: Counter[str] = Counter()
        for message in messages.values():
            name = re.sub(r"\W+", "-", message.text.lower()).strip("-_") or "message"
            names[name] += 1
            message.name = name if names[name] == 1 else f"{name}-{names[name]}"
    return page.rendering.messages


def _collect(step: Step, report: PageReport, page: Page, messages: dict[str, _Message]) -> None:
    """Add the message of a step, as one page shows it, in the words of each engine with which it fails."""
    different: dict[str, tuple[str, str]] = {}  # by what does not vary from run to run
    for capture in page.book.shown(step.snippet):
        done, declared = capture.step(step.name), step.on(capture.engine)
        if done is not None and declared.exit:
            text = _message(done.output, declared.expect)
            constant = without_ignored(text, step).rstrip(".")
            different.setdefault(constant, (capture.engine.label, text))
    if not different:
        return
    (_, text), *others = different.values()
    message = messages.setdefault(text, _Message(text))
    message.steps.append(str(step))
    sentences = [writing.prose(step.failure.remedy, page)] if step.failure.remedy else []
    sentences += [f"{label} says {writing.code(other, page)}." for label, other in others]
    message.remedies += [sentence for sentence in sentences if sentence not in message.remedies]
    if not any(f"]({writing.path(report, page)}#" in other for other in message.links):
        message.links.append(writing.link(report, page, step))


def _entry(message: _Message, page: Page) -> list[str]:
    for step in message.steps:  # not before: what is wrong with one snippet is no problem of another's message
        page.shown_snippet(step.partition("/")[0])
    # A heading, because search ranks and links headings. No table of contents lists those of this class.
    heading = f"### {page.rendering.stash(f'<code>{as_html(message.text)}</code>')} {{ #{message.name} .message }}"
    return ["", heading, "", " ".join([*message.remedies, f"→ {' · '.join(message.links)}"]), ""]


def _message(output: str, expect: str) -> str:
    """The last line with the expected text, as a reader would paste it, without the parts that vary."""
    line = next((line for line in reversed(output.splitlines()) if expect in line), expect)
    counters, line = split_counters(line)
    if not counters:
        line = re.sub(r"^\d+\.\d+ ", "", line)  # BuildKit repeats a failed step's lines without its number
    return mask_reference(line, "…").strip()
