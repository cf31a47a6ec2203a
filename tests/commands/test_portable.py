"""The shell scripts run where a contributor is: with the bash 3.2 and the BSD tools of macOS too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY

SCRIPTS = sorted(
    path
    for path in (*(REPOSITORY / "scripts").iterdir(), REPOSITORY / ".ci" / "run")
    if path.suffix == ".sh" or (path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash\n"))
)
# What is newer than bash 3.2, or an extension of GNU's tools.
RULES = {
    "an associative array, or a reference": r"\b(?:declare|local|typeset) -\w*[An]",
    "mapfile": r"\b(?:mapfile|readarray|coproc)\b",
    "a case conversion, or another transformation": r"\$\{\w+(?:\[[^]]*\])?(?:,|\^|@[A-Za-z])",
    "a negative index": r"\$\{\w+\[-",
    "a shorter redirection": r"\|&|&>>",
    "a test for a variable": r"\[\[ -v ",
    "a named descriptor": r"\bexec \{",
    "the time by printf": r"printf\b.*%\(",
    "wait for any job": r"\bwait -n",
    "another end of a case": r";;?&",
    "stat, whose options differ": r"\bstat -",
    "date with GNU's options": r"\bdate (?:--|-d)",
    "readlink -f": r"\breadlink -",
    "sed in place": r"\bsed (?:-\w+ )*-\w*i|\bsed .*--in-place",
    "sed with an escape of GNU's": r"\bsed (?:-\w+ )*'[^']*\\[xwWsSnt+?|]",
    "grep with Perl's syntax": r"\bgrep (?:-\w+ )*-\w*P",
    "grep with an escape of GNU's": r"\bgrep\b[^|]*\\[swSWbB]",
    "a command of GNU's": r"(?:^|[|(;&] ?)\s*(?:tac|nproc|realpath|truncate|sha256sum)\b",
    "an option of GNU's": r"\bsort -\w*V|\bhead -(?:n ?|c ?)-|\bxargs -\w*[dr]|\b(?:cp|mktemp|mkdir|ln|rm|mv) --\w",
}


def faults(text: str) -> Iterator[str]:
    """What macOS would not understand, as line: rule."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if not line.lstrip().startswith("#")]
    for number, line in lines:
        yield from (f"{number}: {rule}" for rule, pattern in RULES.items() if re.search(pattern, line))
        # Bash before 4.4 calls an empty array unbound.
        for name in re.findall(r'"\$\{(\w+)\[[@*]\]\}"', re.sub(r'\$\{(\w+)\[@\]\+"\$\{\1\[@\]\}"\}', "", line)):
            if re.search(rf"\b{name}=\(\)|\blocal\b[^;\n]*\b{name}(?:$|\s)", text, re.MULTILINE):
                yield f"{number}: an array that may be empty"
        if re.search(r"\bflock\b", line) and "has flock" not in text:
            yield f"{number}: flock"


def test_the_scripts_are_found() -> None:
    assert {"bootstrap", "build", "ci", "lib.sh", "refresh", "test", "run"} <= {path.name for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_portable(path: Path) -> None:
    assert list(faults(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "declare -A seen",
        "local -n it=$1",
        "mapfile -t lines <file",
        'echo "${name,,}"',
        'echo "${name^}"',
        'echo "${name@Q}"',
        'echo "${names[-1]}"',
        "make |& tee log",
        "make &>>log",
        "[[ -v CI ]]",
        "exec {lock}>file",
        "printf '%(%F)T'",
        "wait -n",
        "  a) echo ;;&",
        "size=$(stat -c %s file)",
        "size=$(stat -f %z file)",
        "date --utc +%F",
        "date -d yesterday",
        "root=$(readlink -f .)",
        "sed -i s/a/b/ file",
        "sed -E -i s/a/b/ file",
        r"sed 's/\xc2//' file",
        r"sed 's/a\+/b/' file",
        r"grep -oP '\d' file",
        r"grep -E '^\S+$' file",
        "jobs=$(nproc)",
        "sort -V",
        "head -n -1",
        "ls | xargs -r rm",
        "mkdir --parents a",
        'a=()\necho "${a[@]}"',
        'local a\necho "${a[@]}"',
        "flock 9",
    ],
)
def test_what_is_not_portable_is_found(line: str) -> None:
    """Each rule can fail."""
    assert list(faults(line))


@pytest.mark.parametrize(
    "line",
    [
        "# stat -c is GNU's",
        'a=()\necho ${a[@]+"${a[@]}"}',
        'a=(one)\necho "${a[@]}"',
        "date -u +%Y-%m-%d",
        r"sed $'s/\xc2//' file",
        "sed -n 's/^a//p' file",
        "has flock && flock 9",
        'echo "${1:-}" "${name%, *}" "$@"',
        "exec 9>file",
    ],
)
def test_what_is_portable_is_not_found(line: str) -> None:
    assert list(faults(line)) == []
