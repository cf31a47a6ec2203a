"""Reads the site generator's settings, mkdocs.yml or properdocs.yml, as far as the tool needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proof.core.errors import ManifestError, Where
from proof.core.files import read_text
from proof.core.limits import limited

_LARGEST = 1_000_000  # bytes


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Ignores tags such as `!!python/name:`, which would import and run code."""


class _PlainLoader(yaml.SafeLoader):
    """Refuses anchors and aliases, with which a short text is a huge value, and tags. In Python, so that it can end."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="front matter has no aliases and no tags", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _tagged(loader: Any, suffix: str, node: yaml.Node) -> Any:
    """The default in `!ENV [NAME, default]`, which readers may see; nothing for other tags."""
    several = suffix == "!ENV" and isinstance(node, yaml.SequenceNode) and len(node.value) > 1
    return loader.construct_sequence(node)[-1] if several else None


_Loader.add_multi_constructor("", _tagged)


def load(path: Path) -> dict[str, Any]:
    """The settings in a file. Raises ManifestError if it is not valid YAML."""
    return _mapping(read_text(path, below=path.parent, limit=_LARGEST), path, 1, _Loader)


def parse_plain(text: str, path: Path) -> dict[str, Any]:
    """The mapping in the front matter of the page `path`. `text` begins in its second line, below `---`.

    Raises ManifestError if it is not valid YAML, or has more than plain keys, values and lists.
    """
    with limited(Where(path)):
        return _mapping(text, path, 2, _PlainLoader)


def _mapping(text: str, path: Path, line: int, loader: Any) -> dict[str, Any]:
    """The mapping in a text that begins in this line of the file `path`."""
    try:
        data = yaml.load(text, loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        mark = getattr(error, "problem_mark", None)
        where = Where(path, line + mark.line if mark else None)
        what = f"invalid YAML: {getattr(error, 'problem', None) or error}"
        hint = "see https://yaml.org; quote a text with special characters"
        raise ManifestError(what, where=where, hint=hint) from error
    if not isinstance(data or {}, dict):
        raise ManifestError("this YAML is no mapping", where=Where(path), hint="write `key: value` lines")
    return dict(data or {})


def named_files(config: dict[str, Any]) -> set[str]:
    """The scripts, style sheets and the icon that the settings name, as paths below docs/."""
    scripts = [*(config.get("extra_javascript") or []), *((config.get("extra") or {}).get("scripts") or [])]
    paths = [entry["path"] if isinstance(entry, dict) else entry for entry in scripts] + (config.get("extra_css") or [])
    theme = config.get("theme")
    return {str(path) for path in (*paths, theme.get("favicon") if isinstance(theme, dict) else None) if path}
