"""Which files scripts/refresh accepts as a lock, and that pip reads them in the same way."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements

from tests.support.helpers import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "requirements.py"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-mutation.lock", "requirements-uv.lock")
SPEC = importlib.util.spec_from_file_location("requirements", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
requirements = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(requirements)

HEAD = "\n".join(requirements.HEAD) + "\n"
HASH = f"    --hash=sha256:{'0' * 64}"
ONE = f"one==1.0 \\\n{HASH} \\\n{HASH}\n    # via proof (pyproject.toml)\n"
MARKER = "python_full_version < '3.12' and sys_platform == 'win32' or python_full_version != '3.13.*'"
TWO = f"two-2==1.0.post1+x ; {MARKER} \\\n{HASH}\n    # via\n    #   one\n"
SPLIT = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r\0\t\xa0"  # some program reads each of these as a newline or a blank


@pytest.mark.parametrize("name", LOCKS)
def test_our_locks_are_locks(name: str) -> None:
    """The committed locks are accepted."""
    content = (REPOSITORY / name).read_bytes()
    assert len(requirements.check(content)) == len(re.findall(rb"(?m)^\w", content))
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), name], cwd=REPOSITORY, check=False)
    assert done.returncode == 0


def versions(name: str) -> dict[str, str]:
    """The packages of a lock with their versions."""
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (REPOSITORY / name).read_text()))


def test_locks_agree() -> None:
    """They are installed on top of each other, so a package has one version in all of them."""
    found: dict[str, set[str]] = {}
    for name in LOCKS:
        for package, version in versions(name).items():
            found.setdefault(package, set()).add(version)
    assert {package: sorted(seen) for package, seen in found.items() if len(seen) > 1} == {}
    assert {"click", "markdown"} <= versions("requirements.lock").keys() & versions("requirements-dev.lock").keys()


def test_the_site_needs_no_package_of_development() -> None:
    """The first lock has what pyproject.toml depends on and `setuptools`, and what these depend on."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    groups = project["dependency-groups"]

    def names(wanted: list[str]) -> set[str]:
        return {re.split(r"[<>=;]", line)[0].lower() for line in wanted}

    site, dev = versions("requirements.lock").keys(), versions("requirements-dev.lock").keys()
    needed = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["site"]]
    assert names([*needed, *groups["install"]]) <= site
    assert names(groups["dev"]) <= dev
    assert not names(groups["dev"]) & site


