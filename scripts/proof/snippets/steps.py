"""Reads and validates the steps of a snippet.toml."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from proof.core.errors import UsageError
from proof.core.text import did_you_mean
from proof.core.toml_table import Table
from proof.core.units import UNITS
from proof.snippets import commands, keys
from proof.snippets.commands import Command
from proof.snippets.engine_version import Condition
from proof.snippets.model import FactRule, Outcome, Step

DEADLINE = 300.0  # seconds for a step without `timeout`; a cold `go build` takes about 10 s on two cores
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")  # of a snippet, a step or a fact, as in the expression single.size
NAME_HINT = "use lowercase letters, digits and _, and begin with a letter"
_TABLES = frozenset({"ls", "history", "inspect", "version", "ps", "rmi"})  # verbs with which the engine alone prints
_OF_ENGINE = 125  # from this exit code on, `docker run` may say why the program did not start
_REPEATABLE = frozenset({"inside", "exec", "logs", "ps"})  # verbs that `until` can repeat
MOST_PATTERNS = 40  # of a step; real ones have up to 10


def read_steps(snippet: str, tables: Iterable[Table]) -> tuple[Step, ...]:
    """The steps of a snippet. Raises the first error, with those of all other steps in `also`."""
    steps, wrong = [], []
    for table in tables:
        try:
            steps.append(_step(snippet, table))
        except UsageError as error:
            wrong.append(error)
    if wrong:
        wrong[0].also = tuple(wrong[1:])
        raise wrong[0]
    return tuple(steps)


def _step(snippet: str, table: Table) -> Step:
    table.allow(*keys.STEP)
    name = table.text("name", required=True)
    if not NAME.fullmatch(name):
        raise table.error("name", f"invalid step name '{name}'", f"{NAME_HINT}, as in image_ls")
    text = table.text("command", required=True)
    inside = table.text("inside") or None
    outcomes = _outcomes(table)
    code, expect = (outcomes[0].exit, outcomes[0].expect) if outcomes else _outcome((table, "exit"), (table, "expect"))
    fails = bool(code) or any(outcome.exit for outcome in outcomes)
    for key in ("remedy", "unlisted"):
        if table.text(key) and not fails:
            raise table.error(key, f"`{key}` needs a nonzero `exit`", "add the `exit` code and `expect`")
    command = commands.parse(text, where=table.where("command"), inside=inside is not None)
    _check_run(table, command)
    facts, show, ignore = table.subtables("facts"), table.texts("show"), table.texts("ignore")
    if (patterns := len(facts) + len(show) + len(ignore)) > MOST_PATTERNS:
        raise table.error("", f"too many regular expressions in this step: {patterns}", f"use at most {MOST_PATTERNS}")
    return Step(
        snippet=snippet,
        name=name,
        text=text,
        command=command,
        inside=inside,
        published=bool(table.text("network")),
        until=table.text("until"),
        exit=code,
        expect=expect,
        outcomes=outcomes,
        facts=tuple(_fact_rule(fact) for fact in facts),
        differs=_differs(table, command, code),
        remedy=table.text("remedy"),
        unlisted=table.text("unlisted"),
        show=tuple(table.pattern("show", p) for p in show),
        ignore=tuple(table.pattern("ignore", p) for p in ignore),
        timeout=table.number("timeout", DEADLINE),
        unshown=table.text("unshown"),
        where=table.where(),
    )


def _check_run(table: Table, command: Command) -> None:
    """Raises ManifestError for a network, a repetition or a time limit that this command can't have."""
    network = table.text("network")
    if network not in ("", "published"):
        raise table.error("network", f"unknown network '{network:.60}'", 'write network = "published"')
    if network and not table.text("inside"):
        raise table.error("network", "`network` needs `inside`", 'add inside = "image:tag"')
    if table.text("until") and command.verb not in _REPEATABLE:
        raise table.error(
            "until",
            "`until` is refused here: running this command again could change what other steps find",
            "use it in a later step, with `inside`, docker exec, docker logs or docker ps",
        )
    timeout = table.number("timeout", DEADLINE)
    if not 0 < timeout <= 3600:
        raise table.error("timeout", f"invalid timeout: {timeout:g} s", "use 1 to 3600 seconds")


