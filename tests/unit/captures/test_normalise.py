"""Normalised outputs: logs of the same build are equal, logs of different builds are not."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.captures.buildkit_log import BuildLog, transferred
from proof.captures.normalise import comparable, normalise, states_output
from proof.core.sequence_diff import blocks
from tests.support.helpers import REPOSITORY
from tests.support.makers import step

# Outputs of `docker build --progress=plain` of Docker 26.1.5 with buildx 0.13.1, byte for byte.
LOGS = {path.stem: path.read_text() for path in (REPOSITORY / "tests/data/buildkit").glob("*.txt")}
SNIPPETS = REPOSITORY / "snippets"
VERBS = {
    "build": "docker build -t example .",
    "run": "docker run example",
    "ls": "docker image ls example",
    "inspect": "docker inspect example",
    "history": "docker history example",
    "version": "docker version",
    "detach": "docker run -d example",
    "ps": "docker ps",
    "logs": "docker logs web",
    "rmi": "docker rmi example",
}
BUILD = step(VERBS["build"])
LS = step(VERBS["ls"])
HISTORY = step(VERBS["history"])


def differing(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines in which two build logs differ."""
    before, after = ([line.text for line in lines] for lines in comparable(old, new, BUILD))
    found = list(blocks(before, after))
    old_lines = [line for block in found for line in before[block.old_from : block.old_to]]
    return old_lines, [line for block in found for line in after[block.new_from : block.new_to]]


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
        """Logs of one build are equal, whatever their order, numbers, times, interleaving and cache hits."""
        assert LOGS["fresh"] != LOGS[other]
        assert differing(LOGS[other], LOGS["fresh"]) == ([], [])
        assert differing(LOGS[other], LOGS["cached"]) == ([], [])

    def test_what_is_left(self) -> None:
        """The steps are compared, sorted by title."""
        assert normalise(LOGS["fresh"], BUILD).splitlines() == [
            "step COPY --from=builder /go/bin/app /usr/local/bin/app",
            "step COPY main.go .",
            "step FROM docker.io/library/alpine:3.22",
            "step FROM docker.io/library/golang:1.27-alpine",
            "step RUN echo building && go build -o /go/bin/app main.go",
            "  building",
            "step RUN echo one; sleep 0.4; echo two >&2",
            "  one",
            "  two",
            "step WORKDIR /go/src/app",
            "step [internal] load .dockerignore",
            "step [internal] load build context",
            "step [internal] load build definition from Dockerfile",
            "step [internal] load metadata for docker.io/library/alpine:3.22",
            "step [internal] load metadata for docker.io/library/golang:1.27-alpine",
            "step exporting to image",
            " - exporting layers",
            " - writing image <digest>",
            " - naming to docker.io/library/example",
            'builder building with "default" instance using docker driver',
        ]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("COPY main.go .", "COPY other.go ."),
            ("golang:1.27-alpine", "golang:1.28-alpine"),
            ("#12 [stage-1 3/3] COPY --from=builder /go/bin/app /usr/local/bin/app\n#12 DONE 0.0s\n", ""),
            ("#13 exporting to image", "#14 [4/4] RUN true\n#14 CACHED\n\n#13 exporting to image"),
            # What a capture shows of a step's output has to be what a run saw, which sees nothing of a cached step.
            ("building\n", "building fast\n"),
            ("#10 DONE", "#10 0.500 three\n#10 DONE"),
            ("#11 0.461 two\n", ""),
        ],
    )
    def test_another_build(self, old: str, new: str) -> None:
        """A step that was changed, removed or added is a difference, and so is another output."""
        changed = LOGS["fresh"].replace(old, new)
        assert changed != LOGS["fresh"]
        for logs in ((changed, LOGS["fresh"]), (LOGS["fresh"], changed), (changed, LOGS["cached"])):
            assert differing(*logs) != ([], [])

    @pytest.mark.parametrize(
        "line",
        [
            *("It is the fastest build.", "0.5 fast", "DONE 0.0s.", "DONE \u0663.0s", "CACHED!", "[9/9] RUN more"),
            *("naming to docker.io/library/other done", "exporting layers, all 3 of them", "... and more"),
            *("transferring context: 2B and more", "transferring contexts: 2B done", "transferring context: 2PB done"),
            *(f"writing image sha256:{'1' * 63} done", f"writing image sha256:{'1' * 64} twice"),
        ],
    )
    def test_an_invented_line(self, line: str) -> None:
        """A line that BuildKit does not print is a difference, in any step, cached or not."""
        for number in (0, 1, 4, *range(7, 14), 99):
            for other in "fresh", "cached":
                assert differing(f"{LOGS['fresh']}#{number} {line}\n", LOGS[other]) != ([], [])

    @pytest.mark.parametrize("line", ["An invented line", "  7 | one", "#x 0.123 one", "\x0b", "\N{NO-BREAK SPACE}"])
    def test_an_invented_line_of_no_step(self, line: str) -> None:
        """The same holds for a line between the steps."""
        for log in LOGS.values():
            assert differing(f"{log}{line}\n", log) != ([], [])

    def test_only_a_run_prints(self) -> None:
        """Only RUN steps have output. Output of any other step is a difference, cached or not."""
        for number in (1, 3, 4, 5, 6, 7, 8, 11, 12, 13):
            invented = f"{LOGS['cached']}#{number} 0.123 invented\n"
            title = next(line for line in LOGS["cached"].splitlines() if line.startswith(f"#{number} "))
            assert " RUN " not in title
            assert differing(invented, LOGS["cached"]) == (["  invented"], [])

    def test_what_is_printed_while_it_lasts(self) -> None:
        """A slow operation is printed twice, with its time. With containerd's store, there are more of them."""
        lines = ["#7 exporting to image", "#7 resolve docker.io/library/alpine:3.22@sha256:" + "1" * 64]
        lines += [
            f"#7 {what} sha256:{'2' * 64}" for what in ("exporting manifest", "exporting config", "writing image")
        ]
        lines += ["#7 exporting layers", "#7 naming to docker.io/library/note:latest", "#7 unpacking to docker.io/x:y"]
        slow = [lines[0], *(f"{line}{end}" for line in lines[1:] for end in ("", " 0.3s done"))]
        quick = [lines[0], *(f"{line} done" for line in lines[1:])]
        assert differing("\n".join(slow), "\n".join(quick)) == ([], [])
        for line in lines:
            assert differing("\n".join(quick), "\n".join(quick).replace(line, f"{line} twice")) != ([], [])

    def test_the_cache_and_what_was_printed(self) -> None:
        """The output of a step is known if there is any, even if its log says CACHED as well."""
        both = LOGS["fresh"].replace("#10 DONE", "#10 0.500 three\n#10 CACHED\n#10 DONE")
        assert differing(both, LOGS["fresh"]) == (["  three"], [])

    def test_steps_of_one_name(self) -> None:
        """Which of several equal steps a capture took from the cache is unknown; the others are compared."""
        log = "#1 [a 1/1] RUN x\n{}\n#2 [b 1/1] RUN x\n{}"
        one, two, gone = "#{} 0.123 one", "#{} 0.123 two", "#{} CACHED"

        def of(first: str, second: str) -> str:
            return log.format(first.format(1), second.format(2))

        assert differing(of(one, two), of(two, one)) == ([], [])
        assert differing(of(one, gone), of(two, one)) == ([], [])
        assert differing(of(one, gone), of(gone, one)) == ([], [])
        assert differing(of(one, one), of(one, gone)) == (["  one"], [])
        assert differing(of(one, one), of(one, two)) == (["  one"], ["  two"])
        assert differing(of(one, two), of(gone, gone)) == (["  one", "  two"], [])
        assert differing(of(gone, gone), of(one, two)) == ([], [])
        assert differing(of(two, gone), of(one, one)) == (["  two"], ["  one"])

    def test_where_a_line_stands(self) -> None:
        """Each line keeps its number in the original output, whatever the order of the comparison."""
        found, _ = comparable(LOGS["fresh"], LOGS["fresh"], BUILD)
        printed = LOGS["fresh"].splitlines()
        for line in found:
            text = line.text.removeprefix("step ").removeprefix("builder ").strip(" -").partition("<")[0]
            assert text in printed[line.number - 1]

    def test_failing(self) -> None:
        """For a build that fails, the output of the failing step and the error are compared, without times."""
        text = normalise(LOGS["failing"], BUILD)
        assert text == normalise(LOGS["failing_again"], BUILD)
        assert FAILING in text
        assert "\n<time> ./broken.go:4:10: undefined: hello\n" in text
        assert "   4 | >>> RUN go build -o /go/bin/app broken.go" in text
        assert "\nERROR: failed to solve: process" in text
        assert not re.search(r"3\.\d{3}", text)
        for old, new in (("undefined: hello", "undefined: bye"), ("exit code: 1", "exit code: 2"), (":4:10", ":5:10")):
            assert text != normalise(LOGS["failing"].replace(old, new), BUILD)

    def test_a_number_in_what_failed(self) -> None:
        """In the repeated output, only the time is removed, not a number after it that looks like a time."""
        log = "#5 [2/2] RUN x\n#5 0.312 {0} MB used\n#5 ERROR: exit code: 1\n------\n > [2/2] RUN x:\n{1} {2} MB used"
        one = log.format("12.50", "0.412", "12.50")
        assert differing(one, log.format("12.50", "99.12", "12.50")) == ([], [])
        assert differing(one, log.format("12.50", "0.412", "99.10")) == (
            ["<time> 12.50 MB used"],
            ["<time> 99.10 MB used"],
        )
        assert differing(f"{one}\n0.412 \n0.413", f"{one}\n0.512 \n0.513") == ([], [])

    def test_a_digest_in_what_failed(self) -> None:
        """A digest in the repeated output was printed by a program, so it is compared."""
        log = "#5 [2/2] RUN x\n#5 ERROR: exit code: 1\n------\n > [2/2] RUN x:\n0.412 sha256:{} /app"
        assert differing(log.format("1" * 64), log.format("2" * 64)) != ([], [])

    @pytest.mark.parametrize(
        ("old", "new", "differ"),
        [
            ("#6 [builder 1/1] RUN go build\n#6 CANCELED\n", "", False),
            ("", "#6 [builder 1/1] RUN go build\n#6 0.213 done\n#6 DONE 0.4s\n", False),
            ("#6 [builder 1/1] RUN go build\n#6 DONE 0.4s\n", "", False),
            ("#6 [builder 1/1] RUN go build\n#6 0.213 invented\n#6 DONE 0.4s\n", "", True),
            ("#6 [builder 1/1] RUN go build\n#6 invented\n", "", True),
            ("#6 [builder 1/1] RUN go build\n#6 0.213 one\n", "#6 [builder 1/1] RUN go build\n#6 0.213 two\n", True),
            ("#6 [last 1/2] COPY . .\n#6 DONE 0.1s\n", "", True),
            ("#6 [internal] load build context\n#6 CACHED\n", "", True),
        ],
    )
    def test_how_far_other_stages_got(self, old: str, new: str, *, differ: bool) -> None:
        """Stages are built at the same time, so before one fails, the others get as far as they do."""
        log = "#5 [last 2/2] RUN false\n{}#5 ERROR: exit code: 1\n"
        assert (differing(log.format(old), log.format(new)) != ([], [])) is differ
        right = log.replace("ERROR: exit code: 1", "DONE 0.1s")
        assert differing(right.format(old), right.format(new)) != ([], [])

    def test_only_builds(self) -> None:
        """The output of a program that looks like a build log is not treated as one."""
        text = "#2 b\n#1 a\n1.234 seconds\nwaited  2 hours ago"
        assert normalise(text, step(VERBS["run"])) == text


