"""Commands: what a snippet may run. tests/data/corpus lists what is refused."""

from pathlib import Path

import pytest

from proof.core.errors import RefusedError, Where
from proof.snippets import commands

WHERE = Where(Path("snippet.toml"), 7)

ACCEPTED = [
    # command, verb, flags, positionals
    ("docker build -t example .", "build", [("-t", "example")], ["."]),
    ("docker build . -t example", "build", [("-t", "example")], ["."]),
    ("docker buildx build -q -t a/b:c .", "build", [("-q", None), ("-t", "a/b:c")], ["."]),
    ("docker image build --no-cache .", "build", [("--no-cache", None)], ["."]),
    ("docker run example", "run", [], ["example"]),
    ("docker run example -it --privileged", "run", [], ["example", "-it", "--privileged"]),
    ("docker run --rm golang:1.27-alpine go version", "run", [("--rm", None)], ["golang:1.27-alpine", "go", "version"]),
    ('docker container run a sh -c "du -sh /x/*"', "run", [], ["a", "sh", "-c", "du -sh /x/*"]),
    ("docker run -e A=b --env=C= a", "run", [("-e", "A=b"), ("--env", "C=")], ["a"]),
    ("docker run -e=A=b a", "run", [("-e", "A=b")], ["a"]),
    ("docker run -u 65532:65532 -w /srv a", "run", [("-u", "65532:65532"), ("-w", "/srv")], ["a"]),
    ("docker run -d a", "detach", [("-d", None)], ["a"]),
    ("docker run -p 8080:80 --detach --name web a -d", "detach",
     [("-p", "8080:80"), ("--detach", None), ("--name", "web")], ["a", "-d"]),
    ("docker run -d -p 127.0.0.1:80:80/tcp --publish=81:81 a", "detach",
     [("-d", None), ("-p", "127.0.0.1:80:80/tcp"), ("--publish", "81:81")], ["a"]),
    ("docker ps", "ps", [], []),
    ("docker container ls -a --no-trunc --format '{{.Names}}'", "ps",
     [("-a", None), ("--no-trunc", None), ("--format", "{{.Names}}")], []),
    ("docker logs --tail 3 web", "logs", [("--tail", "3")], ["web"]),
    ("docker exec -u 1 -w /srv -e A=b web sh -c id", "exec", [("-u", "1"), ("-w", "/srv"), ("-e", "A=b")],
     ["web", "sh", "-c", "id"]),
    ("docker exec web -u 0", "exec", [], ["web", "-u", "0"]),
    ("docker stop -t 1 web db", "stop", [("-t", "1")], ["web", "db"]),
    ("docker container rm --force web", "rm", [("--force", None)], ["web"]),
    ("docker build --secret id=x,src=.netrc .", "build", [("--secret", "id=x,src=.netrc")], ["."]),
    ("docker image ls", "ls", [], []),
    ("docker tag a b:1", "tag", [], ["a", "b:1"]),
    ("docker image rm -f a b", "rmi", [("-f", None)], ["a", "b"]),
    ("docker history --no-trunc --human=false a", "history", [("--no-trunc", None), ("--human", "false")], ["a"]),
    ("docker inspect example --format '{{.Size}}'", "inspect", [("--format", "{{.Size}}")], ["example"]),
    # Quoted, these are plain words for the container.
    ("docker run a echo '$HOME' '`id`' ';' rm '&&' id '|' sh '>' /x", "run", [],
     ["a", "echo", "$HOME", "`id`", ";", "rm", "&&", "id", "|", "sh", ">", "/x"]),
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


def test_refused_names_what_is_allowed() -> None:
    """The hint lists the allowed verbs, or the allowed flags of the verb."""
    with pytest.raises(RefusedError) as verb:
        commands.parse("docker info", where=WHERE)
    with pytest.raises(RefusedError) as flag:
        commands.parse("docker version -x", where=WHERE)
    assert "build, buildx build, image build, run" in verb.value.hint
    assert flag.value.hint == "use one of: --format, -f"


def test_inside() -> None:
    """With `inside`, any program may run. Its words are those that a shell would pass on."""
    command = commands.parse("go build -ldflags '-s -w' main.go", where=WHERE, inside=True)
    assert command.verb == "inside"
    assert command.argv == ("go", "build", "-ldflags", "-s -w", "main.go")
    assert (command.images, command.tags) == ([], [])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("go 'run", "not closed"),
        ("a\nb", "one line"),
        ("ls | wc", "a pipe"),
        ("cd /", "word of the shell"),
    ],
)
def test_inside_refused(text: str, what: str) -> None:
    """With `inside`, too, a command is one line of words."""
    with pytest.raises(RefusedError, match=what):
        commands.parse(text, where=WHERE, inside=True)


