"""A container engine, driven through the docker or podman command line.

How docker and podman differ, and a private engine from a user's own, is answered by `Engine`: the rest of the tool
asks it for names, flags and what it can do. Three things are decided elsewhere: how each engine is reached and set up
(`user_engine`, `private_daemon`), what is recorded about builds so that it can be removed again (`cleanup`), and how
many snippets run at once (`cli`: one at a time in a user's own engine).

The names of images that the tool creates in an engine start with a prefix, which is removed from the output again. In
a user's own engine the prefix is one that nobody else uses, so that none of the user's images is touched. In a private
engine each snippet has a prefix of its own, so that snippets that give their images the same name can run in parallel.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from proof.core.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.engines import api, overlay_store
from proof.engines.journal import Journal
from proof.snippets.commands import familiar
from proof.snippets.engine_version import NO_NATIVE_DIFF, Kind
from proof.system import process
from proof.system.keyed_lock import KeyedLock
from proof.system.sandbox import Sandbox, for_filter

_QUERY = 30.0  # seconds: a live engine answers in a tenth of that, a stopped daemon never
_BULK = 600.0  # seconds, for loading and saving images
_ANSWER = 10.0  # seconds for an engine to say that it is there
_REMOVAL = 5.0  # seconds without a client, which can be interrupted: after these it takes over
# Memory limit of a docker client, in bytes. 30 MB are usual, but a `--format` can make it allocate without end. Podman
# gets no limit: it has no daemon, so the process itself does all the work.
_CLIENT = 1 << 30
_STARVED = re.compile(rb"fatal error: .*(?:out of|cannot allocate) memory")
# runc prints this when the container's first process dies before it has run anything: "run" during a build, "create"
# otherwise. It happened about once in a thousand starts, on a machine with plenty of free memory.
_NOT_STARTED = re.compile(
    r"runc (?:run|create) failed: unable to start container process: waiting for init preliminary setup"
)
_FULL = "no space left on device"
_ENOUGH_ROOM = 1 << 30  # bytes: with this much free space the disk is not full, whatever a program prints
_IMAGE_TABLE = ("REPOSITORY ", "IMAGE ")  # how the output of `image ls` begins; the second since Docker 29
_CONTAINER_TABLE = "CONTAINER ID "  # how the output of `ps` begins
_GAP, _NARROWEST = 3, 10  # blanks between its columns, and the width of a column with them
T = TypeVar("T")


@dataclass(frozen=True)
class EngineInfo:
    """What the engine reports about itself. It is shown to readers and never compared."""

    kind: Kind
    version: str
    builder: str  # buildx's version, or the engine's own
    image_store: str  # `overlay2` (classic) or `containerd`; `overlay2-without-native-diff` counts otherwise
    filesystem: str  # that the image store is on
    platform: str  # that it builds and runs images for, such as linux/amd64
    private: bool


@dataclass(frozen=True)
class Engine:
    """A reachable engine, and the environment that its commands run in."""

    kind: Kind
    env: dict[str, str]  # the whole environment of every command; nothing is inherited from the user's
    platform: str
    shared: bool = False  # True for the user's own engine, which also has their images
    prefix: str = ""  # of the name of every image created here
    bases: frozenset[str] = frozenset()  # images without the prefix: a private engine's bases, used by all snippets
    journal: Journal | None = None  # records what this run creates
    restart: Callable[[], object] | None = None  # starts a lost private engine again
    group: str = ""  # the control group of the containers, if they have one; private engines only
    data: Path | None = None  # where the images are; only for a private engine with Docker's classic store
    builds: KeyedLock = field(default_factory=KeyedLock)  # keeps builds with common steps from running at once
    sandbox: Sandbox | None = None  # that the clients run in, if one is possible
    disk: Path | None = None  # a directory on the disk that holds the images, if known
    starts: Callable[[], int] = lambda: 0  # how often a private engine has been started so far
    # Flags of a container in which ports that others publish answer at localhost. Empty if none can be published: in a
    # user's own engine they would be open to the user's network, and a name may be taken.
    outside: tuple[str, ...] = ()
    ports: KeyedLock = field(default_factory=KeyedLock)  # keeps snippets from reaching one another's ports
    api: Path | None = None  # the socket of a private engine, which can be asked without a client
    supports_labels: bool = False  # True if build steps, which podman stores as images, can be labelled

    @property
    def private(self) -> bool:
        """True if only this run uses the engine."""
        return not self.shared

    @property
    def ends_when_interrupted(self) -> bool:
        """True if the engine stops when the run is interrupted, and takes its containers with it."""
        return self.private

    @property
    def build_flags(self) -> list[str]:
        """Flags that every build needs here. Podman would ask each registry it knows for a base it does not have."""
        return ["--pull=never"] if self.kind == "podman" else []

    def built_by_this_run(self, run: int, seconds: float) -> list[str]:
        """Flags of a build that takes no RUN from the cache but those that this run of a snippet has built.

        `run` is a number that no other run has, and `seconds` how long ago it began. BuildKit only takes a RUN from the
        cache that had the same limits, so it gets one of its own, on file locks: Linux has ignored that since 2.4.
        """
        return [f"--cache-ttl={seconds:.3f}s"] if self.kind == "podman" else [f"--ulimit=locks={run}"]

    @property
    def removal_flags(self) -> list[str]:
        """Flags with which an image is removed alone.

        Podman would remove the steps below it as well, which may be the user's own: it builds on theirs.
        """
        return ["--no-prune"] if self.supports_labels else []

    def kept_directory(self, base: str | None, directories: Mapping[str, str]) -> str:
        """The directory that `inside` commands in `base` share through a volume, or "" if there is none.

        `directories` holds these by base. A user's own engine gets no such volume: it would stay there.
        """
        return "" if self.shared else directories.get(base or "", "")

    def refuses_name(self, name: str, ours: Sequence[str]) -> bool:
        """True if an image of this name exists that the user may own. `ours` are the names that this run created."""
        return self.shared and name not in ours and self._id_of(name) is not None

    def for_snippet(self, bases: Iterable[str]) -> Engine:
        """The engine as one snippet with these bases sees it: with a prefix that no other snippet has."""
        if self.shared:
            return self  # its prefix is already this run's own, and only one snippet runs in it at a time
        return replace(self, prefix=new_prefix(), bases=frozenset(familiar(base) for base in bases))

    def scoped_name(self, image: str) -> str:
        """The name that this engine stores `image` under."""
        name = image if familiar(image) in self.bases else f"{self.prefix}{image}"
        return f"localhost/{name}" if self.kind == "podman" else name

    def container_name(self, name: str) -> str:
        """The name that this engine knows the container `name` of a snippet under."""
        return f"{self._container_prefix}{name}"

    @property
    def _container_prefix(self) -> str:
        return f"{self.prefix.removesuffix('/')}-" if self.prefix else ""

    @property
    def own_images(self) -> list[str]:
        """The flags of `docker image ls` with which it lists the images of this snippet, and no bases."""
        host = "localhost/" if self.kind == "podman" else ""
        return [f"--filter=reference={host}{self.prefix}{names}" for names in ("*", "*/*", "*/*/*")]

    @property
    def own_containers(self) -> str:
        """The flag of `docker ps` with which it lists the containers of this snippet."""
        return f"--filter=name=^{self._container_prefix}"

    def displayed(self, output: str) -> str:
        """Output without the prefix: what a reader's own engine would print."""
        if self.prefix and self._container_prefix in output:
            if output.startswith(_CONTAINER_TABLE):
                return _realigned(output, [self.prefix, self._container_prefix])
            output = output.replace(self._container_prefix, "")
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
        """Run one command of the engine. Raises CannotMeasureError if it fails and `check` is set."""
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
        """Run a client of the engine as `process.run` does. It sees only `cwd`, `reads` and `writes` of the host.

        Raises EngineLostError if the engine is gone or hangs: a failure that it caused says nothing about the snippet.
        To find out, the engine is asked. What was printed is no evidence: a program can print anything.
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
        # An engine that answers again may still have been lost: another snippet may have restarted it meanwhile.
        if done.exit != 0 and (self.starts() != starts or not self.alive()):
            raise self._lost(process.shell_words(argv), done.last_lines(3))
        return done

    def filter(self, argv: Sequence[str], given: bytes) -> process.Completed:
        """Run a filter such as `head -3`, a program of this machine that sees nothing but what it is given."""
        found = shutil.which(argv[0], path=process.search_path())
        if found is None:
            raise CannotMeasureError(f"`{argv[0]}` is not installed here")
        sandbox = for_filter(Path(found), self.env)
        words = [found, *argv[1:]]
        return process.run(
            words, env=self.env, deadline=_QUERY, merge=True, memory=_CLIENT, sandbox=sandbox, given=given
        )

    def _sandbox(self, cwd: Path | None = None, reads: Sequence[Path] = (), writes: Path | None = None) -> list[str]:
        return self.sandbox.words(self.env, cwd=cwd, reads=reads, writes=writes) if self.sandbox else []

    def retry_if_lost(self, act: Callable[[], T]) -> T:
        """Call `act` and return its result; if a private engine is lost meanwhile, restart it and call `act` again."""
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
            hint="start it, then run the command again" if self.shared else "run the command again",
        )

    def has_room(self) -> bool:
        """True if its disk is known to have space left: a program that reports a full disk then means another one."""
        return self.disk is not None and shutil.disk_usage(self.disk).free > _ENOUGH_ROOM

    def full(self, done: process.Completed) -> CannotMeasureError:
        """The error for a command that failed because the engine's disk is full."""
        return CannotMeasureError(
            f"the disk of the engine is full, in `{process.shell_words(done.argv)}`",
            evidence="\n".join(line for line in done.last_lines(50).splitlines() if is_full(line)),
            hint="free some space" if self.shared else "free some space, or set PROOF_CACHE=/a/directory/with/space",
        )

    def alive(self) -> bool:
        """True if it answers."""
        try:
            if self.api:
                return api.ask(self.api, "GET", "/_ping", deadline=_ANSWER).status == 200
            version = process.run([self.kind, "version"], env=self.env, deadline=_ANSWER, sandbox=self._sandbox())
        except (OSError, CannotMeasureError):
            return False
        return version.exit == 0

    def info(self) -> EngineInfo:
        """Ask the engine about itself."""
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
        counting = NO_NATIVE_DIFF if status.get("Native Overlay Diff") == "false" else ""
        plugins = {p["Name"]: p.get("Version", "?") for p in data.get("ClientInfo", {}).get("Plugins") or []}
        return EngineInfo(
            kind="docker",
            version=data["ServerVersion"],
            builder=f"buildx {plugins.get('buildx', 'missing')}",
            image_store="containerd" if "driver-type" in status else data["Driver"] + counting,
            filesystem=status.get("Backing Filesystem", "?"),
            platform=self.platform,
            private=self.private,
        )

    def image_id(self, image: str) -> str | None:
        """The id of an image, or None if the engine has no image of that name."""
        try:
            return overlay_store.image_id(self.data, familiar(self.scoped_name(image)))
        except overlay_store.NotInStoreError:  # not a private engine, or no such image
            return self._id_of(self.scoped_name(image))

    def diff_ids(self, image: str) -> tuple[str, ...]:
        """The diff IDs of an image's layers, the lowest first, each as `sha256:…`."""
        try:
            return overlay_store.diff_ids(
                self.data, overlay_store.image_id(self.data, familiar(self.scoped_name(image)))
            )
        except overlay_store.NotInStoreError:
            return tuple(self._json("image", "inspect", "--format", "{{json .RootFS.Layers}}", self.scoped_name(image)))

    def load(self, archive: Path) -> None:
        """Load an archive in which the image already has its name in this engine."""
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

    def remove(
        self, *, containers: Sequence[str] = (), networks: Sequence[str] = (), images: Sequence[str] = ()
    ) -> bool:
        """Remove these by name, and return whether all are gone. Missing ones are fine."""
        if self.api and _removed(self.api, containers, networks, images):
            return True
        gone = True
        if containers:
            gone = self.call("rm", "--force", "--volumes", *containers, deadline=120, check=False).exit == 0
        if networks:  # which no container may use any more
            gone = self.call("network", "rm", "--force", *networks, check=False).exit == 0 and gone
        if images:
            rmi = ("rmi", "--force", *self.removal_flags, *images)
            gone = self.call(*rmi, deadline=120, check=False).exit == 0 and gone
        return gone

    def images(self) -> set[str]:
        """The ids of all images, including those without a name."""
        return set(self.call("image", "ls", "--all", "--quiet", "--no-trunc").text().split())

    def build_cache(self) -> dict[str, bool]:
        """The ids of the build cache's records, each with whether a build is using it. Podman caches images instead."""
        if self.kind == "podman":
            return {}
        # There can be thousands, so only what is needed is printed.
        each = "{{range .BuildCache}}{{println .ID .InUse}}{{end}}"
        lines = self.call("system", "df", "--verbose", "--format", each).text().split("\n")
        return {record: in_use == "true" for record, in_use in (line.split() for line in lines if line)}

    def root(self) -> str:
        """The directory of the engine's images, as a path on the engine's own machine."""
        template = "{{.DockerRootDir}}" if self.kind == "docker" else "{{.Store.GraphRoot}}"
        return self.call("info", "--format", template).text().strip()

    def identity(self) -> str:
        """A file name that identifies this engine among all that the user has."""
        if self.kind == "docker":
            return self.call("info", "--format", "{{.ID}}").text().strip().replace(":", "-")
        return f"podman-{hashlib.sha256(self.root().encode()).hexdigest()[:12]}"

    def _id_of(self, name: str) -> str | None:
        done = self.call("image", "inspect", "--format", "{{.Id}}", name, check=False)
        # Podman omits the algorithm.
        return "sha256:" + done.text().strip().removeprefix("sha256:") if done.exit == 0 else None

    def _json(self, *words: str) -> Any:
        return json.loads(self.call(*words).output)


