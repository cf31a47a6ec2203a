"""The extension as Python-Markdown runs it: goldens in tests/data/golden, and what stops a build.

`pytest tests/unit/pages/test_extension.py --update` rewrites the goldens.
"""

import itertools
import json
import os
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from markdown import Markdown

from proof.captures import fingerprint, store
from proof.captures.model import Capture, CapturedStep
from proof.core.errors import PageError, Where
from proof.pages import scan
from proof.pages import site as site_module
from proof.pages.document import page_text
from proof.pages.site import Site
from proof.pages.stopping import StopBuildError
from proof.snippets.capture_locations import folder_of
from tests.support import makers, site
from tests.support.helpers import REPOSITORY, capture_in, captured, edit, up_to_date
from tests.support.makers import write

GOLDEN = REPOSITORY / "tests" / "data" / "golden"
HOSTILE = '</code></pre><script>alert(1)</script>\n--8<-- "/etc/passwd"\n{{ note.size }} *a* \x1b[31m \u202e ```\n'


def prints(root: Path, snippet: str, **outputs: str) -> Capture:
    """Let steps of a snippet have printed this."""
    folder = folder_of(root / "snippets" / snippet, "rebuilt")
    made = capture_in(folder)
    steps = tuple(replace(step, output=outputs.get(step.name, step.output)) for step in made.steps)
    store.save(replace(made, steps=steps), folder)
    return replace(made, steps=steps)


def prints_late(root: Path, snippet: str, **outputs: str) -> Capture:
    """Give a snippet a capture by Docker 29, in which steps printed this."""
    committed = prints(root, snippet)
    late = makers.by_engine(prints(root, snippet, **outputs), "docker 29.7.2")
    folder = root / "snippets" / snippet
    store.save(late, folder_of(folder, "rebuilt", "", "docker-29"))
    store.save(committed, folder_of(folder, "rebuilt"))
    return late


@pytest.fixture
def project(root: Path) -> Path:
    """A project with a snippet that prints something hostile, one that fails, and one that was never captured."""
    shutil.rmtree(root / "snippets/count/captured")
    build, table = "#1 one\n#2 two\n#3 naming to docker.io/library/note\n", "REPOSITORY   TAG\nnote         latest\n"
    prints(root, "note", build=build, run=HOSTILE, image_ls=table)
    prints(root, "fails", run="exec /app: no such file or directory\n")
    return root


def convert(text: str, root: Path, **settings: object) -> str:
    """What a site generator does with a page."""
    extensions = ["tables", "toc", "attr_list", "pymdownx.superfences", "proof"]
    options: dict[str, dict[str, object]] = {"proof": {"project": str(root), **settings}}
    return Markdown(extensions=extensions, extension_configs=options).convert(text)


@pytest.mark.parametrize(
    ("opening", "end"),
    [("``` {text", "```"), ("~~~ foo`bar", "~~~"), ("``` a b c d e=", "```"), ("```", "````"), ("```", "")],
)
def test_what_is_a_fence_for_some_readers(opening: str, end: str, project: Path) -> None:
    """For others, the file would be Markdown of the page."""
    with pytest.raises(StopBuildError, match="can only be embedded in a fence"):
        convert(f'{opening}\n--8<-- "note/context/note.txt"\n{end}\n', project)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda p: p.stem)
def test_golden(path: Path, project: Path, request: pytest.FixtureRequest) -> None:
    """A page in, the expected HTML out."""
    html = convert(path.read_text("utf-8"), project) + "\n"
    expected = path.with_suffix(".html")
    if request.config.getoption("--update"):
        expected.write_text(html, "utf-8")
    assert html == expected.read_text("utf-8")


