"""Dockerfiles: the images that a build needs, and the places of refusals."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from proof.captures import index
from proof.captures.buildkit_log import labels
from proof.core.errors import RefusedError, Where
from proof.runs import verify
from proof.snippets import manifest
from proof.snippets.dockerfile import Dockerfile, localise, parse
from tests.support.helpers import REPOSITORY

EMBEDDED = """\
# The build needs Go, the result does not.
FROM golang:1.27-alpine AS builder
WORKDIR /go/src/app
COPY main.go .
RUN go build -o /go/bin/app main.go

FROM alpine:3.22
COPY --from=builder /go/bin/app /usr/local/bin/app
CMD ["app"]
"""


def read(folder: Path, text: str | bytes, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    path = folder / "Dockerfile"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return parse(path, arguments)


def images(folder: Path, text: str, **arguments: str) -> dict[str, int | None]:
    """The images from outside, each with its line."""
    return {name: where.line for name, where in read(folder, text, arguments).images.items()}


def test_needs(tmp_path: Path) -> None:
    """A stage needs the stages that it starts from, copies from or mounts, by name or number."""
    text = (
        "FROM alpine:3.22 AS source\nFROM source AS test\nRUN --mount=type=bind,from=source,target=/s true\n"
        "FROM source\nFROM scratch\nCOPY --from=test /t /\nCOPY --from=2 /b /\nCOPY --from=alpine:3.22 /a /\n"
    )
    assert read(tmp_path, text).needs == {1: {0}, 2: {0}, 3: {1, 2}}


def test_a_platform_of_the_build(tmp_path: Path) -> None:
    """The variables for the target's platform have the values of `--platform`, and none if that has several."""
    path = tmp_path / "Dockerfile"
    path.write_text("FROM a:$TARGETARCH${TARGETVARIANT:+-$TARGETVARIANT}".replace("-$TARGETVARIANT", "-7"))
    assert [*parse(path, platform="linux/arm/v7").images] == ["a:arm-7"]
    assert [*parse(path, {"TARGETARCH": "x"}).images] == ["a:x"]
    with pytest.raises(RefusedError, match="TARGETARCH"):
        parse(path, platform="linux/amd64,linux/arm64")


def test_only_stages_that_are_built_need_images(tmp_path: Path) -> None:
    """A builder skips the other stages, so their images need no entry in bases.toml."""
    path = tmp_path / "Dockerfile"
    path.write_text(
        "FROM a AS one\nFROM b AS two\nCOPY --from=c /x /\nFROM one AS three\nFROM d\nCOPY --from=two /x /\n"
    )
    needed = {target: set(parse(path, target=target).images) for target in (None, "one", "TWO", "2")}
    assert needed == {None: {"b", "c", "d"}, "one": {"a"}, "TWO": {"b", "c"}, "2": {"a"}}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("FROM a\nADD --keep-git-dir=true x y", "clone the repository into context/"),
        ("FROM a\nADD --checksum=sha256:0 x y", "sha256sum -c"),
        ("# syntax=docker/dockerfile:1.7-labs\nFROM a", "COPY --parents"),
        ("# syntax=docker/dockerfile-upstream:master-labs\nFROM a", "COPY --parents"),
        ("# syntax=docker/dockerfile:experimental\nFROM a", "remove the line, or let"),
        ("# syntax=example.org/frontend:1\nFROM a", "write a Dockerfile that does the same"),
        ("# check=all\nFROM a", "# check=skip=NAME,NAME"),
    ],
)
def test_what_to_do_instead(tmp_path: Path, text: str, hint: str) -> None:
    """What is refused says what to write instead."""
    with pytest.raises(RefusedError) as error:
        read(tmp_path, text)
    assert hint in error.value.hint


