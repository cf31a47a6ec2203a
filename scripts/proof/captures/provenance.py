"""The fixed forms of a capture's provenance: dates, versions, names and a commit, as the tool writes them.

Two honest runs differ in these values, so they are not compared, and whoever edits a capture can change them. They are
shown to readers. So each has a form that leaves no room for words, and what an engine says in another form isn't kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from proof.captures import fingerprint
from proof.captures.model import Capture
from proof.snippets.capture_locations import ORIGINS
from proof.snippets.engine_version import NO_NATIVE_DIFF
from proof.snippets.model import Snippet

_UNKNOWN = "?"
_SUFFIX = r"[+~.-]?(?:alpha|azure|beta|ce|deb|desktop|dev|dfsg|ds|rc|ubuntu)[0-9]{0,4}|[+~.-][0-9]{1,4}"
_VERSION = rf"v?[0-9]{{1,4}}(?:\.[0-9]{{1,5}}){{0,3}}(?:{_SUFFIX}){{0,4}}"
_PART = rf"(?:Docker|Podman|buildx|containerd|runc) {_VERSION}"
_STORES = "aufs|btrfs|containerd|devicemapper|fuse-overlayfs|overlay|overlay2|vfs|zfs"
_FILESYSTEMS = (  # as Docker and Podman call them
    "aufs|btrfs|cramfs|ecryptfs|extfs|f2fs|fuse|gpfs|jffs2|jfs|nfs|overlayfs|ramfs|reiserfs|smb|squashfs|tmpfs|vxfs|xfs|zfs"
)
_FORMS = {
    "engine": re.compile(rf"(?:docker|podman) {_VERSION}"),
    "builder": re.compile(rf"(?:buildx|buildah) (?:{_VERSION}|\?)"),
    "image_store": re.compile(rf"(?:{_STORES})(?:{NO_NATIVE_DIFF})?|\?"),
    "filesystem": re.compile(rf"{_FILESYSTEMS}|\?"),
    "engine_from": re.compile(
        rf"(?:built from (?:its|the public) source(?: of {_PART}(?:, {_PART}){{0,3}}(?: and {_PART})?)?"
        rf"(?: with Go {_VERSION})?)?"
    ),
    "revision": re.compile(r"[0-9a-f]{12,64}\+?|not under version control|not known: git is not installed"),
}
_PLATFORM = re.compile(r"linux/[a-z0-9]{1,10}(?:/v[0-9])?")
_DATE = "%Y-%m-%dT%H:%M:%SZ"
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)  # how fast the clock of another machine may be


def version(text: str) -> str:
    """The part of a version that has the form of one, as in `26.1.5+dfsg1`."""
    found = re.match(rf"{_VERSION}(?![0-9A-Za-z])", text)
    return found[0] if found else _UNKNOWN


def in_form(field: str, text: str) -> str:
    """The value of a field, or a question mark if it isn't in the form that the field has."""
    return text if _FORMS[field].fullmatch(text) else _UNKNOWN


def is_engine_from(text: str) -> bool:
    """Whether this says where an engine comes from, as in `built from its source`."""
    return _FORMS["engine_from"].fullmatch(text) is not None


def implausible(capture: Capture, snippet: Snippet, now: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Each field whose value the tool would not have written, with that value."""
    source = capture.provenance
    for name, form in _FORMS.items():
        if not form.fullmatch(value := getattr(source, name)):
            yield name, value
    yield from _too_long(capture, snippet)
    if not _is_date(source.date, (now or datetime.now(UTC)) + _AHEAD):
        yield "date", source.date
    if not _FORMS["engine"].fullmatch(source.engine):
        return
    store = " with containerd's store" if source.image_store == "containerd" else ""
    if capture.environment.engine != source.engine.split(" ")[0] + store:
        yield "engine", f"{source.engine} on {source.image_store}, but measured with {capture.environment.engine}"
    if not _PLATFORM.fullmatch(capture.environment.platform) or capture.environment.bases not in ORIGINS:
        yield "environment", str(capture.environment)
    if (engine := capture.inputs.get(fingerprint.ENGINE)) is not None and not _is_of(engine, source.engine):
        yield "engine", f"{engine} in its inputs, but {source.engine} in its provenance"


def _too_long(capture: Capture, snippet: Snippet) -> Iterator[tuple[str, str]]:
    """Durations that the time limits of the steps rule out. A fact may be of an earlier step than the one it is in."""
    limits = {step.name: step.timeout for step in snippet.steps}
    for step in capture.steps:
        if step.name in limits and not 0 <= step.seconds <= limits[step.name]:
            yield f"{step.name} seconds", f"{step.seconds:.6g}"
    for name, fact in capture.facts.items():
        if fact.unit == "s" and not isinstance(fact.value, str) and not 0 <= fact.value <= sum(limits.values()):
            yield f"{name} seconds", f"{fact.value:.6g}"


def _is_date(text: str, latest: datetime) -> bool:
    try:
        found = datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        return False
    # `strptime` also accepts digits of other scripts, and fewer digits.
    return found.strftime(_DATE) == text and _FIRST <= found <= latest


def _is_of(major: str, engine: str) -> bool:
    return engine.partition(".")[0] == major