STOPS = {
    "{{ note.sise }}": "unknown fact 'note.sise' - did you mean 'note.size'?",
    "{{ nobody.size }}": "unknown fact 'nobody.size'",
    "{{ __import__('os').system('true') }}": "is not supported",
    "{{ note.size": "never closed",
    "{{ transcript note/walk }}": "has no step 'walk'",
    "{{ transcript nota/run }}": "did you mean 'note'?",
    "{{ transcript count/words }}": "count was never captured",
    "Look: {{ transcript note/run }}": "must be alone in its paragraph",
    "{{ explorer }}": "an explorer shows one or two images",
    "{{ explorer note note note }}": "an explorer shows one or two images",
    "{{ explorer nota }}": "did you mean 'note'?",
    "{{ explorer note }}": "does not capture what is in its image",
    '```\n--8<-- "note/context/nothing"\n```': "no such file: snippets/note/context/nothing",
    '```\n--8<-- "note/context/$(touch x);`id` /y"\n```': "hint: ls 'snippets/note/context/$(touch x);`id` '",
    '```\n--8<-- "../docs/index.md"\n```': "is not a file of a snippet's context",
    '```\n--8<-- "note/captured/rebuilt/run.txt"\n```': "is not a file of a snippet's context",
    '--8<-- "note/context/note.txt"': "can only be embedded in a fence",
    "```console\n$ docker run note\n```": "nothing ran it",
    "It weighs 8.31MB.": "the number '8.31MB' is typed",
    "This is the smallest.": "draws a conclusion",
    "See `/srv/other.txt`. {{ note.size }}": "`/srv/other.txt` is in no snippet",
    "Two layers. {{ claim: note.layers == 3 }}": "this claim is false",
    "Two layers. {{ claim: note.layers }}": "neither true nor false",
    "| a |\n|---|\n| 4 % |": "the number '4 %' is typed",
    "# 3 layers": "the number '3 layers' is typed",
    "{{ error note/run }}": "has no error message that is left to list",  # it does not fail
    "{{ error x/y }}": "has no error message that is left to list",
    "{{ error fails/run }}\n\n{{ error fails/run }}": "has no error message that is left to list",
    # What would put a number onto a page that nothing measured. Each of these was tried.
    **{f"{{{{ {x} }}}}": "names no fact, so nothing measured it" for x in ("270", "MB(270)", "words(7)", "times(25)")},
    "{{ note.size * 0 + MB(5) }}": "hardly depends on its facts, so nothing measured it",
    '{{ "270 MB" }}': "names no fact, so nothing measured it",
    "It has 3 layers. {{ waiver: . }}": "`.` is no reason",
    "{{ page waiver: . }}\n\nIt has 3 layers.": "`.` is no reason",
    "{{ waiver: - }}\n\n``` go\nfunc typed() {}\n```": "`-` is no reason",
    "It has 3 layers.\n\n{{ page waiver: an example }}": "a page waiver comes before the first paragraph",
    "It has *3 layers*{ .waiver } here.": "the class `waiver` is not allowed",
    "It has &#51; layers.": "the number '3 layers' is typed",
    "It is sma&shy;ller.": "`&shy;` stands for the invisible character U+00AD",
    "``` go\n~~~\nfunc typed() {}\n```": "this code is typed",
    **{f"```\n{x} docker build .\n```": "nothing ran it" for x in ("%", "root@host:~#", "A=b", "time", "$ sudo -E")},
    "```\n/usr/bin/docker build .\n```": "nothing ran it",
    "``` golang\nfunc typed() {}\n```": "this code is typed",
    "## A size { data-toc-label='It has 3 layers' }": "the attribute data-toc-label",
}


@pytest.mark.parametrize("text", STOPS)
def test_what_stops_a_build(text: str, project: Path) -> None:
    """An unknown name or an unbound number stops the build, with the file and in most cases the line."""
    page = project / "docs" / "index.md"
    page.write_text(f"---\ntitle: A page\n---\n\n# Title\n\n{text}\n")
    with pytest.raises(StopBuildError) as stopped:
        convert(f"# Title\n\n{text}", project)
    assert STOPS[text] in str(stopped.value)
    assert stopped.value.where is not None
    assert stopped.value.where.path == page
    assert "\n" in text or "&#" in text or str(stopped.value.where) == f"{page}:7"
    assert stopped.value.exit_code == (1 if "is false" in STOPS[text] else 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a\n```\n<script>alert(1)</script>\n", "line 2 would end the fence"),
        ("a\n  ~~~ html\nb", "line 2 would end the fence"),
        ("> ```\n", "line 1 would end the fence"),
        ('RUN <<EOF\n--8<-- "note/snippet.toml"\nEOF\n', "line 2 would end the fence"),
        (';--8<-- "x"', "line 1 would end the fence"),
        ("// --8<-- [start: x]", "line 1 would end the fence"),
        ("a \u202e b", "it contains the invisible character U+202E"),
        ("a \x1b[2J b", "it contains the invisible character U+001B"),
        (b"\xff", "the file is not UTF-8 text"),
    ],
)
def test_an_embedded_file_stays_in_its_fence(content: str | bytes, says: str, project: Path) -> None:
    """An embedded file becomes part of the page's source, so text that would break out of its fence stops the build."""
    file = project / "snippets/note/context/note.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(StopBuildError, match=re.escape(says)):
        convert('```\n--8<-- "note/context/note.txt"\n```', project)


@pytest.mark.parametrize("name", ["4913", ".git/config", "sub/.x.swp"])
def test_what_no_build_is_handed_is_not_embedded(name: str, project: Path) -> None:
    """Ignored files of a context are not checked, so they may be links to any file of this machine."""
    link = project / "snippets/note/context" / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/etc/passwd")
    with pytest.raises(StopBuildError, match=f"no such file: snippets/note/context/{re.escape(name)}"):
        convert(f'```\n--8<-- "note/context/{name}"\n```', project)


FILE = "note/context/note.txt"


