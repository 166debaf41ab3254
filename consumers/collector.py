"""Python's search for garbage, put off while many objects are made of which none is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out while a poll is stored, a report is made or a history is judged.

    It looks again and again at the thousands of rows that are being made. That took longer than making and
    storing a poll, and a fifth of the time of a large report. Of several threads the first one in lets it go
    on, at its end.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
