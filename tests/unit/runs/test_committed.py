"""Which captures a run is compared with, and what of them is compared, if another engine made them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import derived, fingerprint, store
from proof.captures.diff import engines_own_facts
from proof.captures.model import Capture, CapturedFact, CapturedStep
from proof.runs.committed import Committed, accurate, committed, differences, save
from proof.snippets import manifest
from proof.snippets.capture_locations import Location, folder_of
from proof.snippets.engine_version import EngineVersion, Wording
from proof.snippets.model import Snippet
from tests.support.helpers import LAYERS, REPOSITORY, capture_in, captured, edit, of_layers, tiny
from tests.support.makers import by_engine

OUTPUTS = REPOSITORY / "tests/data/outputs"
OLD, NEW = EngineVersion("docker", 26), EngineVersion("docker", 29, "containerd")
DOCKERFILE = """\
FROM alpine:3.22 AS paper
WORKDIR /paper
COPY note.txt .
RUN echo hello from a step; cat note.txt

FROM alpine:3.22
RUN mkdir /empty
COPY --from=paper /paper/note.txt /srv/note.txt
"""
FACT = """facts.listed = { match = '^(?:note|hello|hello:latest) .* ([\\d.]+)MB', unit = "text" }"""


class Project:
    """`note`, with real outputs of Docker 26 and 29 in its captures."""

    def __init__(self, root: Path) -> None:
        edit(
            root / "snippets/note/snippet.toml",
            'command = "docker image ls note"',
            f'command = "docker image ls note"\n{FACT}',
        )
        (root / "snippets/note/context/Dockerfile").write_text(DOCKERFILE)
        self.root = captured(root)
        self.old = self._of("docker-26", self.made(), "docker 26.1.5")
        self.new = self._of("docker-29", self.made(), "docker 29.7.2")
        store.save(self.old, self.folder())

    @property
    def snippet(self) -> Snippet:
        return manifest.variants(self.root / "snippets/note")[0]

    def folder(self, wording: Wording = "docker-28") -> Path:
        return folder_of(self.root / "snippets/note", "rebuilt", "", wording)

    def made(self) -> Capture:
        return capture_in(self.folder())

    def known(self, run: Capture) -> list[Committed]:
        return committed(self.snippet, "rebuilt", run.engine, run.inputs)

    def said(self, run: Capture, *, words: bool = False) -> list[str]:
        return [each.what for each in differences(self.known(run), run, self.snippet, words=words)]

    def _of(self, outputs: str, made: Capture, engine: str) -> Capture:
        names = {"build": "two_stages", "run": "program", "image_ls": "image_ls"}
        steps = tuple(
            replace(each, output=(OUTPUTS / outputs / f"{names[each.name]}.txt").read_text("utf-8"))
            for each in made.steps
        )
        source = "the output of `docker image ls note`"
        listed = CapturedFact("2.02", "text", source)
        if outputs == "docker-29":
            listed = replace(listed, value="1.11")  # the last size in the row
        return by_engine(replace(made, steps=steps, facts=made.facts | {"listed": listed}), engine)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tiny(tmp_path))


def test_other_words_are_no_difference(project: Project) -> None:
    """A run by Docker 29 finds the capture of Docker 26 accurate, and the other way round."""
    assert project.said(project.new) == []
    store.remove(project.folder())
    store.save(project.new, project.folder("docker-29"))
    assert project.said(project.old) == []


def test_what_docker_29_displays(project: Project) -> None:
    """It is no difference from an engine that does not, and one from another engine that does, beyond a small share."""

    def displayed(content_size: int) -> Capture:
        return replace(project.new, facts=project.new.facts | dict(derived.of_display(3_000_000, content_size)))

    assert project.said(displayed(1_110_000)) == []
    store.save(displayed(1_110_000), project.folder("docker-29"))
    assert project.said(displayed(1_115_000)) == []
    for size, said in (("1.12MB", []), ("1.2MB", ["note/image_ls"])):
        table = project.new.steps[-1].output.replace("1.11MB", size)
        other = replace(
            displayed(1_110_000), steps=(*project.new.steps[:-1], replace(project.new.steps[-1], output=table))
        )
        assert [what for what in project.said(other, words=True) if "listed" not in what] == said
    assert project.said(displayed(1_150_000)) == ["note.content_size"]
    assert project.said(project.new) == ["note.disk_usage", "note.content_size"]
    assert project.said(project.old) == []


def test_the_same_words_can_be_asked_for(project: Project) -> None:
    """Then an engine without a capture of its own has to say what a reader sees in the other one."""
    assert set(project.said(project.new, words=True)) == {"note/build", "note/image_ls"}
    assert project.said(project.old, words=True) == []
    store.save(project.new, project.folder("docker-29"))
    assert project.said(project.new, words=True) == []


def test_words_that_no_page_shows(project: Project) -> None:
    """How a store exports an image, for example: compared only with a capture by the same engine."""
    exports = step(
        "build", "\n#11 exporting layers", f"\n#11 exporting config sha256:{'0' * 64} done\n#11 exporting layers"
    )
    same = by_engine(project.old, "docker 29.7.2")
    assert project.said(exports(same), words=True) == []
    store.save(same, project.folder("docker-29"))
    assert set(project.said(exports(same), words=True)) == {"note/build"}


def test_another_exit_code_is_seen(project: Project) -> None:
    """A page shows it, also beside the same output."""
    ended = tuple(replace(each, exit=3) if each.name == "run" else each for each in project.old.steps)
    new = by_engine(replace(project.old, steps=ended), "docker 29.7.2")
    assert "note/run exit" in project.said(new, words=True)


class TestAnOutputThatDiffers:
    """`differs` says that Podman prints something else, and why."""

    @pytest.fixture
    def run(self, project: Project) -> Capture:
        """A run by Podman, whose program found another file."""
        manifest_file = project.root / "snippets/note/snippet.toml"
        fact = """facts.found = { match = '^(.+)', unit = "text" }"""
        edit(manifest_file, 'command = "docker run note"', f'command = "docker run note"\n{fact}')
        steps = tuple(replace(each, output="a\nb\n") if each.name == "run" else each for each in project.old.steps)
        found = CapturedFact("a", "text", "the output of `docker run note`")
        facts = project.old.facts | {"found": found}
        inputs = fingerprint.of(
            project.snippet, {"alpine:3.22": project.old.inputs["the base alpine:3.22"]}, "docker 26"
        )
        project.old = replace(project.old, steps=steps, facts=facts, inputs=inputs)
        store.save(project.old, project.folder())
        ran = tuple(replace(each, output="c\n") if each.name == "run" else each for each in steps)
        return by_engine(
            replace(project.old, steps=ran, facts=facts | {"found": replace(found, value="c")}), "podman 5.4.2"
        )

    def test_it_is_drift(self, project: Project, run: Capture) -> None:
        """Unless the manifest declares it."""
        assert project.said(run) == ["note.found", "note/run"]

    def test_it_is_declared(self, project: Project, run: Capture) -> None:
        """Then neither the output nor its facts are compared, with this engine alone."""
        differs = 'differs = { podman = "it finds another file" }'
        edit(project.root / "snippets/note/snippet.toml", "facts.found", f"{differs}\nfacts.found")
        assert project.said(run) == []
        other = by_engine(run, "docker 28.5.2")
        assert project.said(other) == ["note.found", "note/run"]


def test_facts_in_other_words_prove_nothing(project: Project) -> None:
    """They are not compared, so the result has none of them; what was measured still has."""
    assert engines_own_facts(project.snippet) == {"listed"}
    found = accurate(project.snippet, project.known(project.new), project.new)
    assert found.new is not None
    assert found.measured == project.new
    assert "listed" not in found.new.facts
    assert found.new.facts.keys() == project.new.facts.keys() - {"listed"}
    assert found.words == (1, 2)
    assert found.not_compared == ("note.listed by docker 26.1.5",)
    same = accurate(project.snippet, project.known(project.old), project.old)
    assert (same.new, same.measured, same.words, same.not_compared) == (project.old, None, (0, 0), ())
    store.save(project.new, project.folder("docker-29"))
    both = accurate(project.snippet, project.known(project.old), project.old)
    assert both.not_compared == ("note.listed by docker 29.7.2",)


def step(name: str, old: str, new: str) -> Callable[[Capture], Capture]:
    """Change what a step printed."""

    def change(found: Capture) -> Capture:
        steps = [replace(s, output=s.output.replace(old, new)) if s.name == name else s for s in found.steps]
        assert tuple(steps) != found.steps
        return replace(found, steps=tuple(steps))

    return change


FORGED = [
    (step("run", "a note", "a letter"), "note/run"),
    (step("build", "hello from a step", "hello from elsewhere"), "note/build"),
    (step("build", "RUN mkdir /empty", "RUN mkdir /full"), "note/build"),
    (step("image_ls", "hello", "goodbye"), "note/image_ls"),
    (lambda c: replace(c, steps=(*c.steps, CapturedStep("more", "docker run x", None, 0, 0.1, "x"))), "note/more"),
    (lambda c: replace(c, steps=(replace(c.steps[0], command="docker build ."), *c.steps[1:])), "note/build command"),
    (lambda c: replace(c, steps=(replace(c.steps[0], exit=1), *c.steps[1:])), "note/build exit"),
    (lambda c: replace(c, steps=(replace(c.steps[0], inside="alpine:3.22"), *c.steps[1:])), "note/build inside"),
    (lambda c: replace(c, facts=c.facts | {"invented": CapturedFact(1, "B", "")}), "note.invented"),
    (
        lambda c: replace(c, facts=c.facts | {"listed": CapturedFact("9.9", "text", "")}),
        "note.listed: read from its own",
    ),
    (lambda c: replace(c, facts=c.facts | {"user": replace(c.facts["user"], value="nobody")}), "note.user"),
    (lambda c: replace(c, environment=replace(c.environment, engine="docker")), "note: engine"),
    (lambda c: replace(c, inputs=c.inputs | {"the engine": "docker 26"}), "note: engine"),
    (lambda c: replace(c, provenance=replace(c.provenance, engine="docker 28.5.2")), "note: the engine of the capture"),
    (lambda c: replace(c, provenance=replace(c.provenance, engine="podman 5.4.2")), "note: the engine of the capture"),
    (
        lambda c: replace(c, provenance=replace(c.provenance, engine_from="\N{CYRILLIC SMALL LETTER A}")),
        "note: engine_from",
    ),
]


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize(("forge", "says"), FORGED)
def test_a_forged_capture_of_another_engine(
    forge: Callable[[Capture], Capture], says: str, words: bool, project: Project  # noqa: FBT001 - a value
) -> None:  # fmt: skip
    """A run by Docker 26 finds it, beside a genuine capture in its own words or alone."""
    store.save(forge(project.new), project.folder("docker-29"))
    found = project.said(project.old, words=words)
    assert any(what.startswith(says) for what in found), found
    store.remove(project.folder())
    found = project.said(project.old, words=words)
    assert any(what.startswith(says) for what in found), found


def test_a_size_of_an_image_is_never_in_other_words(project: Project) -> None:
    """Layers and the facts of them are the same for every engine."""
    forged = of_layers(project.new, project.snippet, [LAYERS[0], replace(LAYERS[1], size=28)])
    store.save(forged, project.folder("docker-29"))
    assert "note.size" in project.said(project.old)
    assert "note: layer 2: size" in project.said(project.old)


@pytest.mark.parametrize(
    ("stale", "by", "compared"),
    [
        ("", OLD, ["rebuilt", "rebuilt-docker-29"]),
        ("", NEW, ["rebuilt-docker-29", "rebuilt"]),
        ("rebuilt", OLD, ["rebuilt-docker-29"]),
        ("rebuilt-docker-29", NEW, ["rebuilt"]),
        ("rebuilt rebuilt-docker-29", OLD, ["rebuilt"]),
        ("rebuilt rebuilt-docker-29", NEW, ["rebuilt-docker-29"]),
    ],
)
def test_which_are_compared(stale: str, by: EngineVersion, compared: list[str], project: Project) -> None:
    """All that are current, the one in the run's own words first; if none is, that one."""
    for one, place in ((project.old, Location("rebuilt")), (project.new, Location("rebuilt", "docker-29"))):
        changed = {"context/note.txt": "sha256:0"} if str(place) in stale.split() else {}
        store.save(replace(one, inputs=one.inputs | changed), place.folder(project.snippet.folder))
    found = committed(project.snippet, "rebuilt", by, (project.new if by is NEW else project.old).inputs)
    assert [str(each.location) for each in found] == compared
    assert all(each.current is (str(each.location) not in stale.split()) for each in found)
    store.remove(project.folder())
    store.remove(project.folder("docker-29"))
    assert committed(project.snippet, "rebuilt", by, project.old.inputs) == []


def test_another_store_is_another_engine(project: Project) -> None:
    """Even of the same version: it explains a difference, and is none."""
    classic = replace(project.new, provenance=replace(project.new.provenance, image_store="overlay2"))
    store.save(project.new, project.folder("docker-29"))
    known = project.known(classic)
    assert [str(change) for change in known[0].changes] == [
        "the engine changed from docker 29, containerd's store to docker 29"
    ]
    assert known[0].current


def test_what_is_saved_removes_what_it_refutes(project: Project) -> None:
    """A capture in other words stays while it says the same."""
    store.save(project.new, project.folder("docker-29"))
    snippet = project.snippet
    save(project.old, snippet, Location("rebuilt"), project.known(project.old))
    assert project.folder("docker-29").exists()
    grown = of_layers(project.old, snippet, [LAYERS[0], replace(LAYERS[1], size=28)])
    save(grown, snippet, Location("rebuilt"), project.known(project.old))
    assert not project.folder("docker-29").exists()
    assert store.load(project.folder()) == grown
