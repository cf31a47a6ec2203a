"""scripts/build, scripts/ci and scripts/test: what they call, in which order, and how they end."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.helpers import succeeded
from tests.support.makers import write
from tests.support.scripts import calls, run, stubbed

ENGINE = "#!/bin/sh\n[ ! -e unavailable ] || exit 3\necho 'export PATH=/pinned:\"$PATH\" DOCKER_CONFIG=/settings'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The scripts, among stubs of what they call."""
    for script in ("ci", "build", "test"):
        stubbed(tmp_path, script)
    programs = [f".venv/bin/{name}" for name in ("proof", "ruff", "mypy", "python")]
    return stubbed(tmp_path, "build", "scripts/bootstrap", "scripts/site", *programs)


# ── scripts/build ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ((), "--no-engine-ok --page docs/index.md"),
        (("note", "--rerun"), "--no-engine-ok note --rerun"),
        (("--all", "--quick"), "--no-engine-ok --quick"),
    ],
)
def test_the_site_comes_before_the_check(arguments: tuple[str, ...], call: str, root: Path) -> None:
    """So there is something to look at while the article's snippets run, unless others are named."""
    done = succeeded(run(root, "build", *arguments, SAYS="Nothing was verified."))
    assert calls(root) == ["site --draft", "bootstrap", f"proof check {call}"]
    assert ("Checking the snippets of the article." in done.stdout) is (not arguments)
    # The script must not claim more than the check did.
    assert re.search(r"Nothing was verified\.\nDone in \d+ s\.\n$", done.stdout)


@pytest.mark.parametrize(
    ("env", "flag"), [({"CI": "true"}, ""), ({"SITE_URL": "https://example.com/"}, "--no-engine-ok ")]
)
def test_what_may_be_published_is_checked_first(env: dict[str, str], flag: str, root: Path) -> None:
    """With CI or SITE_URL, snippets are checked before the site is built. In CI, a missing engine is an error."""
    assert run(root, "build", **env).returncode == 0
    assert calls(root) == ["bootstrap", f"proof check {flag}--page docs/index.md", "site"]


@pytest.mark.parametrize("code", [1, 3, 8])
@pytest.mark.parametrize(("env", "site"), [({}, "site --draft"), ({"CI": "true"}, "site")])
def test_a_verdict_is_no_reason_to_build_no_site(code: int, env: dict[str, str], site: str, root: Path) -> None:
    """The site is built from the captures, and the script ends with the code of the check, and says so."""
    done = run(root, "build", FAILS="proof", CODE=str(code), **env)
    assert done.returncode == code
    assert site in calls(root)
    assert done.stdout.endswith(f"the exit code, {code}, is that of the check above.\n")


@pytest.mark.parametrize("code", [2, 70, 130, 137])
def test_what_is_no_verdict_publishes_no_site(code: int, root: Path) -> None:
    """A wrong argument or a broken page, a crash, or Ctrl-C."""
    done = run(root, "build", FAILS="proof", CODE=str(code), CI="true")
    assert (done.returncode, "Done" in done.stdout) == (code, False)
    assert "site" not in calls(root)


def test_a_site_that_cannot_be_built_is_the_last_word(root: Path) -> None:
    """There is nothing to look at, whatever the check would find."""
    assert run(root, "build", FAILS="site", CODE="2").returncode == 2
    assert calls(root) == ["site --draft"]


# ── scripts/ci ────────────────────────────────────────────────────────────────────────────────────────────────


def ci(root: Path, *arguments: str, **env: str) -> tuple[int, list[str]]:
    """The exit code, and each command that was called, without the set-up."""
    stubbed(root, "ci", "scripts/test", files={"scripts/install-engine": ENGINE})
    done = run(root, "ci", *arguments, **env)
    return done.returncode, list(dict.fromkeys(call for call in calls(root) if not call.startswith("bootstrap")))


