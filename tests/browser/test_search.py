"""The search field, as somebody uses it who has an error message and wants it gone."""

import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import Reader

ORDINARY = {"no Go files in /src"}  # in words that many messages have: it finds the index, and not its line


def messages(site: Path) -> dict[str, str]:
    """The id of each message in the index of errors, by its text."""
    html = (site / "errors" / "index.html").read_text("utf-8")
    found = re.findall(r'<h3 class="message" id="([^"]+)"><code>(.*?)</code>', html, re.DOTALL)
    return {unescape(text): name for name, text in found}


def paste(page: Page, text: str) -> None:
    """Empty the search field, and paste a text into it as a reader would."""
    field = page.get_by_role("textbox", name="Search")
    field.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    expect(page.locator(".md-search-result__link")).to_have_count(0)
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+V")


def test_every_message_is_found(reader: Reader, site: Path) -> None:
    """Pasted as it was printed, quotes and colons and all, it is the first result, in the index of errors."""
    index = messages(site)
    assert len(index) > 20
    page = reader("")
    missing = []
    for text, name in index.items():
        if text in ORDINARY:
            continue
        paste(page, text)
        # The page comes before its sections. Two messages may have the same words, and so the same rank.
        first = page.locator(".md-search-result__item").first.locator(".md-search-result__link")
        try:
            first.locator(f'xpath=self::*[contains(@href, "#{name}")]').wait_for(state="attached", timeout=5000)
        except PlaywrightTimeout:
            missing.append(text)
            continue
        links = [link.get_attribute("href") or "" for link in first.all()]
        if not any(link.endswith(f"#{name}") for link in links[:3]):
            missing.append(text)
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("exec /usr/local/bin/server: no such file or directory", "errors/#exec"),
        ("go: go.mod requires go >= 1.23.0 (running go 1.22.5; GOTOOLCHAIN=local)", "errors/#go-go-mod-requires"),
        (
            "unable to find user app: no matching entries in passwd file",
            "errors/#docker-error-response-from-daemon-una",
        ),
        ("cache mount", "dockerfiles/"),
        ("distroless", "choices/"),
    ],
)
def test_a_message_of_somebody_else_is_found(message: str, path: str, reader: Reader) -> None:
    """With another program, version or user in it, it leads to the same place; and so do a few words."""
    page = reader("")
    paste(page, message)
    results = page.locator(".md-search-result__item").first.locator(".md-search-result__link")
    results.first.wait_for(state="attached")
    links = [link.get_attribute("href") or "" for link in results.all()]
    assert any(path in re.sub(r"\?[^#]*", "", link) for link in links[:2]), links


QUESTIONS = {
    "why is my go docker image so big": "why-so-big/",
    "copy file from previous stage": "second-stage/",
    "make go binary smaller": "flags/",
    "scratch vs alpine": "scratch-or-alpine/",
    "x509 on scratch": "certificates/",
    "golang container timezone": "time-zones/",
    "run as non root user": "user/",
    "go build slow in docker": "rebuilds/",
    "build context dockerignore": "context/",
    "go mod download private repo": "modules/",
    "run go test in docker build": "targets/",
    "build arm64 image on amd64": "platforms/",
    "go.mod requires newer go": "toolchains/",
    "pin base image digest": "pins/",
    "reproducible build": "reproducible/",
    "compressed size vs disk size": "which-size/",
    "do more layers make the image bigger": "layers/",
    "golang dockerfile example": "dockerfiles/",
    "distroless vs scratch": "choices/",
    "static binary CGO_ENABLED=0": "static/",
    "healthcheck without curl": "dockerfile-web/",
    "go version image size": "go-releases/",
    "debug go program in docker": "develop/",
}


def test_a_question_finds_its_page_first(reader: Reader) -> None:
    """In the words in which people type it."""
    page = reader("")
    missed = []
    for question, path in QUESTIONS.items():
        paste(page, question)
        first = page.locator(".md-search-result__item").first.locator(".md-search-result__link").first
        try:
            first.locator(f'xpath=self::*[contains(@href, "/{path}")]').wait_for(state="attached", timeout=5000)
        except PlaywrightTimeout:
            missed.append(f"{question}: {first.get_attribute('href')}")
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize(
    "piece",
    ["x509: certificate signed by unknown authority", "exec format error", "max depth exceeded"],
)
def test_a_message_leads_to_its_page(piece: str, reader: Reader, site: Path) -> None:
    """From the result to the message in the index, and from there to the command that printed it."""
    text, name = next((text, name) for text, name in messages(site).items() if piece in text)
    page = reader("layers/")
    paste(page, text)
    link = page.locator(f'.md-search-result__link[href$="#{name}"]').first
    link.wait_for(state="attached")
    if not link.is_visible():  # it is the first of the "more on this page"
        link.locator("xpath=ancestor::details/summary").click()
    link.click()
    message = page.locator(f"#{name}")
    expect(message).to_be_in_viewport()
    message.locator("xpath=following-sibling::p[1]/a[1]").click()
    shown = page.locator(":target .transcript--failed:visible")
    expect(shown).to_be_in_viewport()
    expect(shown.locator("strong").last).to_contain_text(piece)
