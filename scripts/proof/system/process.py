"""Starts all other programs. No other module does.

Every command has a time limit and a limit on its output, and gets exactly the environment that is passed. It runs in
its own process group, which is always killed as a whole.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from proof.core.errors import CannotMeasureError, DeadlineError

_log = logging.getLogger(__name__)
OUTPUT_CAP = 4_000_000  # bytes; real transcripts have up to about 20 kB
_LONG = 500  # characters; longer lines are cut in error messages
_DRAIN = 5.0  # seconds to read the remaining output once the group is killed
# The running commands, and whether to end them all: see `ending_all`.
_running: set[subprocess.Popen[bytes]] = set()
_ending = threading.Event()
# The thread that starts all services. `setpriv --pdeathsig` kills a service when its starting thread ends.
_STARTER = ThreadPoolExecutor(1)


@dataclass(frozen=True)
class Completed:
    """A finished command."""

    argv: tuple[str, ...]
    exit: int
    output: bytes  # standard output, with standard error merged if the caller asked for it
    errors: bytes  # standard error, empty if merged
    seconds: float  # wall clock

    def text(self) -> str:
        """The output as text, with U+FFFD for bytes that are not UTF-8."""
        return self.output.decode("utf-8", "replace")

    def last_lines(self, count: int = 10) -> str:
        """The last lines of the output, for an error message."""
        return _last_lines(self.output + self.errors, count)


def _last_lines(output: bytes, count: int = 10) -> str:
    lines = output.decode("utf-8", "replace").rstrip().splitlines()[-count:]
    return "\n".join(line if len(line) <= _LONG else f"{line[:_LONG]} …" for line in lines)


def search_path() -> str:
    """The user's PATH, and the directories of dockerd and setpriv, which are not on every root's PATH.

    Relative directories are dropped: commands run in a copy of the context, which may contain a file called `docker`.
    """
    own = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    return os.pathsep.join((*own, "/usr/sbin", "/sbin"))


def which(program: str) -> str | None:
    """The path of the program, if it is installed here."""
    return shutil.which(program, path=search_path())


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    deadline: float = 60,
    merge: bool = False,
    memory: int | None = None,
    sandbox: Sequence[str] = (),
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> Completed:
    """Run `argv` to its end and return its output.

    `deadline` is in seconds. `merge` interleaves standard error into the output, as a terminal would show it. `memory`
    is the limit in bytes for each of its processes (on Linux only). `sandbox` is a prefix of the command that confines
    it, and is left out of messages.
    When a `docker run` client is killed, its container keeps running. The caller has to stop it.

    Raises DeadlineError after the deadline, and CannotMeasureError if the program is missing or prints more than
    OUTPUT_CAP bytes.
    """
    started = time.monotonic()
    stderr = subprocess.STDOUT if merge else subprocess.PIPE
    limit = [] if memory is None else _if_installed("prlimit", f"--data={memory}", "--")
    process = _start(argv, env=env, cwd=cwd, stderr=stderr, before=[*limit, *sandbox], stdin=stdin)
    readers = [_Reader(process, pipe) for pipe in (process.stdout, process.stderr) if pipe]
    try:
        timed_out = not _ended(process, deadline)
    finally:  # above all after Ctrl-C: no process may be left running
        _finish(process, readers)
    output, errors = [*(bytes(reader.content) for reader in readers), b""][:2]
    code = process.returncode if process.returncode is not None else -signal.SIGKILL
    done = Completed(tuple(argv), code, output, errors, time.monotonic() - started)
    _log.info("%s ended with %d after %.1f s", argv[0], code, done.seconds)
    if any(reader.overflowed for reader in readers):
        raise CannotMeasureError(
            f"`{shlex.join(argv)}` printed more than {OUTPUT_CAP:,} bytes and was killed",
            evidence=done.last_lines(3),
            hint="make the command print less",
        )
    if timed_out:
        raise DeadlineError(
            f"`{shlex.join(argv)}` ran longer than {deadline:g} s and was killed",
            evidence=done.last_lines(),
            hint="if it is slow and not stuck, raise the step's `timeout` or pass --timeout",
        )
    return done


@contextlib.contextmanager
def ending_all() -> Iterator[None]:
    """During the block, kill all commands that threads run or start, and raise KeyboardInterrupt in these threads."""
    _ending.set()
    for process in tuple(_running):
        _kill_group(process)
    try:
        yield
    finally:
        _ending.clear()


def is_ending() -> bool:
    """Whether `ending_all` is active. Code that waits without running a command has to check this."""
    return _ending.is_set()


@contextlib.contextmanager
def stream(
    argv: Sequence[str], *, env: Mapping[str, str], deadline: float = 600, sandbox: Sequence[str] = ()
) -> Iterator[IO[bytes]]:
    """The standard output of `argv` as a file to read from, for output that is too large for memory.

    Raises CannotMeasureError if the command fails, and DeadlineError if it takes longer than `deadline` seconds. Either
    replaces the exception that a reader of the truncated output may have raised.
    """
    process = _start(argv, env=env, cwd=None, stderr=subprocess.PIPE, before=sandbox)
    until = time.monotonic() + deadline
    timer = threading.Timer(deadline, _kill_group, [process])
    timer.daemon = True
    timer.start()
    assert process.stdout is not None
    assert process.stderr is not None
    errors = _Reader(process, process.stderr)  # an unread full pipe would block the command
    broken: Exception | None = None
    try:
        yield process.stdout
        while process.stdout.read(65536):
            pass  # a reader of an archive may stop before the end of the stream
        process.wait()
    except Exception as error:  # noqa: BLE001 - raised again below, unless the command itself failed
        broken = error
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    finally:
        timer.cancel()
        code = process.poll()
        _finish(process, [errors])
    if code and time.monotonic() >= until:
        raise DeadlineError(f"`{shlex.join(argv)}` ran longer than {deadline:g} s and was killed") from broken
    if code:
        raise CannotMeasureError(
            f"`{shlex.join(argv)}` failed with {code}", evidence=_last_lines(bytes(errors.content))
        ) from broken
    if broken:
        raise broken


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], log: Path, keep_open: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a service in its own session, with its output in the file `log`. The caller stops it with `end`.

    It inherits the file descriptors `keep_open`, so that it holds their locks as long as it lives.
    """
    _log.info("starting the service %s", shlex.join(argv))
    with log.open("wb") as out:
        starting = _STARTER.submit(
            subprocess.Popen,
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
        return starting.result()


def end(process: subprocess.Popen[bytes], *, grace: float) -> None:
    """Send SIGTERM to the group of `process`, and SIGKILL after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    if not _ended(process, grace):
        _kill_group(process)


def end_group(pid: int, *, grace: float) -> None:
    """Like `end`, for a process group whose leader is not a child of this process."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        until = time.monotonic() + grace
        while time.monotonic() < until:
            os.killpg(pid, 0)
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)