PINNED = "pinned, /settings"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        # Held to its words: a private engine of the pinned programs, and the machine's own with readers' image store.
        ("reference", [PINNED, "proof check --rerun --engine private --same-engine"]),
        ("docker-29", ["proof check --rerun --engine docker --same-engine"]),
        # Compared by values.
        ("podman", ["proof check --rerun --engine podman"]),
        # An image store.
        ("containerd", ["test tests/engine -k containerd"]),
    ],
)
def test_an_engine_runs_every_snippet(name: str, called: list[str], root: Path) -> None:
    assert ci(root, "engine", name) == (0, called)


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
        ({"ENGINE": "reference"}, [PINNED, "proof update --engine private --bases registry --newest-bases"]),
        ({"ENGINE": "docker-29"}, ["proof update --engine docker --bases registry"]),  # on the images that are locked
    ],
)
def test_a_refresh_chooses_its_engine(env: dict[str, str], called: list[str], root: Path) -> None:
    """A claim that fails with the new numbers, code 1, is for the pull request to report."""
    called = [*called[:-1], f"{called[-1]} --shard 1/2 --results build/results"]
    for code, ends in ((1, 0), (3, 3), (70, 70)):  # 70 is a crash
        assert ci(root, "measure", "1/2", FAILS="proof", CODE=str(code), **env) == (ends, called)


@pytest.mark.parametrize(
    ("engine", "check", "words"),
    [
        ("", "auto", ""),
        ("podman", "podman", ""),
        ("reference", "private", " --same-engine"),
        ("docker-29", "docker", " --same-engine"),
    ],
)
def test_shards_and_their_merge_compare_alike(engine: str, check: str, words: str, root: Path) -> None:
    """Words count in both or in neither, as on one machine."""
    code, called = ci(root, "check", "1/2", ENGINE=engine)
    checked = f"proof check --rerun --engine {check}{words} --shard 1/2 --results build/results"
    assert (code, called[-1]) == (0, checked)
    merged = f"proof merge a b{words} --report junit=build/junit.xml"
    assert ci(root, "merge", "a", "b", ENGINE=engine) == (0, [merged])


# ── scripts/test ──────────────────────────────────────────────────────────────────────────────────────────────

CHECKS = ["ruff check", "ruff format --check --diff", "mypy"]
PYTEST = f"python -m pytest --numprocesses {(os.cpu_count() or 1) + 1}"
UNIT = f"{PYTEST} --dist worksteal tests/unit"
OTHERS = f"{PYTEST} --dist loadscope --no-loadscope-reorder --ignore tests/unit"
QUICK = f"{PYTEST} --hypothesis-profile=quick --dist worksteal tests/unit"


def call_test(root: Path, *arguments: str, fails: str = "", code: int = 1) -> tuple[int, list[str]]:
    """The exit code, and every call in its order, without the directory for temporary files."""
    done = run(root, "test", *arguments, FAILS=fails, CODE=str(code))
    called = calls(root)
    for folder in re.findall(r" --basetemp (\S+)", "\n".join(called)):
        assert Path(folder).exists() is bool(fails)  # what failed tests leave is kept
        shutil.rmtree(folder, ignore_errors=True)
    return done.returncode, [re.sub(r" --basetemp \S+", "", call) for call in called]


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ((), ["bootstrap --tests", *CHECKS, UNIT, OTHERS]),
        (("-k", "a b"), ["bootstrap --tests", *CHECKS, OTHERS.replace("--ignore tests/unit", "-k a b")]),
        (("--quick", "-x"), ["bootstrap --dev", *CHECKS, f"{QUICK} -x"]),
    ],
)
def test_what_is_tested(arguments: tuple[str, ...], called: list[str], root: Path) -> None:
    """Everything, or with --quick what needs no engine and no browser: neither is installed for it then."""
    assert call_test(root, *arguments) == (0, called)


@pytest.mark.parametrize(("fails", "last"), [("bootstrap", 1), ("ruff", 2), ("mypy", 4), ("python", 5)])
def test_it_ends_at_the_first_failure(fails: str, last: int, root: Path) -> None:
    """What comes after it is not run, and the exit code says so."""
    assert call_test(root, "--quick", fails=fails) == (1, ["bootstrap --dev", *CHECKS, QUICK][:last])


@pytest.mark.parametrize(("code", "last"), [(1, 6), (2, 5), (3, 5)])
def test_a_failed_unit_test_stops_no_other(code: int, last: int, root: Path) -> None:
    """One run tells all, and fails. After Ctrl-C (2) or an error of pytest itself (3), no other tests begin."""
    everything = ["bootstrap --tests", *CHECKS, UNIT, OTHERS]
    assert call_test(root, fails="python", code=code) == (code, everything[:last])
