"""Results as files: what is written is what is read, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof import bases, manifest
from proof import capture as captures
from proof import results as files
from proof.compare import Difference
from proof.errors import CannotMeasureError, UsageError, Where
from proof.inputs import Change
from proof.verify import Result
from tests.helpers import captured, proof, results, tiny


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with made-up captures."""
    return captured(tiny(tmp_path))


@pytest.fixture
def shards(root: Path, tmp_path: Path) -> list[Path]:
    """Three folders of results, a snippet each."""
    folders = []
    for number, result in enumerate(results(root), start=1):
        folders.append(tmp_path / f"part-{number}")
        files.save([result], folders[-1], root=root, origin="rebuilt", seconds=number)
    return folders


def read(root: Path, *folders: Path) -> list[Result]:
    """Load and put together, as `proof merge` does."""
    snippets = manifest.load_all(root)
    return files.together(files.load(folders, snippets, bases.load(root), root), snippets)


def test_what_is_written_is_what_is_read(root: Path, tmp_path: Path) -> None:
    """Every field of every kind of result, the places relative to the project."""
    count, fails, note = results(root)
    capture = note.new
    assert capture is not None
    given = [
        replace(
            count, verdict="not measured", new=None, error=CannotMeasureError("gone", evidence="a\nb", cure="wait")
        ),
        replace(fails, verdict="another basis", new=None),
        replace(
            note,
            verdict="drift",
            cause="base",
            changes=(Change("the base alpine:3.22", "changed"),),
            differences=(Difference(Where(root / "snippets/note/snippet.toml", 4), "note.size", "8B", "::error::9B"),),
            new=replace(capture, facts={**capture.facts, "words": replace(capture.facts["words"], value=7)}),
        ),
    ]
    files.save(given, tmp_path / "all", root=root, origin="rebuilt", seconds=1.26)
    found = read(root, tmp_path / "all")
    assert str(found[0].error) == str(given[0].error)
    assert found == [replace(given[0], error=found[0].error), *given[1:]]


def test_shards_are_put_together_in_the_order_of_one_run(root: Path, shards: list[Path]) -> None:
    """However they are handed over."""
    assert read(root, *reversed(shards)) == read(root, *shards) == results(root)


def test_a_missing_a_second_and_a_foreign_result_are_refused(root: Path, shards: list[Path], tmp_path: Path) -> None:
    """By `proof merge`: code 2, the name, and what to do."""
    for folders, says in (
        (shards[:2], "no result of 1 of 3 snippets: note"),
        ([*shards, shards[0]], "the result of count is twice"),
        ([*shards, tmp_path], "there are no results in"),
    ):
        done = proof("merge", *map(str, folders), cwd=root)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert "cure:" in done.stderr
    whole = tmp_path / "whole"
    files.save(results(root), whole, root=root, origin="rebuilt", seconds=1)
    with pytest.raises(UsageError, match="in two parts"):
        read(root, whole, shards[1])
    record = shards[0] / "results.json"
    record.write_text(record.read_text().replace('"count"', '"counts"'))
    with pytest.raises(UsageError, match="no snippet 'counts'"):
        read(root, *shards)


def test_parts_of_two_origins_are_refused(root: Path, shards: list[Path], tmp_path: Path) -> None:
    """Numbers of two bases are never put beside each other."""
    (result, *_) = results(root)
    other = replace(result, verdict="another basis", new=None)
    files.save([other], tmp_path / "other", root=root, origin="registry", seconds=1)
    with pytest.raises(UsageError, match="of different bases"):
        read(root, tmp_path / "other", *shards[1:])


def test_a_base_that_moved_while_the_shards_ran_is_no_result(root: Path, tmp_path: Path) -> None:
    """One name and two images: code 3, both of them and who had which; the same run on one image is one."""
    count, fails, note = results(root)
    for image, code in (("Alpine, rebuilt", 0), ("another Alpine", 3)):
        assert note.new
        provenance = replace(note.new.provenance, bases=dict.fromkeys(note.new.provenance.bases, image))
        folders = [tmp_path / f"{code}-1", tmp_path / f"{code}-2"]
        files.save([count, fails], folders[0], root=root, origin="rebuilt", seconds=1)
        second = replace(note, new=replace(note.new, provenance=provenance))
        files.save([second], folders[1], root=root, origin="rebuilt", seconds=1)
        done = proof("merge", *map(str, folders), cwd=root)
        assert done.returncode == code, done.stderr
    assert "the base alpine:3.22 was not the same image for all snippets" in done.stderr
    assert "note: another Alpine" in done.stderr
    assert "cure: run all shards again" in done.stderr


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON in a file."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(schema=2),
        lambda data: data.pop("schema"),
        lambda data: data.update(origin="elsewhere"),
        lambda data: data.update(seconds="1"),
        lambda data: data.update(seconds=float("inf")),
        lambda data: data.update(results={}),
        lambda data: data.update(results=[[]]),
        lambda data: data["results"][0].pop("verdict"),
        lambda data: data["results"][0].update(verdict="fine"),
        lambda data: data["results"][0].update(verdict=[]),
        lambda data: data["results"][0].update(cause="nobody"),
        lambda data: data["results"][0].update(seconds=-1),
        lambda data: data["results"][0].update(seconds=True),
        lambda data: data["results"][0].update(snippet="../note"),
        lambda data: data["results"][0].update(error="gone"),
        lambda data: data["results"][0].update(changes=[{"name": 1, "how": ""}]),
        lambda data: data["results"][0].update(
            differences=[{"where": ["/etc/passwd", 1], "what": "", "old": "", "new": ""}]
        ),
        lambda data: data["results"][0].update(differences=[{"where": ["../x", 1], "what": "", "old": "", "new": ""}]),
        lambda data: data["results"][0].update(differences=[{"where": ["x", "one"], "what": "", "old": "", "new": ""}]),
        lambda data: data["results"][0].update(
            differences=[{"where": ["x", 1], "what": "", "old": "\ud800", "new": ""}]
        ),
    ],
)
def test_a_list_that_the_tool_did_not_write_is_refused(
    root: Path, shards: list[Path], change: Callable[[dict[str, Any]], object]
) -> None:
    """With code 2 and the file, never a traceback."""
    edited(shards[0] / "results.json", change)
    with pytest.raises(UsageError, match=r"results\.json"):
        read(root, *shards)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_list_is_refused(root: Path, shards: list[Path], content: bytes) -> None:
    """Whatever stands in the file."""
    (shards[0] / "results.json").write_bytes(content)
    with pytest.raises(UsageError, match="no file that the tool wrote"):
        read(root, *shards)


