"""A result in the background: nobody waits longer than they want to; a failure is shown and tried again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from consumers.desk.reports.background import AGAIN_AFTER, Background
from streams.errors import StoreError

T0 = datetime(2026, 3, 1, tzinfo=UTC)
FRESH = timedelta(minutes=5)


class Wall:
    """A clock that a test moves."""

    now = T0

    def __call__(self) -> datetime:
        return self.now


def test_who_does_not_wait_sees_that_it_is_being_computed() -> None:
    may_go = threading.Event()
    counted = Background(lambda: may_go.wait(30) and 7, FRESH, Wall())
    first = counted.look()
    assert (first.value, first.at, first.renewing, first.error) == (None, None, True, None)
    may_go.set()
    done = counted.look(30)
    assert (done.value, done.at, done.renewing) == (7, T0, False)


def test_it_is_computed_once_while_it_is_fresh_and_shown_while_it_is_renewed() -> None:
    wall, calls, may_go = Wall(), [], threading.Event()
    may_go.set()

    def compute() -> int:
        calls.append(1)
        may_go.wait(30)
        return len(calls)

    counted = Background(compute, FRESH, wall)
    assert [counted.look(30).value for _ in range(3)] == [1, 1, 1]
    wall.now = T0 + FRESH + timedelta(seconds=1)
    may_go.clear()
    old = counted.look()
    assert (old.value, old.at, old.renewing) == (1, T0, True)
    may_go.set()
    new = counted.look(30)
    assert (new.value, new.at, new.renewing, len(calls)) == (2, wall.now, False, 2)
    counted.expire()
    assert counted.look(30).value == 3


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (StoreError("the database is away"), "the database is away"),
        (ZeroDivisionError(), "it cannot be computed; the log has the reason"),
    ],
)
def test_a_failure_is_shown_beside_the_last_result_and_tried_again(error: Exception, shown: str) -> None:
    wall, failing = Wall(), [False]

    def compute() -> int:
        if failing[0]:
            raise error
        return 1

    counted = Background(compute, FRESH, wall)
    assert counted.look(30).value == 1
    failing[0] = True
    wall.now = T0 + FRESH + timedelta(seconds=1)
    found = counted.look(30)
    assert (found.value, found.at, found.error) == (1, T0, shown)
    failing[0] = False
    assert counted.look(30).error == shown  # not yet tried again
    wall.now += AGAIN_AFTER
    assert counted.look(30).error is None
