"""The real site in a real browser: built once, served on loopback, read in one Chromium.

The browser is the system's own, for nothing is downloaded that is not locked. In CI a missing one is an error,
elsewhere a skip with its reason.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from proof.publish.finish import publish
from tests.browser.serve import serve
from tests.support.helpers import REPOSITORY, mkdocs, succeeded

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # as scripts/bootstrap knows them
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")

Scheme = Literal["light", "dark"]


class Reader(Protocol):
    """Opens a page of the site, by its path below the root, in a browser that has never been here."""

    def __call__(
        self, path: str, *, width: int = 1280, height: int = 800, scheme: Scheme = "light", javascript: bool = True
    ) -> Page: ...


def build(folder: Path) -> None:
    """The site as `scripts/build` leaves it."""
    succeeded(mkdocs(REPOSITORY, folder))
    publish(folder, REPOSITORY)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served, with a slash at its end."""
    with serve(site) as found:
        yield found


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing = f"no browser: none of {', '.join(NAMES)} is on the PATH; scripts/bootstrap --tests brings one"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # Its crash reporter writes there now and then, also while other tests compare the files of the user.
        env: dict[str, str | float | bool] = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("config"))}
        started = playwright.chromium.launch(executable_path=path, args=QUIET, env=env)
        yield started
        started.close()


@contextmanager
def settled(page: Page) -> Iterator[None]:
    """Wait, after what is done inside, for the last that a page loads by itself: then the theme's script is at work."""
    with page.expect_request_finished(lambda asked: asked.url.endswith("/search_index.json")):
        yield


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    """Opens pages, and fails the test if one of them complains, asks another host or sets a cookie."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def read(
        path: str, *, width: int = 1280, height: int = 800, scheme: Scheme = "light", javascript: bool = True
    ) -> Page:
        context = watched_context(
            browser,
            address,
            complaints,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=javascript,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        if not javascript:
            page.goto(path)
            return page
        with settled(page):
            page.goto(path)
        return page

    yield read
    for context in contexts:
        complaints += cookies(context)
        context.close()
    assert complaints == []


def cookies(context: BrowserContext) -> list[str]:
    """A complaint for each cookie that a page has set."""
    return [f"a cookie: {cookie}" for cookie in context.cookies()]


def watched_context(browser: Browser, address: str, complaints: list[str], **options: Any) -> BrowserContext:
    """A new browser context. Each error of its pages, and each request to another host, is added to `complaints`."""
    context = browser.new_context(base_url=address, **options)

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"the console says: {message.text}")

    def request(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            complaints.append(f"a request to another host: {request.url}")

    def response(response: Response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} for {response.url}")

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is what leaving a page does to what it still loads
            complaints.append(f"failed: {request.url} ({request.failure})")

    context.on("console", console)
    context.on("weberror", lambda error: complaints.append(f"a script failed: {error.error}"))
    context.on("request", request)
    context.on("response", response)
    context.on("requestfailed", failed)
    return context
