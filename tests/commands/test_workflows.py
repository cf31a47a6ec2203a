"""The workflows: two linters find nothing in them, and nor do the rules of ours that no linter has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.helpers import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
BIN = Path(sys.executable).parent
# A script of the repository with its arguments: words, "$VARIABLES" and globs, but no other shell syntax.
COMMAND = re.compile(r'(scripts/[a-z]+)(?: (?:[\w./*-]+|"\$[A-Z]+"))*')
PROPOSES = 'scripts/refresh propose "$KIND" build/proposal'


def text_of(name: str) -> str:
    """The text of a workflow."""
    return (WORKFLOWS / f"{name}.yml").read_text("utf-8")


def faults(text: str) -> Iterator[str]:
    """The rules of ours that a workflow breaks: those that neither linter below has."""
    for job, body in yaml.safe_load(text)["jobs"].items():
        writes = "write" in body["permissions"].values()
        for step in body.get("steps", ()):
            uses, options, run = step.get("uses", ""), step.get("with", {}), step.get("run", "")
            if uses.startswith("actions/checkout@") and options.get("persist-credentials") is not False:
                yield f"{job} keeps the checkout's credentials"
            if uses.startswith("actions/cache") or any(key.startswith("cache") for key in options):
                yield f"{job} restores a cache"
            if uses.startswith("actions/upload-artifact@") and options.get("if-no-files-found") != "error":
                yield f"{job} may upload nothing without an error"
            if run and not ((command := COMMAND.fullmatch(run)) and (REPOSITORY / command[1]).is_file()):
                yield f"{job} runs something other than a script of the repository"
            # Only one step, which runs git and gh, has a token in its environment. Actions take theirs as an option.
            if re.search(r"secrets\.|token", str(step.get("env", "")), re.IGNORECASE) and run != PROPOSES:
                yield f"{job} passes a token to a step that does not need it"
            # A step can change the PATH of later steps, so a job with write permissions runs nothing else.
            if writes and run not in ("", PROPOSES):
                yield f"{job} may write, and runs something else"


@pytest.mark.parametrize("path", sorted(WORKFLOWS.iterdir()), ids=lambda path: path.stem)
def test_a_workflow_follows_our_rules(path: Path) -> None:
    """Credentials, caches, tokens, and commands that also run locally."""
    assert list(faults(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("refresh", "persist-credentials: false", "persist-credentials: true", "keeps the checkout's credentials"),
        ("deploy", "actions/checkout@3d3c", "actions/cache/restore@3d3c", "restores a cache"),
        ("deploy", "fetch-depth: 0", "cache: pip", "restores a cache"),
        ("shards", "if-no-files-found: error", "if-no-files-found: warn", "may upload nothing without an error"),
        ("deploy", "run: scripts/site", "run: scripts/site && id", "runs something other than a script"),
        ("deploy", "run: scripts/site", "run: scripts/site $(id)", "runs something other than a script"),
        (
            "deploy",
            "run: scripts/site",
            "run: |\n          scripts/site\n          id",
            "something other than a script",
        ),
        ("deploy", "run: scripts/site", "run: scripts/nothing", "runs something other than a script"),
        ("verify", "RESULTS: ${{ join", "KEY: ${{ github.token }}\n          RESULTS: ${{ join", "passes a token to"),
        ("shards", "JOB: ${{ inputs.job }}", "JOB: ${{ secrets.KEY }}", "passes a token to"),
        ("refresh", PROPOSES, "scripts/bootstrap", "propose passes a token to"),
        (
            "refresh",
            "      # A pull request that the workflow's own",
            "      - name: x\n        run: scripts/bootstrap\n      # A pull request that the workflow's own",
            "propose may write, and runs something else",
        ),
    ],
)
def test_each_rule_can_fail(name: str, old: str, new: str, fault: str) -> None:
    """A workflow with one mistake breaks the rule."""
    text = text_of(name)
    assert old in text
    assert any(fault in found for found in faults(text.replace(old, new, 1)))


def test_every_engine_is_tried() -> None:
    """The matrix names the pinned engine and all others; no other workflow waits for it."""
    jobs = yaml.safe_load(text_of("engines"))["jobs"]
    rows = jobs["engine"]["strategy"]["matrix"]["include"]
    assert {row["engine"] for row in rows} == {"reference", "private", "docker", "docker-29", "containerd", "podman"}
    assert "engines.yml" not in "".join(path.read_text("utf-8") for path in WORKFLOWS.iterdir())


def test_a_pull_request_waits_for_no_words() -> None:
    """It is checked by values, on whatever Docker the runner has."""
    assert yaml.safe_load(text_of("verify"))["jobs"]["shards"]["with"] == {"job": "check", "engine": "auto"}


def test_a_refresh_uses_the_pinned_engine() -> None:
    """By itself it moves one thing only, the bases. Where a hand starts it, it names the engine."""
    refresh = yaml.safe_load(text_of("refresh"))
    assert refresh["jobs"]["shards"]["with"]["engine"] == "${{ inputs.engine || 'reference' }}"
    assert refresh[True]["workflow_dispatch"]["inputs"]["engine"]["options"] == ["reference", "docker"]
    (run,) = [step for step in yaml.safe_load(text_of("shards"))["jobs"]["shard"]["steps"] if "run" in step]
    assert run["env"]["ENGINE"] == "${{ inputs.engine }}"


def test_the_gate_needs_every_other_job() -> None:
    """`required` always runs, after all other jobs of its workflow."""
    jobs = yaml.safe_load(text_of("verify"))["jobs"]
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required"}
    assert jobs["required"]["if"] == "${{ always() }}"


def test_nothing_is_published_before_it_is_verified() -> None:
    """Each job of `deploy` needs all of `verify`, which nobody else runs for the main branch."""
    jobs = yaml.safe_load(text_of("deploy"))["jobs"]
    (verified,) = [name for name, job in jobs.items() if job.get("uses", "").endswith("/verify.yml")]
    for name in set(jobs) - {verified}:
        needed = name
        while needed != verified:
            assert "if" not in jobs[needed], "a condition may hold although a needed job failed"
            needed = jobs[needed]["needs"]
    triggers = yaml.safe_load(text_of("verify"))[True]
    assert "workflow_call" in triggers
    assert "push" not in triggers
    # Where a workflow that calls another has the group of that, GitHub cancels both.
    groups = [yaml.safe_load(text_of(name))["concurrency"]["group"] for name in ("deploy", "verify")]
    assert groups == ["pages", "${{ github.workflow }}-${{ github.ref }}"]


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ("success", 0),
        ("success success", 0),
        ("success skipped", 1),
        ("cancelled success", 1),
        ("success failure success", 1),
        ("", 1),
        (" success", 1),
    ],
)
def test_the_gate_accepts_only_success(results: str, code: int) -> None:
    """A skipped or cancelled job is not a success."""
    done = subprocess.run(["scripts/ci", "required", results], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == code


def linted(tool: str, *arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run a linter of the virtual environment."""
    return subprocess.run([str(BIN / tool), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


ZIZMOR = ("zizmor", "--offline", "--strict-collection", "--persona", "pedantic", "--no-progress", ".github")
# Like actionlint, with more checks. Our commands contain no shell or Python code for its helpers.
JACTIONLINT = ("jactionlint", "--profile", "pedantic", "--strict-exit", "--shellcheck=", "--pyflakes=")


@pytest.mark.parametrize("call", [ZIZMOR, JACTIONLINT], ids=lambda call: call[0])
def test_a_linter_finds_nothing(call: tuple[str, ...]) -> None:
    """With the strictest settings, in the workflows and Dependabot's configuration."""
    done = linted(*call)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("call", "old", "new", "says"),
    [
        (ZIZMOR, 'run: scripts/ci "$JOB" "$SHARD"', "run: echo ${{ github.head_ref }}", "template-injection"),
        (ZIZMOR, "        with:\n          persist-credentials: false\n", "", "artipacked"),
        (ZIZMOR, "permissions: {}", "permissions: write-all", "excessive-permissions"),
        (ZIZMOR, "  workflow_call:", "  pull_request_target:\n  workflow_call:", "dangerous-triggers"),
        (ZIZMOR, "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        (JACTIONLINT, " # v7.0.1", "", "missing-version-comment"),
        (JACTIONLINT, "    timeout-minutes: 10\n", "", "missing-timeout"),
        (JACTIONLINT, "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest", "mutable-runner-label"),
        (JACTIONLINT, "contents: read", "contents: write", "workflow-call-permissions"),
        (JACTIONLINT, "needs: plan", "needs: plans", "plans"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_linter_can_fail(call: tuple[str, ...], old: str, new: str, says: str, tmp_path: Path) -> None:
    """A planted mistake is found, so the linters do read these files."""
    shutil.copytree(REPOSITORY / ".github", tmp_path / ".github")
    (tmp_path / ".git").mkdir()  # both search for the root of a repository
    path = tmp_path / ".github" / "workflows" / "shards.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    done = linted(*call, cwd=tmp_path)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr


def test_paths_of_codeowners_exist() -> None:
    """Each path in CODEOWNERS exists, since a renamed file would have no owner. All owners are teams.

    The name of a user could belong to a stranger.
    """
    lines = (REPOSITORY / ".github" / "CODEOWNERS").read_text("utf-8").splitlines()
    paths = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert paths
    assert all(re.fullmatch(r"\S+ +@[\w-]+/[\w-]+", line) for line in lines if line and not line.startswith("#"))
    for path in paths:
        assert list(REPOSITORY.glob(path.strip("/"))), path


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_an_issue_form_is_complete(path: Path) -> None:
    """GitHub silently drops a form that lacks any of these."""
    form = yaml.safe_load(path.read_text("utf-8"))
    assert set(form) >= {"name", "description", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names) > 0
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field["validations"]["required"] for field in fields)
