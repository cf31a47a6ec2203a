"""proof.toml: what a project chooses for all of its snippets."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof.core.errors import ManifestError, RefusedError
from proof.snippets import settings
from tests.support.makers import write


@pytest.mark.parametrize("text", ["", "[project]\n", "# nothing\n"])
def test_what_is_not_chosen_has_its_default(tmp_path: Path, text: str) -> None:
    """With an empty file, and without one."""
    assert settings.load(tmp_path) == settings.Settings(bases="rebuilt")
    assert settings.load(write(tmp_path, {"proof.toml": text})) == settings.Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[project]\nbases = "regsitry"\n', "proof.toml:2: unknown source of base images 'regsitry' - did you mean"),
        ("[project]\nbases = true\n", "proof.toml:2: `bases` must be a string"),
        ("bases = 'registry'\n", "proof.toml:1: unknown key 'bases'"),
        ("project = 1\n", "proof.toml:1: `project` must be a table"),
        ("[project\n", "proof.toml:1: invalid TOML"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ManifestError) as error:
        settings.load(write(tmp_path, {"proof.toml": text}))
    assert says in str(error.value)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Whether it leads somewhere or not."""
    (tmp_path / "proof.toml").symlink_to("/nonexistent")
    with pytest.raises(RefusedError, match="found a symbolic link"):
        settings.load(tmp_path)
