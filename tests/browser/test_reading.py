"""What a reader does with a page, by pointer and by keyboard."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from proof.facts import book as facts
from proof.pages import try_it
from proof.snippets import project
from tests.browser.conftest import Reader, Scheme, settled
from tests.browser.serve import serve
from tests.support.helpers import REPOSITORY


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, as a reader without a pointer does."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not reach {wanted}")


def clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


@pytest.mark.parametrize(("system", "followed"), [("light", "default"), ("dark", "slate")])
def test_the_theme_has_three_states(system: Scheme, followed: str, reader: Reader) -> None:
    """It follows the system until it is told otherwise, and what it was told outlives a reload."""
    page = reader("", scheme=system)
    body = page.locator("body")
    for title, scheme in (
        ("", followed),
        ("Switch to light mode", "default"),
        ("Switch to dark mode", "slate"),
        ("Follow the system", followed),
    ):
        if title:
            page.get_by_title(title).click()
        expect(body).to_have_attribute("data-md-color-scheme", scheme)
        with settled(page):
            page.reload()
        expect(body).to_have_attribute("data-md-color-scheme", scheme)


@pytest.mark.parametrize("policy", [True, False])
def test_a_smuggled_script_does_not_run(*, policy: bool, site: Path, tmp_path: Path, browser: Browser) -> None:
    """In a finished page the theme's script runs, and none that was added later. Without the policy, it would."""
    shutil.copytree(site, tmp_path / "site")
    page, smuggled = tmp_path / "site/index.html", "document.documentElement.dataset.smuggled = 'ran'"
    added = f'</h1><script>{smuggled}</script><img src="data:," onerror="{smuggled}">'
    html = page.read_text("utf-8").replace("</h1>", added)
    page.write_text(html if policy else html.replace('"Content-Security-Policy"', '"none"'), "utf-8")
    with serve(tmp_path / "site") as address, browser.new_page() as opened, settled(opened):
        opened.goto(address)
        root = opened.locator("html")
        expect(root).to_have_class(re.compile(r"(^| )js( |$)"))
        assert root.get_attribute("data-smuggled") == (None if policy else "ran")


@pytest.mark.parametrize("name", ["index", "why-so-big", "second-stage", "reproducible"])
def test_copying_takes_the_command_alone(name: str, reader: Reader) -> None:
    """The button of each transcript, in their order, quotes and all: no prompt, and nothing that was printed."""
    book = facts.load(REPOSITORY / "snippets")
    text = (REPOSITORY / "docs" / f"{name}.md").read_text("utf-8")
    shown = re.findall(r"^\s*\{\{ transcript (\w+)/(\w+) \}\}$", text, re.MULTILINE)
    steps = [book.captures[snippet].step(step) for snippet, step in shown]
    page = reader("" if name == "index" else f"{name}/")
    page.evaluate(
        "() => document.querySelectorAll('article details:has(.transcript)').forEach(box => { box.open = true })"
    )
    copied = []
    for transcript in page.locator(".transcript:visible").all():
        transcript.locator("pre").first.hover()
        transcript.get_by_role("button", name="Copy to clipboard").click()
        copied.append(clipboard(page))
    assert copied == [step.command for step in steps if step]
    assert len(copied) == len(shown) > 1


def test_no_other_element_is_copied(site: Path, tmp_path: Path, browser: Browser) -> None:
    """An author chooses IDs, and the clipboard takes the first element that has the one of the button."""
    page = tmp_path / "site/index.html"
    shutil.copytree(site, tmp_path / "site")
    traps = "".join(f'<p id="code-{number}" hidden>evil</p>' for number in range(200))
    page.write_text(page.read_text("utf-8").replace("<article", f"{traps}<article", 1), "utf-8")
    with serve(tmp_path / "site") as address:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        opened = context.new_page()
        with settled(opened):
            opened.goto(address)
        for button in opened.get_by_role("button", name="Copy to clipboard").all()[:5]:
            button.click()
            assert clipboard(opened).strip() not in ("", "evil")
        context.close()


