"""What `proof status` finds without an engine."""

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from proof.captures import objections, store
from proof.captures.model import Capture
from proof.pages import scan, status
from proof.pages.site import Site
from proof.snippets import project as manifest
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import capture_in, captured, edit, succeeded
from tests.support.in_process import proof
from tests.support.makers import by_engine, write


def said(root: Path) -> str:
    """What a new process says."""
    Site.at.cache_clear()
    return "\n".join(str(problem) for problem in status.status(root).problems)


def test_front_matter_of_several_pages(root: Path) -> None:
    """All that is wrong with it is listed, although no page can be read then."""
    write(root / "docs", {f"{name}.md": "---\ntemplate: x\n---\n\n# A page\n" for name in ("one", "two")})
    for name in ("one", "two"):
        assert f"{name}.md:2: front matter must not have this `template`" in said(root)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("A program that", "It has 3 layers that", 1),
        ("A program that", "Go 9.99 that", 1),
        ("exit = 127", 'exit = 127\nremedy = "Use `sh` and save 3 layers."', 9),
        ("exit = 127", 'exit = 127\nremedy = "Use the image of `1.2 MB`."', 9),
        ("A program that", "An image of `270MB` that", 1),
        ("exit = 127", 'exit = 127\nremedy = "Use \u0417\u041e MB."', 9),
        ("that the next step runs", "with 3 layers", 4),
        ("exit = 127", 'exit = 127\ndiffers = { podman = "it has 3 layers" }', 9),
    ],
)
def test_a_number_in_a_manifest(old: str, new: str, line: int, root: Path) -> None:
    """Pages show a title, a remedy and a reason, so no number may be typed there either."""
    edit(root / "snippets/fails/snippet.toml", old, new)
    assert re.search(rf"snippets/fails/snippet.toml:{line}: (the|readers) ", said(root))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        *(
            ("fails", "exit = 127", f'exit = 127\nremedy = "Use `{code}`."')
            for code in ("CGO_ENABLED=0", "--chmod=0644", "nothing.txt", "alpine:3.22")  # a setting is no amount
        ),
        ("count", 'title = "', 'title = "On Alpine 3.22: '),  # the version of a base
        # These affect only pages, so they need no new run.
        ("note", "show = ['naming to']", "show = ['DONE']  # another line"),
        ("note", '"A note"', '"The note"'),
    ],
)
def test_what_is_fine(path: str, old: str, new: str, root: Path) -> None:
    edit(root / f"snippets/{path}/snippet.toml", old, new)
    assert said(root) == ""


@pytest.mark.parametrize("path", ["extra.txt", ".hidden", "more/capture.json"])
def test_what_is_of_no_capture(path: str, root: Path) -> None:
    """A file in a capture's directory that the tool did not write is reported, with a hint."""
    write(root / "snippets/note/captured/rebuilt", {path: "1 MB"})
    name = path.partition("/")[0]
    assert f"captured/rebuilt/{name}: '{name}' is not a capture of this snippet" in said(root)
    assert "the capture has no such step" in said(root)


def test_what_a_killed_run_left_is_none(root: Path) -> None:
    """It is never read, and the next update removes it."""
    write(root / "snippets/note", {"captured/.rebuilt.new-17/capture.json": "{}"})
    assert said(root) == ""


@pytest.mark.parametrize("change", ["bases", "snippet"])
def test_a_capture_in_the_place_of_another(change: str, root: Path) -> None:
    """A capture must be in the directory of its snippet and its bases."""
    folder = root / "snippets/note/captured/rebuilt"
    old = capture_in(folder)
    elsewhere = replace(old, environment=replace(old.environment, bases="registry"))
    store.save(replace(old, snippet="count") if change == "snippet" else elsewhere, folder)
    assert "rebuilt/capture.json: this is a capture of '" in said(root)


def test_a_matrix_is_one_folder_and_many_snippets(root: Path) -> None:
    """Each value is a snippet with its own captures and facts; the directory's name selects them all."""
    folder = root / "snippets" / "many"
    text = (root / "snippets/count/snippet.toml").read_text().replace("words.sh", "words.sh {n}")
    shutil.copytree(root / "snippets/count", folder, ignore=lambda *_: ["captured"])
    write(folder, {"snippet.toml": f'matrix = {{ n = ["1.5", "2"] }}\n{text}'})
    assert [snippet.name for snippet in manifest.load_all(root, ["many"])] == ["many_1_5", "many_2"]
    captured(root)
    assert manifest.find(root / "snippets", "many_1_5").steps[0].text == "sh words.sh 1.5"
    write(root, {"docs/more.md": "# More\n\n{{ many_2.words }}\n\n{{ transcript many_1_5/words }}\n"})
    assert "no page shows many_2/words" in said(root)
    assert "many_1_5" not in said(root)


