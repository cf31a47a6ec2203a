"""The scripts that a page may have: inline ones from the theme's templates or this repository, and known files.

Inline scripts are looked up in the installed theme, so a new release of the theme needs no change here. Files are
those of the theme, and those that mkdocs.yml names.
"""

from __future__ import annotations

import functools
import posixpath
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from proof.publish.page import Page

# The themes that can build this site, and the directory in each that has its inline scripts.
_THEMES, _PARTIALS = ("material", "zensical"), "templates/partials/javascripts"
_ROOT = Path(__file__).parents[3]
_OVERRIDES = _ROOT / "overrides"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# A placeholder in a template stands for a path, with no character that could end a string or name a host.
_OPEN = re.compile(r"\{\{.*?\}\}")
_PATH = r"[\w.~/%-]*"

# The theme's script is a third of a page's bytes and most of its work, but the text does not need it. So it is loaded
# after the first paint. It waits for DOMContentLoaded, which is past by then, so the event is sent once more.
AFTER_PAINT = """<script>
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => {
  const script = document.createElement("script")
  script.src = "{{ address }}"
  script.onload = () => document.dispatchEvent(new Event("DOMContentLoaded"))
  document.body.append(script)
})), { once: true })
</script>"""


def known(script: str) -> bool:
    """True if an inline script is one of ours or one of the theme's."""
    return any(pattern.fullmatch(script) for pattern in _known())


def loadable(page: Page, address: str) -> bool:
    """True if a page may load the script at this address.

    A file in docs/ can replace one of the theme's, so these are compared byte by byte.
    """
    if page.base.startswith("/"):  # the 404 page
        address = address.removeprefix(page.base)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page.url), address))
    if path.startswith(("/", "..")):
        return False
    file = page.site / path
    return path in _named() or any(
        own.is_file() and file.is_file() and own.read_bytes() == file.read_bytes()
        for own in (folder / "templates" / path for folder in _themes())
    )


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without importing what its `!!python/name:` tags refer to."""


_Loader.add_multi_constructor("", lambda _loader, _suffix, _node: None)


@functools.cache
def _named() -> frozenset[str]:
    config: dict[str, Any] = yaml.load((_ROOT / "mkdocs.yml").read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    entries = [*(config.get("extra_javascript") or []), *((config.get("extra") or {}).get("scripts") or [])]
    return frozenset(str(entry["path"] if isinstance(entry, dict) else entry) for entry in entries)


def _themes() -> list[Path]:
    specs = [spec for name in _THEMES if (spec := find_spec(name)) is not None and spec.origin]
    return [Path(str(spec.origin)).parent for spec in specs]


@functools.cache
def _known() -> tuple[re.Pattern[str], ...]:
    folders = [_OVERRIDES, *(theme / _PARTIALS for theme in _themes())]
    files = [path for folder in folders for path in sorted(folder.glob("*.html"))]
    texts = [AFTER_PAINT, *(path.read_text("utf-8") for path in files)]
    return tuple(_pattern(found) for text in texts for found in _SCRIPT.findall(text))


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(_PATH.join(map(re.escape, _OPEN.split(template))), re.ASCII)
