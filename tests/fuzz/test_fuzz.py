"""Any input at all: an answer or an error of ours, and what must hold of every answer.

The same examples every time, and few of them; `pytest tests/fuzz/test_fuzz.py --hypothesis-profile=long` looks further.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proof.captures import store
from proof.captures.model import Capture, CapturedStep
from proof.core import text as text_module
from proof.core.errors import LimitError, PageError, ProofError, RefusedError, Where
from proof.facts import expression
from proof.facts.book import FactBook
from proof.facts.expression import FUNCTIONS
from proof.facts.values import Value
from proof.pages import footer, transcript, try_it
from proof.pages.lint import claims, lexicon
from proof.pages.page import Options, Page
from proof.pages.site import Site
from proof.pages.stopping import StopBuildError
from proof.reports import json_report
from proof.snippets import commands, dockerfile, manifest
from proof.snippets.dockerfile_lexer import instructions
from tests.support import makers, site
from tests.support.helpers import REPOSITORY, TINY, captured, tiny
from tests.support.hostile import cases
from tests.support.makers import write
from tests.unit.pages.test_extension import convert
from tests.unit.pages.test_try_it import paste, snippet, tree

WHERE = Where(Path("snippet.toml"), 1)
MANIFESTS = [path.read_text("utf-8") for path in sorted(REPOSITORY.glob("snippets/*/snippet.toml"))]
DOCKERFILES = [
    *(path.read_text("utf-8") for path in sorted(REPOSITORY.glob("snippets/*/context/Dockerfile"))),
    *(c.given for c in (*cases("accepted"), *cases("refused")) if c.kind == "dockerfile" and isinstance(c.given, str)),
    *(f"FROM alpine:3.22\n{case.given}\n" for case in cases("refused") if case.kind == "instruction"),
]
COMMANDS = [case.given for name in ("accepted", "refused") for case in cases(name) if case.kind == "command"]
PAGES = [path.read_text("utf-8") for path in (*sorted((REPOSITORY / "docs").glob("*.md")), TINY / "docs/index.md")]
OUTPUTS = site.outputs("alert(1)", "https://evil.example")[:-4]
ODD = [
    *"\0\t\r\n\x0b\x0c\x1b\x1c\x85\u00a0\u200b\u2028\u202e\ud7ff\ufeff\U0001f600\"'`\\$#{}[]()<>&|;=-:@*_",
    *("{{", "}}", "--", "<<EOF", "\\\n", "FROM ", "--from=", "docker ", "[[step]]\n", "nan", "1e999", "9" * 400),
    *("<script>", "</code>", "```", "claim:", "waiver: x", "transcript note/run", "note.size", "--8<-- "),
    *("\x02", "\x03"),
]


@st.composite
def mutated(draw: st.DrawFn, originals: list[str], others: list[str] | None = None) -> str:
    """One of these texts with a few pieces taken out, doubled, swapped for another's or put in."""
    text = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        other = draw(st.sampled_from(others or originals))
        at = draw(st.integers(0, len(other)))
        piece = draw(
            st.one_of(st.sampled_from([*ODD, "", text[start:end] * 2, other[at : at + 40]]), st.text(max_size=5))
        )
        text = text[:start] + piece + text[end:]
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snippet to put texts into."""
    files = {"context/Dockerfile": "FROM alpine:3.22\n", "context/main.go": "package main\n"}
    return write(tmp_path_factory.mktemp("fuzz") / "odd", files)


@given(text=mutated(MANIFESTS))
def test_manifest(folder: Path, text: str) -> None:
    """A manifest is read, or refused with its file and the way out."""
    (folder / "snippet.toml").write_bytes(text.encode("utf-8", "replace"))
    try:
        for snippet in manifest.variants(folder):
            assert snippet.steps
            assert all(step.where.line for step in snippet.steps)
    except ProofError as error:
        assert error.code == 2
        assert error.where is not None
        assert error.hint


@given(text=mutated(COMMANDS))
def test_command(text: str) -> None:
    """A command comes apart into what docker would be called with, and holds nothing that is not on the list."""
    try:
        command = commands.parse(text, where=WHERE)
    except RefusedError as error:
        assert error.hint
        return
    assert command.argv[0] == "docker"
    assert len(text) <= 2000
    assert not re.search(r"[\0-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]", text)
    allowed = commands.VERBS[command.argv[1 : command.head]][1]
    assert all(name in allowed for name, _ in command.flags)
    words = [word for name, value in command.flags for word in (name, value) if word is not None]
    assert sorted("".join([*words, *command.positionals]).replace("=", "")) == sorted(
        "".join(command.argv[command.head :]).replace("=", "")
    )


@given(text=mutated(DOCKERFILES))
def test_dockerfile(folder: Path, text: str) -> None:
    """A Dockerfile names all its images; renamed for a shared engine, it names none of the user's."""
    path = folder / "Dockerfile"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        found = dockerfile.parse(path)
    except RefusedError as error:
        assert error.where is not None
        return
    assert found.stages
    assert all(where.line for where in found.images.values())
    assert all("".join((i.name, *i.flags)).isascii() for i in instructions(path, path.read_text("utf-8")))
    assert all(stage.parent.isascii() for stage in found.stages)
    text = path.read_bytes().decode()
    path.write_text(dockerfile.localise(text, lambda name: f"ours/{name}", [found]), newline="")
    with contextlib.suppress(RefusedError):  # a name that is no image's may be none after it either
        renamed = dockerfile.parse(path)
        assert len(renamed.stages) == len(found.stages)
        names = [name for name in renamed.images if re.fullmatch(commands.REFERENCE, name)]  # others are in no list
        assert [name for name in names if not name.startswith("ours/")] == []