def _start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    stderr: int,
    before: Sequence[str],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    # If the tool itself is killed, the kernel kills the command (on Linux only).
    _log.info("starting %s", shlex.join(argv))
    guard = [*_if_installed("setpriv", "--pdeathsig", "KILL"), *before]
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        guard = []  # so that the error below names this program
    try:
        process = subprocess.Popen(
            [*guard, *argv],
            bufsize=0,  # a buffered pipe cannot be closed while a thread reads from it
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and error.filename == argv[0]
        why = "is not installed here" if missing else f"cannot be started: {error}"
        raise CannotMeasureError(f"`{argv[0]}` {why}", hint=f"install {argv[0]}" if missing else "") from error
    _running.add(process)
    if _ending.is_set():
        _kill_group(process)
    return process


def _if_installed(program: str, *words: str) -> list[str]:
    """A command with the full path of its program, or nothing if it is missing. A client's PATH may not include it."""
    path = which(program)
    return [path, *words] if path else []


class _Reader(threading.Thread):
    """Reads a pipe of a process to its end. After OUTPUT_CAP bytes it kills the process's group and stops."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._process, self._pipe = process, pipe
        self.content, self.overflowed = bytearray(), False
        self.start()

    def run(self) -> None:
        # A process that left the group can keep the pipe open. Then the pipe is closed while this thread reads.
        with contextlib.suppress(OSError, ValueError):
            while chunk := self._pipe.read(65536):
                if len(self.content) + len(chunk) > OUTPUT_CAP:
                    self.overflowed = True
                    _kill_group(self._process)
                    return
                self.content.extend(chunk)


def _finish(process: subprocess.Popen[bytes], readers: Sequence[_Reader]) -> None:
    """Kill what is left of a command, and forget it. Raises KeyboardInterrupt if `ending_all` is active."""
    # A child that outlived its parent can keep the pipes open, so kill the group before joining the readers.
    _kill_group(process)
    for reader in readers:
        reader.join(timeout=_DRAIN)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    _running.discard(process)
    if _ending.is_set():
        raise KeyboardInterrupt


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for the process, at most `deadline` seconds. Returns whether it ended.

    `Popen.wait` with a deadline would poll every 50 ms, which adds up.
    """
    waiting = threading.Thread(target=process.wait, daemon=True)
    waiting.start()
    waiting.join(deadline)
    return not waiting.is_alive()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The group can outlive its leader, so it gets the signal even if the leader has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