@pytest.mark.parametrize(
    ("text", "tags", "images"),
    [
        ("docker build --tag a -t b --no-cache .", ["a", "b"], []),
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


HEX = "0123456789abcdef" * 4
# For each flag, some values that are allowed and some that are not; `{}` is the place of the value.
VALUES = [
    ("docker run --user={} a", ["0", "app", "app.x-y", "1:2", "app:grp-1.x"], ["", ":1", "1:", "-1", "1:2:3", "a/b"]),
    ("docker run -u {} a", ["0", "1:2"], ["''", ":1", "1:"]),
    ("docker run --workdir={} a", ["/", "/srv", "/a/b-c.d_e"], ["", "srv", "./srv", "/a:b", "/ä", "/a,b"]),
    ("docker run -w {} a", ["/", "/srv"], ["srv", "''", "/dev", "/proc/self/fd/8"]),
    ("docker run --hostname={} a", ["a", "a.b-c", "1"], ["", "-a", ".a", "a/b", "ä"]),
    ("docker run --tmpfs={} a", ["/x", "/a/b-c.d"], ["/", "", "x", "/x:exec", "/proc", "/a/../sys/x"]),
    ("docker run --env={} a", ["A=", "A=b", "A=b=c", "A1_=ä", "'A=b  c'"], ["", "A", "=b", "A-B=c"]),
    ("docker run -e {} a", ["A=", "A=b"], ["A", "'=b'", "''"]),
    ("docker run --entrypoint={} a", ["", "sh", "'a b'", "/ä"], []),
    ("docker run --network={} a", ["none"], ["", "host", "nonesuch", "none,host", "anone"]),
    (
        "docker build --platform={} .",
        ["linux/amd64", "linux/arm64/v8", "linux/amd64,linux/arm/v7,linux/s390x"],
        ["", "linux", "linux/", "linux/amd64,", ",linux/amd64", "linux/arm/v", "linux/arm/v12", "linux/arm/8",
         "linux/AMD64", "windows/amd64", "'linux/amd64;x'", "linux/amd64,windows/amd64", "linux/amd64linux/arm64"],
    ),
    ("docker run --platform={} a", ["linux/amd64"], ["local", "linux"]),
    (
        "docker build --tag={} .",
        ["a", "1", "a/b", "a.b/c-d_e:1.0-x_Y", f"a@sha256:{HEX}", f"a:1@sha256:{HEX}"],
        ["", "-a", "_a", ".a", "/a", "A", "a:", "a:b:c", "a:b/c", "a:+", "a@sha256:0", f"a@sha256:{HEX}0",
         f"a@sha512:{HEX}", f"a@sha256:{HEX[:-1]}", f"a@sha256:{HEX.upper()}", "a:ä", "ä"],
    ),
    ("docker build -t {} .", ["a"], ["A", "''"]),
    *(
        (f"docker build {flag} {{}} .", ["Dockerfile", "a", "a/b.c-d_E", "a.b"],
         ["''", "-", "..", "../a", "a/../b", "a..b", "/a", "./a", ".a", "a:b", "'a b'", "ä", "a.in", "a/B.IN"])
        for flag in ("--file", "-f")
    ),
    ("docker build --target={} .", ["a", "A.b-c", "0"], ["", "a/b", "a:b", "ä"]),
    (
        "docker build --build-arg={} .",
        ["A=", "A=b", "A_1=b=ä", "XBUILDKIT_SYNTAX=a", "BUILDKIT=a"],
        ["", "A", "=b", "A-B=c", "BUILDKIT_SYNTAX=a", "buildkit_x=a", "BuildKit_=a"],
    ),
    ("docker build --label={} .", ["", "a=b", "'a b'", "ä"], []),
    ("docker build --progress={} .", ["plain", "auto"], ["", "tty", "rawjson", "plainly", "'plain|auto'"]),
    ("docker build --network={} .", ["none"], ["", "host", "default"]),
    ("docker history --human={} a", ["true", "false"], ["", "no", "TRUE", "truely"]),
    ("docker history -H={} a", ["true", "false"], ["no"]),
    ("docker inspect --type={} a", ["image"], ["", "container", "images"]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "value"), [(c, value) for c, values, _ in VALUES for value in values])
def test_an_allowed_value(command: str, value: str) -> None:
    """An allowed value is passed on unchanged."""
    ((_, given),) = commands.parse(command.format(value), where=WHERE).flags
    assert given == value.strip("'")


@pytest.mark.parametrize(("command", "value"), [(c, value) for c, _, values in VALUES for value in values])
def test_a_refused_value(command: str, value: str) -> None:
    """Other values are refused, whatever docker would do with them."""
    with pytest.raises(RefusedError) as error:
        commands.parse(command.format(value), where=WHERE)
    assert f"`{value.strip(chr(39))}`" in str(error.value)


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("docker build -t a --tag b --tag=c .", ""),
        ("docker run -e A=b --env C=d -e E=f a", ""),
        ("docker run --tmpfs /a --tmpfs /b a", ""),
        ("docker build --build-arg A=b --build-arg C=d --label a --label b .", ""),
        ("docker run -u 1 --user 2 a", "-u"),
        ("docker run --workdir /a -w /b a", "--workdir"),
        ("docker build -f a --file b .", "-f"),
        ("docker build --file a -f b .", "--file"),
        ("docker build -q --quiet .", "-q"),
        ("docker image ls -a --all a", "-a"),
        ("docker run --rm --rm a", "--rm"),
        ("docker build --target a --target a .", "--target"),
        ("docker build --network none --network none .", "--network"),
        ("docker inspect -f '{{.ID}}' -f '{{.ID}}' a", "-f"),
    ],
)
def test_which_flags_may_be_repeated(text: str, twice: str) -> None:
    """The others may be given once, under either name: a reader may look at another value than docker uses."""
    if not twice:
        assert len(commands.parse(text, where=WHERE).flags) > 1
        return
    with pytest.raises(RefusedError, match="is given twice") as error:
        commands.parse(text, where=WHERE)
    assert f"`{twice}`" in str(error.value)


