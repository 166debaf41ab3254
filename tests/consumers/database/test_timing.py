from __future__ import annotations

import pytest

from consumers.database import metrics
from consumers.database.database import Database, StoreAway
from consumers.database.many_rows import RowRefused
from consumers.database.timing import DatabaseTiming, Operation
from streams.errors import StoreError
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions


def test_transactions_are_measured_by_what_they_are_for() -> None:
    database = Database("sqlite://")
    for _ in range(2):
        with database.reading():
            pass
    with database.writing():
        pass
    figures = database.timing.figures()
    assert {name: found.count for name, found in figures.seconds.items()} == {"read": 2, "write": 1}
    assert (figures.errors, figures.away) == (0, False)
    database.close()


def test_a_database_that_is_away_is_so_until_it_answers() -> None:
    timing = DatabaseTiming()
    for error, errors, away in (
        (StoreAway("no connection"), 1, True),
        (RowRefused("a value"), 1, False),
        (StoreAway("no connection"), 2, True),
        (StoreError("no such table"), 3, False),
    ):
        with pytest.raises(type(error)), timing.of(Operation.WRITE):
            raise error
        assert (timing.figures().errors, timing.figures().away) == (errors, away)
    with pytest.raises(KeyError), timing.of(Operation.READ):  # of the work inside, not of the database
        raise KeyError
    assert timing.figures().errors == 3


def test_what_cannot_be_opened_counts() -> None:
    database = Database("sqlite:////nowhere/at/all.db")
    with pytest.raises(StoreAway), database.reading():
        pass
    assert database.timing.figures().away
    assert metrics.not_ready(database.timing.figures()) != ()


def test_its_metrics_are_its_figures() -> None:
    database = Database("sqlite:////nowhere/at/all.db")
    none = database.timing.figures()
    for open_ in (database.writing, database.reading):
        with pytest.raises(StoreAway), open_():
            pass
    assert_metrics_are_figures(metrics.METRICS, metrics.readings, database.timing.figures(), none)
    assert_names_follow_the_conventions(metrics.METRICS)
