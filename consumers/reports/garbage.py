"""Python's search for garbage, put off while a report is made.

A report makes millions of records, none of which refers back to another: the search finds nothing in them,
and takes a fifth of the time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_making = 0
_was_on = False


@contextmanager
def without_garbage_search() -> Iterator[None]:
    """Let nothing be searched for until the last of those in here has left; then all is as it was before."""
    global _making, _was_on
    with _lock:
        if _making == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _making += 1
    try:
        yield
    finally:
        with _lock:
            _making -= 1
            if _making == 0 and _was_on:
                gc.enable()
