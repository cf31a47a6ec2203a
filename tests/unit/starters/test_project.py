"""`proof init`: what it writes, and that it changes nothing that was there."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml

from proof.core import site_config
from proof.core.files import write_new
from proof.core.site_file import site_file
from proof.snippets import base_images, project, settings
from proof.snippets.capture_locations import Origin
from proof.starters import project as starter
from proof.starters.project import Generator
from tests.support.helpers import REPOSITORY, TINY, succeeded, tree
from tests.support.in_process import proof
from tests.support.makers import write


@pytest.mark.parametrize("generator", get_args(Generator))
@pytest.mark.parametrize("bases", ["rebuilt", "registry"])
def test_a_project_is_valid(tmp_path: Path, generator: Generator, bases: Origin) -> None:
    """Its settings, base images and snippet can be read, and nothing is left but that the snippet never ran."""
    made = starter.make(tmp_path, generator, bases)
    assert made.kept == ()
    assert {str(path) for path in tree(tmp_path)} == set(made.written)
    assert settings.load(tmp_path).bases == bases
    known = base_images.load(tmp_path)
    assert known.origin == bases
    known.check(project.load_all(tmp_path))
    assert "proof" in site_config.load(site_file(tmp_path))["markdown_extensions"]


@pytest.mark.parametrize(("generator", "more"), [("mkdocs", ""), ("properdocs", " properdocs properdocs-theme-mkdocs")])
def test_its_workflow_installs_what_its_owner_names(tmp_path: Path, generator: Generator, more: str) -> None:
    """And nothing if the variable is not set: on the package index, the name could be anybody's."""
    starter.make(tmp_path, generator, "registry")
    steps = yaml.safe_load((tmp_path / ".github/workflows/proof.yml").read_text())["jobs"]["proof"]["steps"]
    (install,) = (step["run"] for step in steps if "pip install" in step.get("run", ""))
    script = install.replace("pip install", "printf '%s '")
    unset = subprocess.run(["bash", "-ec", script], env={"PROOF": ""}, capture_output=True, text=True, check=False)
    assert unset.returncode != 0
    assert unset.stdout == ""
    assert "set the variable PROOF" in unset.stderr
    done = subprocess.run(
        ["bash", "-ec", script], env={"PROOF": "https://a/b.whl"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"proof-pages[site] @ https://a/b.whl{more} "


def test_its_workflow_runs_nothing_of_the_checkout(tmp_path: Path) -> None:
    """What a branch brings as a virtual environment, or as a module that Python would import, is left alone."""
    starter.make(tmp_path, "mkdocs", "registry")
    steps = yaml.safe_load((tmp_path / ".github/workflows/proof.yml").read_text())["jobs"]["proof"]["steps"]
    script = "\n".join(step["run"] for step in steps if "run" in step)
    checkout = write(
        tmp_path / "checkout", {"venv.py": "open('ran', 'w')", ".venv/lib/python3/site-packages/x.pth": "x"}
    )
    for name in ("pip", "proof", "mkdocs"):
        write(checkout, {f".venv/bin/{name}": "#!/bin/sh\ntouch ran\n"})
        (checkout / ".venv/bin" / name).chmod(0o755)
        write(tmp_path, {f"bin/{name}": f"#!/bin/sh\necho {name} >>calls\n"})
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    env = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_PATH": str(tmp_path / "path"),
        "PROOF": "x",
    }
    subprocess.run(["bash", "-ec", script], cwd=checkout, env=env, check=True)
    assert (tmp_path / "path").read_text() == f"{tmp_path / 'proof/bin'}\n"
    assert (checkout / "calls").read_text().split() == ["pip", "proof", "mkdocs", "proof"]
    assert sorted(path.name for path in checkout.iterdir()) == [".venv", "calls", "venv.py"]


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """Each file of the same name is kept, byte for byte, and the message says what to add to it."""
    there = {
        "mkdocs.yml": "site_name: Mine\n",
        "docs/index.md": "# Mine\n",
        ".gitignore": "x",
        "docs/more.md": "# More\n",
    }
    write(tmp_path, there)
    done = succeeded(proof("init", cwd=tmp_path))
    assert {name: (tmp_path / name).read_text() for name in there} == there
    assert "mkdocs.yml is as it was: add `proof` to its markdown_extensions" in " ".join(done.stdout.split())
    assert (tmp_path / "snippets/hello/snippet.toml").is_file()


@pytest.mark.parametrize("kind", ["folder", "file", "link", "link to nothing"])
def test_snippets_are_not_touched(tmp_path: Path, kind: str) -> None:
    """Where there are snippets, there is a project."""
    place, elsewhere = tmp_path / "one" / "snippets", tmp_path / "elsewhere"
    place.parent.mkdir()
    elsewhere.mkdir()
    match kind:
        case "folder":
            place.mkdir()
        case "file":
            place.write_text("mine")
        case _:
            place.symlink_to(elsewhere if kind == "link" else tmp_path / "nothing")
    done = proof("init", cwd=tmp_path / "one")
    assert done.returncode == 2
    assert "snippets: there are snippets here already" in done.stderr
    assert "hint: proof new NAME" in done.stderr
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["snippets"]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["docs", "docs/assets", "schemas", ".github"])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "file"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str, kind: str) -> None:
    """What somebody put into the directory cannot lead out of it; and nothing is left of the project."""
    root, elsewhere = tmp_path / "one", tmp_path / "elsewhere"
    (root / name).parent.mkdir(parents=True)
    elsewhere.mkdir()
    if kind == "file":
        (root / name).write_text("mine")
    else:
        (root / name).symlink_to(elsewhere if kind == "link" else tmp_path / "nothing")
    before = sorted(tmp_path.rglob("*"))
    done = proof("init", cwd=root)
    assert done.returncode == 2, done.stdout
    assert f"{name}: expected a directory, found a" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("link", ["mkdocs.yml", "proof.toml", "docs/index.md"])
