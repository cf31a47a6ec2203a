"""Writes steps of a snippet as one block for a reader's terminal: a new directory, the files, the commands.

The block is for bash, zsh and any POSIX shell, and needs only Docker and the standard tools. Readers paste it without
reading it all, so it has to be harmless:

- If the directory exists, nothing happens: a shell reads everything up to the last parenthesis before it runs anything.
- The directory is called `./NAME`, because `cd NAME` would look into CDPATH first.
- Everything else runs in a subshell, so the reader's own shell keeps its settings.
- Names and contents of files are data. They are quoted, and a snippet with a character that a terminal would act on
  gets no block.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from proof.core.text import first_invisible
from proof.snippets import context
from proof.snippets.commands import familiar
from proof.snippets.model import Snippet, Step

_MOST = 20_000  # characters of a block, which a reader is supposed to paste
_WIDEST = 1_000  # characters of a line; some terminals cut pasted lines at 1,024
_TAB = 8  # columns, as `unexpand` counts
_PLAIN_START = re.compile(r"[A-Za-z0-9._]")
# Runs a command in a container, on a copy of the context, as the tool does. A mounted directory would keep what the
# command writes, needs a label under SELinux, and is empty if the engine is on another machine.
_INSIDE = """\
inside() {
c=$(docker create --rm --network none -w /src "$@") && docker cp -q . "$c":/src && docker start -a "$c"
}"""


class NotPasteableError(Exception):
    """Why a snippet cannot be written as a block, as a sentence without its full stop."""


@dataclass(frozen=True)
class Block:
    """What a reader pastes, and what it leaves on the reader's machine."""

    text: str
    directory: str  # the name of the new directory; empty if the snippet has no files
    images: tuple[str, ...]  # the names that it gives to images
    runs: bool  # whether it leaves stopped containers
    fails: bool  # whether a command fails as expected
    depends: bool  # whether it fails only with some engines, or on some machines


def block(snippet: Snippet, shown: Collection[str] | None = None) -> Block:
    """The steps called `shown` as a block, with the builds of the images that they need; all steps if None.

    Raises NotPasteableError if there cannot be one.
    """
    if snippet.leaves_running:
        raise NotPasteableError("it leaves containers running, with names and ports that may be taken")
    steps = _needed(snippet, shown)
    files = [*_files(snippet, steps)]
    commands = [*_commands(steps, has_files=bool(files))]
    lines = ["umask 022", *files, *commands] if files else commands
    opening = f"mkdir {snippet.name} && cd ./{snippet.name} && (" if files else "("
    text = "\n".join([opening, *lines, ")\n"])
    if len(text) > _MOST:
        raise NotPasteableError(f"it would be {len(text):,} characters long")
    if any(len(line) > _WIDEST for line in text.split("\n")):
        raise NotPasteableError("a line is too long for some terminals")
    return Block(
        text=text,
        directory=snippet.name if files else "",
        images=tuple(dict.fromkeys(tag for step in steps for tag in step.command.creates)),
        runs=any(step.command.verb == "run" and "--rm" not in dict(step.command.flags) for step in steps),
        fails=any(step.exit for step in steps),
        depends=any(map(_depends, steps)),
    )


def _needed(snippet: Snippet, shown: Collection[str] | None) -> list[Step]:
    """The steps with these names, and those that make the images which they use."""
    wanted = {step.name for step in snippet.steps} if shown is None else set(shown)
    for number in reversed(range(len(snippet.steps))):
        step = snippet.steps[number]
        build = snippet.dockerfiles.get(step.name)
        used = {familiar(image) for image in (*step.command.images, *(build.images if build else ()))}
        for image in used if step.name in wanted else ():
            makers = (s.name for s in reversed(snippet.steps[:number]) if image in map(familiar, s.command.creates))
            wanted.update(islice(makers, 1))
    return [step for step in snippet.steps if step.name in wanted]


def _only_of_others(snippet: Snippet, steps: Sequence[Step]) -> set[Path]:
    """The Dockerfiles and secrets that none of these steps uses, but another one does."""
    used: set[Path] = set()
    others: set[Path] = set()
    for step in snippet.steps:
        build = snippet.dockerfiles.get(step.name)
        files = [build.path] if build else []
        files += [snippet.context / secret for secret in step.command.secrets]
        (used if step in steps else others).update(files)
    return others - used


