"""Generated conditions with their SQL, and what they mean in plain Python: the specification of verdicts."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

NUMBERS = ("orders_30d", "order_trend", "overdue")
WORDS = ("customer_class", "region")
VOCABULARY = ("key", "small", "Key", "k%", "it's", "")

Row = dict[str, Any]
Tree = tuple[Any, ...]
Verdict = bool | None

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

values = st.one_of(st.integers(-3, 5), st.sampled_from([0.5, 0.33, 1.25, -0.5, 2.0]))


def _numbers(conditions: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    leaf = st.one_of(
        st.sampled_from(NUMBERS).map(lambda name: ("feature", name)), values.map(lambda v: ("value", v))
    )

    def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.one_of(
            st.tuples(st.just("arithmetic"), st.sampled_from("+-*/%"), inner, inner),
            st.tuples(st.sampled_from(["abs", "floor", "sqrt"]), inner),
            st.tuples(st.sampled_from(["coalesce", "greatest", "least", "nullif"]), inner, inner),
            st.tuples(st.just("case"), conditions, inner, inner),
        )

    return st.recursive(leaf, grow, max_leaves=4)


def _leaves(numbers: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    word, some = st.sampled_from(VOCABULARY), st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=3)
    feature = st.sampled_from(WORDS)
    return st.one_of(
        st.tuples(st.just("compare"), st.sampled_from(sorted(COMPARE)), numbers, numbers),
        st.tuples(st.just("between"), numbers, numbers, numbers),
        st.tuples(st.just("in"), st.sampled_from(NUMBERS), st.lists(values, min_size=1, max_size=3)),
        st.tuples(st.just("null"), st.sampled_from(NUMBERS + WORDS)),
        st.tuples(st.just("word"), st.sampled_from(sorted(COMPARE)), feature, word),
        st.tuples(st.just("words"), feature, some),
        st.tuples(st.just("like"), feature, st.sampled_from(["k%", "%y", "%e%", "k_y", "%s%"])),
        st.tuples(st.just("ilike"), feature, st.sampled_from(["K%", "%Y", "k_Y", "%'S%"])),
        st.tuples(st.just("lower"), feature, word),
        st.tuples(st.just("default"), feature, word, word),
    )


def _conditions(numbers: st.SearchStrategy[Tree], leaves: int) -> st.SearchStrategy[Tree]:
    def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), inner, inner),
            st.tuples(st.just("not"), inner),
            st.tuples(st.just("known"), inner, st.booleans()),
            st.tuples(st.just("branch"), inner, inner, inner),
        )

    return st.recursive(_leaves(numbers), grow, max_leaves=leaves)


_plain_numbers = st.one_of(
    st.sampled_from(NUMBERS).map(lambda name: ("feature", name)), values.map(lambda v: ("value", v))
)
conditions = _conditions(_numbers(_leaves(_plain_numbers)), 6)
plain_conditions = _conditions(_plain_numbers, 6)
"""Without arithmetic, so that Polars means the same by them."""

rows = st.lists(
    st.fixed_dictionaries({
        "orders_30d": st.none() | st.integers(-2, 4),
        "order_trend": st.none() | st.sampled_from([0.0, 0.33, 0.5, -0.5, 2.0]),
        "overdue": st.none() | st.sampled_from([0.0, 1.0, 1.25, 1e300]),
        "customer_class": st.none() | st.sampled_from(VOCABULARY),
        "region": st.none() | st.sampled_from(VOCABULARY),
    }),
    max_size=6,
)  # fmt: skip


def sql(tree: Tree, above: int = 0) -> str:
    """Return the SQL text of a tree with no more parentheses than SQL's precedence asks for."""
    text, binds = _sql(tree)
    return f"({text})" if binds < above else text


