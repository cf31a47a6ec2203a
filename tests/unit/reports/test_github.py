"""GitHub annotations are at the right lines, and nothing that a snippet prints becomes a command."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.captures.model import CapturedFact
from proof.core.errors import CannotMeasureError, PageError, Where
from proof.reports import changes, github
from proof.reports.formats import FinishedRun
from proof.runs.result import Result, Verdict
from tests.support.helpers import edit, results
from tests.support.in_process import proof
from tests.support.injections import HOSTILE


def commands(log: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands that GitHub's runner finds in a log: `::name key=value,…::data`, and `##[name]data` anywhere."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        if second := re.match(r"\s*::([\w-]+)(?: (.*?))?::(.*)", line):
            pairs = (pair.partition("=") for pair in (second[2] or "").split(",") if pair)
            found.append((second[1], {key: _decoded(value) for key, _, value in pairs}, _decoded(second[3])))
        elif first := re.search(r"##\[([\w-]+)[^\]]*\](.*)", line):
            found.append((first[1], {}, first[2]))
    return found


def _decoded(text: str) -> str:
    for code, c in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, c)
    return text


def reported(found: list[Result], problems: list[PageError], root: Path) -> list[tuple[str, dict[str, str], str]]:
    """The commands in the output of the report."""
    log = io.StringIO()
    github.write(FinishedRun(found, problems, [root / "docs" / "index.md"], 1, root, log))
    return commands(log.getvalue())


def test_the_reader_of_commands_finds_both_forms() -> None:
    """The corpus contains commands; the tests below show that they are escaped."""
    found = [name for text in HOSTILE for name, _, _ in commands(text)]
    assert found == [*("error", "set-output", "add-mask", "stop-commands", "set-env", "error", "add-mask", "group")]


def test_a_drift_is_annotated_at_the_step_that_drifted(root: Path) -> None:
    """One annotation per line of the manifest, with all differences there and their reasons."""
    count, fails, note = results(root)
    differences = (
        Difference(Where(root / "x"), "fails/run", "a", "b"),
        Difference(Where(root / "y"), "fails/run exit", "127", "0"),
        Difference(Where(root / "z"), "fails.size", "8B", "9B"),
    )
    drift = replace(fails, verdict="drift", differences=differences, changes=(Change("the engine", "changed"),))
    assert reported([count, drift, note], [], root) == [
        (
            "error",
            {"file": "snippets/fails/snippet.toml", "line": "9", "title": "fails: drift"},
            "because the engine changed\nfails/run\n- a\n+ b\nfails/run exit\n- 127\n+ 0",
        ),
        (
            "error",
            {"file": "snippets/fails/snippet.toml", "title": "fails: drift"},
            "because the engine changed\nfails.size\n- 8B\n+ 9B",
        ),
    ]


def test_a_drift_of_what_goes_in_alone_is_annotated_too(root: Path) -> None:
    """If an edited Dockerfile makes the same image, an annotation says where and why the run failed."""
    count, fails, note = results(root)
    stale = replace(note, verdict="drift", cause="snippet", changes=(Change("context/Dockerfile", "changed"),))
    assert reported([count, fails, stale], [], root) == [
        (
            "error",
            {"file": "snippets/note/snippet.toml", "title": "note: drift"},
            "because context/Dockerfile changed",
        )
    ]


def test_a_page_is_annotated_where_it_states_what_drifted(root: Path) -> None:
    """Each line of a page that states a changed fact is annotated."""
    count, fails, note = results(root)
    assert note.new
    facts = {**note.new.facts, "own_size": CapturedFact(28, "B", "")}
    drift = replace(note, verdict="drift", new=replace(note.new, facts=facts))
    assert reported([count, fails, drift], [], root) == [
        (
            "warning",
            {"file": "docs/index.md", "line": "3", "title": "note.own_size"},
            "This line states note.own_size, which was 27B (27 B) and is now 28B (28 B).",
        )
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_command_in_an_annotation(text: str, root: Path) -> None:
    """Hostile text anywhere: one annotation is one command, at the place that we gave it."""
    count, fails, note = results(root)
    found = [
        replace(
            count,
            verdict="drift",
            differences=(Difference(Where(root / "x"), text, text, text),),
            changes=(Change(text, text),),
        ),
        replace(fails, verdict="not measured", new=None, error=CannotMeasureError(text, evidence=text, hint=text)),
        replace(note, verdict="unstable", differences=(Difference(Where(root / "x"), "note/run", text, text),)),
    ]
    problem = PageError(text, where=Where(root / "docs" / "index.md", 1), evidence=text)
    told = reported(found, [problem], root)
    assert [name for name, _, _ in told] == ["error", "warning", "error", "error"]
    assert [place["file"] for _, place, _ in told] == [
        *(f"snippets/{name}/snippet.toml" for name in ("count", "fails", "note")),
        "docs/index.md",
    ]
    assert all(set(place) <= {"file", "line", "title"} for _, place, _ in told)
    assert all(c.isprintable() or c in "\t\n" for _, _, data in told for c in data)


def test_an_error_of_the_command_line_is_no_command(root: Path) -> None:
    """Evidence from a file is indented, and cannot be read as an old-style command either."""
    edit(root / "snippets/count/snippet.toml", "title =", '"##[add-mask]x" = 1\ntitle =')
    done = proof("check", "count", cwd=root)
    assert done.returncode == 2
    assert "add-mask" in done.stdout
    assert commands(done.stdout + done.stderr) == []


def test_the_summary_is_added_to_the_file_of_the_job(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary is appended to what is there, and stays below GitHub's limit."""
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    count, fails, note = results(root)
    reported([count, replace(fails, verdict="drift", differences=()), note], [], root)
    assert file.read_text().startswith("before\n**3 snippets: 2 accurate, 1 drift.**\n")


