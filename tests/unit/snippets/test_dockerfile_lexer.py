"""The instructions of a Dockerfile: their lines, flags and text.

What is refused, and why, is in tests/data/corpus.
"""

from pathlib import Path

import pytest

from proof.core.errors import RefusedError, Where
from proof.snippets.dockerfile_lexer import instructions

FILE = Path("Dockerfile")


def read(text: str) -> list[tuple[str, tuple[str, ...], str, int | None, int]]:
    """The instructions: name, flags, rest, first line, and last line without heredocs."""
    return [(i.name, i.flags, i.rest, i.where.line, i.last) for i in instructions(FILE, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n# comment\n  # comment\n\t\n", []),
        ("FROM a", [("FROM", (), "a", 1, 1)]),
        ("  from\t a  AS   b ", [("FROM", (), "a AS b", 1, 1)]),
        ("# a\n\nUSER 1\n\nUSER 2\n", [("USER", (), "1", 3, 3), ("USER", (), "2", 5, 5)]),
        ("CMD", [("CMD", (), "", 1, 1)]),
        # Flags end at the first word that is not a flag.
        ("COPY --from=a --link x --chown=1 y", [("COPY", ("--from=a", "--link"), "x --chown=1 y", 1, 1)]),
        ("COPY --link", [("COPY", ("--link",), "", 1, 1)]),
        ("COPY '--link' --from=\"a\" x", [("COPY", (), "'--link' --from=\"a\" x", 1, 1)]),
        ("COPY -x --link y", [("COPY", (), "-x --link y", 1, 1)]),
        ("COPY --chown=$USER x y", [("COPY", ("--chown=$USER",), "x y", 1, 1)]),
        # Continuation lines.
        ("RUN a \\\n  && b", [("RUN", (), "a && b", 1, 2)]),
        ("RUN a\\\nb", [("RUN", (), "ab", 1, 2)]),
        ("RUN a \\ \t\nb", [("RUN", (), "a b", 1, 2)]),
        ("RUN a \\\n# why\n\n \t\n# and why\nb\nUSER 1", [("RUN", (), "a b", 1, 6), ("USER", (), "1", 7, 7)]),
        ("RUN a \\\n # b\n\t#c\nd", [("RUN", (), "a d", 1, 4)]),
        ("RUN a \\\n\\\nb", [("RUN", (), "a b", 1, 3)]),
        ("COPY \\\n --link \\\n --from=a \\\n x y", [("COPY", ("--link", "--from=a"), "x y", 1, 4)]),
        ("RUN a \\ b\nUSER 1", [("RUN", (), "a \\ b", 1, 1), ("USER", (), "1", 2, 2)]),
        ("RUN a \\\r\n b\r\nUSER 1\r\n", [("RUN", (), "a b", 1, 2), ("USER", (), "1", 3, 3)]),
        # Heredocs.
        ("RUN <<E\na\nE\nUSER 1", [("RUN", (), "<<E", 1, 1), ("USER", (), "1", 4, 4)]),
        ("RUN \\\n <<E\na\nE\nUSER 1", [("RUN", (), "<<E", 1, 2), ("USER", (), "1", 5, 5)]),
        ("RUN <<E\n\\\nE\nUSER 1", [("RUN", (), "<<E", 1, 1), ("USER", (), "1", 4, 4)]),
        ("RUN <<E\nE\nE\n", [("RUN", (), "<<E", 1, 1), ("E", (), "", 3, 3)]),
        ("RUN 3<<E_1 x\nE_1\nUSER 1", [("RUN", (), "3<<E_1 x", 1, 1), ("USER", (), "1", 3, 3)]),
        (
            "COPY <<\"E\" <<-'F' /x\nE\n\t\tF\nUSER 1",
            [("COPY", (), "<<\"E\" <<-'F' /x", 1, 1), ("USER", (), "1", 4, 4)],
        ),
        ("ADD <<E /x\nUSER 1\nE", [("ADD", (), "<<E /x", 1, 1)]),
        ("RUN cat <<E\n<<F\nE\nUSER 1", [("RUN", (), "cat <<E", 1, 1), ("USER", (), "1", 4, 4)]),
        ("CMD cat <<E\nUSER 1", [("CMD", (), "cat <<E", 1, 1), ("USER", (), "1", 2, 2)]),
        ("ENV A=<<E\nUSER 1", [("ENV", (), "A=<<E", 1, 1), ("USER", (), "1", 2, 2)]),
        # Words of these, comments and heredocs may contain any character.
        *((f"{name} ä", [(name, (), "ä", 1, 1)]) for name in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK")),
        *((f"{name} ä", [(name, (), "ä", 1, 1)]) for name in ("ENV", "LABEL", "COPY")),
        ("# ä\nCOPY <<E /x\nä\nE", [("COPY", (), "<<E /x", 2, 2)]),
        # Only some names are directives, and only above everything else.
        ("# check=skip=JSONArgsRecommended,StageNameCasing;error=true\nFROM a", [("FROM", (), "a", 2, 2)]),
        ("# ssyntax=1\n# syntax 2\n# my syntax=3", []),
        ("FROM a\n# escape=`", [("FROM", (), "a", 1, 1)]),
        ("\n# escape=`\nFROM a", [("FROM", (), "a", 3, 3)]),
        ("# syntax=docker/dockerfile:1\nFROM a", [("FROM", (), "a", 2, 2)]),
    ],
)
def test_instructions(text: str, expected: list[tuple[str, tuple[str, ...], str, int | None, int]]) -> None:
    """An instruction has its name in upper case, its flags, its words and its lines."""
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("\n from a\nUSER 1", [" from a", "USER 1"]),
        ("RUN a \\\n# why\n b\nUSER 1\n", ["RUN a \\\n# why\n b", "USER 1"]),
        ("RUN <<E\n  a\nE\n# b\nUSER 1", ["RUN <<E\n  a\nE", "USER 1"]),
        ("RUN a \\\r\n b\r\n", ["RUN a \\\n b"]),
    ],
)
def test_the_text_of_an_instruction(text: str, whole: list[str]) -> None:
    """The text is as written, with comments and heredocs."""
    assert [instruction.text for instruction in instructions(FILE, text)] == whole


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("# syntax=x", 1, "# syntax=x"),
        ("# syntax=docker/dockerfile:1\n# syntax=x", 2, "# syntax=x"),
        ("# a=b\n  # Check = x", 2, "# Check = x"),
        ("# platform=x", 1, "# platform=x"),
        ("USER 1\nRUN a \\\\\nb", 2, "RUN a \\\\"),
        ("USER 1\n\nRUN a \\\n", 3, "RUN a \\"),
        ("USER 1\nFROM \\\na", 2, "FROM \\"),
        ("USER 1\nRUN <<E\na", 2, "RUN <<E"),
        ("USER 1\nCOPY --fr\\\nom=a b c", 2, "COPY --fr\\"),
        ("USER 1\nCO\\\nPY a b", 2, "CO\\"),
        ("USER 1\n\\\nRUN a", 2, "\\"),
        ("USER 1\nCOPY --from='a' x", 2, "COPY --from='a' x"),
        ("USER 1\nRUN --mount=`x` y", 2, "RUN --mount=`x` y"),
        ("USER 1\nRUN --mount=a\\b y", 2, "RUN --mount=a\\b y"),
        ('USER 1\nRUN echo "<<E"', 2, 'RUN echo "<<E"'),
        ("USER 1\nRUN [a] <<E\nE", 2, "RUN [a] <<E"),
        *(
            (f"USER 1\nRUN {words}\nE", 2, f"RUN {words}")
            for words in ("cat << E", "cat<<E", "cat <<E;", "cat <<<E", "1 << 3")
        ),
        *(
            (f"USER 1\n{name} ä", 2, f"{name} ä")
            for name in ("FROM", "USER", "ARG", "WORKDIR", "ADD", "EXPOSE", "VOLUME")
        ),
        ("USER 1\nCOPY <<E /ä\nE", 2, "COPY <<E /ä"),
        ("USER 1\nCOPY --chown=ä x y", 2, "COPY --chown=ä x y"),
        ("USER 1\n\ta\rb", 2, ""),
        ("USER 1\n\ufeffUSER 2", 2, ""),
        ("USER 1\nUSER\u00a02", 2, "USER\\xa02"),
        ("USER 1\n# \u202ea", 2, "# \\u202ea"),
        ("USER 1\nRUN <<E\n\x1b[2J\nE", 3, "\\x1b[2J"),
    ],
)
def test_the_place_of_a_refusal(text: str, line: int, shown: str) -> None:
    """A refusal has the line of the instruction or the character, its text, and a hint."""
    with pytest.raises(RefusedError) as error:
        read(text)
    assert error.value.where == Where(FILE, line)
    assert error.value.evidence == shown
    assert error.value.hint
