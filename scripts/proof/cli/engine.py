"""`proof engine`: a private engine that keeps running, for inspecting images and trying commands by hand."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, project_root
from proof.core.errors import UsageError


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "engine",
        help="start a private engine to look inside, with the base images in it",
        description='Start a private engine with the base images in it. To use it: eval "$(proof engine env)"',
    )
    parser.add_argument("action", choices=("start", "env", "stop"), help="start it, print its address, or stop it")
    parser.add_argument(
        "bases", nargs="*", metavar="BASE", help="with start: load these base images only (default: all of bases.toml)"
    )
    parser.set_defaults(run=_engine_command)


def _engine_command(parsed: argparse.Namespace) -> int:
    from proof.captures import bases_lock
    from proof.core.settings import cache_folder
    from proof.engines import private_docker
    from proof.provision import loader
    from proof.reports.terminal import Terminal
    from proof.snippets import base_images, settings
    from proof.snippets.engine_version import PLATFORM

    cache, terminal = cache_folder(), Terminal()
    running = private_docker.detached(cache)
    if parsed.action == "stop":
        terminal.say(f"{private_docker.stop(cache)} stopped")
    elif parsed.action == "env":
        if not running:
            raise UsageError("no engine is running", hint="proof engine start")
        print(f"export DOCKER_HOST={running[0][2]}")  # noqa: T201 - a path of ours
    elif running:
        terminal.say(f"already running: export DOCKER_HOST={running[0][2]}")
    else:
        root = project_root(parsed)
        bases = base_images.load(root)
        if unknown := [name for name in parsed.bases if name not in bases.images]:
            raise UsageError(f"no base '{unknown[0]}' in bases.toml", hint=f"use one of: {', '.join(bases.images)}")
        locked, mirror = bases_lock.load(root, bases), settings.load(root).mirror
        with private_docker.start(cache, PLATFORM, detach=True) as engine:
            for name in parsed.bases or bases.images:
                with terminal.stage(f"base {name}"):
                    origin, digest = bases.origin, locked.get(name, "")
                    loader.ensure(bases, name, engine, origin=origin, cache=cache, locked=digest, mirror=mirror)
            terminal.say('running until `proof engine stop`; to use it: eval "$(proof engine env)"')
            terminal.say("Its network leads nowhere: what a command needs has to be in the images or the context")
    return 0
