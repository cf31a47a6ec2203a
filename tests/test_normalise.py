"""What is compared of an output: verbatim logs of the same build alike, of different ones not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.normalise import RULES, normalise
from tests.makers import step

# Outputs of `docker build --progress=plain` of Docker 26.1.5 with buildx 0.13.1, byte for byte.
LOGS = {path.stem: path.read_text() for path in (Path(__file__).parent / "fixtures" / "buildkit").glob("*.txt")}
SNIPPETS = Path(__file__).parent.parent / "snippets"
VERBS = {
    "build": "docker build -t example .",
    "run": "docker run example",
    "ls": "docker image ls example",
    "inspect": "docker inspect example",
    "history": "docker history example",
    "version": "docker version",
}
BUILD = step(VERBS["build"])
LS = step(VERBS["ls"])
HISTORY = step(VERBS["history"])

FAILING = """\
step RUN go build -o /go/bin/app broken.go
  # command-line-arguments
  ./broken.go:4:10: undefined: hello
ERROR: process "/bin/sh -c go build -o /go/bin/app broken.go" did not complete"""
IMAGE_LS = """\
REPOSITORY   TAG       IMAGE ID       CREATED         SIZE
example      latest    72501f1e7135   4 seconds ago   270MB
"""
HISTORY_TABLE = """\
IMAGE          CREATED          CREATED BY                                      SIZE      COMMENT
1a9af2c4de0a   8 seconds ago    CMD ["app"]                                     0B        buildkit.dockerfile.v0
<missing>      16 months ago    ADD alpine-minirootfs-3.22.1-x86_64.tar.gz /…   8.31MB    buildkit.dockerfile.v0
"""


class TestBuildLog:
    @pytest.mark.parametrize("other", ["cached", "reordered"])
    def test_same_build(self, other: str) -> None:
        """Logs of one build are alike, whatever their order, numbers, times, interleaving and cache hits."""
        assert LOGS["fresh"] != LOGS[other]
        assert normalise(LOGS["fresh"], BUILD) == normalise(LOGS[other], BUILD)

    def test_what_is_left(self) -> None:
        """What is compared are the steps that were taken, sorted."""
        assert normalise(LOGS["fresh"], BUILD).splitlines() == [
            "step COPY --from=builder /go/bin/app /usr/local/bin/app",
            "step COPY main.go .",
            "step FROM docker.io/library/alpine:3.22",
            "step FROM docker.io/library/golang:1.27-alpine",
            "step RUN echo building && go build -o /go/bin/app main.go",
            "step RUN echo one; sleep 0.4; echo two >&2",
            "step WORKDIR /go/src/app",
            "step [internal] load .dockerignore",
            "step [internal] load build context",
            "step [internal] load build definition from Dockerfile",
            "step [internal] load metadata for docker.io/library/alpine:3.22",
            "step [internal] load metadata for docker.io/library/golang:1.27-alpine",
            "step exporting to image",
        ]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("COPY main.go .", "COPY other.go ."),
            ("golang:1.27-alpine", "golang:1.28-alpine"),
            ("#12 [stage-1 3/3] COPY --from=builder /go/bin/app /usr/local/bin/app\n#12 DONE 0.0s\n", ""),
            ("#13 exporting to image", "#14 [4/4] RUN true\n#14 CACHED\n\n#13 exporting to image"),
        ],
    )
    def test_another_build(self, old: str, new: str) -> None:
        """A step that changed, went or came is a difference."""
        changed = LOGS["fresh"].replace(old, new)
        assert changed != LOGS["fresh"]
        assert normalise(LOGS["fresh"], BUILD) != normalise(changed, BUILD)

    def test_shared_step(self) -> None:
        """A step that another build has too may bear the name which that one gave it."""
        theirs = LOGS["failing"].replace("[builder ", "[").replace("[stage-1 2/3]", "[final 7/12]")
        assert theirs.count("[") == LOGS["failing"].count("[")
        assert normalise(theirs, BUILD) == normalise(LOGS["failing"], BUILD)

    def test_failing(self) -> None:
        """Of a build that fails, what the failing step printed and the error stay; times go."""
        found = normalise(LOGS["failing"], BUILD)
        assert found == normalise(LOGS["failing_again"], BUILD)
        assert FAILING in found
        assert "\n./broken.go:4:10: undefined: hello\n" in found
        assert "   4 | >>> RUN go build -o /go/bin/app broken.go" in found
        assert "\nERROR: failed to solve: process" in found
        assert not re.search(r"3\.\d{3}", found)

    @pytest.mark.parametrize(
        ("old", "new"), [("undefined: hello", "undefined: bye"), ("exit code: 1", "exit code: 2"), (":4:10", ":5:10")]
    )
    def test_failing_otherwise(self, old: str, new: str) -> None:
        """Another error is a difference."""
        assert normalise(LOGS["failing"], BUILD) != normalise(LOGS["failing"].replace(old, new), BUILD)

    def test_missing_file(self) -> None:
        """A file that is missing from the context is named; what BuildKit calls the context may differ."""
        again = LOGS["missing_file"].replace("o1v26mj906s2axznpwdn47aiz", "kr2ph5eyksp80otwm00cidf3e")
        assert again != LOGS["missing_file"]
        assert normalise(again, BUILD) == normalise(LOGS["missing_file"], BUILD)
        assert 'ERROR: failed to calculate checksum of ref <reference>: "/nothere": not found' in normalise(
            again, BUILD
        )

    def test_only_builds(self) -> None:
        """A program that prints what looks like a build log is not taken for one."""
        text = "#2 b\n#1 a\n1.234 seconds"
        assert normalise(text, step(VERBS["run"])) == text


class TestTables:
    @pytest.mark.parametrize(
        ("image_id", "age"),
        [
            ("0e9ab4b13c3d", "1 second ago  "),
            ("b9962bafe9a0", "Less than a second ago"),
            ("b9962bafe9a0", "About a minute ago"),
            ("000000000000", "About an hour ago"),
            ("abcdefabcdef", "3 weeks ago"),
            ("abcdefabcdef", "16 months ago"),
            ("abcdefabcdef", "2 years ago"),
        ],
    )
    def test_image_ls(self, image_id: str, age: str) -> None:
        """Ids, ages and the width of columns may differ."""
        other = IMAGE_LS.replace("72501f1e7135", image_id).replace("4 seconds ago", age).replace("CREATED  ", "CREATED")
        assert other != IMAGE_LS
        assert normalise(other, LS) == normalise(IMAGE_LS, LS)
        assert normalise(IMAGE_LS, LS).splitlines()[1] == "example  latest  <id>  <age>  270MB"

    @pytest.mark.parametrize(("old", "new"), [("270MB", "271MB"), ("latest", "1.0"), ("example", "other")])
    def test_image_ls_changes(self, old: str, new: str) -> None:
        """A size, a tag or a name that changed is a difference."""
        assert normalise(IMAGE_LS.replace(old, new), LS) != normalise(IMAGE_LS, LS)

    def test_history(self) -> None:
        """A history is compared by what made each layer and how large it is."""
        assert normalise(HISTORY_TABLE, HISTORY).splitlines() == [
            "IMAGE  CREATED  CREATED BY  SIZE  COMMENT",
            '<id>  <age>  CMD ["app"]  0B  buildkit.dockerfile.v0',
            "<missing>  <age>  ADD alpine-minirootfs-3.22.1-x86_64.tar.gz /…  8.31MB  buildkit.dockerfile.v0",
        ]

    def test_run_keeps_its_words(self) -> None:
        """What a program prints of hours and columns is its own."""
        text = "waited  2 hours ago"
        assert normalise(text, step(VERBS["run"])) == text


class TestIds:
    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("sha256:" + "a" * 64, "<digest>"),
            ("a@sha256:" + "0" * 64 + " b", "a@<digest> b"),
            ("0123456789ab", "<id>"),
            ("a.0123456789ab", "a.0123456789ab"),
            ("0123456789abc", "0123456789abc"),
            ("0123456789AB", "0123456789AB"),
            ("sha1-" + "a" * 63, "sha1-" + "a" * 63),
        ],
    )
    def test_ids(self, verb: str, text: str, expected: str) -> None:
        """Digests and short ids are masked in every output, and nothing that merely resembles one."""
        assert normalise(text, step(VERBS[verb])) == expected


def test_ignore() -> None:
    """What a step declares to vary is masked, line by line."""
    one = step(VERBS["run"], r"ignore = ['^took \d+ ms$', 'seed=.*']")
    assert normalise("took 5 ms\nok\nseed=77 \n", one) == "<ignored>\nok\n<ignored>"


def test_ignored_in_pieces() -> None:
    """Steps that a builder runs side by side are shown in turns: ignored lines come in any number of pieces."""
    one = step(VERBS["build"], r"ignore = ['(?m)^#\d+ \d.*$']")
    whole = "#5 [a] RUN x\n#5 0.1 one\n#5 0.2 two\n#6 [b] RUN y\n#6 DONE 0.1s"
    turns = "#5 [a] RUN x\n#5 0.1 one\n#6 [b] RUN y\n#5 [a] RUN x\n#5 0.2 two\n#5 0.3 three\n#6 DONE 0.1s"
    assert normalise(whole, one) == normalise(turns, one) == "step [a] RUN x\nstep [b] RUN y\n<ignored>"


def test_ends_of_lines() -> None:
    """Blanks at the end of a line and empty lines around an output carry nothing; those within it do."""
    assert normalise("\n\n a  \n\nb\t\n\n", step(VERBS["run"])) == " a\n\nb"


def test_rules_have_reasons() -> None:
    """Every rule has a name of its own and says why it is there."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.reason and set(rule.verbs) <= set(VERBS) for rule in RULES)


