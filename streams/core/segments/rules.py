"""Segment rules: a rule over the features of a segment, and the dimension it is by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.segments.catalogue import SEGMENT_DTYPES
from streams.core.steps import Tier


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """One segment rule as operations wrote it."""

    by: str
    """One of `DIMENSIONS`."""
    rule: Rule


class SegmentRules:
    """Segment rules compiled, a rule set for each dimension that has rules which take part."""

    def __init__(self, rules: Sequence[SegmentRule] = ()) -> None:
        """Compile rules that have no problems."""
        self.rules: Final = tuple(sorted(rules, key=lambda each: each.rule.id))
        by: dict[str, list[Rule]] = {}
        for each in self.rules:
            if each.rule.takes_part:
                by.setdefault(each.by, []).append(each.rule)
        self.by: Final[Mapping[str, RuleSet]] = {
            dimension: compile_rules(by[dimension], SEGMENT_DTYPES) for dimension in sorted(by)
        }
        content = "\n".join(f"{dimension} {rule_set.hash}" for dimension, rule_set in self.by.items())
        self.hash: Final = hashlib.sha256(content.encode()).hexdigest()[:16]
        """16 hex digits of the rules that take part."""

    def __bool__(self) -> bool:
        """Return whether any rule takes part."""
        return bool(self.by)

    def of(self, dimension: str) -> RuleSet:
        """Return the rules by a dimension, which may be none."""
        return self.by.get(dimension) or RuleSet((), SEGMENT_DTYPES)

    def as_plain(self) -> list[dict[str, Any]]:
        """Return the rules as plain values, of which `from_plain` makes the same."""
        return [{"by": each.by} | _plain(each.rule) for each in self.rules]

    @classmethod
    def from_plain(cls, rules: Sequence[Mapping[str, Any]]) -> SegmentRules:
        """Return the rules of `as_plain`; raise `ValueError` or `RuleError` where they are none any more."""
        made = []
        for each in rules:
            try:
                read: dict[str, Any] = {"tier": Tier(each["tier"]), "status": RuleStatus(each["status"])}
                read["inhibits"] = tuple(each["inhibits"])
                rule = Rule(**{name: value for name, value in each.items() if name != "by"} | read)
            except (KeyError, TypeError) as error:
                msg = f"a segment rule cannot be read: {error}"
                raise ValueError(msg) from None
            made.append(SegmentRule(each["by"], rule))
        return cls(made)


def _plain(rule: Rule) -> dict[str, Any]:
    plain = {each.name: getattr(rule, each.name) for each in fields(rule) if each.init}
    return plain | {"tier": int(rule.tier), "status": rule.status.value}
