"""The wheel that is made of this repository, installed where neither the repository nor its settings are in reach."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY, TINY, captured, edit, succeeded, tiny

PACKAGE = REPOSITORY / "scripts" / "proof"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as an installation from the package index would be, but with the setuptools of the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy, because setuptools leaves its own directories in what it builds from.
    copy = folder / "source"
    shutil.copytree(REPOSITORY / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy], check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel in it, and the directory of its programs."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], check=True)
    # The packages that it needs are those of this environment, without its editable installation.
    (site / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin"


def run(installed: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program of the environment, in a directory outside of the repository."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    argv: list[str | Path] = [installed / arguments[0], *arguments[1:]]
    env |= {"PATH": f"{installed}:/usr/bin:/bin", "PROOF_CACHE": str(cwd.parent / "cache"), "COLUMNS": "80"}
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Modules and data alike; and nothing outside of `proof`."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        f"proof/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == ours
    assert "proof/preview/preview.js" in held


def test_the_repository_is_out_of_reach(installed: Path, tmp_path: Path) -> None:
    """Otherwise the tests below would try the checkout."""
    done = run(installed, "python", "-c", "import proof; print(proof.__file__)", cwd=tmp_path)
    assert done.stdout.startswith(str(installed.parent)), done.stderr


def test_a_project_is_checked_built_and_finished(installed: Path, tmp_path: Path) -> None:
    """The Markdown extension is found by its name, and the finishing step needs nothing of this repository."""
    root = captured(tiny(tmp_path))
    succeeded(run(installed, "proof", "status", cwd=root))
    edit(root / "mkdocs.yml", "theme: mkdocs", "theme: { name: material, font: false }")
    edit(root / "mkdocs.yml", "- tables", "- tables: { use_align_attribute: true }")
    succeeded(run(installed, "python", "-m", "mkdocs", "build", "--strict", cwd=root))
    done = run(installed, "proof", "publish", cwd=root)
    assert (done.returncode, done.stdout) == (0, "2 pages finished\n"), done.stderr


def test_a_project_is_made(installed: Path, tmp_path: Path) -> None:
    """With the files that are data of the package. Only a run of its snippet is missing."""
    done = run(installed, "proof", "init", "mine", "--bases", "rebuilt", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    root = tmp_path / "mine"
    said = run(installed, "proof", "status", cwd=root)
    assert "hello was never captured" in said.stdout, said.stderr
    succeeded(run(installed, "proof", "new", "other", "--from", "hello", cwd=root))
    captured(root)
    (root / "docs/other.md").write_text("# Other\n\n{{ transcript other/build }}\n\n{{ transcript other/run }}\n")
    succeeded(run(installed, "proof", "status", cwd=root))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(installed: Path, tmp_path: Path, shell: str) -> None:
    """Argcomplete's script names the command, which then answers with verbs and names of snippets."""
    register = (Path(sys.executable).parent / "register-python-argcomplete", "--shell", shell, "proof")
    assert "proof" in run(installed, *register, cwd=tmp_path).stdout
    asks = "import os, sys; os.dup2(1, 8); os.execv(sys.argv[1], ['proof'])"
    for line, found in (("proof expl", "explain"), ("proof check no", "note"), ("proof new a --from fa", "fails")):
        env = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": shell, "_ARGCOMPLETE_IFS": "\n", "COMP_TYPE": "9"}
        env |= {"COMP_LINE": line, "COMP_POINT": str(len(line))}
        done = subprocess.run(
            [sys.executable, "-c", asks, str(installed / "proof")],
            cwd=TINY,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert found in done.stdout.split(), done.stderr


def without(installed: Path, folder: Path, *names: str) -> Sequence[str]:
    """The command line of a `proof` for which these packages aren't installed."""
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in names)
    (folder / "less.py").write_text(f"import sys; {blocked}; from proof.cli.main import main; sys.exit(main())")
    return [str(installed / "python"), str(folder / "less.py")]


@pytest.mark.parametrize(("verb", "package"), [("serve", "mkdocs"), ("publish", "PIL"), ("publish", "tinycss2")])
def test_what_is_missing_is_named(installed: Path, tmp_path: Path, verb: str, package: str) -> None:
    """The core is light: what a site needs in addition is an extra, and the message says which."""
    root = captured(tiny(tmp_path))
    start = without(installed, tmp_path, "mkdocs", "PIL", "tinycss2", "material")
    status = subprocess.run([*start, "status"], cwd=root, capture_output=True, text=True, check=False)
    assert status.returncode == 0, status.stderr
    start = without(installed, tmp_path, package)
    done = subprocess.run([*start, verb], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(rf"`proof {verb}` needs the package {package}\b", done.stderr)
    assert "hint: pip install 'proof-pages[site]'" in done.stderr