def test_a_link_in_the_place_of_a_file_is_kept(tmp_path: Path, link: str) -> None:
    """Also one to nothing: writing to it would make a file elsewhere."""
    (tmp_path / "one" / link).parent.mkdir(parents=True)
    (tmp_path / "one" / link).symlink_to(tmp_path / "target")
    made = starter.make(tmp_path / "one", "mkdocs", "registry")
    assert made.kept == (link,)
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("directory", "says"),
    [
        ("", "the directory has no name"),
        ("file", "File exists"),
        ("file/below", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("loop", "File exists"),
        ("gone", "File exists"),
    ],
)
def test_a_directory_that_cannot_be(tmp_path: Path, directory: str, says: str) -> None:
    """The message says why, and nothing is left."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nothing")
    done = proof("init", directory, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "hint:" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "gone", "loop"]


def test_an_odd_directory_is_named_harmlessly(tmp_path: Path) -> None:
    """A name may hold anything, which a terminal must not act on and a shell must not run."""
    done = succeeded(proof("init", "a b;$(x)\x1b[31m", cwd=tmp_path))
    assert "\x1b[31m" not in done.stdout
    assert r"Next: cd $'a b;$(x)\x1b[31m', then" in done.stdout


def test_a_project_that_failed_is_made_by_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the disk is full: there are no snippets, so it is no project yet."""
    for last in range(12):
        left = iter(range(last))

        def fails(path: Path, text: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise OSError(28, "No space left on device")
            write_new(path, text)

        root = tmp_path / str(last)
        monkeypatch.setattr(starter, "write_new", fails)
        with pytest.raises(OSError, match="No space"):
            starter.make(root, "mkdocs", "registry")
        assert not list(root.glob("*snippets*"))
        monkeypatch.undo()
        made = starter.make(root, "mkdocs", "registry")
        assert {str(path) for path in tree(root)} == {*made.written, *made.kept}


def test_its_files_are_those_of_this_repository() -> None:
    """The style sheet is this site's, and the rebuilt base that of the tiny project: neither is kept twice."""
    files = REPOSITORY / "scripts/proof/starters/files"
    assert (files / "proof.css").read_bytes() == (REPOSITORY / "docs/assets/proof.css").read_bytes()
    recipe = (TINY / "snippets/bases.toml").read_text("utf-8").partition("\n\n")[2]
    assert recipe in (files / "bases-rebuilt.toml").read_text("utf-8")
