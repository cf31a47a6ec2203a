"""snippet.toml: its values, and mistakes with their file and line."""

import re
import time
from pathlib import Path
from unittest import mock

import pytest

from proof.core.errors import ManifestError, RefusedError, UsageError, Where
from proof.snippets import manifest
from proof.snippets import project as project_module
from proof.snippets.base_images import Bases
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Snippet, Step
from tests.support.makers import placed, write

TOML = r"""title = "Single-stage build"
image = "example"

[[step]]
name = "build"
command = "docker build -t example ."
show = ['naming to', '^#\d+ DONE']
timeout = 12.5

[[step]]
name = "run"
command = "docker run example"
ignore = ['\d+ ms']

[[step]]
name = "du"
command = "du -sh /usr/local/go/src"
inside = "golang:1.27-alpine"
facts.src = { match = '^(\S+)\s', unit = "KiB", tolerance = 0.01 }
facts.files = { match = '^(\d+) files', unit = "count", volatile = "it grows" }

[[step]]
name = "fails"
command = "docker run example nope"
exit = 127
expect = "not found"
unshown = "the page quotes its last line"
"""
DOCKERFILE = "FROM golang:1.27-alpine AS builder\nFROM alpine:3.22\nCOPY --from=builder /x /x\n"


def project(root: Path, toml: str | bytes = TOML, *, name: str = "single", dockerfile: str = DOCKERFILE) -> Path:
    """Write a snippet below `root`, and return its directory."""
    return write(root / "snippets" / name, {"snippet.toml": toml, "context/Dockerfile": dockerfile})


def load(root: Path, toml: str | bytes = TOML, *, name: str = "single", dockerfile: str = DOCKERFILE) -> Snippet:
    return manifest.variants(project(root, toml, name=name, dockerfile=dockerfile))[0]


class TestLoad:
    def test_snippet(self, tmp_path: Path) -> None:
        """A snippet has its steps in order, each with its line."""
        snippet = load(tmp_path)
        assert (str(snippet), snippet.title, snippet.image) == ("single", "Single-stage build", "example")
        assert [(str(s), s.where.line) for s in snippet.steps] == [
            ("single/build", 4),
            ("single/run", 10),
            ("single/du", 15),
            ("single/fails", 22),
        ]
        assert snippet.context == tmp_path / "snippets/single/context"
        assert snippet.captured == tmp_path / "snippets/single/captured"

    def test_steps(self, tmp_path: Path) -> None:
        """A step has the values of its table, and defaults for the others."""
        build, run, du, fails = load(tmp_path).steps
        assert ([p.pattern for p in build.output.show], build.timeout) == (["naming to", r"^#\d+ DONE"], 12.5)
        assert (build.exit, build.expect, build.inside, build.facts, build.output.ignore) == (0, "", None, {}, ())
        assert ([p.pattern for p in run.output.ignore], run.timeout) == ([r"\d+ ms"], 300)
        assert (du.inside, du.command.verb) == ("golang:1.27-alpine", "inside")
        assert [(f.name, f.unit, f.tolerance, f.volatile, f.where.line) for f in du.facts.values()] == [
            ("src", "KiB", 0.01, "", 19),
            ("files", "count", 0.0, "it grows", 20),
        ]
        assert (fails.exit, fails.expect, fails.output.unshown) == (127, "not found", "the page quotes its last line")

    def test_bases(self, tmp_path: Path) -> None:
        """All images from outside are found, each with its first mention; images that a step builds are not."""
        found = load(tmp_path).bases
        assert {name: (where.path.name, where.line) for name, where in found.items()} == {
            "golang:1.27-alpine": ("Dockerfile", 1),
            "alpine:3.22": ("Dockerfile", 2),
        }

    def test_bases_of_commands(self, tmp_path: Path) -> None:
        """An image in a command or in `inside` is a base image, unless a step has built it before."""
        toml = (
            'title = "t"\n[[step]]\nname = "a"\ncommand = "docker run example"\n'
            '[[step]]\nname = "b"\ncommand = "docker build -t example -t other ."\n'
            '[[step]]\nname = "c"\ncommand = "docker image ls other"\n'
            '[[step]]\nname = "d"\ncommand = "ls"\ninside = "busybox"\n'
        )
        found = load(tmp_path, toml, dockerfile="FROM scratch").bases
        assert {name: where.line for name, where in found.items()} == {"example": 2, "busybox": 11}

    def test_build_arg(self, tmp_path: Path) -> None:
        """The images of a Dockerfile depend on the arguments of its build."""
        toml = TOML.replace("build -t", "build --build-arg V=3.22 -t")
        assert "alpine:3.22" in load(tmp_path, toml, dockerfile="ARG V=1\nFROM alpine:$V").bases

    @pytest.mark.parametrize(("flags", "base"), [("", "alpine:3.22"), ("--target builder", "golang:1.27-alpine")])
    def test_image_base(self, tmp_path: Path, flags: str, base: str) -> None:
        """The base of the measured image is that of the target stage."""
        assert load(tmp_path, TOML.replace("build -t", f"build {flags} -t")).image_base() == base

    def test_image_built_twice(self, tmp_path: Path) -> None:
        """If two steps build the measured image, the later one counts."""
        again = '\n[[step]]\nname = "again"\ncommand = "docker build --target builder -t example ."\n'
        assert load(tmp_path, TOML + again).image_base() == "golang:1.27-alpine"

    def test_nothing_measured(self, tmp_path: Path) -> None:
        """A snippet without a measured image has no image base."""
        snippet = load(tmp_path, TOML.replace('image = "example"', ""))
        assert (snippet.image, snippet.image_base()) == (None, None)

    def test_crlf(self, tmp_path: Path) -> None:
        """Windows line endings change neither values nor line numbers."""
        snippet = load(tmp_path, TOML.replace("\n", "\r\n").encode())
        assert [s.where.line for s in snippet.steps] == [4, 10, 15, 22]
        assert snippet.steps[1].text == "docker run example"


