"""Why a command or a flag that articles use is refused, and what to write instead.

Whatever is not on the allow-lists in commands.py is refused, listed here or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Reason(NamedTuple):
    """What follows "… is refused: ", and the hint."""

    why: str
    hint: str


_NO_NETWORK = "images come from bases.toml alone"
_INPUTS = "put what it needs into context/, and use base images of bases.toml"
_NOBODY = Reason("nobody is there to type", "leave it out, and pass the command: docker run IMAGE PROGRAM")
_SHARED = Reason(
    "it stays in the engine, where other snippets would find it", "write into the image, or use docker run --tmpfs"
)
_OTHER_FILES = Reason(
    "it would reach files of this machine", "copy them into the image, or use --tmpfs for a directory to write to"
)
_EXPORT = Reason(
    "it would write files to this machine, or send them away",
    "build the image, and look into it with docker run or `contents`",
)
_ENDLESS = Reason("it would never end", "leave it out; `until` waits for a line")
_COMPOSE = Reason(
    "its file can mount directories, open ports and start other images",
    "start each container in a step of its own, with docker run -d --name NAME IMAGE",
)
_KUBERNETES = Reason(
    "it needs a cluster, and snippets have a container engine only",
    "measure the image with docker run; to show manifests or commands, write them into the page as code",
)
# By a program that isn't `docker`.
PROGRAMS: Mapping[str, Reason] = {
    "docker-compose": _COMPOSE,
    **dict.fromkeys(("kubectl", "helm", "kustomize", "minikube", "kind"), _KUBERNETES),
}
OTHER_PROGRAM = Reason(
    "a command starts with `docker`, or needs `inside`", 'to run it in a container, add inside = "image:tag"'
)
# By a command, or by the name of its verb with a flag.
REASONS: Mapping[str, Reason] = {
    "compose": _COMPOSE,
    "buildx bake": Reason("its file can read others and set any option", "write a docker build for each target"),
    "volume": _SHARED,
    "network": Reason(
        "the containers of a snippet have a network of their own",
        'use docker run -d -p, and a step with network = "published"',
    ),
    **dict.fromkeys(("pull", "image pull", "search"), Reason(_NO_NETWORK, _INPUTS)),
    **dict.fromkeys(("push", "image push", "save", "export", "cp"), _EXPORT),
    **dict.fromkeys(("build --output", "build -o", "build --push"), _EXPORT),
    "build --pull": Reason(f"{_NO_NETWORK}, and base images are pinned", "leave it out"),
    "build --ssh": Reason("it would lend the build the keys of whoever runs it", _INPUTS),
    "build --network": Reason(
        "a step names the hosts that it reaches", 'leave it out, and write network = ["HOST"] below the step'
    ),
    "build --secret": Reason(
        "a secret is a file of context/ here, never one of whoever runs it", "write --secret id=NAME,src=FILE"
    ),
    **dict.fromkeys(("build --cache-from", "build --cache-to"), Reason("a build uses its own cache", "leave it out")),
    **dict.fromkeys((f"{verb} {flag}" for verb in ("run", "exec") for flag in ("-i", "-t", "-it", "-ti")), _NOBODY),
    "attach": _NOBODY,
    **dict.fromkeys(("run -v", "run --volume", "run --mount"), _OTHER_FILES),
    "run --privileged": Reason("it gives the container more rights on this machine", "leave it out"),
    "run -dp": Reason("two flags in one word are not read here", "write -d -p"),
    **dict.fromkeys(("logs -f", "logs --follow"), _ENDLESS),
}
