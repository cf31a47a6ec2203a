"""What counts as a difference, and what is noise."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proof.captures import store
from proof.captures.diff import Difference, compare, not_compared, same
from proof.captures.model import Capture, CapturedFact
from proof.core.errors import Where
from proof.snippets import manifest
from proof.snippets.capture_locations import folder_of
from tests.support import makers
from tests.support.helpers import LAYERS, capture_in, captured, edit, of_layers, tiny


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
        # A share of what was captured, in either direction.
        (CapturedFact(100, "B", ""), CapturedFact(99, "B", "", tolerance=0.01), False),
        (CapturedFact(-100, "count", ""), CapturedFact(-101, "count", "", tolerance=0.01), False),
        (CapturedFact(-100, "count", ""), CapturedFact(-102, "count", "", tolerance=0.01), True),
        # A text has no share.
        (CapturedFact("a", "text", ""), CapturedFact("b", "text", "", tolerance=0.01), True),
    ],
)
def test_a_fact_differs_beyond_its_tolerance(
    old: CapturedFact,
    new: CapturedFact,
    different: bool,  # noqa: FBT001 - an expected value
    made: Path,
) -> None:
    """Values must be equal unless they are volatile or have a tolerance. Units must always be equal."""
    # `count` has no image, of whose layers its facts would have to follow.
    snippet = manifest.variants(made / "snippets" / "count")[0]
    folder = folder_of(snippet.folder, "rebuilt")
    capture = capture_in(folder)
    before, after = (replace(capture, facts={"size": fact}) for fact in (old, new))
    found = [difference.what for difference in compare(before, after, snippet, folder)]
    assert same(old, new) is (not different)
    assert ("count.size" in found) is different
    parts = [part for part in ("source", "tolerance", "volatile") if getattr(old, part) != getattr(new, part)]
    assert [what for what in found if ": " in what] == ([] if different else [f"count.size: {part}" for part in parts])


class Here:
    """A capture of a snippet of the tiny project, to be compared with changed ones."""

    def __init__(self, root: Path, name: str) -> None:
        self.snippet = manifest.variants(root / "snippets" / name)[0]
        self.folder = folder_of(self.snippet.folder, "rebuilt")
        capture = capture_in(self.folder)
        self.capture = capture

    def compared(self, old: Capture, new: Capture | None = None) -> list[Difference]:
        """How the capture `old` differs from the run `new`, by default a run equal to the capture."""
        return list(compare(old, new or self.capture, self.snippet, self.folder))

    def said(self, old: Capture, new: Capture | None = None) -> list[str]:
        """Only what is different."""
        return [difference.what for difference in self.compared(old, new)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with made-up captures. It is copied, because writing captures waits for the disk."""
    return captured(tiny(tmp_path_factory.mktemp("made")))


@pytest.fixture
def note(made: Path, tmp_path: Path) -> Here:
    """The snippet with an image."""
    return Here(Path(shutil.copytree(made, tmp_path / "tiny")), "note")


def fact(name: str, **fields: Any) -> Callable[[Capture], Capture]:
    """Change a fact."""
    return lambda c: replace(c, facts={**c.facts, name: replace(c.facts[name], **fields)})


def step(number: int, **fields: Any) -> Callable[[Capture], Capture]:
    """Change a step."""
    return lambda c: replace(c, steps=(*c.steps[:number], replace(c.steps[number], **fields), *c.steps[number + 1 :]))


def layer(number: int, **fields: Any) -> Callable[[Capture], Capture]:
    """Change a layer."""
    return lambda c: replace(
        c, layers=(*c.layers[:number], replace(c.layers[number], **fields), *c.layers[number + 1 :])
    )


def provenance(**fields: Any) -> Callable[[Capture], Capture]:
    """Change the provenance."""
    return lambda c: replace(c, provenance=replace(c.provenance, **fields))


ALL_OF_IT = {"alpine:3.22": "Alpine, all of it"}
MORE = CapturedFact(1, "B", "")
LOG = "#7 [1/1] RUN a\n{}\n"
CONTEXT = "#7 [internal] load build context\n#7 transferring context: 99.9kB done\n"
OTHER_DIGEST = f"sha256:{'c' * 64}"


class Forged(NamedTuple):
    """A change of a capture, what differs then, both sides, the file to open, and what its line begins with."""

    change: Callable[[Capture], Capture]
    what: str
    old: str = ""
    new: str = ""
    line: str = ""
    file: str = "capture.json"


