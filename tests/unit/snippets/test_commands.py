"""Commands: what a snippet may run. tests/data/corpus lists what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof.core.errors import RefusedError, Where
from proof.snippets import commands

WHERE = Where(Path("snippet.toml"), 7)

ACCEPTED = [
    # command, verb, flags, positionals
    ("docker build -t example .", "build", [("-t", "example")], ["."]),
    ("docker build --tag=example:1.0 --tag second .", "build", [("--tag", "example:1.0"), ("--tag", "second")], ["."]),
    ("docker build . -t example", "build", [("-t", "example")], ["."]),
    ("docker buildx build -q -t a/b:c .", "build", [("-q", None), ("-t", "a/b:c")], ["."]),
    ("docker image build --no-cache .", "build", [("--no-cache", None)], ["."]),
    ("docker build -f sub/Dockerfile.alpine .", "build", [("-f", "sub/Dockerfile.alpine")], ["."]),
    ("docker build --target builder .", "build", [("--target", "builder")], ["."]),
    ("docker build --build-arg GO=1.27 .", "build", [("--build-arg", "GO=1.27")], ["."]),
    ("docker build --build-arg 'A=b c' .", "build", [("--build-arg", "A=b c")], ["."]),
    ("docker build --label x='y z' .", "build", [("--label", "x=y z")], ["."]),
    ("docker build --platform linux/arm64/v8 .", "build", [("--platform", "linux/arm64/v8")], ["."]),
    ("docker build --progress=plain .", "build", [("--progress", "plain")], ["."]),
    ("docker run example", "run", [], ["example"]),
    ("docker run example -it --privileged", "run", [], ["example", "-it", "--privileged"]),
    ("docker run --rm golang:1.27-alpine go version", "run", [("--rm", None)], ["golang:1.27-alpine", "go", "version"]),
    ('docker container run a sh -c "du -sh /x/*"', "run", [], ["a", "sh", "-c", "du -sh /x/*"]),
    ("docker run -e A=b --env=C= a", "run", [("-e", "A=b"), ("--env", "C=")], ["a"]),
    ("docker run -e=A=b a", "run", [("-e", "A=b")], ["a"]),
    ("docker run -u 65532:65532 -w /srv a", "run", [("-u", "65532:65532"), ("-w", "/srv")], ["a"]),
    ("docker run --network=none --read-only a", "run", [("--network", "none"), ("--read-only", None)], ["a"]),
    ("docker run --entrypoint '' a", "run", [("--entrypoint", "")], ["a"]),
    ("docker images a", "ls", [], ["a"]),
    ("docker image ls --digests example", "ls", [("--digests", None)], ["example"]),
    ("docker history --no-trunc --human=false a", "history", [("--no-trunc", None), ("--human", "false")], ["a"]),
    ("docker image inspect a b", "inspect", [], ["a", "b"]),
    ("docker inspect example --format '{{.Size}}'", "inspect", [("--format", "{{.Size}}")], ["example"]),
    ("docker run a@sha256:" + "0" * 64, "run", [], ["a@sha256:" + "0" * 64]),
    ("docker version -f '{{.Server.Version}}'", "version", [("-f", "{{.Server.Version}}")], []),
    # No shell runs these: they are plain words for the container.
    ("docker run a echo $HOME `id` $(id) ; rm -rf / && id | sh > /x", "run", [],
     ["a", "echo", "$HOME", "`id`", "$(id)", ";", "rm", "-rf", "/", "&&", "id", "|", "sh", ">", "/x"]),
    ("docker run a sh -c 'id; # comment'", "run", [], ["a", "sh", "-c", "id; # comment"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "verb", "flags", "positionals"), ACCEPTED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_accepted(text: str, verb: str, flags: list[tuple[str, str | None]], positionals: list[str]) -> None:
    """An allowed command is split into its verb, flags and positionals."""
    command = commands.parse(text, where=WHERE)
    assert (command.verb, list(command.flags), list(command.positionals)) == (verb, flags, positionals)
    assert not any(word.startswith("-") for word in command.argv[: command.head])


def test_refused() -> None:
    """A refusal has a place, a reason, the command and a hint."""
    with pytest.raises(RefusedError, match=r"^snippet\.toml:7: the flag `-v` is refused") as error:
        commands.parse("docker run -v /:/host a", where=WHERE)
    assert error.value.evidence == "docker run -v /:/host a"
    assert error.value.hint


def test_refused_names_what_is_allowed() -> None:
    """The hint lists the allowed verbs, or the allowed flags of the verb."""
    with pytest.raises(RefusedError) as verb:
        commands.parse("docker push example", where=WHERE)
    with pytest.raises(RefusedError) as flag:
        commands.parse("docker version -x", where=WHERE)
    assert "build, buildx build, image build, run" in verb.value.hint
    assert flag.value.hint == "use one of: --format, -f"


def test_inside() -> None:
    """With `inside`, any program may run. Its words are split as in a shell."""
    command = commands.parse("go build -ldflags '-s -w' main.go", where=WHERE, inside=True)
    assert command.verb == "inside"
    assert command.argv == ("go", "build", "-ldflags", "-s -w", "main.go")
    assert (command.images, command.tags) == ([], [])


@pytest.mark.parametrize(("text", "what"), [("", "empty"), ("go 'run", "closing"), ("a\nb", "one line")])
def test_inside_refused(text: str, what: str) -> None:
    """With `inside`, too, a command is one line of words."""
    with pytest.raises(RefusedError, match=what):
        commands.parse(text, where=WHERE, inside=True)


@pytest.mark.parametrize(
    ("text", "tags", "images"),
    [
        ("docker build -t a --tag=b:1 .", ["a", "b:1"], []),
        ("docker run a b c", [], ["a"]),
        ("docker history a", [], ["a"]),
        ("docker inspect a b", [], ["a", "b"]),
        ("docker image ls a", [], ["a"]),
        ("docker version", [], []),
    ],
)
def test_names(text: str, tags: list[str], images: list[str]) -> None:
    """A command has the tags that it gives and the images that it reads."""
    command = commands.parse(text, where=WHERE)
    assert (command.tags, command.images) == (tags, images)


@pytest.mark.parametrize(
    ("name", "full"),
    [("a", "a:latest"), ("a:1", "a:1"), ("host:5000/a", "host:5000/a:latest"), ("host:5000/a:1", "host:5000/a:1")],
)
def test_full_name(name: str, full: str) -> None:
    """Without a tag, docker uses `latest`."""
    assert commands.full_name(name) == full


def test_values() -> None:
    """The values of a flag are in order, whichever of its names was used."""
    command = commands.parse("docker build --tag a -t b --no-cache .", where=WHERE)
    assert command.values("--tag", "-t") == ["a", "b"]
    assert command.values("--no-cache") == []