@pytest.mark.parametrize(
    "written",
    [
        *("--8<--\nevil/hostname\n--8<--", "-8<-\nevil/hostname\n-8<-", f"----8<---\n{FILE}\n----8<---"),
        *(f"--8<--\n; {FILE}\n--8<--", "  --8<--", f';--8<-- "{FILE}"', f"--8<-- '{FILE}'"),
        *(f'-8<- "{FILE}"', f'---8<--- "{FILE}"', f'--8<--  "{FILE}"', f'\t--8<-- "{FILE}"', f'> --8<-- "{FILE}"'),
        *(f'--8<-- "{FILE}:1:3"', f'--8<-- "{FILE}:name"', f'--8<-- "; {FILE}"', f'--8<-- "{FILE}" "{FILE}"'),
        *('--8<-- "https://example.com/x"', '--8<-- "evil/hostname"', "# --8<-- [start: x]", "A word -8<- in a line."),
        *('--8<-- "evil/context/hostname"', '--8<-- "note/context/in/hostname"', '--8<-- "note/context/evil"'),
    ],
)
@pytest.mark.parametrize("around", ["{}", "```\n{}\n```"])
def test_a_file_is_named_in_one_way_only(around: str, written: str, project: Path) -> None:
    """pymdownx.snippets accepts many spellings, and follows links. Every other spelling stops the build."""
    page = project / "docs" / "index.md"
    text = f"# Title\n\n{around.format(written)}\n"
    page.write_text(text, newline="")
    with pytest.raises(StopBuildError) as stopped:
        convert(text, project)
    assert stopped.value.exit_code == 2
    assert stopped.value.where == Where(page, 4 if around.startswith("`") else 3)


LINKED = ["snippets/evil", "snippets/evil/deep/x", "snippets/note/x", "snippets/note/captured/x"]
LINKED += ["snippets/note/context/x", "snippets/note/context", "docs/a.txt", "docs/more/b.md", "docs/all"]


@pytest.mark.parametrize(
    ("name", "kind"), [*itertools.product(LINKED, ["link", "pipe"]), ("snippets", "link"), ("docs", "link")]
)
def test_a_link_is_refused(name: str, kind: str, project: Path, tmp_path: Path) -> None:
    """Wherever it is, so no file of this machine gets into the site; nor is it waited for a pipe."""
    secret = write(tmp_path / "secret", {"context/hostname": "secret"})
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        secret = path.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(secret / "context/hostname" if path.suffix else secret)
    with pytest.raises(StopBuildError) as refused:
        convert('```\n--8<-- "evil/context/hostname"\n```', project)
    assert refused.value.where == Where(path)


def test_a_link_in_a_context_is_not_embedded(project: Path) -> None:
    """A context may contain links, but pages show only regular files."""
    (project / "snippets/note/context/link").symlink_to("note.txt")
    with pytest.raises(StopBuildError, match="expected a regular file, found a symbolic link"):
        convert('```\n--8<-- "note/context/link"\n```', project)


@pytest.mark.parametrize("extensions", [["pymdownx.snippets", "proof"], ["proof", "pymdownx.snippets"]])
def test_another_reader_of_includes_is_refused(extensions: list[str], project: Path) -> None:
    with pytest.raises(StopBuildError, match=r"mkdocs\.yml: pymdownx\.snippets would publish"):
        Markdown(extensions=extensions, extension_configs={"proof": {"project": str(project)}})


ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#14303f"/></svg>'
ICONS = [
    "",
    "not <html>",
    ICON.replace("</svg>", "<script>alert(1)</script></svg>"),
    ICON.replace("</svg>", '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script></svg>'),
    ICON.replace("<rect", '<rect onclick="alert(1)"'),
    ICON.replace("<rect", '<a href="javascript:alert(1)"/><rect'),
    ICON.replace("#14303f", "url(http://evil.example/x)"),
    ICON.replace("<rect", '<rect style="fill: red"'),
    ICON.replace("svg", "html", 1).replace("/svg>", "/html>"),
    f'<?xml-stylesheet href="http://evil.example/x"?>{ICON}',
    f'<!DOCTYPE svg [<!ENTITY a "b">]>{ICON}',
]
UNPUBLISHED = {
    # MkDocs would copy it, or make a page of it that the tool does not see.
    "would be published unchecked": [
        *("errors/x.js", "assets/x.mjs", "x.html", "x.htm", "x.xhtml", "x.svg", "x.xml", "x.HTML", "x.md.html", "x"),
        *("x.markdown", "x.MD", "x.shtml", "x.wasm", "x.pdf", ".html", "assets/x.txt", "x.csv", "assets/x.css"),
    ],
    # Where a host states no type, a browser looks at the content.
    "this is no ": ["a.avif", "a.png", "a.woff2", "a.ico"],
    # Themes show the name of a page that has no title.
    "the name of this file has markup": [
        *("<img src=x onerror=alert(1)>.md", "##[error]boo.md", "a::b.md", "a&lt;b.png", 'a"b.md', "a\u202eb.md"),
    ],
    # The site generator, or what finishes a site, would end in a traceback, or the site would have no search.
    "a directory of the site would be called like a `": [
        *("index.html/a.md", "other/search.js/a.md", "feed.xml/a.md", "a/index.html.md"),
    ],
}


@pytest.mark.parametrize(("says", "name"), [(says, name) for says, names in UNPUBLISHED.items() for name in names])
def test_a_file_that_nothing_checks_is_not_published(says: str, name: str, project: Path) -> None:
    """It stops the build, which names it."""
    write(project / "docs", {name: "<script>alert(1)</script>"})
    with pytest.raises(StopBuildError, match=re.escape(says)) as refused:
        convert("# A page", project)
    assert refused.value.where is not None
    assert refused.value.where.path.is_relative_to(project / "docs")