# Templates, one per line. Those in the second half use loops, padding, names or pipes that are not allowed.
HARMLESS = """\
plain text
{{.}}
{{.ID}}
{{ .A.B }}
{{json .}}
{{ json .Config.Env }}
{{println .A}}
{{join .A ","}}
{{index .A "x"}}
{{len .A}}
{{lower .A}} {{upper .B}} {{title .C}}
{{"text"}}
{{.A .B}}
{{if .A}}a{{else}}b{{end}}
{{  if  .A  }}a{{ else }}b{{  end  }}
{{with .A}}{{.B}}{{end}}
{{range .RootFS.Layers}}{{.}}{{end}}
{{range  .RootFS.Layers}}{{println  .}}{{  end  }}
{{range .RepoTags}}{{end}}
{{range .RepoDigests}}{{end}}
{{range .Config.Env}}{{println .}}{{end}}
{{range .Config.Cmd}}{{end}}
{{range .Config.Entrypoint}}{{end}}
{{range .Config.ExposedPorts}}{{end}}
{{range .Config.Labels}}{{end}}
{{range .Config.Volumes}}{{end}}
"""
ENDLESS = """\
{{
}}
{{.A}
{{ {{.A}} }}
{{printf "%1000000000d" 1}}
{{pad .A 1000000000 1}}
{{split .A ","}}
{{truncate .A 1}}
{{1}}
{{json 1}}
{{json}}
{{.A | json}}
{{(.A)}}
{{.A-}}
{{- .A}}
{{/* a comment */}}
{{"a{{b"}}
{{$}}
{{$x := .A}}
{{range .A}}
{{range .Config.User}}
{{range .RepoTagsX}}
{{range $i := .RepoTags}}
{{rangeX .RepoTags}}
{{ifX .A}}
{{while .A}}
{{template "x"}}
{{define "x"}}
{{block "x" .}}
{{.Ä}}
"""
OF_VERBS = ["inspect -f '{}' a", "history --format '{}' a", "images --format='{}' a", "version -f '{}'"]


