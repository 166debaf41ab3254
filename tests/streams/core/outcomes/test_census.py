"""The census by hand, and its bounds."""

from __future__ import annotations

import numpy as np

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import MILLION, Batch, OrderStatus
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.outcomes.census import MOST_CELLS, OTHER, CellNames
from streams.core.outcomes.outcome import CensusCell, CensusMatured, CensusSummary
from tests.oracle.days import instant
from tests.oracle.drive import compiled


def order(customer: str, at: str, amount: int = 10) -> dict[str, object]:
    return {
        "topic": Topic.ORDERS,
        "at": instant(at),
        "customer_id": customer,
        "event_id": f"{customer}{at}",
        "amount": amount * MILLION,
    }


def test_a_shop_of_a_thousand_that_loses_a_hundred_loses_ten_percent() -> None:
    # All bought in January, 900 of them in February too; 50 new ones came in February.
    rows = [order(f"c{n}", "2026-01-20T10:00:00Z") for n in range(1000)]
    rows += [order(f"c{n}", "2026-02-20T10:00:00Z", 20) for n in range(900)]
    rows += [order(f"n{n}", "2026-02-21T10:00:00Z") for n in range(50)]
    settings = EngineSettings(horizon_us=30 * DAY, active_within_us=28 * DAY, outcomes=True)
    engine = Engine(settings, compiled([]))
    outputs = [engine.step(Batch.of(rows)), engine.flush(), engine.advance(instant("2026-04-10T00:00:00Z"))]
    census = [event for output in outputs for event in output.census]
    [january] = [c for c in census if isinstance(c, CensusCell) and c.at == instant("2026-02-01T00:00:00Z")
                 and c.by == "profile"]  # fmt: skip
    assert (january.original, january.kept, january.lost) == (None, None, None)
    assert (january.active, january.acquired, january.returned) == (1000, 1000, 0)
    assert january.sums["spend"] == 10_000.0
    february = [c for c in census if isinstance(c, CensusCell) and c.at == instant("2026-03-01T00:00:00Z")]
    [whole] = [c for c in february if c.by == "channel"]
    assert (whole.original, whole.kept, whole.lost) == (1000, 900, 100)
    assert (whole.active, whole.acquired, whole.returned) == (950, 50, 0)
    assert (whole.sums["orders"], whole.sums["spend"]) == (950, 18_500.0)
    cohorts = {c.cell["cohort"]: (c.original, c.kept, c.active) for c in february if c.by == "cohort"}
    assert cohorts == {"2026-01": (1000, 900, 900), "2026-02": (0, 0, 50)}
    matured = [c for c in census if isinstance(c, CensusMatured) and c.by == "channel"]
    # The 30 days after 1 February end on 3 March, those after 1 March on 31 March: nobody came again.
    assert [(c.active, c.churned, c.treated, c.at) for c in matured] == [
        (1000, 100, 0, instant("2026-03-03T00:00:00Z")),
        (950, 950, 0, instant("2026-03-31T00:00:00Z")),
    ]
    summaries = [c for c in census if isinstance(c, CensusSummary)]
    assert [(s.customers, s.active, s.cells) for s in summaries] == [
        (1000, 1000, 3),
        (1050, 950, 4),
        (1050, 0, 4),
    ]


def test_a_cell_sums_more_than_64_bits_hold() -> None:
    # The most that customers may buy, of more of them than fit in 64 bits of millionths; returns too.
    rows = [order(f"c{n}", f"2026-01-{d:02}T10:00:00Z", 10**12) for n in range(30) for d in range(10, 19)]
    rows += [
        order(f"r{n}", f"2026-01-{d:02}T10:00:00Z", 10**12) | {"status": OrderStatus.RETURNED}
        for n in range(3)
        for d in range(10, 19)
    ]
    engine = Engine(EngineSettings(outcomes=True), compiled([]))
    outputs = [engine.step(Batch.of(rows)), engine.flush(), engine.advance(instant("2026-02-02T00:00:00Z"))]
    cells = [event for output in outputs for event in output.census if isinstance(event, CensusCell)]
    assert {cell.by for cell in cells} == {"profile", "cohort", "channel"}
    assert sum(c.sums["spend"] for c in cells if c.by == "profile") == (30 - 3) * 9e12


def test_a_family_has_so_many_cells_and_one_for_all_others() -> None:
    cells = CellNames()
    names = [(f"s{n:05}", None) for n in range(MOST_CELLS + 10)]
    numbers = cells.numbers(names[::-1])
    assert len(cells.names) == MOST_CELLS + 1
    assert np.count_nonzero(numbers == OTHER) == 10
    # In alphabetical order, and kept from then on.
    assert cells.numbers(names[:3]).tolist() == [1, 2, 3]
    assert cells.numbers([("a", None)]).tolist() == [OTHER]
    assert CellNames(cells.names[1:]).numbers(names[:3]).tolist() == [1, 2, 3]