def test_front_matter_that_acts_stops_a_build(project: Path) -> None:
    """It is read before pages are: a build has no page that it belongs to."""
    write(project / "docs", {"other.md": "---\ntemplate: evil.html\n---\n\n# A page\n"})
    with pytest.raises(StopBuildError, match="must not have this `template`") as refused:
        convert("# Another", project)
    assert refused.value.where == Where(project / "docs/other.md", 2)


@pytest.mark.parametrize("icon", ICONS)
def test_an_icon_has_shapes_alone(icon: str, project: Path) -> None:
    """A browser runs what an SVG holds when a reader opens its address, and there it has no policy."""
    write(project / "docs", {"icon.svg": icon})
    edit(project / "mkdocs.yml", "theme: mkdocs", "theme: { name: mkdocs, favicon: icon.svg }")
    with pytest.raises(StopBuildError, match=r"icon\.svg: this icon has more than shapes"):
        convert("# A page", project)


def test_what_is_published(project: Path) -> None:
    """What the settings name, pictures, copies of editors, and names with versions."""
    icon = (REPOSITORY / "docs/assets/favicon.svg").read_text("utf-8")
    files = {"assets/a.js": "", "b.js": "", "c.css": "", "icon.svg": icon, "a.gif": "GIF89a", "index.md~": ""}
    write(project / "docs", {**files, "v1.2/a.png": b"\x89PNG", "v1.2/release-1.2.md": "# A page"})
    settings = project / "mkdocs.yml"
    names = "extra_javascript: [{ path: assets/a.js }]\nextra_css: [c.css]\nextra: { scripts: [b.js] }\n"
    edit(settings, "theme: mkdocs", "theme: { name: mkdocs, favicon: icon.svg }")
    settings.write_text(settings.read_text("utf-8") + names, "utf-8")
    assert "A page" in convert("# A page", project)


@pytest.mark.parametrize(
    "text",
    [
        "`{{ note.sise }}` in a code span is left alone.",
        '``` text title="note.txt"\n--8<-- "note/context/note.txt"\n```',
        "{{ waiver: an example }}\n\n```\n{{ note.sise }}\n```",
        "{{ waiver: an example }}\n\n    {{ note.sise }}",
        "What happened in June 2020 says nothing about sizes.",
        "It is {{ bytes(note.size) }}, or {{ note.size }}.",
        "Reduced to at most 96 %. {{ claim: note.own_size / note.size <= 0.96 }}",
        "It takes 1 s. {{ waiver: an example }}",
        "{{ waiver: shown to be typed, not run }}\n\n```\n$ docker run note\n```",
    ],
)
def test_what_passes(text: str, project: Path) -> None:
    """Braces in code are left alone, versions and dates are not measurements, and claims and waivers back numbers."""
    html = convert(text, project)
    assert "never closed" not in html
    assert "waiver:" not in html


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{ note.size }}\n\n{{ note.size\n\n{{ note.size }}", 3),
        ("{{ note.size\n}}\n\nIt is\n{{ note.size\n\n{{ note.size }}", 5),
        ("- {{ note.size }}\n- {{ note.size\n- {{ note.size }}", 2),
        ("{{ note.size }} `code`\n\n{{ note.size `code`", 3),
        ("{{ note.size }}\n\n{{ note.size *a*", 3),
        ("{{ note.size > 3 }} {{ claim: note.size > 3 }}\n\n{{ note.size > 3", 3),
    ],
)
def test_the_brace_that_is_not_closed(text: str, line: int, project: Path) -> None:
    """The error has its line: others that look the same may be closed."""
    (project / "docs/index.md").write_text(f"---\ntitle: x\n---\n{text}\n")
    with pytest.raises(PageError, match="is never closed") as stopped:
        convert(text, project, collect=True)
    assert str(stopped.value.where).endswith(f"docs/index.md:{line + 3}")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("`{{ note.sise }}`\n\n``` text\n{{ note.sise }}\n```\n\nIt is {{ note.sise }}.", [7]),
        ("{{ note.sise }}, {{ note.size }}\nand\n{{ note.sise }}", [1, 3]),
        ("No. {{ claim: note.layers == 3 }}\n\n- No. {{ claim: note.layers == 3 }}", [1, 3]),
        ("{{ transcript note/run }}\n\n{{ transcript note/no }}\n\n> {{ transcript note/no }}", [3, 5]),
        ("| a |\n|---|\n| {{ note.sise }} |\n| {{ note.sise }} |", [3, 4]),
        ('``` chart\nkind = "no"\n```\n\n``` chart\nkind = "no"\n```', [2, 6]),
    ],
)
def test_the_right_one_of_two(text: str, lines: list[int], project: Path) -> None:
    """An error is at the element that is wrong, and not at one that looks the same."""
    (project / "docs/index.md").write_text(f"---\ntitle: x\n---\n\n{{{{ page waiver: of a test }}}}\n\n{text}\n")
    problems = [problem for report in scan.scan(project) for problem in report.problems]
    found = [problem.where.line for problem in problems if problem.where and problem.where.path.name == "index.md"]
    assert sorted(line for line in found if line) == [line + 6 for line in lines]