def _sql(tree: Tree) -> tuple[str, int]:
    match tree:
        case ("feature", name):
            return name, 9
        case ("value", value):
            return (str(value), 9) if value >= 0 else (f"({value})", 9)
        case ("arithmetic", op, left, right):
            level = 6 if op in "+-" else 7
            return f"{sql(left, level)} {op} {sql(right, level + 1)}", level
        case ("case" | "branch", when, then, otherwise):
            return f"CASE WHEN {sql(when)} THEN {sql(then)} ELSE {sql(otherwise)} END", 9
        case ("compare", op, left, right):
            return f"{sql(left, 6)} {op} {sql(right, 6)}", 4
        case ("between", of, low, high):
            return f"{sql(of, 6)} BETWEEN {sql(low, 6)} AND {sql(high, 6)}", 4
        case ("in", name, several):
            return f"{name} IN ({', '.join(map(str, several))})", 4
        case ("null", name):
            return f"{name} IS NULL", 4
        case ("word", op, name, word):
            return f"{name} {op} {quoted(word)}", 4
        case ("words", name, words):
            return f"{name} IN ({', '.join(map(quoted, words))})", 4
        case ("like", name, pattern):
            return f"{name} LIKE {quoted(pattern)}", 4
        case ("ilike", name, pattern):
            return f"{name} ILIKE {quoted(pattern)}", 4
        case ("lower", name, word):
            return f"LOWER({name}) = {quoted(word)}", 4
        case ("default", name, default, word):
            return f"COALESCE({name}, {quoted(default)}) = {quoted(word)}", 4
        case ("and", left, right):
            return f"{sql(left, 2)} AND {sql(right, 3)}", 2
        case ("or", left, right):
            return f"{sql(left, 1)} OR {sql(right, 2)}", 1
        case ("not", of):
            return f"NOT {sql(of, 4)}", 3
        case ("known", of, default):
            return f"COALESCE({sql(of)}, {str(default).upper()})", 9
        case (function, *of):
            return f"{function.upper()}({', '.join(map(sql, of))})", 9
    raise AssertionError(tree)


def quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def number(tree: Tree, row: Row) -> float | None:
    """Return the number a tree stands for in a row, `None` where it is missing."""
    match tree:
        case ("feature", name):
            return None if row[name] is None else float(row[name])
        case ("value", value):
            return float(value)
        case ("case", when, then, otherwise):
            return number(then if verdict(when, row) else otherwise, row)
        case ("coalesce", left, right):
            first = number(left, row)
            return number(right, row) if first is None else first
        case ("greatest" | "least" as which, *of):
            several = [number(each, row) for each in of]
            known = [value for value in several if value is not None]
            return (max if which == "greatest" else min)(known) if len(known) == len(several) else None
        case ("nullif", left, right):
            first, second = number(left, row), number(right, row)
            return None if first == second else first
    op, inner = (tree[1], tree[2:]) if tree[0] == "arithmetic" else (tree[0], tree[1:])
    given = [number(each, row) for each in inner]
    known = [value for value in given if value is not None]
    if len(known) < len(given):
        return None
    try:
        result = _ARITHMETIC[op](*known)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


_ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": math.fmod,
    "abs": abs, "floor": lambda x: float(math.floor(x)), "sqrt": math.sqrt,
}  # fmt: skip


def verdict(tree: Tree, row: Row) -> Verdict:
    """Return the verdict of a condition on a row: true, false or, where it is missing, `None`."""
    match tree:
        case ("compare", op, left, right):
            first, second = number(left, row), number(right, row)
            return None if first is None or second is None else COMPARE[op](first, second)
        case ("between", of, low, high):
            return verdict(("and", ("compare", ">=", of, low), ("compare", "<=", of, high)), row)
        case ("in", name, several):
            return None if row[name] is None else float(row[name]) in map(float, several)
        case ("null", name):
            return row[name] is None
        case ("default", name, default, word):
            return bool((default if row[name] is None else row[name]) == word)
        case ("and", left, right):
            both = {verdict(left, row), verdict(right, row)}
            return False if False in both else None if None in both else True
        case ("or", left, right):
            both = {verdict(left, row), verdict(right, row)}
            return True if True in both else None if None in both else False
        case ("not", of):
            inner = verdict(of, row)
            return None if inner is None else not inner
        case ("known", of, default):
            inner = verdict(of, row)
            return bool(default) if inner is None else inner
        case ("branch", when, then, otherwise):
            return verdict(then if verdict(when, row) else otherwise, row)
    name = tree[2] if tree[0] == "word" else tree[1]
    word = row[name]
    if word is None:
        return None
    match tree:
        case ("word", op, _, other):
            return bool(COMPARE[op](word, other))
        case ("words", _, several):
            return bool(word in several)
        case ("lower", _, other):
            return bool(word.lower() == other)
        case ("like", _, pattern):
            return _like(word, pattern)
        case ("ilike", _, pattern):
            return _like(word.lower(), pattern.lower())
    raise AssertionError(tree)


def _like(word: str, pattern: str) -> bool:
    if not pattern:
        return not word
    if pattern[0] == "%":
        return any(_like(word[skip:], pattern[1:]) for skip in range(len(word) + 1))
    return bool(word) and pattern[0] in ("_", word[0]) and _like(word[1:], pattern[1:])
