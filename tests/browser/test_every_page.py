"""Every page, wide and narrow, light and dark: nothing hidden, nothing inaccessible, nothing asked of strangers."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Scheme, cookies, settled, watched_context
from tests.support.helpers import REPOSITORY, address

_DOCS = {path for path in REPOSITORY.glob("docs/**/*.md") if path.parent.name != "maintain"}
PAGES = ("404.html", *sorted(map(address, _DOCS)))
# The pages of snippets are made alike: the light theme is enough.
ONCE = frozenset(path for path in PAGES if path.startswith("measurements/") and path != "measurements/")
WIDTHS = {"wide": 1280, "narrow": 360}
THEME: dict[Scheme, str] = {"light": "default", "dark": "slate"}  # what the theme calls them
# In this order the width changes only twice.
LOOKS: tuple[tuple[str, Scheme], ...] = (("wide", "light"), ("narrow", "light"), ("narrow", "dark"), ("wide", "dark"))
TALLEST = 16_000  # pixels: Chromium paints no taller picture
COLOURS = ["color-contrast", "link-in-text-block"]  # axe-core's rules about them
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def overflow(page: Page) -> list[str]:
    """What makes a page scroll sideways: the elements beyond its right edge that no scroller of their own holds."""
    return list(
        page.evaluate("""() => {
            const edge = document.documentElement.clientWidth
            if (document.documentElement.scrollWidth <= edge) return []
            const held = e => e && (getComputedStyle(e).overflowX !== "visible" || held(e.parentElement))
            return [...document.querySelectorAll("body *")]
                .filter(e => e.getBoundingClientRect().right > edge + 1 && !held(e.parentElement))
                .map(e => `<${e.localName} class="${e.className}"> ${e.textContent.trim().slice(0, 60)}`)
                .concat(`${document.documentElement.scrollWidth} pixels where there are ${edge}`)
        }""")
    )


def violations(page: Page, rules: str) -> list[str]:
    """What axe-core finds: the rule, how often, and the first element that breaks it."""
    found = page.evaluate(
        """([rules, colours]) => axe.run({
            resultTypes: ["violations"],
            ...rules == "colours"
                ? { runOnly: colours }
                // Off by default, and asked for by Lighthouse: what is tapped has the size of a finger's tip.
                : { rules: { "target-size": { enabled: true },
                    ...Object.fromEntries(colours.map(each => [each, { enabled: false }])) } },
        })""",
        [rules, COLOURS],
    )
    return [
        f"{rule['id']} ({len(rule['nodes'])}): {rule['help']}: {rule['nodes'][0]['html'][:200]}"
        for rule in found["violations"]
    ]


def small_text(page: Page) -> list[str]:
    """Text that is smaller than 12 pixels, in closed boxes too. The text of a picture has the picture's scale."""
    return list(
        page.evaluate("""() => {
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Map()
            while (texts.nextNode()) {
                const { data, parentElement: e } = texts.currentNode
                if (!data.trim() || e.closest("script, style, .hidden")) continue  // which is heard, not seen
                const scale = e.closest("svg") && e.checkVisibility() ? e.getScreenCTM().a : 1
                const size = parseFloat(getComputedStyle(e).fontSize) * scale
                const where = `<${e.localName} class="${e.getAttribute("class")}"> with ${size} pixels`
                if (size < 11.99) found.set(where, data.trim())
            }
            return [...found].map(([where, text]) => `${where}: ${text.slice(0, 60)}`)
        }""")
    )


def settle(page: Page) -> None:
    """Let the page draw itself, and finish its animations: nothing is measured in the middle of a transition."""
    page.evaluate("""() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
        for (let moving; (moving = document.getAnimations()).length;) moving.forEach(each => each.finish())
        done()
    })))""")


def picture(page: Page, folder: str, name: str) -> None:
    """Keep what the page looks like, from its top."""
    height = min(TALLEST, page.evaluate("() => document.documentElement.scrollHeight"))
    width = page.evaluate("() => document.documentElement.clientWidth")
    page.screenshot(
        path=Path(folder) / f"{name}.png", full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}
    )


@pytest.fixture(scope="module")
def visitor(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """One tab for all pages, and its complaints. A new browser context for each page would take twice as long."""
    complaints: list[str] = []
    context = watched_context(browser, address, complaints)
    yield context.new_page(), complaints
    context.close()


def look(page: Page, size: str, scheme: Scheme) -> None:
    """Give the window this size, and the system this color scheme."""
    page.set_viewport_size({"width": WIDTHS[size], "height": 800})
    page.emulate_media(color_scheme=scheme)


@pytest.mark.parametrize("path", PAGES)
def test_a_page(path: str, visitor: tuple[Page, list[str]], request: pytest.FixtureRequest) -> None:
    """It fits a telephone and a desk, no text is too small, axe-core finds nothing, and it asks nobody else."""
    page, complaints = visitor
    complaints.clear()
    look(page, *LOOKS[0])
    with settled(page):
        page.goto(path)
    page.evaluate(AXE)
    folder = request.config.getoption("--screenshots")
    found = []
    for size, scheme in LOOKS[:2] if path in ONCE else LOOKS:
        look(page, size, scheme)
        page.wait_for_function(f"() => document.body.dataset.mdColorScheme === '{THEME[scheme]}'")
        settle(page)
        seen = [f"beyond the edge: {element}" for element in overflow(page)]
        seen += [f"too small: {text}" for text in small_text(page)]
        # Colours do not depend on the width, nor the rest on colours; and looking at them takes most of the time.
        if size == "wide":
            seen += violations(page, "colours")
        if scheme == "light":
            seen += violations(page, "others")
        found += [f"{size}, {scheme}: {each}" for each in seen]
        if folder:
            picture(page, folder, f"{path.strip('/') or 'index'}-{size}-{scheme}")
    found += complaints + cookies(page.context)
    assert not found, "\n".join(found)
