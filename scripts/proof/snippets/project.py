"""TODO."""

from __future__ import annotations

from pathlib import Path

from proof.core.errors import (
    ManifestError,
    UsageError,
    Where,
)
from proof.core.text import did_you_mean
from proof.snippets.manifest import NAME, variants
from proof.snippets.model import Snippet


def find_root(start: Path) -> Path:
    """The project around `start`: the nearest folder upwards that has a snippets/bases.toml.

    Raises UsageError where there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "snippets" / "bases.toml").is_file():
            return folder
    raise UsageError(
        f"no snippets/bases.toml in {start} or above it",
        hint="run this inside a project, or pass --project DIR",
    )


def folders(root: Path) -> list[Path]:
    """The folder of each snippet of the project; UsageError where there is none: a run of nothing proves nothing."""
    found = sorted(path.parent for path in (root / "snippets").glob("*/snippet.toml"))
    if not found:
        raise UsageError(f"there is no snippet in {root / 'snippets'}", hint="mkdir snippets/NAME, see CONTRIBUTING.md")
    return found


def load_all(root: Path, names: list[str] | None = None) -> list[Snippet]:
    """Every snippet of the project, or those in `names`, sorted by name.

    Raises UsageError for an unknown name, and where there is no snippet at all.
    """
    found = [snippet for folder in folders(root) for snippet in variants(folder)]
    known = list(dict.fromkeys([s.folder.name for s in found] + [s.name for s in found]))
    for name in names or []:
        if name not in known:
            raise UsageError(
                f"there is no snippet '{name}'{did_you_mean(name, known)}", hint=f"one of: {', '.join(known)}"
            )
    _check_names(found)
    return [s for s in found if not names or s.name in names or s.folder.name in names]


def _check_names(snippets: list[Snippet]) -> None:
    """Raises ManifestError where a folder is called as a variant of another's: a page would show either one's facts."""
    places: dict[str, Where] = {}
    for snippet in snippets:
        if (other := places.setdefault(snippet.name, snippet.where)) != snippet.where:
            raise ManifestError(
                f"two snippets are called '{snippet.name}': the other one is {other}",
                where=snippet.where,
                hint="rename one of the folders",
            )


def find(snippets: Path, name: str) -> Snippet:
    """The snippet of this name below the folder `snippets`, be it a folder's own or one of a matrix.

    Raises UsageError where there is none.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name:.60}' is no name of a snippet", hint="letters, digits and _, as its folder is called")
    words = name.split("_")
    for length in range(len(words), 0, -1):
        folder = snippets / "_".join(words[:length])
        if (folder / "snippet.toml").is_file():
            for snippet in variants(folder):
                if snippet.name == name:
                    return snippet
    known = []
    for path in sorted(snippets.glob("*/snippet.toml")):
        known += [s.name for s in variants(path.parent)] if name.startswith(f"{path.parent.name}_") else []
        known.append(path.parent.name)
    raise UsageError(f"there is no snippet '{name}'{did_you_mean(name, known)}", hint=f"one of: {', '.join(known)}")