def test_braces_are_closed_by_the_first_pair(project: Path) -> None:
    """What follows the first closing braces is text, and blanks inside the braces do not count."""
    html = convert("It weighs {{ \n note.size \t}}, as }} say.", project)
    assert re.match(r"<p>It weighs <data [^>]*>[^<]*</data>, as }} say.</p>", html)


def test_a_page_is_found_without_reading_all_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is read once to find which one it is, however many there are; it was read for each later page."""
    names = [f"docs/page-{number:02}.md" for number in range(30)]
    write(project, {name: f"---\ntitle: A page\n---\n\n# {name}\n" for name in names})
    monkeypatch.setattr(site_module, "_AT_ONCE", 60.0)
    read: list[Path] = []

    def reading(root: Path, path: Path) -> str:
        read.append(path)
        return page_text(root, path)

    monkeypatch.setattr(site_module, "page_text", reading)
    known = Site(project)
    assert [known.page_with(f"# {name}\n") for name in names] == [project / name for name in names]
    assert len(read) == len(set(read)) == len(list((project / "docs").rglob("*.md")))
    assert known.page_with("# Another") is None


def test_files_are_looked_at_once_a_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build sees one state of them. The preview, which builds a page as soon as it is saved, looks again at once."""
    now, looked = 100.0, iter(range(9))
    monkeypatch.setattr("proof.pages.site.time.monotonic", lambda: now)
    glance = Site(project).glance
    for wait, value in ((0, 0), (0.15, 0), (0.15, 0), (0.25, 1), (0.15, 1)):
        now += wait
        assert glance.get("files", lambda: next(looked)) == value
    glance.clear()
    assert glance.get("files", lambda: next(looked)) == 2


def test_code_in_a_reason_is_text(project: Path) -> None:
    """A waiver's reason is kept as text, without the placeholders that Python-Markdown uses for code."""
    html = convert("It takes 1 s. {{ waiver: the stage `test` does not count }}", project)
    assert 'data-text="the stage test does not count"' in html


def test_a_flag_in_prose_stays_whole(project: Path) -> None:
    """Lines must not break after its hyphens. Hyphens inside words and code blocks are left alone."""
    waiver = "{{ waiver: an example }}"
    text = f"Call `docker build --no-cache -t example .` or `multi-stage`. {waiver}\n\n{waiver}\n\n    a --b"
    html = convert(text, project)
    flags = '<span class="flag">--no-cache</span> <span class="flag">-t</span>'
    assert f"<code>docker build {flags} example .</code>" in html
    assert html.count('class="flag"') == 2


def test_the_index_of_errors_says_what_to_do(project: Path) -> None:
    """Each message as a reader would paste it (its last line, without the log's prefix), with remedy and page."""
    output = "#7 0.31 open /app: no such file or directory\n------\nERROR: /app: no such file or directory\n"
    prints(project, "fails", run=output)
    manifest = project / "snippets" / "fails" / "snippet.toml"
    manifest.write_text(manifest.read_text("utf-8") + 'remedy = "Copy `/app`."\n', "utf-8")
    html = convert("{{ errors }}", up_to_date(project))
    assert '<h3 class="message" id="error-app-no-such-file-or-directory">' in html
    assert "<code>ERROR: /app: no such file or directory</code></h3>" in html
    assert re.search(r'<p>Copy <code>/app</code>\. → <a href="index\.md#[^"]+">', html)


def test_a_page_chooses_the_order_of_messages(project: Path) -> None:
    """`{{ error snippet/step }}` puts one message where the author wants it, and `{{ errors }}` leaves it out."""
    html = convert("# Errors\n\n{{ errors }}", project)
    (heading,) = re.findall(r'<h3 class="message".*</h3>', html)
    html = convert("# Errors\n\n{{ error fails/run }}\n\nThe others:\n\n{{ errors }}", project)
    assert re.findall(r'<h3 class="message".*</h3>', html) == [heading]
    assert html.index(heading) < html.index("The others:")


def test_an_unlisted_message_is_in_no_index(project: Path) -> None:
    """What nobody would search for is left out, if the step says why."""
    manifest = project / "snippets" / "fails" / "snippet.toml"
    manifest.write_text(manifest.read_text("utf-8") + 'unlisted = "an example"\n', "utf-8")
    assert 'class="message"' not in convert("# Errors\n\n{{ errors }}", project)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "a `` <img src=x> `` b",
        "{{ note.size }} {: onclick=x }",
        "- [a](javascript:alert(1))",
        "&lt;b&gt; &#x202e;",
        "    code",
        "{{ proof }}",
        "``` chart",
        "# a\n\n# b",
    ],
)
def test_a_remedy_is_only_text(text: str, project: Path) -> None:
    """Text of a manifest is shown literally in the index of errors, and makes no element except code."""
    manifest = project / "snippets" / "fails" / "snippet.toml"
    manifest.write_text(manifest.read_text("utf-8") + f"remedy = {json.dumps(text)}\n", "utf-8")
    html = convert("{{ errors }}", project).partition('<details class="measured"')[0]
    elements = set(site.Parsed(html).elements)
    assert elements <= {"h3 class id", "code", "p", "span class", "a href"}
    said = " ".join(unescape(re.sub(r"<[^>]+>", "", html)).replace("`", " ").split())
    assert " ".join(text.replace("`", " ").split()) in said