class TestImages:
    def test_stages(self, tmp_path: Path) -> None:
        """A two-stage build has its stages in order, and the image of each FROM with its line."""
        dockerfile = read(tmp_path, EMBEDDED)
        assert [(s.index, s.alias, s.parent) for s in dockerfile.stages] == [
            (0, "builder", "golang:1.27-alpine"),
            (1, None, "alpine:3.22"),
        ]
        assert {name: where.line for name, where in dockerfile.images.items()} == {
            "golang:1.27-alpine": 2,
            "alpine:3.22": 7,
        }

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("FROM a\nFROM b\nCOPY --from=0 x y", {"a": 1, "b": 2}, id="a stage by its number"),
            pytest.param("FROM a\nCOPY --from=1 x y", {"a": 1, "1": 2}, id="no such number yet"),
            pytest.param("FROM a\nFROM 0", {"0": 2}, id="FROM knows no numbers"),
            pytest.param("FROM a\nCOPY --from=s x y\nFROM b AS s", {"b": 3}, id="no name yet"),
            pytest.param("FROM scratch\nCOPY --from=a x y\nCOPY --from=a z y", {"a": 2}, id="first mention counts"),
            pytest.param("FROM a\nRUN --mount=type=bind,from=b,target=/b ls", {"a": 1, "b": 2}, id="a mounted image"),
            pytest.param("FROM a AS s\nRUN --mount=from=s,target=/s ls", {"a": 1}, id="a mounted stage"),
            pytest.param("FROM a\nRUN --mount=FROM=b,target=/b ls", {"a": 1, "b": 2}, id="a mount's keys in any case"),
            pytest.param("FROM --platform=$BUILDPLATFORM a AS s", {"a": 1}, id="a platform is not an image"),
            pytest.param("FROM a\nCOPY \\\n  --from=b \\\n  x y", {"a": 1, "b": 2}, id="a flag on its own line"),
            pytest.param("FROM a\nRUN <<EOF\nFROM b\n EOF\nEOF\nCOPY --from=c x y", {"a": 1, "c": 6}, id="heredoc"),
        ],
    )  # fmt: skip
    def test_images(self, tmp_path: Path, text: str, expected: dict[str, int | None]) -> None:
        """Exactly the images from outside are found, each with its first line."""
        assert images(tmp_path, text) == expected


class TestArguments:
    @pytest.mark.parametrize(
        ("text", "image"),
        [
            ("ARG V=1\nFROM a:$V", "a:1"),
            ("ARG V=1\nFROM a:${V}-x", "a:1-x"),
            ("ARG V='1'\nFROM a:$V", "a:1"),
            ("ARG V\nFROM a:${V:-2}", "a:2"),
            ("FROM a:${V:-2}", "a:2"),
            ("ARG V=1\nFROM a${V:+:3}", "a:3"),
            ("FROM a${V:+:3}", "a"),
            ("ARG A=a V=1\nFROM $A:$V", "a:1"),
            ("ARG V=1\nARG I=a:${V}\nFROM $I", "a:1"),
            ("ARG V=1\nARG V=2\nFROM a:$V", "a:2"),
            ("ARG V=1 W=2\nFROM a:$V$W", "a:12"),
            ('ARG V="1"\nFROM a:$V', "a:1"),
            ('ARG V="a b"\nFROM x', "x"),
            ("ARG V=\nFROM a${V:+x}", "a"),
            ("ARG V=\nFROM a${V:-x}", "ax"),
            ("ARG V=1\nFROM a${V:-x}", "a1"),
            ("ARG V=1\nFROM a:${V}_x", "a:1_x"),
            ("ARG V_1=1\nFROM a:$V_1-x", "a:1-x"),
            ("ARG BUILD=1\nFROM a:$BUILD", "a:1"),
            ("ARG BUILD_X=1\nFROM a:$BUILD_X", "a:1"),
            ("ARG XTARGETOS=1\nFROM a:$XTARGETOS", "a:1"),
            ("ARG V=a/b.c:1\nFROM ${W:-a/b.c:1}", "a/b.c:1"),
            # Without a value, and without an ARG, a variable is empty, as BuildKit reads it.
            ("ARG V\nFROM ${V}a:1", "a:1"),
            ("ARG V=$U\nFROM ${V}${W}a:1", "a:1"),
            # BuildKit sets these itself.
            ("FROM a:$TARGETOS-${TARGETARCH}$TARGETVARIANT", "a:linux-amd64"),
            ("FROM a:$BUILDARCH", "a:amd64"),
            ("ARG BUILDER=a:1\nFROM $BUILDER", "a:1"),
            # The host that Docker assumes, and a digest, are not part of a base's name.
            ("FROM docker.io/library/a:1", "a:1"),
            ("FROM index.docker.io/b/a:1", "b/a:1"),
            (f"FROM a:1@sha256:{'0' * 64}", "a:1"),
            (f"ARG V={'x' * 1_000}\nFROM $V", "x" * 1_000),
        ],
    )
    def test_default(self, tmp_path: Path, text: str, image: str) -> None:
        """The arguments above a FROM are expanded in it."""
        assert list(images(tmp_path, text)) == [image]

    @pytest.mark.parametrize("text", ["ARG V=1\nFROM a:$V", "ARG V\nFROM a:$V", "ARG V\nARG W=$V\nFROM a:$W"])
    def test_build_arg(self, tmp_path: Path, text: str) -> None:
        """`--build-arg` overrides the default of a declared argument."""
        assert list(images(tmp_path, text, V="9")) == ["a:9"]


