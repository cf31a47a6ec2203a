"""Several snippets in parallel in one real engine, with images of the same names but different content."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from proof.captures.buildkit_log import labels
from proof.engines.client import Client
from proof.facts import book as facts
from tests.engine.test_faults import daemons, own, run, started  # noqa: F401 - `own` is a fixture
from tests.support.helpers import edit, tiny, wait_until

pytestmark = pytest.mark.engine
COUNT = 6


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Snippets that all name their image `note`, each with a longer note than the one before."""
    root = tiny(tmp_path)
    note = root / "snippets" / "note"
    edit(note / "context/Dockerfile", '["cat"', '["sh", "-c", "sleep 4; cat /srv/note.txt; wc -c /srv/note.txt", "cat"')
    for number in range(COUNT):
        copy = Path(shutil.copytree(note, note.with_name(f"note_{number}")))
        (copy / "context" / "note.txt").write_text("a note" + "." * number + "\n")
        manifest = copy / "snippet.toml"
        manifest.write_text(manifest.read_text().replace("[[step]]", '[[step]]\nunshown = "a test"'))
    return root


def names() -> list[str]:
    return [f"note_{number}" for number in range(COUNT)]


def test_one_name_and_many_images(root: Path, own: Path) -> None:  # noqa: F811 - the fixture
    """Each has its own size and output, as if it had run alone; prefixes are not visible."""
    code, said = run(root, own, "update", *names(), "--jobs", "6")
    assert code == 0, said
    book = facts.load(root / "snippets")
    for number, name in enumerate(names()):
        length = len("a note\n") + number
        assert book[f"{name}.own_size"].value == length
        steps = {step.name: step.output for step in book.captures[name].steps}
        assert steps["run"].splitlines()[-1] == f"{length} /srv/note.txt"
        assert "naming to docker.io/library/note" in steps["build"]
        assert [line.split("   ")[0] for line in steps["image_ls"].splitlines()] == ["REPOSITORY", "note"]
        assert steps["image_ls"].index("TAG") == len("REPOSITORY") + 3
        assert not any("proof-" in output for output in steps.values())
    for jobs in ("1", "6"):
        code, said = run(root, own, "check", "--rerun", *names(), "--jobs", jobs)
        assert code == 0, said
        assert said.count("✓ accurate") == COUNT


@pytest.mark.parametrize("shared", ["FROM", "RUN"])
def test_a_step_that_two_share(root: Path, own: Path, shared: str) -> None:  # noqa: F811
    """If two builds share a step, the engine logs it under the first build's name; captures have each its own."""
    pair = names()[:2]
    for name in pair:
        dockerfile = root / "snippets" / name / "context/Dockerfile"
        made = name if shared == "FROM" else "both"
        build = f"FROM alpine:3.22 AS {name}\nRUN sleep 2 && touch /made-for-{made}\nFROM {name}\nCMD true\n"
        dockerfile.write_text(build)
    for _ in range(2):  # built, and out of the build cache
        code, said = run(root, own, "update", *pair, "--jobs", "2")
        assert code == 0, said
        for name, capture in facts.load(root / "snippets").captures.items():
            if name in pair:
                log = next(step.output for step in capture.steps if step.name == "build")
                assert set(labels(log).values()) == {f"[{name} 1/2]", f"[{name} 2/2]"}
    code, said = run(root, own, "check", *pair, "--jobs", "2")
    assert code == 0, said


def test_a_lost_engine_is_started_once(root: Path, own: Path) -> None:  # noqa: F811
    """The first snippet to notice restarts the engine, and all that ran in it run again."""
    code, said = run(root, own, "update", *names(), "--jobs", "6")
    assert code == 0, said
    with started(root, own, "check", *names(), "--jobs", "6") as tool:
        wait_until(lambda: _running(own))
        os.kill(daemons(own)[0], signal.SIGKILL)
        said = tool.communicate(timeout=300)[0]
    assert tool.returncode == 0, said
    assert said.count("the engine was lost and has been restarted") == 1
    assert said.count("✓ accurate") == COUNT


def _running(own: Path) -> bool:  # noqa: F811
    """True if several containers run in the engine of this cache."""
    sockets = list(own.glob("engine-*/*/docker.sock"))
    if not sockets:
        return False
    client = Client("docker", {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{sockets[0]}"})
    try:
        return len(client.call("ps", "--quiet").text().split()) >= 3
    except Exception:  # noqa: BLE001 - it does not answer yet
        return False
