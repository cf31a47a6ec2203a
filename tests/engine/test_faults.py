"""Real faults during a run: what is reported, what is left behind, and what the next run finds.

Signals, small disks, a limit on memory, a registry on loopback that fails in every way. The kills come at random
moments: PROOF_KILLS says how many (50 before a release), PROOF_SEED repeats a sequence.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from proof.captures import fingerprint, store
from proof.engines import private_docker
from proof.engines.failures import is_starved
from proof.engines.interface import Engine
from proof.provision import loader
from proof.snippets import base_images
from proof.snippets import project as manifest
from proof.snippets.engine_version import PLATFORM
from proof.system import cgroup, process
from tests.support.helpers import edit, is_free, measure, none_left, processes, proof, snapshot, tiny, tree, wait_until
from tests.support.registry import need_skopeo, serving

pytestmark = pytest.mark.engine

PROOF = (sys.executable, "-m", "proof.cli.main")
_HEARING = (  # one line, since a run that waits for another one shows its command
    "import signal, sys; from proof.cli.main import main; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
)
# A shell starts what runs in its background with SIGINT ignored, and a test run may be just that.
HEARING = (sys.executable, "-c", _HEARING)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, engine: Engine, cache: Path) -> Path:
    """A cache for the engines in these tests; each test finds it as the previous one left it."""
    del engine  # where there is no private engine, its fixture says so
    return with_packages(tmp_path_factory.mktemp("own"), cache)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project, without captures."""
    return tiny(tmp_path)


def with_packages(folder: Path, cache: Path) -> Path:
    (folder / "packages").symlink_to(cache / "packages")
    return folder


def sleeps(root: Path, seconds: int, *, build: bool) -> str:
    """Have a step sleep, while it builds or while it runs; returns the name of its snippet."""
    if build:
        if "note.own_layers == 1" in (root / "docs/index.md").read_text():
            unclaim(root)
        dockerfile = root / "snippets/note/context/Dockerfile"
        edit(dockerfile, "COPY note.txt", f"RUN echo begun; trap '' INT TERM; sleep {seconds:04}\nCOPY note.txt")
        return "note"
    script = root / "snippets/count/context/words.sh"
    script.write_text(f"echo begun; trap '' INT TERM; sleep {seconds:04}\nwc -w note.txt\n")
    return "count"


def unclaim(root: Path) -> None:
    """Take out the sentence that says how many layers there are."""
    edit(root / "docs/index.md", "Only one layer is\nours. {{ claim: note.own_layers == 1 }} ", "")


def sleeping(seconds: int) -> bool:
    """True if a program in a container sleeps for exactly this time."""
    return bool(processes(b"sleep\0%04d\0" % seconds))


