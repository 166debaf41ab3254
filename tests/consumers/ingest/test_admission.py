from __future__ import annotations

from contextlib import ExitStack

import pytest

from consumers.ingest.admission import Admission, Full, Limits


def test_so_many_requests_and_no_more() -> None:
    admission = Admission(Limits(waiting=2))
    with admission.enter(1), admission.enter(1), pytest.raises(Full), admission.enter(1):
        pass
    assert (admission.requests, admission.bytes) == (0, 0)


def test_so_many_bytes_and_who_does_not_say_counts_with_the_largest() -> None:
    admission = Admission(Limits(largest=10, waiting_bytes=25))
    with ExitStack() as stack:
        stack.enter_context(admission.enter(None))
        stack.enter_context(admission.enter(9))
        assert admission.bytes == 19
        with pytest.raises(Full), admission.enter(7):
            pass
        stack.enter_context(admission.enter(6))
    assert admission.bytes == 0


def test_what_fails_inside_leaves_too() -> None:
    admission = Admission(Limits())
    with pytest.raises(ZeroDivisionError), admission.enter(5):
        _ = 1 / 0
    assert admission.requests == 0
