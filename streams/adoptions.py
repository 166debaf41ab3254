"""What is told of rules that a worker adopts or refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from streams.contract.audit import adoption_id
from streams.contract.instants import format_instant, read_instant, to_us
from streams.core.instants import NEVER
from streams.core.rules import RuleSet
from streams.core.steps import Notice
from streams.editions import Edition
from streams.rule_changes import rule_changes

ADOPTED: Final = "rules.adopted"
REFUSED: Final = "rules.refused"
MISTAKES_TOLD: Final = 20

Adoption = Mapping[str, Any]
"""The fields of `RulesAdopted`."""


def adoption(
    app: str,
    worker: str,
    partition: int,
    offsets: Mapping[str, int],
    watermark: int,
    before: RuleSet | str | None,
    edition: Edition,
    adopted_at: int,
) -> Adoption:
    """Return what is told of a partition's change to `edition`; `before` may be known by its hash alone."""
    at = None if watermark == NEVER else watermark
    was = before.hash if isinstance(before, RuleSet) else before
    changes = None
    if not isinstance(before, str):
        changes = [asdict(change) for change in rule_changes(before, edition.rules)]
    return {
        "id": adoption_id(app, was, edition.rules.hash, partition, offsets, at),
        "app": app,
        "kind": ADOPTED,
        "adopted_at": format_instant(adopted_at),
        "at": None if at is None else format_instant(at),
        "partition": partition,
        "offsets": dict(offsets),
        "rule_set_before": was,
        "rule_set": edition.rules.hash,
        "worker": worker,
        "revision": edition.revision,
        "author": edition.author,
        "changes": changes,
    }


def adopted_notice(said: Adoption) -> Notice:
    """Return the notice of a change of rules."""
    offsets = ",".join(f"{topic}={offset}" for topic, offset in sorted(said["offsets"].items()))
    detail = {"id": said["id"], "rule_set_before": said["rule_set_before"], "rule_set": said["rule_set"]}
    detail |= {"worker": said["worker"], "offsets": offsets}
    at = to_us(read_instant(said["at"] or said["adopted_at"]))
    return Notice(ADOPTED, at, said["partition"], detail)


def refused_notice(mistakes: Sequence[str], in_force: str, worker: str, at: int) -> Notice:
    """Return the notice of rule files that were refused."""
    told = [*mistakes[:MISTAKES_TOLD]]
    if len(mistakes) > len(told):
        told.append(f"and {len(mistakes) - len(told)} more")
    detail: dict[str, str | int | float | None] = {
        "mistakes": len(mistakes),
        "errors": "\n".join(told),
        "rule_set": in_force,
        "worker": worker,
    }
    return Notice(REFUSED, at, None, detail)