def test_a_block_is_copied_whole(reader: Reader) -> None:
    """The box of each snippet opens, and its button copies what the terminal is to get, quotes and blanks and all."""
    page = reader("")
    copied = []
    for box in page.locator("details.try").all():
        box.locator("summary").click()
        box.locator("pre").hover()
        box.get_by_role("button", name="Copy to clipboard").click()
        copied.append(clipboard(page).rstrip("\n"))
    shown = {"dockerfiles_cache": {"run"}, "single": None, "multi": None}  # None: all of its steps
    wanted = [try_it.block(project.find(REPOSITORY / "snippets", name), steps) for name, steps in shown.items()]
    assert copied == [block.text.rstrip("\n") for block in wanted]


def test_a_selection_leaves_the_prompt_out(reader: Reader) -> None:
    """Select a whole transcript and copy it: the command and what is shown of its output, as text."""
    page = reader("rebuilds/")
    screen = page.locator(".transcript__screen").first
    expect(screen.locator(".transcript__prompt")).to_have_text("$ ")
    screen.evaluate("element => getSelection().selectAllChildren(element)")
    page.keyboard.press("Control+C")
    lines = clipboard(page).strip().splitlines()
    assert lines[0] == "docker build -f plain.Dockerfile -t plain ."
    assert any(line.endswith("WORKDIR /go/src/app") for line in lines)
    assert not [line for line in lines if "more line" in line]


def test_a_claim_explains_itself_by_keyboard(reader: Reader) -> None:
    """Its mark opens what must hold and for which values it did; Escape closes it, and the focus is where it was."""
    page = reader("then-and-now/")
    mark = page.locator(".claim__mark").first
    why = page.locator(f"#{mark.get_attribute('popovertarget')}")
    expect(why).to_be_hidden()
    tab_to(page, mark)
    page.keyboard.press("Enter")
    expect(why).to_be_visible()
    expect(why).to_contain_text("holds for")
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(mark).to_be_focused()


def test_everything_opens_without_javascript(reader: Reader) -> None:
    """Disclosures and explanations are the browser's own."""
    page = reader("rebuilds/", javascript=False)
    for kind in ("transcript__elided", "measured"):
        details = page.locator(f"details.{kind}").first
        details.locator("summary").click()
        expect(details.locator("summary + *")).to_be_visible()
    page.locator(".claim__mark").first.click()
    expect(page.locator(".claim__why").first).to_be_visible()


def test_the_first_tab_skips_to_the_content(reader: Reader) -> None:
    """The skip link shows itself, and behind it come the content's own links, not the header's."""
    page = reader("why-so-big/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('article') !== null")


def test_nothing_moves_for_those_who_asked(reader: Reader) -> None:
    """With reduced motion no element has a transition or an animation, and a link in the page jumps."""
    page = reader("rebuilds/")
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(each => {
        const style = getComputedStyle(each)
        return !/^0s(, 0s)*$/.test(style.transitionDuration) || style.animationName != "none" ||
            style.scrollBehavior != "auto"
    }).map(each => each.className)""")
    assert moving == []


def test_on_paper_there_is_the_text_alone(reader: Reader) -> None:
    """Dark or not, paper is light; what only a screen can do is left out, and no table is cut off at the edge."""
    page = reader("layers/", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    boxes = ("details.chart__numbers", "details.try")
    for gone in (".md-header", ".md-sidebar", ".md-footer", ".claim__mark", *boxes, ".headerlink"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator("article h1")).to_be_visible()
    expect(page.locator("article h1")).to_have_css("color", "rgb(19, 34, 43)")
    wide = page.locator(".transcript__output--table").first
    assert wide.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_a_phone_shows_every_column(reader: Reader) -> None:
    """The size of an image is in sight without scrolling sideways."""
    table = reader("", width=360).locator(".transcript__output--table").first
    assert table.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_link_leads_to_its_heading(width: int, reader: Reader) -> None:
    """Code above it has its height only once it has been in view, and the heading stays in place meanwhile."""
    page = reader("dockerfiles/", width=width)
    headings = page.locator("article :is(h2, h3)[id]")
    for name in headings.evaluate_all("all => all.map(heading => heading.id)"):
        page.evaluate("name => { location.hash = name }", name)
        heading = page.locator(f"[id='{name}']")
        expect(heading).to_be_in_viewport()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert 40 < heading.evaluate("heading => heading.getBoundingClientRect().top") < 100