def of_step(*lines: str) -> list[str]:
    """What is compared of lines about one step of a build, without the step's own."""
    log = "\n".join(["#5 [1/1] RUN x", *(f"#5 {line}" for line in lines)])
    first, *others = normalise(log, BUILD).splitlines()
    assert first == "step RUN x"
    return others


SHA = "sha256:" + "1" * 64
STATUSES = (
    *("exporting layers", f"writing image {SHA}", f"exporting manifest {SHA}", f"exporting manifest list {SHA}"),
    *(f"exporting config {SHA}", "naming to docker.io/library/note:latest"),
    *("unpacking to docker.io/library/note:latest", f"resolve docker.io/library/alpine:3.22@{SHA}"),
)
TIMES = ("0.123", "9.999", "10.000", "10.00", "12.34", "99.99", "100.00", "100.0", "123.4", "1234.5", "12345.6")
NO_TIMES = ("0.1", "0.12", "9.99", "10.0", "99.9", ".123", "123", "-0.123", "1,234.5", "0.\u066123", "x.123")
# What BuildKit says by itself: that a step is done, from the cache or not, and how much was sent.
SAYS_NOTHING = (
    *("CACHED", "...", "DONE 0.1s", "DONE 123.4s", "[1/1] RUN x", "RUN x", "transferring dockerfile:"),
    *(f"transferring context: {size}" for size in ("2B", "2.5kB", "2.53MB", "12.3GB", "2B 0.1s", "2B 0.1s done")),
    *("transferring context: done", "transferring dockerfile: 2B done", "transferring context: 12.3s"),
)
# What only looks like it.
SAYS_SOMETHING = (
    *("cached", "CACHED!", "CANCELLED", "....", "..", "DONE", "DONE 1s", "DONE 0.12s", "DONE 0.1", "DONE .1s"),
    *("done 0.1s", "DONE 0.1s done", "DONE 0x1s", "DONE \u0660.\u0661s", "RUN xx", "x 0.1s", "an ERROR: x"),
    *("transferring cache: 2B", "transferring context", "context: 2B", "transferring dockerfiles: 2B"),
    *(f"transferring context: {size}" for size in ("2TB", "kB", "2", "2.B", "2,5kB", "2xB", "\u0662B", "2B 1s")),
    *("transferring context: 2B 0.1s soon", "transferring context: 2B  done"),
    *(f"{status} twice" for status in STATUSES),
    *(f"not {status}" for status in STATUSES),
    *(f"{status[:-1]}" for status in STATUSES if status.endswith("1")),
    *("exporting layers 1s", "exporting layers 0.1s done done", "naming to", "naming to a b", f"resolve {SHA}"),
    *("exporting attestation manifest", f"exporting {SHA}", f"exporting manifests {SHA}"),
)


