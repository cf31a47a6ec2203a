"""Commands: what a snippet may run, and why everything else is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proof import commands
from proof.errors import RefusedError, Where

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
    ("docker images", "ls", [], []),
    ("docker image ls --digests example", "ls", [("--digests", None)], ["example"]),
    ("docker history --no-trunc --human=false a", "history", [("--no-trunc", None), ("--human", "false")], ["a"]),
    ("docker image inspect a b", "inspect", [], ["a", "b"]),
    ("docker inspect example --format '{{.Size}}'", "inspect", [("--format", "{{.Size}}")], ["example"]),
    ("docker run a@sha256:" + "0" * 64, "run", [], ["a@sha256:" + "0" * 64]),
    ("docker version -f '{{.Server.Version}}'", "version", [("-f", "{{.Server.Version}}")], []),
    # No shell ever sees these: they are words like any other, for the container alone.
    ("docker run a echo $HOME `id` $(id) ; rm -rf / && id | sh > /x", "run", [],
     ["a", "echo", "$HOME", "`id`", "$(id)", ";", "rm", "-rf", "/", "&&", "id", "|", "sh", ">", "/x"]),
    ("docker run a sh -c 'id; # comment'", "run", [], ["a", "sh", "-c", "id; # comment"]),
]  # fmt: skip

REFUSED = [
    # command, what the message says
    ("", "the command is empty"),
    ("   ", "the command is empty"),
    ("docker", "`docker ` is refused"),
    ('docker run a "b', "cannot be split into words: no closing quotation"),
    ("docker run a 'b", "no closing quotation"),
    ("docker run a \\", "no escaped character"),
    ("docker run a\ndocker push a", "a command is one line"),
    ("docker run a\0", "a command is one line"),
    # other programs
    ("go run main.go", "`go` is refused"),
    ("sudo docker run a", "`sudo` is refused"),
    ("DOCKER_HOST=tcp://evil docker run a", "`DOCKER_HOST=tcp://evil` is refused"),
    ("/usr/bin/docker run a", "`/usr/bin/docker` is refused"),
    ("podman run a", "`podman` is refused"),
    ("docker-compose up", "`docker-compose` is refused"),
    ("sh -c 'docker run a'", "`sh` is refused"),
    ("$(docker run a)", "`$(docker` is refused"),
    ("; docker run a", "`;` is refused"),
    # verbs
    ("docker push example", "`docker push` is refused"),
    ("docker image push example", "`docker image` is refused"),
    ("docker login -u me", "`docker login` is refused"),
    ("docker logout", "`docker logout` is refused"),
    ("docker pull alpine", "`docker pull` is refused"),
    ("docker system prune -af", "`docker system` is refused"),
    ("docker image prune", "`docker image` is refused"),
    ("docker volume rm x", "`docker volume` is refused"),
    ("docker rm -f x", "`docker rm` is refused"),
    ("docker rmi x", "`docker rmi` is refused"),
    ("docker kill x", "`docker kill` is refused"),
    ("docker exec x id", "`docker exec` is refused"),
    ("docker cp x:/etc/shadow .", "`docker cp` is refused"),
    ("docker save x", "`docker save` is refused"),
    ("docker load -i /x", "`docker load` is refused"),
    ("docker import http://evil/x", "`docker import` is refused"),
    ("docker commit x", "`docker commit` is refused"),
    ("docker tag a b", "`docker tag` is refused"),
    ("docker network create x", "`docker network` is refused"),
    ("docker context use remote", "`docker context` is refused"),
    ("docker buildx create --use", "`docker buildx` is refused"),
    ("docker buildx bake", "`docker buildx` is refused"),
    ("docker compose up", "`docker compose` is refused"),
    ("docker swarm init", "`docker swarm` is refused"),
    ("docker plugin install x", "`docker plugin` is refused"),
    ("docker RUN a", "`docker RUN` is refused"),
    # another daemon
    ("docker --host tcp://10.0.0.1 run a", "`docker --host` is refused"),
    ("docker -H ssh://me@host run a", "`docker -H` is refused"),
    ("docker --context remote run a", "`docker --context` is refused"),
    ("docker --config /root/.docker run a", "`docker --config` is refused"),
    # reaching the host
    ("docker run -v /:/host a", "the flag `-v` is refused"),
    ("docker run --volume=/:/host a", "the flag `--volume` is refused"),
    ("docker run --mount type=bind,src=/,dst=/host a", "the flag `--mount` is refused"),
    ("docker run --privileged a", "the flag `--privileged` is refused"),
    ("docker run --cap-add SYS_ADMIN a", "the flag `--cap-add` is refused"),
    ("docker run --security-opt seccomp=unconfined a", "the flag `--security-opt` is refused"),
    ("docker run --device /dev/sda a", "the flag `--device` is refused"),
    ("docker run --net host a", "the flag `--net` is refused"),
    ("docker run --network host a", "`host` is refused as the value of `--network`"),
    ("docker run --network=bridge a", "`bridge` is refused as the value of `--network`"),
    ("docker run --pid host a", "the flag `--pid` is refused"),
    ("docker run --ipc=host a", "the flag `--ipc` is refused"),
    ("docker run --uts host a", "the flag `--uts` is refused"),
    ("docker run --userns host a", "the flag `--userns` is refused"),
    ("docker run -p 80:80 a", "the flag `-p` is refused"),
    ("docker run --volumes-from x a", "the flag `--volumes-from` is refused"),
    ("docker run --env-file /etc/environment a", "the flag `--env-file` is refused"),
    ("docker run --env HOME a", "`HOME` is refused as the value of `--env`"),
    ("docker run -e AWS_SECRET_ACCESS_KEY a", "`AWS_SECRET_ACCESS_KEY` is refused as the value of `-e`"),
    ("docker run --restart always a", "the flag `--restart` is refused"),
    ("docker run --name x a", "the flag `--name` is refused"),
    ("docker run -d a", "the flag `-d` is refused"),
    ("docker run -it a", "the flag `-it` is refused"),
    ("docker run --runtime evil a", "the flag `--runtime` is refused"),
    ("docker run --pull always a", "the flag `--pull` is refused"),
    ("docker run --tmpfs /tmp:exec a", "`/tmp:exec` is refused as the value of `--tmpfs`"),
    ("docker run --workdir ../x a", "`../x` is refused as the value of `--workdir`"),
    ("docker run --platform windows/amd64 a", "`windows/amd64` is refused as the value of `--platform`"),
    ("docker run --rm=false a", "the flag `--rm` takes no value"),
    # builds that reach out
    ("docker build -t example ..", "a build takes its own context and nothing else"),
    ("docker build -t example /", "a build takes its own context and nothing else"),
    ("docker build -t example", "a build takes its own context and nothing else"),
    ("docker build -t example . .", "a build takes its own context and nothing else"),
    ("docker build -", "a build takes its own context and nothing else"),
    ("docker build https://evil.example/x.git", "a build takes its own context and nothing else"),
    ("docker build -t example . && docker push example", "a build takes its own context and nothing else"),
    ("docker build -f ../Dockerfile .", "`../Dockerfile` is refused as the value of `-f`"),
    ("docker build -f /etc/passwd .", "`/etc/passwd` is refused as the value of `-f`"),
    ("docker build -f a/../../b .", "`a/../../b` is refused as the value of `-f`"),
    ("docker build -f - .", "`-` is refused as the value of `-f`"),
    ("docker build --file=- .", "`-` is refused as the value of `--file`"),
    ("docker build --network host .", "`host` is refused as the value of `--network`"),
    ("docker build --secret id=x,src=/root/.ssh/id .", "the flag `--secret` is refused"),
    ("docker build --ssh default .", "the flag `--ssh` is refused"),
    ("docker build --allow security.insecure .", "the flag `--allow` is refused"),
    ("docker build --add-host x:1.2.3.4 .", "the flag `--add-host` is refused"),
    ("docker build --build-context x=/ .", "the flag `--build-context` is refused"),
    ("docker build --cache-from evil .", "the flag `--cache-from` is refused"),
    ("docker build --output /x .", "the flag `--output` is refused"),
    ("docker build --push .", "the flag `--push` is refused"),
    ("docker build --iidfile /x .", "the flag `--iidfile` is refused"),
    ("docker build --builder remote .", "the flag `--builder` is refused"),
    ("docker build --build-arg HOME .", "`HOME` is refused as the value of `--build-arg`"),
    ("docker build --build-arg BUILDKIT_SYNTAX=evil/frontend .", "`BUILDKIT_SYNTAX=evil/frontend` is refused"),
    ("docker build --progress rawjson .", "`rawjson` is refused as the value of `--progress`"),
    ("docker build -t Example .", "`Example` is refused as the value of `-t`"),
    ("docker build -t localhost:5000/x .", "`localhost:5000/x` is refused as the value of `-t`"),
    ("docker build -tx .", "the flag `-tx` is refused"),
    ("docker build -t", "the flag `-t` needs a value"),
    # names and what stands where a name should
    ("docker run", "no image is named"),
    ("docker run --rm", "no image is named"),
    ("docker inspect", "no image is named"),
    ("docker history -q", "no image is named"),
    ("docker run -- a", "the flag `--` is refused"),
    ("docker run http://evil/x", "`http://evil/x` is no image name"),
    ("docker run a:b:c", "`a:b:c` is no image name"),
    ("docker run 'a b'", "`a b` is no image name"),
    ("docker run $IMAGE", "`$IMAGE` is no image name"),
    ("docker run ''", "`` is no image name"),
    ("docker run ../a", "`../a` is no image name"),
    ("docker run -", "`-` is no image name"),
    ("docker run a@sha256:123", "`a@sha256:123` is no image name"),
    ("docker run \N{CYRILLIC SMALL LETTER A}lpine", "is no image name"),
    ("docker image ls example | tee /x", "`|` is no image name"),
    ("docker image ls example > /x", "`>` is no image name"),
    ("docker image ls --filter dangling=true", "the flag `--filter` is refused"),
    ("docker inspect --type container x", "`container` is refused as the value of `--type`"),
    ("docker inspect --size x", "the flag `--size` is refused"),
    ("docker history --human example", "`example` is refused as the value of `--human`"),
    ("docker version x", "`docker version` takes no names"),
]


@pytest.mark.parametrize(
    ("text", "verb", "flags", "positionals"), ACCEPTED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_accepted(text: str, verb: str, flags: list[tuple[str, str | None]], positionals: list[str]) -> None:
    """A command on the allow-list comes apart into its verb, flags and positionals."""
    command = commands.parse(text, where=WHERE)
    assert (command.verb, list(command.flags), list(command.positionals)) == (verb, flags, positionals)
    assert not any(word.startswith("-") for word in command.argv[: command.head])


@pytest.mark.parametrize(("text", "what"), REFUSED, ids=[repr(text) for text, _ in REFUSED])
def test_refused(text: str, what: str) -> None:
    """Any other command is refused with its place, its reason, itself and the way out."""
    with pytest.raises(RefusedError, match=re.escape(what)) as error:
        commands.parse(text, where=WHERE)
    assert str(error.value).startswith("snippet.toml:7: ")
    assert error.value.evidence == text
    assert error.value.cure


def test_refused_names_what_is_allowed() -> None:
    """A refusal lists the verbs, or the flags of the verb, that there are."""
    with pytest.raises(RefusedError) as verb:
        commands.parse("docker push example", where=WHERE)
    with pytest.raises(RefusedError) as flag:
        commands.parse("docker version -x", where=WHERE)
    assert "build, buildx build, image build, run" in verb.value.cure
    assert flag.value.cure == "the allowed ones: --format, -f"


def test_inside() -> None:
    """In a container of a base any program may run, words split as a shell would."""
    command = commands.parse("go build -ldflags '-s -w' main.go", where=WHERE, inside=True)
    assert command.verb == "inside"
    assert command.argv == ("go", "build", "-ldflags", "-s -w", "main.go")
    assert (command.images, command.tags) == ([], [])


@pytest.mark.parametrize(("text", "what"), [("", "empty"), ("go 'run", "closing"), ("a\nb", "one line")])
def test_inside_refused(text: str, what: str) -> None:
    """In a container too a command is one line of words."""
    with pytest.raises(RefusedError, match=what):
        commands.parse(text, where=WHERE, inside=True)


@pytest.mark.parametrize(
    ("text", "tags", "images"),
    [
        ("docker build -t a --tag=b:1 .", ["a", "b:1"], []),
        ("docker run a b c", [], ["a"]),
        ("docker history a", [], ["a"]),
        ("docker inspect a b", [], ["a", "b"]),
        ("docker image ls", [], []),
        ("docker version", [], []),
    ],
)
def test_names(text: str, tags: list[str], images: list[str]) -> None:
    """A command knows the names that it gives and the images that it reads."""
    command = commands.parse(text, where=WHERE)
    assert (command.tags, command.images) == (tags, images)


def test_values() -> None:
    """A flag's values keep their order, whichever of its names was used."""
    command = commands.parse("docker build --file a -f b --no-cache .", where=WHERE)
    assert command.values("--file", "-f") == ["a", "b"]
    assert command.values("--no-cache") == []
