"""A hostile snippet finds nothing of the host. There are two barriers; the second is tested without the first."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from proof.engines import private_daemon
from proof.engines.interface import Engine
from proof.provision import loader
from proof.snippets import base_images
from proof.system import temp_folders
from proof.system.process import search_path
from proof.system.sandbox import Sandbox
from tests.support.engines import with_client
from tests.support.helpers import TINY, edit, measure, proof, tiny
from tests.support.makers import write

pytestmark = pytest.mark.engine

# A bare repository with a missing object, whose origin is fetched by a command of its own settings.
REPOSITORY = {
    "HEAD": "ref: refs/heads/master\n",
    "objects/keep": "",
    "refs/heads/master": "1" * 40 + "\n",
    "config": """\
[core]
repositoryformatversion = 1
worktree = .
[extensions]
partialClone = origin
[remote "origin"]
url = .
promisor = true
uploadpack = "COMMAND; false"
""",
}


def repository(folder: Path, command: str) -> Path:
    """A context that docker's builder asks the host's git about, which runs the command."""
    files = {name: text.replace("COMMAND", command) for name, text in REPOSITORY.items()}
    return write(folder, {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n", **files})


def built(engine: Engine, context: Path, writes: Path | None = None) -> int:
    return engine.client.run(
        ["docker", "build", "--quiet", "."], cwd=context, deadline=60, merge=True, writes=writes
    ).exit


@dataclass(frozen=True)
class Open(Sandbox):
    """A sandbox in which all programs of the host are found."""

    def words(
        self, env: Mapping[str, str], *, cwd: Path | None, reads: Iterable[Path] = (), writes: Path | None = None
    ) -> list[str]:
        words = super().words(env, cwd=cwd, reads=reads, writes=writes)
        return [*words[:-1], *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"), words[-1]]


def opened(engine: Engine) -> Engine:
    """The engine without the first barrier: git is there, with its usual settings."""
    assert engine.client.sandbox
    env = {name: value for name, value in engine.client.env.items() if "GIT" not in name} | {"PATH": search_path()}
    return with_client(engine, env=env, sandbox=Open(**vars(engine.client.sandbox)))


class TestRepositoryInTheContext:
    """The attack that once ran a command as root on the host."""

    def test_it_works_without_walls(self, engine: Engine, tmp_path: Path) -> None:
        """The attack works outside a sandbox with git on the path; otherwise the tests below would prove nothing."""
        context = repository(tmp_path / "context", f"id > {tmp_path}/canary")
        assert built(with_client(opened(engine), sandbox=None), context) == 0
        assert "uid=0" in (tmp_path / "canary").read_text()

    def test_the_first_wall(self, engine: Engine, tmp_path: Path) -> None:
        """A client outside of a sandbox finds no git."""
        context = repository(tmp_path / "context", f"id > {tmp_path}/canary")
        assert built(with_client(engine, sandbox=None), context) == 0
        assert not (tmp_path / "canary").exists()

    def test_git_is_told_to_look_away(self, engine: Engine, tmp_path: Path) -> None:
        """Nor does one that finds it start it in the context, or git anything in there."""
        context = repository(tmp_path / "context", f"id > {tmp_path}/canary")
        for names in (["BUILDX_GIT_INFO"], ["GIT_DIR"], ["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"]):
            told = {name: engine.client.env[name] for name in names}
            assert built(with_client(opened(engine), sandbox=None, env=opened(engine).client.env | told), context) == 0
            assert not (tmp_path / "canary").exists(), names

    def test_the_second_wall(self, engine: Engine, tmp_path: Path) -> None:
        """Without the first barrier, the sandbox keeps the command from writing to the host."""
        places = [tmp_path / "canary", Path("/usr/canary"), Path("/etc/canary"), Path.home() / "canary"]
        command = "id > ran; " + "; ".join(f"id > {place}" for place in places)
        context = repository(tmp_path / "context", command)
        assert built(opened(engine), context) == 0
        # Git fetches into the repository, which it cannot write to: the command does not even run.
        assert not (context / "ran").exists()
        # Where it can, the command runs, and is alone in there.
        assert built(opened(engine), context, writes=context) == 0
        assert "uid=0" in (context / "ran").read_text()
        assert [place for place in places if place.exists()] == []


class TestClient:
    def test_what_it_sees(self, engine: Engine, tmp_path: Path) -> None:
        """It sees libraries, docker, the socket and what it was given, but no /etc, home, processes or network."""
        assert engine.client.sandbox
        write(tmp_path, {"context/Dockerfile": "FROM scratch\n", "beside": "secret"})
        words = engine.client.sandbox.words(engine.client.env, cwd=tmp_path / "context")
        # A shell is brought along, since there is none.
        script = "echo /* /etc/* /root/* /home/* /proc/* /dev/* /usr/bin/*; echo ../*; echo $0; : > ../new; : > new"
        shell = shutil.which("dash", path=search_path()) or shutil.which("sh", path=search_path())
        argv = [*words[:-1], "--ro-bind", str(shell), "/usr/bin/sh", words[-1], "sh", "-c", script]
        done = subprocess.run(argv, env=engine.client.env, capture_output=True, text=True, check=False)
        roots = "/dev /lib /lib64 /tmp /usr " + engine.client.env["HOME"][1:].partition("/")[0]
        top, here = done.stdout.splitlines()[:2]
        listed = set(top.split())
        socket_root = "/" + str(engine.client.sandbox.socket).split("/")[1]
        assert {path for path in listed if path.count("/") == 1} <= {*roots.split(), socket_root}, done
        assert {path for path in listed if path.startswith(("/etc/", "/home/", "/proc/"))} <= {
            *("/etc/*", "/home/*", "/proc/*")
        }
        assert "/dev/null" in listed
        assert {path for path in listed if path.startswith("/usr/bin/")} == {"/usr/bin/docker", "/usr/bin/sh"}
        assert here == "../context"
        assert "Read-only file system" in done.stderr
        assert not (tmp_path / "context/new").exists()

    def test_it_has_no_capability_and_no_network(self, engine: Engine) -> None:
        """Root in there is a user without rights, on a network without a device."""
        assert engine.client.sandbox
        words = engine.client.sandbox.words(engine.client.env, cwd=None)
        more = ("--ro-bind", "/usr/bin", "/usr/bin", "--proc", "/proc")
        script = "grep ^Cap /proc/self/status; cat /proc/net/dev"
        argv = [*words[:-1], *more, words[-1], "sh", "-c", script]
        done = subprocess.run(argv, env=engine.client.env, capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        assert [line.split()[1] for line in lines if line.startswith("Cap")] == ["0" * 16] * 5
        assert [line.split(":")[0].strip() for line in lines if ":" in line and "Cap" not in line] == ["lo"]


class TestDaemon:
    @pytest.fixture
    def daemon(self, engine: Engine) -> Path:
        """What the kernel tells of the daemon's process."""
        assert engine.client.sandbox
        words = f"--host\0unix://{engine.client.sandbox.socket}\0".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(b"dockerd\0") and words in (
                    entry / "cmdline"
                ).read_bytes():
                    return entry
        raise AssertionError("there is no daemon")

    def test_its_root(self, daemon: Path, engine: Engine) -> None:
        """It sees its programs and its slot: no file of the host's, and no program that could fetch or ask."""
        root = daemon / "root"
        assert engine.client.sandbox
        expected = {*"bin dev etc lib lib32 lib64 opt proc run sbin sys tmp usr var".split()}
        expected.add(engine.client.sandbox.socket.parts[1])
        hosts = {path.name for path in Path("/").iterdir()}
        assert {path.name for path in root.iterdir()} & hosts <= expected
        assert not (root / "etc/shadow").exists()
        assert [
            path
            for path in root.joinpath("root").glob("*")
            if not engine.client.sandbox.socket.is_relative_to(f"/root/{path.name}")
        ] == []
        mounted = {line.split()[1]: line.split()[3].split(",") for line in (daemon / "mounts").read_text().splitlines()}
        assert "ro" in mounted["/usr"]
        path = dict(line.split("=", 1) for line in (daemon / "environ").read_text().split("\0") if line)["PATH"]
        assert {link.name for link in Path(path).iterdir()} <= {*private_daemon._DAEMONS}

    def test_its_capabilities(self, daemon: Path) -> None:
        """It can make no device, load no module and set no clock; and nothing that it starts can."""
        status = dict(line.split(":\t", 1) for line in (daemon / "status").read_text().splitlines() if ":\t" in line)
        numbers = {"sys_module": 16, "sys_rawio": 17, "sys_boot": 22, "sys_time": 25, "mknod": 27, "syslog": 34}
        for kind in ("CapBnd", "CapEff", "CapPrm"):
            assert [name for name, bit in numbers.items() if int(status[kind], 16) >> bit & 1] == []

    def test_root_in_a_container_is_nobody(self, engine: Engine, cache: Path) -> None:
        """For the host the processes of a container, root's too, are of users that it does not have."""
        loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
        name = "proof-nobody"
        engine.client.call("run", "--detach", "--name", name, "--network", "none", "alpine:3.22", "sleep", "3011")
        try:
            pids: list[Path] = []
            deadline = time.monotonic() + 20
            while not pids and time.monotonic() < deadline:  # it may not have started its program yet
                pids = [p for p in Path("/proc").glob("[0-9]*") if _cmdline(p) == b"sleep\x003011\0"]
            assert len(pids) == 1
            users = next(line for line in (pids[0] / "status").read_text().splitlines() if line.startswith("Uid:"))
            assert users.split()[1:] == [str(private_daemon._USER)] * 4
            assert (pids[0] / "uid_map").read_text().split() == ["0", str(private_daemon._USER), "65536"]
        finally:
            engine.remove(containers=[name])

    def test_nobody_else_reaches_it(self, engine: Engine) -> None:
        """Its socket is root's: a member of the group `docker`, for whom the daemon is root, does not come near it."""
        assert engine.client.sandbox
        path = engine.client.sandbox.socket
        assert path.parent.parent.stat().st_mode & 0o777 == 0o700
        assert (path.stat().st_uid, path.stat().st_gid) == (0, 0)
        script = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        python = shutil.which("python3", path="/usr/bin:/bin") or "python3"
        told = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--groups", "65534", python, "-c", script, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "PermissionError" in told.stderr
        with socket.socket(socket.AF_UNIX) as ours:
            ours.connect(str(path))