class TestLines:
    """What BuildKit itself prints about a step, and what only looks like it."""

    @pytest.mark.parametrize("time", TIMES)
    def test_a_time(self, time: str) -> None:
        """Seconds in the width that BuildKit prints them in, and no other, stand before what a command printed."""
        assert of_step(f"{time} one", f"{time} ", time) == ["  one"]
        assert of_step(f"{time}  one") == ["   one"]
        failed = f"#5 [1/1] RUN x\n------\n > [1/1] RUN x:\n{time} one\n{time}\n{time}x"
        assert normalise(failed, BUILD).splitlines()[-3:] == ["<time> one", "<time>", f"{time}x"]

    @pytest.mark.parametrize("number", NO_TIMES)
    def test_a_number(self, number: str) -> None:
        """Any other number is what the line says, and compared."""
        assert of_step(f"{number} one") == [f" - {number} one"]
        failed = f"#5 [1/1] RUN x\n------\n{number} one"
        assert normalise(failed, BUILD).splitlines()[-1] == f"{number} one"

    @pytest.mark.parametrize("line", SAYS_NOTHING)
    def test_what_says_nothing(self, line: str) -> None:
        assert of_step(line) == []

    @pytest.mark.parametrize("line", SAYS_SOMETHING)
    def test_what_is_said(self, line: str) -> None:
        """A line that BuildKit does not print by itself is compared as it is."""
        assert of_step(line) == [f" - {line}".replace(SHA, "<digest>")]

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_status(self, status: str) -> None:
        """How long something took is not compared, nor how often it is said; that it was done is."""
        for end in ("", " done", " 0.1s", " 0.1s done", " 12.3s done"):
            assert of_step(f"{status}{end}") == [f" - {status}".replace(SHA, "<digest>")]
            assert of_step(status, f"{status}{end}") == [f" - {status}".replace(SHA, "<digest>")]

    def test_errors(self) -> None:
        """An error is no status of the step; what is said of it stays in its order."""
        assert of_step("ERROR: exit code: 1", "one", "0.123 two", "one") == ["  two", "ERROR: exit code: 1", " - one"]

    @pytest.mark.parametrize(
        ("line", "label"),
        [
            *((f"[{label}] RUN y", "RUN y") for label in ("1/1", "12/12", "builder  2/12", "stage-1 2/3")),
            ("[linux/arm64 builder 2/3] RUN y", "[linux/arm64 builder 2/3] RUN y"),
            *((line, line) for line in ("[internal] load", "[a/b] RUN y", "[1/] RUN y", "[1/x] RUN y", "[/1] RUN y")),
            *((line, line) for line in ("[1/1]RUN y", "[1-1] RUN y", "x [1/1] RUN y")),
        ],
    )
    def test_a_label(self, line: str, label: str) -> None:
        """Which stage a step is of is said by whichever build reached it first."""
        assert normalise(f"#7 {line}", BUILD) == f"step {label}"
        assert normalise(f" > {line}:", BUILD) == f" > {label}:"
        assert normalise(f" {line}", BUILD) == f" {line}"
        assert normalise(f"x\n#7 {line}\n#7 {line}\n#7 0.123 z", BUILD) == f"step {label}\n  z\nx"

    @pytest.mark.parametrize(
        ("line", "compared"),
        [
            # A number says which step a line is of; 0 is the builder.
            ("#0 building with x", "builder building with x"),
            ("#5 x", "step x"),
            ("#12 x", "step x"),
            *((line, line) for line in ("#5x", "#x 5", "# 5", " #5 x", "#5", "#\u0665 x")),
            # BuildKit's name of the context is another one each time, wherever it stands.
            ("(ref 01234567-89ab-cdef-0123-456789abcdef::o1v26mj)", "(ref <reference>)"),
            (f"ref {'0' * 25}::o1v26mj y", "ref <reference> y"),  # Docker 29's
            *(
                (line, line)
                for line in (
                    "xref 01234567-89ab-cdef-0123-456789abcdef::x",
                    "ref 01234567-89ab-cdef-0123-456789abcdef:x",
                    "ref 01234567-89ab-cdef-0123-456789abcdef::",
                    "ref 01234567-89ab-cdef-456789abcdef::x",
                    "ref 0123456-89ab-cdef-0123-456789abcdef::x",
                    "ref 01234567-89ab-cdef-0123-456789abcdeg::x",
                )
            ),
            # Only BuildKit's own digests are masked.
            (f" - writing image {SHA}", " - writing image <digest>"),
            (f"step FROM alpine@{SHA}", "step FROM alpine@<digest>"),
            (SHA, "<digest>"),  # all that a quiet build prints
            *((line, line) for line in (f"{SHA} x", f"step RUN {SHA}", f"  {SHA}", f"x {SHA}", f"-- {SHA}")),
            *((line, line) for line in (f"  - {SHA}", f"  - writing image {SHA}")),  # as a program printed it
        ],
    )
    def test_a_line_of_a_log(self, line: str, compared: str) -> None:
        assert normalise(line, BUILD) == compared

    def test_transferred(self) -> None:
        """How much was sent, and the line that says so."""
        log = """#7 [internal]
#7 transferring context: 2.5kB 0.1s done
#7 transferring dockerfile: 1.25MB done
#12 transferring context: 3GB
#12 transferring context: 2B
#7 transferring context: 0.1s done
#7 transferring context:
transferring context: 2B
#7 0.123 transferring context: 2B
#7 transferring context: 2TB
"""
        assert list(transferred(log)) == [(2_500, 2), (1_250_000, 3), (3_000_000_000, 4), (2, 5)]