RUN = '[[step]]\nname = "run"'
FIRST, SECOND = (f'"digest": "sha256:{digit * 64}"' for digit in "ab")
FORGED = [
    # Facts: value, unit, and all that is said of them.
    Forged(fact("size", value=8_311_411), "note.size", "8.31MB (8,311,411 B)", "8.31MB (8,311,412 B)", '"size": {'),
    Forged(fact("layers", value=1_234), "note.layers", "1,234", "2", '"layers": {'),
    Forged(fact("user", source="x"), "note.user: source", "x", "the configuration in", '"user": {'),
    Forged(fact("user", tolerance=0.99), "note.user: tolerance", "0.99", "0.0", '"user": {'),
    Forged(fact("size", tolerance=0.5), "note.size: tolerance", "0.5", "0.0", '"size": {'),
    Forged(fact("size", volatile="it varies"), "note.size: volatile", "it varies", "", '"size": {'),
    Forged(lambda c: replace(c, facts={**c.facts, "more": MORE}), "note.more", "1B (1 B)", "(none)", '"more": {'),
    Forged(
        lambda c: replace(c, facts={n: f for n, f in c.facts.items() if n != "user"}), "note.user", "(none)", "root"
    ),
    # Steps: the one in the manifest, for what only the manifest says.
    Forged(step(1, exit=1), "note/run exit", "1", "0", RUN, "snippet.toml"),
    Forged(step(1, command="docker x"), "note/run command", "docker x", "docker run note", RUN, "snippet.toml"),
    Forged(step(1, inside="alpine:3.22"), "note/run inside", "alpine:3.22", "None", RUN, "snippet.toml"),
    Forged(
        lambda c: replace(c, steps=c.steps[1:]),
        *("note/build", "no capture", "run", '[[step]]\nname = "build"', "snippet.toml"),
    ),
    Forged(
        lambda c: replace(c, steps=(*c.steps, replace(c.steps[0], name="more"))),
        *("note/more", "captured", "no such step", '"more": {'),
    ),
    Forged(
        lambda c: replace(c, steps=c.steps[::-1]),
        *("note: the order of the steps", "image_ls, run, build", "build, run, image_ls", '"steps": {'),
    ),
    Forged(step(1, seconds=300.1), "note: run seconds", "300.1", "a value that proof writes", '"provenance": {'),
    # Outputs, and what a log says of a build.
    Forged(step(1, output="one\ntwo\n"), "note/run", "one\ntwo", "(nothing)", "one", "run.txt"),
    *(
        Forged(step(0, output=log), "note/build: seconds", "99999", "at most 0.1", log.split("\n")[-2], "build.txt")
        for log in (
            LOG.format("#7 DONE 99999.0s"),
            LOG.format("#7 99999.9 printed\n#7 99999.0 printed"),
            LOG.format("#7 naming to note 99999.0s done"),
            "------\n > [1/1] RUN a:\n99999.9 printed\n",
        )
    ),
    Forged(step(0, output=CONTEXT), "note/build: transferred", "99,900 B", "at most", "#7 tran", "build.txt"),
    Forged(
        step(0, output="#7 [certified 1/2] COPY note.txt /\n#7 DONE 0.0s\n"),
        *("note/build: a step of the build", "[certified 1/2]", "no such step in the Dockerfile", "", "build.txt"),
    ),
    # Layers.
    Forged(layer(1, instruction="RUN x"), "note: layer 2: instruction", "RUN x (RUN x)", "COPY note", SECOND),
    Forged(layer(1, size=26), "note: layer 2: size", "26 (COPY note.txt", "27", SECOND),
    Forged(layer(1, files=2), "note: layer 2: files", "2 (COPY note.txt", "1", SECOND),
    Forged(layer(0, files=2), "note: layer 1: files", "2 (ADD rootfs /)", "87", FIRST),
    Forged(layer(1, from_base=True), "note: layer 2: from_base", "yes (COPY note.txt", "no", SECOND),
    Forged(
        layer(1, digest=OTHER_DIGEST),
        "note: layer 2: digest",
        OTHER_DIGEST,
        f"sha256:{'b' * 64}",
        '"digest": "sha256:c',
    ),
    Forged(lambda c: replace(c, layers=c.layers[:1]), "note: layer 2", "(none)", "COPY note.txt", '"layers": ['),
    Forged(
        lambda c: replace(c, layers=(*c.layers, LAYERS[1])), "note: layer 3", "COPY note.txt", "(none)", '"layers": ['
    ),
    # Where it comes from.
    Forged(lambda c: replace(c, snippet="count"), "note: the snippet of the capture", "count", "note", '"snippet": '),
    Forged(
        lambda c: replace(c, tampered=("run.txt",)),
        *("note: run.txt", "what the tool wrote", "edited by hand", "", "run.txt"),
    ),
    Forged(
        provenance(bases=ALL_OF_IT),
        *("note: the base alpine:3.22", "Alpine, all of it", "Alpine 3.22.1: the", '"provenance": {'),
    ),
    Forged(provenance(bases={}), "note: the base alpine:3.22", "(none)", "Alpine 3.22.1: the", '"provenance": {'),
    Forged(provenance(engine="a fast one"), "note: engine", "a fast one", "a value that proof", '"provenance": {'),
    Forged(provenance(revision="x"), "note: revision", "x", "a value that proof writes", '"provenance": {'),
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: forged.what)
def test_whatever_is_shown_is_compared(note: Here, forged: Forged) -> None:
    """A record that was edited, with its seal computed again, differs from a run: both sides, and the line to open."""
    assert note.said(note.capture) == []
    capture = forged.change(note.capture)
    store.save(capture, note.folder)
    path = (note.snippet.folder if forged.file == "snippet.toml" else note.folder) / forged.file
    text = path.read_text()
    number = text[: text.index(forged.line)].count("\n") + 1 if forged.line else None
    wheres = [
        difference.where
        for difference in note.compared(capture)
        if difference.what == forged.what
        if difference.old.startswith(forged.old) and difference.new.startswith(forged.new)
    ]
    assert Where(path, number) in wheres
    resealed = capture_in(note.folder)
    assert resealed.tampered == ()
    if not capture.tampered:
        assert forged.what in note.said(resealed)


