"""The finishing step with each theme that `proof init` can choose, and what it says of settings that it refuses."""

import re
import shutil
from pathlib import Path

import pytest

from proof.core.errors import UsageError
from proof.publish.finish import publish
from proof.publish.page import Page, digest
from proof.publish.scripts import Scripts
from proof.starters import project
from proof.starters.project import Generator
from tests.support.helpers import captured, edit, mkdocs, module, succeeded


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `proof init` makes for each theme, measured."""
    made: dict[str, Path] = {}
    themes: tuple[Generator, ...] = ("material", "mkdocs", "properdocs")
    for theme in themes:
        root = tmp_path_factory.mktemp(theme)
        project.make(root, theme, "rebuilt")
        made[theme] = captured(root)
    return made


def copy(projects: dict[str, Path], theme: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(projects[theme], tmp_path / theme))


def built(root: Path) -> Path:
    succeeded(mkdocs(root, root / "site"))
    return root / "site"


@pytest.mark.parametrize("theme", ["material", "mkdocs"])
def test_a_site_is_finished(projects: dict[str, Path], theme: str, tmp_path: Path) -> None:
    """Each page has a policy that allows its inline scripts, and nothing in the page that the policy forbids."""
    root = copy(projects, theme, tmp_path)
    finished = publish(built(root), root)
    assert sorted(page.path.name for page in finished) == ["404.html", "index.html"]
    for page in finished:
        found = Page(page.site, page.path)
        assert found.html.count("Content-Security-Policy") == 1
        assert all(digest(script.encode()) in found.html for script in found.inline_scripts)
        assert all(digest(found.file(name).read_bytes()) in found.html for name in found.script_files)
        assert " style=" not in found.html
    assert "8.31MB" in (root / "site/index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("theme", "setting"),
    [("mkdocs", "highlightjs: false"), ("material", "font: false")],
)
def test_what_loads_from_another_host_can_be_switched_off(
    projects: dict[str, Path], theme: str, setting: str, tmp_path: Path
) -> None:
    """The hint is the line to write."""
    root = copy(projects, theme, tmp_path)
    edit(root / "mkdocs.yml", setting, "")
    with pytest.raises(UsageError, match="is not allowed here") as error:
        publish(built(root), root)
    assert f"write {setting} below theme in mkdocs.yml" in error.value.hint


@pytest.mark.parametrize(
    "script",
    [
        'var base_url = alert(1),\n                shortcuts = {"help": 191};',
        'var base_url = ".",\n                shortcuts = {"help": alert(1)};',
        'var base_url = "."+alert(1)+".",\n                shortcuts = {};',
        'var base_url = "https://example.com",\n                shortcuts = {};',
    ],
)
def test_the_settings_of_a_theme_are_no_code(projects: dict[str, Path], script: str) -> None:
    """MkDocs' own theme writes settings into a script: only paths, and tables of numbers, are taken for such."""
    scripts = Scripts.of(projects["mkdocs"])
    ours = '\n            var base_url = ".",\n                shortcuts = {"help": 191, "search": 83};\n        '
    assert scripts.know(ours)
    assert not scripts.know(f"\n            {script}\n        ")


@pytest.mark.parametrize("text", ["{{ hello.size }}", "{{ claim: hello.size > 1 }}", "{{ words(hello.layers) }}"])
def test_what_nothing_filled_in_is_not_published(projects: dict[str, Path], text: str, tmp_path: Path) -> None:
    """For example, if the site was built without the extension. In code, it is shown as it is written."""
    root = copy(projects, "mkdocs", tmp_path)
    site = built(root)
    edit(site / "index.html", "</h1>", f"</h1><p><code>{text}</code></p>")
    whole = (site / "index.html").read_text("utf-8")
    edit(site / "index.html", "</h1>", f"</h1><p>It takes {text}.</p>")
    with pytest.raises(UsageError, match="this was not filled in"):
        publish(site, root)
    (site / "index.html").write_text(whole, "utf-8")
    assert len(publish(site, root)) == 2


def test_the_settings_of_properdocs_are_read(projects: dict[str, Path], tmp_path: Path) -> None:
    """They are called properdocs.yml. The theme is MkDocs' own."""
    root = copy(projects, "properdocs", tmp_path)
    assert not (root / "mkdocs.yml").exists()
    site = built(copy(projects, "mkdocs", tmp_path))
    assert len(publish(site, root)) == 2


def test_zensical_builds_no_page_with_an_unknown_fact(projects: dict[str, Path], tmp_path: Path) -> None:
    """The build fails, and the page isn't written."""
    root = copy(projects, "material", tmp_path)
    edit(root / "docs/index.md", "hello.own_size", "hello.own_sise")
    done = module("zensical", "build", cwd=root, env={})
    assert done.returncode != 0
    assert re.search(r"unknown fact 'hello.own_sise'", done.stdout + done.stderr)
    assert not (root / "site/index.html").exists()
