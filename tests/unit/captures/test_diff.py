"""What counts as a difference, and what is noise with a known cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import store
from proof.captures.diff import compare
from proof.captures.model import Capture, CapturedFact
from proof.core.errors import ManifestError
from proof.core.text import did_you_mean
from proof.snippets import manifest
from proof.snippets.places import folder_of
from tests.support.helpers import LAYERS, captured, edit, of_layers, tiny


@pytest.mark.parametrize(
    ("old", "new", "different"),
    [
        (CapturedFact(100, "B", ""), CapturedFact(100, "B", "another source"), False),
        (CapturedFact(100, "B", ""), CapturedFact(101, "B", ""), True),
        (CapturedFact(100, "B", ""), CapturedFact(101, "B", "", tolerance=0.01), False),
        (CapturedFact(100, "B", ""), CapturedFact(102, "B", "", tolerance=0.01), True),
        (CapturedFact(100, "B", ""), CapturedFact(100, "count", ""), True),
        (CapturedFact("a", "text", ""), CapturedFact("b", "text", ""), True),
        (CapturedFact("a", "text", ""), CapturedFact("b", "text", "", volatile="an id"), False),
        (CapturedFact(8.1, "s", ""), CapturedFact(99.9, "s", "", volatile="the clock"), False),
        # How far a value may differ is for the run to say, and not for the capture.
        (CapturedFact(100, "B", "", tolerance=0.99), CapturedFact(102, "B", "", tolerance=0.01), True),
        (CapturedFact(100, "B", "", volatile="the clock"), CapturedFact(102, "B", ""), True),
        (CapturedFact(10**400, "B", ""), CapturedFact(102, "B", "", tolerance=0.01), True),
    ],
)
def test_a_fact_differs_beyond_its_tolerance(
    old: CapturedFact,
    new: CapturedFact,
    different: bool,  # noqa: FBT001 - an expected value
    tmp_path: Path,
) -> None:
    """Exact unless a tolerance or a reason for being volatile says otherwise; a unit is always exact."""
    # `count` has no image, of whose layers its facts would have to follow.
    snippet = manifest.load(captured(tiny(tmp_path)) / "snippets" / "count")
    folder = folder_of(snippet.folder, "rebuilt")
    capture = store.load(folder)
    assert capture is not None
    before, after = (replace(capture, facts={"size": fact}) for fact in (old, new))
    found = [difference.what for difference in compare(before, after, snippet, folder)]
    assert ("count.size" in found) is different
    parts = [part for part in ("source", "tolerance", "volatile") if getattr(old, part) != getattr(new, part)]
    assert [what for what in found if ": " in what] == ([] if different else [f"count.size: {part}" for part in parts])


class Here:
    """A capture of a snippet of the tiny project, and what is said of another one in its place."""

    def __init__(self, root: Path, name: str) -> None:
        self.snippet = manifest.load(root / "snippets" / name)
        self.folder = folder_of(self.snippet.folder, "rebuilt")
        capture = store.load(self.folder)
        assert capture is not None
        self.capture = capture

    def said(self, old: Capture, new: Capture | None = None) -> list[str]:
        """What is different in the capture `old` from a run that comes to `new`, or to what is captured."""
        return [difference.what for difference in compare(old, new or self.capture, self.snippet, self.folder)]


@pytest.fixture
def note(tmp_path: Path) -> Here:
    """The snippet with an image."""
    return Here(captured(tiny(tmp_path)), "note")


def fact(name: str, **fields: Any) -> Callable[[Capture], Capture]:
    """Another word on a fact."""
    return lambda c: replace(c, facts={**c.facts, name: replace(c.facts[name], **fields)})


def step(number: int, **fields: Any) -> Callable[[Capture], Capture]:
    """Another word on a step."""
    return lambda c: replace(c, steps=(*c.steps[:number], replace(c.steps[number], **fields), *c.steps[number + 1 :]))


def layer(number: int, **fields: Any) -> Callable[[Capture], Capture]:
    """Another word on a layer."""
    return lambda c: replace(
        c, layers=(*c.layers[:number], replace(c.layers[number], **fields), *c.layers[number + 1 :])
    )


def provenance(**fields: Any) -> Callable[[Capture], Capture]:
    """Another word on where it comes from."""
    return lambda c: replace(c, provenance=replace(c.provenance, **fields))


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        # Facts: value, unit, and all that is said of them.
        (fact("size", value=8_311_411), "note.size"),
        (fact("size", source="an estimate"), "note.size: source"),
        (fact("size", tolerance=0.99), "note.size: tolerance"),
        (fact("size", volatile="it varies"), "note.size: volatile"),
        (fact("layer_2", source="layer 2: COPY everything"), "note.layer_2: source"),
        (fact("user", value="nobody"), "note.user"),
        (lambda c: replace(c, facts={**c.facts, "invented": CapturedFact(1, "B", "")}), "note.invented"),
        (lambda c: replace(c, facts={n: f for n, f in c.facts.items() if n != "user"}), "note.user"),
        # Steps.
        (step(1, exit=1), "note/run exit"),
        (step(1, command="docker run other"), "note/run command"),
        (step(1, inside="alpine:3.22"), "note/run inside"),
        (step(1, output="something else\n"), "note/run"),
        (step(1, seconds=-1.0), "note: run seconds"),
        (lambda c: replace(c, steps=c.steps[1:]), "note/build"),
        (lambda c: replace(c, steps=(*c.steps, replace(c.steps[0], name="more"))), "note/more"),
        (lambda c: replace(c, steps=c.steps[::-1]), "note: the order of the steps"),
        (
            step(0, output="#7 [internal] load build context\n#7 transferring context: 99.9kB done\n"),
            "note/build: transferred",
        ),
        # Layers.
        (layer(1, instruction="COPY other.txt /"), "note: layer 2: instruction"),
        (layer(1, size=26), "note: layer 2: size"),
        (layer(1, files=2), "note: layer 2: files"),
        (layer(1, digest=f"sha256:{'c' * 64}"), "note: layer 2: digest"),
        (layer(1, from_base=True), "note: layer 2: from_base"),
        (layer(0, digest=f"sha256:{'c' * 64}"), "note: layer 1: digest"),
        (lambda c: replace(c, layers=c.layers[:1]), "note: layer 2"),
        (lambda c: replace(c, layers=(*c.layers, c.layers[1])), "note: layer 3"),
        # Where it comes from.
        (lambda c: replace(c, snippet="count"), "note: the snippet of the capture"),
        (lambda c: replace(c, tampered=("run.txt",)), "note: run.txt"),
        (provenance(bases={"alpine:3.22": "Alpine, all of it"}), "note: the base alpine:3.22"),
        (provenance(bases={}), "note: the base alpine:3.22"),
        (provenance(date="2999-01-01T00:00:00Z"), "note: date"),
        (provenance(engine="a fast one"), "note: engine"),
        (provenance(engine="docker 29"), "note: engine"),
        (provenance(builder="buildx\n::error::"), "note: builder"),
        (provenance(image_store="a good one"), "note: image_store"),
        (provenance(filesystem="<b>"), "note: filesystem"),
        (provenance(revision="the newest one"), "note: revision"),
        (lambda c: replace(c, inputs={**c.inputs, "the engine": "docker 99"}), "note: engine"),
    ],
)
def test_whatever_is_shown_is_compared(note: Here, forged: Callable[[Capture], Capture], says: str) -> None:
    """A record that somebody edited, with its seal computed again, is not what a run comes to."""
    assert note.said(note.capture) == []
    capture = forged(note.capture)
    assert says in note.said(capture)
    store.save(capture, note.folder)
    resealed = store.load(note.folder)
    assert resealed is not None
    assert resealed.tampered == ()
    if not capture.tampered:
        assert says in note.said(resealed)


@pytest.mark.parametrize(
    "other",
    [
        provenance(date="2026-02-03T04:05:06Z"),
        provenance(revision="7654321+"),
        provenance(filesystem="btrfs"),
        provenance(private=False),
        provenance(builder="buildx 0.14.0"),
        step(1, seconds=99.9),
        lambda c: replace(provenance(engine="docker 29.1.2")(c), inputs={**c.inputs, "the engine": "docker 29"}),
    ],
)
def test_what_two_honest_runs_differ_in(note: Here, other: Callable[[Capture], Capture]) -> None:
    """When, how long, on which version and at which commit: it has its form, and is not compared."""
    assert note.said(note.capture, other(note.capture)) == []


def test_a_volatile_value_is_that_of_its_own_transcript(tmp_path: Path) -> None:
    """No run can tell what it was; the output that it was read from can."""
    root = captured(tiny(tmp_path))
    edit(root / "snippets/count/snippet.toml", 'unit = "count"', 'unit = "count", volatile = "the moon"')
    count = Here(captured(root), "count")
    again = step(0, output="7 note.txt\n")(fact("words", value=7)(count.capture))
    assert count.said(again) == ["count/words"]  # the output is compared, as ever
    assert count.said(fact("words", value=7)(count.capture)) == ["count.words: read from its own transcript"]


def test_layers_that_vary_say_so(note: Here, tmp_path: Path) -> None:
    """The content of a snippet's own layers where it says why, and their sizes and files as far as it says."""
    root = tmp_path / "tiny"
    file = note.snippet.folder / "snippet.toml"
    other = layer(1, digest=f"sha256:{'c' * 64}")
    edit(file, 'image = "note"', 'image = "note"\nnoise = { because = "a date" }')
    varying = Here(captured(root), "note")
    assert varying.snippet.varies
    assert varying.snippet.noise == 0
    assert varying.said(other(varying.capture)) == []
    assert varying.said(layer(0, digest="")(varying.capture)) == ["note: layer 1: digest"]
    assert "note: layer 2: size" in varying.said(layer(1, size=28)(varying.capture))
    assert varying.said(layer(1, files=2)(varying.capture)) == ["note: layer 2: files"]
    edit(file, 'because = "a date"', 'bytes = 9000, because = "a log"')
    noisy = Here(captured(root), "note")
    assert noisy.snippet.noise == 9000
    assert noisy.said(other(noisy.capture)) == []
    assert "note: layer 2: size" in noisy.said(layer(1, size=28)(noisy.capture))  # a layer smaller than the noise
    grown = of_layers(noisy.capture, noisy.snippet, (LAYERS[0], replace(LAYERS[1], size=20_000_000, files=9)))
    within = fact("size", value=28_311_386, tolerance=0.000317893)(grown)
    assert noisy.said(within, grown) == ["note.size: computed from its own layers"]
    for size, files, says in (
        (20_008_000, 11, []),
        (20_009_100, 9, ["note.size", "note.own_size", "note.layer_2", "note: layer 2: size"]),
        (20_000_000, 12, ["note: layer 2: files"]),
    ):
        new = of_layers(noisy.capture, noisy.snippet, (LAYERS[0], replace(LAYERS[1], size=size, files=files)))
        assert noisy.said(grown, new) == says


