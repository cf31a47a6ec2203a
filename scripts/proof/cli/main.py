"""The command `proof`: its verbs, and the only place that turns errors into exit codes.

To add a verb, write a module with `add_parser` and name it in `_VERBS`. Verbs import what they need when they run, so
that `proof --help` answers at once.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from proof.cli import check, engine, explain, facts, history, init, publish, render, schema, serve, shards, status
from proof.core.errors import ProofError, UsageError, print_error
from proof.core.text import spell_out

_VERBS = (init, check, serve, status, facts, explain, history, render, publish, shards, engine, schema)
EXTRA = "proof-pages[site]"  # with the packages that only `serve` and `publish` need
EXIT_CODES = {
    0: "accurate",
    1: "drift",
    2: "wrong use",
    3: "could not measure",
    4: "another environment",
    70: "unexpected error",
    130: "interrupted",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    codes: list[int] = []
    # Whatever a thread was doing, the rest may be wrong without it.
    threading.excepthook = lambda crash: codes.append(_crashed(crash.exc_value))
    words = sys.argv[1:] if arguments is None else arguments
    with contextlib.ExitStack() as log:
        try:
            codes.append(_run(words, log))
        except Exception as error:  # noqa: BLE001 - Python would exit with 1, which means drift
            codes.append(_crashed(error))
        logging.getLogger(__name__).info("exit code %d", max(codes))
    return max(codes)


def _crashed(error: BaseException | None) -> int:
    from proof.core import crash

    return crash.report(error or RuntimeError("unknown"))


def _run(words: Sequence[str], log: contextlib.ExitStack) -> int:
    """Run the command line. Its log ends with the stack. Raises only what nobody expected."""
    codecs.register_error(spell_out.__name__, spell_out)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a pipe or a terminal may have another encoding than UTF-8
        sys.stdout.reconfigure(errors=spell_out.__name__)
    known = parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may come next
        import argcomplete

        argcomplete.autocomplete(known)
    from proof.core import call_log

    parsed = known.parse_args(words)
    log.enter_context(call_log.recording(words, verbose=parsed.verbose))
    try:
        code: int = parsed.run(parsed)
    except ProofError as error:
        return _fail(error.code, f"proof: {error}")
    except KeyboardInterrupt:
        return _fail(130, "\nproof: interrupted; finished results are kept")
    except ModuleNotFoundError as error:
        if (error.name or "proof").partition(".")[0] == "proof":
            raise
        what = f"`proof {parsed.verb}` needs the package {error.name}, which is not installed here"
        missing = UsageError(what, hint=f"pip install '{EXTRA}'")
        return _fail(missing.code, f"proof: {missing}")
    except BrokenPipeError:  # `proof facts | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        from proof.core import files

        if (trouble := files.disk_error(error)) is None:
            raise
        return _fail(trouble.code, f"proof: {trouble}")
    return code


def _fail(code: int, text: str) -> int:
    logging.getLogger(__name__).debug(text)
    print_error(text)
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; the reference page is generated from it too."""
    codes = ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
    found = argparse.ArgumentParser(
        prog="proof",
        description="Run the commands of an article for real, and put their results into its pages.",
        epilog=f"Exit codes: {codes}.",
    )
    found.add_argument(
        "--project", type=Path, default=None, metavar="DIR", help="the project (default: around the working directory)"
    )
    found.add_argument(
        "-v", "--verbose", action="store_true", help="print what is started, chosen and left out to standard error"
    )
    found.add_argument("--version", action=_Version, help="print the version of the tool, and exit")
    verbs = found.add_subparsers(required=True, dest="verb", metavar="VERB")
    for verb in _VERBS:
        verb.add_parser(verbs)
    return found


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's name
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from proof.core import crash

        tool = crash.distribution()
        print(f"{parser.prog} {tool.version if tool else 'of an unknown version'}")  # noqa: T201 - a version
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
