from __future__ import annotations

import gc

import pytest

from consumers.collector import collector_paused


@pytest.mark.parametrize("first_in_leaves_first", [True, False])
def test_it_goes_on_when_all_are_done(first_in_leaves_first: bool) -> None:
    assert gc.isenabled()
    first, second = collector_paused(), collector_paused()
    first.__enter__()
    second.__enter__()
    assert not gc.isenabled()
    for each in (first, second) if first_in_leaves_first else (second, first):
        each.__exit__(None, None, None)
    assert gc.isenabled()


def test_it_goes_on_after_work_that_fails() -> None:
    with pytest.raises(OSError, match="gone"), collector_paused():
        raise OSError("gone")  # noqa: EM101
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
