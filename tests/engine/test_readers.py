"""Two readers of one Dockerfile: what the tool accepts, BuildKit reads as the same instructions on the same images.

BuildKit can list the stages of a file without building it. To compare the instructions too, a FROM is put before each
of them and into each text of several lines: both readers must see the same of these, at the same lines. Nothing is run,
so even what would hang is compared.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from proof.core.errors import RefusedError
from proof.engines.interface import Engine
from proof.provision import loader
from proof.snippets import base_images, dockerfile
from proof.snippets.commands import full_name
from proof.snippets.dockerfile_lexer import Instruction, instructions, without_frontend
from proof.system import process
from tests.fuzz.test_fuzz import DOCKERFILES, mutated
from tests.support.engines import with_client
from tests.support.helpers import TINY
from tests.support.hostile import cases

pytestmark = pytest.mark.engine

IMAGES = ("canary", "other:3.22")  # beside the base
ACCEPTED = [case.given for case in cases("accepted") if case.kind == "dockerfile"]
MOUNTS = (
    *("type=cache,target=/c", "type=bind,from=canary,target=/x", "type=bind,from=s0,target=/x"),
    *("type=tmpfs,target=/t", "FROM=other:3.22,target=/x", "from=0,target=/x,ro"),
)
PLAIN = (
    *("ENV A=b C='d e'", "ENV V=$HOME", 'LABEL a="b c"', "ARG V=1", "ARG V", "ARG A=1 B=$A", "WORKDIR /src"),
    *("WORKDIR a b", "USER 1:1", "EXPOSE 80", "VOLUME /v", "STOPSIGNAL TERM", 'CMD ["a", "b"]', "CMD a b"),
    *("ENTRYPOINT []", "HEALTHCHECK --retries=1 CMD true", 'SHELL ["/bin/sh", "-c"]'),
)
# Letters whose bytes hold 0xA0 or 0x85, digits and blanks of other scripts, and what changes under upper().
ODD = [
    *"\u00e0\u0105\u4f60\u00c5\u0663\uff13\u017f\u0131\u00a0\u0085\u3000\x0b\x0c\r\\\"'`$#<",
    "\\\\",
    "$V",
    "[]",
    "--",
]


@dataclass(frozen=True)
class Stage:
    """What both readers say of a FROM."""

    line: int
    base: str  # with its variables, as written
    alias: str


class BuildKit:
    """BuildKit's own reading of a Dockerfile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = with_client(engine, env={**engine.client.env, "BUILDX_EXPERIMENTAL": "1"})
        usage = self._engine.client.call("buildx", "build", "--help").text()
        self._flag = "--call" if "--call" in usage else "--print"  # its name before buildx 0.17

    def stages(self, path: Path) -> list[Stage] | None:
        """The stages in order; None where it refuses the file."""
        listed = self._ask(path, "targets")
        if listed.exit != 0:
            return None
        found = json.loads(listed.text())["targets"]
        return [Stage(s["location"]["ranges"][0]["start"]["line"], s["base"], s.get("name", "").lower()) for s in found]

    def images(self, path: Path) -> tuple[set[str], bool]:
        """The images that it looks up, and whether it found nothing wrong."""
        done = self._ask(path, "outline")
        log = done.last_lines(10_000)
        assert '"secrets"' not in log, log
        assert '"ssh"' not in log, log
        assert "resolve image config" not in log, log  # of a frontend
        return set(re.findall(r"(?m)load metadata for (\S+?):?$", log)), done.exit == 0

    def _ask(self, path: Path, what: str) -> process.Completed:
        return self._engine.client.run(
            ["docker", "buildx", "build", f"{self._flag}={what},format=json", "--progress=plain", str(path.parent)],
            deadline=60,
            merge=what == "outline",
            reads=[path.parent],
        )


