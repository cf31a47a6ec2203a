"""The addresses at which a site shows its transcripts, as site generators make them of the names of pages."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urljoin

from proof.pages.scan import all_read
from proof.pages.site import Site
from proof.pages.transcript import anchor


def of_steps(root: Path, address: str) -> dict[str, str]:
    """The address of the transcript of each step that a page shows, by the step's name.

    It begins with `address`, the site's own, or is relative to it if that is empty. If several pages show a step, a
    page that explains something comes before one that lists everything.
    """
    site = Site.at(root)
    directories = site.config.get("use_directory_urls", True)
    base = f"{address.rstrip('/')}/" if address else ""
    addresses: dict[str, str] = {}
    for report in sorted(all_read(root), key=lambda report: report.page.generated):
        page = urljoin(base, quote(_of_page(report.path.relative_to(site.docs), directories=directories)))
        for name in report.page.shown:
            addresses.setdefault(name, f"{page}#{anchor(*name.split('/'))}")
    return addresses


def _of_page(path: Path, *, directories: bool) -> str:
    name = path.with_suffix("").as_posix()
    if not directories:
        return f"{name}.html"
    return name.removesuffix("index") if path.stem == "index" else f"{name}/"
