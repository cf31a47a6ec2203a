"""Result files: what was written is read back, and anything else is refused."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proof.captures import store
from proof.captures.diff import Difference, compare
from proof.captures.fingerprint import Change
from proof.captures.model import Capture
from proof.core.errors import CannotMeasureError, UsageError, Where
from proof.runs.result import Cause, Result, Verdict
from proof.shards import result_files
from proof.snippets import base_images, capture_locations, project
from proof.snippets.capture_locations import Origin
from tests.support.helpers import LAYERS, capture_in, edit, of_layers, results
from tests.support.in_process import proof
from tests.support.makers import by_engine

OTHER: Verdict = "another environment"


@pytest.fixture
def shards(root: Path, tmp_path: Path) -> list[Path]:
    """Three directories of results, with one snippet each."""
    folders = []
    for number, result in enumerate(results(root), start=1):
        folders.append(tmp_path / f"part-{number}")
        result_files.save([result], folders[-1], root=root, origin="rebuilt", seconds=number)
    return folders


def read(root: Path, *folders: Path) -> list[Result]:
    """Load and merge, as `proof merge` does."""
    snippets = project.load_all(root)
    return result_files.merge(result_files.load(folders, snippets, base_images.load(root), root), snippets)


def whole(root: Path, folder: Path, given: Sequence[Result], origin: Origin = "rebuilt") -> Path:
    """One directory with these results."""
    result_files.save(given, folder, root=root, origin=origin, seconds=1)
    return folder


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON in a file."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def told(shard: Path, **fields: Any) -> None:
    """Let a shard tell something else of its snippet."""
    edited(shard / "results.json", lambda data: data["results"][0].update(fields))


def made(root: Path) -> tuple[Path, Capture]:
    """The committed capture of `note`, and where it is."""
    folder = capture_locations.folder_of(root / "snippets" / "note", "rebuilt")
    capture = capture_in(folder)
    return folder, capture


def test_what_is_written_is_what_is_read(root: Path, tmp_path: Path) -> None:
    """Every field of every kind of result survives, with places relative to the project."""
    count, fails, note = results(root)
    assert note.new
    grown = of_layers(note.new, note.snippet, (LAYERS[0], replace(LAYERS[1], size=28)))
    folder = capture_locations.folder_of(note.snippet.folder, "rebuilt")
    given = [
        replace(
            count, verdict="not measured", new=None, error=CannotMeasureError("gone", evidence="a\nb", hint="wait")
        ),
        replace(
            fails,
            verdict="another environment",
            new=None,
            changes=(Change("the base alpine:3.22", "changed"),),
            differences=(Difference(Where(root / "snippets/note/snippet.toml", 4), "note.size", "8B", "::error::9B"),),
        ),
        replace(
            note,
            verdict="drift",
            cause="output",
            differences=tuple(compare(note.old, grown, note.snippet, folder)),
            new=grown,
        ),
    ]
    whole(root, tmp_path / "all", given)
    found = read(root, tmp_path / "all")
    assert given[2].differences
    assert str(found[0].error) == str(given[0].error)
    assert found == [replace(given[0], error=found[0].error), *given[1:]]


def test_shards_are_put_together_in_the_order_of_one_run(root: Path, shards: list[Path]) -> None:
    """The order of the directories does not matter."""
    assert read(root, *reversed(shards)) == read(root, *shards) == results(root)


def test_what_a_refused_merge_says(root: Path, shards: list[Path], tmp_path: Path) -> None:
    """What is wrong with which directory, and what to do."""
    one, two, three = shards
    every = whole(root, tmp_path / "every", results(root))
    elsewhere = [replace(results(root)[0], verdict=OTHER, new=None)]
    other = whole(root, tmp_path / "other", elsewhere, "registry")
    all_of_them = "run all shards, 1/N to N/N with the same N, and pass every directory"
    once = "pass each shard of one run once"
    for folders, what, evidence, hint in (
        ((every, two), f"the result of fails is in two parts, {every} and {two}", "", once),
        ((one, two, three, one), "the result of count is twice", "", once),
        ((one, two), "no result for 1 of 3 snippets: note", f"{one}: 1 results\n{two}: 1 results", all_of_them),
        ((three,), "no result for 2 of 3 snippets: count, fails", f"{three}: 1 results", all_of_them),
        (
            (other, two, three),
            f"the shards used different bases: {other} registry, {two} rebuilt, {three} rebuilt",
            *("", "run every shard with the same --bases"),
        ),
    ):
        with pytest.raises(UsageError) as error:
            read(root, *folders)
        assert (error.value.what, error.value.evidence, error.value.hint) == (what, evidence, hint)
    done = proof("merge", *map(str, [*shards, tmp_path]), cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there are no results in" in done.stderr
    assert "hint:" in done.stderr


def test_a_folder_for_results_is_empty(root: Path, shards: list[Path], tmp_path: Path) -> None:
    """One that is not there will be made; anything in it would be mixed up with what comes. Nothing is run before."""
    result_files.check_empty(tmp_path / "new")
    (tmp_path / "new").mkdir()
    result_files.check_empty(tmp_path / "new")
    (tmp_path / "new" / ".hidden").touch()
    for wrong in (tmp_path / "new", tmp_path / "new" / ".hidden"):
        with pytest.raises(UsageError) as error:
            result_files.check_empty(wrong)
        assert error.value.what == f"{wrong} is not an empty directory"
        assert error.value.hint == f"rm -r {wrong}, or pass another directory to --results"
    before = (shards[0] / "results.json").read_bytes()
    done = proof("check", "--results", str(shards[0]), cwd=root, env={"PATH": "/nonexistent"})
    assert done.returncode == 2
    assert "is not an empty directory" in done.stderr
    assert (shards[0] / "results.json").read_bytes() == before


@pytest.mark.parametrize("verdict", ["accurate", "written"])
def test_a_verdict_without_a_capture(root: Path, shards: list[Path], verdict: str) -> None:
    """There is nothing to check it by."""
    shutil.rmtree(shards[0] / "captures")
    told(shards[0], verdict=verdict)
    with pytest.raises(UsageError) as error:
        read(root, *shards)
    assert error.value.what == (
        f"the tool did not write this file: ValueError('count is {verdict}, without a capture')"
    )


def test_a_base_that_moved_while_the_shards_ran_is_no_result(root: Path, tmp_path: Path) -> None:
    """If a base was two images: code 3, with both and the snippets that used them."""

    def on(result: Result, digit: str) -> Result:
        assert result.new
        digest = f"sha256:{digit * 64}"
        inputs = {name: digest if name.startswith("the base") else v for name, v in result.new.inputs.items()}
        images = {name: f"docker.io/library/{name}@{digest}" for name in result.new.provenance.bases}
        provenance = replace(result.new.provenance, bases=images)
        environment = replace(result.new.environment, bases="registry")
        return replace(
            result,
            verdict="written",
            old=None,
            new=replace(result.new, environment=environment, inputs=inputs, provenance=provenance),
        )

    count, fails, note = results(root)
    for digit in ("1", "2"):
        folders = [tmp_path / f"{digit}-1", tmp_path / f"{digit}-2"]
        whole(root, folders[0], [on(count, "1"), on(fails, "1")], "registry")
        whole(root, folders[1], [on(note, digit)], "registry")
        if digit == "1":
            assert len(read(root, *folders)) == 3
    done = proof("merge", *map(str, folders), cwd=root)
    assert done.returncode == 3, done.stderr
    assert "the base alpine:3.22 was not the same image for all snippets" in done.stderr
    assert f"note: docker.io/library/alpine:3.22@sha256:{'2' * 64}" in done.stderr
    assert "hint: run all shards again" in done.stderr


DIFFERENCE = {"where": ["x", 1], "what": "", "old": "", "new": ""}
CHANGE = {"name": "", "how": ""}
ERROR = {"what": "", "where": None, "evidence": "", "hint": ""}


def of_note(**fields: Any) -> dict[str, Any]:
    """What a shard tells of its snippet."""
    return {"results": fields}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        # The list itself.
        ({"schema": 2}, "it has schema 2, but this tool reads 1"),
        ({"schema": None}, "it has schema None"),
        ({"origin": "elsewhere"}, "_Record.origin is 'elsewhere'"),
        ({"same_engine": "yes"}, "_Record.same_engine is 'yes'"),
        ({"seconds": "1"}, "_Record.seconds is '1'"),
        ({"seconds": -0.1}, "-0.1 is not a number of seconds"),
        *(({"seconds": wrong}, "_Record.seconds is") for wrong in (True, None, float("nan"), 1e300, 10**400)),
        ({"more": 1}, "unexpected keyword argument 'more'"),
        # A snippet, its verdict and its time.
        (of_note(snippet="../note"), "unknown snippet '../note'"),
        (of_note(snippet="counts"), "unknown snippet 'counts'"),
        (of_note(verdict="fine"), "_Entry.verdict is 'fine'"),
        (of_note(verdict=[]), "_Entry.verdict is []"),
        (of_note(cause="nobody"), "_Entry.cause is 'nobody'"),
        # Lists: how long they are, and what is in them.
        (of_note(changes=[CHANGE] * 10_001), "expected a list of at most 10,000 items"),
        (of_note(differences=[DIFFERENCE] * 10_001), "expected a list of at most 10,000 items"),
        (of_note(differences={}), "_Entry.differences is {}"),
        (of_note(changes="x"), "_Entry.changes is 'x'"),
        (of_note(changes=[{"name": "x"}]), "missing 1 required positional argument: 'how'"),
        *((of_note(changes=[CHANGE | {key: 7}]), f"Change.{key} is 7") for key in CHANGE),
        *((of_note(differences=[DIFFERENCE | {key: 7}]), f"{key} is 7") for key in DIFFERENCE),
        (of_note(differences=[DIFFERENCE | {"old": "\ud800"}]), "_Difference.old is"),
        (of_note(error="gone"), "_Entry.error is 'gone'"),
        *((of_note(error=ERROR | {key: 7}), f"_Error.{key} is 7") for key in ERROR),
        # Places.
        *(
            (of_note(differences=[DIFFERENCE | {"where": [path, 1]}]), f"the path {path!r} is outside this project")
            for path in ("../x", "/etc/passwd", "a/..", "/", "//x", 5)
        ),
        (of_note(differences=[DIFFERENCE | {"where": ["a\0b", 3]}]), "no file can have the name"),
        *(
            (of_note(differences=[DIFFERENCE | {"where": ["x", line]}]), f"{line!r} is not a line number")
            for line in (0, -1, "one")
        ),
        *((of_note(differences=[DIFFERENCE | {"where": ["x", line]}]), "where is ('x',") for line in (True, 1.0)),
        (of_note(differences=[DIFFERENCE | {"where": ["x", 10**400]}]), "where is ('x',"),
        (of_note(differences=[DIFFERENCE | {"where": ["x"]}]), "not enough values"),
        (of_note(differences=[DIFFERENCE | {"where": ["x", 1, 2]}]), "too many values"),
    ],
    ids=lambda value: f"{value!r:.60}",
)
def test_a_list_that_the_tool_did_not_write_is_refused(
    root: Path, shards: list[Path], fields: dict[str, Any], says: str
) -> None:
    """With the file and what is wrong, never with a traceback."""
    told(shards[0], verdict="unstable")
    if isinstance(fields.get("results"), dict):
        told(shards[0], **fields["results"])
    else:
        edited(shards[0] / "results.json", lambda data: data.update(fields))
    with pytest.raises(UsageError) as error:
        read(root, *shards)
    assert str(error.value.where).endswith("results.json")
    assert says in error.value.what


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": 1, "results": {}}',
        b'{"schema": 1, "results": [[]]}',
    ],
)
def test_what_is_no_list_is_refused(root: Path, shards: list[Path], content: bytes) -> None:
    """Whatever stands in the file."""
    (shards[0] / "results.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"results\.json: (the tool did not write this file|this is nested too)"):
        read(root, *shards)


def _link(folder: Path) -> None:
    (folder / "captures" / "count" / "words.txt").unlink()
    (folder / "captures" / "count" / "words.txt").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "captures/count/other.txt").write_text(""), "results have no such file"),
        (lambda folder: (folder / "run.sh").write_text(""), "results have no such file"),
        (
            lambda folder: (folder / "captures/note").mkdir() or (folder / "captures/note/run.txt").write_text(""),
            "results have no such file",
        ),
        (_link, "found a symbolic link"),
        (
            lambda folder: (folder / "captures/count/words.txt").write_text("x" * 4_000_001),
            "it has more than 4,000,000",
        ),
        (lambda folder: (folder / "captures/count/words.txt").write_text("7"), "words.txt was changed after"),
        (lambda folder: (folder / "captures/count/capture.json").unlink(), "the tool did not write this file"),
        (lambda folder: (folder / "captures/count/capture.json").write_text("{}"), "not a capture written by proof"),
    ],
)
def test_a_file_that_the_tool_did_not_leave_is_refused(
    root: Path, shards: list[Path], change: Callable[[Path], object], says: str
) -> None:
    """A link, a name that no result has, an edited or missing text, one that is too long."""
    change(shards[0])
    with pytest.raises(UsageError, match=says):
        read(root, *shards)


def test_a_merge_ends_as_the_run_would(root: Path, shards: list[Path]) -> None:
    """Exit codes: 0 for accurate, 1 for drift, 5 to 8 for drift by cause, 3 for not measured."""
    assert proof("merge", *map(str, shards), cwd=root).returncode == 0
    told(shards[1], verdict="drift", cause="base")
    assert proof("merge", *map(str, shards), cwd=root).returncode == 1
    assert proof("merge", "--exit-by-cause", *map(str, shards), cwd=root).returncode == 6
    told(shards[1], verdict="not measured", cause=None)
    assert proof("merge", *map(str, shards), cwd=root).returncode == 3


class TestTheEnginesWords:
    """`--same-engine`: the shards and the merge compare them, or none of them does."""

    @pytest.fixture
    def reworded(self, root: Path, tmp_path: Path) -> Path:
        """Results of Docker 28, which found everything accurate, and said the same in other words."""
        found = []
        for result in results(root):
            assert result.new
            new = by_engine(result.new, "docker 28.5.2")
            if result.snippet.name == "note":
                steps = [replace(s, output="IMAGE ID\nhello 1\n") if s.name == "image_ls" else s for s in new.steps]
                new = replace(new, steps=tuple(steps))
            found.append(replace(result, new=new))
        result_files.save(found, tmp_path / "words", root=root, origin="rebuilt", seconds=1, same_engine=True)
        return tmp_path / "words"

    def test_a_merge_compares_them_too(self, root: Path, reworded: Path) -> None:
        """So a shard cannot keep silent about another word."""
        done = proof("merge", "--same-engine", str(reworded), cwd=root)
        assert done.returncode == 1, done.stderr
        assert "note: the shard's verdict" in done.stdout

    def test_all_of_them_or_none(self, root: Path, shards: list[Path], reworded: Path) -> None:
        """Otherwise a log that another snippet's build changed would be drift: a shard runs that snippet again."""
        done = proof("merge", "--same-engine", *map(str, shards), cwd=root)
        assert (done.returncode, done.stdout) == (2, "")
        assert "these results were run without --same-engine" in done.stderr
        done = proof("merge", str(reworded), cwd=root)
        assert (done.returncode, done.stdout) == (2, "")
        assert "these results were run with --same-engine" in done.stderr
        assert "hint: proof merge --same-engine" in done.stderr


