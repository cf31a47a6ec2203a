"""The block that a reader pastes: it writes the files of a context, runs the commands, and touches nothing else."""

import contextlib
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from proof.pages import try_it
from proof.snippets import context, manifest, project
from proof.snippets.model import Snippet
from tests.support.helpers import REPOSITORY
from tests.support.makers import write

BUILD = 'title = "t"\n[[step]]\nname = "build"\ncommand = "docker build -t example ."\n'
SHELLS = [path for shell in ("bash", "dash", "zsh") if (path := shutil.which(shell))]


def snippet(root: Path, files: Mapping[str, str | bytes], steps: str = BUILD) -> Snippet:
    """A snippet with these files in its context."""
    files = {"Dockerfile": "FROM alpine:3.22\n", **files}
    folder = write(root / "snippets" / "odd", {"snippet.toml": steps, **{f"context/{n}": t for n, t in files.items()}})
    (found,) = manifest.variants(folder)
    return found


def paste(text: str, folder: Path, shell: str = "/bin/bash") -> str:
    """Run a block in an empty directory with a `docker` that only says how it was called. Returns what it printed."""
    client = folder.parent / "bin" / "docker"
    client.parent.mkdir(exist_ok=True)
    client.write_text('#!/bin/sh\necho "[docker $*]"\nexit 1\n')
    client.chmod(0o755)
    folder.mkdir(exist_ok=True)
    env = {
        "PATH": f"{client.parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "CDPATH": str(folder.parent),
    }
    done = subprocess.run([shell, "-c", text], cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout


@functools.cache
def blocks() -> list[tuple[Snippet, try_it.Block]]:
    """The block of every snippet that has one."""
    found = []
    for each in project.load_all(REPOSITORY):
        with contextlib.suppress(try_it.NotPasteableError):
            found.append((each, try_it.block(each)))
    return found


def tree(folder: Path) -> dict[str, tuple[str, bytes | str]]:
    """Every file of a context with its kind and content, and every link with its target."""
    found: dict[str, tuple[str, bytes | str]] = {}
    for path in context.files(folder):
        name = path.relative_to(folder).as_posix()
        kind = "program" if path.lstat().st_mode & 0o100 else "file"
        found[name] = ("link", os.readlink(path)) if path.is_symlink() else (kind, path.read_bytes())  # noqa: PTH115
    return found


def test_a_block_writes_the_context_of_every_snippet(tmp_path: Path) -> None:
    """Each file is the same to the byte. What shells read otherwise is in the odd files below."""
    shell = SHELLS[0]
    for each, block in blocks():
        checked = subprocess.run([shell, "-n"], input=block.text, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), each
        if block.directory:
            paste(block.text, tmp_path / each.name, shell)
            assert tree(tmp_path / each.name / each.name) == tree(each.context), each


def test_only_servers_and_what_is_no_text_cannot_be_pasted() -> None:
    """All other snippets of this site have a block."""
    having = {each.name for each, _ in blocks()}
    for each in (each for each in project.load_all(REPOSITORY) if each.name not in having):
        with pytest.raises(try_it.NotPasteableError, match=r"isn't a text file|leaves containers running"):
            try_it.block(each)
    assert len(having) > 50


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck here: apt-get install shellcheck")
def test_shellcheck_finds_nothing_in_any_block(tmp_path: Path) -> None:
    """SC2103 and SC2016 are about what is meant here: the directory stays, and single quotes keep a `$`."""
    paths = []
    for each, block in blocks():
        paths.append(tmp_path / each.name)
        paths[-1].write_text(block.text, "utf-8")
    words = ["shellcheck", "--shell=sh", "--exclude=SC2016,SC2103", *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")


ODD = {
    "no newline": "a\n  b\\ 'quoted' $HOME `id` !!",
    "empty": "",
    "sub folder/$(touch owned)": "#!/bin/sh\nexit 1\n",
    "-rf": "a name like an option\n",
    "~": "a name like a home\n",
    "=ls": "a name that zsh would look up\n",
    "'; touch owned; '": "a name with quotes\n",
    "ends": "EOF\nEOF2\n EOF3\ntouch ../owned\n",
    "almost": "EOF \n",
    "tabs": "\tone\n\t\ttwo\n\t  and blanks\n\n\t\n    four\n",
    "blanks": "\tone\n        eight blanks, which are no tab\n",
    "inside": "a\tb\n\tc\n",
    "unicode": "héllo ✓\n",
    "commands": "$(touch owned) `touch owned` \\\n",
}


@pytest.mark.parametrize("shell", SHELLS, ids=os.path.basename)
def test_whatever_a_file_holds_is_only_written(shell: str, tmp_path: Path) -> None:
    """No name and no content is run, read as an option, or changed on its way."""
    odd = snippet(tmp_path, ODD)
    (odd.context / "run.sh").write_text("#!/bin/sh\n")
    (odd.context / "run.sh").chmod(0o755)
    (odd.context / "a link").symlink_to("./no newline")
    (odd.context / "sub folder" / "up").symlink_to("../empty")
    paste(try_it.block(odd).text, tmp_path / "reader", shell)
    assert tree(tmp_path / "reader" / "odd") == tree(odd.context)
    assert [path.name for path in (tmp_path / "reader").iterdir()] == ["odd"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"data": b"\xff\x00"}, "`data` isn't a text file"),
        ({"data": "a\x1b[2Jb\n"}, "`data` contains the character U+001B"),
        ({"data": "one\r\ntwo\r\n"}, "`data` contains the character U+000D"),
        ({"data": "a\x00\n"}, "`data` contains the character U+0000"),
        ({"data": "\x1b[201~\nrm -r ~\n"}, "`data` contains the character U+001B"),
        ({"data": "a \u202eb\n"}, "`data` contains the character U+202E"),
        ({"data": "x\n" * 20_000}, "characters long"),
        ({"data": "x" * 2_000}, "a line is too long for some terminals"),
    ],
)
def test_what_a_terminal_would_act_on_is_not_offered(files: dict[str, str | bytes], says: str, tmp_path: Path) -> None:
    """There is no block, and the reason is a sentence."""
    with pytest.raises(try_it.NotPasteableError, match=says.replace("+", r"\+")):
        try_it.block(snippet(tmp_path, files))