def _fact_rule(fact: Table) -> FactRule:
    fact.allow(*keys.FACT)
    unit = fact.text("unit", required=True)
    if unit not in UNITS:
        raise fact.error(
            "unit", f"unknown unit '{unit}'{did_you_mean(unit, list(UNITS))}", f"use one of: {', '.join(UNITS)}"
        )
    pattern = fact.pattern("match", fact.text("match", required=True))
    if pattern.groups != 1:
        raise fact.error(
            "match", "the pattern needs exactly one (group), for the value", r'write match = "^(\\d+) files"'
        )
    check_fact_name(fact, "", fact.name)
    tolerance = fact.number("tolerance", 0.0)
    if not 0 <= tolerance <= 0.5:
        raise fact.error("tolerance", "`tolerance` must be a share from 0 to 0.5", "write tolerance = 0.01 for 1 %")
    engine = _condition(fact, "engine", fact.text("engine")) if "engine" in fact.data else None
    return FactRule(fact.name, pattern, unit, tolerance, fact.text("volatile"), engine, fact.where())


def _outcomes(table: Table) -> tuple[Outcome, ...]:
    """The outcome of a step on each engine, if its `exit` or `expect` is a table; otherwise empty."""
    tables = {key: table.subtable(key) for key in ("exit", "expect") if isinstance(table.data.get(key), dict)}
    found = []
    for key in dict.fromkeys(key for each in tables.values() for key in each.data):
        holder = next(each for each in tables.values() if key in each.data)
        code = (tables["exit"], key) if "exit" in tables else (table, "exit")
        expect = (tables["expect"], key) if "expect" in tables else (table, "expect")
        found.append(Outcome(_condition(holder, key, key), *_outcome(code, expect, conditional=True)))
    if tables and not found:
        raise table.error(next(iter(tables)), "this table is empty", 'write { "docker <28" = 1, "docker >=28" = 255 }')
    return tuple(found)


def _outcome(code: tuple[Table, str], expect: tuple[Table, str], *, conditional: bool = False) -> tuple[int, str]:
    """The exit code and the message of one outcome, each from a table and its key."""
    (codes, code_key), (expects, expect_key) = code, expect
    number, text = codes.integer(code_key, 0), expects.text(expect_key)
    if not 0 <= number <= 255:
        raise codes.error(code_key, f"invalid exit code {number}", "use a number from 0 to 255")
    if number != 0 and not text:
        raise codes.error(code_key, "an expected failure needs `expect`", 'add expect = "part of the message"')
    if number == 0 and text and not conditional:  # on another engine, it may well fail
        raise expects.error(expect_key, "`expect` needs a nonzero `exit`", "add the `exit` code")
    return number, text if number else ""


def _differs(table: Table, command: Command, code: int) -> dict[Condition, str]:
    """The engines and the reasons in `differs = { podman = "why" }`.

    A program prints the same on every Docker. Else a capture that names another one could say what it likes.
    """
    if "differs" not in table.data:
        return {}
    reasons = table.subtable("differs")
    if not reasons.data:
        raise table.error("differs", "this table is empty", 'write { podman = "it keeps a cache mount" }')
    differs = {_condition(reasons, key, key): reasons.text(key, required=True) for key in reasons.data}
    for condition in differs:
        if condition.kind == "docker" and command.verb not in _TABLES and code < _OF_ENGINE:
            what, hint = "what a program prints does not depend on the version of Docker", "use `exit`, or `ignore`"
            raise reasons.error(condition.text, what, hint)
    return differs


def _condition(table: Table, key: str, text: str) -> Condition:
    try:
        return Condition.parse(text)
    except ValueError as error:
        hint = 'use docker, podman, "docker <29", "docker >=29.6", "docker containerd" or "docker >=29 containerd"'
        raise table.error(key, str(error), hint) from error


def check_fact_name(table: Table, key: str, name: str) -> None:
    """Raises ManifestError at `key` if expressions could not use the name."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise table.error(key, f"invalid fact name '{name}'", NAME_HINT)
