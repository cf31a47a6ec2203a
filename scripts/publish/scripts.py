"""Which inline scripts a page may have: those of the theme's templates, and those that stand in this repository.

They are known by where they come from, so a new release of the theme brings its own. A page's scripts are files.
"""

from __future__ import annotations

import functools
import re
from importlib.util import find_spec
from pathlib import Path

# The themes that can build this site, and the folder below each in which its inline scripts are.
_THEMES, _PARTIALS = ("material", "zensical"), "templates/partials/javascripts"
_OVERRIDES = Path(__file__).parents[2] / "overrides"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# What a template leaves open is a path: nothing in it can end a string, or name a host.
_OPEN = re.compile(r"\{\{.*?\}\}")
_PATH = r"[\w.~/%-]*"

# The theme's script is a third of a page's bytes and most of its work, and the text needs none of it. It waits for an
# event that is over by the time it runs, and is told of it again.
AFTER_PAINT = """<script>
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => {
  const script = document.createElement("script")
  script.src = "{{ address }}"
  script.onload = () => document.dispatchEvent(new Event("DOMContentLoaded"))
  document.body.append(script)
})), { once: true })
</script>"""


def known(script: str) -> bool:
    """Whether an inline script is one of ours or of the theme's."""
    return any(pattern.fullmatch(script) for pattern in _known())


@functools.cache
def _known() -> tuple[re.Pattern[str], ...]:
    specs = [spec for name in _THEMES if (spec := find_spec(name)) is not None and spec.origin]
    folders = [_OVERRIDES, *(Path(str(spec.origin)).parent / _PARTIALS for spec in specs)]
    files = [path for folder in folders for path in sorted(folder.glob("*.html"))]
    texts = [AFTER_PAINT, *(path.read_text("utf-8") for path in files)]
    return tuple(_pattern(found) for text in texts for found in _SCRIPT.findall(text))


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(_PATH.join(map(re.escape, _OPEN.split(template))), re.ASCII)