@pytest.mark.parametrize("verb", OF_VERBS)
@pytest.mark.parametrize("template", ["", *HARMLESS.splitlines()])
def test_a_template_of_fields_and_lists(verb: str, template: str) -> None:
    """Templates of fields and lists are allowed for each verb."""
    assert commands.parse(f"docker {verb.replace('{}', template)}", where=WHERE).flags[0][1] == template


@pytest.mark.parametrize("verb", OF_VERBS)
@pytest.mark.parametrize("template", ENDLESS.splitlines())
def test_a_refused_template(verb: str, template: str) -> None:
    """It would run on this machine, in docker's client, perhaps forever."""
    with pytest.raises(RefusedError, match="is refused as the value of"):
        commands.parse(f"docker {verb.replace('{}', template)}", where=WHERE)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        *((path, "/") for path in ("/proc", "/sys", "/dev/fd/8", "//proc", "/src/../proc", "/../proc", "proc")),
        *(("/proc/self", "/src"), ("self", "/proc"), ("../dev", "/src"), (".", "/proc"), ("proc", "")),
    ],
)
def test_kernel_paths(path: str, folder: str) -> None:
    """All notations of the three directories, and of paths below them, are found."""
    assert commands.is_kernel_path(path, folder)


@pytest.mark.parametrize("path", ["/", "", "/src/proc", "/processes", "/devices", "/system", "/Proc", "src/proc"])
def test_other_paths(path: str) -> None:
    assert not commands.is_kernel_path(path, "/")
    assert not commands.is_kernel_path("proc", path) or path in ("", "/")


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("host:5000/a", "host:5000/a:latest"),
        ("host:5000/a:1", "host:5000/a:1"),
        ("alpine:3.22", "alpine:3.22"),
        ("alpine", "alpine:latest"),
        ("library/alpine:3.22", "alpine:3.22"),
        ("docker.io/alpine:3.22", "alpine:3.22"),
        ("docker.io/library/alpine", "alpine:latest"),
        ("index.docker.io/library/alpine:3.22", "alpine:3.22"),
        ("docker.io/someone/alpine", "someone/alpine:latest"),
        ("someone/library/alpine", "someone/library/alpine:latest"),
        ("xdocker.io/library/alpine", "xdocker.io/library/alpine:latest"),
        ("indexXdocker.io/alpine", "indexXdocker.io/alpine:latest"),
        ("dockerXio/library/alpine", "dockerXio/library/alpine:latest"),
        ("localhost/library/alpine:1", "localhost/library/alpine:1"),
    ],
)
def test_the_familiar_name(image: str, shown: str) -> None:
    """As docker prints it: without the host of its own registry, and without `library`."""
    assert commands.familiar(image) == shown


@pytest.mark.parametrize(("length", "fits"), [(2_000, True), (2_001, False)])
def test_the_longest_command(length: int, fits: bool) -> None:  # noqa: FBT001 - an expected value
    """A longer command is refused."""
    text = "docker run a ".ljust(length, "x")
    if fits:
        assert len(commands.parse(text, where=WHERE).positionals[1]) == length - len("docker run a ")
    else:
        with pytest.raises(RefusedError, match="the command is too long: 2,001 characters") as error:
            commands.parse(text, where=WHERE)
        assert error.value.evidence == f"{text[:60]}…"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("docker build", "a build takes its own context"),
        ("docker build . .", "a build takes its own context"),
        ("docker build sub", "a build takes its own context"),
        ("docker build -q", "a build takes its own context"),
        ("docker run --rm", "the image is missing"),
        ("docker tag a", "`docker tag` takes an image and its new name"),
        ("docker rmi", "the image is missing"),
        ("docker exec web", "the program is missing"),
        ("docker logs", "the container is missing"),
        ("docker inspect -f '{{.ID}}'", "the image is missing"),
        ("docker history", "the image is missing"),
        ("docker version a", "takes no arguments"),
        ("docker inspect a A", "invalid image name `A`"),
        ("docker history a -- b", "the flag `--` is refused"),
        ("docker run - a", "invalid image name `-`"),
        ("docker build -t=  .", "docker takes the `=` as the value"),
        ("docker run -u= a", "docker takes the `=` as the value"),
        ("docker run --rm= a", "takes no value"),
        ("docker build -t", "needs a value"),
        ("docker history -H true a", "needs a value"),
        ("docker", "`docker ` is refused"),
        ("docker image", "`docker image` is refused"),
        ("docker image build", "a build takes its own context"),
        ("docker run \u2013\u2013rm a", "not with a hyphen"),
    ],
)
def test_an_incomplete_command(text: str, says: str) -> None:
    """Missing and superfluous words are refused."""
    with pytest.raises(RefusedError) as error:
        commands.parse(text, where=WHERE)
    assert says in str(error.value)
    assert error.value.where == WHERE
    assert error.value.hint


