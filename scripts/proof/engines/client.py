"""Runs the command line of an engine, in a fixed environment and a sandbox, and tells whether the engine was lost."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from proof.core.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.engines import api
from proof.engines.failures import full, is_full
from proof.system import process
from proof.system.sandbox import Sandbox, for_filter

BULK = 600.0  # seconds, for loading and saving images
_QUERY = 30.0  # seconds: a live engine answers in a tenth of that, a stopped daemon never
_ANSWER = 10.0  # seconds for an engine to say that it is there
# Memory limit of a docker client or a filter, in bytes. 30 MB are usual, but a `--format` can allocate without end.
MEMORY = 1 << 30


@dataclass(frozen=True)
class Client:
    """The command line of one engine."""

    program: str
    env: dict[str, str]  # the whole environment of every command; nothing is inherited from the user's
    sandbox: Sandbox | None = None  # that commands run in, if one is possible
    memory: int | None = MEMORY  # bytes that each command may use; None for no limit
    socket: Path | None = None  # of a private engine, which can be asked without a client
    starts: Callable[[], int] = lambda: 0  # how often a private engine has been started so far

    def call(
        self, *words: str, deadline: float = _QUERY, check: bool = True, reads: Sequence[Path] = ()
    ) -> process.Completed:
        """Run one command of the engine. Raises CannotMeasureError if it fails and `check` is set."""
        done = self.run([self.program, *words], deadline=deadline, reads=reads)
        if check and done.exit != 0:
            if is_full(done.last_lines()):
                raise full(done)
            raise CannotMeasureError(f"`{shlex.join(done.argv)}` failed with {done.exit}", evidence=done.last_lines())
        return done

    def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        cwd: Path | None = None,
        merge: bool = False,
        reads: Sequence[Path] = (),
        writes: Path | None = None,
    ) -> process.Completed:
        """Run a client of the engine as `process.run` does. It sees only `cwd`, `reads` and `writes` of the host.

        Raises EngineLostError if the engine is gone or hangs: a failure that it caused says nothing about the snippet.
        To find out, the engine is asked. What was printed is no evidence: a program can print anything.
        """
        starts = self.starts()
        sandbox = self._sandbox(cwd, reads, writes)
        try:
            done = process.run(
                argv, env=self.env, cwd=cwd, deadline=deadline, merge=merge, memory=self.memory, sandbox=sandbox
            )
        except DeadlineError as error:
            if self.alive():
                raise
            raise _lost(argv, error.evidence) from error
        # An engine that answers again may still have been lost: another snippet may have restarted it meanwhile.
        if done.exit != 0 and (self.starts() != starts or not self.alive()):
            raise _lost(argv, done.last_lines(3))
        return done

    @contextmanager
    def stream(self, *words: str) -> Iterator[IO[bytes]]:
        """The output of a command of the engine, as a file to read from."""
        argv = [self.program, *words]
        try:
            with process.stream(argv, env=self.env, deadline=BULK, sandbox=self._sandbox()) as out:
                yield out
        except CannotMeasureError as error:
            if self.alive():
                raise
            raise _lost(argv, error.evidence) from error

    def alive(self) -> bool:
        """True if the engine answers."""
        try:
            if self.socket:
                return api.ask(self.socket, "GET", "/_ping", deadline=_ANSWER).status == 200
            version = process.run([self.program, "version"], env=self.env, deadline=_ANSWER, sandbox=self._sandbox())
        except (OSError, CannotMeasureError):
            return False
        return version.exit == 0

    def _sandbox(self, cwd: Path | None = None, reads: Sequence[Path] = (), writes: Path | None = None) -> list[str]:
        return self.sandbox.words(self.env, cwd=cwd, reads=reads, writes=writes) if self.sandbox else []


def _lost(argv: Sequence[str], evidence: str) -> EngineLostError:
    return EngineLostError(
        f"the engine was lost during `{shlex.join(argv)}`: it does not answer",
        evidence=evidence,
        hint="run the command again; if the engine is your own, start it first",
    )


def run_filter(argv: Sequence[str], given: bytes, env: Mapping[str, str]) -> process.Completed:
    """Run a filter such as `head -3`, a program of this machine that sees nothing but what it is given."""
    program = process.which(argv[0])
    if program is None:
        raise CannotMeasureError(f"`{argv[0]}` is not installed here")
    sandbox = for_filter(Path(program), env)
    words = [program, *argv[1:]]
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given)
        stdin.seek(0)
        return process.run(words, env=env, deadline=_QUERY, merge=True, memory=MEMORY, sandbox=sandbox, stdin=stdin)


def environment(home: Path, platform: str, programs: Sequence[str] = ("docker",)) -> dict[str, str]:
    """The environment of every command. It is fixed: output is the same everywhere, and no secret can get into it.

    Of all programs on the tool's path, a client finds only `programs`: no credential helpers, and no git, which docker
    would run in the context. They are linked into `home`, a directory that belongs to this run.
    """
    return {
        "PATH": link(programs, home / "bin"),
        "HOME": str(home),
        "DOCKER_CONFIG": str(home / ".docker"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "DOCKER_BUILDKIT": "1",  # without buildx, an older client would fall back to the legacy builder
        "DOCKER_CLI_HINTS": "false",
        "DOCKER_DEFAULT_PLATFORM": platform,
        "BUILDKIT_PROGRESS": "plain",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        # buildx runs git in the context, and a repository there can make git run any command. In case a client finds
        # git in spite of PATH, these settings keep it from reading any repository.
        "BUILDX_GIT_INFO": "0",
        "GIT_DIR": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.bareRepository",
        "GIT_CONFIG_VALUE_0": "explicit",
    }


def link(programs: Iterable[str], folder: Path) -> str:
    """Link those of these programs that are installed into `folder`, and no others. Returns it as a value for PATH."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():  # another version of the tool may have linked more
        old.unlink()
    for program in programs:
        if path := process.which(program):
            # The file itself: a private engine has no other link that may lead to it.
            (folder / program).symlink_to(Path(path).resolve())
    return str(folder)
