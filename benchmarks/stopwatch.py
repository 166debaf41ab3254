"""Times the stages of a run from outside: methods are wrapped here, the product knows nothing of it.

Times are the processor's (all threads of the process), not the wall's, so that what else the machine does
counts as little as it can.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stopwatch:
    """Seconds by stage; what a stage calls of another counts for the other alone.

    Everything inside a stage of `whole` counts for that one: a sweep computes features as an event does.
    """

    def __init__(self, *whole: str) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._whole = frozenset(whole)
        self._running: list[tuple[str, float]] = []
        """The stages entered, with the time spent in others below each."""
        self._inside = 0

    def wrap(self, owner: object, name: str, stage: str) -> None:
        """Let the function `name` of a class or module count for `stage`."""
        function: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            with self.stage(stage):
                return function(*args, **kwargs)

        setattr(owner, name, timed)

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Count what is done in the `with` block for `stage`."""
        self._running.append((stage, 0.0))
        self._inside += stage in self._whole
        start = time.process_time()
        try:
            yield
        finally:
            took = time.process_time() - start
            self._inside -= stage in self._whole
            _, below = self._running.pop()
            self.seconds[stage] += took - below
            self.calls[stage] += 1
            if self._running:
                outer, spent = self._running[-1]
                self._running[-1] = (outer, spent + took)

    def clear(self) -> None:
        """Forget what was measured."""
        self.seconds.clear()
        self.calls.clear()
