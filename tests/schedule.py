"""In which order the files of the suite run where several processes share it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # ships no types

T = TypeVar("T")

BEGIN_WITHIN: Final = 0.75
"""The part of the other files within which all that wait begin, so that none is left at the end alone."""

TOGETHER: Final = ("tests/integration/desk/", "tests/integration/monitoring/")
"""Folders whose files run one after the other in one process: they share a running stack."""

ON_BROKER: Final = ("tests/integration/", "tests/faults/", "tests/streams/intake/", "tests/scripts/")
"""Folders with tests on a broker; where only these run, no others are read."""


def unit(path: str) -> str:
    """Return what runs in one process: a file, or a folder whose files share something dear.

    >>> unit("tests/test_docs.py"), unit("tests/integration/desk/test_look.py")
    ('tests/test_docs.py', 'tests/integration/desk/')
    """
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


class ByUnit(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives each process a whole unit at a time."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the unit of a test."""
        return unit(nodeid.partition("::")[0])


def spread(items: Sequence[T], file_of: Callable[[T], Hashable], waits: Callable[[T], bool]) -> list[T]:
    """Return the items unit by unit: those that mostly wait spread among those that compute.

    Both kinds begin with those that have most items. Files that wait for brokers and processes leave the
    cores to others; run one after the other, they leave them to nobody.
    """
    files: dict[Hashable, list[T]] = {}
    for item in items:
        files.setdefault(file_of(item), []).append(item)
    ordered = sorted(files.values(), key=len, reverse=True)
    waiting = [file for file in ordered if any(map(waits, file))]
    others = [file for file in ordered if not any(map(waits, file))]
    step = BEGIN_WITHIN * len(others) / max(1, len(waiting))
    placed = [(step * number, 0, file) for number, file in enumerate(waiting)]
    placed += [(float(number), 1, file) for number, file in enumerate(others)]
    return [item for _, _, file in sorted(placed, key=lambda each: each[:2]) for item in file]
