"""What `scripts/serve` shows while an author writes: new pages with their problems, in the browser and in no file."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from preview.__main__ import Preview
from preview.files import Files
from preview.server import Server
from preview.site import Site
from tests.helpers import captured, edit, mkdocs, tiny, tree

NEWS = "/-preview/"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = captured(tiny(tmp_path))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def site(project: Path, tmp_path: Path) -> Site:
    built = Site(project, tmp_path / "built")
    built.build()
    return built


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    with Server(0, lambda: site.shown) as running:
        yield running
        running.shutdown()


def said(site: Site) -> str:
    return "\n".join(problem for found in site.problems.values() for problem in found)


def get(server: Server, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=10) as response:
        return str(response.read().decode())


def news(server: Server) -> dict[str, object]:
    """The first event that a browser gets that shows the first page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{NEWS}news?/", timeout=10) as response:
        return dict(json.loads(response.readline().decode().removeprefix("data: ")))


def test_a_page_is_shown_with_what_is_wrong_with_it(project: Path, site: Site) -> None:
    """A false claim and an unknown fact do not keep the page back; mended, they are gone."""
    page = project / "docs/index.md"
    assert said(site) == ""
    edit(page, "note.own_layers == 1", "note.own_layers == 7")
    edit(page, "# What does a note weigh?", "# What does it weigh? {{ note.weight }}")
    site.build_pages([page])
    assert "docs/index.md:1: there is no fact 'note.weight'" in said(site)
    assert "docs/index.md:6: this is not so" in said(site)
    assert "What does it weigh?" in (site.shown / "index.html").read_text("utf-8")
    edit(page, "note.own_layers == 7", "note.own_layers == 1")
    edit(page, " {{ note.weight }}", "")
    site.build_pages([page])
    assert said(site) == ""


def test_what_stops_a_build_is_said_and_the_old_site_stays(project: Path, site: Site) -> None:
    """mkdocs.yml that cannot be read: the last good site is shown, with the reason."""
    shown = tree(site.shown)
    edit(project / "mkdocs.yml", "  - tables\n", "  - no_such_extension\n")
    site.build()
    assert "no_such_extension" in said(site)
    assert tree(site.shown) == shown
    edit(project / "mkdocs.yml", "  - no_such_extension\n", "  - tables\n")
    site.build()
    assert said(site) == ""


def test_pages_are_found_by_what_they_take(project: Path, site: Site) -> None:
    """A fact, a transcript or a file of a snippet; a word that happens to be its name is none of these."""
    other = project / "docs/other.md"
    other.write_text("# A note. And count/words.\n")
    index = project / "docs/index.md"
    assert site.showing("note") == site.showing("count") == {index}
    other.write_text('```\n--8<-- "count/context/words.sh"\n```\n')
    assert site.showing("count") == {index, other}


def test_a_browser_is_told(site: Site, server: Server) -> None:
    """What runs and what is wrong at once; another version where the page's file is another one."""
    first = news(server)
    assert (first["running"], first["problems"]) == ("", "")
    assert f'data-version="{first["version"]}"' in get(server, "/")
    server.say(running="note/build: docker build -t note .", problems="a problem")
    assert news(server) == first | {"running": "note/build: docker build -t note .", "problems": "a problem"}
    edit(site.shown / "index.html", "<body", "<body  ")
    assert news(server)["version"] != first["version"]


def test_no_file_of_a_site_holds_what_the_preview_adds(project: Path, site: Site, server: Server) -> None:
    """A page has the script while it is sent; neither the preview's own files nor a built site have it."""
    assert f"{NEWS}script.js" in get(server, "/")
    assert "EventSource" in get(server, f"{NEWS}script.js")
    assert mkdocs(project, project / "site").returncode == 0
    for folder in (site.shown, project / "site"):
        assert not [name for name, content in tree(folder).items() if NEWS.encode() in content]


def test_the_page_that_is_looked_at_comes_first(project: Path, site: Site, server: Server) -> None:
    """Of all pages that a snippet concerns, the one in a browser is built at once, and the others right after."""
    other = project / "docs/other.md"
    other.write_text("# Other\n\n{{ count.words }}\n")
    site.build()
    preview = Preview(project, site, server, None)
    preview.step()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{NEWS}news?/other/", timeout=10) as shown:
        assert shown.readline()
        edit(project / "snippets/count/captured/rebuilt/capture.json", '"value": 6', '"value": 7')
        preview.step()
        assert ">7</data>" in get(server, "/other/")
        assert ">6</data> words" in get(server, "/")
        preview.step()
        assert ">7</data> words" in get(server, "/")


def test_saves_are_seen(tmp_path: Path) -> None:
    """What is written, made and removed; not what whoever asks wrote itself."""
    (tmp_path / "a").write_text("1")
    files = Files(tmp_path)
    assert files.changed() == set()
    (tmp_path / "a").write_text("12")
    (tmp_path / "captured").mkdir()
    (tmp_path / "captured" / "b").write_text("3")
    files.look(tmp_path / "captured")
    assert files.changed() == {tmp_path / "a"}
    (tmp_path / "captured" / "b").unlink()
    assert files.changed() == {tmp_path / "captured" / "b"}


def test_a_style_reloads_every_page(project: Path, site: Site, server: Server) -> None:
    """No page's file is another one, and each looks otherwise, once the style is in the site that is shown."""
    preview = Preview(project, site, server, None)
    preview.step()
    before = news(server)["version"]
    (project / "docs" / "style.css").write_text("body { color: red }")
    preview.step()
    assert news(server)["version"] == before
    preview.step()
    assert news(server)["version"] != before
    assert "red" in get(server, "/style.css")


def test_a_capture_that_was_updated_elsewhere_is_shown(project: Path, site: Site, server: Server) -> None:
    """Without an engine a save rebuilds pages: here for a capture that another command wrote."""
    preview = Preview(project, site, server, None)
    before = news(server)["version"]
    record = project / "snippets/count/captured/rebuilt/capture.json"
    edit(record, '"value": 6', '"value": 7')
    os.utime(record)
    preview.step()
    assert news(server)["version"] != before
    assert "It holds <data" in get(server, "/")
    assert ">7</data> words" in get(server, "/")