def test_a_step_that_no_page_shows(root: Path) -> None:
    """It says why, or a page shows it; not both."""
    edit(root / "docs/index.md", "{{ transcript note/run }}", "")
    assert "no page shows note/run" in said(root)
    edit(root / "snippets/note/snippet.toml", 'name = "run"', 'name = "run"\nunshown = "a test"')
    captured(root)
    assert said(root) == ""
    write(root, {"docs/more.md": "# More\n\n{{ transcript note/run }}\n"})
    assert "note/run is `unshown`, but a page shows it" in said(root)


def test_new_snippets_are_one_problem(root: Path) -> None:
    """However many there are, if no page uses them yet; and none of their steps is missed on a page."""
    for number in range(8):
        shutil.copytree(root / "snippets/note", root / f"snippets/new_{number}")
        shutil.rmtree(root / f"snippets/new_{number}/captured")
    what = "8 snippets were never captured: new_0, new_1, new_2, new_3, new_4 and 3 more"
    assert said(root) == f"{root}/snippets/new_0/snippet.toml: {what}\n    hint: proof update"
    for number in range(1, 8):
        shutil.rmtree(root / f"snippets/new_{number}")
    assert "new_0 was never captured" in said(root)
    assert "no page shows" not in said(root)


def late(root: Path, **edited: Any) -> Capture:
    """Put an edited capture of the note into the place of those of Docker 29."""
    folder = root / "snippets/note"
    made = capture_in(folder_of(folder, "rebuilt"))
    capture = replace(by_engine(made, "docker 29.7.2"), **edited)
    store.save(capture, folder_of(folder, "rebuilt", "", "docker-29"))
    return capture


def test_words_that_pages_leave_out_are_a_note(root: Path) -> None:
    """A stale capture beside a current one is no problem: the exit code is 0, and a note says how to renew it."""
    capture = late(root)
    assert status.status(root).notes == []
    late(root, inputs=capture.inputs | {"context/note.txt": "sha256:0"})
    stale = status.status(root)
    assert (stale.problems, stale.code) == ([], 0)
    (note,) = stale.notes
    words = "pages leave out the words of docker 29.7.2, which are stale: context/note.txt changed"
    assert note.startswith(f"note: {words}")
    done = succeeded(proof("status", cwd=root))
    assert note in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("engine", ["docker 28.5.2", "podman 5.4.2"])
def test_words_in_the_wrong_place(engine: str, root: Path) -> None:
    """A capture that claims another engine than its directory is for would be compared with no run in its words."""
    capture = late(root)
    late(root, provenance=replace(capture.provenance, engine=engine), inputs=by_engine(capture, engine).inputs)
    assert f"this is a capture of 'note' on 'rebuilt' bases by '{engine}'" in said(root)
    assert status.status(root).code == 2


def test_claims_hold_on_registry_bases_and_on_rebuilt_ones(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show the registry's captures, and CI repeats the rebuilt ones. A claim has to hold for both."""
    monkeypatch.setattr(objections, "of", lambda *_: iter(()))  # these captures are made up
    old = store.load(folder_of(root / "snippets/note", "rebuilt"))
    assert old is not None
    digest, own = "sha256:" + "1" * 64, "own_layers"
    official = replace(
        old,
        environment=replace(old.environment, bases="registry"),
        inputs={name: digest if name.startswith("the base") else value for name, value in old.inputs.items()},
    )
    store.save(official, folder_of(root / "snippets/note", "registry"))
    assert said(root) == ""
    two = {**old.facts, own: replace(old.facts[own], value=2)}
    store.save(replace(old, facts=two), folder_of(root / "snippets/note", "rebuilt"))
    assert "docs/index.md:6: this claim does not hold on rebuilt bases" in said(root)
    store.save(old, folder_of(root / "snippets/note", "rebuilt"))
    store.save(replace(official, facts=two), folder_of(root / "snippets/note", "registry"))
    assert "docs/index.md:6: this claim is false" in said(root)
    # While a registry's captures wait for Docker 29, pages show the rebuilt ones. The claim has to hold in both.
    late(root)
    assert "docs/index.md:6: this claim does not hold on registry bases" in said(root)
    (note,) = status.status(root).notes
    assert note.startswith("pages leave out the captures of 1 snippets on registry bases")


def test_a_sound_project_is_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until something changes: then it is, and a problem is found each time."""
    cache = str(root.parent / "cache")
    time.sleep(0.1)

    def run() -> str:
        Site.at.cache_clear()
        done = proof("status", cwd=root, env={"PROOF_CACHE": cache})
        return done.stdout + done.stderr

    first = run()
    assert "Nothing is stale, false or unbound." in first
    reading = Mock(wraps=scan.scan)
    monkeypatch.setattr(scan, "scan", reading)
    assert run() == first
    assert not reading.called
    edit(root / "docs/index.md", "own_layers == 1", "own_layers == 2")
    assert "this claim is false" in run()
    assert "this claim is false" in run()
    assert reading.called
