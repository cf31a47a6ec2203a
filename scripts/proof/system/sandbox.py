"""A bubblewrap sandbox for docker's client and for git: they see only the files that they need.

docker and buildx read untrusted files, and start other programs of the host on their own: git in a context that looks
like a repository, credential helpers, plugins. The sandbox contains no other programs, and no network, home directory
or capabilities. Only the engine's socket is writable. https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.system import process

PROGRAM = "bwrap"
# It is root in there, without rights, so that `docker cp` gives the files of an ordinary user to a container's root, as
# it does with those of root. A user's own id may be one that the engine cannot give a file to.
_ALONE = (*"--unshare-all --unshare-user --uid 0 --gid 0 --die-with-parent --cap-drop ALL".split(),)
_BIN = Path("/usr/bin")
_PLUGINS = "cli-plugins"  # the directory below docker's own settings where it looks for plugins first
_BUILDX = "docker-buildx"
# The system's directories of plugins, in docker's order.
_PLACES = ("local/lib", "local/libexec", "lib", "libexec")
_LIBRARIES = tuple(Path(path) for path in ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"))


@dataclass(frozen=True)
class Sandbox:
    """The sandbox for the clients of one engine."""

    bubblewrap: Path  # the program
    socket: Path  # of the engine
    docker: Path  # the program
    plugin: Path | None  # buildx, which docker starts for a build

    def words(
        self, env: Mapping[str, str], *, cwd: Path | None, reads: Iterable[Path] = (), writes: Path | None = None
    ) -> list[str]:
        """The prefix of a command that makes it run in the sandbox.

        The command may read its working directory and the files and directories `reads`, and may write to the
        directory `writes`. All of them have the same paths inside and outside.
        """
        programs = {_BIN / "docker": self.docker}
        if self.plugin:
            programs[Path(env["DOCKER_CONFIG"], _PLUGINS, _BUILDX)] = self.plugin
        writable = [path for path in (self.socket, writes) if path]
        return _words(self.bubblewrap, programs, env, cwd=cwd or Path("/"), reads=reads, writes=writable)


def for_git(env: Mapping[str, str], repository: Iterable[Path], cwd: Path) -> list[str]:
    """The prefix of a git command that may only read these directories; empty if bubblewrap is not available."""
    git = process.which("git")
    bubblewrap = _bubblewrap()
    return _words(bubblewrap, {_BIN / "git": Path(git)}, env, cwd=cwd, reads=repository) if git and bubblewrap else []


def for_filter(program: Path, env: Mapping[str, str]) -> list[str]:
    """The prefix of a command of this program that only reads its input; empty if bubblewrap is not available."""
    bubblewrap = _bubblewrap()
    return _words(bubblewrap, {program: Path(os.path.realpath(program))}, env, cwd=Path("/")) if bubblewrap else []


def kill_all_with(folder: Path) -> None:
    """Kill the sandboxes of a dead run that have this directory.

    The kernel kills them with their run. But if bubblewrap is killed when it has just started its own child, the child
    waits for it forever.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or it belongs to another user
            program, *words = (entry / "cmdline").read_text("utf-8", "surrogateescape").split("\0")
            if Path(program).name == PROGRAM and any(Path(word).is_relative_to(folder) for word in words):
                os.kill(int(entry.name), signal.SIGKILL)


def _words(
    bubblewrap: Path,
    programs: Mapping[Path, Path],
    env: Mapping[str, str],
    *,
    cwd: Path,
    reads: Iterable[Path] = (),
    writes: Iterable[Path] = (),
) -> list[str]:
    """`programs` maps paths inside to paths outside. All other paths are the same inside and outside."""
    visible = {path: path for path in (*reads, cwd) if path != Path("/")} | dict(programs)
    return [
        *(str(bubblewrap), *_ALONE),
        *(word for path in _LIBRARIES for word in _library(path)),
        *("--dev-bind", "/dev/null", "/dev/null", "--tmpfs", env["HOME"]),
        *(word for inside, outside in visible.items() for word in ("--ro-bind", str(outside), str(inside))),
        *(word for path in writes for word in ("--bind", str(path), str(path))),
        *("--setenv", "PATH", str(_BIN), "--chdir", str(cwd), "--"),
    ]


def _library(path: Path) -> tuple[str, ...]:
    if path.is_symlink():
        return "--symlink", str(path.readlink()), str(path)
    return ("--ro-bind", str(path), str(path)) if path.is_dir() else ()


def buildx() -> Path | None:
    """The buildx plugin that the user's docker would use for a build."""
    # Docker's own order. Docker Desktop and Homebrew put their directories into the user's settings. A relative one
    # would be looked up in the context, which may contain anything.
    settings = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    system = [f"/usr/{place}/docker/{_PLUGINS}" for place in _PLACES]
    places = [place for place in (str(settings / _PLUGINS), *_extra(settings), *system) if Path(place).is_absolute()]
    plugin = shutil.which(_BUILDX, path=os.pathsep.join(places))
    return Path(plugin) if plugin else None


def link_buildx(settings: Path) -> None:
    """Make buildx the only plugin of a client that has its settings in this directory, if it is installed."""
    (settings / _PLUGINS).mkdir(parents=True)
    if plugin := buildx():
        (settings / _PLUGINS / _BUILDX).symlink_to(plugin)


def _extra(settings: Path) -> list[str]:
    """The plugin directories that the user's docker is told to look in."""
    try:
        folders = json.loads((settings / "config.json").read_bytes())["cliPluginsExtraDirs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # none are set, or docker cannot read the file either
    return [folder for folder in folders if isinstance(folder, str)] if isinstance(folders, list) else []


def of(socket: Path) -> Sandbox | None:
    """The sandbox for docker's client, or None if bubblewrap is missing or does not work here."""
    docker = process.which("docker")
    if docker is None or (bubblewrap := _bubblewrap()) is None:
        return None
    return Sandbox(bubblewrap, socket, Path(os.path.realpath(docker)), buildx())


def _bubblewrap() -> Path | None:
    program = process.which(PROGRAM)
    return Path(program) if program and not obstacle() else None


@functools.cache
def obstacle() -> str:
    """What bubblewrap says if it cannot create a sandbox here, or "" if it can."""
    # The kernel, or a container that this runs in, may forbid namespaces, so try it once.
    trial = (PROGRAM, *_ALONE, "--ro-bind", "/", "/", "true")
    try:
        done = process.run(trial, env={"PATH": process.search_path()}, deadline=10)
    except CannotMeasureError as error:
        return error.what
    return done.last_lines(3) or f"{PROGRAM} exits with {done.exit}" if done.exit else ""
