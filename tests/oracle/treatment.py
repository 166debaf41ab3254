"""The twin of learning under treatment: DESIGN 8 read off steps, actions and decision instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.core.events.batch import ActionRecord
from streams.core.events.topics import Topic
from streams.core.steps import Step
from tests.oracle.history import Event

ENDS = ("resolved", "withdrawn", "expired")


@dataclass(frozen=True)
class TwinSample:
    """What is to become of a customer's sample."""

    treated: bool
    weight: float


def taken_at(events: Sequence[Event]) -> dict[str, int]:
    """Return when each action was taken, by its id: late ones at the time that events had reached."""
    taken, clock = {}, 0
    for event in events:
        if event.topic == Topic.ACTIONS:
            taken[event.event_id] = max(event.at, clock)
        else:
            clock = max(clock, event.at)
    return taken


def is_treated(
    customer: str, t: int, horizon: int, events: Sequence[Event], taken: Mapping[str, int]
) -> bool:
    """Say whether a customer was treated within a horizon of `t`, as is known at the end of it."""
    end = t + horizon
    mine = [e for e in events if e.customer_id == customer and taken.get(e.event_id, end) < end]
    acts = [(e, e.record) for e in mine if isinstance(e.record, ActionRecord)]
    struck = {
        (record.corrects, record.actor)
        for event, record in acts
        if record.corrects is not None
        and any(
            e.event_id == record.corrects
            and r.actor == record.actor
            and taken[e.event_id] <= taken[event.event_id]
            and e.at >= taken[event.event_id] - 2 * horizon
            for e, r in acts
        )
    }
    return any(
        r.kind in ("contact", "offer")
        and r.result != "wrong_contact"
        and t - horizon < e.at < end
        and (e.event_id, r.actor) not in struck
        for e, r in acts
    )


def twin_samples(
    customers: Sequence[str], t: int, horizon: int, steps: Sequence[Step], events: Sequence[Event]
) -> dict[str, TwinSample]:
    """Return what becomes of the samples of one decision instant, none of them on an event's own instant."""
    taken = taken_at(events)
    newest: dict[str, Step] = {}
    for step in steps:
        if step.at <= t:
            newest[step.customer_id] = step
    opened = {c: s for c, s in newest.items() if s.kind not in ENDS}
    treated = {c for c in customers if is_treated(c, t, horizon, events, taken)}

    def stratum(customer: str) -> tuple[str, str] | None:
        step = opened.get(customer)
        if step is None or step.decision is None:
            return None
        return step.tier.label, str(step.decision.verdict)

    made = {}
    for customer in customers:
        own, weight = stratum(customer), 1.0
        if own is not None and opened[customer].holdout and customer not in treated:
            alike = [c for c in customers if stratum(c) == own]
            standing = [c for c in alike if opened[c].holdout and c not in treated]
            left_out = [c for c in alike if c in treated]
            weight = min(10.0, 1 + len(left_out) / len(standing))
        made[customer] = TwinSample(customer in treated, weight)
    return made
