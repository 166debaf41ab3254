from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from lapwing.supervision.worker_process import ASK_EVERY_S, MOST_UNWELL, WorkerProcess

WELL = (200, b"ok\n")
STUCK = (503, b"not healthy\nthe loop of the worker has not turned for 301 s\n")


class Answering(WorkerProcess):
    """Its process waits for the end of its input; its endpoint answers what the test says."""

    def __init__(self, *, has_endpoint: bool = True) -> None:
        self.now = 0.0
        self.answer: tuple[int, bytes] | None = None
        command = [sys.executable, "-c", "import signal; signal.pause()"]
        super().__init__(0, command, has_endpoint=has_endpoint, clock=lambda: self.now)

    def ask(self, path: str) -> tuple[int, bytes] | None:
        return self.answer

    def pass_looks(self, looks: int) -> None:
        """Let the time of so many questions pass."""
        for _ in range(looks):
            self.now += ASK_EVERY_S
            assert self.look() is None


@pytest.fixture
def worker() -> Iterator[Answering]:
    found = Answering()
    found.look()
    assert found.running
    yield found
    found.kill()
    found.wait(10)


@pytest.mark.parametrize("answer", [STUCK, None])
def test_one_that_is_unwell_for_a_minute_of_looks_stands_still(
    worker: Answering, answer: tuple[int, bytes] | None
) -> None:
    worker.answer = WELL
    worker.pass_looks(1)
    worker.answer = answer
    worker.pass_looks(MOST_UNWELL - 1)
    found = [worker.stands_still]
    worker.pass_looks(1)
    assert [*found, worker.stands_still] == [False, True]
    assert worker.unwell == (
        ["the loop of the worker has not turned for 301 s"] if answer else ["it does not answer"]
    )


def test_one_good_answer_makes_up_for_all_before_it(worker: Answering) -> None:
    worker.answer = WELL
    worker.pass_looks(1)
    worker.answer = None
    worker.pass_looks(MOST_UNWELL - 1)
    worker.answer = WELL
    worker.pass_looks(1)
    worker.answer = None
    worker.pass_looks(MOST_UNWELL - 1)
    assert not worker.stands_still


def test_looks_that_come_faster_count_once(worker: Answering) -> None:
    worker.answer = WELL
    worker.pass_looks(1)
    worker.answer = None
    for _ in range(10 * MOST_UNWELL):
        worker.look()
    assert not worker.stands_still


def test_nothing_is_held_against_one_that_has_not_begun(worker: Answering) -> None:
    worker.pass_looks(10 * MOST_UNWELL)
    assert not worker.stands_still


def test_without_an_endpoint_nobody_knows() -> None:
    worker = Answering(has_endpoint=False)
    worker.look()
    try:
        worker.pass_looks(10 * MOST_UNWELL)
        assert not worker.stands_still
    finally:
        worker.kill()
        assert worker.wait(10) is not None


def test_what_was_killed_is_found_ended_and_begins_anew(worker: Answering) -> None:
    worker.answer = WELL
    worker.pass_looks(1)
    worker.answer = None
    worker.pass_looks(MOST_UNWELL)
    first = worker.pid
    worker.kill()
    while (code := worker.look()) is None:
        assert worker.pid == first
    assert code == -9
    worker.now += worker.wait_s()
    worker.look()
    assert worker.starts == 2
    assert not worker.stands_still
