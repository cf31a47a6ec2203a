"""What is said of a step that did not do what its manifest declares. The logs are verbatim, of Docker 26."""

from pathlib import Path

import pytest

from proof.captures.diff import Difference
from proof.runs import failure
from proof.runs.execute import StepRun
from proof.runs.failure import NotAsDeclaredError
from proof.snippets import manifest
from tests.support.helpers import edit, tiny

RUN = """\
#4 [paper 1/2] FROM docker.io/library/alpine:3.22
#4 DONE 0.1s

#5 [internal] load build context
#5 transferring context: 62B 0.1s done
#5 DONE 0.7s

#6 [paper 2/2] RUN mkdir /empty  && echo before && ls /nowhere
#6 0.746 ls: /nowhere: No such file or directory
#6 0.764 before
#6 ERROR: process "/bin/sh -c mkdir /empty  && echo before && ls /nowhere" did not complete successfully: exit code: 1
------
 > [paper 2/2] RUN mkdir /empty  && echo before && ls /nowhere:
0.746 ls: /nowhere: No such file or directory
0.764 before
------
Dockerfile:2
--------------------
   1 |     FROM alpine:3.22 AS paper
   2 | >>> RUN mkdir /empty \\
   3 | >>>  && echo before && ls /nowhere
   4 |    \x20
--------------------
ERROR: failed to solve: process "/bin/sh -c mkdir /empty  && echo before && ls /nowhere" did not complete \
successfully: exit code: 1
"""
COPY = """\
#6 [paper 2/2] RUN mkdir /empty  && echo before
#6 ...

#7 [stage-1 1/1] COPY nope.txt /srv/note.txt
#7 ERROR: failed to calculate checksum of ref 5e28a28c-071b-49fa-bf78-02bd0badb2bb::46y0: "/nope.txt": not found

#6 [paper 2/2] RUN mkdir /empty  && echo before
#6 0.387 before
#6 DONE 2.0s
------
 > [stage-1 1/1] COPY nope.txt /srv/note.txt:
------
Dockerfile:6
--------------------
   4 |    \x20
   5 |     FROM paper
   6 | >>> COPY nope.txt /srv/note.txt
--------------------
ERROR: failed to solve: failed to compute cache key: "/nope.txt": not found
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny(tmp_path)


def ran(root: Path, step: str, output: str, code: int = 1, snippet: str = "note") -> StepRun:
    (found,) = (s for s in manifest.variants(root / "snippets" / snippet)[0].steps if s.name == step)
    return StepRun(found, code, output, 0.1)


def said(wrong: StepRun, root: Path) -> str:
    """The message for a snippet that was never captured."""
    snippet = manifest.variants(root / "snippets" / wrong.step.snippet)[0]
    difference = Difference(wrong.step.where, str(wrong.step), "exit 0", failure.why(wrong))
    return str(failure.never_captured(snippet, NotAsDeclaredError(difference, wrong), difference))


def test_what_the_failing_instruction_printed_comes_first(root: Path) -> None:
    """Not the excerpt of the Dockerfile, with which the log ends."""
    assert failure.why(ran(root, "build", RUN)).splitlines() == [
        "RUN mkdir /empty  && echo before && ls /nowhere",
        "ls: /nowhere: No such file or directory",
        "before",
        (
            'ERROR: process "/bin/sh -c mkdir /empty  && echo before && ls /nowhere" did not complete successfully: '
            "exit code: 1"
        ),
    ]
    assert failure.why(ran(root, "build", COPY)).splitlines()[0] == "COPY nope.txt /srv/note.txt"


def test_a_long_output_is_cut_in_the_middle(root: Path) -> None:
    """The instruction, the last lines that it printed, and the error; of another command the last lines."""
    printed = "".join(f"#6 0.{number} line {number}\n" for number in range(100, 140))
    shown = failure.why(ran(root, "build", RUN.replace("#6 0.764 before\n", printed))).splitlines()
    assert shown[1:3] == ["⋮ 29 more lines", "line 128"]
    assert shown[-1].startswith("ERROR: process")
    lines = "".join(f"line {number}\n" for number in range(20))
    shown = failure.why(ran(root, "run", lines)).splitlines()
    assert (shown[0], shown[1], shown[-1]) == ("⋮ 8 more lines", "line 8", "line 19")


@pytest.mark.parametrize(("log", "line"), [(RUN, 2), (COPY, 6)])
def test_a_first_build_that_fails(log: str, line: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not drift: the message names the line of the Dockerfile, and what to do."""
    monkeypatch.chdir(root)
    place = f"snippets/note/context/Dockerfile:{line}"
    told = said(ran(root, "build", log), root).splitlines()
    assert told[0] == f"{place}: note/build failed, and nothing was captured before"
    assert told[-1] == f"    hint: fix {place}, or declare `exit` and `expect`"


def test_another_first_step_that_fails(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named by its line in the manifest; one that was to fail, and did not, says so."""
    monkeypatch.chdir(root)
    told = said(ran(root, "run", "cat: can't open '/srv/note.txt'\n"), root)
    assert told == (
        "snippets/note/snippet.toml:9: note/run failed, and nothing was captured before\n"
        "    | cat: can't open '/srv/note.txt'\n"
        "    hint: fix the command, or declare `exit` and `expect`"
    )
    told = said(ran(root, "run", "hello\n", 0, "fails"), root)
    assert told.startswith("snippets/fails/snippet.toml:9: fails/run did not fail, and nothing was captured before\n")


def test_a_program_cannot_name_a_line(root: Path) -> None:
    """What a command prints has a prefix in the log, so it is not taken for BuildKit's excerpt of the Dockerfile."""
    faked = RUN.replace("#6 0.764 before\n", "#6 0.764 ------\n#6 0.764 Dockerfile:9\n#6 0.764 --------------------\n")
    assert "Dockerfile:2: note/build failed" in said(ran(root, "build", faked), root)


def test_the_whole_output_is_kept(root: Path, tmp_path: Path) -> None:
    """In a file of the cache, which the message names; harmless to print, as a program may have written anything."""
    told = failure.keep(ran(root, "build", RUN + "\x1b[31m"), root, tmp_path / "cache")
    assert told.startswith(f"all of its output: {tmp_path}/cache/logs/")
    assert told.endswith("/note-build.log")
    text = Path(told.partition(": ")[2]).read_text("utf-8")
    assert text.startswith(RUN)
    assert "\x1b" not in text
    (tmp_path / "file").write_text("")
    assert failure.keep(ran(root, "build", RUN), root, tmp_path / "file") == ""


def test_a_missing_fact_of_a_first_run(root: Path) -> None:
    """It is not drift either."""
    edit(root / "snippets/count/snippet.toml", "note.txt$", "letter.txt$")
    snippet = manifest.variants(root / "snippets/count")[0]
    rule = snippet.steps[0].facts["words"]
    difference = Difference(rule.where, "count.words", "a value", "6 note.txt")
    error = failure.never_captured(snippet, NotAsDeclaredError(difference), difference)
    assert error.code == 2
    assert error.what == "count.words was not found, and nothing was captured before"