def _removed(engine: Path, containers: Sequence[str], networks: Sequence[str], images: Sequence[str]) -> bool:
    """Remove these without a client, and return whether all are gone. If not, a client says why."""
    quote = urllib.parse.quote
    paths = [f"/containers/{quote(name)}?force=1&v=1" for name in containers]
    paths += [f"/networks/{quote(name)}" for name in networks]  # which no container may use any more
    paths += [f"/images/{quote(name)}?force=1" for name in images]
    try:
        return all(api.ask(engine, "DELETE", path, deadline=_REMOVAL).gone for path in paths)
    except OSError:
        return False


def new_prefix() -> str:
    """A random prefix, ending in a slash."""
    return f"proof-{secrets.token_hex(4)}/"


def strip_prefix(table: str, prefix: str) -> str:
    """Remove the prefix from a table's first column, and make that as narrow as it would have been without it."""
    rows = [row for line in table.splitlines() if (row := re.fullmatch(r"(\S+)( *)(.*)", line))]
    gap = min((len(row[2]) for row in rows if row[3]), default=0)
    cells = [row[1].replace(prefix, "") for row in rows]
    width = max(map(len, cells)) + gap
    return "".join(f"{cell:{width}}{row[3]}\n" for cell, row in zip(cells, rows, strict=True))


