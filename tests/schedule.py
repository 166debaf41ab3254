"""In which order the files of the suite run where several processes share it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

BEGIN_WITHIN: Final = 0.75
"""The part of the other files within which all that wait begin, so that none is left at the end alone."""


def spread(items: Sequence[T], file_of: Callable[[T], Hashable], waits: Callable[[T], bool]) -> list[T]:
    """Return the items file by file: those that mostly wait spread among those that compute.

    Both kinds begin with the files that have most items. Files that wait for brokers and processes leave the
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
