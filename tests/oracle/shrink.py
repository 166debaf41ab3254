"""A smaller history that still shows a difference, by leaving out records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracle.history import Event


def smaller(
    records: Sequence[Event], fails: Callable[[Sequence[Event]], bool], tries: int = 400
) -> list[Event]:
    """Return records that still fail, none of which can be left out (or as far as `tries` went)."""
    kept = list(records)
    size = max(1, len(kept) // 2)
    while tries > 0:
        start, before = 0, len(kept)
        while start < len(kept) and tries > 0:
            fewer = kept[:start] + kept[start + size :]
            tries -= 1
            if fewer and fails(fewer):
                kept = fewer
            else:
                start += size
        if size == 1 and len(kept) == before:
            break
        size = max(1, size // 2)
    return kept