def _link(folder: Path) -> None:
    (folder / "captures" / "count" / "words.txt").unlink()
    (folder / "captures" / "count" / "words.txt").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "captures/count/other.txt").write_text(""), "no result has such a file"),
        (lambda folder: (folder / "run.sh").write_text(""), "no result has such a file"),
        (
            lambda folder: (folder / "captures/note").mkdir() or (folder / "captures/note/run.txt").write_text(""),
            "no r",
        ),
        (_link, "found a symbolic link"),
        (lambda folder: (folder / "captures/count/words.txt").write_text("x" * 4_000_001), "it has over 4,000,000"),
        (lambda folder: (folder / "captures/count/words.txt").write_text("7"), "words.txt was changed after"),
        (lambda folder: (folder / "captures/count/capture.json").unlink(), "no file that the tool wrote"),
        (lambda folder: (folder / "captures/count/capture.json").write_text("{}"), "no capture that the tool wrote"),
    ],
)
def test_a_file_that_the_tool_did_not_leave_is_refused(
    root: Path, shards: list[Path], change: Callable[[Path], object], says: str
) -> None:
    """A link, a name that no result has, an edited or missing text, one that is too long."""
    change(shards[0])
    with pytest.raises(UsageError, match=says):
        read(root, *shards)


def test_results_of_another_state_are_refused(root: Path, shards: list[Path]) -> None:
    """A context that was edited since, as of another commit, is not what was measured."""
    (root / "snippets/count/context/words.sh").write_text("wc -c note.txt\n")
    with pytest.raises(UsageError, match=r"another state .* context/words.sh changed"):
        read(root, *shards)


def test_results_are_not_mixed_with_older_ones(root: Path, shards: list[Path]) -> None:
    """A folder that holds anything is refused before anything is run."""
    before = (shards[0] / "results.json").read_bytes()
    done = proof("check", "--results", str(shards[0]), cwd=root, env={"PATH": "/nonexistent"})
    assert done.returncode == 2
    assert "is not an empty folder" in done.stderr
    assert (shards[0] / "results.json").read_bytes() == before


def test_a_merge_ends_as_the_run_would(root: Path, shards: list[Path]) -> None:
    """Accurate is 0; a drift is 1, and by its cause 5 to 8; not measured is 3."""
    assert proof("merge", *map(str, shards), cwd=root).returncode == 0
    edited(shards[1] / "results.json", lambda data: data["results"][0].update(verdict="drift", cause="base"))
    assert proof("merge", *map(str, shards), cwd=root).returncode == 1
    assert proof("merge", "--exit-by-cause", *map(str, shards), cwd=root).returncode == 6
    edited(shards[1] / "results.json", lambda data: data["results"][0].update(verdict="not measured", cause=None))
    assert proof("merge", *map(str, shards), cwd=root).returncode == 3


def test_a_merge_evaluates_the_claims_over_what_was_measured(root: Path, tmp_path: Path) -> None:
    """A value that is volatile drifts nowhere, and still must bear the claims of the pages."""
    count, fails, note = results(root)
    assert note.new
    facts = {**note.new.facts, "own_layers": replace(note.new.facts["own_layers"], value=2)}
    files.save(
        [count, fails, replace(note, new=replace(note.new, facts=facts))],
        tmp_path / "all",
        root=root,
        origin="rebuilt",
        seconds=1,
    )
    done = proof("merge", str(tmp_path / "all"), cwd=root)
    assert done.returncode == 1
    assert "docs/index.md:6: this is not so any more" in done.stdout


def test_a_capture_is_saved_in_the_form_of_the_repository(root: Path, shards: list[Path]) -> None:
    """So that one reader reads both."""
    own = captures.load(captures.folder_of(root / "snippets" / "count", "rebuilt"))
    assert captures.load(shards[0] / "captures" / "count") == own
