"""What the tool asks of a container engine, as docker and podman command lines.

All that differs between engines is here. What the tool makes in an engine carries a prefix, which is taken out of the
output again: in an engine of the user's own a reserved one, so that nothing of theirs is touched; in a private one
another for each snippet, so that several can run side by side although they call their images alike.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from proof.core.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.engines import overlay_store
from proof.engines.journal import Journal
from proof.snippets.commands import familiar
from proof.system import process
from proof.system.keyed_lock import KeyedLock
from proof.system.sandbox import Sandbox

Kind = Literal["docker", "podman"]

_QUERY = 30.0  # seconds: no question to a live engine takes a tenth of it, and a stopped daemon never answers
_BULK = 600.0  # seconds, for loading and saving images
# Bytes of a client of docker's: 30 MB are usual, and a `--format` can ask for all that there is. Podman is no client.
_CLIENT = 1 << 30
_STARVED = re.compile(rb"fatal error: .*(?:out of|cannot allocate) memory")
# Printed by runc when the process that was to become the container is gone before it ran anything, `run` in a build and
# `create` else: seen once in some thousand starts, on a machine with all its memory free.
_NOT_STARTED = re.compile(
    r"runc (?:run|create) failed: unable to start container process: waiting for init preliminary setup"
)
_FULL = "no space left on device"
_ENOUGH_ROOM = 1 << 30  # bytes: with as much room on its disk as this an engine is not full, whatever a program prints
_IMAGE_TABLE = "REPOSITORY "  # how the table of images begins
T = TypeVar("T")


@dataclass(frozen=True)
class EngineInfo:
    """What the engine says of itself; shown to readers, and never compared."""

    kind: Kind
    version: str
    builder: str  # buildx's version, or the engine's own
    image_store: str  # `overlay2` (classic) or `containerd`
    filesystem: str  # below the image store
    platform: str  # of what it builds and runs here
    private: bool


@dataclass(frozen=True)
class Engine:
    """A reachable engine, and the environment in which its commands run."""

    kind: Kind
    env: dict[str, str]  # the whole environment of every command: nothing of the user's comes in
    platform: str
    shared: bool = False  # one of the user's own, with images of theirs in it
    prefix: str = ""  # of every image made here
    bases: frozenset[str] = frozenset()  # what bears no prefix: the bases of a private engine, which all snippets use
    journal: Journal | None = None  # what this run makes in it
    restart: Callable[[], object] | None = None  # starts a private engine again that was lost
    group: str = ""  # the control group of its containers, of a private engine
    data: Path | None = None  # where it keeps its images, of a private engine with docker's own store
    builds: KeyedLock = field(default_factory=KeyedLock)  # those that have steps in common are not run at once
    sandbox: Sandbox | None = None  # in which its clients run, where there can be one
    disk: Path | None = None  # a directory on the disk that its images are on, where that is known
    starts: Callable[[], int] = lambda: 0  # how often a private engine was started so far
    supports_labels: bool = False  # whether the steps of a build, which podman keeps as images, can be marked as ours

    @property
    def private(self) -> bool:
        """Whether it is ours alone."""
        return not self.shared

    def for_snippet(self, bases: Iterable[str]) -> Engine:
        """The engine as one snippet sees it, which uses these bases: nobody else has the names that it gives."""
        if self.shared:
            return self  # its prefix is this run's alone, and no two snippets are run in it at once
        return replace(self, prefix=new_prefix(), bases=frozenset(familiar(base) for base in bases))

    def scoped_name(self, image: str) -> str:
        """The name under which this engine holds `image`."""
        name = image if familiar(image) in self.bases else f"{self.prefix}{image}"
        return f"localhost/{name}" if self.kind == "podman" else name

    def displayed(self, output: str) -> str:
        """Output with the prefix taken out: what a reader's own engine would print."""
        if self.kind == "podman":
            output = output.replace("localhost/", "")
        if self.prefix and self.prefix in output:
            output = output.replace(f"docker.io/{self.prefix}", "docker.io/library/")
            table = output.startswith(_IMAGE_TABLE)
            output = strip_prefix(output, self.prefix) if table else output.replace(self.prefix, "")
        return output

    def call(
        self, *words: str, deadline: float = _QUERY, check: bool = True, reads: Sequence[Path] = ()
    ) -> process.Completed:
        """Run one command of the engine; CannotMeasureError where it fails and `check` is on."""
        done = self.run([self.kind, *words], deadline=deadline, reads=reads)
        if check and done.exit != 0:
            if is_full(done.last_lines()):
                raise self.full(done)
            raise CannotMeasureError(
                f"`{process.shell_words(done.argv)}` failed with {done.exit}", evidence=done.last_lines()
            )
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
        """Run a client of the engine as `process.run` does; of the host it sees its `cwd`, `reads` and `writes`.

        Raises EngineLostError where the engine is gone or hangs: a command that it failed says nothing of any number.
        The engine's own state tells, never what was printed: a program can print anything.
        """
        starts = self.starts()
        memory = _CLIENT if self.kind == "docker" else None
        sandbox = self._sandbox(cwd, reads, writes)
        try:
            done = process.run(
                argv, env=self.env, cwd=cwd, deadline=deadline, merge=merge, memory=memory, sandbox=sandbox
            )
        except DeadlineError as error:
            if self.alive():
                raise
            raise self._lost(process.shell_words(argv), error.evidence) from error
        # One that is back by now was lost all the same: another snippet had it started again.
        if done.exit != 0 and (self.starts() != starts or not self.alive()):
            raise self._lost(process.shell_words(argv), done.last_lines(3))
        return done

    def _sandbox(self, cwd: Path | None = None, reads: Sequence[Path] = (), writes: Path | None = None) -> list[str]:
        return self.sandbox.words(self.env, cwd=cwd, reads=reads, writes=writes) if self.sandbox else []

    def retry_if_lost(self, act: Callable[[], T]) -> T:
        """What `act` returns; a private engine that is lost meanwhile is started again, and `act` called once more."""
        try:
            return act()
        except EngineLostError:
            if self.restart is None:
                raise
        self.restart()
        return act()

    def _lost(self, command: str, evidence: str) -> EngineLostError:
        return EngineLostError(
            f"the engine was lost during `{command}`: it does not answer",
            evidence=evidence,
            hint="see that it runs, then run the same again" if self.shared else "run the same again",
        )

    def has_room(self) -> bool:
        """Whether its disk is known to have room: then a program that says that there is none means another one."""
        return self.disk is not None and shutil.disk_usage(self.disk).free > _ENOUGH_ROOM

    def full(self, done: process.Completed) -> CannotMeasureError:
        """A command failed because the engine has no room left."""
        return CannotMeasureError(
            f"the disk of the engine is full, in `{process.shell_words(done.argv)}`",
            evidence="\n".join(line for line in done.last_lines(50).splitlines() if is_full(line)),
            hint="free some space" if self.shared else "free some space, or PROOF_CACHE=/a/folder/with/room",
        )

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            version = process.run([self.kind, "version"], env=self.env, deadline=10, sandbox=self._sandbox())
        except CannotMeasureError:
            return False
        return version.exit == 0

    def info(self) -> EngineInfo:
        """Ask what it is."""
        if self.kind == "podman":
            data = self._json("info", "--format", "json")
            store = data["store"]
            return EngineInfo(
                kind="podman",
                version=data["version"]["Version"],
                builder=f"buildah {data['host'].get('buildahVersion', '?')}",
                image_store=store["graphDriverName"],
                filesystem=store.get("graphStatus", {}).get("Backing Filesystem", "?"),
                platform=self.platform,
                private=self.private,
            )
        data = self._json("info", "--format", "{{json .}}")
        status = dict(data.get("DriverStatus") or [])
        plugins = {p["Name"]: p.get("Version", "?") for p in data.get("ClientInfo", {}).get("Plugins") or []}
        return EngineInfo(
            kind="docker",
            version=data["ServerVersion"],
            builder=f"buildx {plugins.get('buildx', 'missing')}",
            image_store="containerd" if "driver-type" in status else data["Driver"],
            filesystem=status.get("Backing Filesystem", "?"),
            platform=self.platform,
            private=self.private,
        )

    def image_id(self, image: str) -> str | None:
        """The id of an image, or None where the engine has none of that name."""
        try:
            return overlay_store.image_id(self.data, familiar(self.scoped_name(image)))
        except overlay_store.NotInStoreError:  # of every engine but a private one, and where there is no such image
            return self._id_of(self.scoped_name(image))

    def diff_ids(self, image: str) -> tuple[str, ...]:
        """The layers of an image, the lowest first: SHA-256 of each, the same in every image that begins with it."""
        try:
            return overlay_store.diff_ids(
                self.data, overlay_store.image_id(self.data, familiar(self.scoped_name(image)))
            )
        except overlay_store.NotInStoreError:
            return tuple(self._json("image", "inspect", "--format", "{{json .RootFS.Layers}}", self.scoped_name(image)))

    def load(self, archive: Path) -> None:
        """Load an archive that carries its image under its local name."""
        self.call("load", "--quiet", "--input", str(archive), deadline=_BULK, reads=[archive])

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """`docker image save` as a stream."""
        words = ["--format", "docker-archive"] if self.kind == "podman" else []
        argv = [self.kind, "image", "save", *words, image]
        try:
            with process.stream(argv, env=self.env, deadline=_BULK, sandbox=self._sandbox()) as out:
                yield out
        except CannotMeasureError as error:
            if self.alive():
                raise
            raise self._lost(f"{self.kind} image save {image}", error.evidence) from error

    def remove(self, *, containers: Sequence[str] = (), images: Sequence[str] = ()) -> bool:
        """Remove these containers and images by name, and say whether all are gone; that some were is no failure."""
        gone = True
        if containers:
            gone = self.call("rm", "--force", "--volumes", *containers, deadline=120, check=False).exit == 0
        if images:
            gone = self.call("rmi", "--force", *images, deadline=120, check=False).exit == 0 and gone
        return gone

    def images(self) -> set[str]:
        """The ids of all images, those without a name too."""
        return set(self.call("image", "ls", "--all", "--quiet", "--no-trunc").text().split())

    def build_cache(self) -> dict[str, bool]:
        """The records of the build cache by id, and whether a build uses each; podman's cache is made of images."""
        if self.kind == "podman":
            return {}
        data = self._json("system", "df", "--verbose", "--format", "{{json .BuildCache}}")
        return {record["ID"]: record["InUse"] == "true" for record in data or []}

    def _id_of(self, name: str) -> str | None:
        done = self.call("image", "inspect", "--format", "{{.Id}}", name, check=False)
        # Podman leaves the algorithm out.
        return "sha256:" + done.text().strip().removeprefix("sha256:") if done.exit == 0 else None

    def _json(self, *words: str) -> Any:
        return json.loads(self.call(*words).output)


