"""Inhibition: a worse cause hides a milder one that stands at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from streams.core.conditions.parser import closest
from streams.core.steps import Cause, Tier


class Inhibiting(Protocol):
    """What is needed of a rule."""

    @property
    def id(self) -> str:
        """The rule's name."""

    @property
    def tier(self) -> Tier:
        """How urgent it is."""

    @property
    def inhibits(self) -> tuple[str, ...]:
        """The rules that it hides."""


@dataclass(frozen=True, slots=True)
class InhibitionProblem:
    """One rule that another cannot hide."""

    rule: str
    hidden: str
    """The id as it was written."""
    message: str
    hint: str | None = None


def inhibitors(rules: Sequence[Inhibiting]) -> tuple[tuple[int, ...], ...]:
    """Return for each rule the positions of those that hide it."""
    return tuple(
        tuple(place for place, other in enumerate(rules) if rule.id in other.inhibits) for rule in rules
    )


def standing(causes: Mapping[int, Cause], hidden_by: Sequence[Sequence[int]]) -> tuple[Cause, ...]:
    """Return the open causes in the order of their rules, each with the rule that hides it now, if any.

    A cause that is itself hidden hides others all the same; as no cycle is allowed, one is always seen.
    """
    found = []
    for rule in sorted(causes):
        over = [causes[other].rule for other in hidden_by[rule] if other in causes]
        found.append(replace(causes[rule], inhibited_by=over[0]) if over else causes[rule])
    return tuple(found)


def inhibition_problems(rules: Sequence[Inhibiting]) -> list[InhibitionProblem]:
    """Return everything that is wrong with which rule hides which."""
    by_id = {rule.id: rule for rule in rules}
    problems = []
    for rule in rules:
        for hidden in dict.fromkeys(rule.inhibits):
            other = by_id.get(hidden)
            if other is None:
                message, hint = f"there is no rule {hidden!r}", closest(hidden, by_id)
            elif other.tier > rule.tier:
                tiers = f"{other.tier.label} above {rule.tier.label}"
                message, hint = f"a milder rule cannot hide a worse one: {hidden!r} is {tiers}", None
            elif (circle := _circle(rule.id, hidden, by_id)) and rule.id == min(circle):
                path = " -> ".join([*circle, circle[0]])
                message, hint = f"rules that hide each other would all be silent: {path}", None
            else:
                continue
            problems.append(InhibitionProblem(rule.id, hidden, message, hint))
        twice = sorted({name for name in rule.inhibits if rule.inhibits.count(name) > 1})
        problems += [InhibitionProblem(rule.id, name, f"{name!r} is given twice") for name in twice]
    return problems


def _circle(rule: str, hidden: str, by_id: Mapping[str, Inhibiting]) -> list[str]:
    """Return the shortest way from `rule` over `hidden` back to `rule`, or nothing."""
    ways = [[rule, hidden]]
    seen: set[str] = set()
    for way in ways:
        if way[-1] == rule:
            return way[:-1]
        if way[-1] not in seen and way[-1] in by_id:
            seen.add(way[-1])
            ways += [[*way, further] for further in by_id[way[-1]].inhibits]
    return []