class TestWhatARunSees:
    """A capture may hide what a step printed, but it can't show what the run has not seen."""

    LOG = "#5 [2/2] RUN du -b /app\n{}"
    RAN = LOG.format("#5 0.213 1234 /app\n#5 DONE 0.3s\n")
    INVENTED = LOG.format("#5 0.213 1 /app\n#5 DONE 0.3s\n")
    SILENT = LOG.format("#5 DONE 0.3s\n")
    CACHED = LOG.format("#5 CACHED\n")
    CANCELED = LOG.format("#5 CANCELED\n")
    FAILED = LOG.format("#5 0.213 du: /app\n#5 ERROR: exit code: 1\n")

    @pytest.mark.parametrize(
        ("old", "new", "differ"),
        [
            (RAN, RAN, False),
            (INVENTED, RAN, True),
            (SILENT, RAN, True),
            (RAN, CACHED, True),
            (INVENTED, CACHED, True),
            (INVENTED, SILENT, True),
            (INVENTED, CANCELED, True),
            (SILENT, CACHED, False),
            (SILENT, CANCELED, False),
            (CACHED, RAN, False),
            (CACHED, CACHED, False),
            (CACHED, SILENT, False),
            (CANCELED, RAN, False),
            (CANCELED, CANCELED, False),
        ],
    )
    def test_what_is_compared(self, old: str, new: str, *, differ: bool) -> None:
        """A step that was cached or cancelled may have printed anything, unless its log shows it."""
        assert (differing(old, new) != ([], [])) is differ

    @pytest.mark.parametrize(
        ("log", "command", "ignore", "states"),
        [
            (RAN, "docker build .", "", True),
            (INVENTED + SILENT, "docker build .", "", True),
            (RAN, "docker build --no-cache .", "", False),  # which runs it each time
            (FAILED, "docker build .", "", False),  # as nothing keeps a step that failed
            (SILENT, "docker build .", "", False),
            (CACHED, "docker build .", "", False),
            (RAN, "docker build .", r"\d+ /app", True),  # that it printed anything is compared
            (RAN, "docker build .", r"^#5 .*/app\n", False),
            (RAN, "docker run example", "", False),  # a program that prints a log
        ],
    )
    def test_which_captures_state_output(self, log: str, command: str, ignore: str, *, states: bool) -> None:
        """Those that show what a RUN printed that a cache may hold: a run has to see it."""
        assert states_output(log, step(command, *([f"ignore = ['{ignore}']"] if ignore else []))) is states


