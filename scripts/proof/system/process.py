"""The only place that starts a process.

Every call has a deadline and a cap on its output, runs in a process group of its own that is ended as a whole,
and gets exactly the environment that it is given.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from proof.core.errors import CannotMeasureError, DeadlineError

OUTPUT_CAP = 4_000_000  # bytes; the longest honest transcript seen is about 20 kB
_LONG = 500  # characters of a line in an error message
_DRAIN = 5.0  # seconds for the last output to arrive once the group is gone
# What is being run, and whether all of it is to end: see `ending_all`.
_running: set[subprocess.Popen[bytes]] = set()
_ending = threading.Event()


@dataclass(frozen=True)
class Completed:
    """One finished command."""

    argv: tuple[str, ...]
    exit: int
    output: bytes  # standard output, with standard error mixed in where the call merged them
    errors: bytes  # standard error, empty where merged
    seconds: float  # wall clock

    def text(self) -> str:
        """The output as text; bytes that are no UTF-8 become U+FFFD."""
        return self.output.decode("utf-8", "replace")

    def last_lines(self, count: int = 10) -> str:
        """The end of what it printed, for an error message."""
        return _last_lines(self.output + self.errors, count)


def _last_lines(output: bytes, count: int = 10) -> str:
    lines = output.decode("utf-8", "replace").rstrip().splitlines()[-count:]
    return "\n".join(line if len(line) <= _LONG else f"{line[:_LONG]} …" for line in lines)


def search_path() -> str:
    """The user's own, and where dockerd and setpriv are, which not every root has on it.

    Without what is relative: commands run in a copy of the context, where a file called `docker` may lie.
    """
    own = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    return os.pathsep.join((*own, "/usr/sbin", "/sbin"))


def shell_words(argv: Sequence[str]) -> str:
    """The command as one would type it."""
    return shlex.join(argv)


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    deadline: float = 60,
    merge: bool = False,
    memory: int | None = None,
    sandbox: Sequence[str] = (),
) -> Completed:
    """Run `argv` to its end and return what it printed.

    `deadline` is in seconds. `merge` interleaves standard error into the output as a terminal would show it. `memory`
    is how many bytes each of its processes may have, where there is a way to say so (Linux). `sandbox` are the words
    before it that confine it; no message shows them.
    A killed `docker run` client leaves its container running: whoever named that ends it too.

    Raises DeadlineError past the deadline, CannotMeasureError where the program is missing or prints over
    OUTPUT_CAP bytes.
    """
    started = time.monotonic()
    stderr = subprocess.STDOUT if merge else subprocess.PIPE
    process = _start(argv, env=env, cwd=cwd, stderr=stderr, before=[*_limit(memory), *sandbox])
    chunks: dict[str, bytearray] = {"output": bytearray(), "errors": bytearray()}
    overflow = threading.Event()

    def stop() -> None:
        overflow.set()
        _kill_group(process)

    assert process.stdout is not None
    threads = [_drain(process.stdout, chunks["output"], stop)]
    if process.stderr is not None:
        threads.append(_drain(process.stderr, chunks["errors"], stop))
    timed_out = True
    try:
        timed_out = not _ended(process, deadline)
    except BaseException:  # Ctrl-C above all: nothing of ours may stay behind
        _kill_group(process)
        raise
    finally:
        # A child that outlived its parent can hold the pipes open: end the group before the readers are joined.
        _kill_group(process)
        for thread in threads:
            thread.join(timeout=_DRAIN)
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()
        _over(process)
    done = Completed(
        tuple(argv),
        process.returncode if process.returncode is not None else -signal.SIGKILL,
        bytes(chunks["output"]),
        bytes(chunks["errors"]),
        time.monotonic() - started,
    )
    if overflow.is_set():
        raise CannotMeasureError(
            f"`{shell_words(argv)}` printed more than {OUTPUT_CAP:,} bytes and was ended",
            evidence=done.last_lines(3),
            hint="make the command print less",
        )
    if timed_out:
        raise DeadlineError(
            f"`{shell_words(argv)}` ran longer than {deadline:g} s and was ended",
            evidence=done.last_lines(),
            hint="give the step a longer `timeout`, or pass --timeout, if it is slow and not stuck",
        )
    return done


@contextlib.contextmanager
def ending_all() -> Iterator[None]:
    """Within this block every command that a thread runs or begins ends at once, and is a KeyboardInterrupt there."""
    _ending.set()
    for process in tuple(_running):
        _kill_group(process)
    try:
        yield
    finally:
        _ending.clear()


def is_ending() -> bool:
    """Whether all that runs is being ended: what starts no command has to look for itself."""
    return _ending.is_set()


def _over(process: subprocess.Popen[bytes]) -> None:
    """The command is over; KeyboardInterrupt where it was not by itself."""
    _running.discard(process)
    if _ending.is_set():
        raise KeyboardInterrupt


@contextlib.contextmanager
def stream(
    argv: Sequence[str], *, env: Mapping[str, str], deadline: float = 600, sandbox: Sequence[str] = ()
) -> Iterator[IO[bytes]]:
    """Standard output of `argv` as a file to read from: for output too large to hold in memory.

    Raises CannotMeasureError if the command fails, DeadlineError if it takes longer than `deadline` seconds: either
    one in place of what a reader made of the output that was cut short.
    """
    process = _start(argv, env=env, cwd=None, stderr=subprocess.PIPE, before=sandbox)
    late = threading.Event()

    def expire() -> None:
        late.set()
        _kill_group(process)

    timer = threading.Timer(deadline, expire)
    timer.daemon = True
    timer.start()
    assert process.stdout is not None
    assert process.stderr is not None
    errors = bytearray()
    reader = _drain(process.stderr, errors, lambda: _kill_group(process))  # unread, a full pipe stops the command
    broken: Exception | None = None
    try:
        yield process.stdout
        while process.stdout.read(65536):
            pass  # a reader may stop at the end of the archive, before the end of the stream
        process.wait()
    except Exception as error:  # noqa: BLE001 - raised again below, unless the command itself failed
        broken = error
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    finally:
        timer.cancel()
        code = process.poll()
        _kill_group(process)
        reader.join(timeout=_DRAIN)
        process.stdout.close()
        process.stderr.close()
        _over(process)
    if late.is_set():
        raise DeadlineError(f"`{shell_words(argv)}` ran longer than {deadline:g} s and was ended") from broken
    if code:
        raise CannotMeasureError(
            f"`{shell_words(argv)}` failed with {code}", evidence=_last_lines(bytes(errors))
        ) from broken
    if broken:
        raise broken


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], log: Path, keep_open: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own, its output in `log`; the caller ends it with `end`.

    `keep_open` are file descriptors that it inherits: a lock is held as long as the service lives.
    """
    with log.open("wb") as out:
        starting = _starter().submit(
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


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """The thread that starts services: one guarded by `setpriv --pdeathsig` ends with the thread that started it."""
    return ThreadPoolExecutor(1)


def end(process: subprocess.Popen[bytes], *, grace: float) -> None:
    """Ask the group of `process` to stop, and kill it after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        _kill_group(process)


def end_group(pid: int, *, grace: float) -> None:
    """Ask a group that is no child of ours any more to stop, and kill it after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        until = time.monotonic() + grace
        while time.monotonic() < until:
            os.killpg(pid, 0)
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)


