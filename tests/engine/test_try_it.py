"""What a reader pastes does on a real engine what the page shows.

Pytest runs some of the blocks. To run those of every page, which takes some minutes: pytest --every-block
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures.diff import compare
from proof.captures.model import Capture, CapturedStep
from proof.engines.interface import Engine
from proof.facts import book
from proof.pages import try_it
from proof.provision import loader
from proof.snippets import base_images, project
from proof.snippets.model import Snippet
from tests.support.helpers import REPOSITORY

pytestmark = pytest.mark.engine

# The article's, one with `inside`; several Dockerfiles and failures; another platform; a base that is only looked at;
# `inside` without files, and with a failure.
SOME = ("single", "multi", "dockerfiles_alpine", "platforms_forgotten", "go_image", "go_env", "toolchains_newer")
# Called `docker`: calls the real one without a network, as the tool does, and records what it printed. No registry is
# asked for the base images, which the engine has.
CLIENT = """\
#!{python} -IS
import json, subprocess, sys
argv = sys.argv[1:]
code, output = 0, ""
if argv[0] != "pull":
    verb = next((n for n, word in enumerate(argv[:2], 1) if word in ("run", "build")), 0)
    if verb and "--network" not in argv:
        argv[verb:verb] = ["--network=none"]
    done = subprocess.run(["{docker}", *argv], stdin=subprocess.DEVNULL, stdout=-1, stderr=subprocess.STDOUT)
    code, output = done.returncode, done.stdout.decode()
with open("{record}", "a") as file:
    print(json.dumps([sys.argv[1], code, output]), file=file)
sys.stdout.write(output)
sys.exit(code)
"""


def offered() -> Iterator[str]:
    """The snippets of which a page shows a transcript and offers a block."""
    for page in sorted((REPOSITORY / "docs").rglob("*.md")):
        for name in re.findall(r"^\s*\{\{ transcript (\w+)/\w+ \}\}", page.read_text("utf-8"), re.MULTILINE):
            with contextlib.suppress(try_it.NotPasteableError):
                try_it.block(project.find(REPOSITORY / "snippets", name))
                yield name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every block that a page offers, or some."""
    if "name" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-block")
        metafunc.parametrize("name", list(dict.fromkeys(offered())) if every else SOME)


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> dict[str, str]:
    """The environment of a reader's shell: without what the tool sets for its own builds, and a block for itself."""
    script = tmp_path / "bin" / "docker"
    script.parent.mkdir()
    real = Path(engine.client.env["PATH"]) / "docker"
    script.write_text(CLIENT.format(python=sys.executable, docker=real, record=tmp_path / "record"))
    script.chmod(0o755)
    of_blocks = {"BUILDKIT_PROGRESS", "BUILDX_NO_DEFAULT_ATTESTATIONS"}
    shell = {name: value for name, value in engine.client.env.items() if name not in of_blocks}
    return {**shell, "PATH": f"{script.parent}:{os.environ['PATH']}"}


def paste(text: str, client: dict[str, str], folder: Path) -> list[tuple[str, int, str]]:
    """Run a block in bash. Returns of each call of docker the verb, the exit code and the output."""
    folder.mkdir()
    subprocess.run(["bash", "-c", text], cwd=folder, env=client, timeout=1800, check=False, capture_output=True)
    return [tuple(json.loads(line)) for line in (folder.parent / "record").read_text("utf-8").splitlines()]


def as_pasted(snippet: Snippet, old: Capture, calls: list[tuple[str, int, str]], engine: Engine) -> Capture:
    """The capture with what the block printed in place of what the tool's run did."""
    ran = [(code, output) for verb, code, output in calls if verb not in ("pull", "create", "cp")]
    assert len(ran) == len(snippet.steps)
    steps = tuple(
        CapturedStep(step.name, step.text, step.inside, code, 0.0, output.replace("\r\n", "\n"))
        for step, (code, output) in zip(snippet.steps, ran, strict=True)
    )
    info = engine.info()
    by = replace(old.provenance, engine=f"{engine.kind} {info.version}", image_store=info.image_store)
    return replace(old, steps=steps, provenance=by)


def test_a_block_does_what_the_page_shows(
    name: str, engine: Engine, cache: Path, tmp_path: Path, client: dict[str, str]
) -> None:
    """Each command exits as declared, and prints what the capture says, without what differs from run to run."""
    snippet, known = project.find(REPOSITORY / "snippets", name), base_images.load(REPOSITORY)
    block = try_it.block(snippet)
    for base in snippet.bases:
        loader.ensure(known, base, engine, origin="rebuilt", cache=cache)
    try:
        calls = paste(block.text, client, tmp_path / "reader")
        old = book.load(REPOSITORY / "snippets").captures[name]
        new = as_pasted(snippet, old, calls, engine)
        declared = {step.name: step.exit for step in snippet.on(new.engine).steps}
        assert {step.name: step.exit for step in new.steps} == declared
        assert list(compare(old, new, snippet, snippet.captured)) == []
    finally:
        engine.remove(containers=engine.client.call("ps", "--all", "--quiet").text().split(), images=block.images)
