"""Build logs of Podman: read into values, and compared with each other and with Docker's."""

import time

import pytest

from proof.captures import buildah_log, engine_output
from proof.captures.buildkit_log import BuildLog
from proof.captures.engine_output import Side
from proof.captures.normalise import comparable
from proof.snippets.engine_version import EngineVersion
from tests.support.helpers import REPOSITORY
from tests.support.makers import step

# Outputs of `podman build` of Podman 5.4.2 and of `docker build` of Docker 26.1.5, byte for byte, but without
# `localhost/`, as the tool shows them. Files of the same name are logs of the same Dockerfile.
BUILDAH = {path.stem: path.read_text() for path in (REPOSITORY / "tests/data/buildah").glob("*.txt")}
BUILDKIT = {path.stem: path.read_text() for path in (REPOSITORY / "tests/data/buildkit").glob("*.txt")}
BUILD = step("docker build -t example .")
DOCKER, PODMAN = EngineVersion("docker", 26), EngineVersion("podman", 5)
ID = "0123456789ab"
WHOLE_ID = ID + 52 * "0"


def told(log: BuildLog) -> list[str]:
    """Everything that a log says, in a short form."""
    found = []
    for each in log.steps:
        found += [f"{each.title.number}: {each.title.text}" + (", cached" if each.cached else "")]
        found += [f"  {line.number}: {line.text}" for line in each.printed]
        found += [f"  {number}: {text}" for text, number in each.messages.items()]
    return found + [f"{line.number}: {line.text}" for line in log.rest if line.text]


def across(docker: str, podman: str, *, exits: tuple[int, int] = (0, 0)) -> tuple[list[str], list[str]]:
    """A log of Docker's and one of Podman's, as lines to compare."""
    old, new = Side(docker, exits[0], DOCKER), Side(podman, exits[1], PODMAN)
    one, two = engine_output.comparable(old, new, BUILD) or ([], [])
    return [line.text for line in one], [line.text for line in two]


def one_step(printed: str, instruction: str = "RUN ./program") -> str:
    """A log in which a command printed this."""
    return f"STEP 1/2: FROM alpine:3.22\nSTEP 2/2: {instruction}\n{printed}COMMIT example\n--> {ID}\n{WHOLE_ID}\n"


class TestParse:
    """Logs of Podman."""

    @pytest.mark.parametrize("name", BUILDAH)
    def test_how_it_begins(self, name: str) -> None:
        """A log of Podman's is known by its first line."""
        assert buildah_log.begins(BUILDAH[name])

    @pytest.mark.parametrize("text", [*BUILDKIT.values(), "", "Error: no FROM statement found\n", "\nSTEP 1/1: FROM a"])
    def test_another_text(self, text: str) -> None:
        """No other text begins so."""
        assert not buildah_log.begins(text)

    def test_a_build(self) -> None:
        """Each step has its instruction and what its command printed. The rest of the log is the builder's."""
        assert told(buildah_log.parse(BUILDAH["fresh"])) == [
            "1: FROM golang:1.27-alpine AS builder",
            "2: WORKDIR /go/src/app",
            "4: COPY main.go .",
            "6: RUN echo building && go build -o /go/bin/app main.go",
            "  7: building",
            "9: FROM alpine:3.22",
            "10: RUN echo one; sleep 0.4; echo two >&2",
            "  11: one",
            "  12: two",
            "14: COPY --from=builder /go/bin/app /usr/local/bin/app",
        ]

    def test_cached_steps(self) -> None:
        """What a cached step printed is not in the log."""
        steps = buildah_log.parse(BUILDAH["cached"]).steps
        assert [each.cached for each in steps] == [False, True, True, True, False, True, True]
        assert [each.title.text for each in steps if not each.known] == [
            "RUN echo building && go build -o /go/bin/app main.go",
            "RUN echo one; sleep 0.4; echo two >&2",
        ]

    def test_a_file_that_is_missing(self) -> None:
        """Neither the ID of a stage nor that of a directory is kept: they change with every build."""
        missing = (
            'checking on sources under "/var/lib/containers/storage/overlay/<id>/merged": copier: stat: '
            '"/go/bin/hello": no such file or directory'
        )
        assert told(buildah_log.parse(BUILDAH["missing_file"]))[3:] == [
            "5: FROM <stage>",
            "6: COPY --from=builder /go/bin/hello /app",
            f"  7: ERROR: {missing}",
        ]

    def test_a_line_without_an_end(self) -> None:
        """If the last line of a command has no end, Podman's next line follows on it."""
        warning = (
            'level=warning msg="SHELL is not supported for OCI image format, [/bin/ash -c] will be ignored. '
            'Must use `docker` format"'
        )
        assert told(buildah_log.parse(BUILDAH["unfinished"])) == [
            "1: FROM alpine:3.22 AS first",
            '2: SHELL ["/bin/ash", "-c"], cached',
            "5: ARG WHO=world",
            f"  6: {warning}",
            '8: RUN printf "hello $WHO"',
            "  9: hello world",
            f"  9: {warning}",
            "11: FROM <stage>",
            "12: RUN printf end",
            "  13: end",
        ]

    @pytest.mark.parametrize(
        "line",
        [
            *(f"--> {ID}!", f"--> {ID}0", "--> Using cache", f"a --> Using cache {WHOLE_ID}", "COMMIT example", ""),
            *("COMMIT", "Successfully tagged a:latest", WHOLE_ID, "Error: not found", "STEP 2/3 begins"),
            *('time="2026-11-26T05:17:54Z" level=info msg="started"', 'Error: building at STEP "COPY a b": no', "é\r"),
        ],
    )
    def test_what_a_program_may_print(self, line: str) -> None:
        """These lines are like Podman's own, but not at the place where Podman prints them."""
        assert told(buildah_log.parse(one_step(f"{line}\nend\n"))) == [
            "1: FROM alpine:3.22",
            "2: RUN ./program",
            f"  3: {line}",
            "  4: end",
        ]

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ("STEP 3/4: RUN true", ["2: RUN ./program", "3: RUN true", "  4: end"]),
            ("[1/2] STEP 1/1: FROM a", ["2: RUN ./program", "3: FROM a", "  4: end"]),
            (f"--> {ID}", ["2: RUN ./program", "4: end"]),
            (f"--> Using cache {WHOLE_ID}", ["2: RUN ./program, cached", "  4: end"]),
            ('Error: building at STEP "RUN a": b', ["2: RUN ./program", "  3: ERROR: b", "4: end"]),
        ],
    )
    def test_what_a_program_can_fake(self, line: str, found: list[str]) -> None:
        """Podman does not mark a program's lines, so a program can print Podman's. No line of the program is lost."""
        assert told(buildah_log.parse(one_step(f"{line}\nend\n")))[1:] == found

    def test_many_steps(self) -> None:
        """Ten thousand steps are parsed and compared in seconds."""
        most = 10_000
        log = "".join(f"STEP {n}/{most}: RUN echo {n}\n{n}\n--> {ID}\n" for n in range(1, most + 1))
        began = time.process_time()
        old, new = across("".join(f"#{n} [{n}/{most}] RUN echo {n}\n#{n} 0.100 {n}\n" for n in range(1, most + 1)), log)
        assert old == new
        assert len(new) == 2 * most
        assert time.process_time() - began < 20