def resealed(root: Path, old: str, new: str) -> None:
    """Change the committed capture of `note`, and compute its seal again, as anyone can."""
    edit(made(root)[0] / store.RECORD, old, new)
    folder, capture = made(root)
    store.save(replace(capture, tampered=()), folder)


def test_no_word_of_a_shard_makes_a_verdict_better(root: Path, shards: list[Path]) -> None:
    """Whatever a shard reports, the result of comparing its capture here is shown."""
    resealed(root, '"files": 1', '"files": 2')
    for verdict, code in (("accurate", 1), ("written", 1), ("drift", 1), ("unstable", 1), ("not measured", 3)):
        told(shards[2], verdict=verdict, changes=[], differences=[], error=None, cause=None)
        assert proof("merge", *map(str, shards), cwd=root).returncode == code, verdict


def arrange(root: Path, here: str) -> None:
    """Make the capture that the repository has of `note` what a row says; the shard measured the made-up one."""
    folder, capture = made(root)
    match here:
        case "differs":
            resealed(root, '"files": 1', '"files": 2')
        case "none":
            shutil.rmtree(folder)
        case "of another version":
            inputs, engine = (
                capture.inputs | {"the engine": "docker 25"},
                replace(capture.provenance, engine="docker 25"),
            )
            store.save(replace(capture, inputs=inputs, provenance=engine), folder)
        case "of another platform":
            environment = replace(capture.environment, platform="linux/arm64")
            store.save(replace(capture, environment=environment), folder)
        case _:
            assert here == "same"


