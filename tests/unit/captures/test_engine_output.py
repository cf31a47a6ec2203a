"""What two engines print is compared by what it means. The outputs in tests/data/outputs are those of real engines.

Docker 26 and 28 have the classic image store, Docker 29 has containerd's.
"""

import re
import time
from itertools import permutations
from typing import NamedTuple

import pytest

from proof.captures import engine_output
from proof.captures.buildkit_log import BuildLog, image_names
from proof.captures.engine_output import Side
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Step
from tests.support.helpers import REPOSITORY
from tests.support.makers import step

OUTPUTS = REPOSITORY / "tests/data/outputs"
ENGINES = {
    "docker-26": EngineVersion("docker", 26),
    "docker-28": EngineVersion("docker", 28),
    "docker-29": EngineVersion("docker", 29, "containerd"),
}
PODMAN = EngineVersion("podman", 5)
HISTORY_FORMAT = r"docker history --format 'table {{.Size}}\t{{.CreatedBy}}' hello"


class Recorded(NamedTuple):
    """The command of an output, its exit code, and what it means."""

    command: str
    exit: int
    means: tuple[str, ...]


BUILT = (
    "COPY --from=paper /paper/note.txt /srv/note.txt",
    "COPY note.txt .",
    "RUN echo hello from a step; cat note.txt",
    "  hello from a step",
    "  a note",
    "RUN mkdir /empty",
    "WORKDIR /paper",
)
INSTRUCTIONS = (
    'CMD ["cat" "/srv/note.txt"]',
    "COPY /paper/note.txt /srv/note.txt # buildkit",
    "RUN /bin/sh -c mkdir /empty # buildkit",
    'CMD ["/bin/sh"]',
    "RUN /bin/busybox --install -s /bin # buildkit",
    "COPY busybox /bin/busybox # buildkit",
)
RECORDED = {
    "two_stages": Recorded("docker build -t hello .", 0, BUILT),
    "cached": Recorded("docker build -t hello .", 0, tuple(line for line in BUILT if line[0] != " ")),
    "failed": Recorded(
        "docker build -t failed -f failed.Dockerfile .",
        1,
        ("RUN echo before; ls /missing", "  before", "  ls: /missing: No such file or directory", " - failed"),
    ),
    "missing_file": Recorded(
        "docker build -t missing -f missing.Dockerfile .", 1, ("COPY nothing.txt /srv/", " - failed")
    ),
    "unknown_target": Recorded("docker build --target nowhere -t nowhere .", 1, ()),  # `expect` compares its message
    "image_ls": Recorded("docker image ls hello", 0, ("hello:latest",)),
    "image_ls_format": Recorded("docker image ls --format '{{.Repository}} {{.Size}}' hello", 0, ("hello <size>",)),
    "history": Recorded("docker history hello", 0, INSTRUCTIONS),
    "history_format": Recorded(HISTORY_FORMAT, 0, INSTRUCTIONS),
    "inspect": Recorded(
        "docker inspect --format '{{.Config.Cmd}} {{.Os}}/{{.Architecture}} {{len .RootFS.Layers}}' hello",
        0,
        ("[cat /srv/note.txt] linux/amd64 4",),
    ),
    "no_program": Recorded("docker run --rm hello /missing", 127, ()),
    "exec_format": Recorded("docker run --rm broken", 255, ()),
    "program_fails": Recorded(
        "docker run --rm hello cat /missing", 1, ("cat: can't open '/missing': No such file or directory",)
    ),
    "program": Recorded("docker run --rm hello", 0, ("a note",)),
}
PAIRS = list(permutations(ENGINES, 2))


def printed(name: str, engine: str) -> Side:
    """What an engine printed."""
    code = 1 if (name, engine) == ("exec_format", "docker-26") else RECORDED[name].exit
    return Side((OUTPUTS / engine / f"{name}.txt").read_text("utf-8"), code, ENGINES[engine])


