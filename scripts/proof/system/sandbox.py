"""Where docker's client runs: with a view of the file system that holds what it needs and nothing else.

docker and buildx read files that a stranger wrote, and start other programs of the host by themselves: git in a context
that looks like a repository, credential helpers, plugins. In here there is no other program to start, no network, no
home, no capability, and nothing to write to but the socket of the engine. https://github.com/containers/bubblewrap
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
# Where docker looks for plugins.
_PLACES = ("local/lib", "local/libexec", "lib", "libexec")
_PLUGINS = tuple(Path("/usr", place, "docker/cli-plugins") for place in _PLACES)
_LIBRARIES = tuple(Path(path) for path in ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"))


@dataclass(frozen=True)
class Sandbox:
    """For the clients of one engine."""

    bubblewrap: Path  # the program
    socket: Path  # of the engine
    docker: Path  # the program
    plugin: Path | None  # buildx, which docker starts for a build

    def words(
        self, env: Mapping[str, str], *, cwd: Path | None, reads: Iterable[Path] = (), writes: Path | None = None
    ) -> list[str]:
        """The words before a command that have it run in here.

        `reads` are files and directories that it may read besides its working directory, `writes` is a directory that
        it may write to. All of them have the same paths in here as outside.
        """
        programs = {_BIN / "docker": self.docker}
        if self.plugin:
            programs[_PLUGINS[-1] / self.plugin.name] = self.plugin
        writable = [path for path in (self.socket, writes) if path]
        return _words(self.bubblewrap, programs, env, cwd=cwd or Path("/"), reads=reads, writes=writable)


def for_git(env: Mapping[str, str], repository: Iterable[Path], cwd: Path) -> list[str]:
    """The words before a git that reads these directories and can do nothing else; none without bubblewrap."""
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
    """`programs` are by where they are seen, and everything else is seen where it is."""
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
    """The plugin that docker would start for a build."""
    places = (Path.home() / ".docker/cli-plugins", *_PLUGINS)
    return next((path for place in places if (path := place / "docker-buildx").is_file()), None)


def of(socket: Path) -> Sandbox | None:
    """The sandbox for docker's client, or None where bubblewrap is missing or may not do its work."""
    docker = shutil.which("docker", path=process.search_path())
    if docker is None or (bubblewrap := _bubblewrap()) is None:
        return None
    return Sandbox(bubblewrap, socket, Path(os.path.realpath(docker)), buildx())


@functools.cache
def _bubblewrap() -> Path | None:
    if (found := shutil.which(PROGRAM, path=process.search_path())) is None:
        return None
    # A kernel, or a container around us, can forbid namespaces: better known now than from each command.
    trial = (found, *_ALONE, "--ro-bind", "/", "/", "true")
    try:
        works = process.run(trial, env={"PATH": process.search_path()}, deadline=10).exit == 0
    except CannotMeasureError:
        works = False
    return Path(found) if works else None
