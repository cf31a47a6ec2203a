"""Captures: written whole or not at all, and what was changed by hand does not go unseen."""

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures.model import CapturedEntry, CapturedFact, CapturedStep
from proof.captures.store import RECORD, lines_of, load, save, sweep, unexpected_files
from proof.core import hashes
from proof.core.errors import LimitError, PageError, Where
from proof.snippets.capture_locations import check_declared, folder_of
from tests.support.helpers import capture_in, edit
from tests.support.makers import capture, write


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a capture in it."""
    folder = folder_of(tmp_path / "single", "rebuilt")
    save(capture(), folder)
    return folder


class TestRoundTrip:
    def test_round_trip(self, saved: Path) -> None:
        """What is saved comes back as it was, whole numbers, fractions and texts alike."""
        assert capture_in(saved) == capture()
        assert capture_in(saved).tampered == ()
        assert [type(fact.value) for fact in capture_in(saved).facts.values()] == [int, int, float, str]

    @pytest.mark.parametrize(
        "output", ["", "\n", "no newline", "a\r\nb\rc\x00\x1b[1m", "wörld \u202e\N{PILE OF POO}", " \n\n"]
    )
    def test_outputs(self, tmp_path: Path, output: str) -> None:
        """An output is kept character for character, in a file that is just it."""
        save(capture(steps=(CapturedStep("run", "docker run a", None, 0, 0.1, output),)), tmp_path / "c")
        assert [step.output for step in capture_in(tmp_path / "c").steps] == [output]
        assert capture_in(tmp_path / "c").tampered == ()
        assert (tmp_path / "c/run.txt").read_bytes() == output.encode()

    def test_files(self, saved: Path) -> None:
        """A capture is one text file for each step and one record, the outputs not repeated in it."""
        assert sorted(contents(saved.parent)) == [f"rebuilt/{n}" for n in (RECORD, "go_run.txt", "run.txt")]
        record = (saved / RECORD).read_text("utf-8")
        assert "hello" not in record
        assert record.endswith("}\n")
        # Laid out for a reader of its diffs: a value a line, letters as they are, the seal last.
        assert '"source": "sum of files",\n' in record
        assert record.startswith('{\n  "schema": 1,\n  "snippet": "single",\n')
        assert record.splitlines()[-2].startswith('  "seal": "sha256:')
        save(capture(snippet="wörld"), saved)
        assert '  "snippet": "wörld",\n' in (saved / RECORD).read_text("utf-8")

    def test_same_bytes(self, saved: Path) -> None:
        """Saving the same again changes no byte: a refresh without a change is no diff."""
        before = contents(saved)
        save(capture(), saved)
        assert contents(saved) == before

    def test_replaced(self, saved: Path) -> None:
        """A new capture takes the place of the old one as a whole: a step that is gone leaves no file."""
        new = capture(steps=capture().steps[:1])
        save(new, saved)
        assert load(saved) == new
        assert sorted(contents(saved.parent)) == [f"rebuilt/{n}" for n in (RECORD, "run.txt")]


class TestTampered:
    @pytest.mark.parametrize("text", ["hello world\n", "hello wörld\r\n", "hello wörld", "", None])
    def test_text(self, saved: Path, text: str | None) -> None:
        """A transcript that was changed by hand is named, and one that is gone isn't taken for an empty one."""
        if text is None:
            (saved / "run.txt").unlink()
        else:
            (saved / "run.txt").write_bytes(text.encode())
        assert capture_in(saved).tampered == ("run.txt",)
        assert capture_in(saved).steps[0].output == (text or "")
        save(capture_in(saved), saved)  # which gives it a new seal
        assert capture_in(saved).tampered == ()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("269642189", "169642189"),
            ('"exit": 0', '"exit": 1'),
            ("docker run example", "docker run other"),
            ("linux/amd64", "linux/arm64"),
            ("2026-11-23", "2026-11-24"),
            ('"from_base": true', '"from_base": false'),
            ('"private": true', '"private": false'),
            (hashes.hash_text("hello wörld\n"), hashes.hash_text("goodbye\n")),
        ],
    )
    def test_record(self, saved: Path, old: str, new: str) -> None:
        """Anything in the record that was changed by hand breaks its seal, also together with a transcript."""
        if new.startswith("sha256:"):
            (saved / "run.txt").write_text("goodbye\n")
        edit(saved / RECORD, old, new)
        assert capture_in(saved).tampered == (RECORD,)

    def test_layout(self, saved: Path) -> None:
        """The layout of the record does not matter: a formatter does not break the seal."""
        data = json.loads((saved / RECORD).read_bytes())
        (saved / RECORD).write_text(json.dumps(data, sort_keys=True))
        assert capture_in(saved).tampered == ()

    def test_two_values(self, saved: Path) -> None:
        """A name that is there twice keeps the seal whole, and shows a reviewer the value that doesn't count."""
        edit(saved / RECORD, '"exit": 0', '"exit": 1,\n      "exit": 0')
        with pytest.raises(PageError, match="a name is there twice"):
            load(saved)


