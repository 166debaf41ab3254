"""Which records become an event: conditions on the texts at paths, all of which must hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.inputs.filter_entry import FilterEntry
from streams.inputs.numbers import numbers_of
from streams.inputs.paths import Path
from streams.inputs.texts import Column, Columns


def holds(filters: Mapping[Path, FilterEntry], columns: Columns, n: int) -> NDArray[np.bool_]:
    """Return where (n,) all filters hold."""
    found = np.ones(n, dtype=np.bool_)
    for path, entry in filters.items():
        found &= _holds(entry, columns[path])
    return found


def _holds(entry: FilterEntry, column: Column) -> NDArray[np.bool_]:
    """Return where (n,) a filter holds; what has no single text fulfils only `present` and `not`."""
    texts = column.texts
    wanted: list[pl.Series] = []
    if entry.is_:
        wanted.append(texts.is_in(entry.is_))
    if entry.not_:
        wanted.append(~texts.is_in(entry.not_).fill_null(False))
    if entry.starts_with:
        wanted.append(pl.Series([text is not None and text.startswith(entry.starts_with) for text in texts]))
    if entry.above is not None or entry.below is not None:
        numbers, _ = numbers_of(texts, entry.decimal)
        if entry.above is not None:
            wanted.append(numbers > entry.above)
        if entry.below is not None:
            wanted.append(numbers < entry.below)
    found = np.ones(len(texts), dtype=np.bool_)
    for each in wanted:
        found &= each.fill_null(False).to_numpy()
    if entry.present is not None:
        there = texts.is_not_null().to_numpy() | column.blocked_mask()
        found &= there == entry.present
    return found
