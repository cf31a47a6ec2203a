"""`scripts/bench` on very small projects: its rows, units and goals, and the files that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maintenance.bench import clock, generated, pages, preview, record
from maintenance.bench.record import Record, Row
from maintenance.bench.script import script
from proof.facts import book as book_module
from proof.facts import values
from proof.snippets import project as manifest
from tests.support.helpers import REPOSITORY, captured, tiny


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(tiny(tmp_path_factory.mktemp("bench")))


@pytest.fixture(scope="module")
def rows(project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Every row that needs no engine, of very small projects."""
    work = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "_REST", 1.0)
        return [*pages.status(project, "note", work, [1, 2], 1), *pages.site(project, "note", work, [2], 1)]


@pytest.fixture
def kept(rows: list[Row]) -> Record:
    return Record("2026-01-02", "Docker 26", ["note"], ["Once."], rows, 1)


def test_each_row_is_two_measurements_or_has_a_goal_of_its_own(rows: list[Row]) -> None:
    """Values are seconds or KiB, and not zero; there is a ratio if there is something to compare with."""
    assert {row.name for row in rows} == {
        *("help", "status_1", "status_2", "status_first", "status_linear", "status_memory"),
        *("site", "site_2", "site_memory", "site_2_memory", "page_edited"),
    }
    for row in rows:
        assert row.unit == ("KiB" if row.name.endswith("memory") else "s")
        assert row.measured > 0
        assert (row.ratio is None) == (row.against is None)
        assert row.goal
    assert all(row.measured > 10_000 for row in rows if row.unit == "KiB")


def test_a_goal_is_met_or_not() -> None:
    """A goal is for the ratio if there is one, else for the measurement. Without a goal there is nothing to meet."""
    assert Row("a", "", "s", 11, 10, "", 1.1).met
    assert not Row("a", "", "s", 12, 10, "", 1.1).met
    assert Row("a", "", "s", 0.5, None, "", 0.5).met
    assert not Row("a", "", "s", 0.6, None, "", 0.5).met
    assert Row("a", "", "s", 12, 10, "", None).met is None


def test_the_record_is_json_and_figures(kept: Record, tmp_path: Path) -> None:
    """A dated file with every row, its ratio and whether its goal was met; the same as figures that a page states."""
    (tmp_path / "snippets").mkdir()
    path, figures = record.write(kept, tmp_path)
    assert path.name == "2026-01-02.json"
    data = json.loads(path.read_text())
    assert [(row["name"], row["ratio"], row["met"]) for row in data["rows"]] == [
        (row.name, row.ratio, row.met) for row in kept.rows
    ]
    book = book_module.load(figures.parent)
    site = next(row for row in kept.rows if row.name == "site")
    assert float(book["bench.site"].value) == pytest.approx(site.measured, rel=0.001)
    assert float(book["bench.site_ratio"].value) == pytest.approx(site.ratio, rel=0.001)
    assert (book["bench.site_ratio"].unit, book["bench.site_memory"].unit) == ("", "KiB")
    assert isinstance(book["bench.site"].origin, values.Source)


def test_a_row_without_a_goal(tmp_path: Path) -> None:
    """It is recorded without one, shown without a verdict, and gives pages no figure of that name."""
    (tmp_path / "snippets").mkdir()
    bound = Record("2026-01-02", "Docker 26", [], [], [Row("bound", "a check", "s", 12, 10, "the bound", None)], 1)
    path, figures = record.write(bound, tmp_path)
    (row,) = json.loads(path.read_text())["rows"]
    assert (row["goal"], row["met"], row["ratio"]) == (None, None, 1.2)
    assert "figures.bound_ratio" in figures.read_text()
    assert "figures.bound_goal" not in figures.read_text()
    assert str(bound.rows[0]) == "a check: 12 s, against 10 for the bound: 1.20"