@pytest.mark.parametrize(
    ("old", "new", "line", "sides"),
    [
        ("a\nb\nc\n", "a\nx\nc\n", 2, ("b", "x")),
        ("a\nc\n", "a\nb\nc\n", 2, ("(nothing)", "b")),
        ("a\nb\n", "a\n", 2, ("b", "(nothing)")),
        # What is missing at the end is missing after the last line.
        ("a\n", "a\nb\n", 2, ("(nothing)", "b")),
        ("a", "a\nb", 1, ("(nothing)", "b")),
        ("", "b\n", 1, ("(nothing)", "b")),
    ],
)
def test_the_line_of_an_output(note: Here, old: str, new: str, line: int, sides: tuple[str, str]) -> None:
    """The line number is the place in the captured file where the line was changed, added or removed."""
    (found,) = note.compared(step(1, output=old)(note.capture), step(1, output=new)(note.capture))
    assert (found.where, found.what) == (Where(note.folder / "run.txt", line), "note/run")
    assert (found.old, found.new) == sides


def test_a_measurement_without_a_capture(note: Here) -> None:
    """A snippet that was never captured is one difference, at its manifest."""
    first = Difference(note.snippet.where, "note", "no capture", "measured for the first time")
    assert list(compare(None, note.capture, note.snippet, note.folder)) == [first]


def test_a_step_that_neither_has(note: Here) -> None:
    """It is not a difference. A step that only the capture has was removed from the run."""
    less = replace(note.capture, steps=note.capture.steps[:2])
    assert note.said(less, less) == []
    (found,) = [d for d in note.compared(note.capture, less) if d.what == "note/image_ls" and d.new == "run"]
    assert found.old == "captured"


@pytest.mark.parametrize(("extra", "found"), [(0, []), (1, ["27 more"]), (1_000_000, ["27 more"])])
def test_what_a_build_transferred(note: Here, extra: int, found: list[str]) -> None:
    """At most the size of the context, with a thousand bytes more for each file and directory."""
    context = note.snippet.context
    (context / "sub").mkdir()
    (context / "sub" / "more.txt").write_bytes(b"x" * 5_000)
    entries = [*context.rglob("*")]
    assert len(entries) == 4
    most = sum(entry.lstat().st_size for entry in entries) + 5_000
    log = f"#7 [internal] load build context\n#7 transferring context: {most + extra}B done\n"
    capture = step(0, output=log)(note.capture)
    differences = note.compared(capture, capture)
    assert [d.what for d in differences] == ["note/build: transferred" for _ in found]
    for difference in differences:
        assert difference.where == Where(note.folder / "build.txt", 2)
        assert (difference.old, difference.new) == (f"{most + extra:,} B", f"at most {most:,} B")
    # A program that prints such a line is not BuildKit.
    printed = step(1, output=log)(note.capture)
    assert note.said(printed, printed) == []