class Word(NamedTuple):
    """One row: what a shard told of `note`, and what it comes to."""

    here: str  # the capture that the repository has: see `arrange`
    told: Verdict
    verdict: Verdict
    cause: Cause | None
    whats: list[str]  # of the differences
    unwritten: Verdict  # for who accepts nothing


@pytest.mark.parametrize(
    "word",
    [
        Word("same", "accurate", "accurate", None, [], "accurate"),
        Word("same", "written", "written", "output", [], "accurate"),
        Word("same", "drift", "drift", "base", ["note: of its own"], "drift"),
        Word("same", "unstable", "unstable", "base", ["note: of its own"], "unstable"),
        Word("same", "not measured", "not measured", "base", ["note: of its own"], "not measured"),
        Word("same", OTHER, OTHER, "base", ["note: of its own"], OTHER),
        Word("of another version", "accurate", "accurate", None, [], "accurate"),
        Word("of another version", "written", "written", "engine", [], "accurate"),
        Word("differs", "accurate", "drift", "output", ["note: the shard's verdict", "note: layer 2: files"], "drift"),
        Word("differs", "written", "written", "output", ["note: layer 2: files"], "drift"),
        Word("differs", "drift", "drift", "output", ["note: layer 2: files"], "drift"),
        Word("differs", "unstable", "unstable", "base", ["note: of its own"], "unstable"),
        Word("none", "accurate", "drift", "snippet", ["note: the shard's verdict", "note"], "drift"),
        Word("none", "written", "written", "snippet", ["note"], "never captured"),
        Word("none", "drift", "drift", "snippet", ["note"], "drift"),
        Word("none", "unstable", "unstable", "base", ["note: of its own"], "unstable"),
        Word("of another platform", "accurate", OTHER, None, ["note"], OTHER),
        Word("of another platform", "written", OTHER, None, ["note"], OTHER),
        Word("of another platform", "not measured", "not measured", "base", ["note: of its own"], "not measured"),
    ],
)
def test_what_a_shards_word_comes_to(word: Word, root: Path, shards: list[Path]) -> None:
    """What it told, next to what its capture comes to here: a word can only make a verdict worse."""
    arrange(root, word.here)
    own = {"where": ["x", 1], "what": "note: of its own", "old": "a", "new": "b"}
    told(shards[2], verdict=word.told, cause="base", differences=[own])
    found = read(root, *shards)[2]
    assert (found.verdict, found.cause, [d.what for d in found.differences]) == (word.verdict, word.cause, word.whats)
    assert [change.name for change in found.changes] == (["the engine"] if found.cause == "engine" else [])
    assert (found.new is None) is (word.verdict in ("not measured", OTHER))
    assert (found.old is None) is (word.here == "none")
    unwritten = result_files.unwritten(found)
    assert unwritten.verdict == word.unwritten
    assert unwritten.cause == (None if unwritten.verdict in ("accurate", "never captured") else word.cause)


