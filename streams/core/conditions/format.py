"""Conditions and numbers as the SQL that a rule would hold."""

from __future__ import annotations

from typing import Final

from streams.core.conditions import tree as c

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _WHOLE = range(1, 8)
"""How tightly an operator binds; what binds less stands in parentheses."""

_LEVEL: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}


def text(node: c.Node, above: int = 0) -> str:
    """Return the SQL of a node, without parentheses that it can do without.

    >>> text(c.Compare("<", c.Arithmetic("*", c.NumericFeature("overdue"), c.Number(2)), c.Number(45)))
    'overdue * 2 < 45'
    """
    sql, level = _sql(node)
    return f"({sql})" if level < above else sql


def number_text(value: float) -> str:
    """Return a number as short as it can be."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)


def _sql(node: c.Node) -> tuple[str, int]:
    match node:
        case c.Number(value):
            return number_text(value), _WHOLE
        case c.Null():
            return "NULL", _WHOLE
        case c.NumericFeature(name) | c.WordFeature(name):
            return name, _WHOLE
        case c.Word(word):
            return _quoted(word), _WHOLE
        case c.Constant(value):
            return str(value).upper(), _WHOLE
        case c.Arithmetic(op, left, right):
            level = _LEVEL[op]
            return f"{text(left, level)} {op} {text(right, level + 1)}", level
        case c.FunctionCall(function, of, decimals):
            places = f", {decimals}" if decimals else ""
            return f"{function.upper()}({text(of)}{places})", _WHOLE
        case c.Pick(how, of):
            return f"{how.upper()}({', '.join(map(text, of))})", _WHOLE
        case c.Coalesce(of):
            return f"COALESCE({', '.join(map(text, of))})", _WHOLE
        case c.CaseNumber(when, then, otherwise) | c.CaseCondition(when, then, otherwise):
            return f"CASE WHEN {text(when)} THEN {text(then)} ELSE {text(otherwise)} END", _WHOLE
        case c.Folded(upper, of):
            return f"{'UPPER' if upper else 'LOWER'}({text(of)})", _WHOLE
        case c.WordOrDefault(of, default):
            return f"COALESCE({text(of)}, {_quoted(default)})", _WHOLE
        case c.Compare(op, left, right):
            return f"{text(left, _SUM)} {op} {text(right, _SUM)}", _COMPARE
        case c.InList(of, values):
            return f"{text(of, _SUM)} IN ({', '.join(map(number_text, values))})", _COMPARE
        case c.IsMissing(of):
            return f"{text(of, _SUM)} IS NULL", _COMPARE
        case c.WordTest():
            return _word_test(node), _COMPARE
        case c.And(left, right):
            return f"{text(left, _AND)} AND {text(right, _AND)}", _AND
        case c.Or(left, right):
            return f"{text(left, _OR)} OR {text(right, _OR)}", _OR
        case c.Not(c.Compare("=", left, right)):
            return f"{text(left, _SUM)} <> {text(right, _SUM)}", _COMPARE
        case c.Not(of):
            return f"NOT {text(of, _COMPARE)}", _NOT


def _word_test(node: c.WordTest) -> str:
    of, words = text(node.of), [_quoted(word) for word in node.words]
    match node.test:
        case "missing":
            return f"{of} IS NULL"
        case "in":
            return f"{of} IN ({', '.join(words)})"
        case "starts" | "ends":
            return f"{node.test.upper()}_WITH({of}, {words[0]})"
        case "like" | "ilike":
            return f"{of} {node.test.upper()} {' ESCAPE '.join(words)}"
    return f"{of} {node.test} {words[0]}"


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
