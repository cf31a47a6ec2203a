"""`python -m proof.publish SITE`: finishes a built site for publishing."""

from __future__ import annotations

import sys
from pathlib import Path

from proof.core.errors import ProofError, UsageError, print_error
from proof.publish import card, csp, feed, head, lean, markup, material, styles
from proof.publish.page import Page, read


def main(arguments: list[str]) -> int:
    """Finish the site in the directory given as the only argument, and return the exit code."""
    try:
        if len(arguments) != 1:
            raise UsageError("expected one argument: the directory of a site", hint="python -m proof.publish site/")
        pages = publish(Path(arguments[0]))
    except ProofError as error:
        print_error(str(error))
        return error.code
    print(f"{len(pages)} pages finished")
    return 0


def publish(site: Path) -> list[Page]:
    """Finish every page of a built site, and write its cards, feed, sitemap and robots.txt."""
    built = read(site)
    for page in built:
        markup.check(page)
    pages = [material.fix_markup(page) for page in built]
    if all(material.is_material(page) for page in pages):
        style = styles.join(site, pages)
        pages = [lean.reduce_loading(page, style) for page in pages]
    described = [head.describe(page, card.draw(page, site)) for page in pages]
    # Last, because the policy has the hash of every inline script in the page.
    finished = [csp.add_policy(lean.remove_indentation(page)) for page in described]
    # Errors in a page are found above, before anything is written: a site is finished completely or not at all.
    lean.search_on_demand(site)
    feed.write(site, finished)
    for page in finished:
        page.path.write_text(page.html, "utf-8", newline="\n")
    return finished


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
