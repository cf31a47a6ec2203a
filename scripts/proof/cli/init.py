"""`proof init` and `proof new`: the files that an author starts with."""

from __future__ import annotations

import argparse
import errno
from pathlib import Path

from proof.cli.options import Verbs, project_root, snippet_names
from proof.core.errors import UsageError, command

_UNUSABLE = (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)
_GENERATORS = ("material", "mkdocs", "properdocs")
_ADD = {
    "mkdocs.yml": "add `proof` to its markdown_extensions",
    "properdocs.yml": "add `proof` to its markdown_extensions",
    "docs/index.md": "show the number with {{ hello.size }}, and the output with {{ transcript hello/run }}",
}


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare both verbs."""
    init = verbs.add_parser(
        "init",
        help="make a project",
        description="Make a project: a page with a measured number, its snippet, and everything around them. "
        "Existing files are left unchanged.",
    )
    init.add_argument("directory", nargs="?", default=".", metavar="DIR", help="where (default: the working directory)")
    init.add_argument(
        "--site", choices=_GENERATORS, help="what builds the site (default: material if it is installed, or mkdocs)"
    )
    init.add_argument(
        "--bases",
        choices=("rebuilt", "registry"),
        default="registry",
        help="pull base images, or rebuild them from pinned packages (default: registry)",
    )
    init.set_defaults(run=_init)
    new = verbs.add_parser(
        "new",
        help="make a snippet",
        description="Make a snippet, with a Dockerfile to begin with or as a copy of another snippet.",
    )
    new.add_argument("name", metavar="NAME", help="its name: a lowercase letter, then lowercase letters, digits and _")
    like = new.add_argument("--from", dest="like", default="", metavar="OTHER", help="copy the files of this snippet")
    like.completer = snippet_names  # type: ignore[attr-defined]  # as argcomplete looks for it
    new.set_defaults(run=_new)


def _init(parsed: argparse.Namespace) -> int:
    from proof.reports.terminal import Terminal
    from proof.starters import project

    root, terminal = Path(parsed.directory), Terminal()
    try:
        if not parsed.directory:
            raise UsageError("the directory has no name", hint="proof init DIR, or proof init for this one")
        made = project.make(root.absolute(), parsed.site or project.default_generator(), parsed.bases)
    except OSError as error:
        if error.errno not in _UNUSABLE:
            raise
        raise UsageError(
            f"no project can be in {parsed.directory:.100}: {error.strerror}", hint="use another directory"
        ) from error
    for name in made.written:
        terminal.say(f" ✎ {name}")
    for name in made.kept:
        terminal.say(f" · {name} is as it was{f': {_ADD[name]}' if name in _ADD else ''}", "yellow")
    into = "" if parsed.directory == "." else f"{command('cd', root)}, then "
    terminal.say(f"Next: {into}proof update runs the snippet, and proof serve shows the page.")
    return 0


def _new(parsed: argparse.Namespace) -> int:
    from proof.core.errors import Where
    from proof.reports.terminal import Terminal
    from proof.starters import snippet

    made = snippet.make(project_root(parsed), parsed.name, parsed.like)
    terminal = Terminal()
    terminal.say(f" ✎ {Where(made / 'snippet.toml')}")
    update = command("proof", "update", made.name)
    terminal.say(f"Next: {update}, then show it on a page: {{{{ transcript {made.name}/build }}}}")
    return 0