@given(
    output=st.one_of(mutated(OUTPUTS), st.text(max_size=300)),
    code=st.integers(0, 255),
    inside=st.one_of(st.none(), st.text(max_size=20)),
    show=st.sampled_from(["", ".", "<", r"\d", "^$"]),
)
def test_transcript(output: str, code: int, inside: str | None, show: str) -> None:
    """A transcript has the elements that it is made of and no other; its text is what was printed."""
    step = CapturedStep("run", output[:40], inside, code, 0.1, output)
    declared = makers.step("docker build .", *([f"show = {json.dumps([show])}"] if show else []))
    parsed = site.Parsed(transcript.render(step, declared))
    assert {element.split(" ")[0] for element in parsed.elements} <= set(
        "figure figcaption code div pre samp small strong p span details summary dl dt dd time ul li".split()
    )
    assert {name for element in parsed.elements for name in element.split(" ")[1:]} <= set(
        "class data-copy datetime data-search-exclude tabindex role aria-label aria-hidden".split()
    )
    assert not parsed.addresses
    (text,) = parsed.transcripts
    assert text == (text_module.visible(output).rstrip("\n") + "\n" if output else "")


def _edited(value: Any, draw: Callable[..., Any]) -> Any:
    """A JSON value with something in it replaced by something else, taken out or added."""
    other = draw(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([]), st.just({}))
    )
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        rest = {k: v for k, v in value.items() if k != key}
        act = draw(st.sampled_from(["edit", "edit", "edit", "drop", "rename"]))
        name = draw(st.one_of(st.text(max_size=5), st.just("../x"), st.just("x" * 300), st.just("\0")))
        return rest if act == "drop" else rest | {key if act == "edit" else name: _edited(value[key], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [_edited(value[0], draw), *value[1:]]
    return other


@given(drawn=st.data(), raw=st.one_of(st.none(), mutated(['{"schema": 1, "steps": {}}', "[" * 5000, "9" * 5000])))
def test_capture(folder: Path, drawn: st.DataObject, raw: str | None) -> None:
    """A capture that somebody edited is read and marked, or refused; what is read can be shown and reported."""
    place = folder / "captured"
    shutil.rmtree(place, ignore_errors=True)
    store.save(makers.capture(), place)
    record = place / store.RECORD
    original = json.loads(record.read_text("utf-8"))
    text = json.dumps(_edited(original, drawn.draw)) if raw is None else raw
    record.write_bytes(text.encode("utf-8", "replace"))
    try:
        found = store.load(place)
    except (PageError, LimitError) as error:
        assert error.where is not None
        return
    assert found is not None
    assert found.tampered or found == makers.capture()
    _shown(found)


def _shown(capture: Capture) -> None:
    for step in capture.steps:
        transcript.render(step, makers.step())
    page = Page(Site(Path("/nowhere")), Options(Path("/nowhere")), snippets={"single"})
    page.book = book = FactBook({"single": capture})
    assert footer.foot(page)
    assert all(str(fact) is not None for fact in book.values())
    json_report.facts(map(book.everywhere, book))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with captures in it."""
    return captured(tiny(tmp_path_factory.mktemp("project")))


@given(text=mutated(PAGES))
@example(text="{{ claim: note.size > 0 }}\x02")
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_page(project: Path, text: str) -> None:
    """A page is rendered, or the build stops with an error that MkDocs prints without a traceback."""
    try:
        html = convert(text, project)
    except StopBuildError as error:
        assert error.exit_code in (1, 2)
        return
    assert isinstance(html, str)


MEASURED = {
    "a.size": Value(269_642_189, "B"),
    "a.layers": Value(8, "count"),
    "a.none": Value(0, "B"),
    "a.du": Value(166_092.8, "KiB"),
    "a.time": Value(7.25, "s"),
    "a.user": Value("root", "text"),
}
LEAVES = [*MEASURED, *"0 0.0 1 -2 2.5 26 1e299 'root' ''".split()]
EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / < <= == != in and or".split()), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("-{}".format),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=3).map(", ".join)).map(
            lambda call: f"{call[0]}({call[1]})"
        ),
    ),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        *(*lexicon.NUMBERS, *lexicon.ORDERS, *lexicon.PARTS, *lexicon.MULTIPLES, *lexicon.GLYPHS),
        *(*lexicon.SUPERLATIVES, *lexicon.COMPARATIVES, *lexicon.ONLY, *lexicon.BYTES, *lexicon.TIMES),
        *"of the all a as same large than than times percent layers images port Go step".split(),
        *"0 2.5 1,000 10-15 1/0 1.2.3 3rd ² . , - – / % \ue000 zerofold \N{LATIN SMALL LETTER LONG S}ix".split(),
    ]
)


@given(sentence=st.lists(WORDS, max_size=12).map(" ".join), predicates=st.lists(EXPRESSIONS, max_size=3))
@example(sentence="The largest of zero", predicates=["a.size > 0"])
@example(sentence="", predicates=["a.user < 0"])
@example(sentence="8 layers", predicates=["-" * 330 + "a.layers == 8"])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_claim(sentence: str, predicates: list[str]) -> None:
    """A claim holds or does not, or is refused; what a sentence states is found, whatever is claimed of it."""
    for predicate in predicates:
        with contextlib.suppress(PageError):
            assert isinstance(str(expression.evaluate(predicate, MEASURED)), str)
        with contextlib.suppress(PageError):
            assert claims.check(sentence, predicate, MEASURED).values
    assert all(loose.what for loose in claims.unbound(sentence, predicates, MEASURED))


PIECES = [
    *("EOF", "EOF2", " EOF", "\t", "        ", " ", "\n"),
    *("$(touch owned)", "`touch owned`", "'", '"', "\\", "!x", "é"),
]


@given(text=st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | mutated(DOCKERFILES) | st.text())
def test_block(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a file holds, there is no block, or a shell writes this file and no other."""
    root = tmp_path_factory.mktemp("block")
    odd = snippet(root, {"data": text})
    try:
        block = try_it.block(odd)
    except try_it.NotPasteableError:
        return
    paste(block.text, root / "reader")
    assert tree(root / "reader" / "odd") == tree(odd.context)
    assert [path.name for path in (root / "reader").iterdir()] == ["odd"]