@pytest.mark.parametrize(
    "other",
    [
        provenance(date="2026-02-03T04:05:06Z"),
        provenance(revision="ba9876543210+"),
        provenance(filesystem="btrfs"),
        provenance(private=False),
        provenance(builder="buildx 0.14.0"),
        step(1, seconds=99.9),
        lambda c: replace(provenance(engine="docker 29.1.2")(c), inputs={**c.inputs, "the engine": "docker 29"}),
    ],
)
def test_what_two_honest_runs_differ_in(note: Here, other: Callable[[Capture], Capture]) -> None:
    """Dates, durations, versions and the commit must have the right form, but are not compared."""
    assert note.said(note.capture, other(note.capture)) == []


def test_how_long_a_capture_may_say_that_something_took(tmp_path: Path) -> None:
    """A step as long as its time limit, a value in seconds as long as those of all steps: it may be of any of them."""
    root = tiny(tmp_path)
    rule = """facts.took = { match = '^(.+) s$', unit = "s", volatile = "the clock" }"""
    edit(root / "snippets/note/snippet.toml", 'command = "docker run note"', f'command = "docker run note"\n{rule}')
    note = Here(captured(root), "note")
    assert [each.timeout for each in note.snippet.steps] == [300.0] * 3
    for seconds, says in ((900.0, []), (900.1, ["note: took seconds"]), (-1.0, ["note: took seconds"])):
        took = CapturedFact(seconds, "s", "the output of `docker run note`", volatile="the clock")
        made = replace(note.capture, facts=note.capture.facts | {"took": took})
        forged = step(1, output=f"{seconds} s\n", seconds=300.0)(made)
        assert note.said(forged, forged) == says


def test_durations_in_a_log_are_those_of_the_build(note: Here) -> None:
    """A title that looks like one is none, and both are rounded."""
    log = "#7 [paper 2/2] RUN mkdir /empty 99.0s\n#7 12.34 done\n#7 DONE 13.3s\n\n#8 naming to note 13.4s done\n"
    honest = step(0, output=log, seconds=12.4)(note.capture)
    assert note.said(honest, honest) == []
    assert note.said(step(0, seconds=12.3)(honest), honest) == ["note/build: seconds"]


def test_a_fact_that_its_engine_does_not_print(tmp_path: Path) -> None:
    """It is none of the run's, which was made by another engine, so nothing would be compared."""
    root = tiny(tmp_path)
    rule = """facts.listed = { match = '(.+)', unit = "text", engine = "docker >=29" }"""
    listing = 'command = "docker image ls note"'
    edit(root / "snippets/note/snippet.toml", listing, f"{listing}\n{rule}")
    note = Here(captured(root), "note")
    forged = makers.by_engine(note.capture, "docker 28.0.0")
    assert note.said(forged) == ["note.listed: read from its own transcript"]
    honest = replace(forged, facts={name: fact for name, fact in forged.facts.items() if name != "listed"})
    assert note.said(honest) == []


def test_what_a_run_by_another_engine_says_nothing_about(tmp_path: Path) -> None:
    """Outputs that were compared with nothing, and facts that may be worded differently, unless both are the same."""
    root = tiny(tmp_path)
    rule = """facts.listed = { match = '(.+)', unit = "text" }"""
    with (root / "snippets/note/snippet.toml").open("a") as file:
        for name, command, more in (
            ("version", "docker version", rule),
            ("table", "docker image ls | head -1", ""),
        ):
            file.write(f'\n[[step]]\nname = "{name}"\ncommand = "{command}"\nunshown = "a test"\n{more}\n')
    note = Here(captured(root), "note")
    assert list(not_compared(note.capture, note.capture, note.snippet)) == []
    new = replace(
        note.capture,
        steps=tuple(replace(each, output=f"{each.output}more\n") for each in note.capture.steps),
        facts=note.capture.facts | {"listed": CapturedFact("more", "text", "")},
    )
    assert list(not_compared(note.capture, new, note.snippet)) == []  # as every word is compared
    old = makers.by_engine(note.capture, "docker 28.0.0")
    assert list(not_compared(old, note.capture, note.snippet)) == []  # as nothing differs
    assert list(not_compared(old, new, note.snippet)) == ["note/version", "note.listed"]
    assert list(not_compared(makers.by_engine(old, "docker 29.0.0"), new, note.snippet)) == [
        "note/version",
        "note.listed",
    ]


