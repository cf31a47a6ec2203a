"""Regular expressions from a manifest: a subset that `re` and `regex` read alike, with limits on time and memory."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.core import patterns
from proof.core.errors import ManifestError, Where
from proof.core.patterns import Pattern
from proof.snippets import project
from tests.support.helpers import tiny

WHERE = Where(Path("snippet.toml"), 3)


@pytest.fixture(autouse=True)
def _budgets_are_full() -> None:
    patterns._budget.cache_clear()


def test_matches_line_by_line() -> None:
    """`^` and `$` match at each line, and look-around works as in `re`."""
    assert Pattern.compile(r"^b(?=c)", WHERE).search("a\nbc") is not None
    assert Pattern.compile(r"(?<=\d)s$", WHERE).search("1s\n2m") is not None
    assert Pattern.compile("x", WHERE).search("y") is None


def test_replaces_literally() -> None:
    """The replacement is not a template."""
    assert Pattern.compile(r"\d+", WHERE).sub(r"<\1>", "a1b22") == r"a<\1>b<\1>"


def test_a_digit_is_ascii() -> None:
    """Other digits and letters of Unicode do not count."""
    assert Pattern.compile(r"^(\d+)$", WHERE).search("٣") is None
    assert Pattern.compile(r"^\w+$", WHERE).search("ä") is None
    assert Pattern.compile(r"^\S+$", WHERE).search("ä") is not None


@pytest.mark.parametrize("text", ["^(a|aa)+$", "(a+)+b|(a+)+c", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_catastrophic_backtracking_is_stopped(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that would take years ends with an error, with the manifest's line and a hint."""
    monkeypatch.setattr(patterns, "_TIMEOUT", 0.1)
    endless = Pattern.compile(text, WHERE)
    for act in (endless.search, lambda given: endless.sub("", given)):
        with pytest.raises(ManifestError, match=r"^snippet\.toml:3: this regular .* timed out") as error:
            act("a" * 4000 + "!")
        assert error.value.evidence == text
        assert error.value.hint


def test_the_patterns_of_a_file_have_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The searches of one file share a time limit, besides the limit for each search."""
    monkeypatch.setattr(patterns, "_TIMEOUT", 0.05)
    monkeypatch.setattr(patterns, "_BUDGET", 0.2)
    monkeypatch.setattr(patterns, "_REFILL", 0)
    slow = [Pattern.compile(f"^(a|aa)+{end}$", WHERE) for end in "bcdefghijk"]
    other = Pattern.compile("^a", Where(Path("other.toml"), 1))
    said = []
    for each in slow:
        with pytest.raises(ManifestError) as error:
            each.search("a" * 4000 + "bcdefghijk!")
        said.append(error.value.what)
    assert "timed out" in said[0]
    assert said[-1] == "this regular expression has no time left: the searches of this file took 0.2 s in total"
    assert other.search("a"), "each file has its own budget"


def test_a_budget_refills(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview that runs for days does not run out of time."""
    monkeypatch.setattr(patterns, "_REFILL", 1e9)
    budget = patterns._budget(WHERE.path)
    budget.spend(100)
    assert budget.left() == patterns._BUDGET


def test_a_large_text_is_not_searched() -> None:
    """The memory for a search grows with the text, so its length is limited."""
    Pattern.compile("(.)*", WHERE).search("a" * 200_000)
    with pytest.raises(ManifestError, match=r"searches 200,001 characters, more than 200,000\n.*\n    hint: "):
        Pattern.compile("(.)*", WHERE).search("a" * 200_001)


@pytest.mark.parametrize(
    "text",
    [
        # Syntax that only `regex` has, or that the two read differently, or only in some versions.
        *("(?R)", "a(?1)?", "(?<n>a)(?&n)", "(?|a|b)", "(?:a){e<=3}", "(?P<n>a)(?P=n)", r"(a)\1", r"\Kx", r"\Gx"),
        *(r"\L<x>", r"\p{L}", r"\X", r"\R", r"\h", r"\m", r"\N{DASH}", "(?V1)a", "(?if)a", "(?x) a", "(?i:a)", "a(?i)"),
        *("[a--b]", "[a&&b]", "[a||b]", "[a~~b]", "[[a]b]", "[[:alpha:]]", "[]a]", "a++", "a*+", "a?+", "(?>a)"),
        *("(?(1)a|b)", "(?#a)", "{e}", "a{,3}", "a{3", "a}", "a]", "a**", "a{2}{3}", "^*", r"\b+", "*"),
        *("(?<=a+)b", "[b-a]", r"\é", r"\8", r"\a", r"\B", "(", ")", "a)", "(?", "[", "[^", "\\"),
        # Too expensive.
        *("a{10001}", "a{0,10001}", "a{10001,}", "(?:a{100}){101}", "a{99999999999999999999}", "((((a))))", "()" * 31),
    ],
)
def test_outside_of_the_subset(text: str) -> None:
    """Everything else is refused, with a reason."""
    with pytest.raises(ValueError, match=r".") as error:
        Pattern.compile(text, WHERE)
    assert str(error.value)


ATOMS = [
    *("a", "b", "1", " ", "\n", "#", "ä", ".", r"\.", r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", r"\n", r"\t", r"\x61"),
    *("[ab]", "[^a]", r"[^:\n]", r"[\d.]", "[ -~]", "[a-]", r"[\]\\]", "-", "/", '"', r"\[", r"\ä", r"\u00e4", r"\ "),
]
REPEATS = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}", "{1,2}?"]
PATTERNS = st.recursive(
    st.builds(str.__add__, st.sampled_from(ATOMS), st.sampled_from(REPEATS))
    | st.sampled_from(["^", "$", r"\b", r"\A"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.builds("({}){}".format, inner, st.sampled_from(REPEATS))
        | st.builds("(?:{}|{}){}".format, inner, inner, st.sampled_from(REPEATS))
        | st.builds("(?{}{})".format, st.sampled_from(["=", "!", "<=", "<!"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(["", "(?s)", "(?m)", "(?i)"]), PATTERNS, st.text("ab1 \n#ä.:-]\\\u0660\u2028", max_size=12))
def test_re_and_regex_read_it_alike(flags: str, body: str, text: str) -> None:
    """An accepted pattern finds and replaces the same in both."""
    try:
        ours = Pattern.compile(flags + body, WHERE)
    except ValueError:
        return
    theirs = re.compile(flags + body, re.MULTILINE | re.ASCII)
    mine, its = ours.search(text), theirs.search(text)
    assert (mine and (mine.span(), mine.groups())) == (its and (its.span(), its.groups()))
    assert ours.groups == theirs.groups
    assert ours.sub("<>", text) == theirs.sub("<>", text)


def test_a_step_has_a_limited_number_of_patterns(tmp_path: Path) -> None:
    """All patterns of a step count, whatever they are for."""
    root = tiny(tmp_path)
    path = root / "snippets" / "count" / "snippet.toml"
    step = '[[step]]\nname = "v"\ncommand = "docker version"\nunshown = "a test"\n'
    most = f'title = "t"\n{step}show = {["a"] * 20}\nignore = {["b"] * 20}\n'
    path.write_text(most)
    assert project.load_all(root, ["count"])
    path.write_text(most + 'facts.x = { match = "(x)", unit = "B" }\n')
    with pytest.raises(ManifestError, match="too many regular expressions in this step: 41"):
        project.load_all(root, ["count"])
