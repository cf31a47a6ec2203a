"""The private engine of an ordinary user: the same facts, no rights on the host, and nothing left behind.

The user exists only in a mount namespace of the test, which has its own /etc/passwd, /etc/subuid and /etc/subgid.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from proof.system.process import search_path
from tests.support.helpers import REPOSITORY, proof, succeeded, tiny

pytestmark = pytest.mark.engine

USER, IDS = 1_800_000_000, 1_800_100_000
# What the user may read is mounted below /mnt: this repository, its Python and packages may be in a home directory.
NAMESPACE = f"""
set -e
mount -t tmpfs -o mode=755 tmpfs /mnt
mount_at() {{ mkdir "/mnt/$1" && mount --bind "$2" "/mnt/$1"; }}
mount_at python "$1" && mount_at packages "$2" && mount_at scripts "$3" && mount_at cached "$4" && mount_at home "$5"
for file in passwd group subuid subgid; do
    cat "/etc/$file" >"/mnt/$file" 2>/dev/null || :
    case $file in
        passwd) echo 'rootless:x:{USER}:{USER}::/mnt/home:/bin/sh' ;;
        group) echo 'rootless:x:{USER}:' ;;
        *) echo 'rootless:{IDS}:65536' ;;
    esac >>"/mnt/$file"
    [ -e "/etc/$file" ] || : >"/etc/$file"
    mount --bind "/mnt/$file" "/etc/$file"
done
mkdir -p /mnt/home/cache && ln -sfn /mnt/cached /mnt/home/cache/packages
[ -e /mnt/home/owned ] || chown -R {USER}:{USER} /mnt/home && : >/mnt/home/owned
shift 5
cd /mnt/home
exec setpriv --reuid {USER} --regid {USER} --clear-groups "$@"
"""


class User:
    """An ordinary user with a home directory."""

    def __init__(self, home: Path, packages: Path) -> None:
        self.home = home
        places = (Path(sys.base_prefix), Path(pytest.__file__).parents[1], REPOSITORY / "scripts", packages, home)
        self.before = ("unshare", "--mount", "sh", "-c", NAMESPACE, "sh", *map(str, places))
        self.env = {
            "PATH": f"/mnt/python/bin:{search_path()}",
            "PYTHONPATH": "/mnt/scripts:/mnt/packages",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PROOF_CACHE": "/mnt/home/cache",
            "HOME": "/mnt/home",
        }
        self.python = f"/mnt/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a command as this user."""
        return subprocess.Popen(
            [*self.before, *argv],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *argv: str) -> tuple[int, str]:
        """The exit code of a command as this user, and what it prints."""
        with self.start(*argv) as running:
            try:
                said = running.communicate(timeout=300)[0]
            finally:
                running.kill()
        return running.returncode, said

    def proof(self, *arguments: str) -> tuple[int, str]:
        return self.run(self.python, "-m", "proof.cli.main", "--project", "tiny", *arguments)

    def processes(self) -> list[str]:
        """The command lines of all processes of this user and of the users in its containers."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                status = (entry / "status").read_text()
                line = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            uid = int(next(row for row in status.splitlines() if row.startswith("Uid:")).split()[1])
            if uid == USER or IDS <= uid < IDS + 65_536:
                found.append(line.replace("\0", " "))
        return found

    def ended(self) -> list[str]:
        """The processes that are left when they have had time to end."""
        until = time.monotonic() + 15
        while self.processes() and time.monotonic() < until:
            time.sleep(0.1)
        return self.processes()


@pytest.fixture
def user(tmp_path: Path, cache: Path, engine: Engine) -> Iterator[User]:
    """One who can start a private engine here, with the tiny project."""
    del engine  # where there is none with root, there is none without
    packages = cache / "packages"
    packages.mkdir(exist_ok=True)
    home = tmp_path / "home"
    home.mkdir()
    tiny(home)
    found = User(home, packages)
    reason = "from proof.engines import private_daemon; print(private_daemon.obstacle())"
    code, said = found.run(found.python, "-c", reason)
    assert code == 0, said
    if "or else Docker" in said:  # a newer Docker can't start there at all
        pytest.skip(said)
    if said.strip():  # no uidmap, or a kernel or a container that allows it to root only
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    yield found
    assert found.ended() == []


def test_the_same_facts(user: User) -> None:
    """What root has captured is accurate for the user, and its files can be removed without root."""
    succeeded(proof("update", cwd=user.home / "tiny"))
    code, said = user.proof("check", "--engine", "auto")
    assert code == 0, said
    assert "the private engine cannot limit memory here" in said
    assert "using your docker" not in said
    assert user.ended() == []
    slot = user.home / "cache/engine-classic/0"
    assert slot.stat().st_uid == USER
    remove = ("unshare", "--map-root-user", "--map-auto", "rm", "-r", "/mnt/home/cache/engine-classic")
    assert user.run(*remove) == (0, "")


def test_killed_at_once_nothing_is_left(user: User) -> None:
    """Kill -9 while a container sleeps: no process."""
    (user.home / "tiny/snippets/count/context/words.sh").write_text("sleep 3012\n")
    with user.start(user.python, "-m", "proof.cli.main", "--project", "tiny", "update", "count") as running:
        try:
            until = time.monotonic() + 120
            while not any(line.startswith("sleep 3012") for line in user.processes()) and time.monotonic() < until:
                assert running.poll() is None, running.communicate()
                time.sleep(0.1)
            assert any(line.startswith("dockerd ") for line in user.processes())
        finally:
            os.kill(running.pid, signal.SIGKILL)
    assert user.ended() == []


def test_processes_are_limited(user: User) -> None:
    """A program that starts too many is refused more, although there is no control group."""
    script = user.home / "tiny/snippets/count/context/words.sh"
    script.write_text("i=0; while [ $i -lt 500 ]; do i=$((i + 1)); sleep 5 & done; wait\n")
    limited = (
        "import sys; from proof.engines import private_daemon; private_daemon._PROCESSES = 300; "
        "from proof.cli import main; sys.exit(main.main(sys.argv[1:]))"
    )
    code, said = user.run(user.python, "-c", limited, "--project", "tiny", "update", "count")
    assert code == 2, said
    assert "can't fork: Resource temporarily unavailable" in said
