"""Who stays keeps the order and what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.features.customers import Customers, DayLog
from streams.core.features.renumbering import Renumbering
from streams.core.outcomes.departures import Departures
from streams.core.outcomes.outcome import PrecedingWarning
from streams.core.outcomes.record_queue import RecordQueue
from streams.core.rules.rule import Rule
from streams.core.steps import Tier
from streams.core.warnings.acknowledgement import WarningTimers
from streams.core.warnings.causes import CausePhase, CauseState, CauseTable

stays = st.lists(st.booleans(), min_size=1, max_size=30)


def to(given_: list[bool]) -> Renumbering:
    return Renumbering.of(np.array(given_, dtype=np.bool_))


@given(stays)
def test_columns_and_dicts_of_those_who_stay(given_: list[bool]) -> None:
    found, rows = to(given_), [row for row, stay in enumerate(given_) if stay]
    assert found.size == len(rows)
    column = found.column(np.arange(100), -1)
    assert column[: len(rows)].tolist() == rows
    assert set(column[len(rows) :].tolist()) == {-1}
    # Of the last ones nothing is kept yet.
    short = found.column(np.arange(len(given_) // 2), -1)
    assert short[: len(rows)].tolist() == [row if row < len(given_) // 2 else -1 for row in rows]
    by_customer = found.by_customer({row: str(row) for row in range(len(given_))})
    assert by_customer == {place: str(row) for place, row in enumerate(rows)}


@given(stays, st.integers(0, 3))
def test_customers_are_found_by_their_ids(given_: list[bool], again: int) -> None:
    customers = Customers()
    names = np.array([f"c{row}" for row in range(len(given_))], dtype=np.object_)
    rows = customers.index(names)
    customers.appear(rows)
    customers.note_events(rows, np.arange(len(rows)))
    customers.logs["orders"].add(3, rows, np.ones(len(rows), dtype=np.int64))
    customers.renumber(to(given_))
    left = [name for name, stay in zip(names.tolist(), given_, strict=True) if stay]
    assert customers.ids == left
    assert customers.count == customers.known == len(left)
    expected = [left.index(name) if name in left else -1 for name in names.tolist()]
    assert customers.find(names).tolist() == expected
    kept = [row for row, stay in enumerate(given_) if stay]
    assert customers.state["last_event"][: len(left)].tolist() == kept
    cells = customers.logs["orders"].cells(3)
    assert (cells is None) == (not left)
    assert cells is None or cells[0].tolist() == list(range(len(left)))
    assert customers.index(names[::-1]).tolist() != expected or all(given_)
    assert sorted(customers.ids) == sorted(names.tolist())


def test_names_of_those_who_left_are_forgotten_once_they_are_most() -> None:
    customers = Customers()
    for turn in range(30):
        names = np.array([f"{turn}-{row}" for row in range(500)], dtype=np.object_)
        customers.appear(customers.index(names))
        customers.renumber(Renumbering.of(np.arange(customers.known) >= customers.known - 100))
        assert customers.find(names[-100:]).tolist() == list(range(100))
        assert customers.names_used < 2 * 100 + 128 + 600


def test_days_without_anybody_are_dropped() -> None:
    log = DayLog()
    log.add(1, np.array([0, 2], dtype=np.int32), np.array([5, 7]))
    log.add(2, np.array([2], dtype=np.int32), np.array([1]))
    log.renumber(to([True, True, False]))
    assert [(day, rows.tolist(), sums.tolist()) for day, rows, sums in log.items()] == [(1, [0], [5])]


@given(stays, st.data())
def test_what_preceded_departures(given_: list[bool], data: st.DataObject) -> None:
    departures = Departures()
    left = data.draw(st.lists(st.integers(0, len(given_) - 1), max_size=20))
    for at, customer in enumerate(left):
        warning = PrecedingWarning(f"00000000-0000-0000-0000-{at:012}", at, Tier.HIGH, (f"r{at}",), 0.0)
        departures.put(customer, warning, at)
    departures.renumber(to(given_))
    newest = {customer: at for at, customer in enumerate(left)}
    rows = [row for row, stay in enumerate(given_) if stay]
    for place, row in enumerate(rows):
        found = departures.take(place)
        assert (None if found is None else found.opened_at) == newest.get(row)


def test_records_that_wait() -> None:
    queue = RecordQueue({"n": np.int32})
    for number, customer in enumerate((3, 1, 3)):
        queue.append(customer, {"n": number})
    queue.drop(1)
    queue.renumber(to([False, True, False, True]))
    assert [queue.columns["n"][place] for place in queue.of(1)] == [2]
    assert [queue.columns["n"][place] for place in queue.of(0)] == [1]
    with pytest.raises(AssertionError, match="a record waits"):
        queue.renumber(to([False, True]))


def test_causes_and_timers() -> None:
    rule = Rule("r", "orders_7d > 1", Tier.LOW, "test")
    causes = CauseTable([rule])
    for customer in range(4):
        causes.put(0, customer, CauseState(CausePhase.OPEN, customer))
    causes.renumber(to([False, True, False, True]))
    assert [(customer, state.since) for _, customer, state in causes] == [(0, 1), (1, 3)]
    causes.put(0, 2, CauseState(CausePhase.OPEN, 9))
    assert causes.room == 4  # one that had left made way
    timers = WarningTimers()
    for due, customer in ((5, 1), (2, 2), (9, 3), (1, 0)):
        timers.wake(customer, due)
    timers.renumber(to([False, True, False, True]))
    found: list[Any] = [timers.pop(until) for until in (4, 6, 10)]
    assert found == [set(), {0}, {1}]