class TestAtomic:
    @pytest.fixture(params=[1, 2, 3])
    def full_disk(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The disk is full from the n-th file on."""
        left = [int(request.param)]

        def fsync(_: int) -> None:
            left[0] -= 1
            if left[0] <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            yield

    @pytest.mark.usefixtures("full_disk")
    def test_old_capture_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A save that fails in the middle leaves the old capture unchanged, and nothing next to it."""
        folder = tmp_path / "rebuilt"
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: None)
            save(capture(), folder)
        before = contents(tmp_path)
        changed = capture(facts={"size": CapturedFact(1, "B", "x")}, steps=capture().steps[::-1])
        with pytest.raises(OSError, match="No space left on device") as error:
            save(changed, folder)
        assert str(error.value.filename).startswith(str(folder.with_name(f".{folder.name}.new-")))
        assert contents(tmp_path) == before
        assert list(tmp_path.iterdir()) == [folder]

    @pytest.mark.usefixtures("full_disk")
    def test_no_half_capture(self, tmp_path: Path) -> None:
        """A first save that fails leaves no capture at all."""
        with pytest.raises(OSError, match="No space left on device"):
            save(capture(), tmp_path / "rebuilt")
        assert list(tmp_path.iterdir()) == []

    def test_after_a_kill(self, saved: Path) -> None:
        """What a killed run left does not block a later run, and is not read as a capture."""
        left = saved.with_name(f".{saved.name}.new-{os.getpid()}")
        write(left, {"run.txt": "half", "old.txt": "old"})
        assert load(saved) == capture()
        save(capture(inputs={}), saved)
        assert load(saved) == capture(inputs={})
        assert list(saved.parent.iterdir()) == [saved]

    def test_what_a_kill_left_is_removed(self, tmp_path: Path) -> None:
        """Of any process, next to the captures of a snippet and of its variants; nothing else is."""
        left = ["a/captured/.rebuilt.new-1/x", "b/captured/1.26/.registry.new-22/capture.json"]
        kept = ["a/captured/rebuilt/x", "a/captured/.other/x", "a/.rebuilt.new-1/x", "b/captured/1.26/registry/x"]
        write(tmp_path, dict.fromkeys([*left, *kept], ""))
        sweep(tmp_path)
        assert sorted(contents(tmp_path)) == sorted(kept)

    def test_what_is_not_the_projects_stays(self, tmp_path: Path) -> None:
        """A branch may hold links, and names that no run writes."""
        left = (".rebuilt.new-1/x", ".registry.old-2/x")
        write(tmp_path, {f"other/captured/{name}": "" for name in left} | {f"variant/{name}": "" for name in left})
        write(tmp_path, {"snippets/b/captured/..old-1/x": "", "snippets/c/captured/.other.new-1/x": ""})
        for link, target in {"a": "other", "b/captured/v": "variant", "d/captured": "other/captured"}.items():
            (tmp_path / "snippets" / link).parent.mkdir(exist_ok=True)
            (tmp_path / "snippets" / link).symlink_to(tmp_path / target)
        before = contents(tmp_path)
        sweep(tmp_path / "snippets")
        assert contents(tmp_path) == before

    def test_a_replacement_that_fails(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The old capture is put back."""
        rename = Path.rename

        def failing(path: Path, target: Path) -> Path:
            if ".new-" in path.name:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            save(capture(inputs={}), saved)
        assert load(saved) == capture()
        assert list(saved.parent.iterdir()) == [saved]

    @pytest.mark.parametrize("done", [False, True])
    def test_a_kill_between_two_renames(self, done: bool, saved: Path) -> None:  # noqa: FBT001 - pytest's way
        """The next run puts the old capture back, or removes it if the new one is in its place."""
        saved.rename(saved.with_name(f".{saved.name}.old-1"))
        save(capture(inputs={}), saved if done else saved.with_name(f".{saved.name}.new-1"))
        check_declared(saved.parent, [""])
        sweep(saved.parents[2])
        assert load(saved) == capture(inputs={} if done else capture().inputs)
        assert list(saved.parent.iterdir()) == [saved]


class TestNoCapture:
    @pytest.mark.parametrize("name", [".", "nowhere"])
    def test_nothing(self, tmp_path: Path, name: str) -> None:
        """A capture that does not exist is None."""
        assert load(tmp_path / name) is None

    def spoil(self, saved: Path, **changes: Any) -> None:
        data = json.loads((saved / RECORD).read_bytes())
        (saved / RECORD).write_text(json.dumps(data | changes))

    def test_schema(self, saved: Path) -> None:
        """A capture with another schema is refused, with the command to run."""
        self.spoil(saved, schema=2)
        with pytest.raises(PageError, match="the capture has schema 2, but proof reads schema 1") as error:
            load(saved)
        assert error.value.where == Where(saved / RECORD)
        assert error.value.hint == "proof update single"

    @pytest.mark.parametrize(
        "changes",
        [
            {"snippet": None},
            {"basis": {"platform": "x"}},
            {"basis": {"platform": "x", "engine": "x", "bases": "x", "more": "x"}},
            {"basis": {"platform": "x", "engine": "x", "bases": "x", "emulated_on": "linux/arm64"}},
            {"steps": []},
            {"steps": {"run": 5}},
            {"steps": {"run": {}}},
            {"facts": {"size": 5}},
            {"layers": {"a": 1}},
            {"layers": [asdict(capture().layers[0]) | {"contents": [{"depth": 0}]}]},
            {"layers": [asdict(replace(capture().layers[0], contents=(CapturedEntry(0, "directory", "", 1, 1, 0),)))]},
            {"provenance": []},
            {"more": 1},
        ],
    )
    def test_shape(self, saved: Path, changes: dict[str, Any]) -> None:
        """A record of another shape is an error at its file, not a crash. Contents in it would be checked by nobody."""
        self.spoil(saved, **changes)
        with pytest.raises(PageError, match=r"capture\.json: not a capture written by proof") as error:
            load(saved)
        assert error.value.hint

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"null", b"5", b'"x"', b"{}", b'{"schema": 1}', b"\xff\xfe", b"<<<<<<< HEAD\n"]
    )
    def test_garbage(self, saved: Path, content: bytes) -> None:
        """A malformed record is an error with its file name, also one with merge conflicts."""
        (saved / RECORD).write_bytes(content)
        with pytest.raises(PageError, match="not a capture written by proof"):
            load(saved)

    def test_depth(self, saved: Path) -> None:
        """A record of thousands of levels is one, too."""
        (saved / RECORD).write_bytes(b"[" * 100_000)
        with pytest.raises(LimitError, match=r"capture\.json: this is nested too deeply"):
            load(saved)

    def test_binary_text(self, saved: Path) -> None:
        """A transcript that is not UTF-8 is an error, too."""
        (saved / "run.txt").write_bytes(b"\xff")
        with pytest.raises(PageError, match="not a capture written by proof"):
            load(saved)

    @pytest.mark.parametrize("name", ["run.txt", RECORD, ".", "..", "../.."])
    def test_links(self, tmp_path: Path, name: str) -> None:
        """A link is refused: it could show any file of this machine on a page, or overwrite it."""
        folder = folder_of(tmp_path / "single", "rebuilt", "1.27")
        save(capture(), folder)
        path = Path(os.path.normpath(folder / name))
        elsewhere = path.rename(tmp_path / "elsewhere")
        path.symlink_to(elsewhere)
        with pytest.raises(PageError, match="found a symbolic link") as error:
            load(folder)
        assert str(path) in error.value.hint
        with pytest.raises(PageError, match="found a symbolic link"):
            save(capture(), folder)
        assert path.is_symlink()

    @pytest.mark.parametrize("name", [RECORD, "run.txt"])
    def test_what_has_no_end(self, saved: Path, name: str) -> None:
        """A pipe in place of a file does not block."""
        (saved / name).unlink()
        os.mkfifo(saved / name)
        with pytest.raises(PageError, match="found a named pipe") as error:
            load(saved)
        assert error.value.where == Where(saved / name)
        assert error.value.hint == f"replace {saved / name} with a regular file"

    @pytest.mark.parametrize("name", [RECORD, "run.txt"])
    def test_what_is_too_large(self, saved: Path, name: str) -> None:
        """An untrusted file cannot fill the memory. A file of the maximum size is read."""
        content = (saved / name).read_bytes()
        (saved / name).write_bytes(content + b" " * (20_000_000 - len(content)))
        assert load(saved) is not None
        (saved / name).write_bytes(content + b" " * (20_000_001 - len(content)))
        with pytest.raises(PageError, match="the file is larger than 20,000,000 bytes"):
            load(saved)

    def test_a_step_of_the_longest_name(self, tmp_path: Path) -> None:
        """A hundred letters, digits and underscores."""
        one = CapturedStep("x" * 100, "docker run a", None, 0, 0.1, "x\n")
        save(capture(steps=(one,)), tmp_path / "c")
        assert load(tmp_path / "c") == capture(steps=(one,))
        with pytest.raises(ValueError, match=f"invalid step name '{'x' * 59}"):
            list(unexpected_files(tmp_path / "c", capture(steps=(replace(one, name="x" * 101),))))

    @pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "x" * 300, "", "a\0", "x" * 101, "a b", "a.b", "a-b"])
    def test_names(self, saved: Path, name: str) -> None:
        """A step's output is a file next to the record, so its name must be a plain name."""
        data = json.loads((saved / RECORD).read_text())
        data["steps"] = {name: data["steps"]["run"]}
        (saved / RECORD).write_text(json.dumps(data))
        with pytest.raises(PageError, match="invalid step name"):
            load(saved)


def test_lines(saved: Path, tmp_path: Path) -> None:
    """The lines of the record as they are. A record that cannot be read has none; that is not an error."""
    assert "\n".join(lines_of(saved)) == (saved / RECORD).read_text("utf-8")
    assert lines_of(tmp_path / "nowhere") == []
    (saved / RECORD).write_bytes(b"\xff")
    assert lines_of(saved) == []
    with (saved / RECORD).open("wb") as file:
        file.truncate(20_000_001)
    assert lines_of(saved) == []


class TestStrangers:
    def test_what_belongs_to_a_capture(self, saved: Path) -> None:
        """Its record, and the output of each of its steps."""
        assert list(unexpected_files(saved, capture())) == []

    def test_what_does_not(self, saved: Path) -> None:
        """Anything else, in order of the names."""
        write(saved, {"old.txt": "", "more/x": "", "a": "", "run": ""})
        found = list(unexpected_files(saved, capture()))
        assert [error.where.path.name for error in found if error.where] == ["a", "more", "old.txt", "run"]
        assert found[0].evidence == "the capture has no such step"
        assert found[0].hint == f"git rm -r {saved / 'a'}"
        assert [e.what[:9] for e in unexpected_files(saved, capture(steps=()))][-1] == "'run.txt'"


class TestForm:
    """A record with a valid seal may still be one that the tool never writes."""

    @pytest.mark.parametrize(
        ("name", "fact"),
        [
            *(("size", CapturedFact(value, "B", "")) for value in (1.5, "8", 2**63 + 1, 10**400, -(2**64))),
            *(("size", CapturedFact(8, unit, "")) for unit in ("count", "KiB", "s", "", "b", "MB", "text")),
            *((name, CapturedFact("x", "text", "")) for name in ("layers", "base_layers", "layer_1", "transfer_size")),
            *((name, CapturedFact(1, "count", "")) for name in ("command", "user", "platform", "own_size", "layer_12")),
            *(
                (name, CapturedFact(1, "count", ""))
                for name in ("", "Size", "a b", "[/x]", "\x1b", "\uff53ize", "a" * 101)
            ),
            *(("files", CapturedFact(value, "count", "")) for value in (1.0, "1", True)),
            *(("files", CapturedFact(1, unit, "")) for unit in ("", "files", "B ", "TEXT")),
            *(("took", CapturedFact(value, "s", "")) for value in (1e300, float("inf"), float("nan"), "1")),
            ("says", CapturedFact("half a character: \ud800", "text", "")),
            ("says", CapturedFact("x", "text", "\udfff")),
        ],
        ids=str,
    )
    def test_fact(self, tmp_path: Path, name: str, fact: CapturedFact) -> None:
        """Each of the tool's own facts has its unit, and each unit its kind of value."""
        record = write(tmp_path, {"run.txt": ""}) / RECORD
        save(capture(steps=()), tmp_path / "c")
        data = json.loads((tmp_path / "c" / RECORD).read_bytes())
        data["facts"][name] = asdict(fact)
        record.write_text(json.dumps(data))
        with pytest.raises(PageError, match="not a capture written by proof"):
            load(tmp_path)

    @pytest.mark.parametrize(
        ("name", "fact"),
        [
            *((name, CapturedFact(7, "B", "")) for name in ("size", "layer_7", "transfer_size", "files")),
            *((name, CapturedFact(7, "count", "")) for name in ("own_layers", "layer_x", "a_layer_1", "a" * 100)),
            ("user", CapturedFact("x", "text", "")),
            # Bytes and counts are whole; what is shown with decimals may have them.
            *(("took", CapturedFact(value, unit, "")) for unit in ("KiB", "s") for value in (1, 1.5)),
        ],
        ids=str,
    )
    def test_sound_fact(self, tmp_path: Path, name: str, fact: CapturedFact) -> None:
        """What the tool writes is accepted, and so is what a manifest may declare."""
        save(capture(facts={name: fact}), tmp_path / "c")
        assert load(tmp_path / "c") == capture(facts={name: fact})

    @pytest.mark.parametrize(
        "date",
        [
            *("2026-11-23 22:00:00Z", "x2026-11-23T22:00:00Z", "2026-11-23T22:00:00+00:00", "26-11-23T22:00:00Z"),
            *("2026-1-23T22:00:00Z", "2026-11-23T22:00:00.0Z", "2026x11-23T22:00:00Z", "2026-11-23T22:00:00z", ""),
            *("2026-11-23", "\u0662026-11-23T22:00:00Z", "<b>-11-23T22:00:00Z", "2026-11-23T22:00:00Z\n"),
        ],
    )
    def test_date(self, tmp_path: Path, date: str) -> None:
        """A malformed date is refused, because pages and pull requests show it."""
        save(capture(provenance=replace(capture().provenance, date=date)), tmp_path / "c")
        with pytest.raises(PageError, match="invalid date"):
            load(tmp_path / "c")
