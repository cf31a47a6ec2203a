"""The entry point by which Python-Markdown finds the extension `proof`."""

from __future__ import annotations

from typing import Any

from proof.pages import scan
from proof.pages.extension import ProofExtension


def make_extension(**options: Any) -> ProofExtension:
    """The extension, with a function that lists all pages of the site, for pages such as `{{ proof }}`."""
    return ProofExtension(list_pages=scan.for_index, **options)
