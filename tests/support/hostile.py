"""Makes a project with one snippet from each input of the corpus (tests/data/corpus)."""

import json
import os
import shutil
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.helpers import REPOSITORY, TINY
from tests.support.makers import toml, write

CORPUS = REPOSITORY / "tests" / "data" / "corpus"
BUILD = '[[step]]\nname = "build"\ncommand = "docker build -t example -t second ."\nunshown = "it makes the image"\n'


@dataclass(frozen=True)
class Case:
    """One input of the corpus."""

    kind: str
    given: Any  # a text, or a table that says how to make one
    says: str  # a piece of the message; empty where it is accepted
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {json.dumps(self.given)}"[:90]


def cases(name: str) -> list[Case]:
    """Every input of `refused` or `accepted`."""
    groups = tomllib.loads((CORPUS / f"{name}.toml").read_text("utf-8"))["group"]
    pairs = [(group, entry if name == "refused" else (entry, "")) for group in groups for entry in group[name]]
    return [Case(group["kind"], given, says, group["why"]) for group, (given, says) in pairs]


def project(root: Path, case: Case) -> Path:
    """A project whose one snippet holds the input; nothing else in it is wrong."""
    dockerfile, manifest = "FROM alpine:3.22\n", f'title = "t"\n{BUILD}'
    match case.kind:
        case "command":
            manifest += f'[[step]]\nname = "one"\ncommand = {toml(case.given)}\nunshown = "odd"\n'
        case "dockerfile":
            dockerfile = _text(case.given).decode()
        case "instruction":
            dockerfile += f"{case.given}\n"
        case "step":
            lines = {"name": "name = 'one'", "command": "command = 'docker run example'", "unshown": "unshown = 'odd'"}
            given = _text(case.given).decode()
            for line in given.splitlines():
                lines.pop(line.split(" ")[0], None)
            manifest += "\n".join(["[[step]]", *lines.values(), given, ""])
        case _:
            pass
    snippet = root / "snippets" / "odd"
    write(root, {"docs/index.md": "# A page\n", "mkdocs.yml": "site_name: odd\nmarkdown_extensions: [proof]\n"})
    write(snippet, {"context/Dockerfile": dockerfile, "snippet.toml": manifest})
    shutil.copyfile(TINY / "snippets" / "bases.toml", root / "snippets" / "bases.toml")
    if case.kind == "manifest":
        (snippet / "snippet.toml").write_bytes(_text(case.given))
    if case.kind == "context":
        create(snippet / "context", case.given)
    return root


def _text(given: str | Mapping[str, Any]) -> bytes:
    if isinstance(given, str):
        return given.encode()
    if "hex" in given:
        return bytes.fromhex(given["hex"])
    return str(given.get("before", "") + given["repeat"] * given["times"] + given.get("after", "")).encode()


def create(context: Path, given: Mapping[str, Any]) -> None:
    """Put one thing into the context: a file, folder, link, pipe, socket or device; or several `files` with texts."""
    if "and" in given:
        create(context, given["and"])
    if "files" in given:
        write(context, given["files"])
        return
    kind = next(key for key in ("file", "folder", "link", "pipe", "socket", "device") if key in given)
    path = context / given[kind]
    if kind == "link" and not given[kind].strip("./"):
        path = Path(os.path.normpath(path))
        shutil.rmtree(path)
    elif kind != "folder":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    match kind:
        case "file" if "count" in given:
            for number in range(given["count"]):
                (context / f"{path.name}{number}").touch()
        case "file" if "depth" in given:
            (path.parent / "/".join([path.name] * given["depth"])).mkdir(parents=True)
        case "file":
            path.write_text(given.get("text", "x"))
            if "size" in given:
                os.truncate(path, given["size"])
        case "folder":
            path.mkdir(parents=True)
        case "link":
            path.symlink_to(given["to"])
        case "pipe":
            os.mkfifo(path)
        case "socket":
            here = os.getcwd()  # noqa: PTH109 - the path of a socket has to be short
            os.chdir(path.parent)
            try:
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(path.name)
            finally:
                os.chdir(here)
        case _:
            # /dev/zero: what is read from it has no end
            os.mknod(path, 0o644 | 0o020000, os.makedev(1, 5))
