"""Records from files: each value must have the type that its field declares."""

import math
from dataclasses import replace
from typing import Any

import pytest

from proof.captures.model import Environment
from proof.core.validate import is_number, validate
from tests.support.makers import capture

FACTS = capture().facts


def odd(record: Any, **fields: Any) -> Any:
    """A record with values of the wrong type."""
    return replace(record, **fields)


def test_a_valid_record_is_returned() -> None:
    """It is neither converted nor copied."""
    one = capture()
    assert validate(one) is one


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"snippet": None}, "Capture.snippet is None"),
        ({"snippet": 5}, "Capture.snippet is 5"),
        ({"inputs": []}, "Capture.inputs is []"),
        ({"inputs": {"a": 1}}, "Capture.inputs is {'a': 1}"),
        ({"inputs": {1: "a"}}, "Capture.inputs is {1: 'a'}"),
        ({"steps": [capture().steps[0]]}, "Capture.steps is [CapturedStep"),
        ({"steps": (capture().layers[0],)}, "Capture.steps is (CapturedLayer"),
        ({"environment": {"platform": "linux/amd64"}}, "Capture.environment is {'platform'"),
        ({"environment": Environment("linux/amd64", "docker", None)}, "Environment.bases is None"),  # type: ignore[arg-type]
        ({"facts": {"size": odd(FACTS["size"], value=True)}}, "CapturedFact.value is True"),
        ({"facts": {"size": odd(FACTS["size"], value=math.nan)}}, "CapturedFact.value is nan"),
        ({"facts": {"size": odd(FACTS["size"], tolerance=math.inf)}}, "CapturedFact.tolerance is inf"),
        ({"facts": {"size": odd(FACTS["size"], value=10**400)}}, "CapturedFact.value is 1000"),
        ({"facts": {"size": odd(FACTS["size"], value=-(2**63) - 1)}}, "CapturedFact.value is -9223372036854775809"),
        ({"facts": {"size": odd(FACTS["size"], value=1e300)}}, "CapturedFact.value is 1e+300"),
        ({"facts": {"size": odd(FACTS["size"], tolerance=10**400)}}, "CapturedFact.tolerance is 1000"),
        ({"steps": (odd(capture().steps[0], seconds=10**400),)}, "CapturedStep.seconds is 1000"),
        ({"layers": (odd(capture().layers[0], size=2**63),)}, "CapturedLayer.size is 9223372036854775808"),
        ({"facts": {"size": odd(FACTS["size"], value=[1])}}, "CapturedFact.value is [1]"),
        ({"steps": (odd(capture().steps[0], exit=0.5),)}, "CapturedStep.exit is 0.5"),
        ({"steps": (odd(capture().steps[0], inside=b"x"),)}, "CapturedStep.inside is b'x'"),
    ],
)
def test_a_value_of_another_type(change: dict[str, Any], says: str) -> None:
    """The error names the field, at any depth."""
    with pytest.raises(TypeError) as error:
        validate(capture(**change))
    assert str(error.value).startswith(says)


def test_the_largest_number() -> None:
    """Integers may have up to 64 bits."""
    largest = capture(facts={"size": odd(FACTS["size"], value=2**63 - 1)})
    assert validate(largest) is largest
    assert not is_number(math.nan)
