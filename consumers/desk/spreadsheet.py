"""Answers that a browser keeps as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi.responses import StreamingResponse

from consumers.spreadsheet import csv_parts


def csv_answer(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingResponse:
    """Return a table as a file to be kept; `name` is plain ASCII."""
    return StreamingResponse(
        csv_parts(heads, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