def _files(snippet: Snippet, steps: Sequence[Step]) -> Iterator[str]:
    """The lines that write the context."""
    left_out = _only_of_others(snippet, steps)
    files = (path for path in context.files(snippet.context) if path not in left_out)
    paths = {path: path.relative_to(snippet.context).as_posix() for path in files}
    for name in paths.values():
        _check(name, f"the name of `{name}`", allowed=" ")
    if folders := dict.fromkeys(Path(name).parent.as_posix() for name in paths.values() if "/" in name):
        yield f"mkdir -p {' '.join(map(_word, folders))}"
    written = {path: name for path, name in paths.items() if not path.is_symlink()}
    for path, name in written.items():
        yield _written(name, context.content(snippet.context, path))
    if programs := [_word(name) for path, name in written.items() if context.is_executable(path.lstat().st_mode)]:
        yield f"chmod +x {' '.join(programs)}"
    # Last, so that nothing is written through a link.
    for path in (path for path in paths if path not in written):
        target = os.readlink(path)  # noqa: PTH115 - a Path would leave out a `./`
        _check(target, f"the target of the link `{paths[path]}`", allowed=" ")
        yield f"ln -s {_word(target)} {_word(paths[path])}"


def _written(name: str, content: bytes) -> str:
    """The command that writes this file, byte for byte."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise NotPasteableError(f"`{name}` isn't a text file") from None
    _check(text, f"`{name}`", allowed=" \t\n")
    if not text.endswith("\n"):  # a here-document always ends in a newline
        return f"printf %s {shlex.quote(text)} >{_word(name)}"
    spaced = _without_tabs(text)
    program, shown = ("cat", text) if spaced is None else ("unexpand", spaced)
    end, number = "EOF", 1
    while end in shown.split("\n"):
        number += 1
        end = f"EOF{number}"
    return f"{program} >{_word(name)} <<'{end}'\n{shown}{end}"


def _without_tabs(text: str) -> str | None:
    """The text with each tab at the start of a line as spaces, which `unexpand` turns back into tabs.

    None if the text has no tabs, or if `unexpand` would not restore it, for example because of a tab within a line.

    A shell that does not know that text is pasted takes a tab for the key, and completes what is before it: bash up to
    5.0, and that of macOS.
    """
    if "\t" not in text:
        return None
    lines = []
    for line in text.split("\n"):
        rest = line.lstrip(" \t")
        columns = len(line.removesuffix(rest).expandtabs(_TAB))
        if line != "\t" * (columns // _TAB) + " " * (columns % _TAB) + rest or "\t" in rest:
            return None
        lines.append(" " * columns + rest)
    return "\n".join(lines)


def _commands(steps: Sequence[Step], *, has_files: bool) -> Iterator[str]:
    """The lines that run the commands, each shown before its output."""
    if any(step.command.verb == "build" for step in steps):
        # As in the runs of the tool: provenance has times in it, which differ from build to build, and so would IDs.
        yield "export BUILDKIT_PROGRESS=plain BUILDX_NO_DEFAULT_ATTESTATIONS=1"
    if has_files and any(step.inside for step in steps):
        yield _INSIDE
    yield "set -x"
    here: set[str] = set()  # the images that the engine has by then
    for step in steps:
        # These look at an image, but do not pull it.
        if step.command.verb in ("ls", "inspect", "history", "tag"):
            missing = [image for image in step.command.images if familiar(image) not in here]
            yield from (f"docker pull {shlex.quote(image)}" for image in missing)
        here |= {familiar(image) for image in (*step.command.creates, *step.command.images)}
        yield _command(step, has_files=has_files)


def _command(step: Step, *, has_files: bool) -> str:
    if step.inside is None:
        return step.text
    image = shlex.quote(step.inside)
    _check(image, "the name of an image", allowed="")
    return f"{'inside' if has_files else 'docker run --rm --network none -w /src'} {image} {step.text}"


def _depends(step: Step) -> bool:
    """Whether the step fails only with some engines, or only on a machine without emulation."""
    codes = {outcome.exit for outcome in step.failure.outcomes}
    return (0 in codes and len(codes) > 1) or bool(step.exit and step.command.values("--platform"))


def _word(name: str) -> str:
    """A path, quoted for a shell. It can't be taken for an option, and zsh doesn't expand its first character."""
    return shlex.quote(name if _PLAIN_START.match(name) else f"./{name}")


def _check(text: str, what: str, *, allowed: str) -> None:
    if hidden := first_invisible(text, allowed):
        raise NotPasteableError(f"{what} contains the character {hidden}")
