"""The box "In short": it can be linked to."""

from __future__ import annotations

from markdown import Markdown

from proof.pages.summary import Summary


def convert(text: str) -> str:
    """The HTML of a text."""
    md = Markdown(extensions=["admonition"])
    md.treeprocessors.register(Summary(md), "proof_summary", 6)
    return md.convert(text)


def test_the_box_has_an_address() -> None:
    """An ID for links, a class for styles, and a link to itself as headings have one."""
    html = convert('# A\n\n!!! abstract "In short"\n\n    It is small.\n')
    assert '<div class="admonition abstract in-short" id="in-short">' in html
    assert '>In short<a class="headerlink" href="#in-short" title="Permanent link">¶</a></p>' in html


def test_only_the_first_box_with_this_title_does() -> None:
    """An ID stands once on a page; other boxes stay as they are."""
    html = convert('!!! note "Other"\n\n    A.\n\n!!! note "In short"\n\n    B.\n\n!!! note "In short"\n\n    C.\n')
    assert html.count("in-short") == 3
    assert '<div class="admonition note">\n<p class="admonition-title">Other</p>' in html
