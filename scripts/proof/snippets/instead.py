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


_NO_NETWORK = "no command has a network, so that it prints the same on every machine"
_INPUTS = "put what it needs into context/, and use base images of bases.toml"
_COMPOSE = Reason(
    "its file can mount directories, open ports and start other images",
    "start each container in a step of its own, with docker run -d --name NAME IMAGE",
)
_BAKE = Reason("its file can read others and set any option", "write a docker build for each target")
_SHARED = Reason(
    "it stays in the engine, where other snippets would find it", "write into the image, or use docker run --tmpfs"
)
_NETWORK = Reason(
    "the containers of a snippet have a network of their own",
    'use docker run -d -p, and a step with network = "published"',
)
_REGISTRY = Reason(_NO_NETWORK, _INPUTS)
_ACCOUNT = Reason("it would need somebody's account", "leave it out, and say in the text what it does")
_NOBODY = Reason("nobody is there to type", "leave it out, and pass the command: docker run IMAGE PROGRAM")
_MOUNT = Reason(
    "it would reach files of this machine", "copy them into the image, or use --tmpfs for a directory to write to"
)
_RIGHTS = Reason("it gives the container more rights on this machine", "leave it out")
_EXPORT = Reason(
    "it would write files to this machine, or send them away",
    "build the image, and look into it with docker run or `contents`",
)
_CACHE = Reason("a build uses the cache of its own engine alone", "leave it out")

VERBS: Mapping[tuple[str, ...], Reason] = {
    ("compose",): _COMPOSE,
    ("stack",): _COMPOSE,
    ("buildx", "bake"): _BAKE,
    ("volume",): _SHARED,
    ("network",): _NETWORK,
    ("pull",): _REGISTRY,
    ("image", "pull"): _REGISTRY,
    ("search",): _REGISTRY,
    ("push",): _ACCOUNT,
    ("image", "push"): _ACCOUNT,
    ("login",): _ACCOUNT,
    ("attach",): _NOBODY,
    ("cp",): Reason("it would read or write files of this machine", "print the file: docker run IMAGE cat FILE"),
    ("save",): _EXPORT,
    ("export",): _EXPORT,
}
_OF_ALL: Mapping[str, Reason] = {  # verbs that start a program in a container
    **dict.fromkeys(("-i", "-t", "-it", "-ti", "--interactive", "--tty"), _NOBODY),
    "--privileged": _RIGHTS,
    "--env-file": Reason("it could read any file of this machine", "write -e NAME=VALUE"),
}
FLAGS: Mapping[str, Mapping[str, Reason]] = {
    "build": {
        "--ssh": Reason("it would lend the build the keys of whoever runs it", _INPUTS),
        "--pull": Reason(f"{_NO_NETWORK}, and base images are pinned", "leave it out"),
        **dict.fromkeys(("--cache-from", "--cache-to"), _CACHE),
        **dict.fromkeys(("--output", "-o"), _EXPORT),
        "--push": _ACCOUNT,
    },
    "run": {
        **_OF_ALL,
        **dict.fromkeys(("-v", "--volume", "--mount", "--volumes-from"), _MOUNT),
        **dict.fromkeys(("--cap-add", "--security-opt", "--device", "--pid", "--ipc"), _RIGHTS),
        "--link": _NETWORK,
        "--restart": Reason("the container ends with the snippet", "leave it out"),
        "-dp": Reason("two flags in one word are not read here", "write -d -p"),
        **dict.fromkeys(("-P", "--publish-all"), Reason("docker would choose the port", "write -p HOST:CONTAINER")),
    },
    "exec": _OF_ALL,
    "logs": dict.fromkeys(("-f", "--follow"), Reason("it would never end", "leave it out; `until` waits for a line")),
}
VALUES: Mapping[tuple[str, str], Reason] = {
    ("build", "--network"): Reason(_NO_NETWORK, f"leave it out; {_INPUTS}, as `go mod vendor` does with modules"),
    ("build", "--secret"): Reason(
        "a secret is a file of context/ here, never one of whoever runs it", "write --secret id=NAME,src=FILE"
    ),
}