class TestTables:
    def test_image_ls(self) -> None:
        """IDs, ages and the width of columns may differ; a size, a tag or a name may not."""
        compared = normalise(IMAGE_LS, LS)
        assert compared.splitlines()[1] == "example  latest  <id>  <age>  270MB"
        for image_id, age in (("b9962bafe9a0", "Less than a second ago"), ("000000000000", "1 second ago  ")):
            other = IMAGE_LS.replace("72501f1e7135", image_id).replace("4 seconds ago", age)
            assert normalise(other.replace("CREATED  ", "CREATED"), LS) == compared
        for old, new in (("270MB", "271MB"), ("latest", "1.0"), ("example", "other")):
            assert normalise(IMAGE_LS.replace(old, new), LS) != compared

    def test_history(self) -> None:
        """The instruction and the size of each layer in a history are compared."""
        assert normalise(HISTORY_TABLE, HISTORY).splitlines() == [
            "IMAGE  CREATED  CREATED BY  SIZE  COMMENT",
            '<id>  <age>  CMD ["app"]  0B  buildkit.dockerfile.v0',
            "<missing>  <age>  ADD alpine-minirootfs-3.22.1-x86_64.tar.gz /…  8.31MB  buildkit.dockerfile.v0",
        ]

    @pytest.mark.parametrize(
        "age",
        [
            *(f"5 {unit}s ago" for unit in ("second", "minute", "hour", "day", "week", "month", "year")),
            *("1 second ago", "12 months ago", "About a minute ago", "About an hour ago", "Less than a second ago"),
            *("a day ago", "an hour ago", "about a minute AGO"),
        ],
    )
    def test_an_age(self, age: str) -> None:
        """Each way in which Docker writes how old an image is; in a history, in the first or the second column."""
        for text in "x   {}   y", "{}", "({})":
            assert normalise(text.format(age), LS) == text.format("<age>").replace("   ", "  ")
        for before in "", "1a9af2c4de0a   ", "<missing>   ":
            compared = normalise(f"{before}{age}   RUN {age}", HISTORY)
            assert compared == f"{before}<age>  RUN {age}".replace("   ", "  ").replace("1a9af2c4de0a", "<id>")
        assert normalise(f"a  b  {age}", HISTORY) == f"a  b  {age}"

    @pytest.mark.parametrize(
        "text",
        [
            *("5 decades ago", "5 seconds", "5 seconds agone", "Less than two seconds ago", "About 5 seconds"),
            *("x days ago", "5  days ago", "5 dayss ago", "few days ago", "\u0665 days ago", "5 days  ago"),
        ],
    )
    def test_no_age(self, text: str) -> None:
        """Anything else is compared."""
        for one in LS, HISTORY:
            assert normalise(text, one) == re.sub(" {2,}", "  ", text)

    def test_columns(self) -> None:
        """Two blanks or more are as many as two; one is one, and a program's own are kept."""
        for one in LS, HISTORY:
            assert normalise("a b  c   d    e", one) == "a b  c  d  e"
        for verb in "run", "inspect", "version", "build":
            assert normalise("a b  c   d    e", step(VERBS[verb])) == "a b  c   d    e"


