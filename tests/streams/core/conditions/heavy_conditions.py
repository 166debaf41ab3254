"""The heaviest conditions that the parser lets pass: as long, as deep and as manifold as can be."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from streams.core.conditions.parser import DEEPEST, LONGEST
from streams.core.features.catalogue import DTYPES

NUMBERS = [name for name, dtype in DTYPES.items() if dtype is not pl.String]
SECONDS = 20
"""Processor time for what usually takes a tenth of a second; what is exponential takes years."""


def chain(part: Callable[[int], str], joint: str, most: int = DEEPEST - 10) -> str:
    """Return as many parts as there is room for."""
    text = part(0)
    for number in range(1, most):
        longer = f"{text}{joint}{part(number)}"
        if len(longer) > LONGEST - 100:
            break
        text = longer
    return text


def name(number: int) -> str:
    return NUMBERS[number % len(NUMBERS)]


def _any_two(number: int) -> str:
    return f"({name(number)} > {number} OR {name(number + 7)} < {number})"


HEAVY = {
    "and": chain(lambda n: f"{name(n)} > {n}", " AND "),
    "or": chain(lambda n: f"{name(n)} > {n}", " OR "),
    "and of or": chain(_any_two, " AND ", 9),
    "and of or, impossible": chain(_any_two, " AND ", 9) + " AND orders_30d < 0",
    "and of too many or": chain(_any_two, " AND "),
    "or of and": chain(lambda n: f"({name(n)} > {n} AND {name(n + 7)} < {n})", " OR "),
    "in": f"overdue IN ({chain(str, ', ', 400)})",
    "not in": f"overdue NOT IN ({chain(str, ', ', 400)})",
    "sum": chain(name, " + ") + " > 1",
    "product": chain(lambda n: "overdue", " * ") + " > 1",
    "huge numbers": chain(lambda n: "1e300", " * ") + " > overdue",
    "long number": f"overdue > {'9' * 300}",
    "like": chain(lambda n: f"region LIKE '%{'a' * (n % 5)}_%'", " OR "),
    "ilike": f"region ILIKE '{'%a_' * 600}z'",
    "case": f"CASE {chain(lambda n: f'WHEN {name(n)} > {n} THEN {name(n + 3)} < {n}', ' ', 90)} END",
    "case of numbers": f"CASE {chain(lambda n: f'WHEN {name(n)} > {n} THEN {n}', ' ', 90)} ELSE 0 END > 5",
    "case in case": "CASE WHEN " * 60 + "overdue > 1" + " THEN overdue > 2 END" * 60,
    "coalesce": f"COALESCE({chain(lambda n: f'{name(n)} > {n}', ', ')})",
    "coalesce in coalesce": "COALESCE(" * 90 + "overdue > 1" + ", FALSE)" * 90,
    "is null": f"({chain(lambda n: f'{name(n)} > {n}', ' AND ', 60)}) IS NULL",
    "null in null": "(" * 60 + "(overdue > 1)" + " IS NULL)" * 60,
    "round": "ROUND(" * 100 + "overdue" + ", 15)" * 100 + " > 1",
    "not": "NOT " * (DEEPEST - 10) + "overdue > 1",
}
