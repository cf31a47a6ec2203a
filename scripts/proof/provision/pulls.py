"""Pulls images from a registry into an archive, with skopeo, and retries where that can help.

Failures are classified, because their remedies differ: a server error or a network problem is retried, a missing image
or denied access is not.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from proof.core.errors import CannotMeasureError, DeadlineError, RegistryAwayError
from proof.system import process

_ATTEMPTS = 4
_FIRST_PAUSE = 2.0  # seconds; the pause doubles after each attempt
_ANSWER = 100.0  # seconds to resolve a tag; skopeo itself waits about 60 where requests are limited without a time
_IMAGE = 900.0  # seconds to pull an image


@dataclass(frozen=True)
class _Failure:
    """A kind of failure of a registry."""

    says: str  # regular expression for the output of skopeo
    what: str
    retry: bool  # whether another attempt can help
    hint: str
    away: bool = False  # whether it affects all images of the registry


_FAILURES = (
    # skopeo has already waited as long as Retry-After says, and more requests would count against the limit.
    _Failure(r"toomanyrequests|\b429\b", "limits requests", retry=False, hint="wait, or log in", away=True),
    _Failure(r"unauthorized|denied|authentication required|\b40[13]\b", "denies access", retry=False, hint="log in"),
    _Failure(
        r"manifest unknown|name unknown|not found|\b404\b",
        "has no such image",
        retry=False,
        hint="check `registry` in bases.toml; with a mirror, copy the image there: skopeo copy docker://NAME docker://HOST/NAME",
    ),
    _Failure(r"HTTP status: 5\d\d|\b50[0234]\b", "reports an error", retry=True, hint="try again later", away=True),
    _Failure(
        r"reset by peer|unexpected EOF|connection refused|broken pipe|timeout|no such host|network is unreachable"
        r"|temporary failure|no route to host|server misbehaving",
        "cannot be reached",
        retry=True,
        hint="check the network, or pull from another host with --mirror HOST",
        away=True,
    ),
    _Failure(
        r"invalid character|unsupported|does not match|mismatch|malformed|gzip|schema",
        "returns something that is not an image",
        retry=False,
        hint="check for a proxy or a login page in between",
    ),
)
_SILENT = _Failure(
    "", "does not answer", retry=True, hint="check the network, or pull from another host with --mirror HOST", away=True
)
_OTHER = _Failure("", "fails", retry=False, hint="see the output of skopeo")


def at(reference: str, mirror: str) -> str:
    """The place of `reference` in the mirror, if there is one: the same path on another host."""
    return f"{mirror}/{reference.partition('/')[2]}" if mirror else reference


def resolve(reference: str, platform: str, folder: Path) -> str:
    """The digest that `reference` currently refers to. `folder` is a directory for skopeo's temporary files.

    Raises CannotMeasureError, with the kind of failure.
    """
    return _skopeo(
        *("inspect", *_which(platform), *_insecure(reference, "--tls-verify=false")),
        *("--no-tags", "--format", "{{.Digest}}", f"docker://{reference}"),
        reference=reference,
        deadline=_ANSWER,
        folder=folder,
    )


def pull(reference: str, digest: str, platform: str, archive: Path, tag: str, *, compressed: bool = False) -> None:
    """Pull the image with this digest into `archive`, for `docker load`, under the whole name `tag`.

    With `compressed`, the layers stay as the registry sends them: containerd's store counts them in the sizes that it
    shows. The classic store can't load such an archive.

    The digest makes sure that it is the image that was resolved, even if the tag has moved since. skopeo pulls it,
    because a private engine has no network. skopeo uses the user's own settings (credentials, mirrors).
    Raises CannotMeasureError, with the kind of failure.
    """
    source = f"{re.sub(r':[^:/]*$', '', reference)}@{digest}"
    target = f"oci-archive:{archive}:{tag}" if compressed else f"docker-archive:{archive}:{tag}"
    _skopeo(
        *("copy", *_which(platform), *_insecure(reference, "--src-tls-verify=false")),
        *("--quiet", f"docker://{source}", target),
        reference=reference,
        deadline=_IMAGE,
        folder=archive.parent,
        archive=archive,
    )


def _which(platform: str) -> tuple[str, ...]:
    system, architecture = platform.split("/")[:2]
    return ("--override-os", system, "--override-arch", architecture)


def _insecure(reference: str, flag: str) -> tuple[str, ...]:
    """The flag, if the registry is on this machine: it is for tests and has no certificate."""
    return (flag,) if re.match(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?/", reference) else ()


def _skopeo(*words: str, reference: str, deadline: float, folder: Path, archive: Path | None = None) -> str:
    """Run a skopeo command, with retries, and return its output."""
    if not shutil.which("skopeo"):
        raise CannotMeasureError(
            "`skopeo` is not installed here, and base images from a registry need it",
            hint="install skopeo: apt-get, dnf and brew have it",
        )
    # Without a policy for signatures, skopeo refuses to pull.
    set_up = (Path("/etc/containers/policy.json"), Path.home() / ".config/containers/policy.json")
    policy = () if any(path.exists() for path in set_up) else ("--insecure-policy",)
    failure, evidence = _OTHER, ""
    for attempt in range(1, _ATTEMPTS + 1):
        if archive:
            archive.unlink(missing_ok=True)  # skopeo does not overwrite what a failed attempt left
        try:
            done = process.run(["skopeo", *policy, "--tmpdir", str(folder), *words], env=os.environ, deadline=deadline)
        except DeadlineError as error:
            failure, evidence = _SILENT, error.what
        else:
            if done.exit == 0:
                return done.text().strip()
            failure, evidence = _classify(done.last_lines(3).replace(reference, "")), done.last_lines(3)
        if not failure.retry or attempt == _ATTEMPTS:
            break
        # Doubling, and randomized so that many clients do not retry at once.
        sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1))  # noqa: S311 - not used for security
    kind = RegistryAwayError if failure.away else CannotMeasureError
    raise kind(
        f"{reference} could not be pulled: its registry {failure.what} ({attempt} attempt{'s' if attempt > 1 else ''})",
        evidence=evidence,
        hint=failure.hint,
    )


def _classify(output: str) -> _Failure:
    return next((failure for failure in _FAILURES if re.search(failure.says, output, re.IGNORECASE)), _OTHER)
