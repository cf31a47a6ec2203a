"""The variables of a Dockerfile that the names of images may contain: above the first FROM, and those of BuildKit."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from proof.snippets.dockerfile_lexer import Instruction, refused
from proof.snippets.engine_version import PLATFORM

# Names of variables as in BuildKit, which reads `$1x` as `$1`, and takes quotes as part of the name of an ARG.
_NAME = r"[A-Za-z_]\w*"
# BuildKit also expands quotes and variables in the word, so they are not accepted there.
_VARIABLE = re.compile(
    rf"\$(?:\{{(?P<braced>{_NAME})(?::(?P<op>[-+])(?P<word>[\w./:@-]*))?\}}|(?P<plain>{_NAME}))", re.ASCII
)
PLAIN = re.compile(rf"\$(?:\{{({_NAME})\}}|({_NAME}))", re.ASCII)
_ARG = rf"""{_NAME}(?:=(?:[^\s"'\\]|"[^"\\]*"|'[^'$\\]*')*)?"""
ARGS = re.compile(rf"{_ARG}(?:\s+{_ARG})*", re.ASCII)
_LONGEST = 1_000  # characters of an image name, or of a value that is part of one
# Variables that BuildKit sets itself. Its versions differ in what an ARG above the first FROM makes of them.
_GIVEN = re.compile(r"(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)|SOURCE_DATE_EPOCH")


def of_platform(platform: str) -> dict[str, str]:
    """The variables that BuildKit sets for the names of images. The machine that builds is one for amd64."""
    found: dict[str, str] = {}
    sides = [("BUILD", PLATFORM), *([("TARGET", platform)] if "," not in platform else [])]
    for side, value in sides:
        system, architecture, variant = (*value.split("/"), "")[:3]
        values = (value, system, architecture, variant)
        found |= dict(zip((f"{side}{part}" for part in ("PLATFORM", "OS", "ARCH", "VARIANT")), values, strict=True))
    return found


def declare(instruction: Instruction, overrides: Mapping[str, str], variables: dict[str, str]) -> None:
    """Add the variables of an ARG above the first FROM to `variables`."""
    try:
        words = shlex.split(instruction.rest)
    except ValueError as error:
        raise refused(instruction, f"ARG has {str(error).lower()}", "close the quote") from error
    if not ARGS.fullmatch(instruction.rest):
        raise refused(
            instruction, "this ARG is ambiguous", "write ARG NAME=value, with letters, digits and _ in the name"
        )
    for word in words:
        name, equals, default = word.partition("=")
        if _GIVEN.fullmatch(name):
            variables.pop(name, None)
        elif name in variables and not equals:  # some versions keep the first value, others drop it
            raise refused(
                instruction, f"ARG {name} is given twice, the second time without a value", "remove one of them"
            )
        else:
            variables[name] = overrides[name] if name in overrides else substitute(default, variables, instruction)


def substitute(text: str, variables: Mapping[str, str], instruction: Instruction) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        if _GIVEN.fullmatch(name) and name not in variables:
            raise refused(
                instruction,
                f"`${name}` is refused here: versions of BuildKit differ in what an ARG does to it",
                f"remove ARG {name} above the first FROM, or use an ARG with another name",
            )
        known = variables.get(name, "")
        if match["op"] == "-":
            return known or match["word"]
        if match["op"] == "+":
            return match["word"] if known else ""
        return known

    if "$" in _VARIABLE.sub("", text):
        raise refused(
            instruction,
            "a `$` is refused here unless it is part of $NAME, ${NAME}, ${NAME:-word} or ${NAME:+word}",
            "write the value",
        )
    found = _VARIABLE.sub(value, text)
    if len(found) > _LONGEST:
        raise refused(
            instruction, f"longer than {_LONGEST:,} characters after expanding variables", "use shorter values"
        )
    return found
