"""Reads the site generator's settings, mkdocs.yml or properdocs.yml, as far as the tool needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proof.core.errors import ManifestError, Where
from proof.core.files import read_text

_LARGEST = 1_000_000  # bytes


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Ignores tags such as `!!python/name:`, which would import and run code."""


def _tagged(loader: Any, suffix: str, node: yaml.Node) -> Any:
    """The default in `!ENV [NAME, default]`, which readers may see; nothing for other tags."""
    several = suffix == "!ENV" and isinstance(node, yaml.SequenceNode) and len(node.value) > 1
    return loader.construct_sequence(node)[-1] if several else None


_Loader.add_multi_constructor("", _tagged)


def load(path: Path) -> dict[str, Any]:
    """The settings in a file. Raises ManifestError if it is not valid YAML."""
    return parse(read_text(path, below=path.parent, limit=_LARGEST), path)


def parse(text: str, path: Path) -> dict[str, Any]:
    """The mapping in YAML text, which is from the file `path`. Raises ManifestError if it is none."""
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that skips tags
    except yaml.YAMLError as error:
        raise ManifestError(f"invalid YAML: {error}", where=Where(path), hint="see https://yaml.org") from error
    if not isinstance(data or {}, dict):
        raise ManifestError("this YAML is no mapping", where=Where(path), hint="write `key: value` lines")
    return dict(data or {})


def parse_plain(text: str, path: Path) -> dict[str, Any]:
    """The mapping in the front matter of a page. Tags are errors, and aliases: a short text with them can be huge."""
    try:
        for event in yaml.parse(text, _Loader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
                raise ManifestError("no aliases and no tags", where=Where(path), hint="write the value itself")
    except yaml.YAMLError:
        pass  # reported below
    return parse(text, path)


def named_files(config: dict[str, Any]) -> set[str]:
    """The scripts, style sheets and the icon that the settings name, as paths below docs/."""
    scripts = [*(config.get("extra_javascript") or []), *((config.get("extra") or {}).get("scripts") or [])]
    paths = [entry["path"] if isinstance(entry, dict) else entry for entry in scripts] + (config.get("extra_css") or [])
    theme = config.get("theme")
    return {str(path) for path in (*paths, theme.get("favicon") if isinstance(theme, dict) else None) if path}
