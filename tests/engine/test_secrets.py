"""No secret from the environment or the user's Docker settings gets into a capture, a log or a message."""

import json
import subprocess
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from proof.provision import loader
from proof.snippets import base_images
from tests.support.helpers import TINY, edit, proof, tiny, tree
from tests.support.makers import write

pytestmark = pytest.mark.engine

CANARY = "hunter2-canary"
NAMES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN"),
    *("DOCKER_AUTH_CONFIG", "DOCKER_PASSWORD", "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CUSTOM_HEADERS"),
    *("BUILDX_BAKE_GIT_AUTH_TOKEN", "BUILDX_METADATA_PROVENANCE", "BUILDKIT_SYNTAX", "SECRET_TOKEN", "NPM_TOKEN"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "no_proxy", "NETRC", "SSH_AUTH_SOCK"),
)
SETTINGS = {
    "auths": {"registry.example": {"auth": CANARY}},
    "HttpHeaders": {"X-Canary": CANARY},
    "proxies": {"default": {"httpProxy": f"http://me:{CANARY}@127.0.0.1:9", "noProxy": CANARY}},
    "imagesFormat": CANARY,
    "aliases": {"builder": CANARY},
}


@pytest.fixture
def poisoned(tmp_path: Path, cache: Path, engine: Engine) -> dict[str, str]:
    """An environment and a home full of secrets."""
    home = write(tmp_path / "home", {".docker/config.json": json.dumps(SETTINGS), ".netrc": CANARY})
    values = {name: f"http://me:{CANARY}@127.0.0.1:9" if "proxy" in name.lower() else CANARY for name in NAMES}
    values["DOCKER_CUSTOM_HEADERS"] = f"X-Canary={CANARY}"  # newer Dockers refuse another form
    own = {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker"), "PROOF_CACHE": str(cache)}
    return {**values, **own, "DOCKER_HOST": engine.client.env["DOCKER_HOST"]}


@pytest.fixture
def talkative(tmp_path: Path) -> Path:
    """The tiny project, every step of which says all that it knows of its environment."""
    root = tiny(tmp_path)
    note = root / "snippets" / "note"
    known = "(env; cat /proc/*/environ /root/.docker/* /root/.netrc | tr '\\0' '\\n') 2>/dev/null | grep -v ^HOSTNAME"
    write(note, {"context/told.sh": f"{known} | sort -u; cat /srv/note.txt 2>&1\n"})  # in one order
    edit(note / "context/Dockerfile", "RUN mkdir /empty", "COPY told.sh /\nRUN sh /told.sh; mkdir /empty")
    edit(
        note / "context/Dockerfile",
        "FROM alpine:3.22\nCOPY note.txt /srv/note.txt",
        "FROM paper\nCOPY note.txt told.sh /srv/",
    )
    edit(note / "snippet.toml", '"docker run note"', '"docker run note sh /srv/told.sh"')
    edit(root / "snippets/count/context/words.sh", "wc -w", "env | grep -v HOSTNAME | sort; wc -w")
    return root


def test_the_poison_works(poisoned: dict[str, str], engine: Engine, cache: Path) -> None:
    """A docker that is called with these settings hands secrets to a container: there is something to keep out."""
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    words = ("docker", "run", "--rm", "--network", "none", "alpine:3.22", "env")
    done = subprocess.run(words, env={**engine.client.env, **poisoned}, capture_output=True, text=True, check=True)
    assert CANARY in done.stdout


@pytest.mark.parametrize("kind", ["private", "docker"])
def test_no_secret_gets_into_a_capture(kind: str, poisoned: dict[str, str], talkative: Path) -> None:
    """`proof update` among secrets, by a private engine and by the user's own: none in any file, none on the screen."""
    before = set(tree(talkative))
    done = proof("update", "--fresh", "--engine", kind, cwd=talkative, env=poisoned)
    # Its page says that only one layer is ours, which is not so any more.
    assert (done.returncode, done.stdout.count("written\n")) == (1, 3), done.stdout + done.stderr
    after = tree(talkative)
    outputs = {name: content for name, content in after.items() if name not in before}
    assert b"PATH=" in outputs["snippets/note/captured/rebuilt/run.txt"]
    assert b"PATH=" in outputs["snippets/note/captured/rebuilt/build.txt"]
    assert b"PATH=" in outputs["snippets/count/captured/rebuilt/words.txt"]
    assert [name for name, content in outputs.items() if CANARY.encode() in content] == []
    assert CANARY not in done.stdout + done.stderr


def test_no_secret_gets_into_a_message(poisoned: dict[str, str], talkative: Path) -> None:
    """What fails is shown with the end of what it printed, and that too is without secrets."""
    edit(talkative / "snippets/note/context/told.sh", "cat /srv", "false && cat /srv")
    done = proof("update", "--fresh", "note", cwd=talkative, env=poisoned)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "PATH=" in done.stdout
    assert CANARY not in done.stdout + done.stderr
