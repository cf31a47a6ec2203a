"""Every snippet is in exactly one shard; shards are balanced, and the same on every machine."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.captures import durations
from proof.core.errors import UsageError
from proof.shards import plan
from proof.shards.plan import Shard
from proof.snippets import project
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof

SECONDS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.floats(min_value=0, max_value=3600, allow_nan=False),
    max_size=40,
)


@given(seconds=SECONDS, count=st.integers(min_value=1, max_value=12))
def test_every_snippet_is_in_exactly_one_shard(seconds: dict[str, float], count: int) -> None:
    """No snippet is lost or runs twice, whatever the durations."""
    shards = plan.divide(seconds, count)
    assert len(shards) == count
    assert sorted(name for shard in shards for name in shard) == sorted(seconds)


@given(seconds=SECONDS, count=st.integers(min_value=1, max_value=12))
def test_no_shard_waits_for_a_badly_chosen_one(seconds: dict[str, float], count: int) -> None:
    """No shard takes longer than the mean plus its shortest snippet, which was added last."""
    mean = sum(seconds.values()) / count
    for shard in plan.divide(seconds, count):
        if shard:
            assert sum(seconds[name] for name in shard) <= mean + min(seconds[name] for name in shard) + 1e-6


@given(seconds=SECONDS, count=st.integers(min_value=1, max_value=12), seed=st.integers())
def test_the_plan_does_not_depend_on_the_order(seconds: dict[str, float], count: int, seed: int) -> None:
    """Each machine makes its own plan, so all plans must be the same."""
    names = list(seconds)
    random.Random(seed).shuffle(names)  # noqa: S311 - no secret
    assert plan.divide({name: seconds[name] for name in names}, count) == plan.divide(seconds, count)


@given(count=st.integers(min_value=1, max_value=9), number=st.integers(min_value=1, max_value=9))
def test_a_shard_is_written_as_it_is_read(count: int, number: int) -> None:
    """`2/3` is parsed and printed again; the fourth of three is invalid."""
    if number <= count:
        assert str(plan.parse(f"{number}/{count}")) == f"{number}/{count}"
    else:
        with pytest.raises(UsageError, match="invalid shard"):
            plan.parse(f"{number}/{count}")


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "-1/3", "1/0", "1/3/5", "a/b", "1.0/3", " 1/3", "1/99999"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    """The error has an example of a valid shard."""
    with pytest.raises(UsageError, match="invalid shard"):
        plan.parse(text)


def test_a_snippet_without_a_capture_counts_as_the_mean(tmp_path: Path) -> None:
    """A snippet without a capture gets an average duration."""
    root = captured(tiny(tmp_path))
    for name, seconds in (("count", 2.0), ("note", 4.0)):
        record = folder_of(root / "snippets" / name, "rebuilt") / "capture.json"
        data = json.loads(record.read_text())
        for step in data["steps"].values():
            step["seconds"] = seconds / len(data["steps"])
        record.write_text(json.dumps(data))
    (folder_of(root / "snippets" / "fails", "rebuilt") / "capture.json").unlink()
    found = durations.durations(project.load_all(root))
    assert found == pytest.approx({"count": 2, "note": 4, "fails": 3})


def test_without_any_capture_all_count_the_same(tmp_path: Path) -> None:
    """Without any captures, snippets are divided evenly."""
    snippets = project.load_all(tiny(tmp_path))
    assert len(set(durations.durations(snippets).values())) == 1
    parts = [plan.part(snippets, Shard(number, 3)) for number in (1, 2, 3)]
    assert [len(part) for part in parts] == [1, 1, 1]


def test_variants_of_a_matrix_are_spread(tmp_path: Path) -> None:
    """Each variant counts as a snippet of its own."""
    root = tiny(tmp_path)
    edit(root / "snippets/count/snippet.toml", 'title = "', 'matrix = { word = ["a", "b", "c"] }\ntitle = "{word} ')
    snippets = project.load_all(root)
    counts = [sum(s.folder.name == "count" for s in plan.part(snippets, Shard(n, 5))) for n in range(1, 6)]
    assert sorted(counts) == [0, 0, 1, 1, 1]


def test_a_shard_of_nothing_is_refused(tmp_path: Path) -> None:
    """A shard without snippets is an error that says how many shards are possible."""
    snippets = project.load_all(tiny(tmp_path))
    assert [len(plan.part(snippets, Shard(number, 5))) for number in (1, 2, 3)] == [1, 1, 1]
    with pytest.raises(UsageError, match="no snippets: there are only 3"):
        plan.part(snippets, Shard(4, 5))


def test_the_matrix_for_a_workflow(tmp_path: Path) -> None:
    """One line of JSON with the names of the shards, at most one per snippet."""
    root = tiny(tmp_path)
    done = proof("plan", "--shards", "2", "--json", cwd=root)
    assert (done.returncode, done.stdout) == (0, '{"shard": ["1/2", "2/2"]}\n')
    assert json.loads(proof("plan", "--shards", "9", "--json", cwd=root).stdout) == {"shard": ["1/3", "2/3", "3/3"]}
    for wrong in ("0", "65", "x"):
        assert proof("plan", "--shards", wrong, cwd=root).returncode == 2


def test_the_plan_for_a_person(tmp_path: Path) -> None:
    """Every shard is printed with its seconds and snippets."""
    done = proof("plan", "--shards", "2", cwd=tiny(tmp_path))
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1/2", "2/2"]
    assert sorted(word for word in done.stdout.split() if word in ("count", "fails", "note")) == [
        *("count", "fails", "note")
    ]
