"""`--no-engine-ok`, which scripts/build passes: no engine is no error, but one that cannot be used is."""

from pathlib import Path
from typing import NoReturn

import pytest

from proof.core.errors import NoEngineError, NotInstalledError
from proof.engines import registry
from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof

STOPPED = NoEngineError("`docker` is installed, but does not answer", evidence="permission denied", hint="start it")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, where no engine is installed."""
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    opens(monkeypatch, {})
    return captured(tiny(tmp_path))


def opens(monkeypatch: pytest.MonkeyPatch, errors: dict[str, NoEngineError]) -> None:
    """Let each engine fail with its error. All others are not installed."""

    def opened(kind: str, _: object) -> NoReturn:
        raise errors.get(kind) or NotInstalledError(f"`{kind}` is not installed here")

    monkeypatch.setattr(registry, "opened", opened)


def test_none_is_installed(root: Path) -> None:
    """A warning of one line says so; without the option it is an error, which says how to get one."""
    done = proof("check", "--no-engine-ok", cwd=root)
    reasons = "; ".join(f"`{kind}` is not installed here" for kind in registry.ENGINES)
    said = f"Nothing was verified: no container engine is available: {reasons}."
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{said} The pages show the committed captures."
    done = proof("check", cwd=root)
    assert done.returncode == 3
    assert "apt-get install docker.io" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--no-engine-ok",), ("--engine", "docker", "--no-engine-ok")])
def test_one_is_installed(arguments: tuple[str, ...], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it cannot be used, that is an error, with its evidence and its hint."""
    opens(monkeypatch, {"docker": STOPPED})
    done = proof("check", *arguments, cwd=root)
    assert done.returncode == 3
    assert "Nothing was verified" not in done.stdout
    words = done.stderr.replace("|", "").split()
    assert " ".join(words).find(" ".join(str(STOPPED).replace("|", "").split())) > 0


def test_with_a_broken_snippet(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are reported, and the code is that of the snippet."""
    opens(monkeypatch, {"docker": STOPPED})
    edit(root / "snippets/count/snippet.toml", "title =", "titel =")
    done = proof("check", cwd=root)
    assert done.returncode == 2
    for said in ("unknown key 'titel'", "| permission denied", "hint: start it", "Nothing was verified"):
        assert said in done.stdout
