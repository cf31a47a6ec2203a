"""Where a private engine cannot be started, it says what is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from proof.engines import private_daemon
from proof.system import sandbox


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine on which it can be started."""
    found = SimpleNamespace(sysname="Linux", machine="x86_64")
    monkeypatch.setattr(os, "uname", lambda: found)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr(sandbox, "buildx", lambda: Path("/usr/libexec/docker/cli-plugins/docker-buildx"))
    return found


def test_all_is_there() -> None:
    """Then there is no obstacle."""
    assert private_daemon.obstacle() == ""


def test_another_processor(machine: SimpleNamespace) -> None:
    """It would emulate the platform of the captures, which is no measurement."""
    machine.machine = "aarch64"
    reason = "a private engine needs a machine for linux/amd64, without emulation: this one is aarch64"
    assert private_daemon.obstacle() == reason


def test_no_buildx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it no image can be built."""
    monkeypatch.setattr(sandbox, "buildx", lambda: None)
    assert private_daemon.obstacle() == "a private engine needs docker-buildx, not installed here"