def meaning(old: Side, new: Side, one: Step) -> tuple[list[str], list[str]]:
    """The values in two outputs, without their lines' numbers."""
    compared = engine_output.comparable(old, new, one)
    assert compared is not None
    before, after = compared
    return [line.text for line in before], [line.text for line in after]


def test_every_output_is_of_every_engine() -> None:
    """None is forgotten by the tests below."""
    found = {engine: {path.stem for path in (OUTPUTS / engine).iterdir()} for engine in ENGINES}
    assert found == {engine: set(RECORDED) for engine in ENGINES}


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{old}-{new}" for old, new in PAIRS])
def test_engines_mean_the_same(old: str, new: str, name: str) -> None:
    """In every pair of engines, nothing differs."""
    before, after = meaning(printed(name, old), printed(name, new), step(RECORDED[name].command))
    assert before == after


@pytest.mark.parametrize("name", RECORDED)
def test_what_a_reader_learns_is_the_same(name: str) -> None:
    """Of a build or a container it is, but for another exit code. A table shows other sizes, so both are shown."""
    old, new = printed(name, "docker-26"), printed(name, "docker-29")
    verb = RECORDED[name].command.split()[1]
    assert engine_output.mean_the_same(old, new, step(RECORDED[name].command)) is (
        verb in ("build", "run") and old.exit == new.exit
    )


@pytest.mark.parametrize(
    ("name", "pattern", "other"),
    [
        ("unknown_target", "could not be found", "could not be found (did you mean here?)"),
        ("missing_file", "not found", "denied"),
        ("no_program", "no such file or directory", "permission denied"),
        ("program", "a note", "another note"),
        ("two_stages", "COPY note.txt", "COPY other.txt"),
    ],
)
def test_a_reader_learns_something_else(name: str, pattern: str, other: str) -> None:
    """A message that says more, or what a program printed, is another thing to read."""
    new = printed(name, "docker-29")
    changed = new._replace(output=new.output.replace(pattern, other))
    assert changed != new
    assert not engine_output.mean_the_same(printed(name, "docker-26"), changed, step(RECORDED[name].command))


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_compared(name: str) -> None:
    """Everything that an output means is, between two engines that count sizes differently."""
    before, _ = meaning(printed(name, "docker-26"), printed(name, "docker-29"), step(RECORDED[name].command))
    assert before == list(RECORDED[name].means)


FORGED = [
    # in which output, what is replaced by what: another line, another instruction, another failure
    ("two_stages", r"hello from a step\n#", "hello from another step\n#"),
    ("two_stages", r"(#\d+ \S+ hello from a step\n)", r"\1\1"),
    ("two_stages", r"#\d+ \S+ a note\n", ""),
    ("two_stages", r"COPY note.txt \.", "COPY letter.txt ."),
    ("two_stages", r"(#\d+) \[paper 2/4\] WORKDIR /paper\n", r"\g<0>\1 ERROR: no space left on device\n"),
    ("cached", "RUN mkdir /empty", "RUN mkdir /full"),
    ("failed", r"#(\d+) ERROR: process", r"#\1 DONE 0.1s\n#77 [2/2] COPY a b\n#77 ERROR: process"),
    ("failed", r"(#\d+ \S+ ls: /missing: )No such file or directory", r"\1Out of memory"),
    ("failed", r"(#\d+) ERROR: .*", r"\1 DONE 0.1s"),
    ("missing_file", r"(#\d+ \[2/2\]) COPY nothing.txt", r"\1 COPY other.txt"),
    ("image_ls", "hello", "goodbye"),
    ("image_ls", r"(hello.*B) *\n", r"\1   visit example.com\n"),  # a cell that no column has
    ("image_ls", r"(IMAGE.*|REPOSITORY.*)", r"\1   VISIT EXAMPLE.COM"),
    ("image_ls", "CREATED|EXTRA", "VISIT EXAMPLE.COM"),
    ("image_ls", r"(\w+ seconds ago|1.11MB)", r"visit example.com"),
    ("image_ls_format", "hello", "goodbye"),
    ("history", r"buildkit\.dockerfile\.v0", "visit example.com"),
    ("history", "<missing> ", "visit it  "),
    ("history", "mkdir /empty", "mkdir /full"),
    ("history", r"<missing> .*COPY busybox.*\n", ""),
    ("history_format", r".*COPY busybox.*\n", r"\g<0>\g<0>"),
    ("inspect", "amd64", "arm64"),
    ("program_fails", "/missing", "/other"),
    ("program", "a note", "a letter"),
    ("program", "$", "docker: Error response from daemon: not the program's\n"),
]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{old}-{new}" for old, new in PAIRS])
@pytest.mark.parametrize(("name", "pattern", "other"), FORGED)
def test_another_meaning_is_found(name: str, pattern: str, other: str, old: str, new: str) -> None:
    """Change what one output means, and the outputs differ, in every pair of engines and in both directions."""
    real, one = printed(name, old), step(RECORDED[name].command)
    text, times = re.subn(pattern, other, real.output, count=1)
    assert (times, text == real.output) == (1, False)
    before, after = meaning(real._replace(output=text), printed(name, new), one)
    assert before != after
    before, after = meaning(printed(name, new), real._replace(output=text), one)
    assert before != after


