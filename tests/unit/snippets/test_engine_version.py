"""Which engine it is, and conditions on it."""

import pytest

from proof.snippets.engine_version import Condition, EngineVersion

DOCKER_28, DOCKER_29 = EngineVersion("docker", 28), EngineVersion("docker", 29)
CONTAINERD, PODMAN = EngineVersion("docker", 29, "containerd"), EngineVersion("podman", 5)


@pytest.mark.parametrize(
    ("engine", "image_store", "version", "text"),
    [
        ("docker 26", "overlay2", EngineVersion("docker", 26), "docker 26"),
        ("docker 26.1.5+dfsg1", "overlay2", EngineVersion("docker", 26), "docker 26"),
        ("docker 29.7.2", "containerd", CONTAINERD, "docker 29, containerd's store"),
        ("docker 29.7.2", "containerd2", DOCKER_29, "docker 29"),
        ("podman 5.4.2", "overlay", PODMAN, "podman 5"),
    ],
)
def test_an_engine(engine: str, image_store: str, version: EngineVersion, text: str) -> None:
    """Its kind, its major version, and which image store it has."""
    found = EngineVersion.of(engine, image_store)
    assert (found, str(found)) == (version, text)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (EngineVersion("docker", 26), DOCKER_29, True),
        (DOCKER_29, CONTAINERD, False),
        (CONTAINERD, CONTAINERD, True),
        (EngineVersion("docker", 28, "containerd"), CONTAINERD, False),
        (DOCKER_28, PODMAN, False),
        (DOCKER_28, EngineVersion("docker", 28, native_diff=False), False),
    ],
)
def test_the_same_sizes(one: EngineVersion, other: EngineVersion, *, alike: bool) -> None:
    """Those of containerd's store include what is compressed, by a compressor that changes with the version."""
    assert one.counts_like(other) is alike
    assert other.counts_like(one) is alike


NO_ENGINES = ("", "docker", "docker x", "docker 26x", "docker 12345.1", "Docker 26", "nerdctl 2.0", " docker 26")


@pytest.mark.parametrize("engine", NO_ENGINES)
def test_no_engine(engine: str) -> None:
    """Any other text is an error, which quotes it."""
    with pytest.raises(ValueError, match="not an engine"):
        EngineVersion.of(engine, "overlay2")


@pytest.mark.parametrize(
    ("condition", "of"),
    [
        ("docker", {DOCKER_28, DOCKER_29, CONTAINERD}),
        ("podman", {PODMAN}),
        ("docker <29", {DOCKER_28}),
        ("docker <28", set()),
        ("docker >=28", {DOCKER_28, DOCKER_29, CONTAINERD}),
        ("docker >=29", {DOCKER_29, CONTAINERD}),
        ("docker >=30", set()),
        ("docker containerd", {CONTAINERD}),
        ("docker classic", {DOCKER_28, DOCKER_29}),
        ("docker >=29 containerd", {CONTAINERD}),
        ("docker >=29 classic", {DOCKER_29}),
        ("docker <29 containerd", set()),
    ],
)
def test_a_condition(condition: str, of: set[EngineVersion]) -> None:
    """It holds for exactly these engines."""
    found = Condition.parse(condition)
    assert {engine for engine in (DOCKER_28, DOCKER_29, CONTAINERD, PODMAN) if found.holds(engine)} == of
    assert found.text == condition


NO_CONDITIONS = {
    "is not a condition": (
        *("", "Docker", "docker 29", "docker > 29", "docker >29", "docker <=29", "docker >=0", "docker >=29.0"),
        *("docker >=29.6.1", "docker >=29.06", "docker <29 overlay2", "docker\n", "docker containerd >=29"),
    ),
    "podman has no conditions": ("podman >=5", "podman classic"),
}


@pytest.mark.parametrize(("text", "says"), [(text, says) for says, texts in NO_CONDITIONS.items() for text in texts])
def test_no_condition(text: str, says: str) -> None:
    """Any other text is an error."""
    with pytest.raises(ValueError, match=says):
        Condition.parse(text)


@pytest.mark.parametrize(
    ("version", "below"),
    [("28.9", True), ("29", True), ("29.5.3", True), ("29.6.0", False), ("29.10.1", False), ("30.0", False)],
)
def test_a_condition_on_a_minor_version(version: str, *, below: bool) -> None:
    """Minor versions are numbers: 29.10 is after 29.6."""
    engine = EngineVersion.of(f"docker {version}", "overlay2")
    assert [Condition.parse(text).holds(engine) for text in ("docker <29.6", "docker >=29.6")] == [below, not below]


def test_minor_versions_are_one_engine() -> None:
    """They word their outputs alike, unless a snippet says otherwise."""
    one, other = (EngineVersion.of(f"docker {version}", "overlay2") for version in ("29.5.3", "29.6.0"))
    assert (one, str(one)) == (other, "docker 29")
    assert (one.minor, other.minor) == (5, 6)