def test_what_a_lock_names() -> None:
    assert requirements.check(f"{HEAD}{ONE}{TWO}".encode()) == ["one", "two-2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        f"{ONE}",  # without its head
        f"{HEAD}{ONE}".removesuffix("\n"),
        f"{HEAD}\n{ONE}",
        f"# coding: utf-7\n{HEAD}{ONE}",  # pip would then decode the file accordingly
        f"{HEAD}".replace("scripts/lock", "scripts/lock coding=utf-7") + ONE,
        f"\ufeff{HEAD}{ONE}",
        f"{HEAD}{ONE}".replace("\n", "\r\n"),
        f"{HEAD}{ONE}one==1.0 \\\n{HASH}\n",  # twice
        f"{HEAD}one==1.0\n",  # without a hash
        f"{HEAD}one==1.0 \\\n",
        f"{HEAD}one==1.0 \\\n    # via x\n",
        f"{HEAD}one==1.0 \\\n{HASH} \\\n",  # which continues on the next line
        f"{HEAD}one==1.0 \\\n{HASH} \\\n    # via x\n",
        f"{HEAD}one==1.0 \\\n{HASH} \\\n{TWO}",
        f"{HEAD}{HASH}\n",
        f"{HEAD}    # via x\n{ONE}",
        f"{HEAD}one==1.0 \\\n{HASH}\n{HASH}\n",
        f"{HEAD}one==1.0 \\\n    --hash=md5:{'0' * 32}\n",
        f"{HEAD}one==1.0 \\\n    --hash=sha256:{'0' * 63}\n",
        f"{HEAD}one==1.0 \\\n    --hash=sha256:{'A' * 64}\n",
        f"{HEAD}One==1.0 \\\n{HASH}\n",
        f"{HEAD}o_ne==1.0 \\\n{HASH}\n",
        f"{HEAD}one>=1.0 \\\n{HASH}\n",
        f"{HEAD}one==1.* \\\n{HASH}\n",
        f"{HEAD}one[extra]==1.0 \\\n{HASH}\n",
        f"{HEAD}one @ https://example.invalid/one.whl \\\n{HASH}\n",
        f"{HEAD}./one==1.0 \\\n{HASH}\n",
        f"{HEAD}one==1.0 --index-url https://example.invalid \\\n{HASH}\n",
        f"{HEAD}one==1.0 ; os_name == 'x' --global-option=x \\\n{HASH}\n",
        f"{HEAD}one==1.0 ; os_name == '$HOME' \\\n{HASH}\n",
        *(
            f"{HEAD}{ONE}{line}\n"
            for line in (
                "--index-url https://example.invalid/simple",
                "--extra-index-url=https://example.invalid",
                "-i https://example.invalid",
                "--find-links https://example.invalid",
                "--trusted-host example.invalid",
                "--no-binary :all:",
                "--pre",
                "-r other.txt",
                "-c other.txt",
                "-e .",
                "evil",
                "",
                "# a comment of another kind",
                "    # via x --index-url https://example.invalid",
                "    # via x \\",
                "    # via ${HOME}",
                *(
                    f"    # via x{c}--index-url https://example.invalid"
                    for c in "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r\0\t\xa0"
                ),
            )
        ),
    ],
)
def test_what_is_not_a_lock(text: str, tmp_path: Path) -> None:
    """Exit code 2 and a reason in ASCII, whatever the file contains."""
    with pytest.raises(requirements.NotALockError):
        requirements.check(text.encode())
    (tmp_path / "x.lock").write_bytes(text.encode())
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), "x.lock"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"x.lock is not a lock: ")
    assert re.fullmatch(rb"[ -~]+\n", done.stderr)


def test_a_file_of_any_length(tmp_path: Path) -> None:
    (tmp_path / "x.lock").touch()
    with (tmp_path / "x.lock").open("r+b") as file:
        file.truncate(10**13)
    assert requirements.main([str(tmp_path / "x.lock")]) == 2
    assert requirements.main([str(tmp_path / "nothing")]) == 2


PIECES = st.sampled_from(
    [
        *(ONE, TWO, HEAD, HASH, " \\\n", "\n", "\\", "    # via", "three==3 ", "; os_name == 'x' ", "#", " ", "'"),
        *("--index-url https://example.invalid", "--pre", "-e .", "-r x", "coding: utf-7", "+AAo-", "${HOME}", "\t"),
        *("\u2028", "\x85", "\x0c", "\x0b", "\x1c", "\r", "\0", "\ufeff", "٣", "\xa0"),
    ]
)


@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:DeprecationWarning")  # pip's own
@given(pieces=st.lists(PIECES, max_size=8), at=st.integers(0, 400), cut=st.integers(0, 3))
def test_pip_reads_what_was_read_here(
    pieces: list[str], at: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any edited lock is refused, or pip sees the same packages, each with hashes, and no options."""
    whole = f"{HEAD}{ONE}{TWO}"
    content = (whole[:at] + "".join(pieces) + whole[at + cut :]).encode()
    try:
        names = requirements.check(content)
    except requirements.NotALockError:
        return
    path = tmp_path_factory.getbasetemp() / "read-by-pip.lock"
    path.write_bytes(content)
    session = PipSession()
    found = list(parse_requirements(str(path), session))
    assert [re.split("[ =]", entry.requirement)[0] for entry in found] == names
    for entry in found:
        assert entry.options
        assert {name for name, value in entry.options.items() if value} == {"hashes"}
    assert all(not entry.is_editable and not entry.constraint for entry in found)
    assert not session.auth.index_urls