def test_sizes_in_bytes_are_of_a_store_too() -> None:
    """`--human=false` prints them without a unit."""
    one = step(r"docker history --human=false --format '{{.Size}}\t{{.CreatedBy}}' hello")
    old, new = (
        Side("0\tCMD\n7\tCOPY\n", 0, ENGINES["docker-26"]),
        Side("0\tCMD\n12288\tCOPY\n", 0, ENGINES["docker-29"]),
    )
    assert meaning(old, new, one) == (["CMD", "COPY"], ["CMD", "COPY"])


def test_podman_lists_every_name_of_an_image() -> None:
    """Also those that the command did not ask for, which another build may have given to the same image."""
    row = "{}  latest  0123456789ab  2 minutes ago  1.11 MB\n"
    table = "REPOSITORY  TAG  IMAGE ID  CREATED  SIZE\n" + row.format("hello") + row.format("other")
    docker, podman = printed("image_ls", "docker-26"), Side(table, 0, PODMAN)
    assert meaning(docker, podman, step("docker image ls hello")) == (["hello:latest"], ["hello:latest"])
    for other in (
        meaning(docker, podman, step("docker image ls")),
        meaning(docker, podman._replace(engine=ENGINES["docker-28"]), step("docker image ls hello")),
    ):
        assert other[0] != other[1]


def test_builds_for_several_platforms_at_once() -> None:
    """Podman mixes their lines, so its log is compared with no other engine's."""
    log = Side("[linux/amd64] STEP 1/2: FROM alpine\n[linux/arm64] STEP 1/2: FROM alpine\n", 0, PODMAN)
    several = step("docker build --platform linux/amd64,linux/arm64 -t hello .")
    docker = printed("two_stages", "docker-29")
    assert engine_output.comparable(docker, log, several) is None
    assert meaning(docker, log, step("docker build --platform linux/amd64 -t hello ."))[0]
    assert meaning(docker, docker._replace(output=log.output), several)[0]


LOGS = [name for name, recorded in RECORDED.items() if recorded.command.startswith("docker build")]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_read_whole(name: str, engine: str) -> None:
    """The parser knows every message of BuildKit's: none has a time or a size left in it."""
    log = BuildLog.parse(printed(name, engine).output)
    messages = [message for each in log.steps for message in each.messages]
    expected = r"ERROR: .*|exporting (?:layers|(?:manifest|config) sha256:\w{64})|writing image sha256:\w{64}"
    expected += (
        r"|(?:naming|unpacking) to docker\.io/library/hello(?::latest)?|resolve docker\.io/library/hello-base\S+"
    )
    assert [message for message in messages if not re.fullmatch(expected, message)] == []
    assert [step.title.text for step in log.steps if step.title.text.startswith("exporting")] == (
        ["exporting to image"] if RECORDED[name].exit == 0 else []
    )


