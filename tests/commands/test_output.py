"""What the command prints, as a process of its own."""

import json
from pathlib import Path

from tests.support.helpers import REPOSITORY, captured, edit, proof, succeeded, tiny


def test_an_output_that_lacks_characters(tmp_path: Path) -> None:
    """An ASCII terminal or log gets other signs, and JSON stays JSON: a traceback would have the code of drift."""
    root = captured(tiny(tmp_path))
    edit(root / "docs/index.md", "{{ note.own_size }}", "{{ note.own_sise }} ü")
    words = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = proof("status", cwd=root, env=words)
    assert done.returncode == 2
    assert done.stdout.startswith(" x docs/index.md:3: unknown fact 'note.own_sise'")
    edit(root / "snippets/cited.toml", "a leaflet", "a leaflet for Übersee")
    done = proof("facts", "--json", cwd=root, env=words)
    assert "a leaflet for \\u00dcbersee" in done.stdout
    assert json.loads(done.stdout)["facts"][-1]["source"] == "a leaflet for Übersee"


def test_status_of_this_article_is_clean() -> None:
    """Exit code 0, and a line that says so."""
    done = succeeded(proof("status", cwd=REPOSITORY))
    assert "Nothing is stale, false or unbound." in done.stdout
