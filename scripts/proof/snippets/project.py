"""Finds a project and its snippets."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath

from proof.core.errors import ManifestError, ProofError, UsageError, Where
from proof.core.text import did_you_mean
from proof.snippets.base_images import Bases
from proof.snippets.manifest import variants
from proof.snippets.model import NAME, Snippet

Read = Callable[[Path], list[Snippet]]  # the snippets in a directory: `variants`, or what keeps its results
_LISTED = 12  # names in a message; ls shows the others


def find_root(start: Path) -> Path:
    """The project that contains `start`: the nearest directory, from there upwards, with a snippets/bases.toml.

    Raises UsageError if there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "snippets" / "bases.toml").is_file():
            return folder
    raise UsageError(
        f"no snippets/bases.toml in {start} or above it",
        hint="run this inside a project, or pass --project DIR",
    )


def folders(root: Path) -> list[Path]:
    """The directories of the project's snippets. Raises UsageError if there are none: an empty run must not pass."""
    found = sorted(path.parent for path in (root / "snippets").glob("*/snippet.toml"))
    if not found:
        raise UsageError(f"no snippets in {root / 'snippets'}", hint="proof new NAME")
    return found


def load_all(root: Path, names: list[str] | None = None, read: Read = variants) -> list[Snippet]:
    """All snippets of the project, or those in `names`, sorted by name.

    Raises UsageError for an unknown name, and if there are no snippets at all.
    """
    found = [snippet for folder in folders(root) for snippet in read(folder)]
    known = _names(found)
    for name in names or []:
        if name not in known:
            raise _unknown(name, known)
    _check_names(found, {})
    return _selected(found, names or ())


def load_sound(root: Path, bases: Bases, names: Collection[str] = ()) -> tuple[list[Snippet], list[ProofError]]:
    """The snippets of the project that can be run, and everything that is wrong with the others.

    `names` selects some; without it, all are loaded. Raises UsageError for an unknown name, or an empty project.
    """
    found: list[Snippet] = []
    taken: dict[str, Where] = {}
    broken: dict[str, list[ProofError]] = {}  # by directory
    for folder in folders(root):
        try:
            here = variants(folder)
            bases.check(here)
            _check_names(here, taken)
            taken |= {snippet.name: snippet.where for snippet in here}
            found += here
        except UsageError as error:
            broken[folder.name] = [error, *error.also]
    known = _names(found)
    problems = []
    for folder_name, errors in broken.items():
        # What cannot be read may declare any variant.
        of_it = [n for n in names if n == folder_name or (n.startswith(f"{folder_name}_") and n not in known)]
        known |= dict.fromkeys([folder_name, *of_it])
        problems += errors if of_it or not names else []
    for name in names:
        if name not in known:
            raise _unknown(name, known)
    return _selected(found, names), problems


def _names(snippets: list[Snippet]) -> dict[str, None]:
    """What a user can call these snippets: their directories, then they themselves."""
    return dict.fromkeys([s.folder.name for s in snippets] + [s.name for s in snippets])


def _selected(snippets: list[Snippet], names: Collection[str]) -> list[Snippet]:
    wanted = set(names)
    return [s for s in snippets if not wanted or s.name in wanted or s.folder.name in wanted]


def _check_names(snippets: list[Snippet], taken: dict[str, Where]) -> None:
    """Raises ManifestError if two snippets have the same name, like a directory and a variant of another one.

    `taken` are the names of other snippets, and where those are.
    """
    places = ChainMap({}, taken)
    for snippet in snippets:
        if (other := places.setdefault(snippet.name, snippet.where)) != snippet.where:
            raise ManifestError(
                f"two snippets are called '{snippet.name}': the other one is {other}",
                where=snippet.where,
                hint="rename one of the directories",
            )


def find(snippets: Path, name: str, read: Read = variants) -> Snippet:
    """The snippet `name` below the directory `snippets`, which may be a variant of a matrix.

    Raises UsageError if there is none.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"invalid snippet name '{name:.60}'", hint="use letters, digits and _, like the directory's name"
        )
    if (found := _declared(snippets, name, read)) is not None:
        return found
    known = []
    for path in sorted(snippets.glob("*/snippet.toml")):
        known += [s.name for s in read(path.parent)] if name.startswith(f"{path.parent.name}_") else []
        known.append(path.parent.name)
    raise _unknown(name, known)


def declares(snippets: Path, name: str, read: Read = variants) -> bool:
    """Whether a manifest below the directory `snippets` declares a snippet of this name."""
    return NAME.fullmatch(name) is not None and _declared(snippets, name, read) is not None


def _declared(snippets: Path, name: str, read: Read) -> Snippet | None:
    words = name.split("_")
    for length in range(len(words), 0, -1):
        folder = snippets / "_".join(words[:length])
        if (folder / "snippet.toml").is_file():
            for snippet in read(folder):
                if snippet.name == name:
                    return snippet
    return None


def _unknown(name: str, names: Iterable[str]) -> UsageError:
    last, known = PurePath(name).name, list(names)
    if last != name and last in known:
        return UsageError(f"'{name}' is a path, not the name of a snippet", hint=f"write {last}")
    near = did_you_mean(name, known)
    some = f"use one of: {', '.join(known[:_LISTED])}"
    more = len(known) - _LISTED
    return UsageError(f"unknown snippet '{name}'{near}", hint=f"{some}, and {more} more" if more > 0 else some)
