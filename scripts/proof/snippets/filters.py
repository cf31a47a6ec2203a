"""The programs that the output of a command may be piped into.

They run on this machine, without a shell and in a sandbox, so they may only read their input: no file, no program, and
no pattern that others would read differently. GNU's, BSD's and BusyBox's agree on what is accepted here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from proof.core.errors import RefusedError

_KEY = r"-(?:[hnru]{1,4}|k\0?[1-9][0-9]?)"
# The arguments of each, joined by NUL.
_ARGUMENTS = {
    "head": re.compile(r"(?:-[0-9]{1,4}|-n\0?[0-9]{1,4})?"),
    "tail": re.compile(r"(?:-[0-9]{1,4}|-n\0?\+?[0-9]{1,4})?"),
    "grep": re.compile(r"(?:-[EFciovwx]{1,8}\0)*[^-\0][^\0]*"),
    "sort": re.compile(rf"(?:{_KEY}(?:\0{_KEY})*)?"),
    "wc": re.compile(r"-l"),
}
KNOWN = "head, head -3, tail -n +2, grep 'text', grep -v -F 'text', sort, sort -rn -k 2 and wc -l"


def check(argv: Sequence[str], refuse: Callable[[str, str], RefusedError]) -> None:
    """Raises the error that `refuse` makes of a reason and a hint, unless this is an allowed filter."""
    known = _ARGUMENTS.get(argv[0])
    if known is None or "" in argv or not known.fullmatch("\0".join(argv[1:])):
        raise refuse(
            f"`|` is a pipe for a shell, but none runs this command: `{' '.join(argv)}` is refused after it",
            f"pipe only into filters like {KNOWN}; or run a shell in the container: docker run IMAGE sh -c 'a | b'",
        )