class TestIds:
    @pytest.mark.parametrize("verb", VERBS)
    def test_ids(self, verb: str) -> None:
        """Text that only resembles a short ID is not masked."""
        for text in ("a.0123456789ab", "0123456789abc", "0123456789AB", "01234567890", "sha256:" + "a" * 63):
            assert normalise(text, step(VERBS[verb])) == text

    @pytest.mark.parametrize("verb", VERBS)
    def test_short_ids(self, verb: str) -> None:
        """Short IDs are masked in Docker's tables. Elsewhere, twelve digits are a number."""
        masked = verb in ("ls", "history", "ps")
        assert normalise("269642189012 bytes", step(VERBS[verb])) == ("<id> bytes" if masked else "269642189012 bytes")

    def test_numbers_of_a_build(self) -> None:
        """IDs are not masked in the output of a step, nor where that output is repeated."""
        log = "#5 [2/2] RUN x\n#5 0.412 {} b\n#5 ERROR: x\n------\n > [2/2] RUN x:\n0.412 {} b\n"
        one, two = "269642189012", "100000000000"
        assert differing(log.format(one, one), log.format(two, one)) != ([], [])
        assert differing(log.format(one, one), log.format(one, two)) != ([], [])

    def test_an_instruction_in_a_history(self) -> None:
        """IDs and ages are masked before the instruction, but not in it."""
        for one, other in (("100000000000", "200000000000"), ("2 days ago", "9 days ago")):
            table = "1a9af2c4de0a   8 seconds ago    RUN echo {}   0B        buildkit.dockerfile.v0"
            assert normalise(table.format(one), HISTORY) != normalise(table.format(other), HISTORY)

    @pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "build"])
    def test_digests(self, verb: str) -> None:
        """Docker's digests are masked, because they depend on times. One that a program printed is compared."""
        text = f"sha256:{'a' * 64} a@sha256:{'0' * 64} b"
        masked = verb in ("ls", "inspect", "history", "version", "rmi")
        assert normalise(text, step(VERBS[verb])) == ("<digest> a@<digest 2> b" if masked else text)

    def test_a_checksum(self) -> None:
        """A checksum in the environment of an image is compared: it lacks the `sha256:` of Docker's own digests."""
        one, two = (normalise(f"[SUM={digit * 64}]", step(VERBS["inspect"])) for digit in "12")
        assert one != two

    @pytest.mark.parametrize(("pattern", "mask"), [("sha256:" + "{}" * 64, "digest"), ("{}" * 12, "id")])
    def test_whether_two_are_the_same(self, pattern: str, mask: str) -> None:
        """IDs vary, but whether two of them are equal is compared."""
        one, two, three = (pattern.replace("{}", digit) for digit in "123")
        assert normalise(f"{one}\n{two}", LS) == normalise(f"{two}\n{three}", LS)
        assert normalise(f"{one}\n{one}", LS) == f"<{mask}>\n<{mask}>"
        assert normalise(f"{one}\n{two}", LS) == f"<{mask}>\n<{mask} 2>"


