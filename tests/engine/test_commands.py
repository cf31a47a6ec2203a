"""Commands that articles use besides build and run: names, secrets, variables, filters."""

import re
import shutil
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import execute
from proof.snippets import base_images, project
from proof.system import process, sandbox
from tests.support.helpers import TINY, tiny
from tests.support.makers import toml, write

pytestmark = pytest.mark.engine

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM alpine:3.22
RUN --mount=type=secret,id=token,required=true wc -c </run/secrets/token && ls /run/secrets
RUN --mount=type=secret,id=other ls /run
"""


def outputs(
    root: Path, engine: Engine, cache: Path, *commands: str, dockerfile: str = DOCKERFILE
) -> list[tuple[int, str]]:
    """What these commands do, in a snippet of the tiny project."""
    steps = (f'[[step]]\nname = "s{number}"\ncommand = {toml(each)}\n' for number, each in enumerate(commands))
    files = {
        "context/Dockerfile": dockerfile,
        "context/token.txt": "abc",
        "snippet.toml": 'title = "t"\n' + "".join(steps),
    }
    write((project_root := tiny(root)) / "snippets/own", files)
    (snippet,) = project.load_all(project_root, ["own"])
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    return [(step.exit, step.output) for step in execute.run(snippet, engine, cache=cache).steps]


def test_names(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """An image gets names and loses them, and a list has only the snippet's own."""
    build, tag, both, removed, one, count = outputs(
        tmp_path,
        engine,
        cache,
        "docker build -q -t app --secret id=token,src=token.txt ./",
        "docker tag app other/name:1.0",
        "docker image ls",
        "docker rmi other/name:1.0",
        "docker images --format '{{.Repository}}'",
        "docker image ls | wc -l",
    )
    assert build[0] == 0
    assert tag == (0, "")
    rows = [line.split()[:2] for line in both[1].splitlines()]
    assert rows[0] == ["REPOSITORY", "TAG"]
    assert sorted(rows[1:]) == [["app", "latest"], ["other/name", "1.0"]]
    assert removed == (0, "Untagged: other/name:1.0\n")
    assert one == (0, "app\n")
    assert count == (0, "2\n")


def test_a_secret(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """A build sees the file as a secret, and no other; the line for the frontend is in no message."""
    command = "BUILDKIT_PROGRESS=plain docker build --secret id=token,src=./token.txt -t app ."
    ((code, log),) = outputs(tmp_path, engine, cache, command)
    assert code == 0, log
    assert re.search(r"#\d+ \d\.\d+ 3\n#\d+ \d\.\d+ token\n", log)
    assert "resolve image config" not in log
    assert "proof-" not in log


def test_a_changed_secret(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """A builder does not notice that, so the step runs again all the same."""
    for folder in "one", "two":
        command = "docker build --secret id=token,src=token.txt -t app ."
        ((code, log),) = outputs(tmp_path / folder, engine, cache, command)
        assert code == 0, log
        assert not re.search(r"(?s)\[2/3\].*CACHED", log)


def test_an_error_shows_the_dockerfile_as_written(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """The builder quotes the first lines, with the frontend that was asked for."""
    dockerfile = "# syntax=docker/dockerfile:1\nFROM alpine:3.22\nRUN false\n"
    ((code, log),) = outputs(tmp_path, engine, cache, "docker build .", dockerfile=dockerfile)
    assert code == 1
    assert "   1 |     # syntax=docker/dockerfile:1\n" in log


def test_filters(engine: Engine, cache: Path, tmp_path: Path) -> None:
    """They read what the command prints to standard output, as a reader sees it. A failure is not hidden."""
    found = outputs(
        tmp_path,
        engine,
        cache,
        "docker build -q -t app --secret id=token,src=token.txt .",
        "docker history --format '{{.CreatedBy}}' app | grep -vF RUN | wc -l",
        "docker image ls | grep '^app' | head -1 | wc -l",
        "docker run alpine:3.22 sh -c 'echo b; echo a >&2; echo c' | sort -r | tail -n +2",
        "docker run alpine:3.22 sh -c 'echo b; exit 3' | head -1",
    )
    assert found[1:] == [(0, "1\n"), (0, "1\n"), (0, "a\nb\n"), (3, "b\n")]


@pytest.mark.parametrize("program", ["sh"])
def test_what_a_filter_sees(engine: Engine, program: str, tmp_path: Path) -> None:
    """Libraries, its own program and its input: no other file, no network, no right."""
    path = shutil.which(program, path=process.search_path())
    assert path
    script = "echo /* /etc/* /root/* /usr/bin/*; read -r line; echo $line; : > /proof-canary"
    words = sandbox.for_filter(Path(path), engine.client.env)
    (tmp_path / "given").write_text("given\n")
    with (tmp_path / "given").open("rb") as stdin:
        done = process.run([path, "-c", script], env=engine.client.env, sandbox=words, stdin=stdin)
    seen, given = done.text().splitlines()
    assert given == "given"
    assert not {part for part in seen.split() if part.startswith(("/etc/", "/root/", "/home"))} - {"/etc/*", "/root/*"}
    assert not Path("/proof-canary").exists()
