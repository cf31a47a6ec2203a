"""Words of a command: exactly those that a shell passes to a program, or a refusal that says how to quote.

Each accepted command is also given to the shells of this machine.
"""

import os
import shlex
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.core.errors import RefusedError, Where
from proof.core.text import first_invisible
from proof.snippets import shell_words

WHERE = Where(Path("snippet.toml"), 7)
SHELLS = {
    "sh": ["sh", "-s"],
    "bash": ["bash", "--norc", "-o", "history", "-o", "histexpand", "-s"],  # it replaces `!`, as at a prompt
    "zsh": ["zsh", "-f", "-s"],
}
INSTALLED = [shell for shell in SHELLS if shutil.which(shell)]


def split(text: str) -> tuple[str, ...]:
    return shell_words.split(text, where=WHERE)


def refused(text: str) -> bool:
    """Whether a command is refused; then the error names a character of it, and a way out."""
    try:
        split(text)
    except RefusedError as error:
        named = [c for c in text if f"`{c}` is " in error.what or f"{c} is not closed" in error.what]
        return bool(named and error.hint) or pytest.fail(str(error))
    return False


def passed_on(shell: str, texts: list[str], folder: Path) -> list[tuple[str, ...]]:
    """The words that a shell passes to a program for each of these commands."""
    script = "".join(f"printf '%s\\0' {text}\nprintf '\\n\\0'\n" for text in texts)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(SHELLS[shell], input=script.encode(), capture_output=True, check=True, cwd=folder, env=env)
    assert done.stderr == b""
    return [tuple(words.split("\0")[:-1]) for words in done.stdout.decode().split("\n\0")[:-1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with files that patterns could match."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("a", "b", "ab", "-", "=", "a=b"):
        (folder / name).touch()
    return folder


UNQUOTED = string.punctuation.replace("'", "")
ACCEPTED = {
    "docker": ["docker"],
    "  docker   run ": ["docker", "run"],
    "docker a.b-c_d:e/f,g@h%i+j=k A1=": ["docker", "a.b-c_d:e/f,g@h%i+j=k", "A1="],
    "docker -e A=b --c= a=b=c a==b": ["docker", "-e", "A=b", "--c=", "a=b=c", "a==b"],
    "docker ''": ["docker", ""],
    'docker "" a""b': ["docker", "", "ab"],
    "docker 'a b'": ["docker", "a b"],
    "docker a' 'b\"c  d\"e": ["docker", "a bc  de"],
    "docker 'a \"b\" $c `d` \\e !f'": ["docker", 'a "b" $c `d` \\e !f'],
    'docker "it\'s *?[x] {a,b} ~ # ; | & < > ( ) ^ ="': ["docker", "it's *?[x] {a,b} ~ # ; | & < > ( ) ^ ="],
    r'docker "\$a \`b\` \"c\" \\d"': ["docker", '$a `b` "c" \\d'],
    r'docker "\a \n \ " "\\\\"': ["docker", r"\a \n \ ", r"\\"],
    r'docker "\\"': ["docker", "\\"],
    "docker '!' '='a '=a' a'='b": ["docker", "!", "=a", "=a", "a=b"],
    "docker 'it'\"'\"'s'": ["docker", "it's"],
    "docker é 你好=\U0001f600 '–' “a”": ["docker", "é", "你好=\U0001f600", "–", "“a”"],
    "docker if cd A=b": ["docker", "if", "cd", "A=b"],
    "'docker' \"run\"": ["docker", "run"],
    f"docker '{UNQUOTED}'": ["docker", UNQUOTED],
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    """Words are joined, and quotes taken away, as in a shell."""
    assert list(split(text)) == ACCEPTED[text]


@pytest.mark.parametrize("shell", INSTALLED)
def test_a_shell_splits_alike(shell: str, folder: Path) -> None:
    """The shells agree with the table."""
    assert [list(words) for words in passed_on(shell, list(ACCEPTED), folder)] == list(ACCEPTED.values())


REFUSED = [
    # command, message, hint
    ("docker run a echo hello | wc -c", "`|` is a pipe", "as in docker run IMAGE sh -c 'echo hello | wc -c'"),
    ("docker run a echo hello | wc -c", "`|` is a pipe", "quote it: '|'"),
    ("docker a |", "`|` is a pipe", "write both, or remove it"),
    ("| docker a", "`|` is a pipe", "write both, or remove it"),
    ("docker a | while b", "`while` is refused: it is a word of the shell", "run a shell in the container"),
    ("A'='b c", "`A=b` is refused: for a shell, it sets a variable", "env NAME=VALUE PROGRAM"),
    ("docker a && b", "`&` is the end of a command", "write a step for each command"),
    ("docker a; b", "`;` is the end of a command", "write a step for each command"),
    ("docker a & b", "`&` is the end of a command", "'&'"),
    ("docker a 2>&1", "`>` is a redirection", "'>'"),
    ("(docker a)", "`(` is a group of commands", "'('"),
    ("docker $HOME", "`$` is a variable", "'$'"),
    ("docker $(id)", "`$` is a variable", "'$'"),
    ("docker `id`", "``` is another command", "'`'"),
    ("docker *", "`*` is a pattern", "'*'"),
    ("docker {a,b}", "`{` is a list", "'{'"),
    ("docker ~", "`~` is a home directory", "'~'"),
    ("docker # a", "`#` is a comment", "'#'"),
    ("docker !!", "`!` is an earlier command", "'!'"),
    ("^a^b", "`^` is an earlier command", "'^'"),
    ("docker =ls", "`=` is sometimes the path of a program", "'='"),
    ("docker ''=ls", "`=` is sometimes the path of a program", "'='"),
    (r"docker a\ b", r"`\` is refused outside quotes", "put the character after it in quotes"),
    ("docker a\\", r"`\` is refused outside quotes", "put the character after it in quotes"),
    ('docker "$HOME"', "`$` is a variable for a shell, in double quotes too", r"use single quotes, or write \$"),
    ('docker "a `id`"', "``` is another command for a shell, in double quotes too", r"use single quotes, or write \`"),
    ('docker "a!"', "`!` is an earlier command for a shell, in double quotes too", "use single quotes"),
    (r'docker "\$a', '" is not closed', "close the quote"),
    ('docker "a', '" is not closed', "close the quote"),
    ("docker it's", "' is not closed", "close the quote"),
    ("docker\ta", "invisible character U+0009", "remove it"),
    ("docker a\u00a0b", "invisible character U+00A0", "remove it"),
    ("docker a\\\nb", "must be on one line", "one step for each command"),
    ("", "the command is empty", "write a command"),
    ("GOFLAGS=-x go build", "`GOFLAGS=-x` is refused: for a shell, it sets a variable", "env NAME=VALUE PROGRAM"),
    ("'A=b' a", "`A=b` is refused", "env NAME=VALUE PROGRAM"),
    ("cd /tmp", "`cd` is refused: it is a word of the shell", "run a shell in the container"),
    ("time go build", "`time` is refused: it is a word of the shell", "run a shell in the container"),
    ("- go build", "`-` is refused: it is a word of the shell", "run a shell in the container"),
]


@pytest.mark.parametrize(("text", "what", "hint"), REFUSED)
def test_refused(text: str, what: str, hint: str) -> None:
    """What a shell would change is refused, with the character, the command and a way out."""
    with pytest.raises(RefusedError) as error:
        split(text)
    assert what in error.value.what
    assert hint in error.value.hint
    assert (error.value.where, error.value.evidence) == (WHERE, text)


@pytest.mark.parametrize(
    ("text", "variables", "commands"),
    [
        ("docker a", [], [["docker", "a"]]),
        ("A=b docker a", [("A", "b")], [["docker", "a"]]),
        ("A= _b2='c d'e=f docker A=b", [("A", ""), ("_b2", "c de=f")], [["docker", "A=b"]]),
        ("docker a|head -3 | wc -l", [], [["docker", "a"], ["head", "-3"], ["wc", "-l"]]),
        ("docker '|' a\"|\" | grep '|'", [], [["docker", "|", "a|"], ["grep", "|"]]),
        ("A=b docker | sort", [("A", "b")], [["docker"], ["sort"]]),
    ],
)
def test_variables_and_pipes(text: str, variables: list[tuple[str, str]], commands: list[list[str]]) -> None:
    """Variables come before the first command, and pipes between commands, unless they are quoted."""
    line = shell_words.parse(text, where=WHERE)
    assert (list(line.variables), [list(words) for words in line.commands]) == (variables, commands)


@pytest.mark.parametrize("c", sorted(set(string.printable) - set(string.ascii_letters + string.digits + "%+,-./:@_ =")))
def test_every_other_character_is_refused_outside_quotes(c: str) -> None:
    """Whether it stands alone, or in a word."""
    for text in (f"docker {c}", f"docker a{c}b"):
        with pytest.raises(RefusedError) as error:
            split(text)
        assert error.value.hint


def test_the_words_of_the_shell() -> None:
    """A program cannot be called like a reserved word, nor like what bash can do and no program does."""
    reserved, built_in = (
        subprocess.run(["bash", "-c", f"compgen {flag}"], capture_output=True, text=True, check=True).stdout.split()
        for flag in ("-k", "-b")
    )
    assert "if" in reserved
    assert "cd" in built_in
    for word in (*reserved, *(word for word in built_in if shutil.which(word) is None)):
        with pytest.raises(RefusedError):
            split(f"'{word}' a")
    assert split("echo test") == ("echo", "test")


SOME = st.text(st.sampled_from(f"ab1é你 {string.punctuation}"), max_size=6)
PLAIN = st.text(st.sampled_from("ab1é你%+,-./:=@_"), min_size=1, max_size=6)
PIECES = st.one_of(
    PLAIN,
    SOME.map(lambda text: f"'{text}'"),
    SOME.map(lambda text: f'"{text}"'),
    st.sampled_from(["' '", '" "', r'"\$"', r'"\""', r'"\\"', r'"\a"', "''", " ", "  ", " =", *"\\\"'$`!*~#{}"]),
)
COMMANDS = st.lists(PIECES, max_size=8).map(lambda pieces: "docker " + "".join(pieces))


@pytest.mark.parametrize("shell", INSTALLED)
@given(texts=st.lists(COMMANDS, min_size=10, max_size=30))
def test_what_is_accepted_a_shell_splits_alike(shell: str, folder: Path, texts: list[str]) -> None:
    """And what is refused has a reason."""
    accepted = {text: split(text) for text in texts if not refused(text)}
    assert passed_on(shell, list(accepted), folder) == list(accepted.values())


@given(words=st.lists(st.text().filter(lambda text: not first_invisible(text)), max_size=5))
def test_everything_can_be_quoted(words: list[str]) -> None:
    """Any visible text can be passed on: in single quotes, and its apostrophes in double quotes."""
    quoted = " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in words)
    assert split(f"docker {quoted}") == ("docker", *words) == tuple(shlex.split(f"docker {quoted}"))