WARNED = "#1 [internal] load build definition from Dockerfile\n{}#1 DONE 0.0s\n\n 1 warning found:\n - {}\n"
WARNING = 'CopyIgnoredFile: Attempting to Copy file "main.go" that is excluded by .dockerignore (line 3)'


def test_a_warning_that_comes_early_or_late() -> None:
    """BuildKit prints it in a step too if it arrives before that ends. The end of the log has it in any case."""
    early, late = WARNED.format(f"#1 WARN: {WARNING}\n", WARNING), WARNED.format("", WARNING)
    assert normalise(early, step()) == normalise(late, step())
    assert WARNING in normalise(late, step())


def test_a_warning_that_the_end_does_not_repeat() -> None:
    """Nobody can put a text into a log that way."""
    forged = WARNED.format("#1 WARN: buy now\n", WARNING)
    assert "WARN: buy now" in normalise(forged, step())


def test_ignore() -> None:
    """Text that matches an `ignore` pattern is masked."""
    one = step(VERBS["run"], r"ignore = ['^took \d+ ms$', 'seed=.*']")
    assert normalise("took 5 ms\nok\nseed=77 \n", one) == "<ignored>\nok\n<ignored>"


def test_ignored_in_pieces() -> None:
    """Parallel steps are interleaved, so the number of pieces of an ignored text does not matter."""
    one = step(VERBS["build"], r"ignore = ['(?m)^#\d+ \d.*$']")
    whole = "#5 [a] RUN x\n#5 0.1 one\n#5 0.2 two\n#6 [b] RUN y\n#6 DONE 0.1s"
    turns = "#5 [a] RUN x\n#5 0.1 one\n#6 [b] RUN y\n#5 [a] RUN x\n#5 0.2 two\n#5 0.3 three\n#6 DONE 0.1s"
    assert normalise(whole, one) == normalise(turns, one) == "step [a] RUN x\nstep [b] RUN y\n<ignored>"


def test_ignored_in_a_step() -> None:
    """Part of a step's output may be ignored, and so may whole lines."""
    one = step(VERBS["build"], r"ignore = ['(?<=\d\.\d{3} )pack\S+$']")
    log = "#5 [1/1] RUN x\n{}#5 DONE 0.1s"
    assert normalise(log.format("#5 0.123 pack/one\n#5 0.123 pack/two\n"), one) == "step RUN x\n  <ignored>"
    assert normalise(log.format("#5 0.123 pack/two\n#5 0.123 end\n"), one) == "step RUN x\n  <ignored>\n  end"
    one = step(VERBS["build"], r"ignore = ['^#\d+ \d+\.\d+ go: downloading .*\n']")
    assert normalise(log.format("#5 0.123 go: downloading a\n#5 0.123 go: downloading b\n"), one) == "step RUN x"
    assert normalise(log.format("#5 0.123 go: uploading\n"), one) == "step RUN x\n  go: uploading"
    one = step(VERBS["build"], r"ignore = ['\d+\.\d+s']")
    assert normalise(log.format(""), one) == "step RUN x"


def test_very_many_ignored_lines() -> None:
    """The time grows linearly with their number, not with its square."""
    one = step(VERBS["run"], r"ignore = ['\d+']")
    assert normalise("7\n" * 90_000 + "7x", one) == "<ignored>\n<ignored>x"