def _start(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None, stderr: int, before: Sequence[str]
) -> subprocess.Popen[bytes]:
    # Killed itself, the tool could end nothing: the kernel does it then, where there is a way to tell it (Linux).
    guard = [*_found("setpriv", "--pdeathsig", "KILL"), *before]
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        guard = []  # so that it is this program that is missed below
    try:
        process = subprocess.Popen(
            [*guard, *argv],
            bufsize=0,  # a buffered pipe cannot be closed while a thread waits in it
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and error.filename == argv[0]
        why = "is not installed here" if missing else f"cannot be started: {error}"
        raise CannotMeasureError(f"`{argv[0]}` {why}", hint="scripts/bootstrap") from error
    _running.add(process)
    if _ending.is_set():
        _kill_group(process)
    return process


def _limit(memory: int | None) -> list[str]:
    """The words before a command that limit the memory of each of its processes, in bytes."""
    return _found("prlimit", f"--data={memory}", "--") if memory is not None else []


def _found(program: str, *words: str) -> list[str]:
    """A command by the whole path of its program, which a client's PATH need not have; nothing where it is missing."""
    path = shutil.which(program, path=search_path())
    return [path, *words] if path else []


def _drain(stream: IO[bytes], into: bytearray, overflow: Callable[[], object]) -> threading.Thread:
    """Read `stream` to its end in a thread; past OUTPUT_CAP, call `overflow` and stop."""

    def read() -> None:
        # A process that left the group can hold the pipe past the end: then it is closed under this thread.
        with contextlib.suppress(OSError, ValueError):
            while chunk := stream.read(65536):
                if len(into) + len(chunk) > OUTPUT_CAP:
                    overflow()
                    return
                into.extend(chunk)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Whether it ends within so many seconds, told at once: `Popen.wait` looks every 50 ms, and a check waits often."""
    try:
        told = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an older one
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=deadline)
        return process.returncode is not None
    try:
        poll = select.poll()
        poll.register(told, select.POLLIN)
        ended = bool(poll.poll(deadline * 1000))
    finally:
        os.close(told)
    if ended:
        process.wait()
    return ended


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The group can outlive its leader, so it is signalled even when the leader has been waited for.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