def test_the_processor_time_of_what_was_run() -> None:
    """It is that of child processes and of theirs, and not of this process."""
    before = clock.processor_seconds()
    sum(range(10_000_000))
    assert clock.processor_seconds() == before
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    clock.command(["sh", "-c", f"'{sys.executable}' -c '{burn}'; true"], cwd=Path.cwd(), env={})
    assert 0.5 <= clock.processor_seconds() - before < 1.5


def test_what_the_pages_state_is_what_was_recorded() -> None:
    """The newest record and the figures made of it agree: neither was edited by hand."""
    newest = max((REPOSITORY / "bench").glob("*.json"))
    made = record.as_figures(json.loads(newest.read_text("utf-8")))
    assert (REPOSITORY / "snippets" / "bench.toml").read_text("utf-8") == made


def test_by_hand_means_without_the_extension(project: Path, tmp_path: Path) -> None:
    """The pages by hand have the same transcripts and figures, and no placeholders."""
    pasted = generated.by_hand(project, tmp_path / "pasted")
    assert "- proof" not in (pasted / "mkdocs.yml").read_text()
    text = (pasted / "docs" / "index.md").read_text("utf-8")
    assert "{{" not in text
    assert 'data-copy="docker run note"' in text
    assert "It holds 6 words:" in text


def test_the_script_does_what_the_snippets_say(project: Path, tmp_path: Path) -> None:
    """The same commands in the same order, each held to its exit code, and no more of Docker than the tool gives.

    An image has its snippet in its name, because scripts run in parallel.
    """
    lines = [
        line for s in manifest.load_all(project, ["fails", "count"]) for line in script(s, tmp_path, {}).splitlines()
    ]
    commands = [line.partition(";")[0] for line in lines if line.startswith(("docker ", "id="))]
    create = "docker create --rm --network=none --workdir /src alpine:3.22 sh words.sh"
    assert commands == [
        f"id=$({create}) && docker cp {tmp_path}/count/. $id:/src && docker start --attach $id",
        "docker build --network=none --quiet -t=fails-fails .",
        "docker run --rm --network=none fails-fails",
    ]
    assert any("[ $code = 127 ] ||" in line for line in lines)


def test_the_script_names_images_as_its_snippet_does(tmp_path: Path) -> None:
    """In Dockerfiles too, but neither a stage of the same name, nor a word of a command."""
    (modules,) = manifest.load_all(REPOSITORY, ["choices_modules"])
    lines = script(modules, tmp_path, {})
    assert "docker build --network=none --target=builder -t=builder-choices_modules ." in lines
    assert "docker build --network=none -f=proxy.Dockerfile -t=proxy-choices_modules ." in lines
    assert "--from=proxy" not in lines.replace("--from=proxy-choices_modules", "")
    assert "from=proxy-choices_modules" in lines
    (edit,) = manifest.load_all(REPOSITORY, ["rebuilds_edit"])
    assert "COPY --from=edit-rebuilds_edit /src" in script(edit, tmp_path, {})


def test_what_fails_is_not_timed(tmp_path: Path) -> None:
    """A command that fails is not timed."""
    with pytest.raises(clock.NotComparableError, match="failed with 2"):
        clock.module("proof.cli.main", "status", cwd=tmp_path)


def test_sides_take_turns() -> None:
    """The sides alternate in who goes first, and the median counts."""
    order: list[str] = []

    def side(name: str, *seconds: float) -> clock.Taken:
        order.append(name)
        return clock.Taken(seconds[order.count(name) - 1])

    one, other = clock.alternate(3, lambda: side("a", 1, 9, 2), lambda: side("b", 5, 5, 5))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (one.seconds, other.seconds) == (2, 5)


def test_it_says_what_it_does() -> None:
    """`scripts/bench --help`, as its module."""
    done = subprocess.run(
        [sys.executable, "-m", "maintenance.bench", "--help"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=True,
    )
    assert "--part" in done.stdout
