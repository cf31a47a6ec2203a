"""An image out of its registry into an archive, by skopeo: tried again where that can help, and never for ever.

What goes wrong is told apart, since its cures are: a registry that limits or is away for a moment is asked again,
one that knows no such image or wants another user is not.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from proof.core.errors import CannotMeasureError, DeadlineError, RegistryAwayError
from proof.system import process

_ATTEMPTS = 4
_FIRST_PAUSE = 2.0  # seconds; each next one is twice as long
_ANSWER = 100.0  # seconds for a question: skopeo itself waits about 60 where a registry limits and names no time
_IMAGE = 900.0  # seconds for a whole image


@dataclass(frozen=True)
class _Trouble:
    """One way in which a registry fails."""

    says: str  # regular expression for what skopeo prints
    what: str
    passes: bool  # whether asking again can help
    hint: str
    away: bool = False  # whether it is the registry's, and not of the one image


_TROUBLES = (
    # skopeo has waited already, as long as the registry's Retry-After said: asking again would only count against us.
    _Trouble(
        r"toomanyrequests|\b429\b", "limits how often it is asked", passes=False, hint="wait, or log in", away=True
    ),
    _Trouble(
        r"unauthorized|denied|authentication required|\b40[13]\b", "wants another user", passes=False, hint="log in"
    ),
    _Trouble(
        r"manifest unknown|name unknown|not found|\b404\b",
        "has no such image",
        passes=False,
        hint="look at `registry` in bases.toml",
    ),
    _Trouble(r"HTTP status: 5\d\d|\b50[0234]\b", "is out of order", passes=True, hint="try again later", away=True),
    _Trouble(
        r"reset by peer|unexpected EOF|connection refused|broken pipe|timeout|no such host|network is unreachable"
        r"|temporary failure|no route to host|server misbehaving",
        "cannot be reached",
        passes=True,
        hint="look at the network",
        away=True,
    ),
    _Trouble(
        r"invalid character|unsupported|does not match|mismatch|malformed|gzip|schema",
        "answers with something that is no image",
        passes=False,
        hint="look for a proxy or a login page in between",
    ),
)
_SILENT = _Trouble("", "does not answer", passes=True, hint="look at the network, or try again later", away=True)
_OTHER = _Trouble("", "could not give it", passes=False, hint="see what skopeo says")


def at(reference: str, mirror: str) -> str:
    """Where a mirror has what the registry calls `reference`: under the same path, and with the same digest."""
    return f"{mirror}/{reference.partition('/')[2]}" if mirror else reference


def resolve(reference: str, platform: str, folder: Path) -> str:
    """The digest that `reference` stands for now; `folder` is a temporary one for what skopeo keeps meanwhile.

    Raises CannotMeasureError, with what is wrong with the registry.
    """
    return _skopeo(
        *("inspect", *_which(platform), *_insecure(reference, "--tls-verify=false")),
        *("--no-tags", "--format", "{{.Digest}}", f"docker://{reference}"),
        reference=reference,
        deadline=_ANSWER,
        folder=folder,
    )


def pull(reference: str, digest: str, platform: str, archive: Path, tag: str) -> None:
    """Pull the image of this digest into `archive` for `docker load`, there under the name `tag`.

    By its digest, so that it is the one that was resolved, even where the tag moves meanwhile. skopeo does it, because
    a private engine has no network. Its own settings (credentials, mirrors) are the user's.
    Raises CannotMeasureError, with what is wrong with the registry.
    """
    source = f"{re.sub(r':[^:/]*$', '', reference)}@{digest}"
    _skopeo(
        *("copy", *_which(platform), *_insecure(reference, "--src-tls-verify=false")),
        *("--quiet", f"docker://{source}", f"docker-archive:{archive}:{tag}"),
        reference=reference,
        deadline=_IMAGE,
        folder=archive.parent,
        archive=archive,
    )


def _which(platform: str) -> tuple[str, ...]:
    system, architecture = platform.split("/")[:2]
    return ("--override-os", system, "--override-arch", architecture)


def _insecure(reference: str, flag: str) -> tuple[str, ...]:
    """A registry on this very machine is a trial, and has no certificate."""
    return (flag,) if re.match(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?/", reference) else ()


def _skopeo(*words: str, reference: str, deadline: float, folder: Path, archive: Path | None = None) -> str:
    """One command of skopeo, repeated while its failure is one that passes; what it printed."""
    if not shutil.which("skopeo"):
        raise CannotMeasureError(
            "`skopeo` is needed to pull a base from a registry and is not installed here",
            hint="apt-get install skopeo, or leave --bases registry out",
        )
    # Where no one has set up a policy for signatures, skopeo refuses to pull at all.
    set_up = (Path("/etc/containers/policy.json"), Path.home() / ".config/containers/policy.json")
    policy = () if any(path.exists() for path in set_up) else ("--insecure-policy",)
    trouble, evidence = _OTHER, ""
    for attempt, pause in enumerate(_pauses(), start=1):
        if archive:
            archive.unlink(missing_ok=True)  # skopeo refuses to go on where a failed attempt ended
        try:
            done = process.run(["skopeo", *policy, "--tmpdir", str(folder), *words], env=os.environ, deadline=deadline)
        except DeadlineError as error:
            trouble, evidence = _SILENT, error.what
        else:
            if done.exit == 0:
                return done.text().strip()
            trouble, evidence = _classify(done.last_lines(3).replace(reference, "")), done.last_lines(3)
        if not trouble.passes or attempt == _ATTEMPTS:
            break
        sleep(pause)
    failure = RegistryAwayError if trouble.away else CannotMeasureError
    raise failure(
        f"{reference} could not be pulled: its registry {trouble.what} (asked {_times(attempt)})",
        evidence=evidence,
        hint=f"{trouble.hint}, or leave --bases registry out",
    )


def _classify(said: str) -> _Trouble:
    return next((known for known in _TROUBLES if re.search(known.says, said, re.IGNORECASE)), _OTHER)


def _pauses() -> Iterator[float]:
    """Seconds between attempts: twice as long each time, and shaken, so that many clients do not come back at once."""
    for attempt in range(_ATTEMPTS):
        yield _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - no secret hangs on it


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