def test_a_later_build_claims_what_an_earlier_one_printed(tmp_path: Path) -> None:
    """The second build of a run takes the step from the cache: the first one says what it prints."""
    root = tiny(tmp_path)
    manifest_file = root / "snippets" / "note" / "snippet.toml"
    with manifest_file.open("a") as file:
        file.write('\n[[step]]\nname = "again"\ncommand = "docker build -t note ."\nunshown = "a test"\n')
    note = Here(captured(root), "note")
    log = "#7 [2/2] RUN wc -c /a\n#7 {}\n"
    ran, cached = log.format("0.213 1234 /a"), log.format("CACHED")
    last = len(note.capture.steps) - 1
    run = step(last, output=cached)(step(0, output=ran)(note.capture))
    assert note.said(run, run) == []
    assert note.said(step(last, output=ran)(run), run) == []
    assert note.said(step(last, output=log.format("0.213 1 /a"))(run), run) == ["note/again"]


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ("", "", True),
        ("", "-f Other.Dockerfile", False),
        ("--build-arg A=1", "", False),
        ("--build-arg A=1", "--build-arg A=2", False),
        ("--build-arg A=1", "--build-arg A=1", True),
    ],
)
def test_a_build_with_other_variables_says_nothing(first: str, second: str, differs: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expected value
    """A variable changes what a step prints, and the log does not show it."""
    root = tiny(tmp_path)
    context = root / "snippets/note/context"
    text = (context / "Dockerfile").read_text()
    (context / "Other.Dockerfile").write_text(text.replace("\n", "\nENV A=1\n", 1))
    with (root / "snippets/note/snippet.toml").open("a") as file:
        for name, flags in (("one", first), ("two", second)):
            file.write(f'\n[[step]]\nname = "{name}"\ncommand = "docker build {flags} -t note ."\nunshown = "a test"\n')
    note = Here(captured(root), "note")
    log = "#7 [2/2] RUN wc -c /a\n#7 {}\n"
    one, two = len(note.capture.steps) - 2, len(note.capture.steps) - 1
    run = step(one, output=log.format("0.213 1234 /a"))(step(two, output=log.format("CACHED"))(note.capture))
    claimed = step(two, output=log.format("DONE 0.1s"))(run)
    assert note.said(claimed, run) == (["note/two"] if differs else [])


def test_a_long_output_is_not_printed_whole(note: Here) -> None:
    """Of 4 MB of equal lines one that changed is found at its line; of 4 MB of others, the first ones are said."""
    line = "x" * 1000
    lines = [line] * 4_000  # for which the whole of it is handed to no matcher: see test_blocks.py
    old = step(1, output="\n".join([*lines[:1_999], "y", *lines[2_000:]]))(note.capture)
    (found,) = compare(old, step(1, output="\n".join(lines))(note.capture), note.snippet, note.folder)
    assert (found.where.line, found.old, found.new) == (2_000, "y", line)
    lines = [f"a line {number}" for number in range(20_000)]
    old, new = (step(1, output="\n".join(some))(note.capture) for some in (lines, lines[::-1]))
    (found,) = compare(old, new, note.snippet, note.folder)
    assert found.old.splitlines()[-1] == "… and 19,988 more lines"
    assert len(found.old) + len(found.new) < 1_000
    old = step(1, output="z" * 4_000_000)(note.capture)
    (found,) = compare(old, note.capture, note.snippet, note.folder)
    assert found.old.endswith("… and 3,999,000 more characters") or len(found.old) < 30_000


def test_very_many_differences_are_counted(note: Here) -> None:
    """Nobody reads them all, and a log holds only so much."""
    many = {f"fact_{number}": CapturedFact(1, "B", "") for number in range(10_000)}
    found = list(
        compare(replace(note.capture, facts=note.capture.facts | many), note.capture, note.snippet, note.folder)
    )
    assert len(found) == 101
    assert found[-1].old == "9,900 more differences"


def test_a_long_name_has_no_near_miss() -> None:
    """The time to look for one grows with the product of the lengths."""
    assert did_you_mean("notes", ["note"]) == " - did you mean 'note'?"
    assert did_you_mean("n" * 1_000_000, ["n" * 999_999]) == ""


def test_noise_says_why(tmp_path: Path) -> None:
    """`noise` needs its reason, and no bytes where only the content of its layers varies."""
    root = tiny(tmp_path)
    file = root / "snippets" / "note" / "snippet.toml"
    edit(file, 'image = "note"', 'image = "note"\nnoise = { bytes = 4096, because = "a log" }')
    assert manifest.load(file.parent).noise == 4096
    for wrong in ("noise = { bytes = 4096 }", 'noise = { bytes = 0, because = "x" }', "noise = 3"):
        edit(file, file.read_text().splitlines()[2], wrong)
        with pytest.raises(ManifestError, match=r"snippet\.toml:3"):
            manifest.load(file.parent)