class TestChain:
    def test_last_stage(self, tmp_path: Path) -> None:
        """Without a target, the base is that of the last stage."""
        assert read(tmp_path, EMBEDDED).chain()[0].parent == "alpine:3.22"

    @pytest.mark.parametrize(
        ("target", "base"), [("builder", "golang:1"), ("BUILDER", "golang:1"), ("0", "golang:1"), ("test", "golang:1"),
                             ("1", "golang:1"), ("final", "scratch"), ("golang", "alpine"), ("reused", "alpine")],
    )  # fmt: skip
    def test_target(self, tmp_path: Path, target: str, base: str) -> None:
        """A target may be a name or a number, and its stage may be based on other stages."""
        text = (
            "FROM golang:1 AS builder\nFROM builder AS test\nFROM scratch AS final\n"
            "FROM alpine AS golang\nFROM golang AS reused"
        )
        assert read(tmp_path, text).chain(target)[0].parent == base

    def test_stage_of_its_own_name(self, tmp_path: Path) -> None:
        """A stage may have the name of its image."""
        assert read(tmp_path, "FROM alpine AS alpine\nFROM alpine AS alpine").chain()[0].parent == "alpine"

    @pytest.mark.parametrize(
        ("text", "hint"), [("FROM a AS x\nFROM b AS y", "one of: x, y"), ("FROM a", "name a stage")]
    )
    def test_no_such_target(self, tmp_path: Path, text: str, hint: str) -> None:
        """An unknown target is refused, with the known ones in the hint."""
        with pytest.raises(RefusedError, match=f"no stage is called 'z'\n.*{hint}") as error:
            read(tmp_path, text).chain("z")
        assert error.value.where == Where(tmp_path / "Dockerfile")


# tests/data/corpus lists what is refused, and why.
LINES = [
    ("ARG SOURCE_DATE_EPOCH=1\nFROM a:$SOURCE_DATE_EPOCH", 2),
    # the whole file, and the line that the message names
    ("FROM a\n\nRUN true \\\n  && true\nADD https://evil.example/x /x", 5),
    ("FROM a\nENV U=x\nADD $U \\\n  /x", 3),
    ("#!/usr/bin/env docker\n# syntax=evil\nFROM a", 2),
    ("FROM a\n# comment\rRUN <<EOF\nFROM evil", 2),
    ("ARG V=\nFROM a:$V", 2),
    ("# FROM a", None),
    (b"FROM a\nLABEL x=\xff", None),
]


@pytest.mark.parametrize(("text", "line"), LINES, ids=[repr(text) for text, _ in LINES])
def test_the_line_of_a_refusal(tmp_path: Path, text: str | bytes, line: int | None) -> None:
    """A refusal names the first line of the instruction, and has a hint."""
    with pytest.raises(RefusedError) as error:
        read(tmp_path, text)
    assert error.value.where == Where(tmp_path / "Dockerfile", line)
    assert error.value.hint