def probed(text: str, found: list[Instruction]) -> str:
    """The same file with a FROM before each of its instructions, and one within each that has several lines."""
    lines = text.split("\n")
    probes: dict[int, list[str]] = {}
    for number, instruction in enumerate(found):
        first = instruction.where.line or 1
        probes.setdefault(first, []).append(f"FROM scratch AS before{number}")
        if instruction.name in ("RUN", "COPY", "ADD", "CMD", "ENTRYPOINT"):
            for line in range(first + 1, instruction.last + 1):
                probes.setdefault(line, []).append(" FROM scratch AS within \\")
        for line in range(instruction.last + 1, first + instruction.text.count("\n") + 1):
            probes.setdefault(line, []).append("FROM scratch AS document")
    return "\n".join(piece for number, line in enumerate(lines, 1) for piece in (*probes.get(number, ()), line))


def ours(path: Path) -> list[Stage]:
    froms = [(i, i.rest.split()) for i in instructions(path, path.read_text("utf-8")) if i.name == "FROM"]
    return [Stage(i.where.line or 1, words[0], words[2] if len(words) == 3 else "") for i, words in froms]


def normal(image: str) -> str:
    return f"docker.io/library/{full_name(image)}"


def compare(text: str, buildkit: BuildKit, folder: Path) -> bool:
    """Whether the tool accepts the file; then BuildKit reads the same, or refuses it."""
    path = folder / "Dockerfile"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        read = dockerfile.parse(path)
    except RefusedError:
        return False
    if not {*read.images} <= {"alpine:3.22", "0", *IMAGES}:  # others are refused by what bases.toml has
        return False
    text = without_frontend(text, "none/{}".format)
    # Every stage is needed by a last one: else BuildKit would look up none of its images.
    needed = "".join(f"COPY --from={stage.index} / /{stage.index}/\n" for stage in read.stages)
    path.write_bytes(f"{text}\nFROM scratch\n{needed}".encode())
    asked, right = buildkit.images(path)
    named = {normal(image) for image in read.images}
    assert asked <= named, text
    assert not right or asked == named, text
    path.write_bytes(text.encode())
    plain, found = ours(path), list(instructions(path, path.read_text("utf-8")))
    path.write_bytes(probed(text, found).encode())
    expected, stages = ours(path), buildkit.stages(path)
    if stages is None:  # then there is something wrong with the file itself, and it builds nothing
        path.write_bytes(text.encode())
        assert buildkit.stages(path) is None, text
        return True
    assert len(expected) == len(plain) + len(found)
    assert stages == expected, text
    return True


