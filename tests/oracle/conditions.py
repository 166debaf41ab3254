"""Rule conditions on rows of features: SQL through a small Polars frame, or a plain function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from tests.oracle.history import READS, Value
from tests.oracle.life import FALSE, MISSING, TRUE, Terms

Row = Mapping[str, Value]
Condition = str | Callable[[Row], bool | None]

COUNTS: Final = frozenset(
    name
    for name in READS
    if name.startswith(("orders_", "logins_", "complaints_", "returns_", "active_weeks_"))
    or name == "open_complaints"
)
TEXTS: Final = frozenset({"customer_class", "segment", "region", "origin", "account_owner"})
SCHEMA: Final[dict[str, pl.DataType]] = {
    name: pl.Int64() if name in COUNTS else pl.String() if name in TEXTS else pl.Float64()
    for name in [*READS, "churn_probability"]
}
"""The type of each feature's column."""


@dataclass(frozen=True, slots=True)
class OracleRule:
    """A rule as the twin reads it."""

    id: str
    when: Condition
    clear: Condition | None = None
    only: Condition | None = None
    terms: Terms = field(default_factory=Terms)


class Judge:
    """The verdicts of rules on rows of features."""

    def __init__(self, rules: Sequence[OracleRule]) -> None:
        self._rules = rules
        texts = {
            f"{rule.id}/{part}": text
            for rule in rules
            for part, text in (("when", rule.when), ("clear", rule.clear), ("only", rule.only))
            if isinstance(text, str)
        }
        self._sql = {name: pl.sql_expr(text) for name, text in texts.items()}
        words = {word for text in texts.values() for word in re.findall(r"\w+", text)}
        self._schema = {name: dtype for name, dtype in SCHEMA.items() if name in words}

    def verdicts(self, rows: Sequence[Row]) -> list[dict[str, tuple[int, int]]]:
        """Return, for each row, `when` and `clear` of every rule: true (1), false (0) or missing (-1)."""
        columns = {name: [row.get(name) for row in rows] for name in self._schema}
        frame = pl.DataFrame(columns, schema=self._schema)
        told = frame.select(**self._sql).rows(named=True) if self._sql else [{} for _ in rows]
        return [self._of_row(row, answers) for row, answers in zip(rows, told, strict=True)]

    def _of_row(self, row: Row, answers: Mapping[str, bool | None]) -> dict[str, tuple[int, int]]:
        def say(rule: OracleRule, part: str, condition: Condition) -> int:
            answer = condition(row) if callable(condition) else answers[f"{rule.id}/{part}"]
            return MISSING if answer is None else TRUE if answer else FALSE

        found: dict[str, tuple[int, int]] = {}
        for rule in self._rules:
            when = say(rule, "when", rule.when)
            clear = negation(when) if rule.clear is None else say(rule, "clear", rule.clear)
            if rule.only is not None:
                only = say(rule, "only", rule.only)
                when, clear = conjunction(only, when), disjunction(negation(only), clear)
            found[rule.id] = (when, clear)
        return found


def negation(a: int) -> int:
    """Return NOT a."""
    return {TRUE: FALSE, FALSE: TRUE, MISSING: MISSING}[a]


def conjunction(a: int, b: int) -> int:
    """Return a AND b: false beats missing."""
    return FALSE if FALSE in (a, b) else MISSING if MISSING in (a, b) else TRUE


def disjunction(a: int, b: int) -> int:
    """Return a OR b: true beats missing."""
    return TRUE if TRUE in (a, b) else MISSING if MISSING in (a, b) else FALSE