@pytest.mark.parametrize("line", ["#{0} [a {0}/9000] RUN x", "#{0} [a 1/2] RUN x{0}", "#{0} [a 1/2] CANCELED"])
def test_very_many_steps(line: str) -> None:
    """The time grows linearly with the number of steps, too: a committed log may be a stranger's."""
    log = "\n".join(line.format(number) for number in range(1, 9_001))
    began = time.process_time()
    assert normalise(log, BUILD).count("\n") == 8_999
    assert time.process_time() - began < 10


def test_a_position_of_many_digits() -> None:
    """It is compared as text: Python refuses to read a number as long as this."""
    log = f"#1 [a {'9' * 5_000}/1] RUN x\n#1 DONE 0.1s"
    assert normalise(log, BUILD) == "step RUN x"


def test_ends_of_lines() -> None:
    """Whitespace at the end of a line and empty lines around an output are removed; others are kept."""
    assert normalise("\n\n a  \n\nb\t\n\n", step(VERBS["run"])) == " a\n\nb"
    for unusual in (
        "a\x0b",
        "a\u2028b",
        "a\rb",
        "a\N{NO-BREAK SPACE}",
    ):  # which a page shows, and a line does not end at
        assert normalise(unusual, step(VERBS["run"])) == unusual


def test_containers() -> None:
    """Of a container, its random ID is not compared, nor since when it has been running; what a program prints is."""
    random = "f7baccdca5ba13100115a8078780fd330c36163bd8f3ce2e902681b29a2c746b"
    assert normalise(f"{random}\n", step(VERBS["detach"])) == "<id>"
    assert normalise(f"{random}\n", step(VERBS["logs"])) == random
    assert normalise(f"{random}   app\n", step(VERBS["ps"])) == "<id>  app"
    table = (
        "CONTAINER ID   IMAGE     COMMAND       CREATED          STATUS          PORTS                    NAMES\n"
        '{}   app       "sh -c true"   {}   {}   0.0.0.0:8080->80/tcp     web\n'
    )
    one, two, three = (
        normalise(table.format(*cells), step(VERBS["ps"]))
        for cells in (
            ("f7baccdca5ba", "1 second ago", "Up Less than a second"),
            ("0123456789ab", "About a minute ago", "Up About a minute"),
            ("0123456789ab", "2 hours ago", "Exited (137) 3 seconds ago"),
        )
    )
    assert one == two
    assert one.endswith('<id>  app  "sh -c true"  <age>  Up <age>  0.0.0.0:8080->80/tcp  web')
    assert "Exited (137) <age>" in three


CAPTURES = sorted(SNIPPETS.glob("*/captured/*/*.txt"))
PIECES = st.sampled_from([
    *("#1 ", "#2 ", "#0 ", "0.123 ", "12.5 ", "1.000 ", "ERROR: ", "CANCELED", "CACHED", "DONE 0.1s", "step ", "#"),
    *("sha256:", "a" * 64, "0123456789ab", "About a ", "minute", "2 ", "days ago", " ago", "<age>", "ref "),
    *("\n", "\n\n", "  ", " ", "\t", "\r", "\x0b", "\x1c", "\u2028", "\N{NO-BREAK SPACE}"),
])  # fmt: skip
TEXT = st.one_of(st.text(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=30).map("".join))


@pytest.mark.parametrize("verb", VERBS)
def test_idempotent(verb: str) -> None:
    """Normalising twice changes nothing, for every output at hand."""
    one = step(VERBS[verb])
    for text in [*LOGS.values(), *(path.read_text() for path in CAPTURES), IMAGE_LS, HISTORY_TABLE]:
        assert normalise(normalise(text, one), one) == normalise(text, one)


@given(verb=st.sampled_from(list(VERBS)), text=TEXT)
def test_any_text(verb: str, text: str) -> None:
    """Any text can be normalised, and a second time changes nothing."""
    one = step(VERBS[verb])
    assert normalise(normalise(text, one), one) == normalise(text, one)


@pytest.mark.parametrize(("line", "printed"), [("0.247 5 MB used", "5 MB used"), ("0.247", ""), ("100.0 x", "x")])
def test_a_time_ends_before_a_blank(line: str, printed: str) -> None:
    """Else digits in front of an output would count as a part of the time, and readers would see a larger number."""
    log = BuildLog.parse(f"#8 [2/2] RUN x\n#8 {line}\n#8 100.05 MB used\n#8 12.345 files")
    assert [output.text for output in log.steps[0].printed] == [printed]
    assert list(log.steps[0].messages) == ["100.05 MB used", "12.345 files"]
