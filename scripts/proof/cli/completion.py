"""`proof completion`: lets a shell complete verbs, options and the names of snippets."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "completion",
        help="print the script that lets a shell complete the command line",
        description="Print the script that lets a shell complete the command line. "
        'To use it: eval "$(proof completion bash)"',
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="for this shell")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["proof"], shell=parsed.shell))
    return 0
