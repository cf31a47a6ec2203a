"""The corpus with a real engine: refused input never reaches it, accepted input is read as we read it."""

import json
import re
import time
from pathlib import Path

import pytest

from proof.captures.buildkit_log import labels
from proof.cli import main
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import execute
from proof.snippets import base_images, project
from tests.support import hostile
from tests.support.helpers import TINY
from tests.support.hostile import Case, cases
from tests.support.makers import write

pytestmark = pytest.mark.engine

CANARIES = ("canary", "evil.example/canary", "a", "0", "later")
COMMANDS = [case for case in cases("accepted") if case.kind == "command"]
DOCKERFILES = [case for case in cases("accepted") if case.kind == "dockerfile"]


@pytest.fixture
def baited(engine: Engine, cache: Path) -> Engine:
    """An engine with the base, and with images that only refused input names, so that using one would work."""
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    for name in CANARIES:
        engine.client.call("tag", "alpine:3.22", name)
    return engine


def events(engine: Engine, since: str) -> list[str]:
    now = engine.client.call("info", "--format", "{{.SystemTime}}").text().strip()
    return engine.client.call("events", "--since", since, "--until", now).text().splitlines()


def holdings(engine: Engine) -> set[tuple[str, ...]]:
    """What the engine holds: images, containers, volumes, and each record of its build cache with how often it served.

    BuildKit may remove records of its own accord at any moment, so a test can rely on what appears alone.
    """
    held = json.loads(engine.client.call("system", "df", "--verbose", "--format", "{{json .}}").text())
    found: set[tuple[str, ...]] = {("record", record["ID"], str(record["UsageCount"])) for record in held["BuildCache"]}
    found |= {("image", image["ID"], f"{image['Repository']}:{image['Tag']}") for image in held["Images"]}
    found |= {("container", container["ID"]) for container in held["Containers"]}
    return found | {("volume", volume["Name"]) for volume in held["Volumes"]}


def settled(engine: Engine) -> set[tuple[str, ...]]:
    """The same once it no longer changes: after a build has ended, BuildKit still counts the records that it used."""
    found, same = holdings(engine), 0
    for _ in range(60):
        time.sleep(0.5)
        now = holdings(engine)
        found, same = now, same + 1 if now == found else 0
        if same == 6:  # 3 seconds
            return found
    pytest.fail("the engine never comes to rest")


def test_nothing_refused_reaches_the_engine(
    baited: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused input causes no event in a live engine, creates nothing, and uses no cache record."""
    monkeypatch.setenv("DOCKER_HOST", baited.client.env["DOCKER_HOST"])
    context = write(tmp_path / "context", {"Dockerfile": "FROM alpine:3.22\nCOPY Dockerfile /\n"})
    baited.client.call("build", "--network=none", "--tag", "later", str(context), reads=[context])
    before = settled(baited)
    assert {kind for kind, *_ in before} >= {"image", "record"}
    since = baited.client.call("info", "--format", "{{.SystemTime}}").text().strip()
    for number, case in enumerate(cases("refused")):
        root = hostile.project(tmp_path / str(number), case)
        assert main.main(["--project", str(root), "check", "--engine", "docker"]) == 2, capsys.readouterr()
    assert events(baited, since) == []
    assert holdings(baited) - before == set()
    # Both would have told: a record that is used again counts it, and a canary that is run leaves events.
    baited.client.call("build", "--network=none", "--tag", "later", str(context), reads=[context])
    assert {kind for kind, *_ in settled(baited) - before} == {"record"}
    baited.client.call("run", "--rm", "--network", "none", "canary", "true")
    assert any("container create" in event and "image=canary" in event for event in events(baited, since))
    baited.remove(images=CANARIES)


@pytest.mark.parametrize("case", DOCKERFILES, ids=str)
def test_an_odd_dockerfile_is_read_as_buildkit_reads_it(case: Case, baited: Engine, tmp_path: Path) -> None:
    """Accepted input builds. BuildKit uses only the images that we found, and names its steps as expected."""
    (snippet,) = project.load_all(hostile.project(tmp_path, case))
    with execute.inputs(snippet, baited.for_snippet(snippet.bases)) as given:
        context = given.context
        file = given.dockerfiles.get("build", context / "Dockerfile")
        words = ("--network=none", "--progress=plain", f"--file={file}", str(context))
        done = baited.client.call("build", *words, deadline=120, reads=[context, file.parent])
    log = done.last_lines(10_000)
    assert "resolve image config" not in log
    asked = set(re.findall(r"load metadata for docker\.io/library/(\S+)", log))
    assert asked <= set(snippet.bases) <= {"alpine:3.22"}
    (build,) = snippet.dockerfiles.values()
    assert set(labels(log).values()) <= frozenset[str]().union(*build.labels)


@pytest.mark.parametrize("case", COMMANDS, ids=str)
def test_an_odd_command_is_one_to_docker_too(case: Case, baited: Engine, cache: Path, tmp_path: Path) -> None:
    """Docker accepts the command line with the tool's flags; the command itself may fail."""
    (snippet,) = project.load_all(hostile.project(tmp_path, case))
    done = execute.run(snippet, baited, cache=cache).steps[-1]
    assert done.step.name == "one"
    assert not re.search(r"See 'docker .*--help'|unknown (shorthand )?flag|Unable to find image", done.output)
