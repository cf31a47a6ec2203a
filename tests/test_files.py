"""What belongs to a context."""

from __future__ import annotations

from pathlib import Path

from proof.files import below
from tests.makers import write


def test_what_looking_leaves_is_left_out(tmp_path: Path) -> None:
    """Version control and an editor's swap files are no input; links are, and are not followed."""
    write(tmp_path, {"main.go": "", "sub/a.txt": "", ".git/HEAD": "", ".main.go.swp": "", "sub/a.txt~": ""})
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "sub" / "gone").symlink_to("nowhere")
    assert [str(path.relative_to(tmp_path)) for path in below(tmp_path)] == ["main.go", "sub/a.txt", "sub/gone", "up"]
