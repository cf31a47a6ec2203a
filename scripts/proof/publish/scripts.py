"""The scripts that a page may have: inline ones from the templates of the theme or of the project, and known files.

Inline scripts are looked up in the installed theme, so a new release of the theme needs no change here. Files are
those of the theme, and those that mkdocs.yml names.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from proof.core import site_config
from proof.core.site_file import site_file
from proof.publish.page import Page

_PARTIALS = "partials/javascripts"  # of Material and Zensical
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# A placeholder in a template stands for a path, with no character that could end a string or name a host.
_OPEN = re.compile(r"\{\{.*?\}\}")
_PATH = r"[\w.~/%-]*"
# Of one with `tojson`: such a path as a string, a list of them, or a table of names with numbers, like the keys of
# MkDocs' own theme.
_JSON = rf'(?:"{_PATH}"|\[(?:"{_PATH}"(?:, )?)*\]|\{{(?:"\w+": [0-9]+(?:, )?)*\}})'

# The theme's script is a third of a page's bytes and most of its work, but the text does not need it, nor the scripts
# that a page defers. So they are loaded once the browser reports its first paint, or after two seconds in a browser
# that reports none. The theme's script comes last. It waits for DOMContentLoaded, which is past by then, so the event
# is sent once more. The styles of what scripts add are loaded as if for a printer, and apply from then on: a browser
# computes the style of all elements again, now together with what that event changes. The timeout lets the browser
# respond to the reader in between. A browser runs a file only if its content has one of the hashes that the element
# states, and the policy has all of these: so each element states every hash of the policy.
AFTER_PAINT = """
document.addEventListener("DOMContentLoaded", () => {
  const add = (name, has) => document.head.appendChild(Object.assign(document.createElement(name), has))
  const scripts = {{ scripts | tojson }}
  const integrity = document.querySelector("meta[http-equiv]").content.match(/sha256-[^']+/g).join(" ")
  const run = () => scripts.forEach((src, number) =>
    add("script", { src, integrity, async: false, onload: number === scripts.length - 1 ? started : null }))
  const started = () => setTimeout(() => {
    styles.media = "all"
    document.dispatchEvent(new Event("DOMContentLoaded"))
  })
  let styles
  const load = () =>
    styles ??= add("link", { rel: "stylesheet", media: "print", href: "{{ styles }}", onload: run, onerror: run })
  setTimeout(load, 2000)
  new PerformanceObserver(load).observe({ type: "paint", buffered: true })
}, { once: true })
"""


@dataclass(frozen=True)
class Scripts:
    """The scripts that the pages of a project may have."""

    inline: tuple[re.Pattern[str], ...]
    named: frozenset[str]  # the files that mkdocs.yml names, below the site
    themes: tuple[Path, ...]  # the directories whose files a site may have copies of

    @classmethod
    def of(cls, project: Path) -> Scripts:
        """Those of a project: its mkdocs.yml says which. Raises UsageError if there is no such file."""
        config = site_config.load(site_file(project))
        theme = config.get("theme") or "mkdocs"
        theme = theme if isinstance(theme, dict) else {"name": theme}
        themes = tuple(_folders(str(theme.get("name"))))
        overrides = [project / str(theme["custom_dir"])] if theme.get("custom_dir") else []
        templates = [path for folder in (*overrides, *themes) for path in _templates(folder)]
        texts = [path.read_text("utf-8") for path in templates]
        return cls(
            inline=tuple(_pattern(script) for text in texts for script in _SCRIPT.findall(text)),
            named=frozenset(site_config.scripts(config)),
            themes=themes,
        )

    def know(self, script: str) -> bool:
        """True if an inline script is one of the project's templates or of the theme's."""
        return any(pattern.fullmatch(script) for pattern in self.inline)

    def path(self, page: Page, address: str) -> str:
        """The path in the site of the script at an address in the page; "" if the page may not load it.

        A file in docs/ can replace one of the theme's, so these are compared byte by byte.
        """
        if page.base.startswith("/"):  # the 404 page
            address = address.removeprefix(page.base)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page.url), address))
        if path in self.named:
            return path
        if not re.fullmatch(r"\w[\w.~/-]*\.js", path, re.ASCII):
            return ""
        file = page.site / path
        same = (own.is_file() and file.is_file() and own.read_bytes() == file.read_bytes() for own in self._own(path))
        return path if any(same) else ""

    def _own(self, path: str) -> Iterator[Path]:
        return (folder / path for folder in self.themes)


def _templates(folder: Path) -> list[Path]:
    """The templates with scripts that every page may have; others are for analytics and redirects."""
    partials = folder / _PARTIALS
    return sorted((partials if partials.is_dir() else folder).glob("*.html"))


def _folders(theme: str) -> Iterator[Path]:
    """The directories of the theme, of Zensical, which reads the mkdocs.yml of another one, and of the search."""
    for group in ("mkdocs.themes", "properdocs.themes"):
        for point in entry_points(group=group, name=theme):
            yield from _folder(point.value)
    for module in ("zensical", "mkdocs.contrib.search", "properdocs.contrib.search"):
        yield from (folder / "templates" for folder in _folder(module))


def _folder(module: str) -> Iterator[Path]:
    with contextlib.suppress(ModuleNotFoundError):
        if (spec := find_spec(module)) is not None and spec.origin:
            yield Path(spec.origin).parent


def _pattern(template: str) -> re.Pattern[str]:
    text = "".join(map(re.escape, _OPEN.split(template)[:1]))
    for placeholder, after in zip(_OPEN.findall(template), _OPEN.split(template)[1:], strict=True):
        text += (_JSON if "tojson" in placeholder else _PATH) + re.escape(after)
    return re.compile(text, re.ASCII)