def test_blanks_between_words() -> None:
    """Words may be separated by several spaces. A quoted empty word counts."""
    command = commands.parse("docker run  a '' b ", where=WHERE)
    assert (command.argv, command.positionals, command.head) == (("docker", "run", "a", "", "b"), ("a", "", "b"), 2)
    assert commands.parse("docker image ls a", where=WHERE).head == 3


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("docker compose up", "its file can mount directories, open ports", "docker run -d --name NAME IMAGE"),
        ("docker-compose up -d", "`docker-compose` is refused: its file can mount", "docker run -d --name NAME IMAGE"),
        ("kubectl apply -f app.yaml", "`kubectl` is refused: it needs a cluster", "measure the image with docker run"),
        ("helm install app ./chart", "`helm` is refused: it needs a cluster", "as code"),
        ("podman run a", "a command starts with `docker`, or needs `inside`", "inside = "),
        ("docker buildx bake", "`docker buildx bake` is refused: its file can read others", "a docker build for each"),
        ("docker volume create x", "`docker volume` is refused: it stays in the engine", "docker run --tmpfs"),
        ("docker network ls", "the containers of a snippet have a network of their own", "docker run -d -p"),
        ("docker pull alpine", "images come from bases.toml", "base images of bases.toml"),
        ("docker build --pull .", "base images are pinned", "leave it out"),
        ("docker build --ssh default .", "the keys of whoever runs it", "context/"),
        ("docker build -o out .", "it would write files to this machine", "`contents`"),
        ("docker build --cache-from a .", "a build uses its own cache", "leave it out"),
        ("docker build --network=host .", "`host` is refused as the value of `--network`: a step names", "network = "),
        ("docker build --secret id=x,env=X .", "a secret is a file of context/ here", "id=NAME,src=FILE"),
        ("docker run -it a sh", "nobody is there to type", "docker run IMAGE PROGRAM"),
        ("docker run -v /:/x a", "it would reach files of this machine", "--tmpfs"),
        ("docker run -dp 1:1 a", "two flags in one word are not read here", "write -d -p"),
        ("docker logs -f web", "it would never end", "`until`"),
    ],
)
def test_what_to_write_instead(text: str, why: str, hint: str) -> None:
    """What articles use and the tool refuses is refused with the reason, and with what to write instead."""
    with pytest.raises(RefusedError) as error:
        commands.parse(text, where=WHERE)
    assert why in error.value.what
    assert "is refused" in error.value.what
    assert hint in error.value.hint


def test_other_programs_run_inside_a_container() -> None:
    """With `inside`, a program is any file of the image, so none is refused by its name."""
    assert commands.parse("kubectl version", where=WHERE, inside=True).verb == "inside"


def test_secrets() -> None:
    """The files that a build reads as secrets."""
    command = commands.parse("docker build --secret id=a.b,src=./x/y --secret=id=c,source=.z .", where=WHERE)
    assert command.secrets == ["./x/y", ".z"]
    assert commands.parse("docker tag a b", where=WHERE).creates == ["b"]


def test_variables_and_filters() -> None:
    """They belong to the command, but not to its words."""
    command = commands.parse("DOCKER_BUILDKIT=1 SOURCE_DATE_EPOCH=0 docker build .", where=WHERE)
    assert command.variables == (("DOCKER_BUILDKIT", "1"), ("SOURCE_DATE_EPOCH", "0"))
    assert command.argv == ("docker", "build", ".")
    command = commands.parse("docker history a | head -3 | wc -l", where=WHERE)
    assert command.argv == ("docker", "history", "a")
    assert command.filters == (("head", "-3"), ("wc", "-l"))
    command = commands.parse("go list ./... | sort".replace("...", "a"), where=WHERE, inside=True)
    assert (command.argv, command.filters) == (("go", "list", "./a"), (("sort",),))