def test_what_is_wrong_with_one_snippet_is_reported_at_its_message_alone(root: Path) -> None:
    """The messages of other snippets are listed as usual, whichever snippet a page shows first."""
    shutil.copytree(root / "snippets/fails", root / "snippets/wrong")
    edit(root / "snippets/wrong/snippet.toml", 'title = "A program that is not there"', 'title = "It takes 12 MB"')
    edit(root / "snippets/wrong/snippet.toml", "no such file or directory", "exec format error")
    captured(root)
    edit(
        root / "docs/index.md", "{{ transcript fails/run }}", "{{ transcript wrong/run }}\n\n{{ transcript fails/run }}"
    )
    write(root, {"docs/errors.md": "# Errors\n\n{{ error wrong/run }}\n\n{{ error fails/run }}\n"})
    (report,) = [report for report in scan.scan(root) if report.path.name == "errors.md"]
    (problem,) = report.problems
    assert "12 MB" in problem.what
    assert str(problem.where).endswith("wrong/snippet.toml:1")
    with pytest.raises(StopBuildError, match="12 MB"):
        convert("# Errors\n\n{{ errors }}", root)


def test_a_manifest_that_is_wrong_stops_an_index(project: Path) -> None:
    """The error has the line in the manifest, and there is no traceback."""
    manifest = project / "snippets" / "fails" / "snippet.toml"
    manifest.write_text('title = ""\n', "utf-8")
    with pytest.raises(StopBuildError, match=r"fails/snippet\.toml:1: ") as stopped:
        convert("{{ errors }}", project)
    assert stopped.value.exit_code == 2


CONTEXT = ("note/context/note.txt", "a note", "a letter", "note is stale: context/note.txt changed")
EDITS = [
    CONTEXT,
    ("note/snippet.toml", '"docker run note"', '"docker run --rm note"', "note is stale: the commands in snippet.toml"),
    ("bases.toml", '["/bin/sh"]', '["/bin/ash"]', "note is stale: the base alpine:3.22 changed"),
    ("note/captured/rebuilt/image_ls.txt", "latest", "newest", "note: image_ls.txt was edited by hand"),
]


USES = [
    "It is {{ note.size }}.",
    "{{ transcript note/image_ls }}",
    '```\n--8<-- "note/context/Dockerfile"\n```',
    "Two layers. {{ claim: note.layers == 2 }}",
    "{{ measurements }}",
]


@pytest.mark.parametrize(("text", "edited"), [*((text, CONTEXT) for text in USES), *((USES[0], e) for e in EDITS[1:])])
def test_a_stale_capture_stops_a_build(text: str, edited: tuple[str, str, str, str], project: Path) -> None:
    """Whatever a page uses of it. The exit code is that of drift, and the error names a file and what to run."""
    shutil.rmtree(project / "snippets/fails")
    edit(project / "snippets" / edited[0], *edited[1:3])
    with pytest.raises(StopBuildError, match=edited[3]) as stopped:
        convert(text, project)
    assert stopped.value.exit_code == 1
    assert str(stopped.value.where).startswith(str(project / "snippets/note"))
    assert stopped.value.hint == "proof update note"


def test_a_capture_that_contradicts_itself_stops_a_build(project: Path) -> None:
    """An image with two IDs was never measured, even if nobody edited the capture since."""
    step = '[[step]]\nname = "{0}"\ncommand = "docker images {0}"\n'
    (project / "snippets/count/snippet.toml").write_text(f'title = "Two"\n{step.format("a")}{step.format("b")}')
    tables = {name: f"note  latest  {name * 12}  now  8.31MB\n" for name in "ab"}
    steps = tuple(CapturedStep(name, f"docker images {name}", None, 0, 0.1, table) for name, table in tables.items())
    made = replace(prints(project, "note"), snippet="count", steps=steps, facts={}, layers=())
    store.save(made, folder_of(project / "snippets/count", "rebuilt"))
    with pytest.raises(StopBuildError, match="note has two IDs in the transcripts of count"):
        convert("{{ transcript count/a }}", up_to_date(project))


def test_every_stale_capture_of_a_page_is_named(project: Path) -> None:
    """Several may be stale at once, by a base that moved, say. Pages that use none of them are built."""
    edit(project / "snippets" / CONTEXT[0], *CONTEXT[1:3])
    assert "exec /app" in convert("{{ transcript fails/run }}", project)
    write(project / "snippets/fails/context", {"new.txt": ""})
    Site.at.cache_clear()
    with pytest.raises(StopBuildError) as stopped:
        convert("{{ transcript fails/run }}\n\n{{ note.size }}", project)
    assert stopped.value.what == "fails is stale: context/new.txt is new"
    assert stopped.value.evidence == f"also: {CONTEXT[3]}"


