"""Builds the site for the preview in a temporary directory, and collects the problems of its pages.

Pages are rendered even if they have problems: the author sees the new page with its problems, not the old page.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment
from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config
from mkdocs.config.base import LegacyConfig
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation

from proof.core.errors import ProofError
from proof.core.site_file import site_file
from proof.pages import scan
from proof.pages import site as known_site
from proof.pages.document import page_text
from proof.pages.extension import ProofExtension, check_project
from proof.pages.page import Page

Problems = dict[Path | None, list[str]]  # by page; None for problems of no single page


class Site:
    """The built site. It is built in one of two directories while the other one is shown."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folders = root, (folder / "0", folder / "1")
        self.shown = self._folders[1]
        self.problems: Problems = {}
        self._built: _Built | None = None  # what the site that is shown was built from
        config = self._config(self.shown)
        self.docs, self._folder_urls = Path(config.docs_dir), config.use_directory_urls
        self.watched = [self.docs, site_file(root), *(Path(path) for path in config.watch)]

    def build(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Build every page, then show the new site. If the build fails, the old site is still shown.

        Asks `stop` before each page. If that says so, the build ends without a result, and false is returned.
        """
        target = self._folders[self.shown == self._folders[0]]
        logged, built = _Log(), _Built(stop)
        try:
            gathered = self._run(logged, lambda: self._build(target, built))
        except _StoppedError:
            return False
        if gathered is not None:
            self.problems = gathered
            self.problems.setdefault(None, []).extend(logged.warnings)
            self.shown, self._built = target, built
        return True

    def build_pages(self, sources: Iterable[Path]) -> None:
        """Build only these pages, into the site that is shown, if they are in it. `build` has to follow for all others.

        Settings and navigation are those of the last build.
        """
        sources, built = set(sources), self._built
        if built is None:
            return
        gathered = self._run(_Log(), lambda: built.again(sources))
        if gathered is not None:
            kept: Problems = {page: said for page, said in self.problems.items() if page and page not in sources}
            self.problems = kept | gathered

    def file_of(self, source: Path) -> Path:
        """The file of the site that is built from a page, relative to the site."""
        path = str(source.relative_to(self.docs))
        return Path(File(path, str(self.docs), str(self.shown), self._folder_urls).dest_uri)

    def showing(self, snippet: str) -> set[Path]:
        """The pages that refer to a snippet's directory or to anything in it, judging by their text."""
        # What `{{` begins ends at the next brace: else each would be compared with the rest of the page.
        named = re.compile(
            rf"""(?:\{{\{{[^{{}}]*?\b|["']){re.escape(snippet)}\w*[./]|\{{\{{\s*measurements\s+{re.escape(snippet)}\b"""
        )
        pages = set()
        for page in self.docs.rglob("*.md"):
            with contextlib.suppress(ProofError):  # such as for a link: the build reports it
                if named.search(page_text(self._root, page)):
                    pages.add(page)
        return pages

    def _build(self, target: Path, built: _Built) -> Problems:
        config = self._config(target)
        check_project(known_site.Site.at(self._root), self.docs)  # before MkDocs reads front matter
        built.pages = _Gathering(**(config.mdx_configs.get("proof") or {}))
        names: list[Any] = config.markdown_extensions  # Python-Markdown accepts an instance instead of a name
        names[:] = [built.pages if name == "proof" else name for name in names]
        config.plugins["preview"] = built
        mkdocs.build(config, serve_url=config.site_url)
        return built.pages.problems()

    def _run(self, logged: _Log, make: Callable[[], Problems]) -> Problems | None:
        """Run MkDocs. Returns the problems of the pages that it rendered, or None if it failed."""
        known_site.Site.at(self._root).glance.clear()
        log = logging.getLogger("mkdocs")
        log.addHandler(logged)
        log.propagate = False  # its messages are shown among the problems
        try:
            return make()
        except _StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stops a build, the preview reports it and continues
            # A ProofError is complete by itself. MkDocs logs the reason, and raises only that it has stopped.
            said = [] if isinstance(error, ProofError) else logged.errors
            self.problems = {**self.problems, None: [*said, str(error) or type(error).__name__]}
            return None
        finally:
            log.removeHandler(logged)

    def _config(self, target: Path) -> MkDocsConfig:
        file = str(site_file(self._root))
        # Not strict, which would stop the build at warnings. The preview shows them anyway.
        return load_config(file, site_dir=str(target), site_url="http://localhost/", strict=False)


class _Gathering(ProofExtension):
    """The Markdown extension, but it collects the problems of every page, and shows stale captures as such."""

    def __init__(self, **options: Any) -> None:
        super().__init__(list_pages=scan.for_index, **options | {"collect": True, "draft": True})
        self._pages: list[Page] = []

    def reset(self) -> None:
        super().reset()
        self._pages.append(self.page)

    def forget(self) -> None:
        """Forget the pages that were rendered so far."""
        self._pages.clear()

    def problems(self) -> Problems:
        found: Problems = {}
        problem: ProofError
        for page in self._pages:
            for problem in page.problems:
                found.setdefault(problem.where.path if problem.where else None, []).append(str(problem))
        return found


class _StoppedError(Exception):
    """A build was stopped, because a file was saved."""


class _Built(BasePlugin[LegacyConfig]):  # type: ignore[no-untyped-call]
    """Keeps what MkDocs has made of the settings, the files and the templates: any page can be built again from it."""

    pages: _Gathering
    settings: MkDocsConfig
    files: Files
    nav: Navigation
    env: Environment

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        self.settings, self.files, self.nav = config, files, nav

    def on_env(self, env: Environment, **_: Any) -> None:
        self.env = env

    def on_pre_page(self, *_: Any, **__: Any) -> None:
        if self._stop():
            raise _StoppedError

    def on_page_context(self, *_: Any, **__: Any) -> None:
        if self._stop():
            raise _StoppedError

    def again(self, sources: set[Path]) -> Problems:
        """Build those of these pages that MkDocs knows again, and return their problems."""
        self._stop = lambda: False
        self.pages.forget()
        shown = self.files.documentation_pages(inclusion=InclusionLevel.is_in_serve)
        for file in self.files.documentation_pages():
            if file.page and Path(file.abs_src_path or "") in sources:
                mkdocs._populate_page(file.page, self.settings, self.files)  # noqa: SLF001 - nothing public does it
                mkdocs._build_page(file.page, self.settings, shown, self.nav, self.env)  # noqa: SLF001
        return self.pages.problems()


class _Log(logging.Handler):
    """Collects the messages of MkDocs, for example about broken links and pages missing from the navigation."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[str] = []
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        (self.errors if record.levelno >= logging.ERROR else self.warnings).append(record.getMessage())