LOCALISED = [
    ("# syntax=docker/dockerfile:1\nFROM a", "# p/syntax=docker/dockerfile:1\nFROM p/a"),
    ("#syntax = docker/dockerfile:1.7\r\nFROM keep", "#p/syntax = docker/dockerfile:1.7\r\nFROM keep"),
    ("FROM keep\n# syntax=docker/dockerfile:1", "FROM keep\n# syntax=docker/dockerfile:1"),
    ("FROM alpine:3.22", "FROM p/alpine:3.22"),
    ("from  alpine  as  x", "from  p/alpine  as  x"),
    ("FROM scratch", "FROM scratch"),
    ("ARG V=1\nFROM golang:${V} AS b", "ARG V=1\nFROM p/golang:1 AS b"),
    ("ARG V=b\nFROM a AS b\nFROM $V", "ARG V=b\nFROM p/a AS b\nFROM $V"),
    ("FROM a\nCOPY <<E /x\nFROM a\nE\nUSER 1", "FROM p/a\nCOPY <<E /x\nFROM a\nE\nUSER 1"),
    ("FROM a\nRUN <<E\ncp --from=a\nE", "FROM p/a\nRUN <<E\ncp --from=a\nE"),
    ("FROM a\nCOPY \\\n --from=b \\\n x y", "FROM p/a\nCOPY \\\n --from=p/b \\\n x y"),
    ("FROM a\nCOPY --from=a x y\nCOPY --from=ab x y", "FROM p/a\nCOPY --from=p/a x y\nCOPY --from=p/ab x y"),
    ("FROM a AS b\nFROM b\nCOPY --from=b x y", "FROM p/a AS b\nFROM b\nCOPY --from=b x y"),
    ("FROM a\nRUN --mount=type=bind,from=b,target=/b ls", "FROM p/a\nRUN --mount=type=bind,from=p/b,target=/b ls"),
    ("FROM a\nRUN --mount=type=bind,FROM=b,target=/b ls", "FROM p/a\nRUN --mount=type=bind,FROM=p/b,target=/b ls"),
    ("FROM a\nRUN cp if=x from=y # FROM z", "FROM p/a\nRUN cp if=x from=y # FROM z"),
    (
        "# --from=b\nFROM a\n# --from=b\nCOPY --from=b x y\n# --from=b",
        "# --from=b\nFROM p/a\n# --from=b\nCOPY --from=p/b x y\n# --from=b",
    ),
    (
        "FROM a\nCOPY --from=b x y\nCOPY --from=keep x y\nCOPY --from=c x y",
        "FROM p/a\nCOPY --from=p/b x y\nCOPY --from=keep x y\nCOPY --from=p/c x y",
    ),
]


@pytest.mark.parametrize(("text", "expected"), LOCALISED)
def test_localise(tmp_path: Path, text: str, expected: str) -> None:
    """Images from outside are renamed. Stages, scratch and all other text are unchanged."""
    assert localise(text, lambda name: name if name == "keep" else f"p/{name}", [read(tmp_path, text)]) == expected
    if not read(tmp_path, text).frontend:
        assert localise(text, lambda name: name, [read(tmp_path, text)]) == text


def test_indented_comments(tmp_path: Path) -> None:
    """A comment between the lines of an instruction may be indented. Podman is given one that is not."""
    text = "FROM a\nRUN b \\\n  # why\n\t#and\n  c\nRUN <<E\n  # kept\nE\n"
    dockerfile = read(tmp_path, text)
    assert dockerfile.indented == {3, 4}
    assert localise(text, lambda name: name, [dockerfile]) == text
    changed = localise(text, lambda name: name, [dockerfile], unindent_comments=True)
    assert changed == text.replace("  # why", "# why").replace("\t#and", "#and")


def test_a_frontend_is_never_fetched(tmp_path: Path) -> None:
    """Without a prefix for names, the line would stay a directive."""
    text = "# syntax=docker/dockerfile:1\nFROM a"
    with pytest.raises(ValueError, match="would still be a directive"):
        localise(text, lambda name: name, [read(tmp_path, text)])


def test_two_builds_of_one_file(tmp_path: Path) -> None:
    """If two builds use different images in a place, its variable stays."""
    text = "ARG V=1\nFROM a:$V\nCOPY --from=b:1 x y\n"
    builds = [read(tmp_path, text), read(tmp_path, text, {"V": "2"})]
    assert localise(text, lambda name: f"p/{name}", builds) == "ARG V=1\nFROM p/a:$V\nCOPY --from=p/b:1 x y\n"


def test_localised_has_the_same_stages(tmp_path: Path) -> None:
    """The renamed Dockerfile has the same stages on the renamed images."""
    renamed = read(tmp_path, localise(EMBEDDED, lambda name: f"p/{name}", [read(tmp_path, EMBEDDED)]))
    assert list(renamed.images) == ["p/golang:1.27-alpine", "p/alpine:3.22"]
    assert renamed.chain("builder")[0].parent == "p/golang:1.27-alpine"


@pytest.mark.parametrize(
    "folder", sorted(path.parent.name for path in (REPOSITORY / "snippets").glob("*/snippet.toml"))
)
def test_labels_match_the_logs_of_buildkit(folder: str) -> None:
    """No committed log looks as if it contained steps of another build."""
    found = 0
    for snippet in manifest.variants(REPOSITORY / "snippets" / folder):
        capture = index.best(snippet.folder, snippet.variant)
        assert capture is not None
        assert not verify._is_mixed_up(capture, snippet)
        found += sum(len(labels(step.output)) for step in capture.steps)
    assert found or folder not in ("multi", "single", "layers_depth")


