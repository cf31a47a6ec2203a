"""Evaluates expressions over facts: arithmetic, comparisons and a few functions over names like `single.size`.

The text is parsed as a Python expression, but never run as Python: its nodes are evaluated here one by one, and any
other kind of node is an error.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from proof.core.errors import PageError
from proof.core.text import did_you_mean
from proof.core.units import is_whole
from proof.core.validate import is_number
from proof.facts import phrases
from proof.facts.values import Value

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda word, text: str(word) in str(text).split(),  # one word of a text: "/tmp" in a.folders
}
_PLAIN = ("", "count")  # units that can be mixed
_WRITTEN = ("percent", "times", "fraction", "bytes", "words", "capital")  # functions that write a number as text
_STEP = 0.01  # relative: by how much facts are changed to see what depends on them
_LEAST_SENSITIVITY = 0.5
_LEAST_REST = 0.005
# What people write by mistake.
_MARK_WITHOUT_COLON = re.compile(r"(claim|waiver|page waiver)\s+(\S.*)", re.DOTALL)
_TYPED_SIZE = re.compile(r"(?<![\w.])(\d{1,15}(?:\.\d{1,15})?)\s*(B|bytes|[kKMG]B)\b", re.ASCII)
_MEGABYTES = {"B": 1e-6, "bytes": 1e-6, "kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}
_SINGLE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
_DEEPEST = 100  # nodes in one another: whatever reads the tree recurses
_LONGEST = 1000  # characters: ten times the longest sensible expression, as Python's parser recurses


def evaluate(text: str, facts: Mapping[str, Value]) -> Value:
    """The value of an expression.

    Raises PageError, with the part at fault, for a syntax error, an unknown name, mismatched units and so on.
    """
    try:
        return _value(_parsed(text).body, facts)
    except ZeroDivisionError as error:
        raise PageError(f"`{text}` divides by zero") from error
    except OverflowError as error:
        raise PageError(f"`{text}` is too large a number") from error


def _slip(text: str) -> tuple[str, str]:
    """What is wrong with an expression that cannot be parsed, and what to write."""
    if found := _MARK_WITHOUT_COLON.fullmatch(text):
        return f"`{found[1]}` needs a colon", f"write {{{{ {found[1]}: {found[2]} }}}}"
    if found := _TYPED_SIZE.search(text):
        megabytes = float(found[1]) * _MEGABYTES[found[2]]
        return f"`{found[0]}` is no number: a size is written with MB()", f"write MB({megabytes:.12g})"
    if _SINGLE_EQUALS.search(text):
        return f"`=` in `{text}` compares nothing", f"write {_SINGLE_EQUALS.sub('==', text)}"
    return f"`{text}` is not a valid expression", "write something like single.size or percent(a.size / b.size)"


def names(text: str) -> list[str]:
    """The names of the facts in an expression, each once. Empty if it cannot be parsed."""
    try:
        return list(dict.fromkeys(_dotted(node) for node in _nodes(text) if isinstance(node, ast.Attribute)))
    except PageError:
        return []


def idle(text: str, facts: Mapping[str, Value]) -> str:
    """The first comparison in a predicate that compares no fact, or something with itself. Empty if there is none."""
    for node in _nodes(text):
        if isinstance(node, ast.Compare):
            for left, right in itertools.pairwise([node.left, *node.comparators]):
                if ast.unparse(left) == ast.unparse(right) or not any(_depends(n, facts) for n in (left, right)):
                    return ast.unparse(node)
    return ""


def depends(text: str, facts: Mapping[str, Value]) -> bool:
    """Whether the value of an expression follows from its facts, instead of from the numbers that are typed in it."""
    return _depends(_parsed(text).body, facts)


def _depends(node: ast.expr, facts: Mapping[str, Value]) -> bool:
    """Whether the number behind it changes by half the share by which its facts change, or more."""
    named = {name: facts[name] for name in names(ast.unparse(node))}
    match node:
        case ast.Call(func=ast.Name(id="compare" | "rank"), args=args):
            return all(_depends(arg, facts) for arg in args)
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _WRITTEN:
            return _depends(first, facts)
    value = _value(node, facts)
    if not named or isinstance(value.value, str):
        return bool(named)  # no function makes a text of a text
    if value.unit == "truth":
        compared = [[n.left, *n.comparators] for n in ast.walk(node) if isinstance(n, ast.Compare)]
        return all(any(_depends(side, facts) for side in sides) for sides in compared)
    near = abs(value.value)
    if not value.unit:  # what is left of a small ratio, as in 1 - a.size / b.size, may change little
        near = min(near, max(abs(1 - value.value), _LEAST_REST))
    return sum(_sensitivity(node, name, named, value.value, near) for name in named) >= _LEAST_SENSITIVITY


def _sensitivity(node: ast.expr, name: str, facts: Mapping[str, Value], value: float, near: float) -> float:
    """By what share of `near` a value changes if a fact does, for each share that the fact changes by."""
    fact = facts[name]
    if isinstance(fact.value, str):
        return 0
    size = abs(fact.value)
    step = max(size * _STEP, 1.0 if fact.unit == "count" or not size else 0.0)
    change = 0.0
    for other in (fact.value + step, fact.value - step):  # the largest of two equal facts changes only upwards
        with contextlib.suppress(PageError, ZeroDivisionError, OverflowError):
            change = max(change, abs(_number(_value(node, {**facts, name: Value(other, fact.unit)})) - value))
    share = step / size if size else 1.0
    return change / near / share if near else change and math.inf


def constants(text: str) -> list[float]:
    """The numbers that are written in an expression. Empty if it cannot be parsed."""
    values = [node.value for node in _nodes(text) if isinstance(node, ast.Constant)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return [float(value) for value in numbers if is_number(value)]


def replaced(text: str, number: float, other: float) -> str:
    """The expression with another number in place of `number`."""

    class Replace(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            same = isinstance(node.value, int | float) and node.value == number
            return ast.Constant(other) if same else node

    return ast.unparse(Replace().visit(ast.parse(text.strip(), mode="eval")))


def _nodes(text: str) -> list[ast.AST]:
    """All parts of an expression. Empty if it cannot be parsed."""
    try:
        return list(ast.walk(_parsed(text)))
    except PageError:
        return []


@functools.lru_cache(maxsize=64)  # a page evaluates an expression, then asks for its names
def _parsed(text: str) -> ast.Expression:
    if len(text) > _LONGEST:
        raise PageError(f"`{text:.40}…` is too long for an expression", hint=f"use at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what, hint = _slip(text)
        raise PageError(what, hint=hint) from error
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise PageError(f"`{text:.40}…` is nested too deeply", hint=f"use at most {_DEEPEST} operations in one another")
    return tree


def _value(node: ast.expr, facts: Mapping[str, Value]) -> Value:
    """The value of a node. Raises OverflowError if it is too large to compute with, or not a number (NaN)."""
    value = _computed(node, facts)
    if not all(is_number(number) for number in (value.value, value.exact) if isinstance(number, int | float)):
        raise OverflowError  # also for NaN, which no comparison holds for
    return value


def _computed(node: ast.expr, facts: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool()):
            raise PageError("True and False are not supported")
        case ast.Constant(value=int() | float() as number):
            return Value(number, "")
        case ast.Constant(value=str() as text):
            return Value(text, "text")
        case ast.Attribute() | ast.Name():
            return _fact(_dotted(node), facts)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _value(operand, facts)
            return Value(-_number(inner), inner.unit)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _whether(not _truth(_value(operand, facts)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            operation, unit_of = _ARITHMETIC[type(op)]
            one, other = _value(left, facts), _value(right, facts)
            return Value(operation(_number(one), _number(other)), unit_of(one, other))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            values = [_value(part, facts) for part in (left, *comparators)]
            return _whether(all([*map(_holds, ops, values, values[1:])]))  # a list, as each is checked
        case ast.BoolOp(op=op, values=parts):
            truths = [_truth(_value(part, facts)) for part in parts]
            return _whether(all(truths) if isinstance(op, ast.And) else any(truths))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            try:
                return FUNCTIONS[name](*(_value(arg, facts) for arg in args))
            except TypeError as error:
                raise PageError(f"`{ast.unparse(node)}`: {error}") from error
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            what = f"unknown function '{name}'{did_you_mean(name, list(FUNCTIONS))}"
            raise PageError(what, hint=f"use one of: {', '.join(FUNCTIONS)}")
        case _:
            what = f"`{ast.unparse(node)}` is not supported"
            raise PageError(what, hint="use facts, numbers, + - * / and comparisons")


def _fact(name: str, facts: Mapping[str, Value]) -> Value:
    try:
        return facts[name]
    except KeyError as error:
        snippet = name.partition(".")[0]
        near = sorted(f for f in facts if f.startswith(f"{snippet}."))
        near_miss = did_you_mean(name, list(facts))
        hint = f"use one of: {', '.join(near)}" if near else "proof facts lists all facts"
        raise PageError(f"unknown fact '{name}'{near_miss}", hint=hint) from error


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value)}.{attr}"
        case _:
            raise PageError(f"`{ast.unparse(node)}` is not the name of a fact", hint="write a name like single.size")


def _number(value: Value) -> float:
    if isinstance(value.value, str) or value.unit == "truth":
        raise PageError(f"'{value}' is not a number")
    return value.value


def _truth(value: Value) -> bool:
    if value.unit != "truth":
        raise PageError(f"{value} is neither true nor false", hint="compare it, as in a.layers == 2")
    return bool(value.value)


def _whether(holds: object) -> Value:
    return Value(int(bool(holds)), "truth")


def _holds(op: ast.cmpop, left: Value, right: Value) -> bool:
    if type(op) not in _COMPARISONS:
        raise PageError("unsupported comparison", hint="use == != < <= > >= or in")
    if isinstance(op, ast.In) and not (isinstance(left.value, str) and isinstance(right.value, str)):
        raise PageError(f"`in` looks for a word in a text, not for {left} in {right}", hint='"/tmp" in a.text')
    _common(left, right)
    if not isinstance(op, ast.In | ast.Eq | ast.NotEq):  # "9%" < "10%" is not so as texts
        _number(left), _number(right)
    return _COMPARISONS[type(op)](left.value, right.value)


def _common(left: Value, right: Value) -> str:
    if left.unit == right.unit or (left.unit in _PLAIN and right.unit in _PLAIN):
        return left.unit or right.unit
    for zero, other in ((left, right), (right, left)):
        if zero.value == 0 and not zero.unit and other.unit not in ("text", "truth"):
            return other.unit  # zero is the same in every unit
    raise PageError(f"{left} and {right} have different units ({left.unit or 'none'}, {right.unit or 'none'})")


def _of_product(left: Value, right: Value) -> str:
    if left.unit and right.unit and "count" not in (left.unit, right.unit):
        raise PageError(f"cannot multiply {left.unit} by {right.unit}")
    return right.unit or left.unit if left.unit in _PLAIN else left.unit


def _of_quotient(left: Value, right: Value) -> str:
    if right.unit in _PLAIN and left.unit not in _PLAIN:
        return left.unit
    _common(left, right)
    return ""


# What computes a number, and what the unit of that is.
_ARITHMETIC: dict[type[ast.operator], tuple[Callable[[Any, Any], Any], Callable[[Value, Value], str]]] = {
    ast.Add: (operator.add, _common),
    ast.Sub: (operator.sub, _common),
    ast.Mult: (operator.mul, _of_product),
    ast.Div: (operator.truediv, _of_quotient),
}


def _ratio(function: str, say: Callable[..., str], value: Value, *digits: Value) -> Value:
    if value.unit:
        raise PageError(f"{function}() takes a ratio, not {value}", hint=f"{function}(a.size / b.size)")
    return Value(say(_number(value), *map(_number, digits)), "text", exact=value.value)


def _percent(share: float, digits: float = 0) -> str:
    if not (0 <= digits <= 6 and is_whole(digits)):
        raise PageError(f"a percentage has 0 to 6 decimals, not {digits}")
    return f"{share * 100:.{round(digits)}f}%"


def _compared(left: Value, right: Value) -> Value:
    unit = _common(left, right)
    return Value(phrases.comparison(_number(left), _number(right), unit), "text", exact=_number(left) - _number(right))


def _rank(value: Value, *others: Value) -> Value:
    for other in others:
        _common(value, other)
    rank = phrases.rank(_number(value), [_number(other) for other in others], value.unit)
    return Value(rank, "text", exact=value.value)


def _bytes(value: Value) -> Value:
    if value.unit != "B":
        raise PageError(f"bytes() takes a size, not {value}", hint="bytes(a.size)")
    return Value(f"{_number(value):,.0f}\N{NO-BREAK SPACE}bytes", "text", exact=value.value)


def _words(value: Value) -> Value:
    number = _number(value)
    if value.unit not in _PLAIN or not is_whole(number):
        raise PageError(f"words() takes a whole number, not {value}", hint="leave out words(): digits show it as it is")
    return Value(phrases.number(round(number)), "text", exact=round(number))


def _capital(value: Value) -> Value:
    text = str(value)
    return Value(text[:1].upper() + text[1:], "text", exact=value.exact)


def _extreme(pick: Callable[..., Any], first: Value, *rest: Value) -> Value:
    values = (first, *rest)
    for one, other in itertools.combinations(values, 2):
        _common(one, other)
    # A plain 0 goes with any unit, so the first value need not be the one that has it.
    return Value(pick(map(_number, values)), next((value.unit for value in values if value.unit), ""))


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "percent": functools.partial(_ratio, "percent", _percent),  # percent(a.size / b.size) → 4%
    "times": functools.partial(_ratio, "times", phrases.times),  # times(b.size / a.size) → 25 times
    "fraction": functools.partial(_ratio, "fraction", phrases.fraction),  # fraction(a.size / b.size) → about two fifths
    "compare": _compared,  # compare(a.size, b.size) → smaller than
    "rank": _rank,  # rank(a.size, b.size, c.size) → second largest
    "bytes": _bytes,  # bytes(a.size) → 269,642,189 bytes
    "words": _words,  # words(a.layers) → two
    "capital": _capital,  # capital(words(a.layers)) → Two, at the beginning of a sentence
    "MB": lambda value: Value(_number(value) * 1_000_000, "B"),  # MB(8): a size to compare with
    "min": functools.partial(_extreme, min),
    "max": functools.partial(_extreme, max),
    "abs": lambda value: Value(abs(_number(value)), value.unit),
}
