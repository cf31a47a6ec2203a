"""Units of the facts that the tool measures, and how values are written."""

import pytest

from proof.core.units import binary, counted, format_value, is_about, parse_binary, parse_size, size, unit_of

SIZES = "size base_size own_size transfer_size base_transfer_size own_transfer_size".split()
DISPLAYED = "disk_usage content_size layer_1 layer_999".split()
COUNTS = "layers base_layers own_layers".split()
TEXTS = "command user platform".split()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *((name, "B") for name in (*SIZES, *DISPLAYED)),
        *((name, "count") for name in COUNTS),
        *((name, "text") for name in TEXTS),
        # Names that a manifest may use for its own facts.
        *((name, None) for name in ("words", "layer", "layer_", "layer_x", "layer_1000", "a_layer_1", "layer_1_size")),
        *((name, None) for name in ("Size", "size ", "layer_\N{ARABIC-INDIC DIGIT ONE}", "layerx1", "")),
    ],
)
def test_unit_of(name: str, unit: str | None) -> None:
    """Only the facts that the tool measures have a fixed unit."""
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.5, "0.5B"),
        (999.4, "999B"),
        (999.5, "1kB"),  # which three digits cannot tell from a thousand
        (1_000, "1kB"),
        (-999.7, "-1kB"),
        (999_400_000_000_000, "999TB"),
        (2**63 - 1, "9.22EB"),
        (1.5e22, "15,000EB"),
        (0.00001234, "0.0000123B"),
        (10_700, "10.7kB"),
    ],
)
def test_size(number: float, text: str) -> None:
    """Three significant digits, in the largest unit in which the value is at least 1."""
    assert size(number) == text


@pytest.mark.parametrize(
    ("kib", "text"),
    [
        (1023.9, "1023.9K"),
        (1024, "1.0M"),
        (1024**2, "1.0G"),
        (1024**4, "1.0P"),
        (1024**7, "1,048,576.0E"),
        (1023.94, "1023.9K"),
        (1023.99, "1.0M"),
        (1023.99 * 1024, "1.0G"),
        (-2048, "-2.0M"),
        (0, "0.0K"),
    ],
)
def test_binary(kib: float, text: str) -> None:
    """One decimal, in the largest binary unit."""
    assert binary(kib) == text


@pytest.mark.parametrize(
    ("text", "kib"),
    [
        ("1M", 1024),
        ("1T", 1024**3),
        ("1m", 1024),
        ("1P", 1024**4),
        ("1024", 1),
    ],
)
def test_parse_binary(text: str, kib: float) -> None:
    """The unit may be in either case. Without a unit, the number is in bytes."""
    assert parse_binary(text) == kib


def test_an_invalid_size() -> None:
    """The message quotes only the beginning, since a program may print anything."""
    with pytest.raises(ValueError, match=f"^invalid size '{'9' * 40}'$"):
        parse_binary("9" * 400)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_500, "B", "1.5kB"),
        (1_500, "KiB", "1.5M"),
        (1_234.4, "s", "1,234 s"),
        (0.00001234, "s", "0.0000123 s"),
        (0.12345, "s", "0.123 s"),
        (1_500, "count", "1,500"),
        # A count that is computed need not be whole.
        (-0.5, "count", "-0.5"),
        (1_234.5, "count", "1,234.5"),
        (999.6, "count", "999.6"),
        (0.1 * 3 * 10, "count", "3"),  # 3.0000000000000004
        (2**63 - 1, "count", "9,223,372,036,854,775,807"),
        ("1500", "text", "1500"),
        (0.12345, "", "0.123"),
        (999.4, "", "999"),
        (999.5, "", "1,000"),
        (-999.5, "", "-1,000"),
        (1_234_567.8, "", "1,234,568"),
        (0.00001, "", "0.00001"),
    ],
)
def test_written(value: float | str, unit: str, text: str) -> None:
    """Each unit has its notation. A plain number has no exponent."""
    assert format_value(value, unit) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1200, "1,200 files")])
def test_counted(number: int, text: str) -> None:
    """One of a thing has no plural."""
    assert counted(number, "file") == text


@pytest.mark.parametrize(("text", "number"), [("0B", 0), ("81.5MB", 81_500_000), ("697kB", 697_000), ("1.2GB", 1.2e9)])
def test_a_displayed_size(text: str, number: int) -> None:
    """In bytes, and back."""
    assert parse_size(text) == number
    assert size(number) == text


@pytest.mark.parametrize(
    "text", ["", "B", "1", "1KB", "-1B", "1e3B", "1MB ", "1,000MB", "\N{ARABIC-INDIC DIGIT ONE}MB"]
)
def test_no_displayed_size(text: str) -> None:
    """Docker writes none of these."""
    with pytest.raises(ValueError, match="invalid size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("one", "other", "about"),
    [
        ("16.4MB", "16.5MB", True),
        ("999kB", "1MB", True),
        ("16.4MB", "17MB", False),
        ("x", "x", True),
        ("x", "y", False),
    ],
)
def test_about(one: str, other: str, *, about: bool) -> None:
    """Within three percent: two builds of Docker 29.7.2, with Go 1.26 and 1.27, differed by up to 2.9 on a layer."""
    assert is_about(one, other) is about