def test_prefixes(tmp_path: Path) -> None:
    """Two builds share the base image of a stage and its steps up to the first RUN."""
    common = "WORKDIR /src\nCOPY . .\nRUN go build\n"
    first = read(tmp_path, f"FROM golang AS a\n{common}RUN x\nFROM a\nRUN y\n")
    second = read(tmp_path, f"FROM alpine\nCOPY --from=golang /a /b\nFROM golang\n{common}")
    assert first.prefixes == second.prefixes == {("golang", *common.splitlines())}
    assert first.labels == (frozenset(f"[a {n}/5]" for n in range(1, 6)), frozenset({"[stage-1 1/1]"}))


FLAGS = {
    "FROM": ["--platform=linux/amd64"],
    "COPY": ["--from=s", "--chown=1:1", "--chmod=755", "--link", "--parents", "--exclude=*.go"],
    "ADD": ["--chown=1:1", "--chmod=755", "--link", "--exclude=*.go"],
    "RUN": ["--mount=type=cache,target=/x", "--network=none"],
    "HEALTHCHECK": ["--interval=5m", "--timeout=3s", "--start-period=1s", "--start-interval=1s", "--retries=3"],
    **{
        name: []
        for name in ("ARG", "ENV", "WORKDIR", "CMD", "ENTRYPOINT", "USER", "LABEL", "EXPOSE", "SHELL", "VOLUME")
    },
    "STOPSIGNAL": [],
}
EVERY_FLAG = sorted({flag for flags in FLAGS.values() for flag in flags})


@pytest.mark.parametrize("flag", [*EVERY_FLAG, "--security=insecure", "--keep-git-dir", "--x"])
@pytest.mark.parametrize("name", FLAGS)
def test_the_flags_of_an_instruction(name: str, flag: str, tmp_path: Path) -> None:
    """Each instruction has its own flags."""
    rest = {"FROM": "a", "WORKDIR": "/x", "ARG": "A=b", "ENV": "A=b", "VOLUME": "/x"}.get(name, "x y")
    text = f"FROM a AS s\nFROM a\n{name} {flag} {rest}\n"
    if flag in FLAGS[name]:
        assert set(images(tmp_path, text)) == {"a"}
    else:
        with pytest.raises(RefusedError, match=f"the flag {re.escape(flag)} is refused") as error:
            read(tmp_path, text)
        assert error.value.where
        assert error.value.where.line == 3


@pytest.mark.parametrize(
    ("text", "unnamed"),
    [
        ("FROM a\nRUN x", False),
        ("FROM a AS s\nFROM s\nCOPY --from=s x y\nCOPY --from=0 x y\nRUN --mount=from=s,target=/x y", False),
        ("FROM a\nCOPY --from=b x y", True),
        ("FROM a\nCOPY --from=a x y", True),
        ("FROM a\nRUN --mount=target=/x y", True),
        ("FROM a\nRUN --mount=type=cache,target=/x y", True),
        ("FROM a\nRUN --mount=type=secret,id=x y", True),
        ("FROM a\nRUN --mount=from=b,target=/x y", True),
        ("FROM a\nRUN --network=none y", False),
    ],
)
def test_a_stage_without_a_from(text: str, unnamed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expected value
    """BuildKit adds a stage for another image or a mount, and then prints the names of stages."""
    found = read(tmp_path, text)
    assert found.unnamed is unnamed
    several = unnamed or len(found.stages) > 1
    assert several is any(" " in label for labels in found.labels for label in labels)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("FROM a", [["[1/1]"]]),
        ("FROM scratch", [[]]),
        ("FROM scratch\nCOPY a b", [["[1/1]"]]),
        ("FROM a\nUSER 1\nENV A=b\nCMD x\nEXPOSE 1\nLABEL a=b\nARG A\nVOLUME /x", [["[1/1]"]]),
        ("FROM a\nRUN x\nCOPY x y\nADD x y\nWORKDIR /x", [[f"[{n}/5]" for n in range(1, 6)]]),
        ("FROM a\n" + "RUN x\n" * 9, [[*(f"[ {n}/10]" for n in range(1, 10)), "[10/10]"]]),
        ("FROM a AS b\nRUN x\nFROM b\nRUN y", [["[b 1/2]", "[b 2/2]"], ["[stage-1 1/1]"]]),
        ("FROM a AS b\nFROM scratch AS c\nCOPY --from=b x y", [["[b 1/1]"], ["[c 1/1]"]]),
    ],
)
def test_labels(text: str, labels: list[list[str]], tmp_path: Path) -> None:
    """Each step has a label, right-justified. The FROM of another stage, or of scratch, is not a step."""
    assert list(read(tmp_path, text).labels) == [frozenset(stage) for stage in labels]


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("FROM a\nCOPY x y", []),
        ("FROM a\nCOPY x y\nRUN z\nRUN z", [("a", "COPY x y", "RUN z")]),
        ("FROM a\n run z\nCOPY x y", [("a", " run z")]),
        ("FROM a\nCOPY RUN y", []),
        ("FROM a AS b\nRUN x\nFROM b\nRUN y\nFROM c\nUSER 1\nRUN y", [("a", "RUN x"), ("c", "RUN y")]),
        ("FROM a\nRUN <<E\nx\nE", [("a", "RUN <<E\nx\nE")]),
        ("FROM scratch\nRUN x", [("scratch", "RUN x")]),
    ],
)
def test_what_a_stage_begins_with(text: str, begins: list[tuple[str, ...]], tmp_path: Path) -> None:
    """A stage on a base image begins with the base and the steps up to the first RUN."""
    assert read(tmp_path, text).prefixes == set(begins)


