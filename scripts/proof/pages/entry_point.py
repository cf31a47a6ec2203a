"""Where Python-Markdown finds the extension: `proof` among the entry points `markdown.extensions`."""

from __future__ import annotations

from typing import Any

from proof.pages import scan
from proof.pages.extension import ProofExtension


def make_extension(**options: Any) -> ProofExtension:
    """The extension, with what lists all pages of a site for a page such as `{{ proof }}`."""
    return ProofExtension(list_pages=scan.for_index, **options)
