"""What `proof status` finds without an engine."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from proof.captures import store
from proof.core.errors import ManifestError, PageError
from proof.facts.values import Value
from proof.pages import scan, status
from proof.pages.lint import claims
from proof.pages.site import Site
from proof.snippets import project as manifest
from proof.snippets.engine_version import Wording
from proof.snippets.places import folder_of
from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof
from tests.support.makers import by_engine, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


def said(root: Path) -> str:
    return "\n".join(str(problem) for problem in status.status(root).problems)


def test_fresh_captures_are_fresh(project: Path) -> None:
    """Captures that match their inputs are not reported."""
    assert said(project) == ""


def test_front_matter_of_several_pages(project: Path) -> None:
    """All that is wrong with it is listed, although no page can be read then."""
    write(project / "docs", {f"{name}.md": "---\ntemplate: x\n---\n\n# A page\n" for name in ("one", "two")})
    for name in ("one", "two"):
        assert f"{name}.md:2: front matter must not have this `template`" in said(project)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("A program that", "It has 3 layers that", 1),
        ("A program that", "Go 9.99 that", 1),
        ("exit = 127", 'exit = 127\nremedy = "Use `sh` and save 3 layers."', 9),
        ("exit = 127", 'exit = 127\nremedy = "Use the image of `1.2 MB`."', 9),
        ("A program that", "An image of `270MB` that", 1),
        ("that the next step runs", "with 3 layers", 4),
        ("exit = 127", 'exit = 127\ndiffers = { podman = "it has 3 layers" }', 9),
    ],
)
def test_a_number_in_a_manifest(old: str, new: str, line: int, project: Path) -> None:
    """Pages show a title, a remedy and a reason, so no number may be typed there either."""
    edit(project / "snippets/fails/snippet.toml", old, new)
    assert f"snippets/fails/snippet.toml:{line}: the " in said(project)


@pytest.mark.parametrize("code", ["CGO_ENABLED=0", "--chmod=0644", "nothing.txt", "alpine:3.22"])
def test_code_in_a_manifest(code: str, project: Path) -> None:
    """A setting is no amount."""
    edit(project / "snippets/fails/snippet.toml", "exit = 127", f'exit = 127\nremedy = "Use `{code}`."')
    assert said(project) == ""


def test_a_version_in_a_manifest(project: Path) -> None:
    """A title may name the version of a base."""
    edit(project / "snippets/count/snippet.toml", 'title = "', 'title = "On Alpine 3.22: ')
    assert said(project) == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "names"),
    [
        ("note/context/note.txt", "a note", "a letter", "note is stale: context/note.txt changed"),
        ("note/snippet.toml", '"docker run note"', '"docker run --rm note"', "note is stale: the commands"),
        ("bases.toml", '["/bin/sh"]', '["/bin/ash"]', "count is stale: the base alpine:3.22 changed"),
    ],
)
def test_the_changed_input_is_named(path: str, old: str, new: str, names: str, project: Path) -> None:
    """A file, a command or a base is named, without running anything."""
    edit(project / "snippets" / path, old, new)
    assert names in said(project)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("captured/rebuilt/extra.txt", "the capture has no such step"),
        ("captured/rebuilt/.hidden", "the capture has no such step"),
        ("captured/rebuilt/more/capture.json", "the capture has no such step"),
    ],
)
def test_what_is_of_no_capture(path: str, what: str, project: Path) -> None:
    """A file in a capture's directory that the tool did not write is reported, with a hint."""
    write(project / "snippets/note", {path: "1 MB"})
    folder = (project / "snippets/note" / path).relative_to(project / "snippets/note/captured/rebuilt").parts[0]
    assert f"captured/rebuilt/{folder}: '{folder}' is not a capture of this snippet" in said(project)
    assert what in said(project)


@pytest.mark.parametrize(
    "path", ["captured/fake/registry/capture.json", "captured/Registry/x.txt", "captured/x.txt", "captured/.x/a"]
)
def test_what_no_manifest_declares(path: str, project: Path) -> None:
    """Captures of an unknown variant or origin stop whatever reads the manifest."""
    write(project / "snippets/note", {path: "{}"})
    assert "is not a capture of this snippet" in said(project)
    with pytest.raises(PageError, match="is not a capture of this snippet"):
        manifest.load_all(project)


def test_what_a_killed_run_left_is_none(project: Path) -> None:
    """It is never read, and the next update removes it."""
    write(project / "snippets/note", {"captured/.rebuilt.new-17/capture.json": "{}"})
    assert said(project) == ""


@pytest.mark.parametrize("change", ["bases", "snippet"])
def test_a_capture_in_the_place_of_another(change: str, project: Path) -> None:
    """A capture must be in the directory of its snippet and its bases."""
    folder = project / "snippets/note/captured/rebuilt"
    old = store.load(folder)
    assert old is not None
    new = (
        replace(old, snippet="count")
        if change == "snippet"
        else replace(old, environment=replace(old.environment, bases="registry"))
    )
    store.save(new, folder)
    assert "rebuilt/capture.json: this is a capture of '" in said(project)


def test_what_only_pages_show_makes_nothing_stale(project: Path) -> None:
    """`show`, titles and comments affect only pages, so they need no new run."""
    edit(project / "snippets/note/snippet.toml", "show = ['naming to']", "show = ['DONE']  # another line")
    edit(project / "snippets/note/snippet.toml", '"A note"', '"The note"')
    assert said(project) == ""