MISTAKES = [
    # in TOML, the first … is replaced by …; then line, and what the message says
    ('image = "example"', 'image = "exmaple"', 2, "no step builds 'exmaple'"),
    ('title = "Single-stage build"', 'titel = "x"', 1, "unknown key 'titel' - did you mean 'title'?"),
    ('name = "build"', "", 4, "`name` is missing"),
    ('name = "build"', 'name = ""', 4, "`name` is missing"),
    ('name = "build"', 'name = "Build"', 5, "invalid name 'Build'"),
    ('name = "build"', 'name = "../x"', 5, "invalid name '../x'"),
    ('name = "run"', 'name = "build"', 10, "two steps are called 'build'"),
    ('command = "docker run example"', 'command = "docker push example"', 12, "`docker push` is refused"),
    ('command = "docker build -t example ."', 'command = "docker build ."', 2, "no step builds 'example'"),
    ("show = ['naming to'", "show = ['(naming to'", 7, "unsupported regular expression '(naming to'"),
    ("timeout = 12.5", "timeout = 0", 8, "invalid timeout 0.0"),
    ("timeout = 12.5", "timeout = -1", 8, "invalid timeout -1.0"),
    ("timeout = 12.5", "timeout = nan", 8, "invalid timeout nan"),
    ("timeout = 12.5", "[step.volumes]", 8, "unknown key 'volumes'"),
    ('inside = "golang:1.27-alpine"', "", 17, "`du` is refused: a command starts with `docker`"),
    ('unit = "KiB"', 'unit = "Kib"', 19, "unknown unit 'Kib' - did you mean 'KiB'?"),
    ("tolerance = 0.01", "tolerance = 0.51", 19, "invalid tolerance "),
    ("tolerance = 0.01", "tolerance = nan", 19, "invalid tolerance "),
    ('image = "example"', "contents = {}", 2, "`contents` needs an image"),
    ('image = "example"', 'image = "example"\ncontents = { src = "usr" }', 3, "invalid contents 'usr'"),
    ('image = "example"', 'image = "example"\ncontents = { go = "/usr/" }', 3, "invalid contents '/usr/'"),
    ('image = "example"', 'image = "example"\ncontents = { go = "/a/../b" }', 3, "invalid contents '/a/../b'"),
    ('image = "example"', 'image = "example"\ncontents = { go = "/a b" }', 3, "invalid contents '/a b'"),
    ('image = "example"', f'image = "example"\ncontents = {{ go = "{"/a" * 13}" }}', 3, "invalid contents '/a/a"),
    ('image = "example"', 'image = "example"\ncontents = { go = 5 }', 3, "`go` must be a string"),
    ('image = "example"', 'image = "example"\ncontents = { Go = "/usr" }', 3, "invalid fact name 'Go'"),
    ('image = "example"', 'image = "example"\ncontents = { size = "/usr" }', 3, "the fact name 'size' is reserved"),
    ('image = "example"', 'image = "example"\ncontents = { official_size = "/a" }', 3, "fact name 'official_size'"),
    (r"match = '^(\S+)\s'", r"match = '^\S+'", 19, "the pattern needs exactly one (group)"),
    (r"match = '^(\S+)\s'", r"match = '^(\S+)(\s)'", 19, "the pattern needs exactly one (group)"),
    (r"match = '^(\S+)\s'", "match = '^(('", 19, "unsupported regular expression '^(('"),
    (r"match = '^(\S+)\s'", "mtach = 'x'", 19, "unknown key 'mtach' - did you mean 'match'?"),
    ("facts.files", "facts.Files", 20, "invalid fact name 'Files'"),
    ("facts.files =", "facts.files = 5 #", 20, "`files` must be a table"),
    ("facts.src = {", "facts = 5 # {", 20, "invalid TOML: cannot overwrite a value"),
    ("exit = 127", "", 26, "`expect` needs a nonzero `exit`"),
    ('name = "run"', 'name = "run"\nremedy = "x"', 12, "`remedy` needs a nonzero `exit`"),
    ('name = "run"', 'name = "run"\nunlisted = "x"', 12, "`unlisted` needs a nonzero `exit`"),
    ('expect = "not found"', "", 25, "an expected failure needs `expect`"),
    ('unshown = "the page', 'name = "the page', 27, "invalid TOML: cannot overwrite a value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "what"), MISTAKES, ids=[new or f"no {old}" for old, new, *_ in MISTAKES]
)
def test_mistake(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    """The error has the file, the line, the text of the line and a hint."""
    assert TOML.count(old) == 1
    with pytest.raises((ManifestError, RefusedError), match=re.escape(what)) as error:
        load(tmp_path, TOML.replace(old, new))
    assert error.value.where == Where(tmp_path / "snippets/single/snippet.toml", line)
    assert error.value.hint
    assert error.value.evidence or "two steps" in what


FILES = [
    # the whole file, the line, what the message says
    ("", 1, "`title` is missing"),
    ('title = "t"\nstep = []\n', 1, "`step` is missing"),
    ('title = "t"\nstep = 5\n', 2, "`step` must be a list of tables, each under [[step]]"),
    ('title = "t"\n\n[step]\nname = "a"\n', 3, "[step] is one table, but there can be several"),
    ('title = "t"\n\n[[steps]]\nname = "a"\n', 3, "unknown key 'steps' - did you mean 'step'?"),
    ('title = "t"\nx = """\n', 3, "invalid TOML: unterminated string"),
    ("title = 't'\ntitle = 't'\n", 2, "invalid TOML: cannot overwrite a value"),
    ("\ufefftitle = 't'\n", 1, "invisible character U+FEFF"),
    # Characters that end a line in some programs, but not in TOML.
    ("title = 't'\n# a\u2028b\n", 2, "invisible character U+2028"),
    ("title = 't'\n# \u202eeltit\n", 2, "invisible character U+202E"),
    (b"title = '\xff'\n", None, "the file is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "line", "what"), FILES, ids=[repr(text) for text, *_ in FILES])
def test_file(tmp_path: Path, text: str | bytes, line: int | None, what: str) -> None:
    """A file that is not a manifest is an error, with the line where parsing stopped."""
    with pytest.raises(UsageError, match=re.escape(what)) as error:
        load(tmp_path, text)
    assert error.value.where is not None
    assert error.value.where.line == line


@pytest.mark.parametrize(("command", "missing"), [("build -t x .", "Dockerfile"), ("build -f sub/Other .", "Other")])
def test_no_dockerfile(tmp_path: Path, command: str, missing: str) -> None:
    """A missing Dockerfile is an error at the step; the hint says which file to write."""
    folder = project(tmp_path, f'title = "t"\n\n[[step]]\nname = "a"\ncommand = "docker {command}"\n')
    (folder / "context/Dockerfile").unlink()
    with pytest.raises(ManifestError, match=rf"snippet\.toml:3: no {missing} in .*\n.*hint: write .*{missing}"):
        manifest.variants(folder)[0]


def test_refused_dockerfile(tmp_path: Path) -> None:
    """An error in a Dockerfile has the place in the Dockerfile."""
    with pytest.raises(RefusedError, match=r"context/Dockerfile:2: the instruction ONBUILD is refused"):
        load(tmp_path, dockerfile="FROM a\nONBUILD RUN id\n")


@pytest.mark.parametrize("name", ["Single", "two-stage", "1st", "a.b"])
def test_folder_name(tmp_path: Path, name: str) -> None:
    """A directory name that cannot be used in an expression is refused."""
    with pytest.raises(ManifestError, match=f"invalid directory name '{re.escape(name)}'"):
        load(tmp_path, name=name)


class TestMatrix:
    TOML = """title = "Go {go}"

[matrix]
go = ["1.26", "1.27-rc"]

[[step]]
name = "build"
command = "docker build --build-arg GO={go} -t example ."
"""

    def test_a_folder_called_as_a_variant(self, tmp_path: Path) -> None:
        """Two snippets with the same name are refused, whichever one is requested; it breaks only the later one."""
        alone = self.TOML.replace('[matrix]\ngo = ["1.26", "1.27-rc"]\n', "").replace("{go}", "1.26")
        for name, text in (("a", self.TOML), ("a_1_26", alone), ("b", self.TOML)):
            project(tmp_path, text, name=name, dockerfile="ARG GO=1\nFROM golang:$GO\n")
        for names in (None, ["a_1_27_rc"]):
            with pytest.raises(ManifestError, match=r"a_1_26/snippet\.toml: two snippets are called 'a_1_26'"):
                project_module.load_all(tmp_path, names)
        found, problems = project_module.load_sound(tmp_path, mock.Mock(spec=Bases))
        assert [snippet.name for snippet in found] == ["a_1_26", "a_1_27_rc", "b_1_26", "b_1_27_rc"]
        assert ["two snippets are called 'a_1_26'" in str(problem) for problem in problems] == [True]

    def test_many_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The names of ten thousand snippets are compared in a moment: comparing each with each took half a minute."""
        folders = [tmp_path / "snippets" / f"a{number}" for number in range(10_000)]
        monkeypatch.setattr(project_module, "folders", lambda root: folders)
        monkeypatch.setattr(project_module, "variants", lambda folder: [placed(folder)])
        began = time.process_time()
        found, problems = project_module.load_sound(tmp_path, mock.Mock(spec=Bases))
        assert time.process_time() - began < 5
        assert (len(found), problems) == (10_000, [])

    def test_variants(self, tmp_path: Path) -> None:
        """A matrix makes a snippet for each value, each with its own name and captures."""
        folder = project(tmp_path, self.TOML, dockerfile="ARG GO\nFROM golang:$GO")
        one, two = manifest.variants(folder)
        assert [(s.name, s.title, list(s.bases)) for s in (one, two)] == [
            ("single_1_26", "Go 1.26", ["golang:1.26"]),
            ("single_1_27_rc", "Go 1.27-rc", ["golang:1.27-rc"]),
        ]
        assert two.captured == folder / "captured" / "1.27-rc"
        assert (str(two.steps[0]), two.steps[0].where.line) == ("single_1_27_rc/build", 6)

    def test_found_by_name(self, tmp_path: Path) -> None:
        """A snippet of a matrix is found by its own name. The name of the directory means all of them."""
        project(tmp_path, self.TOML, dockerfile="ARG GO\nFROM golang:$GO")
        project(tmp_path, name="other")
        snippets = tmp_path / "snippets"
        assert project_module.find(snippets, "single_1_26").variant == "1.26"
        assert project_module.find(snippets, "other").variant == ""
        assert [s.name for s in project_module.load_all(tmp_path, ["single"])] == ["single_1_26", "single_1_27_rc"]
        assert [s.name for s in project_module.load_all(tmp_path, ["single_1_26", "other"])] == ["other", "single_1_26"]
        with pytest.raises(UsageError, match=r"unknown snippet 'single_1_25' - did you mean 'single_1_26'\?"):
            project_module.find(snippets, "single_1_25")

    @pytest.mark.parametrize(
        ("values", "what"),
        [
            ("[]", "a matrix is one variable with its values"),
            ("'1.26'", "a matrix is one variable with its values"),
            ("[1.26]", "a matrix is one variable with its values"),
            ("['1']\nalpine = ['3']", "a matrix is one variable with its values"),
            ("['../x']", "invalid matrix value '../x': it has to be a directory name"),
            ("['/etc']", "invalid matrix value '/etc'"),
            ("['']", "invalid matrix value ''"),
            ("['..']", "invalid matrix value '..'"),
            ("['rebuilt']", "invalid matrix value 'rebuilt'"),
            ("['1\"2']", "invalid matrix value"),
            ("['1.2', '1-2']", "two values of the matrix have the same name"),
            ("['Alpine', 'alpine']", "two values of the matrix have the same name"),
        ],
    )
    def test_mistake(self, tmp_path: Path, values: str, what: str) -> None:
        """Values that do not make unique directory and snippet names are refused."""
        folder = project(tmp_path, self.TOML.replace('["1.26", "1.27-rc"]', values))
        with pytest.raises(ManifestError, match=rf"snippet\.toml:3: .*{re.escape(what)}"):
            manifest.variants(folder)


class TestProject:
    def test_find_root(self, tmp_path: Path) -> None:
        """A project is found from any directory in it."""
        write(tmp_path, {"snippets/bases.toml": "", "docs/sub/page.md": ""})
        assert project_module.find_root(tmp_path / "docs/sub") == tmp_path
        assert project_module.find_root(tmp_path) == tmp_path

    def test_no_root(self, tmp_path: Path) -> None:
        """Outside of a project, the message says where it looked and which option to pass."""
        with pytest.raises(UsageError, match=r"no snippets/bases\.toml in .* or above it\n.*--project DIR"):
            project_module.find_root(tmp_path)

    def test_load_all(self, tmp_path: Path) -> None:
        """All snippets, or the named ones, are sorted by name. Directories without a manifest are skipped."""
        for name in ("b", "a", "c"):
            project(tmp_path, name=name)
        write(tmp_path, {"snippets/notes/readme.md": "", "snippets/bases.toml": ""})
        assert [s.name for s in project_module.load_all(tmp_path)] == ["a", "b", "c"]
        assert [s.name for s in project_module.load_all(tmp_path, ["c", "a"])] == ["a", "c"]

    def test_unknown_name(self, tmp_path: Path) -> None:
        """An unknown name is refused, with a suggestion."""
        project(tmp_path)
        with pytest.raises(UsageError, match=r"unknown snippet 'singel' - did you mean 'single'\?\n.*one of: single"):
            project_module.load_all(tmp_path, ["singel"])

    def test_no_snippets(self, tmp_path: Path) -> None:
        """A project without snippets is an error."""
        with pytest.raises(UsageError, match="no snippets in"):
            project_module.load_all(tmp_path)


class TestOutcomes:
    """What a step comes to on each engine."""

    FILE = 'title = "t"\n[[step]]\nname = "run"\ncommand = "docker run alpine:3.22"\n'

    def step(self, root: Path, lines: str, command: str = "docker run alpine:3.22") -> Step:
        return load(root, self.FILE.replace("docker run alpine:3.22", command) + lines).steps[0]

    @pytest.mark.parametrize(
        ("lines", "outcomes"),
        [
            (
                'exit = { "docker <28" = 1, "docker >=28" = 255 }\nexpect = "exec"\n',
                [("docker <28", 1, "exec"), ("docker >=28", 255, "exec")],
            ),
            (
                'exit = 1\nexpect = { docker = "a", podman = "b" }\n',
                [("docker", 1, "a"), ("podman", 1, "b")],
            ),
            (
                'exit = { docker = 1, podman = 0 }\nexpect = { docker = "a" }\n',
                [("docker", 1, "a"), ("podman", 0, "")],
            ),
            (
                'exit = { "docker containerd" = 1 }\nexpect = { "docker containerd" = "a", docker = "b" }\n',
                [("docker containerd", 1, "a"), ("docker", 0, "")],
            ),
        ],
    )
    def test_by_engine(self, lines: str, outcomes: list[tuple[str, int, str]], tmp_path: Path) -> None:
        """In the order of the file; the first one is what the step comes to on any other engine."""
        step = self.step(tmp_path, lines)
        assert [(each.engine.text, each.exit, each.expect) for each in step.failure.outcomes if each.engine] == outcomes
        assert (step.exit, step.expect) == outcomes[0][1:]

    def test_on_an_engine(self, tmp_path: Path) -> None:
        """The first condition that holds decides."""
        lines = 'exit = { "docker <28" = 1, "docker >=29 containerd" = 2, docker = 255 }\nexpect = "exec"\n'
        step = self.step(tmp_path, lines)
        exits = {26: 1, 28: 255, 29: 255}
        assert {major: step.on(EngineVersion("docker", major)).exit for major in exits} == exits
        assert step.on(EngineVersion("docker", 29, "containerd")).exit == 2
        assert step.on(EngineVersion("podman", 5)).exit == 1  # none is declared for it

    @pytest.mark.parametrize(
        ("lines", "line", "what", "hint"),
        [
            ('exit = {}\nexpect = "a"\n', 5, "this table is empty", '"docker <28" = 1'),
            ("expect = {}\n", 5, "this table is empty", '"docker <28" = 1'),
            ('expect = "a"\n\nexit = { "docker 28" = 1 }\n', 7, "'docker 28' is not a condition", "docker containerd"),
            ('expect = "a"\nexit = { "podman >=5" = 1 }\n', 6, "podman has no conditions", "docker containerd"),
            ('exit = 1\nexpect = { nerdctl = "a" }\n', 6, "'nerdctl' is not a condition", "docker containerd"),
            (
                'exit = { docker = 1, podman = 2 }\nexpect = { docker = "a" }\n',
                5, "an expected failure needs `expect`", "add expect",
            ),
            ("differs = {}\n", 5, "this table is empty", "podman ="),
            ('differs = { podmen = "x" }\n', 5, "'podmen' is not a condition", "docker containerd"),
            ("differs = { podman = 1 }\n", 5, "`podman` must be a string", ""),
            ('differs = { podman = "" }\n', 5, "`podman` is missing", ""),
            ('exit = { docker = 256 }\nexpect = "a"\n', 5, "invalid exit 256", "0 to 255"),
            ('exit = { docker = "1" }\nexpect = "a"\n', 5, "`docker` must be a whole number", ""),
            ("exit = 1\nexpect = { docker = 1 }\n", 6, "`docker` must be a string", ""),
            (
                'facts.size = { match = "^(.)", unit = "text", engine = "dockr" }\n',
                5, "'dockr' is not a condition", "docker containerd",
            ),
            ('facts.sum = { match = "^(.)", unit = "text", engine = 29 }\n', 5, "`engine` must be a string", ""),
            (
                'exit = { docker = 0 }\nremedy = "x"\n',
                6, "`remedy` needs a nonzero `exit`", "add the `exit` code",
            ),
        ],
    )  # fmt: skip
    def test_mistake(self, lines: str, line: int, what: str, hint: str, tmp_path: Path) -> None:
        """The error has the line of the mistake, and says what can be written there."""
        with pytest.raises(ManifestError, match=re.escape(what)) as error:
            self.step(tmp_path, lines)
        assert error.value.where is not None
        assert error.value.where.line == line
        assert hint in error.value.hint

    def test_another_output(self, tmp_path: Path) -> None:
        """It is compared among the engines that are named, and among the others. Facts are those of the others."""
        lines = 'differs = { "docker >=29" = "x", podman = "y" }\nfacts.note = { match = "^(.)", unit = "text" }\n'
        with pytest.raises(ManifestError, match="what a program prints does not depend on the version of Docker"):
            self.step(tmp_path, lines)
        step = self.step(tmp_path, lines, command="docker version")
        old, older, new, other = (
            EngineVersion(*each) for each in (("docker", 28), ("docker", 26), ("docker", 29), ("podman", 5))
        )
        assert step.prints_alike(old, older)
        assert not step.prints_alike(old, new)
        assert not step.prints_alike(other, old)
        assert not step.prints_alike(new, other)
        assert [len(step.on(engine).facts) for engine in (old, new, other)] == [1, 0, 0]

    def test_a_fact_of_one_engine(self, tmp_path: Path) -> None:
        """Other engines are not asked for it."""
        lines = 'facts.note = { match = "^(.)", unit = "text", engine = "docker >=29" }\n'
        lines += 'facts.other = { match = "^(.)", unit = "text" }\n'
        step = self.step(tmp_path, lines)
        assert list(step.on(EngineVersion("docker", 29)).facts) == ["note", "other"]
        assert list(step.on(EngineVersion("docker", 28)).facts) == ["other"]


START = """\
[[step]]
name = "start"
command = "docker run -d -p 8080:80 --name web alpine:3.22"
"""


def following(*steps: str) -> str:
    """A snippet of a background container called web, and more steps, each its lines of TOML."""
    named = (f'[[step]]\nname = "s{number}"\n{lines}\n' for number, lines in enumerate(steps))
    return "\n".join(['title = "t"', START, *named])


class TestBackground:
    @pytest.mark.parametrize(
        "steps",
        [
            ['command = "docker logs web"\nuntil = "ready"', 'command = "docker exec web id"\nuntil = "root"'],
            [
                'command = "docker stop web"',
                'command = "docker rm web"',
                'command = "docker run -d --name web alpine:3.22"',
            ],
            ['command = "wget http://localhost:8080/"\ninside = "alpine:3.22"\nnetwork = "published"'],
            ['command = "docker run -d alpine:3.22"', 'command = "docker ps"\nuntil = "Up"'],
        ],
    )
    def test_steps(self, steps: list[str], tmp_path: Path) -> None:
        """Later steps may use the container, and whatever is inside another may reach its ports."""
        snippet = load(tmp_path, following(*steps))
        assert snippet.leaves_running
        assert [step.network == "published" for step in snippet.steps[1:]] == ["published" in lines for lines in steps]
        assert [bool(step.until) for step in snippet.steps[1:]] == ["until" in lines for lines in steps]
        assert set(snippet.bases) == {"alpine:3.22"}

    @pytest.mark.parametrize(
        ("steps", "what"),
        [
            (['command = "docker logs wbe"'], "no earlier step starts a container called 'wbe'"),
            (['command = "docker exec f7baccdca5ba id"'], "no earlier step starts a container called 'f7baccdca5ba'"),
            (['command = "docker stop web other"'], "no earlier step starts a container called 'other'"),
            (['command = "docker rm web"', 'command = "docker logs web"'], "no earlier step starts a container"),
            (['command = "docker run -d --name web alpine:3.22"'], "two containers are called 'web'"),
            (['command = "docker logs web"\nnetwork = "published"'], "`network` needs `inside`"),
            (['command = "id"\ninside = "alpine:3.22"\nnetwork = "host"'], "unknown network 'host'"),
            (['command = "docker stop web"\nuntil = "web"'], "`until` is refused here"),
            (['command = "docker run alpine:3.22"\nuntil = "x"'], "`until` is refused here"),
        ],
    )
    def test_mistake(self, steps: list[str], what: str, tmp_path: Path) -> None:
        """A step can use only what an earlier one has started, and can be repeated only if that changes nothing."""
        with pytest.raises(ManifestError, match=re.escape(what)) as error:
            load(tmp_path, following(*steps))
        assert error.value.where is not None
        assert error.value.where.line is not None
        assert error.value.hint

    def test_a_port_that_nobody_publishes(self, tmp_path: Path) -> None:
        """A container without -p has none."""
        lines = 'command = "id"\ninside = "alpine:3.22"\nnetwork = "published"'
        with pytest.raises(ManifestError, match="no earlier step publishes a port"):
            load(tmp_path, following(lines).replace("-p 8080:80 ", ""))


class TestContents:
    def test_facts(self, tmp_path: Path) -> None:
        """Paths in the image, each a fact; an empty table asks for the contents alone."""
        paths = '\ncontents = { go_src = "/usr/local/go/src", app = "/go/bin/app.2" }'
        assert load(tmp_path, TOML.replace('image = "example"', f'image = "example"{paths}')).contents == {
            "go_src": "/usr/local/go/src",
            "app": "/go/bin/app.2",
        }
        assert load(tmp_path, TOML.replace('image = "example"', 'image = "example"\ncontents = {}')).contents == {}
        assert load(tmp_path).contents is None

    def test_another_fact_of_that_name(self, tmp_path: Path) -> None:
        """A fact of a step cannot have the name of a path."""
        text = TOML.replace('image = "example"', 'image = "example"\ncontents = { src = "/usr" }')
        with pytest.raises(ManifestError, match="two facts are called 'src'") as error:
            load(tmp_path, text)
        assert error.value.where is not None
        assert error.value.where.line == 20
