"""What somebody who is new to the tool gets wrong, and the message that says what to do instead."""

from pathlib import Path

import pytest

from proof.cli import run_snippets
from proof.runs.result import Result
from proof.snippets.model import Snippet
from tests.support.helpers import edit, succeeded, tiny
from tests.support.in_process import proof

NOTE = "snippets/note/snippet.toml"
DOCKERFILE = "snippets/note/context/Dockerfile"
PAGE = "docs/index.md"
CLAIM = "claim: note.own_layers == 1"


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the snippets that were run. Each is accurate."""
    names: list[str] = []

    def run(snippets: list[Snippet], *_: object) -> dict[str, Result]:
        names.extend(snippet.name for snippet in snippets)
        return {snippet.name: Result(snippet, "accurate") for snippet in snippets}

    monkeypatch.setattr(run_snippets, "run_snippets", run)
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    return names


FROM = "FROM alpine:3.22\nCOPY"
SLIPS = [
    (NOTE, "-t note .", "-t Note .", "names of images are in lower case: note"),
    (NOTE, "-t note .", "-t @note .", "use a name in lower case, as in example or example:1.0"),
    (NOTE, "docker build -t", "docker build --platform amd64 -t", "use a platform, as in linux/amd64"),
    (NOTE, "image ls note", "image ls note | sed 1d", "pipe only into filters like head"),
    (NOTE, '[[step]]\nname = "build"', '[step]\nname = "build"', "if there can be several, write [[step]] above each"),
    (DOCKERFILE, FROM, "FROM node:22-alpine\nCOPY", "add a [[base]]"),
    (DOCKERFILE, "mkdir /empty", "echo $((1<<2))", "write the number"),
    (PAGE, CLAIM, "claim note.own_layers == 1", "write {{ claim: note.own_layers == 1 }}"),
    (PAGE, CLAIM, "waiver an example of it", "write {{ waiver: an example of it }}"),
    (PAGE, CLAIM, "claim: note.own_size < 11 MB", "write MB(11)"),
    (PAGE, CLAIM, "claim: note.own_size < 12.5kB", "write MB(0.0125)"),
    (PAGE, CLAIM, "claim: note.own_layers = 1", "write note.own_layers == 1"),
]


@pytest.mark.parametrize(("file", "old", "new", "hint"), SLIPS)
def test_a_slip(file: str, old: str, new: str, hint: str, root: Path) -> None:
    """The hint says what was meant, not what a parser or a regular expression made of it."""
    edit(root / file, old, new)
    done = proof("status", cwd=root)
    assert done.returncode == 2
    assert f"{file}:" in done.stdout + done.stderr
    assert f"hint: {hint}" in done.stdout + done.stderr


@pytest.mark.parametrize("path", ["snippets/note", "snippets/note/", "./note"])
def test_a_path_instead_of_a_name(path: str, root: Path) -> None:
    """Completing a file name in a shell ends with a path; the names of all other snippets would not help."""
    done = proof("check", path, cwd=root)
    assert (done.returncode, done.stderr) == (
        2,
        f"proof: '{path}' is a path, not the name of a snippet\n    hint: write note\n",
    )


def test_a_message_names_few_snippets(root: Path) -> None:
    """Of many snippets, the hint lists some."""
    for number in range(20):
        folder = root / f"snippets/more_{number:02}"
        (folder / "context").mkdir(parents=True)
        (folder / "snippet.toml").write_text((root / "snippets/count/snippet.toml").read_text())
    told = proof("check", "nobody", cwd=root).stderr
    assert "more_09, and 11 more" in told.splitlines()[-1]
    assert "more_10" not in told


BROKEN = (
    ("snippets/count/snippet.toml", "title =", "titel =", "snippets/count/snippet.toml:1: unknown key 'titel'"),
    (
        DOCKERFILE,
        "FROM alpine:3.22\nCOPY",
        "ONBUILD RUN id\nCOPY",
        f"{DOCKERFILE}:4: the instruction ONBUILD is refused",
    ),
)


@pytest.fixture
def broken(root: Path) -> Path:
    """Two of the three snippets are broken, and a page shows all of them."""
    for file, old, new, _ in BROKEN:
        edit(root / file, old, new)
    return root


@pytest.mark.parametrize("verb", ["status", "plan", "check", "update"])
def test_every_broken_snippet_is_reported_once(verb: str, broken: Path, ran: list[str]) -> None:
    """All of them at once, whatever the verb; the others are looked at, and the exit code is 2."""
    done = proof(verb, cwd=broken)
    assert done.returncode == 2, done.stdout + done.stderr
    for *_, says in BROKEN:
        assert (done.stdout + done.stderr).count(says) == 1
    assert "Traceback" not in done.stderr
    if verb in ("check", "update"):
        assert ran == ["fails"]
    if verb == "plan":
        assert "1/1  0 s  fails" in done.stdout


@pytest.mark.usefixtures("ran")
def test_a_broken_snippet_that_nobody_asked_for(broken: Path) -> None:
    """It is not in the way of another one; what is named is reported, with all that is wrong there."""
    (broken / "docs/fails.md").write_text("# Fails\n\n{{ transcript fails/run }}\n")
    edit(broken / PAGE, "{{ transcript fails/run }}", "")
    succeeded(proof("check", "fails", cwd=broken))
    done = proof("check", "count", cwd=broken)
    assert done.returncode == 2
    assert "count/snippet.toml:1: unknown key 'titel'" in done.stdout
    assert "MAINTAINER" not in done.stdout
    assert "no snippet is left to run" in done.stderr


def test_all_steps_of_a_manifest_are_read(root: Path) -> None:
    """Two mistakes in two steps are two problems."""
    edit(root / NOTE, "docker run note", "docker run -v /:/host note")
    edit(root / NOTE, "image ls note", "image rm")
    told = proof("status", cwd=root).stdout
    assert f"{NOTE}:11: the flag `-v` is refused" in told
    assert f"{NOTE}:15: the image is missing" in told


def test_a_snippet_without_a_capture_is_one_problem(tmp_path: Path) -> None:
    """However often pages use it: one message, with all places and the command to run."""
    root = tiny(tmp_path)
    done = proof("status", cwd=root)
    assert done.returncode == 2
    assert "unknown fact" not in done.stdout
    assert done.stdout.count("never captured") == 3
    assert (
        " ✗ snippets/note/snippet.toml: note was never captured; 10 places use it\n"
        "       | docs/index.md:3, 5, 6, 10, 16, 18, 20\n"
        "       hint: proof update note\n"
    ) in done.stdout


def test_a_snippet_without_a_capture_stops_no_other(tmp_path: Path, ran: list[str]) -> None:
    """`proof check` says so, runs everything, and ends with 2: nothing is known to have drifted."""
    done = proof("check", cwd=tiny(tmp_path))
    assert done.returncode == 2
    assert ran == ["count", "fails", "note"]
    assert "note was never captured; 10 places use it" in done.stdout


def test_a_show_that_matches_nothing(root: Path) -> None:
    """Pages would show none of the output; one of several patterns may match nothing."""
    edit(root / "snippets/count/snippet.toml", "facts.words", "show = ['^nothing$', 'of the kind']\nfacts.words")
    done = proof("status", cwd=root)
    assert done.returncode == 2
    assert "snippets/count/snippet.toml:3: `show` matches no line that count/words printed\n" in done.stdout
    edit(root / "snippets/count/snippet.toml", "of the kind", "note.txt")
    assert proof("status", cwd=root).returncode == 0


def test_a_waiver_that_waives_nothing(root: Path) -> None:
    """It is a note, because the lint does not find everything that a reader may want the reason of."""
    edit(
        root / PAGE,
        "A shell",
        "A shell is not there. {{ waiver: a plain remark }} It takes 3 days. {{ waiver: so I guess }} A shell",
    )
    done = succeeded(proof("status", cwd=root))
    assert " · docs/index.md:26: this waiver waives nothing that the lint finds: A shell is not there.\n" in done.stdout
    assert done.stdout.count("waives nothing") == 1
