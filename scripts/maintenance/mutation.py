"""What scripts/mutate does around mutmut: lay out a tree that it can read, and say what it found.

  mutation.py prepare TREE [MODULE…]   a copy of the repository in TREE, with the modules to change
  mutation.py report TREE              a table of the modules; code 1 where one is below the goal

mutmut finds source below src/ only, so that is where the copy has the package. Run by itself, with no package of ours
or of others: python -I scripts/maintenance/mutation.py …
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

GOAL = 90  # per cent of the changes that a test has to notice, in each module
_PACKAGE = Path("src/proof")
# mutmut keeps what pytest ended with: 0 is a change that passed every test, 5 and 33 one that no test runs.
_MISSED = {0, 5, 33}
_UNKNOWN = {None, 2, 34, 35}  # not tried, interrupted, skipped, or it cannot tell


class UnusableError(Exception):
    """The arguments, or what mutmut left, cannot be used."""


def prepare(root: Path, tree: Path, modules: Sequence[str]) -> None:
    """Copy the repository to `tree`; UnusableError for a module that does not exist."""
    # With what git does not know yet, and without what it ignores.
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name, follow_symlinks=False)
    (tree / _PACKAGE).parent.mkdir()
    (tree / "scripts/proof").rename(tree / _PACKAGE)
    (tree / "scripts/proof").symlink_to("../src/proof")  # for tests that read the source
    if modules:
        settings = tree / "pyproject.toml"
        chosen = json.dumps([_path(tree, module) for module in modules])
        text = re.sub(
            r"(?ms)^only_mutate = \[.*?^\]$", lambda _: f"only_mutate = {chosen}", settings.read_text("utf-8")
        )
        settings.write_text(text, "utf-8")


def _path(tree: Path, module: str) -> str:
    """A module as mutmut wants it, given as pages/lint/claims, or as its path in the repository."""
    path = _PACKAGE / f"{module.removeprefix('scripts/proof/').removesuffix('.py')}.py"
    if not (tree / path).is_file():
        raise UnusableError(f"no such module: scripts/proof/{path.relative_to(_PACKAGE)}")
    return path.as_posix()


def report(tree: Path) -> int:
    """Print how many changes of each module were noticed, the least first, and those that were not."""
    settings = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    rows, missed = [], []
    for path in settings["only_mutate"]:
        codes = json.loads((tree / "mutants" / f"{path}.meta").read_text("utf-8"))["exit_code_by_key"]
        if unknown := [name for name, code in codes.items() if code in _UNKNOWN]:
            raise UnusableError(f"{len(unknown)} changes were not tried, such as {unknown[0]}")
        survived = [name for name, code in codes.items() if code in _MISSED]
        share = 100 * (len(codes) - len(survived)) / len(codes) if codes else 100.0
        rows.append((share, path.removeprefix("src/proof/"), len(codes)))
        missed += survived
    print(f"{'module':<34}{'changes':>9}{'noticed':>9}")
    for share, path, count in sorted(rows):
        print(f"{path:<34}{count:>9}{share:>8.1f}%{'' if share >= GOAL else f'  below {GOAL}%'}")
    if missed:
        print("\nNot noticed; `scripts/mutate show NAME` shows the change:")
        print("\n".join(f"  {name}" for name in missed))
    return int(any(share < GOAL for share, *_ in rows))


def main(arguments: Sequence[str]) -> int:
    """Run one of the two verbs."""
    verb, tree, *modules = arguments
    try:
        if verb == "report":
            return report(Path(tree))
        prepare(Path.cwd(), Path(tree), modules)
    except (UnusableError, FileNotFoundError) as error:
        print(f"scripts/mutate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
