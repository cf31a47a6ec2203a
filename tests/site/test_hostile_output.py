"""Whatever was printed, captured or put into a title is text to a reader: so the built site says, and a browser."""

from __future__ import annotations

import functools
import http.server
import itertools
import os
import re
import shutil
import string
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from proof.core.text import visible
from proof.pages.transcript import CAP
from tests.support import site

PAGES = tuple(
    f"{name}index.html" for name in ("", "titled_16/", "proof/", "errors/", "measurements/", "measurements/title_0/")
)
SCRIPT = "document.documentElement.dataset.pwned=true"
ADDRESS = "/pwned"


@pytest.fixture(scope="module")
def printed() -> list[str]:
    return site.outputs(SCRIPT, ADDRESS)


@pytest.fixture(scope="module")
def built(printed: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all hostile outputs."""
    return site.build(tmp_path_factory.mktemp("hostile"), printed)


@pytest.fixture(scope="module")
def harmless(printed: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site where each program printed as much, two letters for each text, but for its backticks."""
    pairs = itertools.product("abcdefgh", string.ascii_lowercase)
    letters = [
        "".join(typed if typed in "\n`" else letter for typed, letter in zip(text, itertools.cycle(pair), strict=False))
        for text, pair in zip(printed, pairs, strict=False)
    ]
    return site.build(tmp_path_factory.mktemp("harmless"), letters)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_the_elements_of_a_harmless_one(page: str, built: Path, harmless: Path) -> None:
    """Element for element, attribute for attribute, address for address: nothing printed became markup."""
    hostile, plain = site.parse(built / page), site.parse(harmless / page)
    for parsed in (hostile, plain):
        # How many lines hold the expected message depends on what was printed, as does where a label wraps.
        for tag in ("strong", "text class x y"):
            parsed.elements.pop(tag, None)
    assert hostile.elements == plain.elements
    assert hostile.addresses == plain.addresses
    assert hostile.scripts == plain.scripts


def test_a_reader_sees_what_was_printed(built: Path, printed: list[str]) -> None:
    """The text of each transcript is the output, character by character, controls and all made visible."""
    shown = site.parse(built / "index.html").transcripts
    assert len(shown) == len(printed)
    for text, transcript in zip(printed, shown, strict=True):
        assert transcript == (visible(text[:CAP]).rstrip("\n") + "\n" if text else "")


@pytest.mark.parametrize("page", PAGES)
def test_no_character_acts(page: str, built: Path) -> None:
    """No control, bidirectional or invisible character is anywhere in the page, by its number or its name either."""
    acting = (
        r"[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
        r"\ue000-\uf8ff\U000e0000-\U000e0fff]"
    )
    assert re.findall(acting, unescape((built / page).read_text("utf-8"))) == []


def test_the_search_index_holds_text_alone(built: Path, harmless: Path) -> None:
    """What the search shows as HTML has the markup of the harmless site, and no more."""
    names = "search/search_index.json"
    hostile, plain = ((folder / names).read_text("utf-8") for folder in (built, harmless))
    assert len(re.findall(r"<\w", hostile)) == len(re.findall(r"<\w", plain))


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder over HTTP, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A browser that goes in the middle of an answer is no failure."""

    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def browsed(address: str, profile: Path) -> str:
    """The page as Chromium has it once its scripts have run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    assert browser is not None, "no Chromium here"
    words = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
    done = subprocess.run(
        [browser, *words, f"--user-data-dir={profile}", "--virtual-time-budget=10000", "--dump-dom", address],
        # Its crash reporter writes there now and then, also while other tests compare the files of the user.
        env={**os.environ, "XDG_CONFIG_HOME": str(profile)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_nothing_runs_in_a_browser(page: str, built: Path, tmp_path: Path) -> None:
    """Chromium opens the page: no script of an output ran, and none of its addresses was asked for."""
    with served(built) as (address, asked):
        html = browsed(f"{address}/{page}", tmp_path)
    assert "</html>" in html
    assert "data-pwned" not in html.partition(">")[0] + html[html.index("<html") :].partition(">")[0]
    assert asked
    assert [path for path in asked if "pwned" in path.partition("?")[0]] == []


def test_the_browser_would_have_told(printed: list[str], tmp_path: Path) -> None:
    """The same outputs, pasted into a page without the tool, do run and do ask."""
    (tmp_path / "index.html").write_text("<!DOCTYPE html><html>" + "\n".join(printed[:8]), "utf-8")
    with served(tmp_path) as (address, asked):
        html = browsed(f"{address}/index.html", tmp_path / "profile")
    assert "data-pwned" in html[html.index("<html") :].partition(">")[0]
    assert any("pwned" in path for path in asked)