@pytest.mark.parametrize("verdict", ["drift", "unstable", "not measured"])
def test_a_result_may_have_no_capture(verdict: Verdict, root: Path, shards: list[Path]) -> None:
    """A step that does not do what its manifest declares leaves none: what the shard says is all there is."""
    shutil.rmtree(shards[2] / "captures")
    own = {"where": ["x", 1], "what": "note/build", "old": "exit 0", "new": "exit 1"}
    told(shards[2], verdict=verdict, cause="base", differences=[own])
    found = read(root, *shards)[2]
    assert (found.verdict, found.cause, found.new) == (verdict, "base", None)
    assert [difference.what for difference in found.differences] == ["note/build"]


def test_environments_that_differ_are_both_named(root: Path, shards: list[Path]) -> None:
    """At the folder of the capture here."""
    arrange(root, "of another platform")
    (difference,) = read(root, *shards)[2].differences
    environments = ("linux/arm64, docker, rebuilt bases", "linux/amd64, docker, rebuilt bases")
    assert difference == Difference(Where(made(root)[0]), "note", *environments)


@pytest.mark.parametrize(
    ("fields", "count", "read_as"),
    [
        ({"verdict": "unstable"}, 10_000, "unstable"),
        ({"verdict": "unstable", "error": None, "cause": None}, 1, "unstable"),
    ],
)
def test_what_is_just_within_the_bounds_is_read(
    fields: dict[str, Any], count: int, read_as: str, root: Path, shards: list[Path]
) -> None:
    """The most differences and changes, the last line, and no line at all."""
    place, last = ["x", 999_999_999], ["x", None]
    differences = [DIFFERENCE | {"where": place if n else last} for n in range(count)]
    told(shards[0], **fields, differences=differences, changes=[CHANGE] * count)
    found = read(root, *shards)[0]
    assert (found.verdict, len(found.differences), len(found.changes)) == (read_as, count, count)
    assert [d.where.line for d in found.differences[:2]] == [None, 999_999_999][:count]


