"""Builds a site from hostile outputs with the real settings, and reads its pages."""

import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from proof.captures import store
from proof.captures.model import CapturedFact, CapturedLayer, CapturedStep
from proof.core.text import first_invisible, first_misleading
from proof.pages.lint import claims
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import REPOSITORY, TINY, mkdocs, succeeded, up_to_date
from tests.support.makers import capture, toml, write

_UNCHECKED = "from proof.captures import objections\nobjections.of = lambda *_: iter(())\n"
TITLED = 20  # pages with a printed text in their titles, and so in the navigation of every page
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


def outputs(script: str, address: str) -> list[str]:
    """The corpus of outputs, with a script to run and an address to ask."""
    data = tomllib.loads((REPOSITORY / "tests/data/corpus/outputs.toml").read_text("utf-8"))
    found = [*data["outputs"], *(entry["text"] * entry["times"] for entry in data["repeated"])]
    return [text.replace("CANARY", script).replace("ADDRESS", address) for text in found]


def _line(text: str) -> str:
    """A text as a title may have it: one line, of what a reader sees, without a number."""
    return _without_numbers(_seen(text).replace("\n", " ")).strip() or "x"


def build(root: Path, printed: Sequence[str]) -> Path:
    """The site of a project in which each of these was printed, is a fact, and stands wherever a text may stand.

    In snippet.toml: a command, a remedy, a title, a reason. In a capture: a base, a source. In cited.toml: a
    source, a figure. In pages: facts in headings, titles, tables and pictures.
    """
    settings = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    extensions = settings[settings.index("markdown_extensions:") :]
    theme = f"theme: {{ name: material, font: false, custom_dir: {REPOSITORY / 'overrides'} }}"
    steps = [f"step_{number}" for number in range(len(printed))]
    manifest = [f"title = {_toml(_line(printed[0]))}"]
    page = ["# A page", ""]
    for step, text in zip(steps, printed, strict=True):
        piece = next((line.strip() for line in text.splitlines() if line.strip()), "x")[:200]
        manifest += ["[[step]]", f'name = "{step}"', f"command = {_toml(_command(text))}"]
        manifest += [
            "exit = 1",
            f"expect = {_toml(piece)}",
            f"remedy = {_toml(_without_numbers(_seen(text).strip(' ') or 'x'))}",
        ]
        page += [f"## Says {{{{ odd.{step} }}}} {{: #says-{step} }}", ""]
        page += [f"{{{{ transcript odd/{step} }}}}", "", f"- It says {{{{ odd.{step} }}}}."]
        page += [f"- It says so. {{{{ claim: odd.{step} != 'nothing' }}}}", ""]
        page += [f"| a | b |\n|---|---|\n| {{{{ odd.{step} }}}} | {{{{ leaflet.size }}}} |", ""]
    names = ",\n".join(f'{{ name = "Says {{{{ odd.{step} }}}}", value = "odd.amount" }}' for step in steps)
    page += ["``` chart", 'kind = "bars"', 'title = "Of {{ odd.step_0 }}"', f"rows = [{names}]", "```", ""]
    manifest += [
        "[[step]]",
        'name = "hidden"',
        'command = "docker version"',
        f"unshown = {_toml(_without_numbers(printed[0]))}",
    ]
    texts = dict(zip(steps, printed, strict=True))
    short = {step: text[:500] for step, text in texts.items()}
    odd = capture(
        snippet="odd",
        steps=(
            *(CapturedStep(s, _command(t), t[:80], 1, 0.1, t) for s, t in texts.items()),
            CapturedStep("hidden", "docker version", None, 0, 0.1, ""),
        ),
        facts={s: CapturedFact(t, "text", f"the output of {t}") for s, t in short.items()}
        | {"amount": CapturedFact(1, "B", "made up")},
        layers=(CapturedLayer(printed[0], 1, 1, "", from_base=False),),
        provenance=replace(capture().provenance, bases=short),
    )
    cited = f'[[source]]\nname = "leaflet"\ntitle = {_toml(_line(printed[3]))}\ndate = "2020"\n'
    cited += 'url = "https://example.com/"\nfigures.size = { value = 8, unit = "MB" }\n'
    for number, text in enumerate(printed):
        cited += f"[[source]]\nname = 'source_{number}'\ntitle = {_toml(_line('x' + text))}\ndate = '2020'\n"
        cited += 'url = "https://example.com/\\"><script>x</script>&)](javascript:x)"\n'
        cited += 'figures.size = { value = 8, unit = "MB" }\n'
    write(
        root,
        {
            "mkdocs.yml": f"site_name: Odd\nstrict: true\n{theme}\n{extensions}",
            "docs/index.md": "\n".join(page),
            **{
                f"docs/titled_{number}.md": f"# Of {{{{ odd.{step} }}}} {{: #of }}\n\n{{{{ transcript odd/{step} }}}}\n"
                for number, step in enumerate(steps[:TITLED])
            },
            "docs/proof/index.md": "# Proof\n\n{{ proof }}\n",
            "docs/errors/index.md": "# Errors\n\n{{ errors }}\n",
            "docs/measurements/index.md": "# Measurements\n\n{{ measurements }}\n",
            "docs/measurements/title_0.md": "{{ measurements title_0 }}\n",
            "snippets/bases.toml": (TINY / "snippets/bases.toml").read_bytes(),
            "snippets/cited.toml": cited,
            "snippets/odd/snippet.toml": "\n".join(manifest),
            "snippets/odd/context/Dockerfile": "FROM alpine:3.22\n",
        },
    )
    store.save(odd, folder_of(root / "snippets" / "odd", "rebuilt"))
    for number, text in enumerate(printed):  # a title each, and a command that no page shows
        title = f"title = {_toml(_line('x' + text))}\n"
        step = f'[[step]]\nname = "one"\ncommand = {_toml(_command(text))}\n'
        folder = write(
            root / "snippets" / f"title_{number}",
            {"snippet.toml": f"{title}{step}unshown = {_toml(_without_numbers(text))}\n"},
        )
        (folder / "context").mkdir()
        one = CapturedStep("one", _command(text), None, 0, 0.1, text[:500])
        store.save(capture(snippet=folder.name, steps=(one,)), folder_of(folder, "rebuilt"))
    # No run can have given these captures, so a build would stop. This tests the next wall: how they are written.
    write(root / "unchecked", {"sitecustomize.py": _UNCHECKED})
    succeeded(mkdocs(up_to_date(root), root / "site", {"PYTHONPATH": str(root / "unchecked")}))
    return root / "site"


def _without_numbers(text: str) -> str:
    """A text of a manifest, in which no number may be typed, and no character that readers could take for another."""
    text = "".join(c for c in text if not first_misleading(c)) or "x"
    while typed := {loose.text for loose in claims.unbound(text, ())}:
        for words in typed:
            text = text.replace(words, "x")
    return text


def _command(text: str) -> str:
    """A command that holds a text, as far as one can be typed."""
    return f"docker run alpine:3.22 echo {shlex.quote(_seen(' '.join(text[:300].split())))}"


def _seen(text: str) -> str:
    """A text without what nobody can see or type."""
    return "".join(c for c in text if not first_invisible(c, " \n"))


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
        if ("class", "flag") not in attrs:  # how many words of a command begin with a hyphen depends on the command
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