@pytest.mark.parametrize(("engine", "name"), [("docker-26", "hello"), ("docker-29", "hello:latest")])
def test_the_name_of_an_image(engine: str, name: str) -> None:
    """A log says what it called the image; in the words of the engine."""
    assert image_names(printed("two_stages", engine).output) == [name]


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("docker history hello", printed("history", "docker-26").output),
        ("docker inspect hello", "[]\n"),
        ("docker inspect --format '{{.Size}}' hello", "7\n"),
        ("docker inspect --format '{{json .}}' hello", "{}\n"),
        ("docker inspect --format '{{.Id}}' hello", "sha256:0\n"),
        ("docker version", "Client:\n"),
        ("docker history hello | head -1", "IMAGE\n"),
        ("docker image ls | wc -l", "3\n"),
        ("docker ps", "CONTAINER ID\n"),
    ],
)
def test_what_no_two_engines_have_in_common(command: str, output: str) -> None:
    """It is not compared at all: tables of podman, and what depends on the engine or its store."""
    old, new = Side(output, 0, ENGINES["docker-26"]), Side("something else", 0, PODMAN)
    assert engine_output.comparable(old, new, step(command)) is None


@pytest.mark.parametrize(
    ("command", "output", "other"),
    [
        ("docker history hello | head -3", "IMAGE  CREATED\n<missing>  2 weeks ago  CMD a\n", "visit example.com\n"),
        ("docker image ls | grep hello", "hello  latest  0123456789ab  2 weeks ago\n", "visit example.com\n"),
        ("docker inspect --format '{{.Config.User}}' hello | sort", "root\n", "visit example.com\n"),
        ("docker history --format '{{.CreatedBy}} of hello' hello", "CMD a of hello\n", "CMD b of hello\n"),
        ("docker history --format '{{json .CreatedBy}}' hello", '"CMD a"\n', '"CMD b"\n'),
        ("docker ps", "CONTAINER ID   STATUS\n0123456789ab   Up 2 weeks\n", "visit example.com\n"),
    ],
)
def test_what_has_no_form_is_compared_line_by_line(command: str, output: str, other: str) -> None:
    """Between two versions of Docker; what differs from run to run is masked, as always."""
    one = step(command)
    old, new = Side(output, 0, ENGINES["docker-28"]), Side(output, 0, ENGINES["docker-26"])
    again = output.replace("2 weeks", "About an hour").replace("0123456789ab", "ba9876543210")
    for same in output, again:
        before, after = meaning(old._replace(output=same), new, one)
        assert before == after != []
    before, after = meaning(old._replace(output=other), new, one)
    assert before != after


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' hello", "PATH=/bin\n"),
        ("docker inspect -f '{{.Config.User}}' hello", "root\n"),
        ("docker run hello", "PATH=/bin\n"),
    ],
)
def test_what_every_engine_has_in_common(command: str, output: str) -> None:
    """Fields of the configuration, and what a program prints."""
    old, new = Side(output, 0, ENGINES["docker-26"]), Side("something else\n", 0, PODMAN)
    assert meaning(old, new, step(command)) == ([output.strip()], ["something else"])


@pytest.mark.parametrize("line", ["Error: no such note", "docker: no such note", 'time="noon"', "exec notes: gone"])
def test_what_a_program_says_like_an_engine(line: str) -> None:
    """With an exit code that is the program's, lines like those of a client are the program's, and are compared."""
    one = step(RECORDED["program_fails"].command)
    old, new = Side(f"{line}\n", 1, ENGINES["docker-26"]), Side("something else\n", 1, ENGINES["docker-29"])
    assert meaning(old, new, one) == ([line], ["something else"])


