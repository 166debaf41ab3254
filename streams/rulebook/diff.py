"""What is different between two rule sets, of customers or of segments: rules, plays, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.rules import SegmentRules
from streams.core.steps import Tier
from streams.duration import format_duration

SKIPPED: Final = ("id", "version")
DURATION: Final = "_us"

AnyRules = RuleSet | SegmentRules


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a rule that says something else."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that was added, removed or changed."""

    rule: str
    change: str
    """`added`, `removed` or `changed`."""
    version_before: str | None
    version_after: str | None
    fields: tuple[FieldChange, ...] = ()


def rule_changes(before: AnyRules | None, after: AnyRules) -> list[RuleChange]:
    """Return every rule that is not the same in both sets, drafts and retired ones included, by id."""
    former = rules_by_id(before) if before is not None else {}
    latter = rules_by_id(after)
    found = []
    for name in sorted(former.keys() | latter.keys()):
        old, new = former.get(name), latter.get(name)
        if new is None:
            assert old is not None
            found.append(RuleChange(name, "removed", old[0].version, None))
        elif old is None:
            found.append(RuleChange(name, "added", None, new[0].version))
        elif differing := _field_changes(_written(*old), _written(*new)):
            found.append(RuleChange(name, "changed", old[0].version, new[0].version, differing))
    return found


def play_changes(before: AnyRules | None, after: AnyRules) -> list[RuleChange]:
    """Return every play that is not the same in both sets, by id; a change of the order alone is none."""
    former = _plays(before) if before is not None else {}
    latter = _plays(after)
    found = []
    for name in sorted(former.keys() | latter.keys()):
        old, new = former.get(name, {}), latter.get(name, {})
        fields = _field_changes(*({each: side.get(each) for each in old | new} for side in (old, new)))
        if name not in latter:
            found.append(RuleChange(name, "removed", None, None))
        elif name not in former:
            found.append(RuleChange(name, "added", None, None))
        elif fields:
            found.append(RuleChange(name, "changed", None, None, fields))
    return found


def _plays(rules: AnyRules) -> dict[str, dict[str, str | None]]:
    """Return the plays of a set by id, each as its fields, written as in a file."""
    if isinstance(rules, SegmentRules):
        return {}
    found: dict[str, dict[str, str | None]] = {}
    for play in rules.plays.plays:
        written: dict[str, str | None] = {}
        for name, value in play.plain().items():
            if isinstance(value, dict):
                written |= {f"{name}.{inner}": _text(each) for inner, each in value.items()}
            elif name != "id":
                written[name] = _text(value)
        found[play.id] = written
    return found


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def rules_by_id(rules: AnyRules) -> dict[str, tuple[Rule, str | None]]:
    """Return all rules of a set by id, each with the dimension that it is by, if any."""
    if isinstance(rules, SegmentRules):
        return {each.rule.id: (each.rule, each.by) for each in rules.rules}
    return {rule.id: (rule, None) for rule in (*rules.rules, *rules.idle)}


def _field_changes(was: Mapping[str, str | None], now: Mapping[str, str | None]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, was[name], now[name]) for name in was if was[name] != now[name])


def _written(rule: Rule, by: str | None) -> Mapping[str, str | None]:
    """Return the fields of a rule, named and written as in a rule file."""
    written: dict[str, str | None] = {"by": by}
    for each in fields(rule):
        value = getattr(rule, each.name)
        if each.name.endswith(DURATION) and isinstance(value, int):
            written[each.name.removesuffix(DURATION)] = format_duration(value)
        elif isinstance(value, tuple):
            written[each.name] = ", ".join(value) or None
        elif each.name not in SKIPPED:
            written[each.name] = value.label if isinstance(value, Tier) else str(value) if value else None
    return written