def test_a_matrix_is_one_folder_and_many_snippets(project: Path) -> None:
    """Each value is a snippet with its own captures and facts; the directory's name selects them all."""
    folder = project / "snippets" / "many"
    shutil.copytree(project / "snippets" / "count", folder)
    shutil.rmtree(folder / "captured")
    manifest_file = folder / "snippet.toml"
    manifest_file.write_text(
        'matrix = { n = ["1.5", "2"] }\n' + manifest_file.read_text().replace("words.sh", "words.sh {n}")
    )
    assert [s.name for s in manifest.load_all(project, ["many"])] == ["many_1_5", "many_2"]
    captured(project)
    found = manifest.find(project / "snippets", "many_1_5")
    assert found.steps[0].text == "sh words.sh 1.5"
    assert (found.captured / "rebuilt" / "capture.json").is_file()
    (project / "docs" / "more.md").write_text("# More\n\n{{ many_2.words }}\n\n{{ transcript many_1_5/words }}\n")
    assert said(project).startswith("snippets/many") or "no page shows many_2/words" in said(project)
    assert "many_1_5" not in said(project)


def test_two_snippets_of_one_name(project: Path) -> None:
    """A directory with the name of another one's variant is refused, although directories are read one by one."""
    count = project / "snippets" / "count"
    shutil.copytree(count, count.with_name("count_1"))
    shutil.rmtree(count / "captured")
    file = count / "snippet.toml"
    file.write_text('matrix = { n = ["1"] }\n' + file.read_text())
    assert "two snippets are called 'count_1'" in said(project)
    with pytest.raises(ManifestError, match="two snippets are called 'count_1'"):
        manifest.load_all(project)


def test_a_broken_matrix_is_said_with_its_line(project: Path) -> None:
    """A matrix has one variable with a list of texts."""
    file = project / "snippets/count/snippet.toml"
    file.write_text('matrix = { a = ["1"], b = ["2"] }\n' + file.read_text())
    with pytest.raises(PageError.__mro__[1], match="one variable"):
        manifest.load_all(project)


@pytest.mark.parametrize(
    ("predicate", "holds"),
    [
        ("a.size < b.size", True),
        ("a.size > b.size", False),
        ("a.size / b.size < 0.5 and a.layers == 2", True),
        ("not a.size > b.size", True),
        ("min(a.size, b.size) == a.size", True),
        ("a.size < MB(8)", True),
        ("b.user == 'root'", True),
    ],
)
def test_a_claim_is_evaluated_over_facts(predicate: str, holds: bool) -> None:  # noqa: FBT001 - an expected value
    """Predicates compare facts, with their units."""
    facts = {"a.size": Value(2_000_000, "B"), "b.size": Value(9_000_000, "B")}
    facts |= {"a.layers": Value(2, "count"), "b.user": Value("root", "text")}
    assert claims.check("A sentence.", predicate, facts).holds is holds


def test_words_that_pages_leave_out_are_a_note(project: Path) -> None:
    """A stale capture beside a current one is no problem: the exit code is 0, and a note says how to renew it."""
    folder = project / "snippets/note"
    made = store.load(folder_of(folder, "rebuilt"))
    assert made is not None
    late = by_engine(replace(made, inputs=made.inputs | {"context/note.txt": "sha256:0"}), "docker 29.7.2")
    store.save(late, folder_of(folder, "rebuilt", "", "docker-29"))
    found = status.status(project)
    assert (found.problems, found.code) == ([], 0)
    (note,) = found.notes
    assert note.startswith(
        "note: pages leave out the words of docker 29.7.2, which are stale: context/note.txt changed"
    )
    done = proof("status", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert note in " ".join((done.stdout + done.stderr).split())
    store.save(by_engine(made, "docker 29.7.2"), folder_of(folder, "rebuilt", "", "docker-29"))
    assert status.status(project).notes == []


@pytest.mark.parametrize(
    ("engine", "wording"),
    [
        ("docker 29.7.2", "docker-28"),
        ("docker 28.5.2", "docker-29"),
        ("podman 5.4.2", "docker-28"),
        ("podman 5.4.2", "docker-29"),
    ],
)
def test_words_in_the_wrong_place(engine: str, wording: Wording, project: Path) -> None:
    """A capture that claims another engine than its directory is for would be compared with no run in its words."""
    folder = project / "snippets/note"
    made = store.load(folder_of(folder, "rebuilt"))
    assert made is not None
    store.save(by_engine(made, engine), folder_of(folder, "rebuilt", "", wording))
    assert f"this is a capture of 'note' on 'rebuilt' bases by '{engine}'" in said(project)
    assert status.status(project).code == 2


def test_a_sound_project_is_not_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until something changes: then it is, and a problem is found each time."""
    cache = str(project.parent / "cache")
    time.sleep(0.1)

    def run() -> str:
        Site.at.cache_clear()
        done = proof("status", cwd=project, env={"PROOF_CACHE": cache})
        return done.stdout + done.stderr

    first = run()
    assert "Nothing is stale, false or unbound." in first
    reading = Mock(wraps=scan.scan)
    monkeypatch.setattr(scan, "scan", reading)
    assert run() == first
    assert not reading.called
    edit(project / "docs/index.md", "own_layers == 1", "own_layers == 2")
    assert "this claim is false" in run()
    assert "this claim is false" in run()
    assert reading.called
