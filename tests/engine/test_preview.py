"""`scripts/serve` with a real engine: a save runs only its snippet, and problems are shown until they are fixed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from proof.preview.preview import Preview
from proof.preview.server import Server
from proof.preview.site import Site
from proof.preview.watch import Watch
from proof.publish.scripts import Scripts
from tests.support.helpers import REPOSITORY, edit, measure, tiny, tree

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory, engine: Engine, cache: Path) -> Path:
    root = tiny(tmp_path_factory.mktemp("captured"))
    assert {result.verdict for result in measure(root, engine, cache, write=True)} == {"written"}
    return root


@pytest.fixture
def project(tmp_path: Path, captured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(captured, tmp_path / "project"))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def site(project: Path, tmp_path: Path) -> Site:
    return Site(project, tmp_path / "built")


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    with Server(0, lambda: site.shown, Scripts.of(REPOSITORY)) as running:
        yield running
        running.shutdown()


@pytest.fixture
def preview(project: Path, site: Site, server: Server, engine: Engine, cache: Path) -> Preview:
    started = Preview(project, site, server, Watch(project, engine, cache))
    started.step()  # the first build
    assert server.problems == ""
    return started


def page(site: Site) -> str:
    return (site.shown / "index.html").read_text("utf-8")


def test_a_save_runs_its_snippet_alone(project: Path, site: Site, preview: Preview) -> None:
    """The page shows the new output, and captures of no other snippet are touched."""
    before = tree(project / "snippets")
    edit(project / "snippets/count/context/note.txt", "a note", "one more note")
    preview.step()
    assert ">7</data> words" in page(site)
    changed = {name for name, content in tree(project / "snippets").items() if content != before.get(name)}
    assert {name.split("/")[0] for name in changed} == {"count"}
    after = tree(project / "snippets")
    for _ in range(3):  # all pages, once more, nothing left to do
        preview.step()
    assert tree(project / "snippets") == after


@pytest.mark.parametrize(
    ("file", "edited", "says"),
    [
        ("note/context/Dockerfile", ("COPY note.txt", "COPY letter.txt"), "note: drift"),
        ("note/snippet.toml", ('"docker run note"', '"docker run --privileged note"'), "snippet.toml:11: "),
        ("fails/snippet.toml", ("exit = 127", "exit = 126"), "fails: drift"),
    ],
)
def test_what_goes_wrong_is_said_until_it_is_mended(
    file: str, edited: tuple[str, str], says: str, project: Path, *, server: Server, preview: Preview
) -> None:
    """A broken Dockerfile, a refused command or a wrong expectation is shown in the browser; captures stay."""
    before = tree(project / "snippets")
    edit(project / "snippets" / file, *edited)
    preview.step()
    assert says in server.problems
    preview.step()  # all pages
    assert says in server.problems
    edit(project / "snippets" / file, *reversed(edited))
    preview.step()
    preview.step()
    assert server.problems == ""
    assert tree(project / "snippets") == before


def test_a_claim_that_fails_now_is_said(project: Path, site: Site, server: Server, preview: Preview) -> None:
    """The page shows the new facts, and the sentence that they contradict."""
    edit(project / "snippets/note/context/Dockerfile", "COPY", "RUN touch /srv/another\nCOPY")
    preview.step()
    assert "this claim is false" in server.problems
    assert "note.own_layers = 2" in server.problems
    assert "/srv/another" in page(site)


def test_what_is_never_the_same_twice_is_said(project: Path, server: Server, preview: Preview) -> None:
    """Output that varies is shown after the first run, and reported as unstable after the second."""
    script = project / "snippets/count/context/words.sh"
    edit(script, "wc -w note.txt", "wc -w note.txt; cat /proc/sys/kernel/random/uuid")
    preview.step()
    assert "unstable" not in server.problems
    preview.step()  # all pages
    preview.step()  # once more
    assert "count: unstable" in server.problems
