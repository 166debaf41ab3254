"""The numbers in a rule's `when` that features are compared with, and rules with another number there.

Where a number stands in the text and what it is compared with is found by writing another one in its place
and reading the condition again; so the text of the rule stays as operations wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

from streams.core.conditions import tree as c
from streams.core.conditions.parser import Catalogue, ConditionError, parse_condition
from streams.core.rules.rule import Rule
from streams.errors import BacktestError

_TOKEN: Final = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![\w.])(\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
"""Text in quotes, and numbers outside it and outside names."""
_MARK: Final = 8_675_309.25
"""A number that no rule holds."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number in a rule's `when`."""

    name: str
    """The feature it is compared with: of several the first, of a formula the one it reads first."""
    op: str
    """How the feature is compared with it."""
    value: float
    begin: int
    """Where it stands in the text."""
    end: int
    whole: bool
    """Whether the feature is a count."""
    formula: bool
    """Whether a formula of features is compared with it, not one feature."""
    present: c.Condition
    """`when` without this comparison: true for whom the threshold alone decides."""

    @property
    def address(self) -> str:
        """What names it where a feature is compared with several numbers."""
        return f"{self.name}{self.op}"

    def put(self, rule: Rule, value: float) -> Rule:
        """Return the rule with another number here."""
        return replace(rule, when=rule.when[: self.begin] + written(value) + rule.when[self.end :])


def thresholds(rule: Rule, catalogue: Catalogue) -> list[Threshold]:
    """Return the numbers of a rule's `when` that a feature is compared with, in the order of the text."""
    found = []
    for token in _TOKEN.finditer(rule.when):
        if token.group(1) is None:
            continue
        marked = rule.when[: token.start()] + str(_MARK) + rule.when[token.end() :]
        try:
            condition = parse_condition(marked, catalogue)
        except ConditionError:  # a number of another kind, such as the decimals of ROUND
            continue
        compare = next((node for node in _compares(condition) if _marked(node)), None)
        if compare is None:
            continue
        op, side = compare.op, compare.left
        if isinstance(compare.left, c.Number):
            op, side = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op), compare.right
        name = next(c.features_of(side), None)
        if name is None:
            continue
        whole = isinstance(side, c.NumericFeature) and catalogue[name].is_integer()
        formula = not isinstance(side, c.NumericFeature) and not _coalesced(side)
        value = float(rule.when[token.start() : token.end()])
        without = _without(condition, compare, c.Not(c.IsMissing(side)))
        place = (token.start(), token.end())
        found.append(Threshold(name, op, value, *place, whole, formula, without))
    return found


def threshold(rule: Rule, address: str, catalogue: Catalogue) -> Threshold:
    """Return the threshold that an address names: `feature`, or `feature>=` where there are several."""
    found = thresholds(rule, catalogue)
    wanted = address.replace(" ", "")
    named = [each for each in found if wanted in (each.name, each.address)]
    if len(named) == 1:
        return named[0]
    exact = [each for each in named if f"{each.address}{written(each.value)}" == wanted]
    known = ", ".join(f"{each.address}{written(each.value)}" for each in found) or "none"
    exact = exact or [each for each in found if f"{each.address}{written(each.value)}" == wanted]
    if len(exact) == 1:
        return exact[0]
    what = "names several numbers" if named else "is compared with no number"
    msg = f"rule {rule.id!r}: {address!r} {what} in `when`; there are: {known}"
    raise BacktestError(msg)


def written(value: float) -> str:
    """Return a number as a rule has it: short, and never with an exponent."""
    return f"{value:.0f}" if value == int(value) else f"{value:.10f}".rstrip("0")


def _coalesced(side: c.Numeric) -> bool:
    """Say whether a side is one feature with a value for where it is missing."""
    return isinstance(side, c.Pick) and side.how == "coalesce" and len(list(c.features_of(side))) == 1


def _marked(node: c.Compare) -> bool:
    return c.Number(_MARK) in (node.left, node.right)


def _compares(node: Any) -> Iterator[c.Compare]:
    if isinstance(node, c.Compare):
        yield node
    if isinstance(node, tuple):
        for part in node:
            yield from _compares(part)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _compares(getattr(node, field.name))


def _without(node: Any, compare: c.Compare, instead: c.Condition) -> Any:
    """Return a tree with another condition in the place of one comparison."""
    if node == compare:
        return instead
    if isinstance(node, tuple):
        return tuple(_without(part, compare, instead) for part in node)
    if is_dataclass(node) and not isinstance(node, type):
        changed = {f.name: _without(getattr(node, f.name), compare, instead) for f in fields(node)}
        return replace(node, **changed)
    return node
