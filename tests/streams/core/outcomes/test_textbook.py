"""The textbook's month: of 1000 customers 100 are lost, so 10 % churn and 90 % stay."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import MILLION, Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import CensusCell, Lapsed
from streams.core.rules.rule_set import RuleSet

JANUARY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * MILLION


def test_of_a_thousand_customers_a_hundred_are_lost() -> None:
    # Everybody orders every tenth day; on 1 April 100 of the 1000 have not come for more than 30 days.
    rows = []
    for number in range(1000):
        leaves = number < 100
        for day in range(number % 10, 92, 10):
            if not (leaves and day > 56):
                at = JANUARY + day * DAY + 9 * 3_600 * MILLION
                row = {
                    "topic": Topic.ORDERS,
                    "at": at,
                    "customer_id": f"c{number}",
                    "event_id": f"{number}-{day}",
                }
                rows.append(row | {"amount": 50 * MILLION})
    rows.sort(key=lambda row: (row["at"], row["event_id"]))
    engine = Engine(EngineSettings(reorder_us=0, horizon_us=30 * DAY, outcomes=True), RuleSet((), DTYPES))
    outputs = [engine.step(Batch.of(rows)), engine.flush()]
    cells = [
        c for output in outputs for c in output.census if isinstance(c, CensusCell) and c.by == "profile"
    ]
    april = max(cells, key=lambda c: c.at)
    assert (april.original, april.kept, april.lost) == (1000, 900, 100)
    assert april.value_original is not None
    assert april.value_lost is not None
    assert (april.value_original_n, april.value_lost_n) == (1000, 100)
    # All were alike at the census before, so a tenth of the value is lost as well.
    assert april.value_lost / april.value_original == pytest.approx(0.1, rel=0.02)
    lapsed = [o.details for output in outputs for o in output.outcomes if isinstance(o.details, Lapsed)]
    assert len(lapsed) == 100
    assert all(each.value is not None and each.value > 0 for each in lapsed)