def long(name: str, length: int, variables: int) -> str:
    """An instruction with this number of characters and of variables."""
    return f"{name} A=".ljust(length - 2 * variables, "x") + "$A" * variables


def rows(template: str, accepted: Iterable[str], refused: Iterable[str], why: str) -> Iterator[tuple[str, str]]:
    """Texts with each of these in the place of `@`, and why they are refused, if they are."""
    yield from ((template.replace("@", text), "") for text in accepted)
    yield from ((template.replace("@", text), why) for text in refused)


def words(text: str) -> list[str]:
    """One row a line, or several between two blanks."""
    return re.split(r"  +|\n", text.strip())


READ = [
    # Instructions that only use the context and the base images.
    *rows(
        "FROM a\n@",
        [
            "# syntax=docker/dockerfile:1",
            "RUN --mount=Type=Cache,target=/x --mount=type=tmpfs,target=/y --network=none ls",
            "COPY --chown=$USER --chmod=755 x y",
            "ENV A=b\nUSER 1\nEXPOSE 80\nSTOPSIGNAL TERM\nVOLUME /x\nHEALTHCHECK NONE\nENTRYPOINT []\nLABEL a=b",
            "MAINTAINER A reader <reader@example.org>",
            'SHELL ["/bin/sh", "-c"]\nRUN echo "# syntax=x" $HOME',
        ],
        (),
        "",
    ),
    # The names of stages that both builders read in the same way.
    *rows(
        "FROM a as @\nFROM a AS other",
        words("a  a1  a.b_c-d  scratchy  context2  ascratch  z9"),
        words("A  aB  1a  -a  .a  _a  a:b  a/b  scratch  context  $a  a+"),
        "invalid stage name",
    ),
    # What ADD may name: no scheme, host, variable or repository.
    *rows(
        "FROM a\nADD @",
        [
            *words(
                "a /b  ./a-b_c.tar.gz /x/  a/*.txt a?.go /x/  a,b /x  git /x  a.gitignore /x  github.community/a /x"
                "  . /go/src/github.com/a/b  . $GOPATH/src  . ${GOPATH}/src/github.com/a/"
            ),
            *('["a b", "/x"]', "['a', '/x']", "<<E /x\nE", "--chown=1:1 x.tar.gz a-b_c/*.txt /x/"),
        ],
        words("""
a.git /x  x/a.git/b /x  github.com/a /x  x.github.com/ /x  a:b /x  $A /x
. a@b:x  ${A}/x $B  a#b /x  a%41 /x  a~b /x  a=b /x  a;b /x  a\\b /x
"""),
        "plain paths",
    ),
    *rows(
        "FROM a\nVOLUME @",
        words('/x  /x /y  ["/x", "/y-z.a_b"]  x'),
        words('/x /proc  ["/x","/dev"]  $A  /a*  \'/x\'  sys'),
        "is refused as a volume",
    ),
    # A mount's target is relative to the working directory.
    *rows(
        "FROM a AS s\nFROM a\nWORKDIR /src\nWORKDIR /\nRUN --mount=@ ls",
        words("""
type=cache,target=/x  type=bind,target=/x  type=tmpfs,target=/x  type=CACHE,target=/x  target=/x  from=s,target=/x
dst=/x  destination=/x  source=/x  src=/x  target=/x,readonly  target=/x,ro  target=/x,readwrite  target=/x,rw
type=cache,id=a.b-c_d,sharing=locked,mode=0755,uid=1,gid=1,target=/x/y  type=tmpfs,size=100,target=/x
Type=bind,From=a,Source=a/b+c,Target=/x  target=/srv/proc  source=/proc,target=/x  source=a..b,target=/x
type=secret  TYPE=Secret,id=a,dst=/x,required=true,mode=0400,uid=1,gid=1
"""),
        [
            *words("""
target=proc  target=../dev  dst=/sys  destination=/proc/self  source=a/..,target=/x  source=..,target=/x
id=a*b,target=/x  target=/x,Target=/y  type=bind,type=cache  id=a,type=secret,from=b  type=secret,source=a
type=secret,type=bind  type=cache,required,target=/x  type=ssh  env=A
"""),
            "",
        ],
        "mount",
    ),
    *rows(
        "FROM a\nWORKDIR /src\n@\nRUN --mount=target=proc ls",
        ["", "WORKDIR app\nWORKDIR .."],
        ["WORKDIR app\nWORKDIR ../..", "WORKDIR /"],
        "a mount at proc",
    ),
    # A WORKDIR may not lead to the kernel's directories, nor use variables that the file sets.
    *rows(
        "FROM a\nENV SET=/proc BOTH=$SET\nWORKDIR @",
        [
            *words("/src  src  /a/../b  /processes  $HOME  ${HOME}/x  /src/$HOME  a..b/$HOME  /x/$SETX"),
            *("/src\nWORKDIR proc", "/src\nWORKDIR x", "/x\nFROM a AS b\nFROM b\nENV SET=/proc\nWORKDIR /x"),
        ],
        [
            *words(
                "proc  $HOME/..  /$HOME/../x  $SET  ${SET}  $BOTH  /x/$GIVEN  ${HOME:-x}  $  \"/src\"  '/src'  /s\\rc"
            ),
            *("/src\nWORKDIR ..\nWORKDIR proc", "/src\nWORKDIR $HOME\nWORKDIR proc"),  # from wherever it led
        ],
        "WORKDIR|belongs to the kernel",
    ),
    # Variables of the base image are allowed. Those that the file may have set could be any directory.
    *rows(
        "FROM a\n@\nWORKDIR /x/$A",
        [
            *words('ENV A=/x/y  ENV A="/x"  ENV A=/x B=/y A=/x  ENV C x  ENV C x $A  ENV A=$B  ENV A=${B}  ENV A=$A'),
            *words("ENV C=x  ARG C  RUN A=x true"),
        ],
        [
            *words("ENV A=x  ENV A=  ENV A=$B$B  ENV A=${B:-x}  ENV A x  ENV 'A'=x  ARG A  ARG A=x"),
            *(
                "ENV A=/x\nENV A=/y",
                "ENV A=/x\nENV A /proc",
                "ENV A=/x\nARG A",
                "ENV A=/x\nENV A=/x/..",
                "ENV A=/x\nENV A y",
            ),
            *("ENV A=/x\nENV A=$A/..", "ENV A=/x\nENV 'A'=/y", "ARG A\nENV A=/x", "ENV A=/", "ENV A=/x/../proc"),
            *("ENV C=x\nENV A=$C", "ENV C=x\nENV A=${C}", "ARG C\nENV A=$C"),
        ],
        "this WORKDIR is unknown",
    ),
    # A million characters, with variables expanded: one of the base image is assumed to have up to 300.
    *rows(
        "FROM a\n@",
        [
            long("LABEL", 10_000, 3_300),  # 10,000 + 3,300 * 300 = 1,000,000
            long("ENV", 10_000, 3_300),
            f"{long('ENV', 1_000, 0)}\n{long('LABEL', 3_000, 997)}",  # 3,000 + 997 * 1,000
            f"{long('LABEL', 1_000, 0)}\n{long('LABEL', 3_001, 997)}",  # no variable
            *(f"{long('ENV', 1_000, 0)}\n{long(name, 5_000, 2_000)}" for name in words("RUN  CMD  ENTRYPOINT  SHELL")),
            f"{long('ENV', 1_000, 0)}\n{long('HEALTHCHECK', 5_000, 2_000)}",  # a shell's own
        ],
        [
            long("LABEL", 10_001, 3_300),
            f"{long('ENV', 1_000, 0)}\n{long('LABEL', 3_001, 997)}",
            f"{long('ENV', 1_000, 0)}\nENV A=x\n{long('LABEL', 3_001, 997)}",  # the longest counts
            f"{long('ARG', 1_000, 0)}\n{long('USER', 3_001, 997)}",
            f"{long('ENV', 1_000, 0)}\n{long('COPY', 3_001, 997)}",
        ],
        "nested variables",
    ),
    *rows(
        "@", ["FROM a\n# ".ljust(19_999, "x") + "\n"], ["FROM a\n# ".ljust(20_000, "x") + "\n"], "larger than 20,000"
    ),
    # Ambiguous and very long names of images.
    *rows(
        "@\n",
        (),
        [
            f"ARG V={'x' * 1_001}\nFROM $V",
            f"ARG V={'x' * 600}\nFROM $V$V",
            *("ARG BUILDPLATFORM=1\nFROM a:$BUILDPLATFORM", "ARG TARGETOS=1\nFROM a:${TARGETOS}", "ARG V\nFROM a:$V"),
            *("ARG V=1 V\nFROM a:$V", "ARG V\nARG V\nFROM a:${V:-1}", "ARG V-W=a\nFROM a", "ARG 1=a\nFROM a"),
            *("ARG V='\nFROM a", "ARG V='$W'\nFROM a", "ARG V=a\\b\nFROM a", "FROM a:${V:-$W}"),
            *("FROM a:${V:-'x'}", "FROM a:${V:?x}", "FROM a:${V-x}", "FROM a:$", "FROM a:$1", "FROM a:$U"),
            *("FROM a@sha256:0", f"FROM a@sha512:{'0' * 64}", "FROM a@", "FROM $V", "FROM a:$TARGETSTAGE"),
            "FROM a\nARG V=1\nFROM b:$V",  # an ARG below FROM belongs to its stage
        ],
        "ARG|refused|has no value here|longer than|no valid digest",
    ),
]


