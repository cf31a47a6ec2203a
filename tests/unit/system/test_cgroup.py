"""The control group, for both versions of the kernel's interface, in a directory that imitates it."""

from pathlib import Path

import pytest

from proof.system import cgroup


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    return tmp_path


def test_version_1(root: Path) -> None:
    """Memory, memory with swap and processes are limited. The group is found in and removed from each hierarchy."""
    for hierarchy in ("memory", "pids"):
        (root / hierarchy).mkdir()
    assert cgroup.make("proof-1", 300 << 20)
    group = root / "memory" / "proof-1"
    assert (group / "memory.limit_in_bytes").read_text() == (group / "memory.memsw.limit_in_bytes").read_text()
    assert (group / "memory.limit_in_bytes").read_text() == "314572800"
    assert (root / "pids" / "proof-1" / "pids.max").read_text() == "10000"
    for name in (*group.iterdir(), root / "pids" / "proof-1" / "pids.max"):
        name.unlink()  # in the kernel's file system, removing the directory removes these
    (root / "pids" / "proof-1" / "buildkit").mkdir()
    (root / "pids" / "proof-2").mkdir()
    cgroup.remove("proof-1")
    assert not list(root.rglob("proof-1"))
    assert list(root.rglob("proof-2"))


def test_version_2(root: Path) -> None:
    """Memory and processes are limited, and there is no swap."""
    (root / "cgroup.controllers").write_text("memory pids")
    assert cgroup.make("proof-1", 300 << 20)
    assert (root / "cgroup.subtree_control").read_text() == "+pids"
    assert (root / "proof-1" / "pids.max").read_text() == "10000"
    assert (root / "proof-1" / "memory.max").read_text() == "314572800"
    assert (root / "proof-1" / "memory.swap.max").read_text() == "0"


def test_not_allowed(root: Path) -> None:
    """Without a writable hierarchy, no group is created."""
    assert not cgroup.make("proof-1", 1)
    assert list(root.iterdir()) == []


def test_in_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group with running processes is left to the next run after a while."""
    monkeypatch.setattr(cgroup, "_GRACE", 0.1)
    (root / "memory" / "proof-1").mkdir(parents=True)
    (root / "memory" / "proof-1" / "busy").write_text("")
    cgroup.remove("proof-1")
    assert list(root.rglob("proof-1"))


def test_watch_version_1(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill anywhere on the machine counts only if the group reached its limit meanwhile."""
    killed = [1]
    monkeypatch.setattr(cgroup, "oom_kills", lambda: killed[0])
    group = root / "memory" / "proof-1"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("314572800\n")
    (group / "memory.max_usage_in_bytes").write_text("314572800\n")
    ran_out = cgroup.watch("proof-1")
    assert (group / "memory.max_usage_in_bytes").read_text() == "0"
    killed[0] = 2
    assert ran_out() == ""
    (group / "memory.max_usage_in_bytes").write_text("314568704\n")
    assert ran_out() == "memory"
    killed[0] = 1
    assert ran_out() == ""


def test_watch_version_2(root: Path) -> None:
    """The group counts its own kills."""
    (root / "proof-1").mkdir()
    events = root / "proof-1" / "memory.events"
    events.write_text("low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0\n")
    ran_out = cgroup.watch("proof-1")
    assert ran_out() == ""
    events.write_text("low 0\nhigh 0\nmax 12\noom 3\noom_kill 4\noom_group_kill 0\n")
    assert ran_out() == "memory"


@pytest.mark.parametrize("group", ["proof-1", "pids/proof-1"])
def test_watch_processes(group: str, root: Path) -> None:
    """In either version: steps that run when the limit is reached, and no later one, although the peak stays."""
    folder = root / group
    folder.mkdir(parents=True)
    (folder / "pids.max").write_text("100\n")
    peak = folder / "pids.peak"
    peak.write_text("99\n")
    early, late = cgroup.watch("proof-1"), cgroup.watch("proof-1")
    assert early() == late() == ""
    peak.write_text("100\n")
    assert early() == late() == "processes"
    after, other = cgroup.watch("proof-1"), cgroup.watch("proof-1")
    assert (folder / "pids.max").read_text() == "101"
    assert after() == other() == ""
    assert early() == "processes"
    peak.write_text("101\n")
    assert after() == other() == "processes"


def test_processes_without_a_limit(root: Path) -> None:
    """A group that could not be limited reaches nothing."""
    (root / "pids" / "proof-1").mkdir(parents=True)
    (root / "pids" / "proof-1" / "pids.max").write_text("max\n")
    (root / "pids" / "proof-1" / "pids.peak").write_text("12\n")
    assert cgroup.watch("proof-1")() == ""
    assert (root / "pids" / "proof-1" / "pids.max").read_text() == "max\n"


def test_nothing_to_watch(root: Path) -> None:
    """Without a group, no kill is reported."""
    (root / "memory").mkdir()
    assert cgroup.watch("")() == ""
    assert cgroup.watch("proof-1")() == ""


@pytest.mark.skipif(not Path("/proc/vmstat").exists(), reason="only Linux counts kills")
def test_this_machine() -> None:
    """The default limit is below the total memory, and kills can be counted."""
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert 0 < cgroup.default_memory() < total
    assert cgroup.oom_kills() >= 0