CAPTURES = sorted(SNIPPETS.glob("*/captured/*/*.txt"))
PIECES = st.sampled_from([
    *("#1 ", "#2 ", "#0 ", "0.123 ", "12.5 ", "1.000 ", "ERROR: ", "CANCELED", "CACHED", "DONE 0.1s", "step ", "#"),
    *("sha256:", "a" * 64, "0123456789ab", "About a ", "minute", "2 ", "days ago", " ago", "<age>", "ref "),
    *("\n", "\n\n", "  ", " ", "\t", "\r", "\x0b", "\x1c", "\u2028", "\N{NO-BREAK SPACE}"),
])  # fmt: skip
TEXT = st.one_of(st.text(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=30).map("".join))


@pytest.mark.parametrize("verb", VERBS)
def test_idempotent(verb: str) -> None:
    """What was normalised once is left alone, of every output at hand."""
    one = step(VERBS[verb])
    for text in [*LOGS.values(), *(path.read_text() for path in CAPTURES), IMAGE_LS, HISTORY_TABLE]:
        assert normalise(normalise(text, one), one) == normalise(text, one)


@pytest.mark.parametrize("verb", VERBS)
@given(text=TEXT)
def test_any_text(verb: str, text: str) -> None:
    """Any text at all is normalised, and left alone the second time."""
    one = step(VERBS[verb])
    assert normalise(normalise(text, one), one) == normalise(text, one)