@pytest.mark.parametrize(
    ("text", "why"), READ, ids=[f"{number} {text[:40]!r}" for number, (text, _) in enumerate(READ)]
)
def test_what_is_read_and_what_is_refused(text: str, why: str, tmp_path: Path) -> None:
    """What reaches outside of the build, or what builders read differently, is refused."""
    arguments = {"GIVEN": "x", "U": "9"}
    if not why:
        assert set(images(tmp_path, text, **arguments)) == {"a"}
        return
    with pytest.raises(RefusedError, match=why) as error:
        images(tmp_path, text, **arguments)
    assert error.value.where
    assert error.value.hint


def test_no_link_leads_to_a_dockerfile(tmp_path: Path) -> None:
    """Neither the file nor a directory below the trusted one may be a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "real" / "Other").symlink_to("Dockerfile")
    assert parse(tmp_path / "linked" / "Dockerfile").text == "FROM a\n"  # its own folder is trusted
    with pytest.raises(RefusedError, match="found a symbolic link"):
        parse(tmp_path / "linked" / "Dockerfile", below=tmp_path)
    with pytest.raises(RefusedError, match="found a symbolic link"):
        parse(tmp_path / "real" / "Other")


def test_where_an_image_is_named(tmp_path: Path) -> None:
    """Each mention has the first and last line of its instruction; they are in order."""
    found = read(tmp_path, "FROM a\nCOPY \\\n --from=b \\\n x y\nRUN --mount=from=b,target=/x <<E\nx\nE\n")
    assert [(m.image, m.first, m.last) for m in found.mentions] == [("a", 1, 1), ("b", 2, 4), ("b", 5, 5)]


@pytest.mark.parametrize(
    "workdir",
    [
        "ENV A=/proc\nWORKDIR $A",
        "ENV A=/p\nWORKDIR ${A}roc",
        "ENV A=/sys/x\nWORKDIR /$A",
        "ENV A=/x\nWORKDIR $A/../dev",
    ],
)
def test_a_known_variable_leads_to_no_kernel_path(workdir: str, tmp_path: Path) -> None:
    """A directory in the file's own variables is read as the builder reads it."""
    with pytest.raises(RefusedError, match=r"belongs to the kernel|this WORKDIR is unknown"):
        read(tmp_path, f"FROM a\n{workdir}\n")
