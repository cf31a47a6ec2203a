"""What `scripts/serve` shows while an author writes: new pages, with their problems only in the browser."""

import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.pages import site as pages_site
from proof.preview.files import Files
from proof.preview.preview import Preview
from proof.preview.server import Server, _Handler
from proof.preview.site import Site
from proof.publish.page import digest
from proof.publish.scripts import Scripts
from tests.support.helpers import REPOSITORY, captured, edit, mkdocs, tiny, tree
from tests.support.makers import write

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
    with Server(0, lambda: site.shown, Scripts.of(REPOSITORY)) as running:
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
    """A page with a false claim or an unknown fact is shown; once fixed, the problems are gone."""
    page = project / "docs/index.md"
    assert said(site) == ""
    edit(page, "note.own_layers == 1", "note.own_layers == 7")
    edit(page, "# What does a note weigh?", "# What does it weigh? {{ note.weight }}")
    site.build_pages([page])
    assert "docs/index.md:1: unknown fact 'note.weight'" in said(site)
    assert "docs/index.md:6: this claim is false" in said(site)
    assert "What does it weigh?" in (site.shown / "index.html").read_text("utf-8")
    edit(page, "note.own_layers == 7", "note.own_layers == 1")
    edit(page, " {{ note.weight }}", "")
    site.build_pages([page])
    assert said(site) == ""


def test_a_stale_capture_is_shown_as_such(project: Path, site: Site) -> None:
    """The old output stays on the page, with a box above it, until the capture is of the file again."""
    page, file = project / "docs/index.md", project / "snippets/note/context/note.txt"
    stale = "note is stale: context/note.txt changed"
    edit(file, "a note", "a letter")
    site.build_pages([page])
    html = (site.shown / "index.html").read_text("utf-8")
    assert html.count(stale) == 3  # one for each of its transcripts
    assert html.index(stale) < html.index("docker build")
    assert said(site) == ""
    edit(file, "a letter", "a note")
    site.build()
    assert stale not in (site.shown / "index.html").read_text("utf-8")


def test_what_stops_a_build_is_said_and_the_old_site_stays(project: Path, site: Site) -> None:
    """If mkdocs.yml cannot be read, the last good site is shown, with the reason."""
    shown = tree(site.shown)
    edit(project / "mkdocs.yml", "  - tables\n", "  - no_such_extension\n")
    site.build()
    assert "no_such_extension" in said(site)
    assert tree(site.shown) == shown
    edit(project / "mkdocs.yml", "  - no_such_extension\n", "  - tables\n")
    site.build()
    assert said(site) == ""


