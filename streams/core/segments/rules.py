"""Segment rules: a rule over the features of a segment, and the dimension it is by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.segments.catalogue import SEGMENT_DTYPES


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
        """Say whether any rule takes part."""
        return bool(self.by)