@contextlib.contextmanager
def started(root: Path, own: Path, *words: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command in the background."""
    with subprocess.Popen(
        [*HEARING, *words],
        cwd=root,
        env={**os.environ, "PROOF_CACHE": str(own), "PYTHONUNBUFFERED": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()  # where it did not hear: leaving the block would wait for it for ever


def run(root: Path, own: Path, *words: str, **env: str) -> tuple[int, str]:
    """Run the command; returns its exit code and output."""
    done = proof(*words, cwd=root, env={"PROOF_CACHE": str(own), **env}, timeout=300)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def daemons(own: Path) -> list[int]:
    """The daemons of the private engines in this cache."""
    found = []
    for pid in processes(f"{own}/".encode()):
        with contextlib.suppress(OSError):  # it has ended since
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"dockerd\0"):
                found.append(pid)
    return found


def kill_the_engine(own: Path) -> None:
    """Kill the engine in this cache, and wait for the next one: what sleeps from then on does so there."""
    killed = set(daemons(own))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: set(daemons(own)) - killed)


def groups(own: Path) -> list[Path]:
    """The control groups of the engines in this cache."""
    names = [cgroup.name(slot) for slot in own.glob("engine-classic/*")]
    return [path for name in names for path in (cgroup.ROOT / name, *cgroup.ROOT.glob(f"*/{name}")) if path.exists()]


def contained(own: Path) -> set[str]:
    """The processes in the containers of the engines in this cache."""
    found = set[str]()
    for group in groups(own):
        for folder, _, _ in os.walk(group):  # unlike rglob, this accepts that a group is removed meanwhile
            with contextlib.suppress(OSError):
                found.update(Path(folder, "cgroup.procs").read_text().split())
    return found


def captured(root: Path) -> dict[str, bytes]:
    """Every file of a capture below a project or a snippet."""
    return {name: content for name, content in tree(root).items() if "/captured/" in f"/{name}"}


def current(root: Path) -> dict[str, bytes]:
    """The same without what a killed run was writing, which the next one removes before it writes anything."""
    return {name: content for name, content in captured(root).items() if "/." not in name}


class TestCommand:
    """A command that hangs, or prints without end."""

    @pytest.mark.parametrize("build", [False, True], ids=["run", "build"])
    def test_hangs(self, root: Path, engine: Engine, cache: Path, *, build: bool) -> None:
        """It is ended on time with its container, although it ignores signals; the message shows its output."""
        name = sleeps(root, 3001, build=build)
        edit(root / f"snippets/{name}/snippet.toml", "command =", "timeout = 5\ncommand =")
        (result,) = measure(root, engine, cache, name, write=True)
        assert result.verdict == "not measured"
        assert "ran longer than 5 s" in str(result.error)
        assert "begun" in str(result.error)
        wait_until(lambda: not sleeping(3001))
        assert engine.client.call("ps", "--all", "--quiet").text() == ""
        assert captured(root) == {}

    @pytest.mark.parametrize("endless", ["yes begun", "yes begun | tr -d '\\n'"], ids=["lines", "one line"])
    def test_prints_without_end(self, root: Path, engine: Engine, cache: Path, endless: str) -> None:
        """It is ended at the cap with its container; the message shows a little of it, however long its lines."""
        (root / "snippets/count/context/words.sh").write_text(f"{endless}\n")
        (result,) = measure(root, engine, cache, "count", write=True)
        assert result.verdict == "not measured"
        assert "printed more than 4,000,000 bytes" in str(result.error)
        assert "begun" in str(result.error)
        assert len(str(result.error)) < 2500
        wait_until(lambda: not processes(b"yes\0begun\0"))
        assert engine.client.call("ps", "--all", "--quiet").text() == ""
        assert captured(root) == {}

    def test_prints_without_end_in_a_build(self, root: Path, engine: Engine, cache: Path) -> None:
        """BuildKit cuts the output of a RUN at two megabytes and continues: the timeout ends it."""
        edit(root / "snippets/note/context/Dockerfile", "COPY note.txt", "RUN yes begun\nCOPY note.txt")
        edit(root / "snippets/note/snippet.toml", "command =", "timeout = 8\ncommand =")
        (result,) = measure(root, engine, cache, "note", write=True)
        assert result.verdict == "not measured"
        assert "ran longer than 8 s" in str(result.error)
        assert "output clipped, log limit" in str(result.error)
        wait_until(lambda: not processes(b"yes\0begun\0"))
        assert captured(root) == {}


class TestInterrupt:
    def test_ctrl_c_keeps_what_was_finished(self, root: Path, own: Path) -> None:
        """Code 130 and one line. Earlier snippets have complete captures, this one has none."""
        sleeps(root, 3002, build=True)
        with started(root, own, "update") as running:
            wait_until(lambda: sleeping(3002) and len(list(root.glob("snippets/*/captured/rebuilt/capture.json"))) == 2)
            os.kill(running.pid, signal.SIGINT)
            output, _ = running.communicate(timeout=60)
        assert running.returncode == 130
        assert output.splitlines()[-1] == "proof: interrupted; finished results are kept"
        assert "Traceback" not in output
        for name, there in (("count", True), ("fails", True), ("note", False)):
            assert (store.load(root / f"snippets/{name}/captured/rebuilt") is not None) is there
        assert processes(f"{own}/".encode()) == []
        assert groups(own) == []

    def test_asked_to_end_it_cleans_up_too(self, root: Path, own: Path, tmp_path: Path) -> None:
        """SIGTERM, which CI systems send, works like Ctrl-C."""
        name = sleeps(root, 3003, build=False)
        (tmp_path / "t").mkdir()
        with started(root, own, "update", name, TMPDIR=str(tmp_path / "t")) as running:
            wait_until(lambda: sleeping(3003))
            running.terminate()
            running.communicate(timeout=60)
        assert running.returncode == 130
        assert list((tmp_path / "t").iterdir()) == []
        assert processes(f"{own}/".encode()) == []


class TestKill:
    def stale(self, root: Path, names: list[str]) -> list[object]:
        """The captures that are incomplete, or do not match their snippets."""
        known = base_images.load(root)
        keys = {name: known.key(name) for name in known.images}
        wrong: list[object] = []
        for snippet in manifest.load_all(root, names) if names else []:
            found = store.load(snippet.captured / "rebuilt")
            wrong += [*found.tampered, *fingerprint.without_engine(snippet, found, keys)] if found else [snippet.name]
        return wrong

    def test_at_any_moment(self, root: Path, own: Path, tmp_path: Path) -> None:
        """After kill -9 no engine, mount or lock is left, captures are complete, and the next run removes the rest."""
        seed = int(os.environ.get("PROOF_SEED", str(random.randrange(10**6))))
        kills = int(os.environ.get("PROOF_KILLS", "4"))
        dice = random.Random(seed)
        print(f"PROOF_SEED={seed} PROOF_KILLS={kills}")
        (temporary := tmp_path / "t").mkdir()
        env = {"TMPDIR": str(temporary)}
        begun = time.monotonic()
        assert run(root, own, "update", **env)[0] == 0
        whole = time.monotonic() - begun
        bridge = Path("/sys/class/net/docker0").exists()
        moments: list[str] = []
        alive = written = 0  # only kills while there was an engine count; the others are looked at all the same
        while alive < kills:
            # Something to write each time, in two of three.
            for name in ("count", "note"):
                (root / f"snippets/{name}/context/note.txt").write_text(f"a note, {dice.random()}")
            before = {name: current(root / "snippets" / name) for name in ("count", "fails", "note")}
            moment, verb = dice.uniform(0, 0.8 * whole), dice.choice(["update", "update", "check"])
            with started(root, own, verb, **env) as running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.communicate(timeout=moment)
                if running.poll() is None:  # a run that had ended already is not killed
                    there, inside = bool(daemons(own)), bool(contained(own))
                    alive += there
                    moments.append(f"{moment:.2f} s{' engine' * there}{' container' * inside}")
                running.kill()
            wait_until(lambda: none_left(temporary, f"{own}/".encode(), f"{temporary}/".encode()))
            wait_until(lambda: not contained(own))
            assert f"{own}/" not in Path("/proc/self/mounts").read_text()
            assert is_free(root / "snippets")
            changed = [name for name, files in before.items() if current(root / "snippets" / name) != files]
            assert verb == "update" or changed == []
            assert self.stale(root, changed) == []
            written += len(changed)
        print(f"{len(moments)} kills, {written} captures written by then; killed after {', '.join(moments)}")
        assert Path("/sys/class/net/docker0").exists() == bridge
        # A kill seldom comes while a capture is written: what it leaves then, in place of that moment.
        (root / "snippets/fails/captured/.rebuilt.new-1").mkdir()
        (root / "snippets/fails/captured/.rebuilt.new-1/run.txt").write_text("hal")
        code, output = run(root, own, "update", **env)
        assert code == 0, output
        assert list(temporary.iterdir()) == []
        assert groups(own) == []
        assert [name for name in tree(root) if ".new-" in name] == []
        with private_docker.start(own, PLATFORM) as engine:
            assert engine.client.call("ps", "--all", "--quiet").text() == ""
            assert engine.client.call("image", "ls", "--format", "{{.Repository}}").text() == "alpine\n"


class TestTwoRuns:
    def test_the_second_update_waits_for_the_first(self, root: Path, own: Path) -> None:
        """It says which process holds the captures, since when and by which command, and continues after that."""
        sleeps(root, 3004, build=True)
        with started(root, own, "update", "note") as first:
            wait_until(lambda: sleeping(3004))
            with started(root, own, "update", "count") as second:
                assert second.stdout is not None
                said = second.stdout.readline()
                assert f"waiting for process {first.pid} on " in said
                assert "update note`, since 20" in said
                os.kill(first.pid, signal.SIGINT)
                output, _ = second.communicate(timeout=60)
                assert second.returncode == 0, output
        assert store.load(root / "snippets/count/captured/rebuilt") is not None


class TestEngine:
    def test_killed_once(self, root: Path, own: Path) -> None:
        """The engine is killed during a run and during a build: it is restarted, the snippet runs again, code 0."""
        sleeps(root, 2, build=False)
        sleeps(root, 3, build=True)
        with started(root, own, "update") as running:
            for seconds in (2, 3):
                wait_until(partial(sleeping, seconds))
                kill_the_engine(own)
            output, _ = running.communicate(timeout=120)
        assert running.returncode == 0, output
        assert output.count("the engine was lost and has been restarted") == 2
        assert len(list(root.glob("snippets/*/captured/rebuilt/capture.json"))) == 3

    def test_killed_twice(self, root: Path, own: Path) -> None:
        """If the engine is always lost with one snippet, only that is not measured: code 3, never drift."""
        sleeps(root, 2, build=False)
        with started(root, own, "update") as running:
            while running.poll() is None:
                if sleeping(2):
                    for pid in daemons(own):
                        os.kill(pid, signal.SIGKILL)
                    wait_until(lambda: not sleeping(2))
                time.sleep(0.1)
            output, _ = running.communicate(timeout=120)
        assert running.returncode == 3, output
        assert "? count  not measured" in output
        assert "the engine was lost during `docker start --attach" in output
        assert "hint: run the command again" in output
        assert len(list(root.glob("snippets/*/captured/rebuilt/capture.json"))) == 2

    @pytest.mark.parametrize("build", [False, True], ids=["run", "build"])
    def test_hangs(self, root: Path, own: Path, *, build: bool) -> None:
        """SIGSTOP: the step ends at its deadline, `version` at its own, and the engine is replaced.

        The deadline leaves a busy machine the time to run the step on the new engine.
        """
        name = sleeps(root, 2, build=build)
        with started(root, own, "update", name, "--timeout", "15") as running:
            wait_until(lambda: sleeping(2))
            for pid in daemons(own):
                os.kill(pid, signal.SIGSTOP)
            output, _ = running.communicate(timeout=120)
        assert running.returncode == 0, output
        assert "the engine was lost and has been restarted" in output
        assert processes(f"{own}/".encode()) == []


class TestRegistry:
    def project(self, root: Path, address: str) -> Path:
        """One snippet, of a base that this registry has."""
        need_skopeo()
        edit(root / "snippets/bases.toml", "docker.io/library/alpine:3.22", f"{address}/alpine:1")
        for name in ("count", "fails"):
            shutil.rmtree(root / "snippets" / name)
        (root / "snippets/note/context/Dockerfile").write_text("FROM alpine:3.22\nCOPY note.txt /srv/note.txt\n")
        (root / "snippets/note/snippet.toml").write_text(
            'title = "t"\nimage = "note"\n[[step]]\nname = "build"\ncommand = "docker build -t note ."\n'
        )
        (root / "docs/index.md").write_text("# A page\n\n{{ transcript note/build }}\n")
        return root

    def test_a_tag_that_moved(self, root: Path, own: Path) -> None:
        """The lock keeps the old image. With --newest-bases a check finds drift, and an update moves the lock."""
        with serving() as registry:
            self.project(root, registry.address)
            assert run(root, own, "update", "--bases", "registry")[0] == 0
            lock, old = root / "snippets/bases.lock", registry.digest
            assert lock.read_text().splitlines()[1:] == [f"{registry.address}/alpine:1@{old}"]
            code, output = run(root, own, "check", "--bases", "registry")
            assert (code, "has moved" in output) == (0, False)
            registry.manifest += b"\n"
            said = f"{registry.address}/alpine:1 has moved: it was {old}, now it is {registry.digest}"
            assert run(root, own, "check", "--bases", "registry")[0] == 0
            code, output = run(root, own, "check", "--bases", "registry", "--newest-bases", "--exit-by-cause")
            assert code == 6, output
            assert said in output
            assert "proof update note --bases registry (and --newest-bases, if you passed it)" in output
            assert old in lock.read_text()
            assert said in run(root, own, "update", "--bases", "registry", "--newest-bases")[1]
            assert lock.read_text().splitlines()[1:] == [f"{registry.address}/alpine:1@{registry.digest}"]

    def test_a_digest_in_from(self, root: Path, own: Path) -> None:
        """It is shown as it is written, has to be the locked one, and is moved by --newest-bases."""
        with serving() as registry:
            self.project(root, registry.address)
            dockerfile, old = root / "snippets/note/context/Dockerfile", registry.digest
            edit(dockerfile, "FROM alpine:3.22", f"FROM docker.io/library/alpine:3.22@{old}")
            code, output = run(root, own, "update", "--bases", "rebuilt")
            assert (code, "bases.lock has no digest of alpine:3.22" in output) == (2, True), output
            assert run(root, own, "update", "--bases", "registry")[0] == 0
            log = (root / "snippets/note/captured/registry/build.txt").read_text()
            assert f"FROM docker.io/library/alpine:3.22@{old}" in log
            assert "load metadata for docker.io/library/alpine:3.22@sha256:" in log
            assert run(root, own, "check", "--bases", "registry")[0] == 0
            registry.manifest += b"\n"
            code, output = run(root, own, "check", "--bases", "registry", "--newest-bases")
            assert code == 0, output
            code, output = run(root, own, "update", "--bases", "registry", "--newest-bases")
            assert "snippets/note/context/Dockerfile has the new digest" in output
            assert f"FROM docker.io/library/alpine:3.22@{registry.digest}\n" in dockerfile.read_text()
            assert run(root, own, "check", "--bases", "registry")[0] == 0
            edit(dockerfile, registry.digest, old)
            code, output = run(root, own, "update", "--bases", "registry")
            assert (code, "this digest of alpine:3.22 is not the one in bases.lock" in output) == (2, True), output

    def test_beside_rebuilt_bases(self, root: Path, own: Path) -> None:
        """Both sets are kept and can be repeated, whichever of them pages show."""
        with serving() as registry:
            self.project(root, registry.address)
            for bases in ("rebuilt", "registry"):
                assert run(root, own, "update", "--bases", bases)[0] == 0
            assert {path.name for path in (root / "snippets/note/captured").iterdir()} == {"rebuilt", "registry"}
            assert run(root, own, "check", "--bases", "registry")[0] == 0
        shutil.rmtree(own / "verdicts", ignore_errors=True)
        code, output = run(root, own, "check", "--bases", "rebuilt")
        assert code == 0, output
        assert "pages show captures on registry bases, which this run did not measure" in output

    def test_a_base_that_is_not_there(self, root: Path, own: Path, tmp_path: Path) -> None:
        """Only the snippets on this base are not measured: code 3; the results of the rest are written."""
        with serving() as registry:
            self.project(root, registry.address)
            bases = (root / "snippets/bases.toml").read_text().partition("[[base]]")[2]
            gone = bases.replace('"alpine:3.22"', '"gone:1"').replace("/alpine:1", "/gone:2")
            with (root / "snippets/bases.toml").open("a") as file:
                file.write(f"\n[[base]]{gone}")
            other = shutil.copytree(root / "snippets/note", root / "snippets/other")
            edit(other / "context/Dockerfile", "alpine:3.22", "gone:1")
            code, output = run(root, own, "update", "--bases", "registry", "--results", str(tmp_path / "part"))
        assert code == 3, output
        assert "note  written" in output
        assert "other  not measured" in output
        assert output.count("hint: check `registry` in bases.toml") == 1
        assert (tmp_path / "part/captures/note/capture.json").exists()
        assert "gone" not in (root / "snippets/bases.lock").read_text()

    def test_a_registry_that_is_away_is_not_asked_for_each_base(self, root: Path, own: Path) -> None:
        """A registry that is down is not waited for again, and every snippet has a result."""
        with serving() as registry:
            self.project(root, registry.address)
            bases = (root / "snippets/bases.toml").read_text().partition("[[base]]")[2]
            with (root / "snippets/bases.toml").open("a") as file:
                file.write("\n[[base]]" + bases.replace('"alpine:3.22"', '"b:1"').replace("/alpine:1", "/b:1"))
            other = shutil.copytree(root / "snippets/note", root / "snippets/other")
            edit(other / "context/Dockerfile", "alpine:3.22", "b:1")
            registry.forever = "503"
            code, output = run(root, own, "update", "--bases", "registry")
            asked = {path.split("/")[2] for path in registry.asked if "/manifests/" in path}
        assert code == 3, output
        assert "reports an error (4 attempts)" in output
        assert output.count("not measured\n") == 2
        assert len(asked) <= 1


class TestDisk:
    """Disks of a few megabytes, each in a mount namespace that goes with its run."""

    def on(self, folder: Path, size: str, root: Path, own: Path, then: str = "true", **env: str) -> tuple[int, str]:
        """`proof update` with a small disk in place of a folder, whose files it has."""
        script = f"""
        cp -a "$1" "$1.saved"
        mount -t tmpfs -o size={size} tmpfs "$1" || exit 99
        cp -a "$1.saved/." "$1"
        shift
        "$@"
        code=$?
        {then}
        exit $code
        """
        folder.mkdir(parents=True, exist_ok=True)
        done = process.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", str(folder), *PROOF, "update", "--engine", "private"],
            env={**os.environ, "PROOF_CACHE": str(own), **env},
            cwd=root,
            deadline=120,
            merge=True,
        )
        assert "Traceback" not in done.text()
        return done.exit, done.text()

    @pytest.mark.parametrize(("size", "finished"), [("500k", False), ("30m", True)])
    def test_of_temporary_files(self, root: Path, tmp_path: Path, cache: Path, size: str, *, finished: bool) -> None:
        """Full while a base is built or a context copied: code 3 and the directory; finished captures are kept."""
        with (root / "snippets/note/context/large").open("wb") as file:
            file.write(b"x" * 40_000_000)
        (tmp_path / "c").mkdir()
        own = with_packages(tmp_path / "c", cache)
        code, output = self.on(tmp_path / "t", size, root, own, TMPDIR=str(tmp_path / "t"))
        print(output)
        assert code == 3
        assert f"{tmp_path}/t/" in output
        assert "the disk is full" in output
        for name, there in (("count", finished), ("note", False)):
            assert (store.load(root / f"snippets/{name}/captured/rebuilt") is not None) is there

    @pytest.mark.parametrize("size", ["100k", "10m", "40m"])
    def test_of_the_engine(self, root: Path, tmp_path: Path, own: Path, size: str) -> None:
        """Full while the engine starts, loads a base, or builds: code 3 and where space is needed."""
        dockerfile = root / "snippets/note/context/Dockerfile"
        edit(dockerfile, "COPY note.txt", "RUN dd if=/dev/zero of=/big bs=1M count=100\nCOPY note.txt")
        cache = tmp_path / "c"
        cache.mkdir()
        code, output = self.on(cache / "engine-classic", size, root, with_packages(cache, own))
        print(output)
        assert code == 3
        assert "disk is full" in output or "the disk of the engine is full" in output
        assert "free some space" in output
        assert store.load(root / "snippets/note/captured/rebuilt") is None

    def test_of_the_repository(self, root: Path, own: Path) -> None:
        """A capture that does not fit is not written in part: code 3 and the file."""
        then = "find snippets -path '*captured/*'; du -k snippets"
        code, output = self.on(root / "snippets", "68k", root, own, then=then)
        print(output)
        assert code == 3
        assert "snippets/note/captured/" in output
        assert ": the disk is full" in output
        assert "hint: free some space, then run the command again" in output
        listed = [line for line in output.splitlines() if line.startswith("snippets/")]
        assert not [line for line in listed if ".new-" in line]
        folders = {line.rpartition("/")[0] for line in listed if line.endswith(".txt")}
        assert all(f"{folder}/capture.json" in listed for folder in folders)


class TestMemory:
    @pytest.mark.usefixtures("memory_runs_out")
    def test_out_of_memory(self, root: Path, own: Path) -> None:
        """300 MB with a limit of 128: killed in a run and in a build, and reported as out of memory."""
        greedy = "dd if=/dev/zero of=/dev/null bs=300M count=1"
        (root / "snippets/count/context/words.sh").write_text(f"{greedy}\nwc -w note.txt\n")
        edit(root / "snippets/note/context/Dockerfile", "COPY note.txt", f"RUN {greedy}\nCOPY note.txt")
        code, output = run(root, own, "update", "--memory", "128M")
        assert code == 3, output
        assert "out of memory: the kernel ended a process during count/words" in output
        assert "out of memory: the kernel ended a process during note/build" in output
        assert output.count("hint: close other programs, or pass a higher --memory") == 2
        assert "✎ fails  written" in output
        assert groups(own) == []

    def test_a_template_that_grows(self, root: Path, engine: Engine, cache: Path) -> None:
        """Docker's client is in no container, and gets no more memory than it may have."""
        known = base_images.load(root)
        loader.ensure(known, "alpine:3.22", engine, origin="rebuilt", cache=cache)
        words = ["docker", "inspect", "alpine:3.22", "-f", "{{pad .Id 90000000000 1}}"]
        assert is_starved(engine.client.run(words, deadline=60, merge=True))

    def test_processes_without_end(
        self, root: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A fork bomb is stopped before the machine runs out of processes."""
        monkeypatch.setattr(cgroup, "_PROCESSES", 100)
        (root / "snippets/count/context/words.sh").write_text("while sleep 3007 & do :; done")
        with private_docker.start(tmp_path, PLATFORM) as few:
            (result,) = measure(root, few, cache, "count", write=True)
        assert result.verdict == "not measured"
        assert "out of processes: the containers had as many as they may have during count/words" in str(result.error)
        assert "can't fork" in str(result.error)
        assert not sleeping(3007)


class TestShared:
    """The user's own engine is used if asked for, and left as it was."""

    def snapshot(self, engine: Engine) -> list[list[str]]:
        return [*snapshot(engine), sorted(engine.build_cache())]

    def changed(self, root: Path) -> Path:
        """The project with builds that the user's cache does not have, two of them under one name."""
        dockerfile = root / "snippets/note/context/Dockerfile"
        edit(dockerfile, "COPY note.txt /srv/note.txt", "RUN mkdir /one /two\nCOPY note.txt /srv/note.txt")
        text = (root / "snippets/note/snippet.toml").read_text()
        build = '[[step]]\nname = "build"\ncommand = "docker build -t note ."\nshow = [\'naming to\']\n'
        again = '[[step]]\nname = "again"\ncommand = "docker build -t note --label a=b ."\n\n'
        assert build in text
        (root / "snippets/note/snippet.toml").write_text(text.replace(build, build + "\n" + again))
        unclaim(root)
        shown = "{{ transcript note/build }}"
        edit(root / "docs/index.md", shown, f"{shown}\n\n{shown.replace('build', 'again')}")
        return root

    def host(self, users: Engine) -> dict[str, str]:
        return {"DOCKER_HOST": users.client.env["DOCKER_HOST"]}

    def test_left_as_it_was(self, root: Path, own: Path, users: Engine) -> None:
        """Images, containers, networks, volumes and the build cache are the same as before."""
        before = self.snapshot(users)
        code, output = run(self.changed(root), own, "update", "--engine", "docker", **self.host(users))
        assert code == 0, output
        assert self.snapshot(users) == before
        assert list(own.glob("journals/*/*")) == []

    @pytest.mark.parametrize("build", [False, True], ids=["run", "build"])
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
    def test_ended_in_the_middle(
        self, root: Path, own: Path, users: Engine, how: signal.Signals, *, build: bool
    ) -> None:
        """After Ctrl-C nothing is left; what is left after kill -9 has our prefix, and the next run removes it."""
        before = self.snapshot(users)
        sleeps(self.changed(root), 3005, build=build)
        with started(root, own, "update", "--engine", "docker", **self.host(users)) as running:
            wait_until(lambda: sleeping(3005))
            os.kill(running.pid, how)
            running.communicate(timeout=60)
        if how == signal.SIGKILL:
            now = self.snapshot(users)
            names = {*now[0], *now[1]} - {*before[0], *before[1]}
            assert names
            assert all("proof-" in name or "<none>" in name for name in names)
            shutil.rmtree(root)
            code, output = run(tiny(root.parent), own, "update", "--engine", "docker", "fails", **self.host(users))
            assert code == 0, output
        assert not sleeping(3005)
        assert self.snapshot(users)[:4] == before[:4]
        # Of a build that was killed the engine itself drops the records, or keeps what no journal could name.
        if not (how == signal.SIGKILL and build):
            assert self.snapshot(users)[4] == before[4]
        assert list(own.glob("journals/*/*")) == []

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
    def test_lost(
        self, root: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
    ) -> None:
        """It is not restarted: not measured, with a hint; the same if it hangs at the start of a run."""
        name = sleeps(root, 3006, build=False)
        command = ("update", name, "--engine", "docker", "--timeout", "5")
        with private_docker.start(tmp_path, PLATFORM) as users:
            monkeypatch.setenv("DOCKER_HOST", users.client.env["DOCKER_HOST"])
            with_packages(tmp_path, cache)
            with started(root, tmp_path, *command) as running:
                wait_until(lambda: sleeping(3006))
                for pid in daemons(tmp_path):
                    os.kill(pid, how)
                output, _ = running.communicate(timeout=120)
            code, again = run(root, tmp_path, *command)
            for pid in daemons(tmp_path):
                os.kill(pid, signal.SIGCONT)
        assert running.returncode == code == 3, output
        assert "the engine was lost during" in output
        assert "start it first" in output
        assert "`docker` is installed, but its engine does not answer" in again
        assert captured(root) == {}
