"""Rows of a table file as text, with the lines where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read; the rows around it are not affected."""

    line: int
    detail: str
    """What is wrong with it, never what it holds."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """A block of `n` rows of a table file."""

    frame: pl.DataFrame
    """(n,) rows, every column of type String; an empty cell is null."""
    lines: NDArray[np.int64]
    """(n,) the line on which each row begins, the first of the file is 1; in a workbook its row."""
    done: int
    """Bytes of the file read so far."""
    bad: list[BadRow] = field(default_factory=list)
    sheet: str | None = None
    """The sheet of a workbook that they stand in."""


def column_names(given: Sequence[str | None]) -> list[str]:
    """Return one name for each column: those given, without blanks around them, numbered where they repeat.

    A column without a name is called `column_N`, N counting from 1; the second `Phone` is `Phone (2)`.
    """
    seen: Counter[str] = Counter()
    names: list[str] = []
    for place, name in enumerate(given, 1):
        plain = (name or "").strip() or f"column_{place}"
        seen[plain] += 1
        while seen[plain] > 1 and f"{plain} ({seen[plain]})" in given:
            seen[plain] += 1
        names.append(plain if seen[plain] == 1 else f"{plain} ({seen[plain]})")
    return names