def test_a_draft_says_that_it_is_stale(project: Path) -> None:
    """In a box above the old output, or at the end of a page that shows none. No box without a reason."""
    text = "Before.\n\n{{ transcript note/build }}\n\n{{ note.size }}"
    assert convert(text, project, draft=True) == convert(text, project)
    edit(project / "snippets" / CONTEXT[0], *CONTEXT[1:3])
    Site.at.cache_clear()
    html = convert(text, project, draft=True)
    assert html.count('class="admonition warning stale"') == 1
    assert html.index("Before.") < html.index(CONTEXT[3]) < html.index("naming to")
    assert "Run <code>proof update note</code>." in html
    html = convert("It is {{ note.size }}.", project, draft=True)
    assert html.index("It is") < html.index(CONTEXT[3])


@pytest.mark.parametrize(("command", "stops"), [("serve", False), ("build", True)])
def test_a_server_shows_a_draft(command: str, stops: bool, project: Path) -> None:  # noqa: FBT001 - an expected value
    """`mkdocs serve` goes on after an edit, `mkdocs build` does not."""
    edit(project / "snippets" / CONTEXT[0], *CONTEXT[1:3])
    with click.Context(click.Command(command), info_name=command):
        if stops:
            with pytest.raises(StopBuildError, match=CONTEXT[3]):
                convert("{{ transcript note/run }}", project)
        else:
            assert CONTEXT[3] in convert("{{ transcript note/run }}", project)


