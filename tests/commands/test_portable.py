"""The shell scripts run where a contributor is: with the bash 3.2 and the BSD tools of macOS too."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY

SCRIPTS = sorted(
    path
    for path in (*(REPOSITORY / "scripts").iterdir(), REPOSITORY / ".ci" / "run")
    if path.suffix == ".sh" or (path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash\n"))
    if path.name != "install-engine"  # whose engine runs on Linux alone
)
# What is newer than bash 3.2, or an extension of GNU's tools: what it is, how it looks, and an example.
RULES = [
    ("an associative array, or a reference", r"\b(?:declare|local|typeset) -\w*[An]", "declare -A seen"),
    ("mapfile", r"\b(?:mapfile|readarray|coproc)\b", "mapfile -t lines <file"),
    ("a transformation", r"\$\{\w+(?:\[[^]]*\])?(?:,|\^|@[A-Za-z])", 'echo "${name,,}"'),
    ("a negative index", r"\$\{\w+\[-", 'echo "${names[-1]}"'),
    ("a shorter redirection", r"\|&|&>>", "make |& tee log"),
    ("a test for a variable", r"\[\[ -v ", "[[ -v CI ]]"),
    ("a named descriptor", r"\bexec \{", "exec {lock}>file"),
    ("the time by printf", r"printf\b.*%\(", "printf '%(%F)T'"),
    ("wait for any job", r"\bwait -n", "wait -n"),
    ("another end of a case", r";;?&", "  a) echo ;;&"),
    ("stat, whose options differ", r"\bstat -", "size=$(stat -c %s file)"),
    ("date with GNU's options", r"\bdate (?:--|-d)", "date -d yesterday"),
    ("readlink -f", r"\breadlink -", "root=$(readlink -f .)"),
    ("sed in place", r"\bsed (?:-\w+ )*-\w*i|\bsed .*--in-place", "sed -E -i s/a/b/ file"),
    ("sed with an escape of GNU's", r"\bsed (?:-\w+ )*'[^']*\\[xwWsSnt+?|]", r"sed 's/a\+/b/' file"),
    ("grep with Perl's syntax", r"\bgrep (?:-\w+ )*-\w*P", r"grep -oP '\d' file"),
    ("grep with an escape of GNU's", r"\bgrep\b[^|]*\\[swSWbB]", r"grep -E '^\S+$' file"),
    ("a command of GNU's", r"(?:^|[|(;&] ?)\s*(?:tac|nproc|realpath|truncate|sha256sum)\b", "jobs=$(nproc)"),
    ("an option of GNU's", r"\bsort -\w*V|\bhead -(?:n ?|c ?)-|\bxargs -\w*[dr]", "head -n -1"),
    ("a long option", r"\b(?:cp|mktemp|mkdir|ln|rm|mv) --\w", "mkdir --parents a"),
]


def faults(text: str) -> Iterator[str]:
    """What macOS would not understand, as line: rule."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if not line.lstrip().startswith("#")]
    for number, line in lines:
        yield from (f"{number}: {rule}" for rule, pattern, _ in RULES if re.search(pattern, line))
        # Bash before 4.4 calls an empty array unbound.
        for name in re.findall(r'"\$\{(\w+)\[[@*]\]\}"', re.sub(r'\$\{(\w+)\[@\]\+"\$\{\1\[@\]\}"\}', "", line)):
            if re.search(rf"\b{name}=\(\)|\blocal\b[^;\n]*\b{name}(?:$|\s)", text, re.MULTILINE):
                yield f"{number}: an array that may be empty"
        if re.search(r"\bflock\b", line) and "has flock" not in text:
            yield f"{number}: flock"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_portable(path: Path) -> None:
    assert list(faults(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "line", [*(example for *_, example in RULES), 'a=()\necho "${a[@]}"', 'local a\necho "${a[@]}"', "flock 9"]
)
def test_each_rule_can_fail(line: str) -> None:
    assert list(faults(line))


@pytest.mark.parametrize(
    "line", ["# stat -c is GNU's", 'a=()\necho ${a[@]+"${a[@]}"}', 'a=(one)\necho "${a[@]}"', "has flock && flock 9"]
)
def test_what_is_portable_is_not_found(line: str) -> None:
    assert list(faults(line)) == []
