"""What the command prints, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.helpers import captured, edit, proof, tiny


def test_an_output_that_lacks_characters(tmp_path: Path) -> None:
    """An ASCII terminal or log gets other signs, and JSON stays JSON: a traceback would have the code of drift."""
    root = captured(tiny(tmp_path))
    edit(root / "docs/index.md", "{{ note.own_size }}", "{{ note.own_sise }} ü")
    words = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = proof("status", cwd=root, env=words)
    assert done.returncode == 2
    assert done.stdout.startswith(" x docs/index.md:3: unknown fact 'note.own_sise'")
    edit(root / "snippets/cited.toml", "a leaflet", "a leaflet for Übersee")
    done = proof("facts", "--json", cwd=root, env=words)
    assert "a leaflet for \\u00dcbersee" in done.stdout
    assert json.loads(done.stdout)["facts"][-1]["source"] == "a leaflet for Übersee"


_HANGING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from proof.cli import main
from proof.pages.lint import audit
audit.audit = lambda *_: any(0 for _ in iter(int, 1))
sys.exit(main.main(["check"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the processes")
def test_ctrl_c_ends_a_check_while_it_reads_the_pages(tmp_path: Path) -> None:
    """The process that reads them is ended with it, and there is one message."""
    root = captured(tiny(tmp_path))
    env = {**os.environ, "PROOF_CACHE": str(tmp_path / "cache"), "PATH": "/nonexistent"}
    # A group of its own, because Ctrl-C reaches all processes of a terminal.
    check = subprocess.Popen(
        [sys.executable, "-c", _HANGING],
        cwd=root,
        env=env,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    readers = Path(f"/proc/{check.pid}/task/{check.pid}/children")
    until = time.monotonic() + 60
    while not readers.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    children = readers.read_text().split()
    time.sleep(0.5)  # it has begun
    os.killpg(check.pid, signal.SIGINT)
    said, _ = check.communicate(timeout=60)
    assert (check.returncode, said.strip()) == (130, "proof: interrupted; finished results are kept")
    assert children
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
