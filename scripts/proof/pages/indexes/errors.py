"""The messages of expected failures: `{{ errors }}` and `{{ error snippet/step }}`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from proof.captures.buildkit_log import mask_reference, split_counters
from proof.captures.normalise import without_ignored
from proof.core.errors import PageError
from proof.core.text import as_html
from proof.pages.indexes import writing
from proof.pages.page import Message, Page, PageReport
from proof.snippets import project
from proof.snippets.engine_version import LABELS, Wording
from proof.snippets.model import Step


def errors(page: Page) -> list[str]:
    """The Markdown for `{{ errors }}`: every expected error message that the page has not listed yet, by alphabet."""
    known = _collected(page)
    found = [known.pop(text) for text in sorted(known, key=str.lower)]
    return [line for message in found for line in _entry(message, page)]


def error(page: Page, step: str) -> list[str]:
    """The Markdown for `{{ error snippet/step }}`: the message of that step, where the page wants it.

    Raises PageError if no page shows that step, if it does not fail, or if its message is already on the page.
    """
    known = _collected(page)
    message = next((found for found in known.values() if step in found.steps), None)
    if message is None:
        what = f"'{step}' has no error message that is left to list"
        raise PageError(what, hint="name a step with `exit` that a page shows, and each message once")
    return _entry(known.pop(message.text), page)


def _collected(page: Page) -> dict[str, Message]:
    """The messages of all steps that fail and that a page shows, without those already listed.

    They are collected once for a page, because it may list each of them by itself.
    """
    if page.rendering.messages is None:
        page.rendering.messages = {}
        snippets = project.load_all(page.root, read=page.site.variants)
        steps = {str(step): step for snippet in snippets for step in snippet.steps}
        for scanned in page.rendering.list_pages():
            for name in [] if scanned.page.generated else scanned.page.shown:
                if name in steps and not steps[name].failure.unlisted:
                    _collect(steps[name], scanned, page, page.rendering.messages)
        names: Counter[str] = Counter()
        for message in page.rendering.messages.values():
            name = re.sub(r"\W+", "-", message.text.lower()).strip("-_") or "message"
            names[name] += 1
            message.name = name if names[name] == 1 else f"{name}-{names[name]}"
    return page.rendering.messages


def _collect(step: Step, scanned: PageReport, page: Page, known: dict[str, Message]) -> None:
    """Add the message of a step, as one page shows it, to the messages that are `known`."""
    worded = _messages(step, page)
    if not worded:
        return
    page.shown_snippet(step.snippet)
    different: dict[str, str] = {}  # by what does not vary from run to run
    for wording in worded.values():
        different.setdefault(without_ignored(wording, step).rstrip("."), wording)
    text, *others = different.values()
    message = known.setdefault(text, Message(text))
    message.steps.append(str(step))
    sentences = [writing.prose(step.failure.remedy, page)] if step.failure.remedy else []
    sentences += [f"{_by(worded, other)} says {writing.code(other, page)}." for other in others]
    message.remedies += [sentence for sentence in sentences if sentence not in message.remedies]
    if not any(f"]({writing.path(scanned, page)}#" in other for other in message.links):
        message.links.append(writing.link(scanned, page, step))


def _entry(message: Message, page: Page) -> list[str]:
    # A heading, because search ranks and links headings. No table of contents lists those of this class.
    heading = f"### {page.rendering.stash(f'<code>{as_html(message.text)}</code>')} {{ #{message.name} .message }}"
    return ["", heading, "", " ".join([*message.remedies, f"→ {' · '.join(message.links)}"]), ""]


def _messages(step: Step, page: Page) -> dict[Wording, str]:
    """The error message of a step in the words of each engine with which it fails."""
    found: dict[Wording, str] = {}
    for capture in page.book.shown(step.snippet):
        done, declared = capture.step(step.name), step.on(capture.engine)
        if done is not None and declared.exit:
            found[capture.engine.wording or "docker-28"] = _message(done.output, declared.expect)
    return found


def _by(worded: Mapping[Wording, str], message: str) -> str:
    return next(LABELS[wording] for wording, text in worded.items() if text == message)


def _message(output: str, expect: str) -> str:
    """The last line with the expected text, as a reader would paste it, without the parts that vary."""
    line = next((line for line in reversed(output.splitlines()) if expect in line), expect)
    counters, line = split_counters(line)
    if not counters:
        line = re.sub(r"^\d+\.\d+ ", "", line)  # BuildKit repeats a failed step's lines without its number
    return mask_reference(line, "…").strip()
