"""The time to read what a stranger wrote grows no faster than n log n with its length, whatever is repeated in it.

Each construct is repeated until reading it takes a while, or until it is as long as a text may be. Four times the text
may then take eight times as long: n log n takes less than five times, and the square of n sixteen.
"""

import contextlib
import gc
import time
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from proof.captures import buildah_log, normalise
from proof.captures.buildkit_log import BuildLog
from proof.core.errors import ProofError, Where
from proof.core.toml_table import Table
from proof.pages.lint import claims, metadata
from proof.pages.scan import Reader
from proof.pages.site import Site
from proof.snippets import commands, dockerfile, manifest
from tests.support.helpers import REPOSITORY, captured, tiny
from tests.support.makers import step, write

WHILE = 0.05  # seconds that the time for a text is told apart from the noise by
MOST = 8.0  # times the time that four times the text may take
TRIES = 4  # another program may have had the processor's cache
SMALLEST = 1 << 9
LONGEST = 9_900  # characters of a block

Read = Callable[[str], object]
Grown = Callable[[int], str]  # a text of about so many characters


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the Markdown extensions of this site."""
    root = captured(tiny(tmp_path_factory.mktemp("growth")))
    write(root, {"mkdocs.yml": (REPOSITORY / "mkdocs.yml").read_text("utf-8")})
    return root


def check(read: Read, grown: Grown, longest: int, size: int = SMALLEST) -> None:
    """Fail if the time to read the text grows too fast, from a size on."""
    while cost(read, grown(4 * size)) < WHILE:
        if 4 * size >= longest:
            return
        size *= 2
    ratios: list[float] = []
    for _ in range(TRIES):
        ratios.append(cost(read, grown(4 * size), 2) / cost(read, grown(size), 8))
        if ratios[-1] <= MOST:
            return
    pytest.fail(f"{4 * size} characters take {min(ratios):.1f} times as long as {size}: {grown(40)!r}")


def cost(read: Read, text: str, times: int = 1) -> float:
    """The mean seconds of processor time that reading takes. That the text is refused is as good as any other end."""
    # A mean, since the clock of some kernels moves by 4 ms.
    gc.disable()  # it takes longer the more the tests before this one have left
    try:
        began = time.process_time()
        for _ in range(times):
            with contextlib.suppress(ProofError):
                read(text)
        return (time.process_time() - began) / times
    finally:
        gc.enable()


def repeated(piece: str, before: str = "", after: str = "") -> Grown:
    return lambda size: before + piece * (size // len(piece)) + after


def nested(opening: str, closing: str, before: str = "", after: str = "") -> Grown:
    return lambda size: (
        before + "".join(part * (size // (len(opening) + len(closing))) for part in (opening, closing)) + after
    )


def deeper(line: str) -> Grown:
    """Lines, each indented by four spaces more than the one before."""

    def grown(size: int) -> str:
        lines: list[str] = []
        while sum(map(len, lines)) < size:
            lines += [" " * 2 * len(lines) + line, ""]
        return "\n".join(lines)

    return grown


# ── Pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MARKS = [
    *"[ ( ! < > & * _ ` ~ ^ = + - # | \\ { } : \" ' / . 1".split(),
    *("](", "](a", "![a](", "][", "[a]:", "**", "__", "``", "```", "```a", "~~~", "{{", "}}", "{{ a }}", "{{ claim: "),
    *("{: .a", "{ #a }", "!!! note", '??? "a"', "|-", "1.", "- ", "> ", "http://", "<http://a", "a@b.c"),
    *("&#", "--8<-- "),
    *("a.b", "3 MB ", "twice as ", "docker ", "é", "\u2028", "{{ waiver: a b }}", "{{ transcript note/run }}"),
    *("<a ", "<!--", "<![CDATA[", "[a](b) ", "[a][b] ", "*a* ", "`a` ", "a\\\n", "a  \n"),
]
TEXTS = {  # of a block
    **{f"{mark!r}": repeated(mark, "a ") for mark in MARKS},
    **{f"{a!r} and {b!r}": repeated(a + b) for a, b in permutations(["[", "(", "*", "_", "`", "{{", "<", "]"], 2)},
    **{f"{a!r} around {b!r}": nested(a, b) for a, b in [("[", "](a)"), ("[", "]"), ("*a ", "*")]},
    "a code span with more and more ticks": lambda size: " a ".join("`" * n for n in range(1, int((2 * size) ** 0.5))),
    "an unclosed title": repeated('[a](b "', "a "),
    "an expression": repeated("+ 1 ", "{{ note.size ", "}}"),
    "expressions": repeated("{{ note.size + 1 }} is "),
    "claims": repeated("a {{ claim: note.size > 1 }} "),
    "superlatives": repeated("the smallest ", "a {{ claim: note.size > 1 }} "),
    "a name": repeated("a", "{{ note.", " }}"),
}
PAGES = {
    **{f"{mark!r} on lines": repeated(f"{mark}\n") for mark in MARKS},
    **{f"{mark!r} in blocks": repeated(f"{mark} a\n\n") for mark in MARKS},
    **{f"{mark!r} deeper": deeper(f"{mark} a") for mark in ("-", ">", "1.", "!!! note", "a", "#", "```")},
    "many short headings": repeated("a\n=\n" * 60 + "\n"),
    "many brackets": repeated("[" * 100 + "\n\n"),
    "a table": repeated("| a " * 50 + "|\n", "|" + " a |" * 50 + "\n|" + "-|" * 50 + "\n"),
    "wide tables": repeated("|a" * 50 + "\n" + "|-" * 50 + "\n\n"),
    "definitions": repeated("[a]: b 'c'\n"),
    "a chart": repeated("a = 1\n", "``` chart\n", "```\n"),
    "rows of a chart": repeated('  { name = "a", value = "note.size" },\n', '``` chart\nkind = "bars"\nrows = [\n', "]\n```\n"),
    "charts": repeated('``` chart\nkind = "bars"\n```\n\n'),
}  # fmt: skip


@pytest.fixture
def read_page(project: Path) -> Read:
    """Reads a page with a text."""
    path, site = project / "docs/grown.md", Site.at(project)
    reader = Reader(site, site.book)

    def read(text: str) -> None:
        path.write_text(f"# A page\n\n{text}\n", "utf-8")
        Site.at.cache_clear()
        site.memory._kept.clear()
        reader.read(path, expand=False)

    return read


@pytest.mark.parametrize("grown", TEXTS.values(), ids=TEXTS.keys())
def test_texts(grown: Grown, read_page: Read) -> None:
    """Up to the longest that is not refused."""
    check(read_page, grown, LONGEST, LONGEST // 4)


@pytest.mark.parametrize("grown", PAGES.values(), ids=PAGES.keys())
def test_pages(grown: Grown, read_page: Read) -> None:
    check(read_page, grown, 90_000)


FRONT = {
    **{f"{mark!r} in a line": repeated(mark, "a: ") for mark in "[ { - ? : , ' \" # | > & * ! % @ ` a a: <<:".split()},
    **{f"{mark!r} on lines": repeated(f"{mark}\n") for mark in ("- ", "? ", "a: b", ": ", "#", "- - -", "'", "a")},
    "nested lists": nested("[", "]", "a: "),
    "nested mappings": nested("{a: ", "}", "a: "),
    "pairs": repeated("{a: b}, ", "a: [", "]"),
    "merged": repeated("{a: b}, ", "<<: [", "]"),
    "levels": deeper("a:"),
    "lists": deeper("- a:"),
}


@pytest.mark.parametrize("grown", FRONT.values(), ids=FRONT.keys())
def test_front_matter(grown: Grown, project: Path) -> None:
    path = project / "docs/grown.md"

    def read(text: str) -> None:
        path.write_text(f"---\n{text}\n---\n# A page\n", "utf-8")
        Site.at.cache_clear()
        list(metadata._wrong(path, path.read_text("utf-8")))

    check(read, grown, 90_000)


@pytest.mark.parametrize(
    "piece", [*MARKS, "a", "A", "A a. ", "1,000 ", "1.5 MB ", "three ", "the smallest ", "Docker 29 "]
)
def test_sentences(piece: str) -> None:
    def read(text: str) -> None:
        for sentence in claims.sentences(text):
            list(claims.unbound(sentence, ["note.size > 1"]))

    check(read, repeated(piece), 5_000)


MANIFESTS = {
    **{f"{mark!r}": repeated(mark) for mark in "[ { ( \" ' = , # . \\ a a. [a] [[a]] \"\"\" ''' 9 -".split()},
    **{f"{mark!r} in a value": repeated(mark, "a = ") for mark in "[ { {a= \" ' 9 9. 1_ \\u0041".split()},
    "lists": nested("[", "]", "a = "),
    "tables": repeated("[[a]]\n"),
    "tables in tables": lambda size: "".join(f"[a{'.a' * (n % 15)}.b{n}]\n" for n in range(size // 30)),
    "keys": lambda size: "".join(f"a{n} = 1\n" for n in range(size // 8)),
    "dotted keys": lambda size: "".join(f"a.b.c.d{n} = 1\n" for n in range(size // 12)),
    "values": repeated("1, ", "a = [", "]"),
    "comments": repeated("# a\n"),
    "variables": repeated("{a}", "matrix = { a = ['1', '2', '3'] }\ntitle = '", "'\n[[step]]\n"),
    "steps": lambda size: "title = 'a'\n" + "".join(
        f"[[step]]\nname = 'a{n}'\ncommand = 'docker version'\n" for n in range(size // 50)
    ),
    "a command": repeated("a ", "title = 'a'\n[[step]]\nname = 'a'\ncommand = 'docker run alpine:3.22 ", "'\n"),
    "patterns": repeated("'(a|b)+', ", "title = 'a'\n[[step]]\nname = 'a'\ncommand = 'docker version'\nshow = [", "]\n"),
    "a pattern": repeated("(a|b)", "title = 'a'\n[[step]]\nname = 'a'\ncommand = 'docker version'\nshow = ['", "']\n"),
}  # fmt: skip


@pytest.mark.parametrize("grown", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_manifests(grown: Grown, tmp_path: Path) -> None:
    folder = tmp_path / "snippets/note"
    folder.mkdir(parents=True)

    def read(text: str) -> None:
        (folder / "snippet.toml").write_text(text, "utf-8")
        try:
            manifest.variants(folder)
        finally:
            Table.read(folder / "snippet.toml", below=tmp_path).where("a")

    check(read, grown, 45_000)


RUN = "FROM alpine:3.22\nRUN "
DOCKERFILES = {
    **{f"{mark!r}": repeated(mark, "FROM alpine:3.22\n") for mark in "# \\ RUN ARG FROM -- $ < \" ' [ ~".split()},
    **{
        f"{mark!r} in RUN": repeated(mark, RUN, " <<EOF\nEOF\n")
        for mark in ("$((", "$(", "<<", "<<A ", "$", "${", "${a:-", '"', "'", "`", "\\", "[", "1", "1<<", "--a ", "-", "a ", ")", "&&")
    },
    **{f"{mark!r} on lines of RUN": repeated(f"{mark}\\\n", RUN, "a\n") for mark in ("", "a", "<<A", "#", " ", "--a ")},
    "flags": repeated("--mount=type=cache,target=/a ", RUN, "a\n"),
    "options of a flag": repeated("a=b,", f"{RUN}--mount=", " a\n"),
    "heredocs": repeated("RUN <<A\na\nA\n", "FROM alpine:3.22\n"),
    "unclosed heredocs": repeated("RUN <<A\n", "FROM alpine:3.22\n"),
    "stages": lambda size: "".join(f"FROM alpine:3.22 AS a{n}\n" for n in range(size // 25)),
    "copies": lambda size: "".join(f"FROM alpine:3.22 AS a{n}\nCOPY --from=a{max(n - 1, 0)} /a /a\n" for n in range(size // 50)),
    "variables": lambda size: "FROM alpine:3.22\n" + "".join(f"ARG A{n}=$A{n - 1}$A{n - 1}\n" for n in range(size // 15)),
    "a variable": repeated("$A", "FROM alpine:3.22\nARG A=b\nENV B=", "\n"),
    "defaults": nested("${A:-", "}", "FROM alpine:3.22\nENV B=", "\n"),
    "assignments": repeated("A=b ", "FROM alpine:3.22\nENV ", "\n"),
    "directories": repeated("WORKDIR a\n", "FROM alpine:3.22\n"),
    "a path": repeated("../", "FROM alpine:3.22\nWORKDIR ", "\n"),
    "JSON": nested("[", "]", "FROM alpine:3.22\nCMD ", "\n"),
}  # fmt: skip


@pytest.mark.parametrize("grown", DOCKERFILES.values(), ids=DOCKERFILES.keys())
def test_dockerfiles(grown: Grown, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"

    def read(text: str) -> None:
        path.write_text(text, "utf-8")
        dockerfile.parse(path)

    check(read, grown, 18_000)


@pytest.mark.parametrize(
    "piece", ["a ", "'", '"', "\\", "$A", "${", "-", "--a ", "--a=", "-v a ", "--env A=b ", "| ", "&& ", "; ", "> ", "/a", "a:", "a@"]
)  # fmt: skip
def test_commands(piece: str) -> None:
    check(lambda text: commands.parse(text, where=Where(Path("a"), 1)), repeated(piece, "docker run "), 50_000)


LOGS = {
    **{f"{mark!r}": repeated(mark, "#1 ") for mark in "# a 1 1. : [ ] => / @ sha256: ------ > ERROR".split()},
    **{
        f"{line!r}": repeated(f"{line}\n")
        for line in (
            *("#1 a", "#2 DONE 0.1s", "#3 0.1 a", "#4 [a 1/2] RUN a", "#5 ERROR: a", "------", " > [a 1/2] RUN a:", "0.1 a"),
            *("#6 sha256:a 1MB / 2MB", "#7 CACHED", "#8 [internal] load metadata for a", "#9 naming to a", "#10 ...", "a"),
            *("STEP 1/2: RUN a", "COMMIT a", "--> a", "[1/2] STEP 1/2: FROM a", "Trying to pull a", "Error: a"),
        )
    },
    **{f"{mark!r} of Podman": repeated(mark, "STEP 1/1: RUN a\n") for mark in ("COMMIT ", "--> ", "[1/1] ", 'Error: building at STEP "RUN ')},
    "steps": lambda size: "".join(f"#{n} [a {n}/9] RUN a\n#{n} DONE 0.1s\n" for n in range(size // 30)),
    "interleaved": lambda size: "".join(f"#{n % 97} 0.{n} a\n" for n in range(size // 10)),
    "steps of Podman": lambda size: "".join(f"STEP {n}/9: RUN a\n--> a{n}\n" for n in range(size // 25)),
}  # fmt: skip


@pytest.mark.parametrize("grown", LOGS.values(), ids=LOGS.keys())
def test_logs(grown: Grown) -> None:
    built = step()

    def read(text: str) -> None:
        BuildLog.parse(text)
        buildah_log.parse(text)
        normalise.comparable(text, text, built)

    check(read, grown, 400_000)