def _realigned(table: str, prefixes: Sequence[str]) -> str:
    """A table of docker's without these prefixes of cells, and with columns as wide as it would have made them."""
    header, *rows = table.removesuffix("\n").split("\n")
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", header)]
    ends = [*starts[1:], None]
    cells = [[row[a:b].rstrip() for a, b in zip(starts, ends, strict=True)] for row in (header, *rows)]
    for prefix in prefixes:
        cells = [[cell.removeprefix(prefix) for cell in row] for row in cells]
    widths = [max(_NARROWEST, *(len(cell) + _GAP for cell in column)) for column in zip(*cells, strict=True)]
    widths[-1] = 0
    return "".join("".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) + "\n" for row in cells)


def is_full(output: str) -> bool:
    """True if the output says that a disk is full."""
    return _FULL in output.lower()


def is_starved(done: process.Completed) -> bool:
    """True if a client ended the way a Go program does when it cannot allocate memory."""
    return done.exit == 2 and _STARVED.search(done.output) is not None


# Docker's builder writes an image, and at that moment another snippet removes its own, which is the same to the byte.
_REMOVED = re.compile(r"failed to get digest (sha256:[0-9a-f]{64}): open \S*: no such file or directory")


def was_removed_meanwhile(output: str) -> bool:
    """Whether a build failed because its image was removed while it was written. Then the build can be repeated."""
    return _REMOVED.search(output) is not None


def may_not_have_started(output: str) -> bool:
    """True if runc may have failed to start a container. It is not certain: a program can print the same text."""
    return _NOT_STARTED.search(output) is not None


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
        if path := shutil.which(program, path=process.search_path()):
            # The file itself: a private engine has no other link that may lead to it.
            (folder / program).symlink_to(Path(path).resolve())
    return str(folder)
