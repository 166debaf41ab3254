"""The audit topic as people read it: each change of the rules once, with all its partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final

from consumers.broker.records import Record, RecordSource
from consumers.loop import Waiter
from consumers.tail import POLL_S
from streams.contract.audit import RuleDifference, RulesAdopted, parse_adopted
from streams.errors import ContractError

LONGEST: Final = 100
"""Characters of a field's value that are shown."""


@dataclass(slots=True)
class RuleSetChange:
    """A change from one rule set to another, with the partitions that made it."""

    first: RulesAdopted
    partitions: list[int] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)


def adopted(
    subscription: RecordSource, stop: Waiter, on_unreadable: Callable[[Record, str], None]
) -> Iterator[RulesAdopted]:
    """Yield what the topic holds, each change of a partition once."""
    seen: set[str] = set()
    while not stop.asked:
        records = subscription.poll(POLL_S)
        for record in records:
            try:
                adoption = parse_adopted(record.value or b"")
            except ContractError as error:
                on_unreadable(record, str(error))
                continue
            if adoption.id not in seen:
                seen.add(adoption.id)
                yield adoption
        if not records and subscription.at_end():
            break


def together(found: Iterable[RulesAdopted]) -> list[RuleSetChange]:
    """Return the changes in the order of their first partition; the same of several is one.

    A partition that makes the same change again has changed back in between: that is another change.
    """
    changes: list[RuleSetChange] = []
    newest: dict[tuple[str, str | None, str], RuleSetChange] = {}
    for adoption in found:
        way = (adoption.judges, adoption.rule_set_before, adoption.rule_set)
        change = newest.get(way)
        if change is None or adoption.partition in change.partitions:
            change = newest[way] = RuleSetChange(adoption)
            changes.append(change)
        change.partitions.append(adoption.partition)
        if adoption.worker not in change.workers:
            change.workers.append(adoption.worker)
    return changes


def lines(change: RuleSetChange) -> list[str]:
    """Return a change as lines: when, from what to what, where, by whom, then rule by rule."""
    adoption = change.first
    at = f"{adoption.adopted_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    where = ",".join(map(str, sorted(change.partitions)))
    what = "partitions of segments" if adoption.judges == "segments" else "partitions"
    head = f"{at}  {adoption.rule_set_before or 'none'} -> {adoption.rule_set}  {what} {where}"
    head += f"  by {','.join(change.workers)}"
    if adoption.revision:
        head += f"  revision {adoption.revision}" + (f" of {adoption.author}" if adoption.author else "")
    lines = [head]
    if adoption.changes is None:
        lines.append("  the rules before cannot be read any more")
    for each in adoption.changes or ():
        lines += _lines(each)
    for play in adoption.plays:
        lines.append(f"  {play.change:<8} play {play.play}")
        lines += [f"    {f.field}: {_short(f.before)} -> {_short(f.after)}" for f in play.fields]
    return lines


def _lines(each: RuleDifference) -> list[str]:
    version = each.version_after if each.change == "added" else each.version_before
    if each.change == "changed" and each.version_after != each.version_before:
        version = f"{each.version_before} -> {each.version_after}"
    return [
        f"  {each.change:<8} {each.rule}  {version}",
        *(f"    {f.field}: {_short(f.before)} -> {_short(f.after)}" for f in each.fields),
    ]


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 3]}..."
