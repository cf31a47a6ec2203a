"""`proof schema`: what editors and linters of TOML read, to complete and check the files of a project."""

from __future__ import annotations

import argparse
import json

from proof.cli.options import Verbs


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "schema",
        help="print the JSON Schema of a TOML file, for editors",
        description="Print the JSON Schema (draft 4) of snippet.toml, bases.toml or proof.toml.",
    )
    parser.add_argument(
        "file", nargs="?", choices=("snippet", "bases", "proof"), default="snippet", help="which (default: snippet)"
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.snippets import schema

    print(json.dumps(schema.of(parsed.file), indent=2))  # noqa: T201 - our own text
    return 0
