"""The verbs that need no engine, on the whole article."""

import json

from tests.support.helpers import REPOSITORY, proof


def test_facts_for_people_and_for_programs() -> None:
    """One line per fact, or JSON with its value in each environment."""
    text = proof("facts", cwd=REPOSITORY)
    assert text.returncode == 0
    line = next(line for line in text.stdout.splitlines() if line.startswith("multi.size "))
    assert line.split()[1:4] == ["10.7MB", "10,653,826", "B"]
    data = json.loads(proof("facts", "--json", cwd=REPOSITORY).stdout)
    assert data["schema"] == 2
    fact = next(f for f in data["facts"] if f["name"] == "multi.size")
    assert set(fact) == {*("name", "kind", "unit", "source", "snippet", "step", "command", "inside", "place", "values")}
    environments = [value["environment"] for value in fact["values"]]
    assert {where["platform"] for where in environments} == {"linux/amd64"}
    assert [where["image_store"] for where in environments] == ["overlay2", "containerd"]


def test_status_of_this_article_is_clean() -> None:
    """Exit code 0, and a line that says so."""
    done = proof("status", cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout
    assert "Nothing is stale, false or unbound." in done.stdout
