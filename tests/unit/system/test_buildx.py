"""Which buildx a client of the tool uses: the one that the user's own docker would."""

import json
from pathlib import Path

import pytest

from proof.system import sandbox
from proof.system.sandbox import Sandbox


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without settings, on a system without plugins."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setattr(sandbox, "_PLACES", ())
    return tmp_path


def plugin(folder: Path, name: str = "docker-buildx", mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch(mode)
    return folder / name


def told(folder: Path, settings: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(settings)


def test_in_the_users_own_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in ~/.docker, or in the directory that $DOCKER_CONFIG names instead."""
    own = plugin(home / ".docker/cli-plugins")
    assert sandbox.buildx() == own
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "other"))
    assert sandbox.buildx() is None
    assert plugin(home / "other/cli-plugins") == sandbox.buildx()


def test_in_a_directory_that_the_settings_name(home: Path) -> None:
    """Docker Desktop and Homebrew name their directories in config.json; docker's own comes first."""
    told(home / ".docker", json.dumps({"cliPluginsExtraDirs": [str(home / "none"), str(home / "desktop")]}))
    assert sandbox.buildx() is None
    assert plugin(home / "desktop") == sandbox.buildx()
    assert plugin(home / ".docker/cli-plugins") == sandbox.buildx()


def test_of_the_system_comes_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's directories are used if the user has none."""
    # These are relative to /usr.
    monkeypatch.setattr(sandbox, "_PLACES", (f"..{home}/lib", f"..{home}/libexec"))
    system = plugin(home / "libexec/docker/cli-plugins")
    found = sandbox.buildx()
    assert found
    assert found.samefile(system)
    assert plugin(home / ".docker/cli-plugins") == sandbox.buildx()


def test_a_file_that_cannot_be_run_is_none(home: Path) -> None:
    """As for docker, which would not start it either."""
    plugin(home / ".docker/cli-plugins", mode=0o644)
    assert sandbox.buildx() is None


@pytest.mark.parametrize(
    "settings",
    ["", "{", "[]", "{}", '{"cliPluginsExtraDirs": "plugins"}', '{"cliPluginsExtraDirs": [1, "plugins", "."]}'],
)
def test_settings_that_name_none(home: Path, monkeypatch: pytest.MonkeyPatch, settings: str) -> None:
    """Settings that docker could not use are none. A relative directory would be looked up in the context."""
    told(home / ".docker", settings)
    plugin(home / "plugins")
    plugin(home)
    monkeypatch.chdir(home)
    assert sandbox.buildx() is None


def test_no_other_plugin_is_used(home: Path) -> None:
    """A client's own settings have buildx alone, wherever it was found."""
    own = plugin(home / ".docker/cli-plugins")
    plugin(home / ".docker/cli-plugins", "docker-other")
    sandbox.link_buildx(home / "run/.docker")
    (linked,) = (home / "run/.docker/cli-plugins").iterdir()
    assert linked.name == "docker-buildx"
    assert linked.readlink() == own


def test_the_sandbox_shows_it_where_docker_looks_first(home: Path) -> None:
    """A buildx of the system that the sandbox shows too must not be used instead."""
    own = plugin(home / ".docker/cli-plugins")
    confined = Sandbox(Path("/usr/bin/bwrap"), Path("/run/d.sock"), Path("/usr/bin/docker"), own)
    words = confined.words({"HOME": "/run/home", "DOCKER_CONFIG": "/run/home/.docker"}, cwd=None)
    at = words.index("/run/home/.docker/cli-plugins/docker-buildx")
    assert words[at - 2 : at] == ["--ro-bind", str(own)]
    assert words.index("--tmpfs") < at
