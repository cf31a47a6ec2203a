"""Cleanup removes from an engine what the journal names, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from proof.core.errors import CannotMeasureError
from proof.engines import cleanup, journal
from tests.support.engines import docker, podman
from tests.unit.engines.conftest import Answer


def test_undone_is_what_the_journal_names(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """Containers and tags go by name, cache records by id, and images by id unless somebody has named them since."""
    caches = iter(["mine false\ntheirs false\n\n", "\n"])

    def answer(argv: list[str]) -> tuple[int, str]:
        match argv[1:]:
            case ["image", "inspect", *_, "sha256:named"]:
                return 0, '{"RepoTags": ["mine:latest"]}'
            case ["image", "inspect", *_]:
                return 0, '{"RepoTags": []}'
            case ["system", "df", *_]:
                return 0, next(caches)
            case _:
                return 0, ""

    log = answers(answer)
    with journal.opened(tmp_path) as ours:
        ours.made("container", "proof-c")
        ours.made("network", "proof-1-network")
        ours.made("tag", "proof-1/a", "proof-1/b")
        ours.made("image", "sha256:named", "sha256:none")
        ours.made("cache", "mine")
        cleanup.undo(docker(prefix="proof-1/", journal=ours), ours)
        assert [ours.left(kind) for kind in get_args(journal.Kind)] == [[]] * 6
    removing = [words[1:] for words in log if words[1] in ("rm", "network", "rmi", "builder")]
    assert removing == [
        ["rm", "--force", "--volumes", "proof-c"],
        ["network", "rm", "--force", "proof-1-network"],
        ["rmi", "--force", "proof-1/a", "proof-1/b"],
        ["rmi", "sha256:none"],
        ["builder", "prune", "--force", "--all", "--filter", "id=mine"],
    ]


def test_steps_below_an_image_stay(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """Podman would remove those that nothing else needs, and they may be the user's own."""
    log = answers(lambda argv: (0, '{"RepoTags": []}' if "inspect" in argv else ""))
    with journal.opened(tmp_path) as ours:
        ours.made("tag", "proof-1/a")
        ours.made("image", "sha256:none")
        cleanup.undo(podman(journal=ours, supports_labels=True), ours)
    assert [words[1:] for words in log if words[1] == "rmi"] == [
        ["rmi", "--force", "--no-prune", "proof-1/a"],
        ["rmi", "--no-prune", "sha256:none"],
    ]


def test_a_name_that_is_taken(tmp_path: Path, answers: Callable[[Answer], object]) -> None:
    """If a user's own engine has an image of our name that we did not create, nothing is built."""
    answers(lambda argv: (0, '{"Id": "sha256:1"}'))
    with journal.opened(tmp_path) as ours:
        engine = docker(prefix="proof-1/", journal=ours)
        with pytest.raises(CannotMeasureError, match="already has an image proof-1/note, which is left alone"):
            cleanup.claim(engine, "note")
        assert ours.left("tag") == []
        ours.made("tag", "proof-1/note")
        cleanup.claim(engine, "note")
        ours.gone("tag", "proof-1/note")


def test_what_resists_stays_written_down(tmp_path: Path, answers: Callable[[Answer], object]) -> None:
    """A container that could not be removed stays in the journal for the next run."""
    answers(lambda argv: (1 if argv[1] == "rm" else 0, "[]"))
    with journal.opened(tmp_path) as ours:
        ours.made("container", "proof-c")
        engine = docker(journal=ours)
        cleanup.remove(engine, containers=["proof-c"])
        assert ours.left("container") == ["proof-c"]
        ours.gone("container", "proof-c")


def test_many_cache_records_go_a_few_at_a_time(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """One call for hundreds would take longer than a call may."""
    records = [f"r{number:03}" for number in range(50)]
    left = set(records)

    def answer(argv: list[str]) -> tuple[int, str]:
        if argv[1] == "builder":
            left.difference_update(argv[-1].removeprefix("id=").split("|"))
        return 0, "".join(f"{record} false\n" for record in left)

    log = answers(answer)
    with journal.opened(tmp_path) as ours:
        ours.made("cache", *records)
        cleanup.undo(docker(journal=ours), ours)
        assert ours.left("cache") == []
    removing = [words[-1].count("|") + 1 for words in log if words[1] == "builder"]
    assert removing == [20, 20, 10]
