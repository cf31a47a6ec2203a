"""scripts/ci: which engine a job uses, and what it compares."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

# Each stub prints its name and arguments; proof's, whether the pinned engine comes first on its PATH.
ENGINE = "#!/bin/sh\n[ ! -e unavailable ] || exit 3\necho 'export PATH=/pinned:\"$PATH\" DOCKER_CONFIG=/settings'\n"
PROOF = (
    '#!/bin/sh\ncase $PATH in /pinned:*) echo "pinned, $DOCKER_CONFIG" ;; esac\necho "proof $*"\nexit "${CODE:-0}"\n'
)
SCRIPTS = {"install-engine": ENGINE, "bootstrap": "#!/bin/sh\n", "test": '#!/bin/sh\necho "test $*"\n'}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The script among stubs of what it calls."""
    files = {f"scripts/{name}": text for name, text in SCRIPTS.items()} | {".venv/bin/proof": PROOF}
    write(
        tmp_path,
        {**files, **{f"scripts/{name}": (REPOSITORY / "scripts" / name).read_text() for name in ("ci", "lib.sh")}},
    )
    for name in ("scripts/ci", *files):
        (tmp_path / name).chmod(0o755)
    return tmp_path


def ci(root: Path, *arguments: str, **env: str) -> tuple[int, list[str]]:
    """The exit code, and what was called."""
    done = subprocess.run(
        ["scripts/ci", *arguments],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_the_reference_engine_is_held_to_its_words(root: Path) -> None:
    """It is a private engine of the pinned programs."""
    called = ["pinned, /settings", "proof check --rerun --engine private --same-engine"]
    assert ci(root, "engine", "reference") == (0, called)


@pytest.mark.parametrize("name", ["private", "docker", "podman"])
def test_another_engine_is_compared_by_values(name: str, root: Path) -> None:
    """Every snippet is run, and no word of the engine counts."""
    assert ci(root, "engine", name) == (0, [f"proof check --rerun --engine {name}"])


def test_docker_29_is_held_to_its_words(root: Path) -> None:
    """It is the machine's own, which has the image store that readers have."""
    assert ci(root, "engine", "docker-29") == (0, ["proof check --rerun --engine docker --same-engine"])


def test_an_image_store_is_tested(root: Path) -> None:
    assert ci(root, "engine", "containerd") == (0, ["test tests/engine -k containerd"])


@pytest.mark.parametrize("job", [("engine", "reference"), ("measure", "1/2"), ("check", "1/2")])
def test_without_the_reference_engine_nothing_runs(job: tuple[str, ...], root: Path) -> None:
    """Above all not another engine in its place."""
    write(root, {"unavailable": ""})
    assert ci(root, *job, ENGINE="reference") == (3, [])


@pytest.mark.parametrize(
    ("env", "called"),
    [
        ({}, ["proof update --engine auto --bases registry --newest-bases"]),
        ({"ENGINE": "docker", "BASES": "rebuilt"}, ["proof update --engine docker --bases rebuilt"]),
        (
            {"ENGINE": "reference"},
            ["pinned, /settings", "proof update --engine private --bases registry --newest-bases"],
        ),
    ],
)
def test_a_refresh_chooses_its_engine(env: dict[str, str], called: list[str], root: Path) -> None:
    """A claim that fails with the new numbers, code 1, is for the pull request to report."""
    *before, last = called
    called = [*before, f"{last} --shard 1/2 --results build/results"]
    assert ci(root, "measure", "1/2", CODE="1", **env) == (0, called)
    for code in (3, 70):  # 70 is a crash
        assert ci(root, "measure", "1/2", CODE=str(code), **env) == (code, called)


@pytest.mark.parametrize(
    ("env", "checks", "words"),
    [
        ({}, ["proof check --rerun --engine auto"], ""),
        ({"ENGINE": "podman"}, ["proof check --rerun --engine podman"], ""),
        (
            {"ENGINE": "reference"},
            ["pinned, /settings", "proof check --rerun --engine private --same-engine"],
            " --same-engine",
        ),
        ({"ENGINE": "docker-29"}, ["proof check --rerun --engine docker --same-engine"], " --same-engine"),
    ],
)
def test_shards_and_their_merge_compare_alike(env: dict[str, str], checks: list[str], words: str, root: Path) -> None:
    """Words count in both or in neither, as on one machine."""
    *before, last = checks
    assert ci(root, "check", "1/2", **env) == (0, [*before, f"{last} --shard 1/2 --results build/results"])
    merges = [f"proof merge a b{words} --report junit=build/junit.xml"]
    assert ci(root, "merge", "a", "b", **env) == (0, merges)
