"""Expressions: arithmetic over facts, and no access to anything else."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.core.errors import PageError
from proof.facts.expression import FUNCTIONS, depends, evaluate, names
from proof.facts.values import Value

FACTS = {
    "single.size": Value(269_642_189, "B"),
    "single.layers": Value(8, "count"),
    "single.base_layers": Value(5, "count"),
    "single.du_src": Value(166_092.8, "KiB"),
    "single.command": Value('["app"]', "text"),
    "single.build": Value(7.25, "s"),
    "multi.size": Value(10_653_826, "B"),
    "multi.layers": Value(2, "count"),
    "multi.nothing": Value(0, "B"),
}


class TestShown:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("single.size", "270MB"),
            ("single.du_src", "162.2M"),
            ("single.command", '["app"]'),
            ("single.size - multi.size", "259MB"),
            ("single.size / 2", "135MB"),
            ("single.size * 2", "539MB"),
            ("single.build * single.layers", "58 s"),
            ("single.layers * multi.layers * 1000", "16,000"),
            ("0 + single.size", "270MB"),
            ("single.size - 0.0", "270MB"),
            ("single.size / single.size", "1"),
            ("single.layers * 1000 + 1", "8,001"),
            ("-multi.size", "-10.7MB"),
            ("(single.size - multi.size) / single.size", "0.96"),
            ("bytes(single.size)", "269,642,189\N{NO-BREAK SPACE}bytes"),
            ("words(single.layers + 5)", "13"),
            ("words(0.1 * 3 * 10)", "three"),  # 3.0000000000000004
            ("0.5 * single.base_layers", "2.5"),
            ("single.base_layers * 200.1", "1,000.5"),
            ("percent(0.123456789, 6)", "12.345679%"),
            ("percent(1.5)", "150%"),
            ("capital(times(2))", "Twice"),
            ("MB(single.layers)", "8MB"),
            ("min(single.size, 0)", "0B"),
            ("max(single.layers, 2, 9)", "9"),
            ("abs(multi.size - single.size)", "259MB"),
            ("1 / 3", "0.333"),
        ],
    )
    def test_shown(self, text: str, shown: str) -> None:
        """An expression has a value with a unit, and is formatted for that unit."""
        assert str(evaluate(text, FACTS)) == shown


@pytest.mark.parametrize(
    ("text", "value", "unit", "exact"),
    [
        ("percent(1 / 3, 1)", "33.3%", "text", 1 / 3),
        ("times(8 / 3)", "2.7 times", "text", 8 / 3),
        ("bytes(single.size)", "269,642,189\N{NO-BREAK SPACE}bytes", "text", 269_642_189),
        ("words(single.layers)", "eight", "text", 8),
        ("fraction(2 / 5)", "two fifths", "text", 0.4),
        ("compare(multi.size, single.size)", "smaller than", "text", 10_653_826 - 269_642_189),
        ("compare(single.build, 0)", "longer than", "text", 7.25),
        ("rank(multi.layers, single.layers, single.base_layers)", "smallest", "text", 2),
        ("capital(words(2))", "Two", "text", 2),
        ("MB(7.64)", 7_640_000, "B", None),
        ("single.size / 2", 134_821_094.5, "B", None),
        ("single.size / multi.size", 269_642_189 / 10_653_826, "", None),
        ("single.layers / multi.layers", 4, "", None),
        ("single.layers * 2", 16, "count", None),
        ("1 - single.layers", -7, "count", None),
        ("abs(1 - single.layers)", 7, "count", None),
        ("max(single.size, multi.size)", 269_642_189, "B", None),
        # The unit is that of any of them, wherever it stands.
        ("max(0, single.size)", 269_642_189, "B", None),
        ("min(0, 0, single.build)", 0, "s", None),
        ("max(1, single.layers)", 8, "count", None),
    ],
)
def test_value(text: str, value: float | str, unit: str, exact: float | None) -> None:
    """What an expression comes to; a formatted text keeps the number that it is made of."""
    found = evaluate(text, FACTS)
    assert (found.value, found.unit, found.exact) == (value, unit, exact)


class TestTruth:
    @pytest.mark.parametrize(
        ("text", "holds"),
        [
            ("multi.layers == 2", True),
            ("multi.layers != 2", False),
            ("multi.size < single.size", True),
            ("MB(10) < multi.size <= MB(10.7)", True),
            ("MB(10) < multi.size <= MB(10.6)", False),
            ("not multi.layers == 3", True),
            ("'/tmp' in '/app /tmp'", True),
            ("'/tm' in '/app /tmp'", False),
            ("min(multi.size, single.size) == multi.size", True),
            # Of a chain each comparison has to hold, and each is with the value before it.
            ("3 == multi.layers <= 5", False),
            ("2 == multi.layers <= 5", True),
            ("1 < 2 > 3 < 4", False),
            ("not not multi.layers == 2", True),
            ("1 < 2 and 2 < 3 and 4 < 3", False),
            ("1 > 2 or 2 > 3 or 3 < 4", True),
            # Nothing is nothing in every unit.
            ("single.size > 0", True),
            ("0 < single.build", True),
            ("0 == multi.nothing", True),
        ],
    )
    def test_truth(self, text: str, holds: object) -> None:
        """A comparison has the unit "truth", so it is not a number."""
        found = evaluate(text, FACTS)
        assert (found.value, found.unit) == (int(bool(holds)), "truth")


MISTAKES = [
    # text, what the message says
    ("", "is not a valid expression"),
    ("single.size +", "is not a valid expression"),
    ("single.size\0", "is not a valid expression"),
    ("single.sise", "unknown fact 'single.sise' - did you mean 'single.size'?"),
    ("singel.size", "unknown fact 'singel.size' - did you mean 'single.size'?"),
    ("size", "unknown fact 'size'"),
    ("single.size.real", "unknown fact 'single.size.real'"),
    ("single.size + single.layers", "have different units (B, count)"),
    ("single.size + 5", "270MB and 5 have different units (B, none)"),
    ("single.size < 10000", "have different units (B, none)"),
    ("compare(single.size, 5)", "have different units (B, none)"),
    ("rank(single.size, multi.size, single.build)", "have different units (B, s)"),
    ("fraction(single.size)", "fraction() takes a ratio, not 270MB"),
    ("single.size == '270MB'", "have different units (B, text)"),
    ("max(single.size, single.build)", "have different units (B, s)"),
    ("2 / single.size", "2 and 270MB have different units (none, B)"),
    # Nothing is nothing in every unit only where it has none itself.
    ("multi.nothing < single.build", "0B and 7.25 s have different units (B, s)"),
    ("single.layers - single.layers < single.size", "have different units (count, B)"),
    ("single.size / single.build", "have different units (B, s)"),
    ("min(single.size, 1)", "have different units (B, none)"),
    ("min(0, 5, single.size)", "have different units (none, B)"),
    ("single.size * multi.size", "cannot multiply B by B"),
    ("(single.layers < 9) + 1", "is not a number"),
    ("single.command + 'x'", """'["app"]' is not a number"""),
    ("-single.command", "is not a number"),
    ("percent('4%')", "percent() takes a ratio, not 4%"),
    ("times(single.layers)", "times() takes a ratio, not 8"),
    ("bytes(single.layers)", "bytes() takes a size, not 8"),
    ("words('two')", "'two' is not a number"),
    ("words(26 / 10)", "words() takes a whole number, not 2.6"),
    ("words(multi.size)", "words() takes a whole number, not 10.7MB"),
    ("percent(1, 2.5)", "a percentage has 0 to 6 decimals, not 2.5"),
    ("single.size / multi.nothing", "divides by zero"),
    ("percent()", "`percent()`: "),
    ("percent(1, 2, 3)", "`percent(1, 2, 3)`: "),
    ("percnt(1)", "unknown function 'percnt' - did you mean 'percent'?"),
    ("percent(1, -1)", "a percentage has 0 to 6 decimals, not -1"),
    ("percent(1, 1000000000)", "a percentage has 0 to 6 decimals, not 1000000000"),
    ("min(1, key=2)", "is not supported"),
    ("min(*single.size)", "is not supported"),
    ("single.size is 5", "unsupported comparison"),
    ("1 not in 2", "unsupported comparison"),
    ("'a' in 12", "`in` looks for a word in a text, not for a in 12"),
    ("not 0", "0 is neither true nor false"),
    ("single.size and multi.size > 0", "270MB is neither true nor false"),
    ("multi.size > 0 or single.command", """["app"] is neither true nor false"""),
    # Texts have no order, and zero is no text.
    ("single.command < 0", '["app"] and 0 have different units (text, none)'),
    ("(single.size < 0) < 0", "have different units (truth, none)"),
    ("single.command < 'x'", """'["app"]' is not a number"""),
    ("percent(9 / 100) < percent(10 / 100)", "'9%' is not a number"),
    ("True", "True and False are not supported"),
    ("None", "`None` is not supported"),
    ("1j", "`1j` is not supported"),
    ("+1", "`+1` is not supported"),
    ("7 % 2", "`7 % 2` is not supported"),
    ("1e999", "is too large a number"),
    ("1e200 * 1e200", "is too large a number"),
    ("*".join(["9" * 300] * 3), "is too large a number"),
    ("percent(1e200 * 1e200 / (1e200 * 1e200))", "is too large a number"),
    ("not 1e200 * 1e200", "is too large a number"),
    ("+".join(["1"] * 501), "is too long for an expression"),
    ("'" + "a" * 1_000_000 + "'", "is too long for an expression"),
]
HOSTILE = [
    "__import__('os').system('id')",
    "globals()",
    "lambda: 1",
    "[x for x in (1, 2)]",
    "{1: 2}",
    "(1, 2)",
    "(x for x in 'a')",
    "1 if 2 else 3",
    "(x := 5)",
    "f'{single.size}'",
    "single.size[0]",
    "'abc'.upper()",
    "().__class__.__bases__[0].__subclasses__()",
    "single.size.__class__.__mro__",
    "(single.size).real",
    "single.size()",
    "percent(1).__class__",
    "percent(1)(2)",
    "await single.size",
    "9 ** 9 ** 9",
    "1 << 1000000",
    "'a' * 1000000000",
    "1; import os",
    "1\n2",
    "$(id)",
]
DEEP = {
    "a few parentheses": "(" * 150 + "1 +" + ")" * 150,
    "minus": "-" * 100_000 + "1",
    "not": "not " * 50_000 + "1",
    "attributes": "a" + ".b" * 100_000,
    "calls": "abs(" * 5000 + "1" + ")" * 5000,
}


@pytest.mark.parametrize(("text", "what"), MISTAKES, ids=[text[:50] for text, _ in MISTAKES])
def test_mistake(text: str, what: str) -> None:
    """What cannot be computed is an error that quotes the part at fault."""
    with pytest.raises(PageError, match=re.escape(what)):
        evaluate(text, FACTS)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile(text: str) -> None:
    """Nothing but facts is within reach, whatever Python would make of the text."""
    with pytest.raises(PageError):
        evaluate(text, FACTS)


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep(text: str) -> None:
    """Very deep nesting is an error, not a crash."""
    with pytest.raises(PageError):
        evaluate(text, FACTS)
    names(text)


def test_long() -> None:
    """A long sum is either computed or refused."""
    assert evaluate("+".join(["1"] * 90), FACTS).value == 90
    with pytest.raises(PageError, match="is nested too deeply"):
        evaluate("+".join(["1"] * 110), FACTS)
    assert evaluate("1".ljust(1_000), FACTS).value == 1
    with pytest.raises(PageError, match="is too long for an expression"):
        evaluate("1".ljust(1_001), FACTS)
    with pytest.raises(PageError):
        evaluate("+".join(["1"] * 100_000), FACTS)


def test_unknown_name_lists_the_others() -> None:
    """The hint for an unknown name lists the facts of the same snippet."""
    with pytest.raises(PageError) as error:
        evaluate("multi.qqq", FACTS)
    assert error.value.hint == "use one of: multi.layers, multi.nothing, multi.size"
    with pytest.raises(PageError) as error:
        evaluate("mult.size", FACTS)
    assert error.value.hint == "proof facts lists all facts"


def test_functions_are_listed() -> None:
    """The hint for an unknown function lists all functions."""
    with pytest.raises(PageError, match=f"hint: use one of: {', '.join(FUNCTIONS)}"):
        evaluate("round(1.5)", FACTS)


class TestNames:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("single.size", ["single.size"]),
            ("percent(multi.size / single.size) ", ["multi.size", "single.size"]),
            ("a.b < a.c and a.b > 0", ["a.b", "a.c"]),
            ("1".ljust(1_001), []),
            ("(" * 300 + "a.b" + ")" * 300, []),
            ("1 + 2", []),
            ("", []),
            ("a.b +", []),
            ("'x'.y", []),
            ("f().y", []),
        ],
    )
    def test_names(self, text: str, found: list[str]) -> None:
        """The names of facts are found without their values, each once; an invalid expression has none."""
        assert names(text) == found


PIECES = [*FACTS, *FUNCTIONS, *"()+-*/<>=,.'", "==", " and ", " not ", " ", "0", "2.5"]


@given(text=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join))
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_text(text: str) -> None:
    """Any text is a value that can be formatted, or a PageError."""
    with contextlib.suppress(PageError):
        assert isinstance(str(evaluate(text, FACTS)), str)
    assert isinstance(names(text), list)


class TestDepends:
    """Whether a value follows from its facts, or from the numbers that are typed next to them."""

    @pytest.mark.parametrize(
        "text",
        [
            "single.size",
            "single.size - MB(8)",
            "percent(1 - single.layers / 200)",
            "capital(words(single.layers))",
            "bytes(single.size)",
            "compare(single.layers, single.base_layers)",
            "rank(single.layers, single.base_layers)",
            "max(single.layers, single.layers + 0)",
            "single.layers - single.base_layers - 3",
            "min(single.size, MB(900))",
            "single.layers == 8",
        ],
    )
    def test_it_does(self, text: str) -> None:
        """What changes with its facts, at least by half as large a share."""
        assert depends(text, FACTS)

    @pytest.mark.parametrize(
        "text",
        [
            "MB(900)",
            "single.size * 0 + MB(5)",
            "single.size - single.size",
            "single.size / single.size",
            "single.size * 0.0001 + MB(900)",
            "single.size * 0.0001 + single.layers * 0.0001 * MB(1) + MB(900)",
            "min(single.size, MB(3))",
            "max(single.size, MB(900))",
            "words(single.layers * 0 + 7)",
            "words(single.layers * 1.1e-9 + 7)",
            "percent(single.layers * 0 / single.layers + 0.4)",
            "percent(1 - single.layers / single.layers * 0.0001)",
            "fraction(single.layers * 0 / single.layers + 0.4)",
            "rank(single.layers, 3, 900)",
            "compare(single.layers, 3)",
            "single.layers * 0 + 7 == 7",
        ],
    )
    def test_it_does_not(self, text: str) -> None:
        """Each of these shows a typed number."""
        assert not depends(text, FACTS)
