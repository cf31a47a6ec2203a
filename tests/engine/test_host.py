"""`proof check` on a hostile branch leaves the host as it was: its files, its mounts, its processes, its settings."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from proof.core.settings import cache_folder
from proof.engines.interface import Engine
from tests.engine.test_sandbox import REPOSITORY
from tests.support.helpers import edit, proof, succeeded, tiny, tree
from tests.support.makers import write

pytestmark = pytest.mark.engine

PLACES = ("/etc", "/usr", "/opt", "/home", "/srv", "/boot", "/var/lib", "/var/spool", "/root")
# What belongs to the tests themselves, to other engines and to package lists; and what is only documentation.
NOT = (
    "/root/.cache",
    "/root/.pyenv",
    "/usr/share",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/containerd",
    "/var/lib/apt",
)
# What other engines on this machine mount while they work. The tool's own engines mount where nobody else sees it.
MOUNTS_OF_OTHERS = re.compile(
    r"\S+ \S+ \S+/(?:(?:buildkit|containers|executor|netns|overlay2?|overlayfs)/\S+|(?:buildkit|containerd)-mount\d+) "
)
SETTINGS = ("kernel/core_pattern", "kernel/hostname", "kernel/modprobe", "net/ipv4/ip_forward")
NETWORK = "/sys/class/net"
MARK = 3019  # seconds that a process sleeps which an attack leaves behind

# What a program tries that is root in its container, each line for itself: files, devices, kernel settings, processes.
ESCAPE = f"""
for place in /canary /host/canary /proc/1/root/canary /proc/sys/kernel/core_pattern; do echo owned > $place; done
for group in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/release_agent; do echo /canary > $group; done
mkdir -p /mnt/a; mount -t devtmpfs devtmpfs /mnt/a; mount -t cgroup -o memory cgroup /mnt/a; mount -t proc proc /mnt/a
mknod /disk b 254 0; mknod /mem c 1 1; dd if=/disk of=/mnt/disk bs=512 count=1; dd if=/mem of=/mnt/mem bs=512 count=1
echo 1 > /proc/sys/net/ipv4/ip_forward; hostname owned; echo h > /proc/sysrq-trigger
kill -9 -1
(setsid sleep {MARK} &)
for docker in /var/run/docker.sock /run/docker.sock /run/containerd.sock; do [ -S $docker ] && echo found $docker; done
chmod 4777 /bin/busybox; ln -s /etc/shadow /shadow; cat /proc/1/root/etc/shadow
"""


def in_build(root: Path, _: Path) -> None:
    write(root / "snippets/note/context", {"escape.sh": ESCAPE})
    edit(
        root / "snippets/note/context/Dockerfile",
        "COPY note.txt",
        "COPY escape.sh /\nRUN sh /escape.sh; true\nCOPY note.txt",
    )


def in_run(root: Path, _: Path) -> None:
    (root / "snippets/count/context/words.sh").write_text(f"{ESCAPE}\nwc -w note.txt\n")


def repository(root: Path, canary: Path) -> None:
    files = {name: text.replace("COMMAND", f"id > {canary}") for name, text in REPOSITORY.items()}
    write(root / "snippets/note/context", files)


def hidden_repository(root: Path, canary: Path) -> None:
    write(
        root / "snippets/note/context/.git",
        {
            "HEAD": "ref: refs/heads/main\n",
            "config": f'[core]\nrepositoryformatversion = 0\nfsmonitor = "touch {canary} #"\n',
            "objects/keep": "",
            "refs/heads/keep": "",
        },
    )


def project_as_repository(root: Path, canary: Path) -> None:
    config = f'[core]\nbare = false\nworktree = .\nrepositoryformatversion = 0\nfsmonitor = "touch {canary} #"\n'
    write(root, {"HEAD": "ref: refs/heads/main\n", "config": config, "objects/keep": "", "refs/heads/keep": ""})


def link_as_lock(root: Path, _: Path) -> None:
    (root / "snippets/bases.lock").symlink_to("/etc/shadow")


def link_as_captures(root: Path, canary: Path) -> None:
    shutil.rmtree(root / "snippets/note/captured")
    (root / "snippets/note/captured").symlink_to(canary.parent)


def other_plugin(root: Path, canary: Path) -> None:
    """Programs that docker would start, where a client may look for them."""
    program = f"#!/bin/sh\ntouch {canary}\n"
    names = ("docker-buildx", "docker-credential-pass", "git", "ssh", ".docker/cli-plugins/docker-buildx")
    write(root / "snippets/note/context", dict.fromkeys(names, program))
    for name in names:
        (root / "snippets/note/context" / name).chmod(0o755)


ATTACKS: Mapping[Callable[[Path, Path], None], int] = {
    repository: 2,
    hidden_repository: 0,
    project_as_repository: 0,
    in_build: 1,
    in_run: 1,
    other_plugin: 1,
    link_as_lock: 2,
    link_as_captures: 2,
}


def files() -> Iterator[tuple[str, object]]:
    """Every file of the host, with what changes when it is written, replaced or given other rights."""
    for place in PLACES:
        for folder, folders, names in os.walk(place):
            folders[:] = [name for name in folders if f"{folder}/{name}" not in NOT and name != "__pycache__"]
            for name in (*folders, *names):
                with contextlib.suppress(FileNotFoundError):
                    found = os.lstat(path := f"{folder}/{name}")
                    yield path, (found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns, found.st_ino)


def host() -> dict[str, object]:
    """The current state of the host."""
    names = {
        f"{folder} holds {path.name}": None for folder in ("/", "/run", NETWORK) for path in Path(folder).iterdir()
    }
    settings = {name: Path("/proc/sys", name).read_text() for name in SETTINGS if Path("/proc/sys", name).exists()}
    mounted = [line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    own = f" {cache_folder()}/"
    mounts = {line: None for line in mounted if own in line or not MOUNTS_OF_OTHERS.match(line)}
    agents = {str(path): path.read_text() for path in Path("/sys/fs/cgroup").glob("*/release_agent")}
    return {**names, **settings, **mounts, **agents, **dict(files())}


def left_behind() -> list[str]:
    """Processes that an attack started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"sleep\0%d\0" % MARK in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