def test_layers_that_vary_say_so(note: Here, tmp_path: Path) -> None:
    """The content of a snippet's own layers may vary if it gives a reason, their sizes and files within its limit."""
    root = tmp_path / "tiny"
    file = note.snippet.folder / "snippet.toml"
    other = layer(1, digest=f"sha256:{'c' * 64}")
    edit(file, 'image = "note"', 'image = "note"\nnoise = { because = "a date" }')
    varying = Here(captured(root), "note")
    assert varying.snippet.noise_bytes == 0
    assert varying.said(other(varying.capture)) == []
    assert varying.said(layer(0, digest="")(varying.capture)) == ["note: layer 1: digest"]
    for number, from_base in ((0, False), (1, True)):  # a layer of the base on either side does not vary
        moved = layer(number, digest=f"sha256:{'c' * 64}", from_base=from_base)(varying.capture)
        for one, two in ((moved, varying.capture), (varying.capture, moved)):
            assert f"note: layer {number + 1}: digest" in varying.said(one, two)
    assert "note: layer 2: size" in varying.said(layer(1, size=28)(varying.capture))
    assert varying.said(layer(1, files=2)(varying.capture)) == ["note: layer 2: files"]
    edit(file, 'because = "a date"', 'bytes = 9000, because = "a log"')
    noisy = Here(captured(root), "note")
    assert noisy.snippet.noise_bytes == 9000
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
    """The second build of a run takes the step from the cache, so a reader does not see its output there."""
    root = tiny(tmp_path)
    manifest_file = root / "snippets" / "note" / "snippet.toml"
    with manifest_file.open("a") as file:
        file.write('\n[[step]]\nname = "again"\ncommand = "docker build -t note ."\nunshown = "a test"\n')
    note = Here(captured(root), "note")
    log = "#7 [paper 2/2] RUN mkdir /empty\n#7 {}\n"
    ran, cached = log.format("0.213 1234 /a"), log.format("CACHED")
    last = len(note.capture.steps) - 1
    run = step(last, output=cached)(step(0, output=ran)(note.capture))
    assert note.said(run, run) == []
    assert note.said(step(last, output=ran)(run), run) == ["note/again"]


def test_a_value_that_its_output_does_not_hold(tmp_path: Path) -> None:
    """The difference has the value of the capture and the one in its output, or (none) if that cannot be read."""
    root = captured(tiny(tmp_path))
    edit(root / "snippets/count/snippet.toml", 'unit = "count"', 'unit = "count", volatile = "the moon"')
    edit(root / "snippets/count/snippet.toml", r"(\d+)", r"(\S+)")
    count = Here(captured(root), "count")
    for output, read in (("7 note.txt\n", "7"), ("x note.txt\n", "(none)"), ("nothing\n", "(none)")):
        again = step(0, output=output)(count.capture)
        assert [(d.what, d.old, d.new) for d in count.compared(again, again)] == [
            ("count.words: read from its own transcript", "6", read)
        ]
    less = replace(count.capture, facts={})
    assert count.said(less, less) == []
    less = replace(count.capture, steps=())
    assert count.said(less, less) == []


def test_a_base_that_moved(note: Here) -> None:
    """A changed base is reported elsewhere. Here, only the description of an unchanged base is compared."""
    moved = replace(note.capture, inputs=note.capture.inputs | {"the base alpine:3.22": "another"})
    assert note.said(provenance(bases=ALL_OF_IT)(moved)) == []
    assert note.said(provenance(bases=ALL_OF_IT)(note.capture)) == ["note: the base alpine:3.22"]
    more = {**note.capture.provenance.bases, "scratch": "nothing"}
    (found,) = note.compared(note.capture, provenance(bases=more)(note.capture))
    assert (found.what, found.old, found.new) == ("note: the base scratch", "(none)", "nothing")


@pytest.mark.parametrize(
    ("number", "last"), [(12, "12"), (13, "… and 1 more lines"), (1_013, "… and 1,001 more lines")]
)
def test_a_long_side_of_a_difference(note: Here, number: int, last: str) -> None:
    """Twelve lines are shown, and the number of the others."""
    lines = [str(n) for n in range(1, number + 1)]
    (found,) = note.compared(step(1, output="\n".join(lines))(note.capture))
    assert found.old.split("\n") == [*lines[:12], *([last] if number > 12 else [])]


