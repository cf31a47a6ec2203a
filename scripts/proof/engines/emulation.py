"""Which other platforms' programs an engine can run, because its kernel hands them to an emulator.

A step that shows how such a program fails cannot be measured there. Emulators are registered in binfmt_misc, once for
the whole kernel: by Docker Desktop, by QEMU's packages, by images such as tonistiigi/binfmt.
"""

from __future__ import annotations

from proof.engines.interface import Engine
from proof.snippets.commands import Command

NO_EMULATOR = "exec format error"  # what the kernel says about a program that it cannot run


def in_the_way(engine: Engine, command: Command) -> list[str]:
    """The emulated platforms that may let this command succeed, although its program is for another processor."""
    native = {engine.platform, "linux/386"}  # which an amd64 processor runs too
    wanted = {_processor(platform) for platform in command.values("--platform")}
    emulated = [platform for platform in engine.runnable_platforms() if _processor(platform) not in native]
    return [platform for platform in emulated if not wanted or _processor(platform) in wanted]


def _processor(platform: str) -> str:
    """The platform without a variant: linux/arm of linux/arm/v7."""
    return "/".join(platform.split("/")[:2])
