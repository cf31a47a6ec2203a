"""What several test files need: the repository, the tiny project, and one way to run the command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from proof import bases, manifest, verify
from proof.engine import Engine
from proof.verify import Result

REPOSITORY = Path(__file__).parent.parent
TINY = REPOSITORY / "tests" / "tiny"


def tiny(folder: Path) -> Path:
    """A copy of the tiny project: another program, other facts, a page of its own, and no captures yet."""
    return Path(shutil.copytree(TINY, folder / "tiny"))


def measure(root: Path, engine: Engine, cache: Path, *names: str, write: bool = False) -> list[Result]:
    """What `proof check` or `proof update` does once it has an engine."""
    known = bases.load(root)
    snippets = manifest.load_all(root, list(names))
    known.check(snippets)
    loaded = {name: bases.ensure(known, name, engine, origin="rebuilt", cache=cache) for name in bases.wanted(snippets)}
    session = verify.Session(
        root=root,
        engine=engine,
        bases=known,
        loaded=loaded,
        origin="rebuilt",
        cache=cache,
        provenance=verify.provenance(root, engine, loaded),
    )
    return [verify.verify(snippet, session, write=write) for snippet in snippets]


def proof(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """The command, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "proof.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def mkdocs(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """A strict build of the site."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def edit(path: Path, old: str, new: str) -> None:
    """Replace one text in a file; a replacement that replaces nothing is a mistake of the test."""
    text = path.read_bytes().decode()
    assert old in text, f"{old!r} is not in {path}"
    path.write_bytes(text.replace(old, new, 1).encode())


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and what is in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def data_values(html: str) -> Sequence[tuple[str, str]]:
    """The (value, text) of every fact on a page."""
    return re.findall(r'<data class="fact[^"]*"[^>]*? value="([^"]*)"[^>]*>(.*?)</data>', html)
