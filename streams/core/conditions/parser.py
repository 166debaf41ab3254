"""SQL text -> condition: Polars reads the SQL, and only what is listed here gets past.

`polars.sql_expr` knows far more than a rule may say: aggregates and windows look at other customers,
`NOW()` is the clock of the machine that loads the rule, and decimal arithmetic can fail in the middle of
a batch. So its tree is read node by node into `streams.core.conditions.tree`, and whatever is not known to be
pure and row-wise is refused, new functions of a later Polars included.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

import polars as pl

from streams.core.conditions import tree as c
from streams.core.conditions.polars_tree import NotSqlError, expression_tree, list_values
from streams.errors import RuleError

LONGEST: Final = 2000
"""Characters in a condition."""
DEEPEST: Final = 150
"""Levels of a condition's tree; a chain of n `AND`s has n levels."""

Catalogue = Mapping[str, "pl.DataType | type[pl.DataType]"]


@dataclass(frozen=True, slots=True)
class _Several:
    """The values of an `IN (...)`."""

    values: tuple[Any, ...]


Read = c.Node | _Several | None
"""`None` stands for what was refused already, so that one mistake is told once."""

_COMPARISONS: Final = {"Eq": "=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: Final = {
    "Plus": "+",
    "Minus": "-",
    "Mul": "*",
    "Multiply": "*",
    "Div": "/",
    "TrueDivide": "/",
    "Rem": "%",
}
_FUNCTIONS: Final = {"Abs": "abs", "Ceil": "ceil", "Floor": "floor", "Sign": "sign"}
_PICKS: Final = {"MaxHorizontal": "greatest", "MinHorizontal": "least"}
_WORD_TESTS: Final = {"StartsWith": "starts", "EndsWith": "ends"}
_REFUSED_KINDS: Final = {
    "Agg": "an aggregate looks at other customers; a rule judges one customer by its own features",
    "Len": "an aggregate looks at other customers; a rule judges one customer by its own features",
    "Over": "a window (OVER) looks at other customers; a rule judges one customer by its own features",
    "Window": "a window (OVER) looks at other customers; a rule judges one customer by its own features",
    "Explode": "UNNEST gives several rows; a rule judges one customer at a time",
    "Selector": "a pattern of names is not a feature; name each feature",
    "SubPlan": "a subquery cannot be used in a rule",
    "Alias": "AS (an alias) cannot be used in a rule; is an operator missing between two words?",
}


class ConditionError(RuleError):
    """A condition that is not a row-wise boolean expression over the catalogue."""

    def __init__(self, mistakes: list[tuple[str, str | None]]) -> None:
        super().__init__("; ".join(message for message, _ in mistakes))
        self.mistakes = mistakes
        """Message and hint of each."""


def parse_condition(sql: str, catalogue: Catalogue) -> c.Condition:
    """Return the condition that `sql` states, or raise `ConditionError` with all its mistakes."""
    if not sql.strip():
        raise ConditionError([("is empty", None)])
    if len(sql) > LONGEST:
        raise ConditionError([(f"is longer than {LONGEST} characters", None)])
    if re.search(r"--|/\*", re.sub(r"'[^']*'|\"[^\"]*\"", "", sql)):
        raise ConditionError([("holds a SQL comment; write it as a YAML comment (#) above the field", None)])
    try:
        tree = expression_tree(sql)
    except NotSqlError as error:
        raise ConditionError([(str(error), None)]) from None
    reader = _ConditionReader(catalogue)
    node = reader.read(tree, 0)
    if node is not None and not isinstance(node, c.CONDITION):
        what = "a number" if isinstance(node, c.NUMERIC) else "a word"
        reader.refuse(f"gives {what}, not true or false; compare it with something")
    if reader.mistakes:
        raise ConditionError(reader.mistakes)
    return cast(c.Condition, node)


