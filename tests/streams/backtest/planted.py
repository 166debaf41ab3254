"""A history in which it is known what a threshold does.

Everybody orders every second day for 40 days. Then 6 customers stop for good; 10 pause once for 6.5 days and
4 for 3 days, and go on. The history ends after 70 days; the horizon is 20 days.
"""

from typing import Final

from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.rules.rule import Rule
from streams.core.steps import Tier
from tests.oracle.days import DAY, HOUR

BEGIN: Final = 19_700 * DAY
NOON: Final = 12 * HOUR
LEAVERS: Final = tuple(f"leaver-{i}" for i in range(6))
PAUSERS: Final = tuple(f"pauser-{i:02}" for i in range(10))
LATE: Final = tuple(f"late-{i}" for i in range(4))
HORIZON: Final = 20 * DAY


def orders() -> list[tuple[str, int]]:
    """Return customer and time of every order."""
    made = []
    for customer in (*LEAVERS, *PAUSERS, *LATE):
        made += [(customer, BEGIN + day * DAY + NOON) for day in range(0, 41, 2)]
        if customer in PAUSERS:
            made += [(customer, BEGIN + 47 * DAY + day * DAY) for day in range(0, 22, 2)]
        if customer in LATE:
            made += [(customer, BEGIN + 43 * DAY + NOON + day * DAY) for day in range(0, 26, 2)]
    made.append(("late-0", BEGIN + 70 * DAY))
    return sorted(made, key=lambda order: order[1])


def batch() -> Batch:
    rows = [
        {"topic": int(Topic.ORDERS), "at": at, "customer_id": who, "event_id": f"e{i}", "amount": 10**6}
        for i, (who, at) in enumerate(orders())
    ]
    events = Batch.of(rows)
    return events.take(events.order())


def silent(days: float, tier: Tier = Tier.HIGH) -> Rule:
    return Rule("silent", f"orders_total >= 3 AND days_since_order >= {days}", tier, "silence")
