"""Reads the site generator's settings, mkdocs.yml or properdocs.yml, as far as the tool needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proof.core.errors import ManifestError, UsageError, Where
from proof.core.files import read_text
from proof.core.limits import limited

_LARGEST = 1_000_000  # bytes
_DEEPEST = 20  # lists and mappings in each other, in front matter
# What the values have to be that the tool reads.
_KINDS: dict[str, type | tuple[type, ...]] = {
    "docs_dir": str,
    "extra": dict,
    "extra_css": list,
    "extra_javascript": list,
    "markdown_extensions": (list, dict),
    "scripts": list,
    "theme": (str, dict),
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Ignores tags such as `!!python/name:`, which would import and run code."""


class _PlainLoader(yaml.SafeLoader):
    """Refuses anchors and aliases, with which a short text is a huge value, and tags. In Python, so that it can end."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level == _DEEPEST:  # each level may begin a key, so all are looked at for each token
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="`&`, `*` and `!` have no meaning here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _tagged(loader: Any, suffix: str, node: yaml.Node) -> Any:
    """The default in `!ENV [NAME, default]`, which readers may see; nothing for other tags."""
    several = suffix == "!ENV" and isinstance(node, yaml.SequenceNode) and len(node.value) > 1
    return loader.construct_sequence(node)[-1] if several else None


_Loader.add_multi_constructor("", _tagged)


def load(path: Path) -> dict[str, Any]:
    """The settings in a file. Raises UsageError if there is none, and ManifestError if it is not valid."""
    try:
        text = read_text(path, below=path.parent, limit=_LARGEST)
    except FileNotFoundError as error:
        raise UsageError("no such file", where=Where(path), hint="write the settings of the site there") from error
    config = _mapping(text, path, 1, _Loader)
    extra = config.get("extra")
    scripts = {"scripts": extra.get("scripts")} if isinstance(extra, dict) else {}
    for key, value in [*config.items(), *scripts.items()]:
        kinds = _KINDS.get(key, object)
        if value is not None and not isinstance(value, kinds):
            line = next((n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(f"{key}:")), None)
            hint = f"see {key} at https://www.mkdocs.org/user-guide/configuration/"
            raise ManifestError(f"`{key}` is {value!r:.60}", where=Where(path, line), hint=hint)
    return config


def parse_plain(text: str, path: Path) -> dict[str, Any]:
    """The mapping in the front matter of the page `path`. `text` begins in its second line, below `---`.

    Raises ManifestError if it is not valid YAML, or has more than plain keys, values and lists.
    """
    with limited(Where(path, 1)):  # not the page, whose text is read with another deadline
        return _mapping(text, path, 2, _PlainLoader)


def _mapping(text: str, path: Path, line: int, loader: Any) -> dict[str, Any]:
    """The mapping in a text that begins in this line of the file `path`."""
    try:
        data = yaml.load(text, loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that does not exist
        mark = getattr(error, "problem_mark", None)
        where = Where(path, line + mark.line if mark else None)
        what = f"invalid YAML: {getattr(error, 'problem', None) or error}"
        hint = "see https://yaml.org; quote a text with special characters"
        raise ManifestError(what, where=where, hint=hint) from error
    if not isinstance(data or {}, dict):
        raise ManifestError("this YAML is no mapping", where=Where(path), hint="write `key: value` lines")
    return dict(data or {})


def scripts(config: dict[str, Any]) -> list[str]:
    """The scripts that the settings name, as paths below docs/."""
    entries = [*(config.get("extra_javascript") or []), *((config.get("extra") or {}).get("scripts") or [])]
    return [str(path) for entry in entries if (path := entry.get("path") if isinstance(entry, dict) else entry)]


def named_files(config: dict[str, Any]) -> set[str]:
    """The scripts, the style sheets and the icon that the settings name, as paths below docs/."""
    theme = config.get("theme")
    icon = theme.get("favicon") if isinstance(theme, dict) else None
    return {*scripts(config), *map(str, config.get("extra_css") or []), *([str(icon)] if icon else [])}