def new_prefix() -> str:
    """A prefix that nobody else has."""
    return f"proof-{secrets.token_hex(4)}/"


def strip_prefix(table: str, prefix: str) -> str:
    """A table without the prefix in its first column, which is then as wide as it would have been without."""
    rows = [row for line in table.splitlines() if (row := re.fullmatch(r"(\S+)( *)(.*)", line))]
    gap = min((len(row[2]) for row in rows if row[3]), default=0)
    cells = [row[1].replace(prefix, "") for row in rows]
    width = max(map(len, cells)) + gap
    return "".join(f"{cell:{width}}{row[3]}\n" for cell, row in zip(cells, rows, strict=True))


def is_full(output: str) -> bool:
    """Whether a command says that its disk is full."""
    return _FULL in output.lower()


def is_starved(done: process.Completed) -> bool:
    """Whether a client ended as a program of Go does that does not get the memory that it wants."""
    return done.exit == 2 and _STARVED.search(done.output) is not None


def may_not_have_started(output: str) -> bool:
    """Whether runc may have failed to start a container. A program can print the same: once is no evidence."""
    return _NOT_STARTED.search(output) is not None


def environment(home: Path, platform: str, programs: Sequence[str] = ("docker",)) -> dict[str, str]:
    """The environment of every command: fixed, so that outputs are alike everywhere and no secret can enter one.

    Of the programs on the tool's path a client finds these alone: not git, which docker would have read a context, nor
    what holds credentials. `home` is a directory of the run's own, where their links are.
    """
    return {
        "PATH": link(programs, home / "bin"),
        "HOME": str(home),
        "DOCKER_CONFIG": str(home / ".docker"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "DOCKER_BUILDKIT": "1",  # where buildx is missing, an older client would fall back to the legacy builder
        "DOCKER_CLI_HINTS": "false",
        "DOCKER_DEFAULT_PLATFORM": platform,
        "BUILDKIT_PROGRESS": "plain",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        # buildx asks git about the context, and git runs what a repository in there tells it to. Should a client find
        # a git in spite of its path, it is told to look at none.
        "BUILDX_GIT_INFO": "0",
        "GIT_DIR": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.bareRepository",
        "GIT_CONFIG_VALUE_0": "explicit",
    }


def link(programs: Iterable[str], folder: Path) -> str:
    """A folder with links to those of these programs that are here, for a PATH that has no other."""
    folder.mkdir(exist_ok=True)
    for program in programs:
        (folder / program).unlink(missing_ok=True)
        if path := shutil.which(program, path=process.search_path()):
            (folder / program).symlink_to(path)
    return str(folder)
