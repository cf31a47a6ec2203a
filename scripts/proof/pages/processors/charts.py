"""``` chart: a picture of facts. See `proof.pages.charts`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from proof.pages.document import MARK
from proof.pages.processors.alone import Alone


class Charts(Alone):
    """Replaces the mark that stands for a chart since the page was read as it was written: see `source`."""

    pattern = re.compile(rf"{MARK}\Z")

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        chart = self.page.rendering.charts[written[0]]
        figure = ET.SubElement(parent, "figure", {"class": f"chart chart--{chart.kind}"})
        caption = ET.SubElement(figure, "figcaption")
        caption.text = chart.title
        self.page.rendering.beside[caption] = chart.facts
        # Not searched, because that would find each word twice.
        self.add_html(figure, chart.inside, **{"class": "chart__inside", "data-search-exclude": ""})