def test_a_page_cannot_publish_a_file_of_this_machine(
    project: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Includes, links and unlisted files cannot bring a file of this machine into the site; each is reported."""
    monkeypatch.setattr(pages_site, "_AT_ONCE", 0.0)
    pages_site.Site.at.cache_clear()
    secret = write(tmp_path / "secret", {"hostname": "a secret"})
    edit(project / "docs/index.md", "# What", "--8<--\nevil/hostname\n--8<--\n\n# What")
    site.build()
    assert "docs/index.md:1: this line contains `-8<-`" in said(site)
    (project / "snippets/evil").symlink_to(secret)
    (project / "docs/x.js").touch()
    site.build()
    assert "docs/x.js: a `.js` file would be published unchecked" in said(site)
    (project / "docs/x.js").unlink()
    site.build()
    assert "snippets/evil: expected a file or directory, found a symbolic link" in said(site)
    assert not any(b"a secret" in path.read_bytes() for path in site.shown.rglob("*") if path.is_file())


def test_pages_are_found_by_what_they_take(project: Path, site: Site) -> None:
    """A page shows a snippet by a fact, transcript or file of it, not by a word that is the same as its name."""
    other = project / "docs/other.md"
    other.write_text("# A note. And count/words.\n")
    index = project / "docs/index.md"
    assert site.showing("note") == site.showing("count") == {index}
    other.write_text('```\n--8<-- "count/context/words.sh"\n```\n')
    assert site.showing("count") == {index, other}
    (project / "docs/zero.md").symlink_to("/dev/zero")  # the build refuses both
    (project / "docs/folder.md").mkdir()
    assert site.showing("count") == {index, other}


def test_a_browser_is_told(site: Site, server: Server) -> None:
    """Browsers are told at once what runs and what is wrong, and the version changes with the page's file."""
    first = news(server)
    assert (first["running"], first["problems"]) == ("", "")
    assert f'data-version="{first["version"]}"' in get(server, "/")
    server.say(running="note/build: docker build -t note .", problems="a problem")
    assert news(server) == first | {"running": "note/build: docker build -t note .", "problems": "a problem"}
    edit(site.shown / "index.html", "<body", "<body  ")
    assert news(server)["version"] != first["version"]


def test_no_file_of_a_site_holds_what_the_preview_adds(project: Path, site: Site, server: Server) -> None:
    """The script is added while a page is sent; it is in no file of the preview or of a built site."""
    assert f"{NEWS}script.js" in get(server, "/")
    assert "EventSource" in get(server, f"{NEWS}script.js")
    assert mkdocs(project, project / "site").returncode == 0
    for folder in (site.shown, project / "site"):
        assert not [name for name, content in tree(folder).items() if NEWS.encode() in content]


def test_the_page_that_is_looked_at_comes_first(project: Path, site: Site, server: Server) -> None:
    """Of the pages that show a snippet, the one open in a browser is built first."""
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


def test_a_page_is_built_alone(project: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is saved takes no build of the site, and is the same as from one. A new page takes one."""
    page, other = project / "docs/index.md", project / "docs/other.md"
    edit(page, "# What does a note weigh?", "# What does it weigh?")
    with monkeypatch.context() as patched:
        patched.setattr(site, "_build", None)
        site.build_pages([page])
    alone = (site.shown / "index.html").read_text("utf-8").partition("Build Date")[0]
    assert "What does it weigh?" in alone
    site.build()
    assert (site.shown / "index.html").read_text("utf-8").partition("Build Date")[0] == alone
    other.write_text("# Other\n")
    site.build_pages([page, other])
    assert not (site.shown / "other/index.html").exists()
    site.build()
    assert "Other" in (site.shown / "other/index.html").read_text("utf-8")


def test_a_save_stops_a_build_of_all_pages(
    project: Path, site: Site, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is saved during a build of all pages does not wait for its end; then all pages are built again."""
    page = project / "docs/index.md"
    preview = Preview(project, site, server, None)
    shown, pending = site.shown, preview._files.pending

    def save() -> bool:
        if "# What does a note weigh?" in page.read_text("utf-8"):
            edit(page, "# What does a note weigh?", "# What does it weigh?")
        return pending()

    monkeypatch.setattr(preview._files, "pending", save)
    preview.step()
    assert site.shown == shown
    assert "What does a note weigh?" in get(server, "/")
    preview.step()
    assert site.shown == shown
    assert "What does it weigh?" in get(server, "/")
    preview.step()
    assert site.shown != shown
    assert said(site) == ""


def test_saves_are_seen(tmp_path: Path) -> None:
    """Written, created and removed files are found, except those that the caller wrote."""
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
    """After a style changes, every page reloads, although no page's file changed."""
    with (project / "mkdocs.yml").open("a") as settings:
        settings.write("extra_css: [style.css]\n")
    preview = Preview(project, site, server, None)
    preview.step()
    before = news(server)["version"]
    (project / "docs" / "style.css").write_text("body { color: red }")
    preview.step()
    assert news(server)["version"] == before
    preview.step()
    assert news(server)["version"] != before
    assert "red" in get(server, "/style.css")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Only the server, with a site of one page."""
    folder = write(tmp_path_factory.mktemp("shown"), {"index.html": "<!doctype html><title>x</title><body></body>"})
    with Server(0, lambda: folder, Scripts.of(REPOSITORY)) as running:
        yield running
        running.shutdown()


def ask(server: Server, request: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a raw request; returns status, headers and body. The Host header is valid unless given."""
    given = {"Host": f"127.0.0.1:{server.server_port}"} | headers
    lines = [request, *(f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value), "", ""]
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall("\r\n".join(lines).encode("latin-1"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    return int(status.split(" ")[1]), {k.lower(): v for k, _, v in (f.partition(": ") for f in fields)}, body


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "example.com:{port}", "127.0.0.1.example.com:{port}", "example.com@127.0.0.1:{port}"),
        *("127.0.0.1:1", "127.0.0.1", "127.1:{port}", "localhost.:{port}", ""),
    ],
)
def test_another_host_is_not_served(host: str, bare: Server) -> None:
    """Requests with another host name (DNS rebinding) are refused."""
    for path in ("/", "/-preview/news?/", "/-preview/script.js", "/assets/site.css"):
        status, _, body = ask(bare, f"GET {path} HTTP/1.1", Host=host.format(port=bare.server_port))
        assert (status, body) == (421, b"Misdirected Request\n")


def test_two_hosts_are_not_served(bare: Server) -> None:
    port = bare.server_port
    assert ask(bare, f"GET / HTTP/1.1\r\nHost: example.com\r\nHost: localhost:{port}", Host="")[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_this_machine_is_served(host: str, bare: Server) -> None:
    """The server's own names with its port are accepted."""
    own = f"{host}:{bare.server_port}"
    assert ask(bare, "GET / HTTP/1.1", Host=own)[0] == 200
    assert ask(bare, "GET / HTTP/1.1", Host=own, Origin=f"http://{own}".lower(), Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},  # another port of this machine
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
    ],
)
def test_another_site_gets_nothing(headers: dict[str, str], bare: Server) -> None:
    """Another site may not embed a page, load a file, or listen to the news."""
    for path in ("/", "/-preview/news?/", "/-preview/script.js"):
        status, said, body = ask(bare, f"GET {path} HTTP/1.1", **headers)
        assert (status, body) == (403, b"Forbidden\n")
        assert "access-control-allow-origin" not in said


