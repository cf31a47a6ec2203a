"""scripts/bootstrap: which packages it installs where, and when it leaves a machine alone."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY, wait_until
from tests.support.makers import write

TOOLS = "bash cat chmod cmp cp dirname flock grep mkdir rm sed sleep tail tr"
# Logs its calls. `python -m venv` makes a copy of itself, and pip installs a uv, which does nothing but log too. It is
# looked for with -I, as an old one would import modules from the root directory otherwise.
PYTHON = """#!/bin/sh
case $* in
  '-I -c '*_base_executable*) echo "$0"; exit ;;
  *' -c '* | *' --version') exit ;;
  '-m venv --without-pip .venv') mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *build/uv.lock) printf '#!/bin/sh\\necho "uv $*" >>calls\\n' >.venv/bin/uv; chmod +x .venv/bin/uv ;;
esac
echo "python $*" >>calls
"""
APT = '#!/bin/sh\necho "apt-get $*" >>calls\n'
POLICY = "#!/bin/sh\necho 'Candidate: 1.0'\n"
ANSWERS, SILENT = "#!/bin/sh\nexit 0\n", "#!/bin/sh\nexit 1\n"
DEBIAN = "ID=debian\nPRETTY_NAME='Debian'\n"
# Everything of the engine but Docker itself.
REST = dict.fromkeys(("setpriv", "unshare", "bwrap"), ANSWERS)


def lock(name: str) -> str:
    return f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n"


class Machine:
    """A clone with the real scripts, on a machine that has the programs in `bin` and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # What these scripts look at outside of the clone is below it here.
        text = (REPOSITORY / "scripts/bootstrap").read_text()
        for place in ("/etc/os-release", "/usr/lib*", "/usr/local/lib*"):
            assert place in text
            text = text.replace(place, f"{root}{place}")
        library = (REPOSITORY / "scripts/lib.sh").read_text()
        path = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n"
        assert path in library
        write(root, {"scripts/bootstrap": text, "scripts/lib.sh": library.replace(path, "")})
        write(root, {"requirements.lock": lock("uv"), "requirements-dev.lock": lock("b"), "pyproject.toml": "c"})
        (root / "bin").mkdir()
        for name in TOOLS.split():
            found = shutil.which(name)
            assert found, name
            (root / "bin" / name).symlink_to(found)
        self.add(timeout='#!/bin/sh\nshift\nexec "$@"\n', python3=PYTHON)
        self.user(0)
        self.add(**{"apt-get": APT, "apt-cache": POLICY})
        write(root, {"etc/os-release": DEBIAN})

    def add(self, **programs: str) -> None:
        for name, text in programs.items():
            (write(self.root, {f"bin/{name}": text}) / "bin" / name).chmod(0o755)

    def user(self, number: int) -> None:
        self.add(id=f"#!/bin/sh\necho {number}\n")

    def call(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "scripts/bootstrap", *arguments],
            cwd=self.root,
            env={"PATH": str(self.root / "bin"), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments: str, **env: str) -> tuple[str, list[str]]:
        """What it says, and the calls that change something, since the last time."""
        calls = self.root / "calls"
        calls.unlink(missing_ok=True)
        done = self.call(*arguments, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def short(calls: list[str]) -> list[str]:
    """What was made or installed: a new `.venv`, a lock, `proof`, or packages of the system."""
    found = []
    for call in calls:
        last = call.split()[-1]
        if call.startswith("apt-get install"):
            found.append(" ".join(word for word in call.split("Dpkg::Use-Pty=0 ")[1].split() if word[0] != "-"))
        elif not call.startswith("apt-get"):
            found.append({".": "proof"}.get(last, last))
    return found


NEW = [".venv", "build/uv.lock", "requirements.lock", "proof"]
DEV = [".venv", "build/uv.lock", "requirements.lock", "requirements-dev.lock", "proof"]


def test_the_site_needs_one_lock(machine: Machine) -> None:
    """And nothing is installed where nothing changed. By hashes, and with no program of a package to build it."""
    calls = machine.run("--site-only")[1]
    assert short(calls) == NEW
    assert all("--require-hashes --only-binary :all:" in call for call in calls[1:3])
    assert (machine.root / "build/uv.lock").read_text() == lock("uv")
    assert machine.run("--site-only") == ("", [])


def test_development_needs_two(machine: Machine) -> None:
    """They stay for the site: to change between the two costs nothing."""
    machine.run("--site-only")
    assert short(machine.run("--dev")[1]) == DEV
    for wanted in ("--site-only", "--dev", "--site-only"):
        assert machine.run(wanted) == ("", [])


@pytest.mark.parametrize("wanted", ["--site-only", "--dev"])
@pytest.mark.parametrize(
    ("name", "made"), [("requirements.lock", DEV), ("requirements-dev.lock", DEV), ("pyproject.toml", ["proof"])]
)
def test_a_changed_lock_begins_anew(name: str, made: list[str], wanted: str, machine: Machine) -> None:
    """What a lock no longer names is gone; who has the packages of development keeps them."""
    machine.run("--dev")
    write(machine.root, {name: lock("uv") + lock("other")})
    assert short(machine.run(wanted)[1]) == made
    assert machine.run("--dev") == machine.run("--site-only") == ("", [])


def test_what_uv_cannot_fetch_is_asked_of_pip(machine: Machine) -> None:
    """It may know a mirror that uv doesn't. The hashes count as before."""
    machine.add(python3=PYTHON.replace(">>calls\\n'", ">>calls; case $* in *lock) exit 1; esac\\n'"))
    calls = machine.run("--site-only")[1]
    assert short(calls) == [*NEW[:3], "requirements.lock", "proof"]
    assert re.search(r"-m pip .*--require-hashes --only-binary :all: -r requirements.lock$", calls[3])


def test_a_lock_with_an_option_is_refused(machine: Machine) -> None:
    """Before anything is made. test_locks.py has what else is none."""
    write(machine.root, {"requirements.lock": f"{lock('uv')}--index-url https://example.invalid\n"})
    done = machine.call("--site-only")
    assert (done.returncode, "requirements.lock is not a lock" in done.stderr) == (2, True)
    assert not (machine.root / "calls").exists()


def test_settings_of_uv_change_nothing(machine: Machine) -> None:
    """Neither in the environment nor in a file."""
    machine.add(python3=PYTHON.replace('echo "uv $*"', 'echo "uv $UV_OVERRIDE $UV_NO_BINARY $*"'))
    calls = machine.run("--site-only", UV_OVERRIDE="x", UV_NO_BINARY="1")[1]
    assert [call.split()[:4] for call in calls if call.startswith("uv")] == [
        ["uv", "pip", "install", "--no-config"]
    ] * 2


DOCKER = "docker.io docker-cli"


@pytest.mark.parametrize(
    ("here", "installed"),
    [
        # A machine with nothing, as in CI.
        ({}, f"ca-certificates util-linux {DOCKER} bubblewrap docker-buildx"),
        # The packages are there and the daemon is not started: that is what the private engine needs.
        ({**REST, "docker": SILENT, "dockerd": SILENT}, "ca-certificates docker-buildx"),
        # A client whose engine is not there.
        ({**REST, "podman": SILENT}, f"ca-certificates {DOCKER} docker-buildx"),
        # A client that answers: Docker Desktop's in WSL, a remote context, Podman.
        ({**REST, "podman": ANSWERS}, None),
        ({"setpriv": ANSWERS, "unshare": ANSWERS, "docker": ANSWERS}, "ca-certificates bubblewrap"),
    ],
)
def test_no_daemon_is_installed_beside_an_engine(here: dict[str, str], installed: str | None, machine: Machine) -> None:
    """What Docker consists of is installed where no client answers, and only there."""
    machine.run("--site-only")
    machine.add(**here)
    assert short(machine.run()[1]) == ([installed] if installed else [])


def test_the_engine_is_installed_beside_the_packages(machine: Machine) -> None:
    """apt-get waits here until `proof` is being installed; the script waits for apt-get."""
    waits = "left=600; until grep -qs editable calls; do sleep 0.1; left=$((left - 1)); [ $left != 0 ] || exit 1; done"
    machine.add(**{"apt-get": f'#!/bin/sh\n{waits}\necho "apt-get $*" >>calls\n'})
    said, calls = machine.run()
    assert short(calls)[: len(NEW)] == NEW
    assert "✓ container engine" in said
    assert "docker.io" in calls[-1]


def test_a_failed_installation_shows_what_apt_says(machine: Machine) -> None:
    """The site is built without an engine, so the script succeeds, and tries again the next time."""
    machine.add(**{"apt-get": "#!/bin/sh\necho E: no space left\nexit 100\n"})
    said, _ = machine.run()
    assert "with code 100. The end of build/log/container-engine.log:\n  │ E: no space left\n" in said
    assert [path.name for path in (machine.root / "build").iterdir() if path.suffix == ".log"] == []
    assert "✗ container engine" in machine.run()[0]


def test_apt_is_not_left_at_work(machine: Machine) -> None:
    """If the Python packages fail, the script ends only after apt-get."""
    machine.add(
        **{"apt-get": '#!/bin/sh\nsleep 0.5\necho "apt-get $*" >>calls\n'},
        python3=PYTHON.replace("  '-m venv", "  *build/uv.lock) exit 1 ;;\n  '-m venv"),
    )
    done = machine.call()
    assert done.returncode == 3
    assert "apt-get install" in (machine.root / "calls").read_text()


# A shell starts what runs in its background with SIGINT ignored, and a test run may be just that.
INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
)


