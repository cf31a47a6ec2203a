"""The workflows: two linters find nothing in them, and nor do the rules of ours that no linter has."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
# A script of the repository with its arguments: words, "$VARIABLES" and globs, but no other shell syntax.
COMMAND = re.compile(r'(scripts/[a-z]+)(?: (?:[\w./*-]+|"\$[A-Z]+"))*')
PROPOSES = 'scripts/refresh propose "$KIND" build/proposal'


def text_of(name: str) -> str:
    return (WORKFLOWS / f"{name}.yml").read_text("utf-8")


def jobs_of(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text_of(name))["jobs"])


def faults(text: str) -> Iterator[str]:
    """The rules of ours that a workflow breaks: those that neither linter below has."""
    if re.search(r"actions/cache|\bcache:", text):
        yield "restores a cache, which another workflow may have filled"
    for job, body in yaml.safe_load(text)["jobs"].items():
        writes = "write" in body["permissions"].values()
        for step in body.get("steps", ()):
            run = step.get("run", "")
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
    assert list(faults(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("deploy", "fetch-depth: 0", "cache: pip", "restores a cache"),
        ("deploy", "run: scripts/site", "run: scripts/site && id", "runs something other than a script"),
        ("deploy", "run: scripts/site", "run: scripts/site $(id)", "runs something other than a script"),
        ("deploy", "run: scripts/site", "run: |\n          scripts/site\n          id", "something other than a"),
        ("shards", "JOB: ${{ inputs.job }}", "JOB: ${{ secrets.KEY }}", "passes a token to"),
        ("refresh", PROPOSES, "scripts/bootstrap", "may write, and runs something else"),
    ],
)
def test_each_rule_can_fail(name: str, old: str, new: str, fault: str) -> None:
    text = text_of(name)
    assert old in text
    assert any(fault in broken for broken in faults(text.replace(old, new, 1)))


def test_the_gate_needs_every_other_job() -> None:
    """`required` always runs, after all other jobs of its workflow."""
    jobs = jobs_of("verify")
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required"}
    assert jobs["required"]["if"] == "${{ always() }}"


def test_nothing_is_published_before_it_is_verified() -> None:
    """Each job of `deploy` needs all of `verify`, which nobody else runs for the main branch."""
    jobs = jobs_of("deploy")
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
        *[("success", 0), ("success success", 0)],
        *[("success skipped", 1), ("cancelled success", 1), ("success failure success", 1), ("", 1), (" success", 1)],
    ],
)
def test_the_gate_accepts_only_success(results: str, code: int) -> None:
    """A skipped or cancelled job is not a success."""
    done = subprocess.run(["scripts/ci", "required", results], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == code


ZIZMOR = ("zizmor", "--offline", "--strict-collection", "--persona", "pedantic", "--no-progress", ".github")
ACTION = (*ZIZMOR[:-1], "action.yml")
# Like actionlint, with more checks. Our commands contain no shell or Python code for its helpers.
JACTIONLINT = ("jactionlint", "--profile", "pedantic", "--strict-exit", "--shellcheck=", "--pyflakes=")


def lint(call: tuple[str, ...], cwd: Path) -> tuple[int, str]:
    """The exit code and the output of a linter of the virtual environment."""
    tool, *arguments = call
    argv = [str(Path(sys.executable).parent / tool), *arguments]
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("call", [ZIZMOR, ACTION, JACTIONLINT])
def test_a_linter_finds_nothing(call: tuple[str, ...]) -> None:
    """With the strictest settings, in the workflows, Dependabot's configuration and the action for other projects."""
    assert lint(call, REPOSITORY)[0] == 0, lint(call, REPOSITORY)[1]


@pytest.mark.parametrize(
    ("call", "old", "new", "says"),
    [
        (ZIZMOR, 'run: scripts/ci "$JOB" "$SHARD"', "run: echo ${{ github.head_ref }}", "template-injection"),
        (ZIZMOR, "        with:\n          persist-credentials: false\n", "", "artipacked"),
        (JACTIONLINT, "    timeout-minutes: 10\n", "", "missing-timeout"),
    ],
)
def test_a_linter_can_fail(call: tuple[str, ...], old: str, new: str, says: str, tmp_path: Path) -> None:
    """A planted mistake is found, so the linters do read these files."""
    shutil.copytree(REPOSITORY / ".github", tmp_path / ".github")
    (tmp_path / ".git").mkdir()  # both search for the root of a repository
    path = tmp_path / ".github" / "workflows" / "shards.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    code, printed = lint(call, tmp_path)
    assert code != 0
    assert says in printed


def test_paths_of_codeowners_exist() -> None:
    """A renamed file would have no owner. All owners are teams: the name of a user could belong to a stranger."""
    lines = (REPOSITORY / ".github" / "CODEOWNERS").read_text("utf-8").splitlines()
    owned = [line for line in lines if line and not line.startswith("#")]
    assert owned
    for line in owned:
        assert re.fullmatch(r"\S+ +@[\w-]+/[\w-]+", line)
        assert list(REPOSITORY.glob(line.split()[0].strip("/"))), line