def _cmdline(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    "said",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "error during connect: this error may indicate that the docker daemon is not running",
        "write /a: no space left on device",
        "runc run failed: unable to start container process: waiting for init preliminary setup: read init-p: EOF",
        "fatal error: runtime: out of memory",
    ],
)
@pytest.mark.parametrize("build", [False, True], ids=["run", "build"])
def test_what_a_program_prints_is_no_excuse(
    said: str, engine: Engine, cache: Path, tmp_path: Path, *, build: bool
) -> None:
    """A program that fails and blames the engine has failed itself. That is not `not measured`."""
    root = tiny(tmp_path)
    if build:
        edit(root / "snippets/note/context/Dockerfile", "COPY note.txt", f"RUN echo '{said}'; exit 1\nCOPY note.txt")
    else:
        (root / "snippets/count/context/words.sh").write_text(f"echo '{said}'\nexit 1\n")
    (result,) = measure(root, engine, cache, "note" if build else "count", write=True)
    assert result.verdict == "failed", result.error
    assert result.error is not None
    assert said in result.error.evidence


def test_the_users_docker_is_asked_from_a_sandbox_too(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """`--engine docker` runs its clients in one, and leaves nothing of the attack on the host."""
    root = tiny(tmp_path)
    repository(root / "snippets/note/context", f"id > {tmp_path}/canary")
    env = {"DOCKER_HOST": engine.client.env["DOCKER_HOST"], "PROOF_CACHE": str(cache)}
    done = proof("check", "note", "--engine", "docker", cwd=root, env=env)
    assert "no sandbox" not in done.stdout
    assert not (tmp_path / "canary").exists()
    assert os.environ.get("CI") is None or done.returncode in (1, 2), done.stdout + done.stderr


def test_what_a_killed_run_left_in_its_sandbox_ends(tmp_path: Path) -> None:
    """The next run ends it, and nothing in the sandboxes of a run that goes on."""
    dead = tmp_path / "proof-scratch-home-1"
    dead.mkdir()
    with temp_folders.folder("home", tmp_path) as alive, contextlib.ExitStack() as stack:
        program = ("sh", "-c", "echo; exec sleep 3014")
        left, used = (
            stack.enter_context(
                subprocess.Popen(
                    [*"bwrap --unshare-pid --die-with-parent --ro-bind / / --tmpfs".split(), str(home), *program],
                    stdout=subprocess.PIPE,
                )
            )
            for home in (dead, alive)
        )
        stack.callback(used.kill)
        stack.callback(left.kill)
        for one in (left, used):
            assert one.stdout is not None
            one.stdout.read(1)  # a sandbox that is killed before its program starts may leave a process behind
        temp_folders.sweep(tmp_path)
        assert left.wait(timeout=10) != 0
        assert used.poll() is None
        assert not dead.exists()
