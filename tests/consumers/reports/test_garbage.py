from __future__ import annotations

import gc

import pytest

from consumers.reports.garbage import without_garbage_search


def test_the_search_goes_on_after_the_last_report() -> None:
    assert gc.isenabled()
    first, second = without_garbage_search(), without_garbage_search()
    with first:
        assert not gc.isenabled()
        second.__enter__()
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_the_search_goes_on_after_a_report_that_fails() -> None:
    with pytest.raises(OSError, match="gone"), without_garbage_search():
        raise OSError("gone")  # noqa: EM101
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with without_garbage_search():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
