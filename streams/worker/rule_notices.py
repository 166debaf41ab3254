"""What is published about rules: adoptions, refusals, and partitions whose rules differ from the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from streams.contract.audit import adoption_id
from streams.contract.instants import format_instant, read_instant, to_us
from streams.core.events.calendar import NEVER
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.rules import SegmentRules
from streams.core.steps import OperationsNotice
from streams.rulebook.diff import AnyRules, play_changes, rule_changes
from streams.rulebook.revisions import RuleRevision

ADOPTED: Final = "rules.adopted"
"""A partition has gone over to other rules."""
REFUSED: Final = "rules.refused"
"""Rule files were refused; the rules in force stay."""
ACCEPTED: Final = "rules.accepted"
"""Rule files that were refused are right again."""
DIFFER: Final = "rules.differ"
"""A partition goes on under other rules than its worker's files say, which it ran before."""
AGREE: Final = "rules.agree"
"""That is over."""
RESTART: Final = "rules.restart_needed"
"""The files have got their first segment rules, and the worker does not count segments."""
MISTAKES_SHOWN: Final = 20

CUSTOMERS: Final = "customers"
SEGMENTS: Final = "segments"
"""What rules judge; the partitions of the latter are those of the topic of days' sums."""

Adoption = Mapping[str, Any]
"""The fields of `RulesAdopted`."""
Detail = dict[str, str | int | float | None]


def adoption(
    app: str,
    worker: str,
    partition: int,
    offsets: Mapping[str, int],
    watermark: int,
    before: AnyRules | str | None,
    revision: RuleRevision,
    adopted_at: int,
    judges: str = CUSTOMERS,
) -> Adoption:
    """Return what is published of a partition's change of rules; `before` may be known by its hash alone."""
    after: AnyRules = revision.rules if judges == CUSTOMERS else revision.segment_rules
    at = None if watermark == NEVER else watermark
    was = before.hash if isinstance(before, RuleSet | SegmentRules) else before
    changes, plays = None, []
    if not isinstance(before, str):
        changes = [asdict(change) for change in rule_changes(before, after)]
        plays = [
            {"play": each.rule, "change": each.change, "fields": [asdict(f) for f in each.fields]}
            for each in play_changes(before, after)
        ]
    return {
        "id": adoption_id(app, was, after.hash, partition, offsets, at),
        "app": app,
        "kind": ADOPTED,
        "judges": judges,
        "adopted_at": format_instant(adopted_at),
        "at": None if at is None else format_instant(at),
        "partition": partition,
        "offsets": dict(offsets),
        "rule_set_before": was,
        "rule_set": after.hash,
        "worker": worker,
        "revision": revision.revision,
        "author": revision.author,
        "changes": changes,
        "plays": plays,
    }


def adopted_notice(made: Adoption) -> OperationsNotice:
    """Return the notice of a change of rules."""
    offsets = ",".join(f"{topic}={offset}" for topic, offset in sorted(made["offsets"].items()))
    detail = {"id": made["id"], "rule_set_before": made["rule_set_before"], "rule_set": made["rule_set"]}
    detail |= {"worker": made["worker"], "offsets": offsets}
    detail |= {"judges": SEGMENTS} if made.get("judges") == SEGMENTS else {}
    at = to_us(read_instant(made["at"] or made["adopted_at"]))
    return OperationsNotice(ADOPTED, at, made["partition"], detail)


def refused_notice(mistakes: Sequence[str], in_force: str, worker: str, at: int) -> OperationsNotice:
    """Return the notice of rule files that were refused."""
    shown = [*mistakes[:MISTAKES_SHOWN]]
    if len(mistakes) > len(shown):
        shown.append(f"and {len(mistakes) - len(shown)} more")
    detail: Detail = {"mistakes": len(mistakes), "errors": "\n".join(shown)}
    return OperationsNotice(REFUSED, at, None, detail | {"rule_set": in_force, "worker": worker})


def accepted_notice(rule_set: str, worker: str, at: int) -> OperationsNotice:
    """Return the notice of rule files that are right again after they were refused."""
    return OperationsNotice(ACCEPTED, at, None, {"rule_set": rule_set, "worker": worker})


def restart_notice(segment_rules: int, worker: str, at: int) -> OperationsNotice:
    """Return the notice of segment rules that wait for a restart of the worker."""
    return OperationsNotice(RESTART, at, None, {"segment_rules": segment_rules, "worker": worker})


def difference_notice(
    kind: str, judges: str, partition: int, running: str, files: str, worker: str, at: int
) -> OperationsNotice:
    """Return the notice that a partition's rules differ from its worker's files, or do so no more."""
    detail: Detail = {"judges": judges, "rule_set": running, "rule_set_of_files": files, "worker": worker}
    return OperationsNotice(kind, at, partition, detail)
