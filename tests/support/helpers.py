"""Shared helpers: the repository, copies of the tiny project, and how to run the command."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from proof.captures import derived, fingerprint, index, store
from proof.captures.model import Capture, CapturedLayer, CapturedStep
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import scheduler, verify
from proof.runs.result import Result
from proof.snippets import base_images, project
from proof.snippets.capture_locations import Origin, folder_of
from proof.snippets.engine_version import Wording
from proof.snippets.model import Snippet, Step
from proof.system import locks, temp_folders
from tests.support import makers

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "tests" / "data" / "tiny"
# Of every made-up capture of an image.
LAYERS = (
    CapturedLayer("ADD rootfs /", 8_311_385, 87, f"sha256:{'a' * 64}", from_base=True),
    CapturedLayer("COPY note.txt /srv/note.txt # buildkit", 27, 1, f"sha256:{'b' * 64}", from_base=False),
)


def address(page: Path) -> str:
    """The URL of a page in docs/: `` for the article, `proof/` for both proof.md and proof/index.md."""
    name = page.relative_to(REPOSITORY / "docs").with_suffix("").as_posix()
    return "" if name == "index" else f"{name.removesuffix('/index')}/"


def tiny(folder: Path) -> Path:
    """A copy of the tiny project: another program, other facts, a page of its own, and no captures yet."""
    return Path(shutil.copytree(TINY, folder / "tiny"))


def captured(root: Path) -> Path:
    """Give every snippet of a project a capture with made-up values that match its inputs."""
    known = base_images.load(root)
    keys = {name: known.key(name) for name in known.images}
    for snippet in project.load_all(root):
        layers = LAYERS if snippet.image else ()
        facts = derived.of_image(snippet, layers)
        if snippet.image:
            facts |= derived.of_configuration({"command": '["cat"]', "platform": "linux/amd64"})
        steps = tuple(CapturedStep(s.name, s.text, s.inside, s.exit, 0.1, printed(s)) for s in snippet.steps)
        for step in snippet.steps:
            for rule in step.facts.values():
                if (fact := derived.of_output(step, rule, printed(step))) is not None:
                    facts[rule.name] = fact
        source = replace(
            makers.capture().provenance,
            date="2026-01-02T03:04:05Z",
            engine="docker 26",
            bases={name: known.made_of(name) for name in snippet.bases},
        )
        capture = makers.capture(
            snippet=snippet.name,
            inputs=fingerprint.of(snippet, keys, "docker 26"),
            steps=steps,
            facts=facts,
            layers=layers,
            provenance=source,
        )
        store.save(capture, folder_of(snippet.folder, "rebuilt", snippet.variant))
    return root


def capture_in(folder: Path) -> Capture:
    """The capture in a directory, which has one."""
    found = store.load(folder)
    assert found is not None
    return found


def capture_of(
    root: Path, snippet: str = "note", origin: Origin = "rebuilt", variant: str = "", wording: Wording = "docker-28"
) -> Capture:
    """The capture of a snippet of the project, which has one."""
    return capture_in(folder_of(root / "snippets" / snippet, origin, variant, wording))


def up_to_date(root: Path) -> Path:
    """Let the captures of a project be of its snippets as they are now, whatever they say."""
    known = base_images.load(root)
    keys = {name: known.key(name) for name in known.images}
    for snippet in project.load_all(root):
        for place, old in index.each(snippet.folder, snippet.variant):
            by = old.inputs.get(fingerprint.ENGINE, "docker 26")
            new = replace(old, inputs=fingerprint.of(snippet, keys, by))
            store.save(new, place.folder(snippet.folder, snippet.variant))
    return root


def printed(step: Step) -> str:
    """The output of a step in a made-up capture."""
    return "".join(f"{line}\n" for line in (step.expect, "6 note.txt" if step.facts else "") if line)


def of_layers(capture: Capture, snippet: Snippet, layers: Sequence[CapturedLayer]) -> Capture:
    """The capture of an image of these layers."""
    facts = {name: fact for name, fact in capture.facts.items() if not re.fullmatch(r"layer_\d+", name)}
    return replace(capture, layers=tuple(layers), facts=facts | derived.of_image(snippet, layers))


def results(root: Path) -> list[Result]:
    """The results of a run of a project with made-up captures: each is accurate."""
    found = []
    for snippet in project.load_all(root):
        old = capture_in(folder_of(snippet.folder, "rebuilt", snippet.variant))
        store.save(old, folder_of(snippet.folder, "rebuilt", snippet.variant))
        found.append(Result(snippet, "accurate", old=old, new=old))
    return found


def measure(
    root: Path,
    engine: Engine,
    cache: Path,
    *names: str,
    write: bool = False,
    jobs: int = 1,
    fresh: bool = False,
    on_step: Callable[[Step], None] = lambda step: None,
) -> list[Result]:
    """What `proof check` or `proof update` does once it has an engine."""
    known = base_images.load(root)
    snippets = project.load_all(root, list(names))
    known.check(snippets)
    loaded = {
        name: loader.ensure(known, name, engine, origin="rebuilt", cache=cache) for name in base_images.wanted(snippets)
    }
    session = verify.Session(
        root=root,
        engine=engine,
        bases=known,
        loaded=loaded,
        origin="rebuilt",
        cache=cache,
        provenance=verify.provenance(root, engine, loaded),
        fresh=fresh,
        on_step=on_step,
    )
    one = partial(verify.verify, session=session, write=write)
    return sorted(scheduler.run(snippets, one, jobs=jobs), key=lambda result: result.snippet.name)


def proof(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """The command, as a user runs it."""
    return module("proof.cli.main", *arguments, cwd=cwd, env={"COLUMNS": "80", **(env or {})}, timeout=timeout)


def module(*argv: str, cwd: Path, env: Mapping[str, str], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """A program of this Python."""
    call, env = [sys.executable, "-m", *argv], {**os.environ, **env}
    return subprocess.run(call, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)


def succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """A command that ended with 0, or the test fails with all that it printed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def git(folder: Path, *words: str) -> str:
    """What git prints there, as somebody whose own settings do not matter."""
    mine = "-c user.name=a -c user.email=a@example.invalid -c commit.gpgsign=false -c init.defaultBranch=main".split()
    argv = ["git", *mine, *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def mkdocs(root: Path, site: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Build the site strictly. Not with --quiet, with which MkDocs does not count warnings."""
    env = {"NO_MKDOCS_2_WARNING": "1", **(env or {})}
    return module("mkdocs", "build", "--strict", "--site-dir", str(site), cwd=root, env=env)


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file. Fails if the text is not there."""
    text = path.read_bytes().decode()
    assert old in text, f"{old!r} is not in {path}"
    path.write_bytes(text.replace(old, new, 1).encode())


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and what is in it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def data_values(html: str) -> Sequence[tuple[str, str]]:
    """The (value, text) of every fact on a page."""
    return re.findall(r'<data class="fact[^"]*"[^>]*? value="([^"]*)"[^>]*>(.*?)</data>', html)


def is_free(lock: Path) -> bool:
    """Whether nobody holds the lock."""
    held = locks.take(lock)
    if held is not None:
        os.close(held)
    return held is not None


def snapshot(engine: Engine) -> list[list[str]]:
    """Everything in the engine that belongs to its user, but for the build cache."""
    return [
        sorted(engine.client.call(*words).text().splitlines())  # equal dates come in any order
        for words in (
            ("image", "ls", "--all", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"),
            ("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"),
            ("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
            ("volume", "ls", "--format", "{{.Name}}"),
        )
    ]


def processes(*words: bytes) -> list[int]:
    """The processes that have one of these in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if any(word in text for word in words) and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def none_left(temporary: Path, *words: bytes) -> bool:
    """True if a killed run, with its temporary directories there, left no process with one of these words.

    What the kernel may leave is ended as by the next run: see `sandbox.kill_all_with`.
    """
    temp_folders.sweep(temporary)
    return not processes(*words)


def wait_until(true: Callable[[], object], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)
