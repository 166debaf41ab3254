from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from consumers.loop import Backoff, Retryable, Stop, Stopped, persist
from tests.consumers.stubs import Waits


def failing(times: int, error: Exception | None = None) -> tuple[list[int], Callable[[], str]]:
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error or Retryable()
        return "done"

    return calls, work


def test_work_is_tried_again_with_longer_waits_until_it_succeeds() -> None:
    _, work = failing(4)
    stop = Waits()
    told: list[float] = []
    done = persist(
        work,
        stop=stop,
        backoff=Backoff(1, 5),
        on_wait=lambda _, delay: told.append(delay),
    )
    assert done == "done"
    assert stop.waits == told == [1, 2, 4, 5]


def test_a_stop_ends_the_waiting() -> None:
    calls, work = failing(100)
    with pytest.raises(Stopped):
        persist(work, stop=Waits(3), backoff=Backoff(), on_wait=lambda *_: None)
    assert len(calls) == 3


def test_other_errors_pass_at_once() -> None:
    calls, work = failing(1, ValueError("down"))
    with pytest.raises(ValueError, match="down"):
        persist(work, stop=Waits(), backoff=Backoff(), on_wait=lambda *_: None)
    assert len(calls) == 1


def test_the_longest_wait_has_a_limit_however_long_it_lasts() -> None:
    assert Backoff(0.5, 30).delay(100_000) == 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_a_stop_once_and_then_means_what_it_did_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(5)
        assert stop.asked
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before
