"""`scripts/bench` on very small projects: its rows, units and goals, and the files that it writes."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from maintenance import bench, bench_projects
from maintenance.bench import Row, Taken
from proof.facts import book as book_module
from tests.support.helpers import REPOSITORY, captured, tiny


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(tiny(tmp_path_factory.mktemp("bench")))


@pytest.fixture(scope="module")
def rows(project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Every row that needs no engine, of very small projects."""
    work = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "_REST", 1.0)
        return [*bench.status(project, "note", work, [1, 2], 1), *bench.site(project, "note", work, [2], 1)]


def test_each_row_is_two_measurements_or_has_a_goal_of_its_own(rows: list[Row]) -> None:
    assert {row.name for row in rows} == {
        *("help", "status_1", "status_2", "status_first", "status_linear", "status_memory"),
        *("site", "site_2", "site_memory", "site_2_memory", "page_edited"),
    }
    for row in rows:
        assert row.measured > (10_000 if row.unit == "KiB" else 0)
        assert row.goal


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        (Row("a", 11, 1.1, 10), "a: 11 s, against 10: 1.10 (at most 1.1)"),
        (Row("a_memory", 12, 1.1, 10), "a_memory: 12 KiB, against 10: 1.20 (MISSED 1.1)"),
        (Row("a", 0.5, 0.5), "a: 0.5 s (at most 0.5)"),
        (Row("a", 12, None, 10), "a: 12 s, against 10: 1.20"),
    ],
)
def test_a_goal_is_met_or_not(row: Row, printed: str) -> None:
    """A goal is for the ratio if there is one, else for the measurement. Without a goal there is nothing to meet."""
    assert str(row) == printed


def test_the_record_is_json_and_figures(rows: list[Row], tmp_path: Path) -> None:
    """A dated file with every row, its ratio and whether its goal was met; the same as figures that a page states."""
    (tmp_path / "snippets").mkdir()
    bound = Row("bound", 12, None, 10)
    record, figures = bench.write_record(tmp_path, ["note"], 1, [*rows, bound], 1)
    data = json.loads(record.read_text())
    assert [(row["name"], row["ratio"], row["met"]) for row in data["rows"]] == [
        (row.name, row.ratio, row.met) for row in (*rows, bound)
    ]
    assert data["method"][-1].startswith("Save to page: ")
    book = book_module.load(figures.parent)
    site = next(row for row in rows if row.name == "site")
    assert float(book["bench.site"].value) == pytest.approx(site.measured, rel=0.001)
    assert float(book["bench.site_ratio"].value) == pytest.approx(site.ratio, rel=0.001)
    assert (book["bench.site_ratio"].unit, book["bench.site_memory"].unit) == ("", "KiB")
    assert "bench.bound_goal" not in book


def test_what_the_pages_state_is_what_was_recorded() -> None:
    """The newest record and the figures made of it agree: neither was edited by hand."""
    newest = max((REPOSITORY / "bench").glob("*.json"))
    made = bench.as_figures(json.loads(newest.read_text("utf-8")))
    assert (REPOSITORY / "snippets" / "bench.toml").read_text("utf-8") == made


def test_generated_projects_have_the_figures_that_bases_name(project: Path, tmp_path: Path) -> None:
    """A bases.toml that names a figure of cited.toml is as valid in the generated project."""
    root = Path(shutil.copytree(project, tmp_path / "model"))
    figure = 'figures.size = { value = 8, unit = "MB" }'
    source = '[[source]]\nname = "hub"\ntitle = "a registry"\ndate = "2026-01-02"\nurl = "https://example.com/"\n'
    (root / "snippets" / "cited.toml").write_text(source + figure + "\n", "utf-8")
    bases = root / "snippets" / "bases.toml"
    bases.write_text(
        bases.read_text("utf-8").replace("\nrebuilt =", '\nofficial_size = "hub.size"\nrebuilt =', 1), "utf-8"
    )
    many = bench_projects.generate(root, "note", tmp_path / "many", 2, pages=True)
    assert "hub.size" in (many / "snippets" / "bases.toml").read_text("utf-8")
    assert book_module.load(many / "snippets")["hub.size"].value == 8_000_000


def test_by_hand_means_without_the_extension(project: Path, tmp_path: Path) -> None:
    """The pages by hand have the same transcripts and figures, and no placeholders."""
    pasted = bench_projects.by_hand(project, tmp_path / "pasted")
    assert "- proof" not in (pasted / "mkdocs.yml").read_text()
    text = (pasted / "docs" / "index.md").read_text("utf-8")
    assert "{{" not in text
    assert 'data-copy="docker run note"' in text
    assert "It holds 6 words:" in text


def test_what_fails_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(bench.NotComparableError, match="failed with 2"):
        bench.time_proof("status", cwd=tmp_path)


def test_processor_time_is_that_of_child_processes_and_of_theirs() -> None:
    before = bench._processor_seconds()
    sum(range(10_000_000))
    assert bench._processor_seconds() == before
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    bench.run_command(["sh", "-c", f"'{sys.executable}' -c '{burn}'; true"], cwd=Path.cwd(), env={})
    assert 0.5 <= bench._processor_seconds() - before < 1.5


def test_sides_take_turns() -> None:
    """The sides alternate in who goes first, and the median counts."""
    order: list[str] = []

    def side(name: str, *seconds: float) -> Taken:
        order.append(name)
        return Taken(seconds[order.count(name) - 1])

    one, other = bench.alternate(3, lambda: side("a", 1, 9, 2), lambda: side("b", 5, 5, 5))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (one.seconds, other.seconds) == (2, 5)
