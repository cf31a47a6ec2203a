"""The settings of the site generator: whatever is wrong with them is an error with the file, and with a line."""

import re
import shutil
from pathlib import Path

import pytest

from proof.core import site_config
from proof.core.errors import ManifestError, UsageError
from proof.publish.scripts import Scripts
from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1", r"mkdocs\.yml:\d: invalid YAML: "),
        ("a: 1\nb: {\n", r"mkdocs\.yml:\d: invalid YAML: "),
        ("a: 1\nb: *c\n", r"mkdocs\.yml:2: invalid YAML: found undefined alias"),
        ("a: 2020-13-45", r"mkdocs\.yml: invalid YAML: month must be in 1\.\.12"),
        ("a: !!int x", r"mkdocs\.yml: invalid YAML: invalid literal"),
        ("[" * 9000, r"mkdocs\.yml.*: invalid YAML: "),
        ("\0", r"mkdocs\.yml.*: invalid YAML: "),
        ("- a", r"mkdocs\.yml: this YAML is no mapping"),
        ("a: 1\nextra: [scripts]", r"mkdocs\.yml:2: `extra` is \['scripts'\]"),
        ("extra:\n  scripts: a.js", r"mkdocs\.yml:2: `scripts` is 'a\.js'"),
        ("extra_javascript: a.js", r"mkdocs\.yml:1: `extra_javascript` is 'a\.js'"),
        ("theme: [material]", r"mkdocs\.yml:1: `theme` is \['material'\]"),
        ("docs_dir: 3", r"mkdocs\.yml:1: `docs_dir` is 3"),
        ("markdown_extensions: proof", r"mkdocs\.yml:1: `markdown_extensions` is 'proof'"),
    ],
)
def test_what_is_wrong(text: str, says: str, tmp_path: Path) -> None:
    """Whoever reads them says so: both readers of a page, and the one that finishes a site."""
    path = tmp_path / "mkdocs.yml"
    path.write_text(text)
    for read in (lambda: site_config.load(path), lambda: Scripts.of(tmp_path)):
        with pytest.raises(ManifestError, match=says) as error:
            read()
        assert error.value.hint


def test_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path}/mkdocs.yml: no such file")):
        Scripts.of(tmp_path)


@pytest.mark.parametrize("text", ["", "# a comment\n", "extra:\nextra_javascript:\ntheme:\n"])
def test_what_is_empty(text: str, tmp_path: Path) -> None:
    """A key without a value is as if it were not there."""
    (tmp_path / "mkdocs.yml").write_text(text)
    config = site_config.load(tmp_path / "mkdocs.yml")
    assert (site_config.scripts(config), site_config.named_files(config)) == ([], set())
    assert Scripts.of(tmp_path).named == frozenset()


def test_what_is_named(tmp_path: Path) -> None:
    """Scripts by path or with attributes, and the icon. Tags of MkDocs run nothing, and anchors are read."""
    path = tmp_path / "mkdocs.yml"
    path.write_text(
        "theme: { name: !ENV [THEME, mkdocs], favicon: a.svg }\n"
        "extra_javascript: [&one b.js, { path: c.js, defer: true }, { defer: true }]\n"
        "extra: { scripts: [*one, d.js] }\n"
        "hooks: !!python/name:os.system\n"
    )
    config = site_config.load(path)
    assert site_config.scripts(config) == ["b.js", "c.js", "b.js", "d.js"]
    assert site_config.named_files(config) == {"a.svg", "b.js", "c.js", "d.js"}
    assert Scripts.of(tmp_path).named == {"b.js", "c.js", "d.js"}


SET_UP = "mkdocs.yml: these markdown_extensions cannot be set up: "


@pytest.mark.parametrize(
    ("verb", "added", "says"),
    [
        ("status", "  - nowhere\n", f"{SET_UP}ModuleNotFoundError"),
        ("status", "  - proof: { nothing: 1 }\n", f"{SET_UP}KeyError"),
        ("status", "  - proof: [1]\n", f"{SET_UP}AttributeError"),
        ("status", "  - {}\n", f"{SET_UP}StopIteration"),
        ("status", "extra: [1]\n", "`extra` is [1]"),
        ("status", "}\n", ": invalid YAML: "),
        ("publish site", "extra: [1]\n", "`extra` is [1]"),
        ("publish site", "}\n", ": invalid YAML: "),
    ],
)
def test_the_command_says_so(verb: str, added: str, says: str, tmp_path: Path) -> None:
    """Exit code 2 and the file."""
    root = captured(tiny(tmp_path))
    edit(root / "mkdocs.yml", "  - proof\n", f"  - proof\n{added}")
    shutil.copytree(root / "docs", root / "site")
    done = proof(*verb.split(), cwd=root)
    assert done.returncode == 2
    assert says in done.stdout + done.stderr
