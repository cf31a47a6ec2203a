"""A site around captured outputs, built as the real one is, and its pages taken apart."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from proof import capture as captures
from proof.capture import CapturedFact, CapturedLayer, CapturedStep, Provenance, folder_of
from tests.helpers import REPOSITORY, TINY, mkdocs
from tests.makers import capture, toml, write

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


def outputs(script: str, address: str) -> list[str]:
    """The corpus of outputs, with a script to run and an address to ask."""
    data = tomllib.loads((REPOSITORY / "tests/corpus/outputs.toml").read_text("utf-8"))
    found = [*data["outputs"], *(entry["text"] * entry["times"] for entry in data["repeated"])]
    return [text.replace("CANARY", script).replace("ADDRESS", address) for text in found]


def build(root: Path, printed: Sequence[str]) -> Path:
    """The site of a project in which each of these was printed, is a fact, a title, a figure's source, an origin."""
    settings = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    extensions = settings[settings.index("markdown_extensions:") :]
    steps = [f"step_{number}" for number in range(len(printed))]
    manifest = [f"title = {_toml(printed[0])}"]
    page = ["# A page", ""]
    for step, text in zip(steps, printed, strict=True):
        piece = next((line.strip() for line in text.splitlines() if line.strip()), "x")[:200]
        manifest += ["[[step]]", f'name = "{step}"', 'command = "docker run alpine:3.22 <b> & {{"']
        manifest += ["exit = 1", f"expect = {_toml(piece)}"]
        page += [f"{{{{ transcript odd/{step} }}}}", "", f"- It says {{{{ odd.{step} }}}}."]
        page += [f"- It says so. {{{{ claim: odd.{step} == odd.{step} }}}}", ""]
        page += [f"| a | b |\n|---|---|\n| {{{{ odd.{step} }}}} | {{{{ leaflet.size }}}} |", ""]
    manifest += ["[[step]]", 'name = "hidden"', 'command = "docker version"', f"unshown = {_toml(printed[0])}"]
    texts = dict(zip(steps, printed, strict=True))
    short = {step: text[:500] for step, text in texts.items()}
    odd = capture(
        snippet="odd",
        steps=(
            *(CapturedStep(s, "docker run alpine:3.22 <b> & {{", None, 1, 0.1, t) for s, t in texts.items()),
            CapturedStep("hidden", "docker version", None, 0, 0.1, ""),
        ),
        facts={s: CapturedFact(t, "text", f"the output of {t}") for s, t in short.items()},
        layers=(CapturedLayer(printed[0], 1, 1, "", from_base=False),),
        provenance=Provenance(
            date=printed[1],
            engine=printed[2],
            builder=printed[3],
            image_store=printed[4],
            filesystem=printed[5],
            private=True,
            bases=short,
            revision=printed[6],
        ),
    )
    cited = f'[[source]]\nname = "leaflet"\ntitle = {_toml(printed[3])}\ndate = {_toml(printed[4])}\n'
    cited += 'url = "https://example.com/"\nfigures.size = { value = 8, unit = "MB" }\n'
    write(
        root,
        {
            "mkdocs.yml": f"site_name: Odd\nstrict: true\ntheme: {{ name: material, font: false }}\n{extensions}",
            "docs/index.md": "\n".join(page),
            "docs/proof/index.md": "# Proof\n\n{{ proof }}\n",
            "docs/errors/index.md": "# Errors\n\n{{ errors }}\n",
            "snippets/bases.toml": (TINY / "snippets/bases.toml").read_bytes(),
            "snippets/cited.toml": cited,
            "snippets/odd/snippet.toml": "\n".join(manifest),
            "snippets/odd/context/Dockerfile": "FROM alpine:3.22\n",
        },
    )
    captures.save(odd, folder_of(root / "snippets" / "odd", "rebuilt"))
    done = mkdocs(root, root / "site")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return root / "site"


def _toml(text: str) -> str:
    return toml(text[:500])


class Parsed(HTMLParser):
    """A page as its elements, addresses and what its transcripts say that was printed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.addresses: Counter[str] = Counter()
        self.transcripts: list[str] = []
        self.scripts = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element with its attributes' names."""
        self.elements[" ".join([tag, *sorted(name for name, _ in attrs)])] += 1
        self.addresses.update(str(value) for name, value in attrs if name in ("href", "src", "action", "data", "style"))
        if tag not in VOID:
            self._open.append(tag)
        if (tag == "figure" and ("class", "transcript") in attrs) or (
            "class",
            "transcript transcript--failed",
        ) in attrs:
            self.transcripts.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close up to this element."""
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """The text of a transcript or a script."""
        if "samp" in self._open:
            self.transcripts[-1] += data
        if "script" in self._open:
            self.scripts += data

    def handle_comment(self, data: str) -> None:
        """A comment is an element of the page too: Material has none with a tag in it."""
        self.elements["comment " + re.sub(r"\w+", "w", data)[:20]] += 1


def parse(page: Path) -> Parsed:
    """A built page."""
    return Parsed(page.read_text("utf-8"))
