"""Histories in which people act on the warnings that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from streams.core.events.batch import ActionRecord
from streams.core.events.topics import Topic
from streams.core.steps import Tier
from tests.oracle.attention import Patience
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, HOUR
from tests.oracle.engine import OracleEngine, OracleSettings
from tests.oracle.histories import CUSTOMERS, Draw, History, HypothesisDraw, delayed, histories, in_time
from tests.oracle.history import Event

HASTE: Final = Patience(
    acknowledge_for={Tier.HIGH: 2 * DAY, Tier.MEDIUM: 36 * HOUR, Tier.LOW: 5 * DAY},
    snooze_for=DAY,
    acknowledge_within={Tier.HIGH: DAY, Tier.MEDIUM: 3 * DAY + 1},
    expire_after=20 * DAY,
)
"""Whole days, so that much falls on sweeps and on the instants of events."""

KINDS: Final = ("acknowledge", "acknowledge", "snooze", "snooze", "expire", "call")
AFTER: Final = (HOUR, 0, 1, -1, DAY, 2 * DAY, 5 * DAY, 30 * DAY)
SOON: Final = (HOUR, 1, 0, DAY, -1)
HOLDS: Final = (DAY, 1, HOUR, 4 * DAY, 0, -1)


def with_actions(
    history: History,
    rules: Sequence[OracleRule],
    options: OracleSettings,
    count: int,
    draw: Draw,
    turn: int = 0,
) -> History:
    """Return the history, in order, with actions on warnings that it brings about; some name none of them.

    Actions change what comes after them, so that more of them hit if they are added in several turns.
    """
    options = replace(options, zone=history.zone)
    steps = OracleEngine(options, rules).run(history.arrivals).steps
    made: list[Event] = []
    for i in range(count if steps else 0):
        if made and draw.number(0, 9) == 9:
            made.append(draw.pick(made))
            continue
        if made and draw.number(0, 2) == 2:
            made.append(_correction(draw.pick(made), f"a{turn}-{i}", draw))
            continue
        told = draw.pick(steps)
        at = max(0, told.step.at + draw.pick(AFTER))
        until = at + draw.pick(HOLDS) if draw.number(0, 2) == 0 else None
        action = ActionRecord(
            told.step.id if draw.number(0, 9) < 9 else "no-such-warning",
            draw.pick(KINDS),
            actor=draw.pick(("ann", None)),
            until=until,
        )
        customer = told.customer_id if draw.number(0, 9) < 9 else draw.pick(CUSTOMERS)
        made.append(Event(Topic.ACTIONS, at, customer, f"a{turn}-{i}", record=action))
    return History(history.zone, tuple(in_time([*history.arrivals, *made])))


def _correction(of: Event, name: str, draw: Draw) -> Event:
    """Return an action that corrects another one, or that tries to."""
    assert isinstance(of.record, ActionRecord)
    kind = draw.pick(("correct", "correct", "acknowledge"))
    actor = of.record.actor if draw.number(0, 5) < 5 else "ben"
    record = ActionRecord(of.record.warning_id, kind, actor=actor, corrects=of.event_id)
    return Event(Topic.ACTIONS, max(0, of.at + draw.pick(SOON)), of.customer_id, name, record=record)


@st.composite
def acted_histories(
    draw: st.DrawFn,
    rules: Sequence[OracleRule],
    options: OracleSettings,
    *,
    size: int = 20,
    days: int = 60,
    late: bool = False,
) -> History:
    """Draw a history with actions; with `late`, some of its records arrive long after their time."""
    source = HypothesisDraw(draw)
    base = draw(histories(size=size, days=days))
    history = with_actions(base, rules, options, draw(st.integers(1, 8)), source)
    return History(history.zone, tuple(delayed(history.arrivals, source))) if late else history