def test_ctrl_c_stops_apt_too(machine: Machine) -> None:
    """A terminal sends it to the whole group, and bash lets most of what runs in the background ignore it."""
    # Like the real one, it is a single process: a shell that is just starting another can lose the signal.
    machine.add(**{"apt-get": "#!/bin/sh\n: >begun\nexec sleep 60\n"})
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "bash", "scripts/bootstrap"],
        cwd=machine.root,
        env={"PATH": str(machine.root / "bin")},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        wait_until((machine.root / "begun").exists)
        os.killpg(running.pid, signal.SIGINT)
        try:
            assert running.wait(timeout=30) == 130
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def test_what_could_not_be_installed_is_not_asked_for_again(machine: Machine) -> None:
    """Until something else is missing."""
    machine.run("--site-only")
    machine.add(setpriv=ANSWERS, unshare=ANSWERS, docker=ANSWERS)
    assert "These packages do not bring bwrap." in machine.run()[0]
    assert machine.run() == ("", [])
    machine.add(docker=SILENT)
    assert short(machine.run()[1]) == [f"ca-certificates {DOCKER} bubblewrap docker-buildx"]


@pytest.mark.parametrize(
    ("user", "system", "env"),
    [(1000, DEBIAN, {}), (0, "ID=fedora\n", {}), (0, DEBIAN, {"PROOF_NO_INSTALL": "1"}), (501, "", {})],
)
def test_a_hint_where_nothing_may_be_installed(user: int, system: str, env: dict[str, str], machine: Machine) -> None:
    """An ordinary user, Fedora, macOS: one line with what to run there, and the site is built."""
    machine.user(user)
    write(machine.root, {"etc/os-release": system})
    if not system:
        (machine.root / "etc/os-release").unlink()
    said, calls = machine.run(**env)
    assert short(calls) == NEW
    (hint,) = [line for line in said.splitlines() if line.startswith("hint: ")]
    assert all(word in hint for word in ("Debian", "dnf install", "brew install"))
    machine.add(docker=SILENT)
    assert machine.run(**env) == ("", [])


def test_an_activated_environment_is_made_anew(machine: Machine) -> None:
    """Its own Python is removed with it, so the one that it was made of makes the new one."""
    assert machine.run()
    activated = machine.root / ".venv/bin/python3"
    activated.write_text(f'#!/bin/sh\nexec {machine.root}/bin/python3 "$@"\n')
    activated.chmod(0o755)
    write(machine.root, {"requirements.lock": lock("uv") + lock("newer")})
    assert short(machine.run("--site-only", PATH=f"{activated.parent}:{machine.root / 'bin'}")[1]) == NEW
    assert (machine.root / ".venv/bin/python").is_file()