class TestSameEngine:
    """Two runs by the same Podman."""

    @pytest.mark.parametrize("pair", [("cached", "cached"), ("cached", "fresh")])
    def test_the_same_build(self, pair: tuple[str, str]) -> None:
        """IDs and steps that the capture took from the cache are no difference."""
        old, new = comparable(BUILDAH[pair[0]], BUILDAH[pair[1]], BUILD)
        assert [line.text for line in old] == [line.text for line in new]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("building\n", "building fast\n"),
            ("two\n", ""),
            ("COPY main.go .", "COPY other.go ."),
            ("FROM alpine:3.22", "FROM alpine:3.21"),
            ("[2/2] COMMIT", "unknown\n[2/2] COMMIT"),
        ],
    )
    def test_another_build(self, old: str, new: str) -> None:
        """Another instruction or output is a difference."""
        changed = BUILDAH["fresh"].replace(old, new)
        assert changed != BUILDAH["fresh"]
        one, two = comparable(BUILDAH["fresh"], changed, BUILD)
        assert [line.text for line in one] != [line.text for line in two]

    def test_what_no_build_printed(self) -> None:
        """A capture shows the output of a step that the run took from the cache: nobody has seen that."""
        old, new = comparable(BUILDAH["fresh"], BUILDAH["cached"], BUILD)
        assert {line.text for line in old} - {line.text for line in new} == {"  building", "  one", "  two"}


