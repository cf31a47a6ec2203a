"""Prints how often the lint is wrong, and saves the figures for the pages in snippets/lint.toml."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from maintenance.error_rate import pages, sentences
from proof.snippets import project

_SENTENCES = Path("tests", "data", "sentences")


def main(words: list[str]) -> int:
    """Measure, print and save."""
    root = project.find_root(Path.cwd())
    rates = {half: sentences.measure(root / _SENTENCES / half) for half in sentences.HALVES}
    for half, rate in rates.items():
        print(f"{half}: {rate.total} sentences, recall {rate.recall:.1%}, precision {rate.precision:.1%}")
        if half == "development":  # whoever fixes the lint must not know the others
            for each in [*rate.missed, *rate.wrong]:
                print(f"  {each.kind}: {each.sentence}")
    if words == ["sentences"]:
        return 0
    tallies = pages.measure(root)
    for kind, tally in tallies.items():
        print(f"{tally.caught:5} of {tally.total:5} noticed: {kind}")
        for change in tally.missed if kind != pages.OTHER else ():
            print(f"  {change.page}:{change.line}: {change.old!r} → {change.new!r}")
    counted = [tally for kind, tally in tallies.items() if kind != pages.OTHER]
    held_back = rates["held_back"]
    figures = {
        "sentences": (sum(rate.total for rate in rates.values()), "count"),
        "held_back": (held_back.total, "count"),
        "recall": (round(held_back.recall, 4), "ratio"),
        "precision": (round(held_back.precision, 4), "ratio"),
        "changes": (sum(tally.total for tally in counted), "count"),
        "noticed": (round(sum(tally.caught for tally in counted) / sum(tally.total for tally in counted), 4), "ratio"),
        "other_facts": (tallies[pages.OTHER].total, "count"),
        "other_facts_noticed": (round(tallies[pages.OTHER].caught / tallies[pages.OTHER].total, 4), "ratio"),
    }
    lines = [f'figures.{name} = {{ value = {value}, unit = "{unit}" }}' for name, (value, unit) in figures.items()]
    path = root / "snippets" / "lint.toml"
    path.write_text(
        "# Written by scripts/error-rate.\n\n"
        '[[source]]\nname = "lint"\ntitle = "one run of scripts/error-rate"\n'
        f'date = "{datetime.now(UTC):%Y-%m-%d}"\n' + "".join(f"{line}\n" for line in lines),
        "utf-8",
    )
    print(f"saved in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