def test_paths_are_those_of_the_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are right for a project in a subdirectory of a repository."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(root.parent))
    count, *_ = results(root)
    lost = replace(count, verdict="not measured", new=None, error=CannotMeasureError("gone"))
    ((_, place, _),) = reported([lost], [], root)
    assert place["file"] == "tiny/snippets/count/snippet.toml"


@pytest.mark.parametrize(
    ("where", "title", "text", "command"),
    [
        (("docs/a.md", None), "t", "x", "::error file=docs/a.md,title=t::x"),
        (("docs/a.md", 3), "a: b, 100%", "x", "::error file=docs/a.md,line=3,title=a%3A b%2C 100%25::x"),
        (("docs/a.md", 3), "a\nb\rc", "x", "::error file=docs/a.md,line=3,title=a%0Ab\\rc::x"),
        (("docs/a.md", 3), "t", "a: b, 100%\nc", "::error file=docs/a.md,line=3,title=t::a: b, 100%25%0Ac"),
        # A file of a stranger's pull request has the name that they like.
        (("docs/a,line=9.md", 3), "t", "x", "::error file=docs/a%2Cline=9.md,line=3,title=t::x"),
        (("docs/a::b.md", None), "t", "x", "::error file=docs/a%3A%3Ab.md,title=t::x"),
        (("docs/a%0Ab\n.md", None), "t", "x", "::error file=docs/a%250Ab%0A.md,title=t::x"),
        # What lies elsewhere has no place in the checkout.
        (("../elsewhere/b.md", 3), "t", "x", "::error file=b.md,line=3,title=t::x"),
    ],
)
def test_a_command_is_escaped_as_github_reads_it(
    where: tuple[str, int | None], title: str, text: str, command: str, tmp_path: Path
) -> None:
    """Of a property `:` and `,` too, whatever it is made of; the path is that in the checkout."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    for start, given in ((root, root), (root, tmp_path / "link"), (tmp_path / "link", root)):
        remark = github.Annotation("error", Where(start / where[0], where[1]), title, text)
        assert remark.command(given) == command


@pytest.mark.parametrize(
    ("verdict", "level"),
    [
        ("accurate", None),
        ("written", None),
        ("drift", "error"),
        ("unstable", "error"),
        ("not measured", "warning"),
        ("another environment", "warning"),
    ],
)
def test_the_level_of_a_verdict(verdict: Verdict, level: str | None, root: Path) -> None:
    """What is wrong is an error, what is not known a warning, and what is right is not annotated."""
    count, *_ = results(root)
    found = replace(count, verdict=verdict, differences=(Difference(Where(root / "x"), "count/words", "a", "b"),))
    told = [(name, place["title"], data) for name, place, data in reported([found], [], root)]
    assert told == ([(level, f"count: {verdict}", "count/words\n- a\n+ b")] if level else [])


def test_a_link_that_leads_to_itself_is_a_place(root: Path) -> None:
    """A result of another machine names it, as a branch may hold it."""
    (root / "loop").symlink_to("loop")
    error = CannotMeasureError("x", where=Where(root / "loop", 3))
    failed = replace(results(root)[0], verdict="not measured", error=error)
    assert reported([failed], [], root)[0][1]["file"] == "loop"


def test_an_error_is_annotated_where_it_says(root: Path) -> None:
    """At its own line, before what differs; and a problem that has no place is not annotated."""
    count, *_ = results(root)
    lost = replace(
        count,
        verdict="not measured",
        error=CannotMeasureError("gone", where=Where(root / "snippets" / "bases.toml", 7)),
        differences=(Difference(Where(root / "x"), "count/words", "a", "b"),),
    )
    problems = [PageError("nowhere"), PageError("no evidence", where=Where(root / "docs/index.md", 2))]
    told = reported([lost], problems, root)
    assert [(name, place["file"], place.get("line")) for name, place, _ in told] == [
        ("warning", "snippets/bases.toml", "7"),
        ("warning", "snippets/count/snippet.toml", "3"),
        ("error", "docs/index.md", "2"),
    ]
    assert told[0][2].endswith("gone")
    assert told[2][2] == "no evidence"


@pytest.mark.parametrize(("lines", "more"), [(12, False), (13, True), (500, True)])
def test_an_annotation_is_short(lines: int, more: bool, root: Path) -> None:  # noqa: FBT001 - an expected value
    """Twelve lines, and a sign that there are others."""
    text = "\n".join(map(str, range(lines)))
    ((_, _, data),) = reported([], [PageError("x", where=Where(root / "docs/index.md", 1), evidence=text)], root)
    assert data.split("\n") == [*map(str, range(12)), *(["…"] if more else [])]


@pytest.mark.parametrize(
    ("line", "states"),
    [
        ("{{ note.own_size }}", True),
        ("a {{bytes(note.own_size)}} b", True),
        ("{{ other.size }} and {{ 2 * note.own_size }}", True),
        ("{{ other.size }} note.own_size", False),
        ("{{ note.own_sizes }}", False),
        ("{{ a.note.own_size }}", False),
        ("{ note.own_size }", False),
        ("{{ {{ note.own_size }}", True),
        ("{{" * 20_000, False),  # minutes, if each were compared with the rest of the line
    ],
)
def test_which_lines_state_a_fact(line: str, states: bool, root: Path) -> None:  # noqa: FBT001 - an expected value
    """Its whole name, in braces: nothing else is a statement of it."""
    (root / "docs" / "index.md").write_text(f"# A page\n\n{line}\n")
    *_, note = results(root)
    assert note.new
    grown = replace(note.new, facts={**note.new.facts, "own_size": CapturedFact(28, "B", "")})
    told = reported([replace(note, verdict="drift", new=grown)], [], root)
    assert [place["line"] for _, place, _ in told] == (["3"] if states else [])
    assert reported([replace(note, verdict="unstable", new=grown)], [], root) == []


def test_a_long_summary_is_cut_at_a_character(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub drops a summary that is too long; half a character would be an error."""
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    monkeypatch.setattr(changes, "summary", lambda results, problems: "ä" * len(results) + "b" * len(problems))
    monkeypatch.setattr(github, "_SUMMARY_CAP", 5)
    found = results(root)
    reported(found, [], root)
    assert file.read_text("utf-8") == "ää"
    reported(found[:1], [PageError("x")] * 3, root)
    assert file.read_text("utf-8") == "ää" + "äbbb"