def test_a_snippet_is_hashed_once_until_it_changes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages use the same snippet. An edit, of a base too, is noticed by the process that knows it."""
    monkeypatch.setattr(site_module, "_AT_ONCE", 0.0)
    hashed = Mock(wraps=fingerprint.of)
    monkeypatch.setattr(fingerprint, "of", hashed)
    for _ in range(3):
        convert("{{ transcript note/build }}\n\n{{ note.size }}", project)
    assert hashed.call_count == 1
    edit(project / "snippets" / CONTEXT[0], *CONTEXT[1:3])
    assert CONTEXT[3] in convert("{{ note.size }}", project, draft=True)
    edit(project / "snippets" / CONTEXT[0], *CONTEXT[2:0:-1])
    assert "stale" not in convert("{{ note.size }}", project, draft=True)
    assert hashed.call_count == 3
    edit(project / "snippets/bases.toml", '["/bin/sh"]', '["/bin/ash"]')
    assert "the base alpine:3.22 changed" in convert("{{ note.size }}", project, draft=True)


class TestWordsOfEngines:
    """A page shows what Docker 29 prints beside what the versions before it print."""

    def test_each_in_a_tab(self, project: Path) -> None:
        """With IDs that are unique on the page, also of a transcript that is shown twice."""
        prints_late(project, "note", image_ls="IMAGE ID\nnote:latest <b>0123456789ab</b>\n")
        html = convert("{{ transcript note/image_ls }}\n\n{{ transcript note/image_ls }}", project)
        assert html.count('<input type="radio"') == 4
        assert html.count(" checked>") == 2
        ids = re.findall(r'\bid="([^"]*)"', html)
        assert len(ids) == len(set(ids)) == 6
        assert "<b>" not in html
        assert html.index("&lt;b&gt;0123456789ab") < html.index("REPOSITORY")

    def test_what_a_page_says_of_one(self, project: Path) -> None:
        """A paragraph in the tab above it is Markdown of the page, which has to prove what it says."""
        prints_late(project, "note", image_ls="IMAGE ID\nnote:latest\n")
        said = "{{ tab docker-29 }} *New:* {{ note.size }}.\n\n{{ tab docker-28 }} Old."
        html = convert(f"{{{{ transcript note/image_ls }}}}\n\n{said}\n\nFor all.", project)
        new, old = html.split('<div class="engines__panel">')[1:]
        assert re.search(r"<p><em>New:</em> <data .*</data>.</p>\s*</div>", new)
        assert re.search(r"<p>Old.</p>\s*</div>\s*</div>\s*</div>.*<p>For all.</p>", old, re.DOTALL)
        with pytest.raises(StopBuildError, match="'3 layers' is typed, not measured"):
            convert("{{ transcript note/image_ls }}\n\n{{ tab docker-29 }} It has 3 layers.", project)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{{ transcript note/run }}\n\n{{ tab docker-29 }} New.", "the element above has no tab docker-29"),
            (
                "{{ transcript note/image_ls }}\n\n{{ tab docker-29 }} {{ transcript note/run }}",
                "`transcript note/run` must be alone in its paragraph",
            ),
            ("{{ tab docker-28 }} Old.", "the element above has no tab docker-28"),
            ("{{ transcript note/image_ls }}\n\nText.\n\n{{ tab docker-28 }} Old.", "has no tab docker-28"),
            ("{{ transcript note/image_ls }}\n\n{{ tab docker-30 }} Next.", "no tab is called 'docker-30'"),
        ],
    )
    def test_a_tab_that_is_not_there(self, project: Path, text: str, says: str) -> None:
        """A paragraph of one engine stands directly below a transcript that shows this engine."""
        prints_late(project, "note", image_ls="IMAGE ID\nnote:latest\n")
        with pytest.raises(StopBuildError, match=says):
            convert(text, project)

    def test_one_of_the_same_words(self, project: Path) -> None:
        """What differs only from run to run is shown once, as the first capture has it."""
        prints_late(project, "note", image_ls="REPOSITORY   TAG\nnote     latest\n")
        html = convert("{{ transcript note/image_ls }}\n\n{{ transcript note/run }}", project)
        assert '<input type="radio"' not in html
        assert "note         latest" in html

    def test_not_the_stale_one(self, project: Path) -> None:
        """Pages leave out words that are not of the snippet as it is now."""
        late = prints_late(project, "note", image_ls="other words\n")
        stale = replace(late, inputs=late.inputs | {"context/note.txt": "sha256:0"})
        store.save(stale, folder_of(project / "snippets/note", "rebuilt", "", "docker-29"))
        assert "other words" not in convert("{{ transcript note/image_ls }}", project)

    @pytest.mark.parametrize(
        ("declared", "note"),
        [
            ('exit = { "docker <28" = 127, "docker >=28" = 255 }', "(with Docker 28: exit 255)"),
            ('exit = { "docker <28" = 127, "docker >=28" = 0 }', "(with Docker 28 it succeeds)"),
            ('exit = 127\ndiffers = { "docker >=28" = "it says <more>" }', "(with Docker 28, it says &lt;more&gt;)"),
            ('exit = { "docker <29" = 127, "docker >=29" = 255 }', ""),
            ('exit = 127\ndiffers = { podman = "it says less" }', ""),
        ],
    )
    def test_what_docker_28_does_otherwise(self, project: Path, declared: str, note: str) -> None:
        """Its readers have the tab of an older engine, whose outcome is not theirs."""
        edit(project / "snippets/fails/snippet.toml", "exit = 127", declared)
        html = convert("{{ transcript fails/run }}", up_to_date(project))
        assert (note or "fails as expected: exit 127</span></figcaption>") in html

    @pytest.mark.parametrize(
        "text", ["{{ transcript fails/run }}", "{{ explorer fails }}", "{{ measurements }}", "{{ measurements fails }}"]
    )
    def test_a_number_in_a_manifest(self, project: Path, text: str) -> None:
        """No list may show one that is typed. Wherever a manifest may have one: see test_status.py."""
        edit(project / "snippets/fails/snippet.toml", "exit = 127", 'exit = 127\nremedy = "Remove 3 layers."')
        with pytest.raises(StopBuildError, match="'3 layers' is typed, not measured") as error:
            convert(text, up_to_date(project))
        assert "snippet.toml:9:" in str(error.value)

    @pytest.mark.parametrize(
        ("line", "another"),
        [
            ("write /tmp/build893986447/a on [2001::8888]:53: no such file or directory", False),
            ("cannot write /tmp/build893986447/a on [2001::8888]:53: no such file or directory", True),
        ],
    )
    def test_another_message(self, project: Path, line: str, another: bool) -> None:  # noqa: FBT001 - an expected value
        """The index of errors has it too, unless only the last full stop differs, or what the step ignores."""
        edit(project / "snippets/fails/snippet.toml", "exit = 127", "exit = 127\nignore = ['build[0-9]+', 'on .*:53']")
        before = "write /tmp/build30691/a on 10.0.0.1:53: no such file or directory."
        prints(project, "fails", run=f"{before}\n")
        prints_late(project, "fails", run=f"{line}\n")
        html = convert("{{ errors }}", up_to_date(project))
        assert f"<code>{before}</code></h3>" in html
        assert ("Docker 29.7 says" in html) is another


def test_a_total_on_an_official_base(project: Path) -> None:
    """It looks like a cited figure, and says what was measured of it, and where the rest was published."""
    edit(project / "snippets/bases.toml", "command =", 'official_size = "leaflet.size"\ncommand =')
    edit(project / "snippets/cited.toml", "date", 'url = "https://example.com/leaflet"\ndate')
    (element,) = re.findall(r"<data [^>]*>8MB</data>", convert("# A\n\n{{ note.official_size }}", project))
    assert 'class="fact fact--cited"' in element
    assert 'value="8000027"' in element
    parts = (
        "our own layers, 27B, as measured, on the official base, 8MB, as cited: a leaflet https://example.com/leaflet"
    )
    assert f'title="note.official_size: 8,000,027 B, {parts}"' in element


def test_a_cited_figure_says_where_and_when(project: Path) -> None:
    """Its tooltip has the source's title, date and address. The golden page has one without an address."""
    edit(project / "snippets/cited.toml", "date", 'url = "https://example.com/leaflet"\ndate')
    said = "cited: leaflet.size: 8MB, a leaflet, 2020-01-01 https://example.com/leaflet"
    assert f'title="{said}"' in convert("# A\n\n{{ leaflet.size }}", project)