def closest(name: str, names: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str | None:
    """Return the name most like `name`, or `None` where none is near."""
    near = difflib.get_close_matches(name.casefold(), list(names), n=1, cutoff=0.6)
    return near[0] if near else None


class _ConditionReader:
    """One condition being read; mistakes are collected, so that all are told at once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.mistakes: list[tuple[str, str | None]] = []

    def refuse(self, message: str, hint: str | None = None) -> Read:
        """Note a mistake and return what stands for the refused node."""
        if (message, hint) not in self.mistakes:
            self.mistakes.append((message, hint))
        return None

    def read(self, tree: Any, depth: int) -> Read:
        """Return what one node of Polars's tree means, or `None` once it is refused."""
        if depth > DEEPEST:
            return self.refuse("is nested too deeply")
        kind, body = next(iter(tree.items())) if isinstance(tree, dict) else (str(tree), {})
        match kind:
            case "Column":
                return self._feature(str(body))
            case "Literal":
                return self._literal(body)
            case "BinaryExpr":
                sides = [self.read(body["left"], depth + 1), self.read(body["right"], depth + 1)]
                return self._binary(str(body["op"]), sides)
            case "Ternary":
                return self._case(
                    [self.read(body[part], depth + 1) for part in ("predicate", "truthy", "falsy")]
                )
            case "Cast":
                return self._cast(self.read(body["expr"], depth + 1), body["dtype"])
            case "Function":
                return self._function(
                    body["function"], [self.read(each, depth + 1) for each in body["input"]]
                )
        return self.refuse(_REFUSED_KINDS.get(kind, f"uses {kind.lower()}, which rules do not have"))

    def _feature(self, name: str) -> Read:
        dtype = self.catalogue.get(name)
        if dtype is None:
            return self.refuse(f"unknown feature {name!r}", closest(name, self.catalogue))
        if dtype.is_numeric():
            return c.NumericFeature(name)
        if dtype in (pl.String, pl.Categorical, pl.Enum):
            return c.WordFeature(name)
        return self.refuse(f"feature {name!r} is neither a number nor a word")

    def _literal(self, literal: Any) -> Read:
        if "Series" in literal:
            return _Several(tuple(list_values(literal)))
        kind, value = next(iter(next(iter(literal.values())).items()))
        match kind:
            case "Null":
                return c.Null()
            case "Boolean":
                return c.Constant(bool(value))
            case "String":
                return c.Word(str(value))
            case "Decimal":
                return c.Number(float(Decimal(value[0]).scaleb(-value[2])))
            case "Date" | "Datetime" | "Time" | "Duration":
                return self.refuse(
                    "dates and times cannot be used in a rule; days_since_order and the like tell time"
                )
        if isinstance(value, int | float) and math.isfinite(value):
            return c.Number(float(value))
        what = "a number too large" if value is None else f"a {kind.lower()} literal"
        return self.refuse(f"uses {what}")

    def _binary(self, op: str, sides: list[Read]) -> Read:
        if op in ("And", "Or"):
            left, right = (self._condition(side, op.upper()) for side in sides)
            if left is None or right is None:
                return None
            return c.And(left, right) if op == "And" else c.Or(left, right)
        if op == "NotEq":
            equal = self._compare("=", *sides)
            return None if equal is None else c.Not(cast(c.Condition, equal))
        if op in _COMPARISONS:
            return self._compare(_COMPARISONS[op], *sides)
        if op in _ARITHMETIC:
            left_, right_ = (self._number(side, f"`{_ARITHMETIC[op]}`") for side in sides)
            return None if left_ is None or right_ is None else c.Arithmetic(_ARITHMETIC[op], left_, right_)
        if op in ("EqValidity", "NotEqValidity"):
            return self.refuse("IS DISTINCT FROM cannot be used in a rule; use = and IS NULL")
        return self.refuse(f"the operator {op} cannot be used in a rule")

    def _compare(self, op: str, left: Read, right: Read) -> Read:
        if left is None or right is None:
            return None
        if isinstance(left, c.Null) or isinstance(right, c.Null):
            return self.refuse("a comparison with NULL is never true; write IS NULL or IS NOT NULL")
        if isinstance(left, c.Constant) or isinstance(right, c.Constant):
            return self.refuse("do not compare with TRUE or FALSE; write the condition itself, or NOT (...)")
        if isinstance(left, c.Word) and isinstance(right, c.TEXT):
            return c.WordTest(right, _MIRRORED[op], (left.value,))
        if isinstance(left, c.TEXT) and isinstance(right, c.Word):
            return c.WordTest(left, op, (right.value,))
        if isinstance(left, c.NUMERIC) and isinstance(right, c.NUMERIC):
            return c.Compare(op, cast(c.Numeric, left), cast(c.Numeric, right))
        if isinstance(left, (*c.TEXT, c.Word)) and isinstance(right, (*c.TEXT, c.Word)):
            return self.refuse("compares two words; compare one feature with a word in quotes")
        return self.refuse(f"compares {_kind(left)} with {_kind(right)}")

    def _case(self, parts: list[Read]) -> Read:
        when = self._condition(parts[0], "WHEN")
        then, otherwise = parts[1], parts[2]
        if when is None or then is None or otherwise is None:
            return None
        if isinstance(then, c.CONDITION) and isinstance(otherwise, c.CONDITION):
            if isinstance(then, c.Null) and isinstance(otherwise, c.Null):
                return then
            return c.CaseCondition(when, then, otherwise)
        if isinstance(then, c.NUMERIC) and isinstance(otherwise, c.NUMERIC):
            return c.CaseNumber(when, then, otherwise)
        return self.refuse("a CASE must give numbers only or conditions only")

    def _cast(self, of: Read, dtype: Any) -> Read:
        target = dtype.get("Literal") if isinstance(dtype, dict) else dtype
        if of is None:
            return None
        if target == "Boolean" and isinstance(of, c.CONDITION):  # Polars puts this around what NOT takes
            return of
        if target == "Float64" and isinstance(of, c.NUMERIC):
            return of
        if target == "Boolean":
            return self.refuse(f"expected a condition, found {_kind(of)}")
        return self.refuse("CAST cannot be used in a rule; every number is a decimal one already")

    def _function(self, function: Any, of: list[Read]) -> Read:
        if None in of:
            return None
        group, name = next(iter(function.items())) if isinstance(function, dict) else (None, function)
        if group == "Boolean" and name == "Not":
            condition = self._condition(of[0], "NOT")
            return None if condition is None else c.Not(condition)
        if group == "Boolean" and name in ("IsNull", "IsNotNull"):
            missing = self._is_missing(of[0])
            return missing if name == "IsNull" else c.Not(missing)
        if group == "Sql" and isinstance(name, dict):
            detail, value = next(iter(name.items()))
            if detail == "Binary":
                return self._binary(str(value), of)
            if detail == "IsIn" and not value["nulls_equal"]:
                return self._among(of[0], of[1])
            if detail == "Round":
                number = self._number(of[0], "ROUND")
                return None if number is None else c.FunctionCall("round", number, int(value["decimals"]))
        if group == "StringExpr":
            return self._word_function(name, of)
        if (group, name) == ("Pow", "Sqrt") or (group is None and name in _FUNCTIONS):
            number = self._number(of[0], str(name).upper())
            return None if number is None else c.FunctionCall("sqrt" if group else _FUNCTIONS[name], number)
        if group is None and name in _PICKS:
            return self._pick(_PICKS[name], of)
        if group is None and name == "Coalesce":
            return self._coalesce(of)
        return self.refuse(f"the function {_function_name(name)} cannot be used in a rule")

    def _is_missing(self, of: Read) -> c.Condition:
        if isinstance(of, c.Word | c.Constant | c.Number):
            self.refuse("IS NULL of a written value is always false")
        if isinstance(of, c.TEXT):
            return c.WordTest(of, "missing")
        return c.IsMissing(cast("c.Numeric | c.Condition", of))

    def _among(self, of: Read, several: Read) -> Read:
        if not isinstance(several, _Several):
            return self.refuse("IN needs a list of written values")
        words = all(isinstance(value, str) for value in several.values)
        if isinstance(of, c.TEXT) and words:
            return c.WordTest(of, "in", several.values)
        numbers = all(isinstance(value, int | float | Decimal) for value in several.values)
        if (
            isinstance(of, c.NumericFeature | c.Arithmetic | c.FunctionCall | c.Pick | c.CaseNumber)
            and numbers
        ):
            return c.InList(of, tuple(float(value) for value in several.values))
        return self.refuse(
            f"IN compares {_kind(of)} with {'words' if words else 'numbers' if numbers else 'others'}"
        )

    def _pick(self, how: str, of: list[Read]) -> Read:
        numbers = [self._number(each, how.upper()) for each in of]
        return None if None in numbers else c.Pick(how, tuple(cast(list[c.Numeric], numbers)))

    def _coalesce(self, of: list[Read]) -> Read:
        if isinstance(of[0], c.TEXT):
            if len(of) == 2 and isinstance(of[1], c.Word):
                return c.WordOrDefault(of[0], of[1].value)
            return self.refuse("COALESCE of a word needs one written word after it")
        if all(isinstance(each, c.CONDITION) for each in of):
            return c.Coalesce(tuple(cast(list[c.Condition], of)))
        return self._pick("coalesce", of)

    def _word_function(self, name: Any, of: list[Read]) -> Read:
        if name in ("Lowercase", "Uppercase") and isinstance(of[0], c.TEXT):
            return c.Folded(name == "Uppercase", of[0])
        contains = name["Contains"] if isinstance(name, dict) and "Contains" in name else None
        test = _WORD_TESTS.get(name) if isinstance(name, str) else None
        if contains is None and test is None:
            return self.refuse(f"the function {_function_name(name)} cannot be used in a rule")
        if not (isinstance(of[0], c.TEXT) and isinstance(of[1], c.Word)):
            return self.refuse("LIKE compares a word feature with a pattern in quotes")
        pattern = of[1].value
        if contains is not None and not contains["literal"]:
            # Polars turns LIKE into an anchored expression; any other was written as one.
            if not (pattern.startswith(("(?s)^", "(?is)^")) and pattern.endswith("$")):
                return self.refuse("regular expressions cannot be used in a rule; use LIKE")
            test = "like"
        return c.WordTest(of[0], test or "contains", (pattern,))

    def _condition(self, node: Read, where: str) -> c.Condition | None:
        return cast("c.Condition | None", self._expect(node, c.CONDITION, "a condition", where))

    def _number(self, node: Read, where: str) -> c.Numeric | None:
        return cast("c.Numeric | None", self._expect(node, c.NUMERIC, "a number", where))

    def _expect(self, node: Read, classes: tuple[type, ...], what: str, where: str) -> Read:
        if node is None or isinstance(node, classes):
            return node
        return self.refuse(f"{where} expects {what}, found {_kind(node)}")


def _function_name(name: Any) -> str:
    """Return Polars's name of a function, which is near to that in SQL."""
    return (name if isinstance(name, str) else str(next(iter(name)))).upper()


def _kind(node: Read) -> str:
    match node:
        case c.NumericFeature(name) | c.WordFeature(name):
            return f"{name} ({'a number' if isinstance(node, c.NumericFeature) else 'a word'})"
        case c.Word(value):
            return f"the word {value!r}"
        case c.Number(value):
            return f"the number {value:g}"
        case c.Folded() | c.WordOrDefault():
            return "a word"
        case _ if isinstance(node, c.NUMERIC):
            return "a number"
    return "a condition" if isinstance(node, c.CONDITION) else "a list"