def test_the_engines_words_of_a_failure_are_not_the_programs() -> None:
    """Of a run that failed, the lines of the client are left out, and what the program printed before is compared."""
    old = Side("started\n" + printed("no_program", "docker-26").output, 127, ENGINES["docker-26"])
    new = Side("started\n" + printed("no_program", "docker-28").output, 127, ENGINES["docker-28"])
    one = step(RECORDED["no_program"].command)
    assert meaning(old, new, one) == (["started"], ["started"])
    assert meaning(old, new._replace(output="stopped\n"), one) == (["started"], ["stopped"])


PIECES = (
    *(" ", "\t", "a", "  a", "9", "9.", "9kB ", "sha256:", "[", "[a 1/2] ", "#5 [a 1/2] RUN x", "exec x: "),
    "{{.Size}}",
    *("0123456789ab ", "1 second ago ", "\n", "#5 0.1 a\n", "#5 CACHED\n", "ref 0", "<ignored>", "docker: ", 'time="'),
)


@pytest.mark.parametrize("name", ["two_stages", "image_ls", "image_ls_format", "history", "no_program", "inspect"])
def test_a_long_output_takes_no_long_time(name: str) -> None:
    """The outputs of a stranger are compared in time proportional to their length: 20 ms each, and not a minute."""
    one = step(RECORDED[name].command)
    for piece in PIECES:
        text = piece * (30_000 // len(piece))
        old, new = Side(f"x{text}", 1, ENGINES["docker-26"]), Side(f"{text}!", 1, ENGINES["docker-28"])
        began = time.process_time()
        engine_output.comparable(old, new, one)
        assert time.process_time() - began < 3, piece


@pytest.mark.parametrize("name", ["image_ls", "image_ls_format", "history", "history_format"])
@pytest.mark.parametrize(
    ("store", "compared"),
    [("overlay2", True), ("vfs", True), ("overlay2-without-native-diff", False), ("containerd", False)],
)
def test_sizes_are_of_a_store(name: str, store: str, compared: object) -> None:
    """Without native diff a symbolic link has no size, and containerd's store counts compressed layers too."""
    old = printed(name, "docker-26")
    assert "2.02MB" in old.output
    new = Side(old.output.replace("2.02MB", "2.03MB"), 0, EngineVersion.of("docker 28.0", store))
    before, after = meaning(old, new, step(RECORDED[name].command))
    assert (before != after) is compared


@pytest.mark.parametrize(("size", "alike"), [("3.18MB", True), ("3.2MB", True), ("3.4MB", False), ("1.11MB", False)])
def test_compressed_sizes_differ_a_little(size: str, *, alike: bool) -> None:
    """Two builds of the same Docker may compress otherwise. Only the engine with that store counts so."""
    one, old = step(RECORDED["image_ls"].command), printed("image_ls", "docker-29")
    assert "3.18MB" in old.output
    before, after = meaning(old, old._replace(output=old.output.replace("3.18MB", size)), one)
    assert (before == after) is alike


def test_all_of_the_last_column_counts() -> None:
    """A command in a history may have a gap that looks like one between columns."""
    one = step(HISTORY_FORMAT)
    old, new = (
        Side(f"SIZE   CREATED BY\n0B     RUN a  {word}\n", 0, ENGINES[engine])
        for word, engine in (("b", "docker-26"), ("c", "docker-28"))
    )
    assert meaning(old, new, one) == (["0B  RUN a  b"], ["0B  RUN a  c"])


def test_empty_lines_of_a_program_count() -> None:
    """They are left out only where the client has set its own message apart by them."""
    one = step("docker run hello")
    old, new = (Side(text, 1, ENGINES["docker-28"]) for text in ("a\n\nb\n", "a\nb\n"))
    before, after = meaning(old, new, one)
    assert before != after
