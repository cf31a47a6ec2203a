"""A project whose files are something else: whatever is read of it, by the whole command."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.helpers import proof
from tests.support.hostile import create
from tests.support.makers import write
from tests.support.scripts import calls, run, stubbed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"link": "docs/leak.md", "to": "/etc/passwd"}, "docs/leak.md: expected a file or directory, found a symbolic"),
        ({"link": "docs/assets", "to": "/etc"}, "docs/assets: expected a file or directory, found a symbolic link"),
        ({"link": "docs/index.md", "to": "../snippets/bases.toml"}, "docs/index.md: expected a file or directory"),
        ({"pipe": "docs/a.md"}, "docs/a.md: expected a file or directory, found a named pipe"),
        ({"device": "docs/a.md"}, "docs/a.md: expected a file or directory, found a device"),
        ({"file": "docs/a.md", "size": 10**13}, "docs/a.md: the file is larger than 100,000 bytes"),
        ({"file": "docs/deep", "depth": 300}, "a path is longer than 500 bytes"),
        ({"link": "mkdocs.yml", "to": "/etc/shadow"}, "mkdocs.yml: expected a regular file, found a symbolic link"),
        ({"pipe": "mkdocs.yml"}, "mkdocs.yml: expected a regular file, found a named pipe"),
        ({"link": "snippets/cited.toml", "to": "/etc/shadow"}, "cited.toml: expected a regular file, found a symbolic"),
        ({"pipe": "snippets/cited.toml"}, "cited.toml: expected a regular file, found a named pipe"),
        ({"link": "snippets/bench.toml", "to": "/dev/zero"}, "bench.toml: expected a regular file, found a symbolic"),
        ({"file": "snippets/note/captured"}, "captured: expected a directory, found a regular file"),
        ({"file": "snippets/note/captured/x", "depth": 300}, "a path is longer than 500 bytes"),
        ({"link": "snippets/note/captured/rebuilt/a.txt", "to": "/etc/passwd"}, "a.txt: expected a file or directory"),
        ({"file": "snippets/note/captured/rebuilt/capture.json", "size": 10**13}, "larger than 20,000,000 bytes"),
        ({"link": "snippets/note", "to": "../elsewhere"}, "this directory is a symbolic link"),
        ({"link": "snippets/evil", "to": "/etc"}, "snippets/evil: expected a file or directory, found a symbolic link"),
        ({"link": "snippets/evil", "to": "/dev"}, "snippets/evil: expected a file or directory, found a symbolic link"),
        ({"link": "snippets/evil/x", "to": "/etc/passwd"}, "evil/x: expected a file or directory, found a symbolic"),
        ({"link": "snippets/evil/x; touch y #", "to": "/etc"}, "hint: rm 'snippets/evil/x; touch y #'"),
        ({"link": "snippets/evil/x\n    hint: y", "to": "/etc"}, r"hint: rm $'snippets/evil/x\x0a    hint: y'"),
        ({"device": "snippets/evil/zero"}, "snippets/evil/zero: expected a file or directory, found a device"),
        ({"link": "snippets/evil/context/x", "to": "/etc/passwd"}, "this link leads out of the context"),
        ({"file": "docs/errors/x.js"}, "docs/errors/x.js: a `.js` file would be published unchecked"),
        ({"file": "docs/x\n::error::y.md"}, r"docs/x\n::error::y.md: the name of this file has markup or invisible"),
        ({"file": "docs/x\u202e/y.md"}, r"docs/x\u202e/y.md: the name of this file has markup or invisible"),
        ({"file": "docs/x.html"}, "docs/x.html: a `.html` file would be published unchecked"),
    ],
    ids=str,
)
def test_what_lies_in_a_project_is_no_file_of_it(given: dict[str, Any], says: str, root: Path) -> None:
    """A link, a pipe or a device in place of any file that is read: code 2, and nothing of what it leads to."""
    if "device" in given and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    write(root, {"elsewhere/snippet.toml": (root / "snippets/note/snippet.toml").read_bytes()})
    path = root / next(iter(given.values()))
    if path.is_dir():
        shutil.rmtree(path)
    create(root, given)
    done = proof("status", cwd=root, timeout=60)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    assert "root:" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_any_depth_beside_a_context(root: Path) -> None:
    """Nothing reads it; it is looked at to know whether anything has changed, and must not be the end of that."""
    assert proof("status", cwd=root).returncode == 0
    here = os.open(root / "snippets" / "note", os.O_RDONLY)
    for _ in range(2100):  # deeper than Python's stack, and longer than a path may be
        os.mkdir("xx", dir_fd=here)
        inner = os.open("xx", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    done = proof("status", cwd=root)
    subprocess.run(["rm", "-rf", str(root / "snippets" / "note" / "xx")], check=True)  # which pytest could not
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "given",
    [
        {"link": "docs/x", "to": "/etc"},
        {"pipe": "overrides/x"},
        {"link": "snippets/evil", "to": "/etc"},
        {"link": "docs/x\n::error::owned\n###[group]\x1b[31m\u202ey", "to": "/etc"},
    ],
    ids=str,
)
def test_no_site_is_built_of_links(given: dict[str, Any], root: Path) -> None:
    """MkDocs would follow them: the script looks before it starts that. Names act on no terminal, and in no log."""
    write(root, {"overrides/main.html": ""})
    stubbed(
        root, "site", "scripts/bootstrap", ".venv/bin/mkdocs", files={".venv/bin/proof": "#!/bin/sh\nmkdir -p site\n"}
    )
    assert run(root, "site").returncode == 0
    assert "mkdocs build --strict" in calls(root)
    create(root, given)
    done = run(root, "site")
    first, *names = done.stderr.splitlines()
    assert (done.returncode, first.startswith("scripts/site: not built")) == (2, True)
    assert names[0] == f"  │ {next(iter(given.values())).partition(chr(10))[0]}"
    assert all(name.startswith("  │ ") and name[4:].isascii() and name.isprintable() for name in names)
    assert "##" not in done.stderr
    assert "mkdocs build --strict" not in calls(root)