@pytest.mark.parametrize("key", ["what", "evidence", "hint"])
@pytest.mark.parametrize("length", [20_000, 20_001])
def test_a_text_is_cut_at_its_length(key: str, length: int, root: Path, shards: list[Path]) -> None:
    """One that is as long as may be is whole, and a sign stands for what was cut off."""
    error = {"what": "w", "where": ["snippets/count/snippet.toml", 2], "evidence": "e", "hint": "h"}
    told(shards[0], verdict="not measured", error=error | {key: "x" * length})
    found = read(root, *shards)[0].error
    assert found is not None
    assert found.where == Where(root / "snippets/count/snippet.toml", 2)
    assert getattr(found, key) == "x" * 20_000 + "…" * (length - 20_000)


@pytest.mark.parametrize(
    "place", ["results.json", "captures/count/words.txt", "captures/count/capture.json", "captures/count", "captures"]
)
@pytest.mark.parametrize("kind", ["symbolic link", "named pipe", "socket"])
def test_what_is_no_plain_file_is_not_read(
    place: str, kind: str, root: Path, shards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where a link leads to the very file: a pipe would never end, a link could lead anywhere."""
    path = shards[0] / place
    kept = path.rename(shards[0].parent / "kept")
    monkeypatch.chdir(path.parent)  # the path of a socket has to be short
    match kind:
        case "symbolic link":
            path.symlink_to(kept)
        case "named pipe":
            os.mkfifo(path)
        case _:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path.name)
    with pytest.raises(UsageError, match=f"found a {kind}"):
        read(root, *shards)


@pytest.mark.parametrize(
    "name", ["captures/count/other.pipe", "captures/count/words.txt/inner", "captures/note/words.txt"]
)
def test_a_pipe_of_any_name_is_refused(name: str, root: Path, shards: list[Path]) -> None:
    """What stands where nothing is expected is not passed over either."""
    path = shards[0] / name
    if path.parent.is_file():
        path.parent.unlink()
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(UsageError, match="found a named pipe"):
        read(root, *shards)


def test_files_have_a_cap_and_the_list_a_larger_one(
    root: Path, shards: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a capture, and the list, are each read up to their own; one that just fits is read."""
    record = shards[0] / "results.json"
    largest = max(path.stat().st_size for path in (shards[0] / "captures").rglob("*") if path.is_file())
    record.write_text(record.read_text() + " " * largest)  # the list is longer than any of the others
    monkeypatch.setattr(result_files, "_FILE_CAP", largest)
    monkeypatch.setattr(result_files, "_RECORD_CAP", record.stat().st_size)
    assert len(load(root, shards[0])) == 1
    monkeypatch.setattr(result_files, "_FILE_CAP", largest - 1)
    with pytest.raises(UsageError, match=f"it has more than {largest - 1:,} bytes"):
        load(root, shards[0])
    record.write_text(record.read_text() + " ")
    with pytest.raises(UsageError, match="the file is larger than"):
        load(root, shards[0])


def load(root: Path, *folders: Path) -> list[result_files.Part]:
    """Load, without putting together."""
    return result_files.load(folders, project.load_all(root), base_images.load(root), root)


def test_a_part_knows_where_it_is_from(root: Path, shards: list[Path]) -> None:
    """Its folder, bases and time, one part a folder, in their order."""
    found = load(root, shards[1], shards[0])
    assert [(part.folder, part.origin, part.seconds) for part in found] == [
        (shards[1], "rebuilt", 2.0),
        (shards[0], "rebuilt", 1.0),
    ]
    assert [[result.snippet.name for result in part.results] for part in found] == [["fails"], ["count"]]


def test_a_snippet_that_is_twice_in_a_part(root: Path, shards: list[Path]) -> None:
    """The message names no second part."""
    edited(shards[0] / "results.json", lambda data: data["results"].append(data["results"][0]))
    with pytest.raises(UsageError, match="the result of count is twice"):
        read(root, *shards)


def test_where_something_is_stands_relative_to_the_project(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a place elsewhere the name is enough; a relative one is seen from the working directory."""
    monkeypatch.chdir(root / "docs")
    (result, *_) = results(root)
    given = {root / "docs/index.md": "docs/index.md", Path("index.md"): "docs/index.md", Path("/etc/passwd"): "passwd"}
    differences = tuple(Difference(Where(path, 7), "ä", "old", "new") for path in given)
    error = CannotMeasureError("gone", where=Where(Path("index.md")))
    unstable = replace(result, verdict="unstable", differences=differences, error=error, new=None)
    result_files.save([unstable], tmp_path / "part", root=root, origin="rebuilt", seconds=1.26)
    text = (tmp_path / "part" / "results.json").read_text("utf-8")
    assert "ä" in text
    assert text.endswith("}\n")
    data = json.loads(text)
    assert (data["schema"], data["origin"], data["seconds"]) == (1, "rebuilt", 1.3)
    (entry,) = data["results"]
    assert [d["where"] for d in entry["differences"]] == [[place, 7] for place in given.values()]
    assert entry["error"]["where"] == ["docs/index.md", None]
    assert not (tmp_path / "part" / "captures").exists()


@pytest.mark.parametrize("verdict", ["accurate", "written"])
def test_numbers_that_pages_show_and_no_shard_measured(root: Path, shards: list[Path], verdict: str) -> None:
    """A run on rebuilt bases ends with code 0 although pages show captures on registry bases, and says so."""
    told(shards[2], verdict=verdict)
    assert proof("merge", *map(str, shards), cwd=root).returncode == 0
    _, capture = made(root)
    invented = replace(capture, environment=replace(capture.environment, bases="registry"))
    store.save(invented, capture_locations.folder_of(root / "snippets/note", "registry"))
    done = proof("merge", *map(str, shards), cwd=root)
    assert done.returncode == 0, done.stdout
    assert "pages show captures on registry bases, which this run did not measure" in " ".join(done.stdout.split())


def test_a_merge_evaluates_the_claims_over_what_was_measured(root: Path, tmp_path: Path) -> None:
    """A value that is volatile drifts nowhere, and still must bear the claims of the pages."""
    count, fails, note = results(root)
    assert note.new
    grown = replace(note, new=of_layers(note.new, note.snippet, (*LAYERS, LAYERS[1])))
    whole(root, tmp_path / "all", [count, fails, grown])
    done = proof("merge", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 1
    assert "docs/index.md:6: this claim is no longer true" in done.stdout


@pytest.mark.parametrize("beside", [False, True])
def test_shards_of_another_engine(beside: bool, root: Path, shards: list[Path]) -> None:  # noqa: FBT001 - a value
    """Their captures are compared by what they mean, or in their words if there is a capture in these."""
    _, capture = made(root)
    words = {"build": "#1 exporting to image\n#1 naming to note:latest done\n", "image_ls": "IMAGE   ID   DISK USAGE\n"}
    reworded = tuple(replace(step, output=words.get(step.name, step.output)) for step in capture.steps)
    late = by_engine(replace(capture, steps=reworded), "docker 29.7.2")
    store.save(late, shards[2] / "captures/note")
    if beside:
        folder = capture_locations.folder_of(root / "snippets/note", "rebuilt", "", "docker-29")
        store.save(by_engine(capture, "docker 29.7.2"), folder)
    result = read(root, *shards)[2]
    if beside:
        assert (result.verdict, result.cause) == ("drift", "output")
        assert {difference.what for difference in result.differences} >= {"note/build", "note/image_ls"}
    else:
        assert (result.verdict, result.words, result.measured) == ("accurate", (1, 2), late)
        assert result.new is not None


def test_a_shard_of_another_engine_that_measured_something_else(root: Path, shards: list[Path]) -> None:
    """Another size is a drift in any words."""
    snippet = project.find(root / "snippets", "note")
    grown = of_layers(made(root)[1], snippet, (LAYERS[0], replace(LAYERS[1], size=28)))
    store.save(by_engine(grown, "docker 29.7.2"), shards[2] / "captures/note")
    result = read(root, *shards)[2]
    assert (result.verdict, result.cause) == ("drift", "engine")
    assert "note.size" in {difference.what for difference in result.differences}
