"""How far a row is from making a generated condition true or false, in plain Python: the specification."""

from __future__ import annotations

import math
import sys

from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions.condition_twin import Row, Tree

IMPOSSIBLE = math.inf
FARTHEST = sys.float_info.max / 2
"""Of what is possible."""
COUNTS = ("orders_30d",)
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def distance(tree: Tree, row: Row, want: bool) -> float | None:
    """Return the distance; `None` where it depends on what is missing."""
    match tree:
        case ("compare", op, left, right):
            return _comparison(op if want else OPPOSITE[op], left, right, row)
        case ("between", of, low, high):
            both = ("and", ("compare", ">=", of, low), ("compare", "<=", of, high))
            return distance(both, row, want)
        case ("in", name, several):
            alternatives = [("compare", "=", ("feature", name), ("value", each)) for each in several]
            if want:
                return nearest(*(distance(each, row, True) for each in alternatives))
            if row[name] in several:
                return _comparison("<>", ("feature", name), ("value", row[name]), row)
            return None if row[name] is None else 0.0
        case ("null", name):
            if (row[name] is None) is want:
                return 0.0
            return IMPOSSIBLE if want or name in twin.WORDS else None
        case ("and" | "or" as which, left, right):
            of_both = farthest if (which == "and") is want else nearest
            return of_both(distance(left, row, want), distance(right, row, want))
        case ("not", of):
            return distance(of, row, not want)
        case ("known", of, default):
            if twin.verdict(of, row) is None:
                return 0.0 if bool(default) is want else IMPOSSIBLE
            return distance(of, row, want)
        case ("branch", when, then, otherwise):
            holds = twin.verdict(when, row)
            out = distance(when, row, False) if holds else 0.0
            first = farthest(distance(when, row, True), distance(then, row, want))
            return nearest(first, farthest(out, distance(otherwise, row, want)))
    found = twin.verdict(tree, row)  # a word
    return None if found is None else 0.0 if found is want else IMPOSSIBLE


def nearest(*distances: float | None) -> float | None:
    """Return the least, where what is missing is farther than a number and nearer than the impossible."""
    return min(distances, key=_rank)


def farthest(*distances: float | None) -> float | None:
    """Return the greatest in the same order."""
    return max(distances, key=_rank)


def _rank(distance: float | None) -> tuple[int, float]:
    if distance is None:
        return 1, 0.0
    return (2, 0.0) if distance == IMPOSSIBLE else (0, distance)


def _comparison(op: str, left: Tree, right: Tree, row: Row) -> float | None:
    if not _reads(left) and _reads(right):
        op, left, right = MIRRORED[op], right, left
    value, threshold = twin.number(left, row), twin.number(right, row)
    if value is None or threshold is None:
        return None
    if twin.COMPARE[op](value, threshold):
        return 0.0
    whole = left[0] == "feature" and left[1] in COUNTS
    if op == "=" and whole and threshold != math.floor(threshold):
        return IMPOSSIBLE
    needed = threshold
    if op in (">", ">=", "<>"):
        above = value if op == "<>" else threshold
        strict = op != ">="
        if whole:
            needed = math.floor(above) + 1 if strict else math.ceil(above)
        elif strict:
            needed = math.nextafter(above, math.inf)
    elif op in ("<", "<="):
        if whole:
            needed = math.ceil(threshold) - 1 if op == "<" else math.floor(threshold)
        elif op == "<":
            needed = math.nextafter(threshold, -math.inf)
    way = abs(needed - value) / (abs(threshold) or 1.0)
    return min(max(way, math.nextafter(0.0, 1.0)), FARTHEST)


def _reads(tree: object) -> bool:
    """Return whether a tree reads a feature."""
    if not isinstance(tree, tuple):
        return False
    return tree[0] in ("feature", "in", "null", "word", "words", "like", "ilike", "lower", "default") or any(
        _reads(part) for part in tree
    )
