"""Frames written to a file as they come: JSON lines, plain or compressed, or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from streams.files.packing import PACKERS
from streams.simulate.records import json_lines


def write_events(frames: Iterable[pl.DataFrame], path: Path, suffix: str) -> int:
    """Write the shop's events as event files have them and return how many there were."""
    if suffix == ".parquet":
        return _parquet(frames, path)
    return _jsonl(
        frames, path, suffix, lambda frame: json_lines(frame, with_type=True).str.join("\n").item() + "\n"
    )


def write_truth(truth: pl.DataFrame, path: Path, suffix: str) -> None:
    """Write a row for each customer."""
    if suffix == ".parquet":
        truth.write_parquet(path)
    else:
        _jsonl([truth], path, suffix, pl.DataFrame.write_ndjson)


def _jsonl(
    frames: Iterable[pl.DataFrame], path: Path, suffix: str, text: Callable[[pl.DataFrame], str]
) -> int:
    count = 0
    with path.open("wb") as target, PACKERS[suffix](target) as file:
        for frame in frames:
            file.write(text(frame).encode())
            count += len(frame)
    return count


def _parquet(frames: Iterable[pl.DataFrame], path: Path) -> int:
    count = 0
    writer: Any = None
    try:
        for frame in frames:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            count += len(frame)
    finally:
        if writer is not None:
            writer.close()
    return count
