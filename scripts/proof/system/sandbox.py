"""A bubblewrap sandbox for docker's client and for git: they see only the files that they need.

docker and buildx read untrusted files, and start other programs of the host on their own: git in a context that looks
like a repository, credential helpers, plugins. The sandbox contains no other programs, and no network, home directory
or capabilities. Only the engine's socket is writable. https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.system import process

PROGRAM = "bwrap"
_ALONE = ("--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL")
_BIN = Path("/usr/bin")
# The directories where docker looks for plugins.
_PLACES = ("local/lib", "local/libexec", "lib", "libexec")
_PLUGINS = tuple(Path("/usr", place, "docker/cli-plugins") for place in _PLACES)
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
            programs[_PLUGINS[-1] / self.plugin.name] = self.plugin
        writable = [path for path in (self.socket, writes) if path]
        return _words(self.bubblewrap, programs, env, cwd=cwd or Path("/"), reads=reads, writes=writable)


def for_git(env: Mapping[str, str], repository: Iterable[Path], cwd: Path) -> list[str]:
    """The prefix of a git command that may only read these directories; empty if bubblewrap is not available."""
    git = shutil.which("git", path=process.search_path())
    bubblewrap = _bubblewrap()
    return _words(bubblewrap, {_BIN / "git": Path(git)}, env, cwd=cwd, reads=repository) if git and bubblewrap else []


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
    """The buildx plugin that docker would use for a build."""
    places = (Path.home() / ".docker/cli-plugins", *_PLUGINS)
    return next((path for place in places if (path := place / "docker-buildx").is_file()), None)


def of(socket: Path) -> Sandbox | None:
    """The sandbox for docker's client, or None if bubblewrap is missing or does not work here."""
    docker = shutil.which("docker", path=process.search_path())
    if docker is None or (bubblewrap := _bubblewrap()) is None:
        return None
    return Sandbox(bubblewrap, socket, Path(os.path.realpath(docker)), buildx())


@functools.cache
def _bubblewrap() -> Path | None:
    if (found := shutil.which(PROGRAM, path=process.search_path())) is None:
        return None
    # The kernel, or a container that this runs in, may forbid namespaces, so try it once.
    trial = (found, *_ALONE, "--ro-bind", "/", "/", "true")
    try:
        works = process.run(trial, env={"PATH": process.search_path()}, deadline=10).exit == 0
    except CannotMeasureError:
        works = False
    return Path(found) if works else None
