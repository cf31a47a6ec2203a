"""Checks that the provenance of a capture has the form that the tool writes: dates, versions and a commit.

Two honest runs differ in these values, so they are not compared. They are shown to readers, so their form is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from proof.captures import fingerprint
from proof.captures.model import Capture

_VERSION = r"[0-9A-Za-z][0-9A-Za-z.+~_-]{0,60}"
_FORMS = {
    "engine": re.compile(rf"(?:docker|podman) {_VERSION}"),
    "builder": re.compile(rf"(?:buildx|buildah) (?:{_VERSION}|\?)"),
    "image_store": re.compile(r"[a-z0-9][a-z0-9._-]{0,60}"),
    "filesystem": re.compile(r"[0-9A-Za-z][0-9A-Za-z._/<> -]{0,60}|\?"),
    "engine_from": re.compile(r"[ -~]{0,200}"),
    "revision": re.compile(r"[0-9a-f]{7,40}\+?|not under version control|not known: git is not installed"),
}
_DATE = "%Y-%m-%dT%H:%M:%SZ"
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)  # how fast the clock of another machine may be
_LONGEST = 1_000_000  # seconds for one step: more than any deadline
_MOST = 1e300  # seconds, so that an integer of any length can be formatted


def implausible(capture: Capture, now: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Each field whose value the tool would not have written, with that value."""
    source = capture.provenance
    for name, form in _FORMS.items():
        if not form.fullmatch(value := getattr(source, name)):
            yield name, value
    for step in capture.steps:
        if not 0 <= step.seconds <= _LONGEST:
            yield f"{step.name} seconds", f"{float(min(step.seconds, _MOST)):.6g}"
    if not _is_date(source.date, (now or datetime.now(UTC)) + _AHEAD):
        yield "date", source.date
    if not _FORMS["engine"].fullmatch(source.engine):
        return
    kind, containerd = (
        capture.environment.engine.split(" ")[0],
        capture.environment.engine.endswith(" with containerd's store"),
    )
    if source.engine.split(" ")[0] != kind or (source.image_store == "containerd") is not containerd:
        yield "engine", f"{source.engine} on {source.image_store}, but measured with {capture.environment.engine}"
    if (engine := capture.inputs.get(fingerprint.ENGINE)) is not None and not _is_of(engine, source.engine):
        yield "engine", f"{engine} in its inputs, but {source.engine} in its provenance"


def _is_date(text: str, latest: datetime) -> bool:
    try:
        found = datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        return False
    # `strptime` also accepts digits of other scripts, and fewer digits.
    return found.strftime(_DATE) == text and _FIRST <= found <= latest


def _is_of(major: str, engine: str) -> bool:
    return engine.partition(".")[0] == major