@pytest.fixture(scope="module")
def measured(engine: Engine, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with captures, before anybody has touched it."""
    del engine  # where there is no private engine, its fixture says so
    root = tiny(tmp_path_factory.mktemp("measured"))
    succeeded(proof("update", cwd=root, env={"PROOF_CACHE": str(cache)}))
    return root


@pytest.fixture(scope="module")
def states(measured: Path) -> list[dict[str, object]]:
    """A list of one: the host after the last test. To read it again before the next test would take seconds."""
    del measured  # made before
    return [host()]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_the_host_is_as_it_was(
    attack: Callable[[Path, Path], None],
    measured: Path,
    cache: Path,
    tmp_path: Path,
    states: list[dict[str, object]],
) -> None:
    """Each is refused, or runs inside its container: nothing on the host has changed afterwards."""
    root, canary = Path(shutil.copytree(measured, tmp_path / "tiny")), tmp_path / "outside/canary"
    canary.parent.mkdir()
    attack(root, canary)
    before, project = states[0], tree(root)
    words = ("note", "count", "--rerun", "--engine", "private", *(("--bases", "registry") * (attack is link_as_lock)))
    done = proof("check", *words, cwd=root, env={"PROOF_CACHE": str(cache)})
    states[0] = after = host()
    said = done.stdout + done.stderr
    assert done.returncode == ATTACKS[attack], said
    assert {name for name in before.keys() | after.keys() if before.get(name, 0) != after.get(name, 0)} == set()
    assert tree(root) == project
    assert list(canary.parent.iterdir()) == []
    assert left_behind() == []
    assert Path("/etc/shadow").read_text().splitlines()[0] not in said
    assert "found /" not in said