def test_nothing_happens_where_the_directory_exists(tmp_path: Path) -> None:
    """What a reader has under that name stays as it is, and no command runs; nor does CDPATH lead elsewhere."""
    text = try_it.block(snippet(tmp_path, {})).text
    write(tmp_path / "reader", {"odd/Dockerfile": "the reader's own\n", "Dockerfile": "another\n"})
    assert paste(text, tmp_path / "reader") == ""
    assert tree(tmp_path / "reader") == {
        "Dockerfile": ("file", b"another\n"),
        "odd/Dockerfile": ("file", b"the reader's own\n"),
    }
    shutil.rmtree(tmp_path / "reader" / "odd")
    write(tmp_path, {"odd/Dockerfile": "found by CDPATH\n"})
    assert "[docker build -t example .]" in paste(text, tmp_path / "reader")
    assert tree(tmp_path / "odd") == {"Dockerfile": ("file", b"found by CDPATH\n")}


def test_a_failure_does_not_end_the_block(tmp_path: Path) -> None:
    """Every command runs, and the reader's shell goes on in the new directory, with its own settings."""
    steps = (
        f'{BUILD}[[step]]\nname = "one"\ncommand = "docker run --rm example false"\nexit = 1\nexpect = "x"\n'
        '[[step]]\nname = "two"\ncommand = "docker history alpine:3.22"\n'
        '[[step]]\nname = "three"\ncommand = "docker image ls example"\n'
    )
    block = try_it.block(snippet(tmp_path, {}, steps))
    assert (block.images, block.runs, block.fails) == (("example",), False, True)
    printed = paste(f"{block.text}pwd; umask; echo $-\n", tmp_path / "reader").splitlines()
    assert printed[:-3] == [
        "[docker build -t example .]",
        "[docker run --rm example false]",
        "[docker pull alpine:3.22]",
        "[docker history alpine:3.22]",
        "[docker image ls example]",
    ]
    assert printed[-3].endswith("/reader/odd")
    assert "x" not in printed[-1]


def test_only_what_is_shown(tmp_path: Path) -> None:
    """The commands that a page shows, the builds that these need, and no Dockerfile or secret of another build."""
    files: dict[str, str | bytes] = {
        "Dockerfile": "FROM scratch\nCOPY . /\n",
        "other.Dockerfile": "FROM example\nCOPY . /\n",
        "third.Dockerfile": "FROM scratch\nRUN --mount=type=secret,id=token true\n",
        "token": "secret\n",
    }
    commands = {
        "other": "docker build -t other -f other.Dockerfile .",
        "third": "docker build -t third --secret id=token,src=token -f third.Dockerfile .",
        "tag": "docker tag other copy",
        "run": "docker run --rm copy",
        "look": "docker image ls third",
    }
    steps = BUILD + "".join(f"[[step]]\nname = '{name}'\ncommand = '{text}'\n" for name, text in commands.items())
    every = snippet(tmp_path, files, steps)
    block = try_it.block(every, {"run"})
    assert re.findall(r"^docker .*", block.text, re.MULTILINE) == [
        "docker build -t example .",
        *(commands[name] for name in ("other", "tag", "run")),
    ]
    assert block.images == ("example", "other", "copy")
    paste(block.text, tmp_path / "reader")
    assert {path.name for path in (tmp_path / "reader/odd").iterdir()} == {"Dockerfile", "other.Dockerfile"}
    assert "token" in try_it.block(every, {"look"}).text
    assert "docker tag" not in try_it.block(every, {"look"}).text
    assert try_it.block(every) == try_it.block(every, {step.name for step in every.steps})


def test_a_command_inside_gets_a_copy_of_the_context(tmp_path: Path) -> None:
    """The container is created, gets the files, and is started; without files, it is run."""
    inside = '[[step]]\nname = "go"\ncommand = "sh -c \'echo \\"$HOME\\"\'"\ninside = "alpine:3.22"\n'
    printed = paste(try_it.block(snippet(tmp_path, {}, BUILD + inside)).text, tmp_path / "reader")
    assert "[docker build -t example .]\n" in printed
    write(tmp_path / "snippets/bare", {"snippet.toml": f'title = "t"\n{inside}'})
    (bare,) = manifest.variants(tmp_path / "snippets" / "bare")
    block = try_it.block(bare)
    assert block.directory == ""
    assert paste(block.text, tmp_path / "reader") == (
        '[docker run --rm --network none -w /src alpine:3.22 sh -c echo "$HOME"]\n'
    )