def test_a_link_on_another_site_may_lead_here(bare: Server) -> None:
    """A link from another site works, but the page cannot be framed or read."""
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    status, said, _ = ask(bare, "GET / HTTP/1.1", **link)
    assert status == 200
    assert said["cross-origin-resource-policy"] == "same-origin"
    assert said["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in said["content-security-policy"]


def test_a_page_runs_its_known_scripts_alone(bare: Server) -> None:
    """Pages have the published policy: a script from a stranger's branch does not run."""
    script = '<script>document.title = "owned"</script>'
    ours = (REPOSITORY / "overrides" / "main.html").read_text("utf-8")
    theirs = ours[ours.index("<script>") : ours.index("</script>") + len("</script>")]
    files = '<script src="assets/site.js"></script><script src="assets/evil.js"></script>'
    html = f"<!doctype html><title>x</title><body>{theirs}{script}{files}</body>"
    (bare.folder() / "index.html").write_text(html, "utf-8")
    _, said, body = ask(bare, "GET / HTTP/1.1")
    assert script.encode() in body
    allowed = said["content-security-policy"]
    ours = digest(theirs.removeprefix("<script>").removesuffix("</script>").encode())
    here = f"http://127.0.0.1:{bare.server_port}"
    names = f"'{ours}' {here}/-preview/script.js {here}/assets/site.js"
    assert f"script-src {names};" in allowed


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/%00",
            "/a%00b",
            "/%0a",
            "/%1b",
            "/%ff",
            "/%c3%28",
            "/%e2%80%ae",
            "/\xff",
            "/" + "x" * 5000,
            "/" + "x/" * 5000,
        ),
        *("/..", "/../", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/.%2e/", "/a/../../b", "/./x"),
        *("/..%2f..%2fetc%2fpasswd", "/%2fetc/passwd", "/a%2fb", "/..%5c..%5cx", "/a\\b", "/a//b", "/a//"),
        *("http://example.com/", "*", "etc/passwd", "?", "/-preview/news?/../", "/-preview/news?%00"),
        *("/-preview/news?/%252e%252e/x", "/-preview/news", "/-preview/news?etc/passwd"),
        *("/nowhere", "/nowhere/", "/index.html/x", "/-preview/", "/-preview/x", "x/index.html"),
    ],
)
def test_what_is_no_file_of_the_site_is_not_found(path: str, bare: Server, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what does not exist nor what a file system could read in two ways; and no traceback is printed."""
    write(bare.folder().with_name(f"{bare.folder().name}x"), {"index.html": "secret"})
    status, _, body = ask(bare, f"GET {path} HTTP/1.1")
    assert status == 404
    assert b"secret" not in body
    assert b"root:" not in body
    assert capfd.readouterr() == ("", "")


def test_a_link_is_not_followed(bare: Server, tmp_path: Path) -> None:
    """A built site has none. A pipe is not read either."""
    outside = write(tmp_path / "outside", {"secret.txt": "secret", "index.html": "secret"})
    (bare.folder() / "one.txt").symlink_to(outside / "secret.txt")
    (bare.folder() / "all").symlink_to(outside)
    (bare.folder() / "loop").symlink_to("loop")
    os.mkfifo(bare.folder() / "pipe.txt")
    os.mkfifo(bare.folder() / "pipe.html")
    for path in ("/one.txt", "/all", "/all/", "/all/secret.txt", "/loop", "/loop/", "/pipe.txt", "/pipe.html"):
        status, _, body = ask(bare, f"GET {path} HTTP/1.1")
        assert status == 404
        assert b"secret" not in body
    assert ask(bare, "GET /-preview/news?/all/ HTTP/1.1")[0] == 404


def test_a_folder_is_not_listed(bare: Server) -> None:
    """A path without a slash is redirected to the directory, whether or not it has a page."""
    write(bare.folder(), {"files/a.txt": "x", "files/b c/d.txt": "x"})
    assert ask(bare, "GET /files HTTP/1.1")[0] == 301
    assert ask(bare, "GET /files HTTP/1.1")[1]["location"] == "/files/"
    assert ask(bare, "GET /files/b%20c?x#y HTTP/1.1")[1]["location"] == "/files/b%20c/"
    status, _, body = ask(bare, "GET /files/ HTTP/1.1")
    assert status == 404
    assert b"a.txt" not in body


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "CONNECT", "get", "<b>"])
def test_another_method_is_refused(method: str, bare: Server) -> None:
    """Only GET is allowed, and a preflight gets no permission."""
    status, said, body = ask(bare, f"{method} / HTTP/1.1", Origin="https://example.com")
    assert status == 501
    assert "access-control-allow-origin" not in said
    assert b"<b>" not in body


def test_what_is_too_long_is_refused(bare: Server) -> None:
    """Requests with endless lines or headers are refused."""
    assert ask(bare, f"GET /{'x' * 70_000} HTTP/1.1")[0] == 414
    assert ask(bare, "GET / HTTP/1.1", **{f"X_{i}": "x" for i in range(200)})[0] == 431


def test_a_slow_client_is_left(bare: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished request is closed after a time limit, but a browser waiting for news is not."""
    assert 0 < _Handler.timeout <= 60
    monkeypatch.setattr(_Handler, "timeout", 0.05)
    for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127"):
        with socket.create_connection(("127.0.0.1", bare.server_port), timeout=10) as client:
            client.sendall(begun)
            assert client.recv(100) == b""


def test_a_capture_that_was_updated_elsewhere_is_shown(project: Path, site: Site, server: Server) -> None:
    """Without an engine, pages are rebuilt for a capture that another command wrote."""
    preview = Preview(project, site, server, None)
    before = news(server)["version"]
    record = project / "snippets/count/captured/rebuilt/capture.json"
    edit(record, '"value": 6', '"value": 7')
    os.utime(record)
    preview.step()
    assert news(server)["version"] != before
    assert "It holds <data" in get(server, "/")
    assert ">7</data> words" in get(server, "/")
