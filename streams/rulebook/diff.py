"""What is different between two rule sets, rule by rule and field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.duration import format_duration

SKIPPED: Final = ("id", "version")
DURATION: Final = "_us"


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


def rule_changes(before: RuleSet | None, after: RuleSet) -> list[RuleChange]:
    """Return every rule that is not the same in both sets, drafts and retired ones included, by id."""
    former = _by_id(before) if before is not None else {}
    latter = _by_id(after)
    found = []
    for name in sorted(former.keys() | latter.keys()):
        old, new = former.get(name), latter.get(name)
        if new is None:
            assert old is not None
            found.append(RuleChange(name, "removed", old.version, None))
        elif old is None:
            found.append(RuleChange(name, "added", None, new.version))
        elif differing := field_changes(old, new):
            found.append(RuleChange(name, "changed", old.version, new.version, differing))
    return found


def field_changes(before: Rule, after: Rule) -> tuple[FieldChange, ...]:
    """Return the fields in which two rules differ, named and written as in a rule file."""
    was, now = _written(before), _written(after)
    return tuple(FieldChange(name, was[name], now[name]) for name in was if was[name] != now[name])


def _by_id(rules: RuleSet) -> dict[str, Rule]:
    return {rule.id: rule for rule in (*rules.rules, *rules.idle)}


def _written(rule: Rule) -> Mapping[str, str | None]:
    said: dict[str, str | None] = {}
    for each in fields(rule):
        value = getattr(rule, each.name)
        if each.name.endswith(DURATION) and isinstance(value, int):
            said[each.name.removesuffix(DURATION)] = format_duration(value)
        elif isinstance(value, tuple):
            said[each.name] = ", ".join(value) or None
        elif each.name not in SKIPPED:
            said[each.name] = value.label if isinstance(value, Tier) else str(value) if value else None
    return said