@pytest.mark.parametrize(
    ("length", "end"),
    [(1_000, ""), (1_001, "… and 1 more characters"), (4_000_000, "… and 3,999,000 more characters")],
)
def test_a_long_line_of_a_difference(note: Here, length: int, end: str) -> None:
    """A thousand characters of each line are shown, and the number of the others."""
    output = f"{'z' * length}\n{'y' * length}"
    (found,) = note.compared(step(1, output=output)(note.capture))
    assert found.old == f"{'z' * 1_000}{end}\n{'y' * 1_000}{end}"


@pytest.mark.parametrize("number", [1, 100, 101, 10_000])
def test_as_many_differences_as_are_listed(note: Here, number: int) -> None:
    """A hundred are listed, then the number of the others."""
    many = {f"fact_{n}": CapturedFact(1, "B", "") for n in range(number)}
    found = note.compared(replace(note.capture, facts=note.capture.facts | many))
    assert [d.what for d in found[:100]] == [f"note.fact_{n}" for n in range(min(number, 100))]
    more = Difference(Where(note.folder), "note", f"{number - 100:,} more differences", "not listed here")
    assert found[100:] == ([more] if number > 100 else [])


def test_a_long_output_is_not_printed_whole(note: Here) -> None:
    """One changed line in 4 MB is found at its line. Of 4 MB of changed lines, only the first ones are shown."""
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


@pytest.mark.parametrize(("printed", "says"), [("a is 1", []), ("a is 2", ["note/broken"])])
def test_a_build_that_fails_in_other_words(printed: str, says: list[str], tmp_path: Path) -> None:
    """Docker's builder and Podman's report a failure in their own words. What the command printed is compared."""
    root = tiny(tmp_path)
    with (root / "snippets/note/snippet.toml").open("a") as file:
        file.write('\n[[step]]\nname = "broken"\ncommand = "docker build -t note ."\nunshown = "a test"\nexit = 1\n')
        file.write('expect = { docker = "did not complete", podman = "exit status 1" }\n')
    note = Here(captured(root), "note")
    last = len(note.capture.steps) - 1
    log = "#7 [2/2] RUN wc -c /a\n#7 0.213 a is 1\n#7 ERROR: process did not complete successfully\n"
    other = f'STEP 1/2: RUN wc -c /a\n{printed}\nError: building at STEP "RUN wc -c /a": exit status 1\n'
    old = step(last, output=log, exit=1)(note.capture)
    new = provenance(engine="podman 5.4.2")(step(last, output=other, exit=1)(old))
    assert [what for what in note.said(old, new) if what == "note/broken"] == says


@pytest.mark.parametrize(("declared", "says"), [("29.6", []), ("29.5", ["fails/run exit", "fails/run"])])
def test_an_outcome_that_depends_on_the_minor_version(declared: str, says: list[str], tmp_path: Path) -> None:
    """It is expected of those versions alone. Otherwise, minor versions print the same."""
    root = tiny(tmp_path)
    outcome = f'exit = {{ "docker <{declared}" = 127, "docker >={declared}" = 0 }}'
    edit(root / "snippets/fails/snippet.toml", "exit = 127", outcome)
    fails = Here(captured(root), "fails")
    text = "no such file or directory\n"
    new = provenance(engine="docker 29.5.3")(step(1, output=text, exit=127)(fails.capture))
    old = provenance(engine="docker 29.7.2")(step(1, output="started\n", exit=0)(fails.capture))
    assert [what for what in fails.said(old, new) if what.startswith("fails/run")] == says


@pytest.mark.parametrize("exit", [0, 1])
@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("[x 1/1] RUN made-up", True),
        ("[paper 2/2] RUN mkdir /empty", False),
        ("[paper 2/2] COPY note.txt /srv/note.txt", True),
        ("[stage-1 2/2] COPY note.txt /srv/note.txt", False),
        ("[stage-1 1/2] FROM docker.io/library/alpine:3.22", False),
        ("[stage-1 1/2] RUN mkdir /empty", True),
    ],
)
def test_a_made_up_label_of_a_step(note: Here, title: str, exit: int, *, found: bool) -> None:  # noqa: A002
    """Labels are not compared, nor what other stages did before a build failed: a chart shows which stages ran."""
    forged = step(0, exit=exit, output=f"#99 {title}\n#99 DONE 0.1s\n")(note.capture)
    told = [difference.what for difference in note.compared(forged, forged)]
    assert ("note/build: a step of the build" in told) is found