def made_up(seed: int) -> str:
    """A Dockerfile of real instructions, with a few things in it that readers may disagree about."""
    random = Random(seed)  # noqa: S311 - no secret: the same file for the same number

    def one(*choices: str) -> str:
        return random.choice(choices)

    def odd(text: str) -> str:
        """The same, or now and then with something put in somewhere."""
        at = random.randint(0, len(text))
        return text if random.random() < 0.93 else text[:at] + one(*ODD) + text[at:]

    def document() -> tuple[str, str]:
        """A heredoc, and the lines that follow: what would be instructions elsewhere."""
        quote, dash, mark = one("", "", "'", '"'), one("", "", "-"), one("EOF", "EOF", "RUN", "A_1")
        lines = ("FROM canary", "USER 1", "RUN true", "COPY --from=canary /x /x", "# x", "EOF", "", "\tEOF", "RUN \\")
        body = [odd(one(*lines)) for _ in range(random.randint(0, 3))]
        return odd(f"{one('', '', '3')}<<{dash}{quote}{mark}{quote}"), "\n".join(["", *body, odd(mark)])

    def flags(*choices: str) -> str:
        return "".join(f"{odd(one(*choices))} " for _ in range(random.randint(0, 2)))

    def instruction() -> str:
        opening, lines = document() if random.random() < 0.3 else ("", "")
        match random.randint(0, 8):
            case 0 | 1 | 2:
                given = flags("--network=none", *(f"--mount={mount}" for mount in MOUNTS))
                words = one("true", "echo a b", "echo \"a  b\" 'c'", '["true"]', "true # x", "[ -e / ]", "[]")
                return broken(f"RUN {given}{odd(words)} {opening}") + lines
            case 3 | 4:
                given = flags("--from=canary", "--from=s0", "--from=0", "--chown=1:1", "--chmod=755", "--link")
                return broken(f"COPY {given}{opening or odd(one('Dockerfile', 'a b'))} /x/") + lines
            case 5:
                return broken(f"ADD {flags('--chown=1:1')}{opening or odd('Dockerfile')} /y/") + lines
            case 6:
                return odd(f"{one('FROM', 'from')} {one('alpine:3.22', 'canary', 's0', 'scratch', 'other:$V')}")
            case _:
                return broken(odd(one(*PLAIN)))

    def broken(text: str) -> str:
        """Over several lines, a blank at a time."""
        words = text.split(" ")
        for number in range(len(words) - 1):
            if random.random() < 0.06:
                between = one("", "", "# FROM canary\n", "\n") if random.random() < 0.9 else "  # x\n"
                words[number] += one(" \\", "\\", " \\ ", "\\\t") + "\n" + between
        return " ".join(words)

    text = one("# syntax=x", "# escape=`", "#!/bin/x", "\ufeff", "# check=x") + "\n" if random.random() < 0.05 else ""
    first = "alpine:3.22"
    if random.random() < 0.5:
        first = "alpine:$V"
        text += odd(one("ARG V=3.22", "ARG V='3.22'", "ARG W=3.22 V=$W", "ARG V=${X:-3.22}", "ARG V=3.22${X:+canary}"))
        text += "\n"
    text += odd(f"FROM {first} AS s0") + "\n"
    for _ in range(random.randint(1, 6)):
        text += one("", "", "\t") + instruction() + one("\n", "\n", "\n\n", "\r\n", "\n# x\n")
    return text


@pytest.fixture(scope="module")
def buildkit(engine: Engine, cache: Path) -> Iterator[BuildKit]:
    """A BuildKit that has every image which the files name: nothing is asked of a registry."""
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    for name in IMAGES:
        engine.client.call("tag", "alpine:3.22", name)
    yield BuildKit(engine)
    engine.remove(images=IMAGES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readers")


HONEST = [
    "FROM alpine:3.22 AS s0\nRUN --mount=from=0,target=/x true\n",
    "FROM alpine:3.22\nRUN true \\\n# FROM canary\n\n && true\nCOPY <<-'A' <<B /x/\nFROM canary\n\tA\nB\n",
    "ARG V=3.22\nFROM alpine:$V\nRUN --mount=type=bind,from=canary,target=/x true \u00e0--network=default \u0663\n",
    "FROM alpine:3.22\nFROM scratch\nCOPY --from=0 /etc/os-release /\nCOPY --from=other:3.22 / /\nUSER 1\n",
]


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_file(text: str, buildkit: BuildKit, folder: Path) -> None:
    """It is accepted, and read alike: the comparison does see stages, images and texts of several lines."""
    assert compare(text, buildkit, folder)
    path = folder / "Dockerfile"
    path.write_text(text)
    assert buildkit.stages(path) == ours(path)


def test_the_comparison_sees_a_difference(buildkit: BuildKit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a reader that takes a line of its own for text, it fails: else it would say nothing."""
    monkeypatch.setattr(
        "proof.snippets.dockerfile_lexer._HEREDOC", re.compile(r"(?P<chomp>-?)(?P<quote>)#<<(?P<marker>EOF)(?P=quote)")
    )
    with pytest.raises(AssertionError):
        compare("FROM alpine:3.22\nRUN true #<<EOF\nFROM canary\nRUN \\\nEOF\n", buildkit, folder)


@settings(
    max_examples=settings().max_examples // 2,  # each asks BuildKit twice
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(text=st.integers(0, 2**32).map(made_up) | mutated(ACCEPTED, DOCKERFILES))
def test_what_is_accepted_is_read_alike(buildkit: BuildKit, folder: Path, text: str) -> None:
    """Of any file that the tool accepts, BuildKit sees the same instructions, stages and images."""
    compare(text, buildkit, folder)