class TestAcross:
    """A log of Docker's and one of Podman's: what commands printed, and which failed."""

    @pytest.mark.parametrize("docker", ["fresh", "cached", "reordered"])
    @pytest.mark.parametrize("podman", ["fresh", "cached"])
    def test_the_same_build(self, docker: str, podman: str) -> None:
        """The words of the builders are not compared. What the capture shows of a cached step's output was not seen."""
        old, new = across(BUILDKIT[docker], BUILDAH[podman])
        unseen = {"  building", "  one", "  two"} if (docker, podman) == ("fresh", "cached") else set()
        assert [line for line in old if line not in unseen] == new
        assert unseen <= set(old)
        assert "RUN echo one; sleep 0.4; echo two >&2" in old

    @pytest.mark.parametrize(
        ("old", "new", "sides"),
        [
            ("building\n", "building fast\n", (["  building"], ["  building fast"])),
            ("two\n", "", (["  two"], [])),
            (f"--> {'7cc6195d93fb'}\n", "three\n--> 7cc6195d93fb\n", ([], ["  three"])),
            ("[2/2] STEP 3/3", "[2/2] STEP 3/4: RUN true\n--> 0123456789ab\n[2/2] STEP 4/4", ([], ["RUN true"])),
        ],
    )
    def test_another_build(self, old: str, new: str, sides: tuple[list[str], list[str]]) -> None:
        """Another output is a difference, and so is another number of commands."""
        changed = BUILDAH["fresh"].replace(old, new)
        assert changed != BUILDAH["fresh"]
        one, two = across(BUILDKIT["fresh"], changed)
        assert ([line for line in one if line not in two], [line for line in two if line not in one]) == sides

    def test_a_build_argument(self) -> None:
        """Docker shows its value and Podman its name, so these commands are matched by their order."""
        docker = "#5 [b 1/2] RUN GOARCH=arm64 a\n#5 0.100 one\n#6 [b 2/2] RUN b arm64\n#6 0.100 two\n"
        podman = f"STEP 1/2: RUN GOARCH=$A a\none\n--> {ID}\nSTEP 2/2: RUN b $A\ntwo\n--> {ID}\n"
        old, new = across(docker, podman)
        assert old == new == ["RUN GOARCH=arm64 a", "  one", "RUN b arm64", "  two"]
        old, new = across(docker, podman.replace("two", "2"))
        assert old != new
        old, new = across(docker, podman.replace("$A", "amd64"))
        assert old != new  # no name of an argument, so it is another instruction

    def test_the_stage_in_a_title(self) -> None:
        """For several platforms Docker's title has the stage."""
        assert across("#5 [linux/arm64 b 1/1] RUN a\n", "STEP 1/1: RUN a\n") == (["RUN a"], ["RUN a"])

    def test_a_command_that_fails(self) -> None:
        """Commands that one of the builders did not reach are left out."""
        old, new = across(BUILDKIT["failing"], BUILDAH["failing"], exits=(1, 1))
        assert old == new
        assert new == [
            "RUN go build -o /go/bin/app broken.go",
            "  # command-line-arguments",
            "  ./broken.go:4:10: undefined: hello",
            " - failed",
        ]
        changed = BUILDAH["failing"].replace("hello", "hullo")
        assert across(BUILDKIT["failing"], changed, exits=(1, 1)) != (old, old)

    @pytest.mark.parametrize("kinds", [(DOCKER, EngineVersion("docker", 29)), (DOCKER, PODMAN)])
    def test_a_capture_in_words_that_its_engine_does_not_have(self, kinds: tuple[EngineVersion, EngineVersion]) -> None:
        """A text that claims to be Docker's and is in Podman's form was made up: nothing of it is left out."""
        forged = BUILDAH["fresh"].replace("[2/2] COMMIT", "[2/2] COMMIT invented\n[2/2] COMMIT")
        real = BUILDKIT["fresh"] if kinds[1].kind == "docker" else BUILDAH["fresh"]
        old, new = engine_output.comparable(Side(forged, 0, kinds[0]), Side(real, 0, kinds[1]), BUILD) or ([], [])
        assert [line.text for line in old] != [line.text for line in new]

    @pytest.mark.parametrize(("field", "differs"), [(".RootFS.Layers", False), (".Config.Env", True)])
    def test_the_layers_in_a_configuration(self, field: str, differs: bool) -> None:  # noqa: FBT001 - an expected value
        """Podman makes no layer for WORKDIR, so their list is not compared. The layers themselves are."""
        inspect = step(f"docker inspect --format '{{{{range {field}}}}}{{{{println .}}}}{{{{end}}}}' example")
        for new, compared in (PODMAN, differs), (EngineVersion("docker", 29), True):
            sides = Side("a\nb\n", 0, DOCKER), Side("a\n", 0, new)
            assert (engine_output.comparable(*sides, inspect) is not None) is compared
            one, two = engine_output.comparable(*sides, inspect) or ([], [])
            assert (one != two) is compared

    def test_ignored_lines(self) -> None:
        """A line that is ignored is no difference, whether the pattern covers Docker's prefix or not."""
        docker, podman = "#5 [1/1] RUN a\n#5 0.100 one\n#5 0.200 in 3 s\n", "STEP 1/1: RUN a\none\nin 4 s\n"
        for pattern in r"(?m)^(#5 0\.200 )?in \d s$", r"in \d s":
            told = step("docker build -t example .", f"ignore = ['{pattern}']")
            one, two = engine_output.comparable(Side(docker, 0, DOCKER), Side(podman, 0, PODMAN), told) or ([], [])
            assert [line.text for line in one] == [line.text for line in two] == ["RUN a", "  one"]
