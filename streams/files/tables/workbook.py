"""Workbooks of Excel and LibreOffice, sheet by sheet, every cell as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from streams.errors import EventFileError
from streams.files.tables.table import TableRows, column_names

_ROWS_AT_A_TIME: Final = 50_000
NOT_INSTALLED: Final = "workbooks need the package fastexcel: pip install 'lapwing[xlsx]'"


def workbook_rows(
    path: Path, size: int, *, sheets: Sequence[str] = (), header_row: int = 1
) -> Iterator[TableRows]:
    """Yield the rows of a workbook's sheets, in blocks; all sheets where none is named.

    Times come as `2009-12-01 07:45:00`, whole numbers without a point. Empty sheets and empty rows are passed
    over. Raises `EventFileError` where it is no workbook, a sheet is not there, or sheets have other columns.
    """
    try:
        import fastexcel
    except ImportError as error:
        raise EventFileError(NOT_INSTALLED) from error
    try:
        reader = fastexcel.read_excel(path)
        there = reader.sheet_names
        if missing := [name for name in sheets if name not in there]:
            msg = f"{path}: there is no sheet {missing[0]!r}; there are {', '.join(map(repr, there))}"
            raise EventFileError(msg)
        wanted = list(sheets) or there
        first: tuple[str, list[str]] | None = None
        for number, sheet in enumerate(wanted, 1):
            frame = _cells(reader.load_sheet(sheet, header_row=None, dtypes="string", skip_rows=0))
            if frame.height < header_row:
                continue
            names = column_names(frame.row(header_row - 1))
            if first is not None and names != first[1]:
                other = next((a for a in names if a not in first[1]), None) or "in another order"
                msg = (
                    f"{path}: sheet {sheet!r} has other columns than {first[0]!r} ({other}): name the sheets"
                )
                raise EventFileError(msg)
            first = first or (sheet, names)
            frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
            for begin in range(header_row, frame.height, _ROWS_AT_A_TIME):
                block = frame.slice(begin, _ROWS_AT_A_TIME)
                lines = np.arange(begin + 1, begin + 1 + block.height, dtype=np.int64)
                there_is = block.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
                rows = block.filter(there_is)
                yield TableRows(rows, lines[there_is.to_numpy()], size * number // len(wanted), [], sheet)
    except fastexcel.FastExcelError as error:
        msg = f"{path}: not a readable workbook: {str(error).splitlines()[0]}"
        raise EventFileError(msg) from error


def _cells(sheet: Any) -> pl.DataFrame:
    """Return a sheet's cells as text, nothing for those without any."""
    frame: pl.DataFrame = sheet.to_polars()
    return frame.with_columns(pl.all().cast(pl.String).replace("", None))
