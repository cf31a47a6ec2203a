"""Checks what pages show of a snippet's manifest besides its commands: no number may be typed there either."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proof.core.errors import PageError, Where
from proof.core.text import first_misleading
from proof.pages.document import locate
from proof.pages.lint import claims, quantities
from proof.pages.lint.quantities import Quantity
from proof.snippets.model import Snippet

_CODE = re.compile(r"`[^`]+`")


def problems(snippet: Snippet) -> Iterator[PageError]:
    """What is typed in the title of a snippet, or in a step's remedy or reasons, that nothing backs."""
    texts: list[tuple[str, Where | None]] = [(snippet.title, None)]
    for step in snippet.steps:
        texts += [(text, step.where) for text in (step.failure.remedy, step.output.unshown, *step.differs.values())]

    def is_known(label: Quantity) -> bool:
        number = re.escape(label.text.rpartition(" ")[2].removeprefix("v"))
        pattern = re.compile(rf"(?<![\d.]){number}(?!\w)")
        return label.kind == "version" and any(pattern.search(base) for base in snippet.bases)

    own = "\n".join([*snippet.bases, *(part for step in snippet.steps for part in (step.text, step.expect))])
    for text, step_line in texts:
        where = step_line or locate(snippet.folder.parents[1], snippet.where.path, "title")
        if misleading := first_misleading(text):
            what = f"readers may take {misleading} for another character"
            yield PageError(what, where=where, evidence=text, hint="use Latin letters and digits")
        for code in _CODE.findall(text):
            # A setting such as CGO_ENABLED=0 is no amount.
            words = " ".join(word for word in code.strip("`").split() if "=" not in word)
            for number in quantities.find(words):
                if number.text not in own:
                    what, hint = f"the number '{number.text}' is typed, in code too", "reword it: pages show this text"
                    yield PageError(what, where=where, evidence=text, hint=hint)
        for loose in claims.unbound(_CODE.sub(quantities.CODE, text), (), is_known=is_known):
            what = loose.what.replace(quantities.CODE, "…")
            yield PageError(what, where=where, evidence=text, hint="reword it: pages show this text")


def check(snippet: Snippet) -> None:
    """Raise the first of the problems."""
    for problem in problems(snippet):
        raise problem
