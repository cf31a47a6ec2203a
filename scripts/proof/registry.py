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

from proof import process
from proof.errors import CannotMeasureError, DeadlineError

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
    cure: str


_TROUBLES = (
    # skopeo has waited already, as long as the registry's Retry-After said: asking again would only count against us.
    _Trouble(r"toomanyrequests|\b429\b", "limits how often it is asked", passes=False, cure="wait, or log in"),
    _Trouble(
        r"unauthorized|denied|authentication required|\b40[13]\b", "wants another user", passes=False, cure="log in"
    ),
    _Trouble(
        r"manifest unknown|name unknown|not found|\b404\b",
        "has no such image",
        passes=False,
        cure="look at `registry` in bases.toml",
    ),
    _Trouble(r"HTTP status: 5\d\d|\b50[0234]\b", "is out of order", passes=True, cure="try again later"),
    _Trouble(
        r"reset by peer|unexpected EOF|connection refused|broken pipe|timeout|no such host|network is unreachable"
        r"|temporary failure|no route to host|server misbehaving",
        "cannot be reached",
        passes=True,
        cure="look at the network",
    ),
    _Trouble(
        r"invalid character|unsupported|does not match|mismatch|malformed|gzip|schema",
        "answers with something that is no image",
        passes=False,
        cure="look for a proxy or a login page in between",
    ),
)
_SILENT = _Trouble("", "does not answer", passes=True, cure="look at the network, or try again later")
_OTHER = _Trouble("", "could not give it", passes=False, cure="see what skopeo says")


def pull(reference: str, platform: str, archive: Path, tag: str) -> str:
    """Pull `reference` into `archive` for `docker load`, there under the name `tag`; returns its digest.

    The archive is a file in a temporary folder, where skopeo keeps what else it needs meanwhile. skopeo
    does it, because a private engine has no network. Its own settings (credentials, mirrors) are the user's.
    Raises CannotMeasureError, with what is wrong with the registry.
    """
    if not shutil.which("skopeo"):
        raise CannotMeasureError(
            "`skopeo` is needed to pull a base from a registry and is not installed here",
            cure="apt-get install skopeo, or leave --bases registry out",
        )
    system, architecture = platform.split("/")[:2]
    which = ("--override-os", system, "--override-arch", architecture)
    # A registry on this very machine is a trial, and has no certificate.
    plain = re.match(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?/", reference) is not None
    source = f"docker://{reference}"
    insecure = ("--tls-verify=false",) if plain else ()
    digest = _skopeo(
        *("inspect", *which, *insecure, "--no-tags", "--format", "{{.Digest}}", source),
        reference=reference,
        deadline=_ANSWER,
        archive=archive,
    )
    insecure = ("--src-tls-verify=false",) if plain else ()
    _skopeo(
        *("copy", *which, *insecure, "--quiet", source, f"docker-archive:{archive}:{tag}"),
        reference=reference,
        deadline=_IMAGE,
        archive=archive,
    )
    return digest


def _skopeo(*words: str, reference: str, deadline: float, archive: Path) -> str:
    """One command of skopeo, repeated while its failure is one that passes; what it printed."""
    # Where no one has set up a policy for signatures, skopeo refuses to pull at all.
    set_up = (Path("/etc/containers/policy.json"), Path.home() / ".config/containers/policy.json")
    policy = () if any(path.exists() for path in set_up) else ("--insecure-policy",)
    trouble, evidence = _OTHER, ""
    for attempt, pause in enumerate(_pauses(), start=1):
        archive.unlink(missing_ok=True)  # skopeo refuses to go on where a failed attempt ended
        try:
            done = process.run(
                ["skopeo", *policy, "--tmpdir", str(archive.parent), *words], env=os.environ, deadline=deadline
            )
        except DeadlineError as error:
            trouble, evidence = _SILENT, error.what
        else:
            if done.exit == 0:
                return done.text().strip()
            trouble, evidence = _classify(done.last_lines(3).replace(reference, "")), done.last_lines(3)
        if not trouble.passes or attempt == _ATTEMPTS:
            break
        sleep(pause)
    raise CannotMeasureError(
        f"{reference} could not be pulled: its registry {trouble.what} (asked {_times(attempt)})",
        evidence=evidence,
        cure=f"{trouble.cure}, or leave --bases registry out",
    )


def _classify(said: str) -> _Trouble:
    return next((known for known in _TROUBLES if re.search(known.says, said, re.IGNORECASE)), _OTHER)


def _pauses() -> Iterator[float]:
    """Seconds between attempts: twice as long each time, and shaken, so that many clients do not come back at once."""
    for attempt in range(_ATTEMPTS):
        yield _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - no secret hangs on it


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
