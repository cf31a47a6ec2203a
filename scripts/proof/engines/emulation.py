"""Which other platforms' programs an engine can run, because its kernel hands them to an emulator.

An engine on a machine of another platform than the one that snippets are measured on needs that. A step that shows how
such a program fails cannot be measured there. Emulators are registered in binfmt_misc, once for the whole kernel: by
Docker Desktop, by QEMU's packages, by images such as tonistiigi/binfmt.
"""

from __future__ import annotations

import secrets

from proof.core.errors import NoEngineError
from proof.engines import cleanup
from proof.engines.interface import Engine
from proof.engines.user_engine import use_another
from proof.snippets.commands import Command

NO_EMULATOR = "exec format error"  # what the kernel says about a program that it cannot run


def check(engine: Engine, base: str) -> None:
    """Run a program of this base. Raises NoEngineError if the engine's machine has no emulator for it.

    What an engine tells about emulators is no proof: Podman knows only some, and Docker's builder has its own.
    """
    name = f"proof-{secrets.token_hex(6)}"
    cleanup.name_container(engine, name)
    flags = ("--rm", "--name", name, "--pull=never", "--network=none", *engine.platform_flags)
    done = engine.client.call("run", *flags, engine.names.image(base), "true", check=False)
    if NO_EMULATOR in f"{done.text()}{done.errors.decode('utf-8', 'replace')}".lower():
        raise NoEngineError(
            f"your {engine.kind} is on {engine.emulated_on}, and cannot run programs for {engine.platform}, the "
            "platform that snippets are measured on",
            evidence=done.last_lines(2),
            hint="switch on emulation: Docker Desktop has it in its settings, under General; on Linux, install "
            f"qemu-user-static. Or {use_another(engine)}",
        )


def in_the_way(engine: Engine, command: Command) -> list[str]:
    """The emulated platforms that may let this command succeed, although its program is for another processor."""
    native = {engine.platform, "linux/386"}  # which an amd64 processor runs too
    wanted = {_processor(platform) for platform in command.values("--platform")}
    runnable = dict.fromkeys([engine.emulated_on or engine.platform, *engine.runnable_platforms()])
    emulated = [platform for platform in runnable if _processor(platform) not in native]
    return [platform for platform in emulated if not wanted or _processor(platform) in wanted]


def _processor(platform: str) -> str:
    """The platform without a variant: linux/arm of linux/arm/v7."""
    return "/".join(platform.split("/")[:2])
