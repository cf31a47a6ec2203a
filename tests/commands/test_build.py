"""scripts/build: which snippets it asks for, and that it says no more than the check did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

NOTHING = "Nothing was verified: no container engine is available. The pages show the committed captures."
ARTICLE = "Checking the snippets of the article. To check those of every page: scripts/build --all"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The script with stubs for what it calls: each logs its arguments, and `proof` answers what the test says."""
    write(tmp_path, {f"scripts/{name}": (REPOSITORY / "scripts" / name).read_bytes() for name in ("build", "lib.sh")})
    stubs = {name: f'#!/bin/sh\necho "{name}${{*:+ $*}}" >>calls\n' for name in ("scripts/bootstrap", "scripts/site")}
    stubs[".venv/bin/proof"] = '#!/bin/sh\necho "proof $*" >>calls\necho "$SAYS"\nexit "$CODE"\n'
    write(tmp_path, stubs)
    for name in stubs:
        (tmp_path / name).chmod(0o755)
    return tmp_path


def build(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/build", *arguments],
        cwd=root,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SAYS": "3 snippets", "CODE": "0", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ((), "check --no-engine-ok --page docs/index.md"),
        (("--all",), "check --no-engine-ok"),
        (("note", "--rerun"), "check --no-engine-ok note --rerun"),
        (("--all", "--quick"), "check --no-engine-ok --quick"),
    ],
)
def test_the_site_comes_before_the_check(arguments: tuple[str, ...], call: str, root: Path) -> None:
    """So there is something to look at while the article's snippets run, unless others are named."""
    done = build(root, *arguments)
    assert done.returncode == 0, done.stderr
    calls = ["scripts/site --draft", "scripts/bootstrap", f"proof {call}"]
    assert (root / "calls").read_text().splitlines() == calls
    assert (ARTICLE in done.stdout) is (not arguments)


@pytest.mark.parametrize(
    ("env", "call"),
    [
        ({"CI": "true"}, "check --page docs/index.md"),
        ({"SITE_URL": "https://example.com/"}, "check --no-engine-ok --page docs/index.md"),
    ],
)
def test_what_may_be_published_is_checked_first(env: dict[str, str], call: str, root: Path) -> None:
    """With CI or SITE_URL, snippets are checked before the site is built. In CI, a missing engine is an error."""
    done = build(root, **env)
    assert done.returncode == 0, done.stderr
    assert (root / "calls").read_text().splitlines() == ["scripts/bootstrap", f"proof {call}", "scripts/site"]


@pytest.mark.parametrize("says", ["3 snippets", NOTHING])
def test_only_the_check_says_what_was_verified(says: str, root: Path) -> None:
    """Without an engine nothing was, and the script must not claim otherwise after it."""
    site, first, check, last = build(root, SAYS=says).stdout.splitlines()
    assert site == "To look at the site: scripts/serve"
    assert (first, check) == (ARTICLE, says)
    assert last.startswith("Done in ")


@pytest.mark.parametrize("code", [1, 3, 4, 5, 8])
@pytest.mark.parametrize(("env", "site"), [({}, "scripts/site --draft"), ({"CI": "true"}, "scripts/site")])
def test_a_verdict_is_no_reason_to_build_no_site(code: int, env: dict[str, str], site: str, root: Path) -> None:
    """The site is built from the captures, and the script ends with the code of the check, and says so."""
    done = build(root, CODE=str(code), **env)
    assert done.returncode == code
    assert site in (root / "calls").read_text().splitlines()
    last = f"The site shows the committed captures; the exit code, {code}, is that of the check above."
    assert done.stdout.splitlines()[-1] == last


@pytest.mark.parametrize("code", [2, 70, 130, 137])
def test_what_is_no_verdict_publishes_no_site(code: int, root: Path) -> None:
    """A wrong argument or a broken page, a crash, or Ctrl-C."""
    done = build(root, CODE=str(code), CI="true")
    assert done.returncode == code
    assert "scripts/site" not in (root / "calls").read_text()
    assert "Done" not in done.stdout


def test_a_site_that_cannot_be_built_is_the_last_word(root: Path) -> None:
    """There is nothing to look at, whatever the check would find."""
    write(root, {"scripts/site": "#!/bin/sh\nexit 2\n"})
    done = build(root)
    assert done.returncode == 2
    assert not (root / "calls").exists()
