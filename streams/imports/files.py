"""Which source reads a file, and how the file is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from streams.errors import EventFileError
from streams.files.tables.csv_file import CsvFormat
from streams.files.tables.rows import Kind, RowsFormat, default_format, kind_of
from streams.inputs.source import Source
from streams.inputs.source_entry import SourceEntry

KINDS: Final[dict[str, Kind]] = {"jsonl": "jsonl", "csv": "csv", "xlsx": "xlsx", "parquet": "parquet"}
"""What the formats of sources with files are."""


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file of others and how it is read."""

    path: Path
    source: Source
    form: RowsFormat


def reads(source: Source, path: Path) -> bool:
    """Tell whether a source's pattern fits a file: its name, or the end of its path where it has folders."""
    pattern = source.entry.files
    if pattern is None:
        return False
    depth = pattern.count("/") + 1
    return fnmatchcase("/".join(path.parts[-depth:]), pattern)


def source_of(path: Path, sources: Iterable[Source]) -> Source | None:
    """Return the one source whose pattern fits a file, `None` where none does; raise where several do."""
    fitting = [source for source in sources if reads(source, path)]
    if len(fitting) > 1:
        names = " and ".join(source.name for source in fitting)
        msg = f"{path}: the patterns of sources {names} fit it: choose one with --source"
        raise EventFileError(msg)
    return fitting[0] if fitting else None


def foreign_files(
    paths: Sequence[Path], sources: Sequence[Source], chosen: str | None = None, *, where: str
) -> list[ForeignFile]:
    """Return for each file the source that reads it: the one that is `chosen`, or whose pattern fits.

    `where` names the file of inputs. Raises `EventFileError` where there is no such source.
    """
    by_name = {source.name: source for source in sources}
    if chosen is not None and chosen not in by_name:
        msg = f"{where}: there is no source {chosen!r}; there are {', '.join(by_name)}"
        raise EventFileError(msg)
    found = []
    for path in paths:
        source = by_name[chosen] if chosen is not None else source_of(path, sources)
        if source is None:
            patterns = ", ".join(
                f"{each.entry.files!r} ({each.name})" for each in sources if each.entry.files
            )
            there = f"there are {patterns}" if patterns else "no source has `files`"
            msg = f"{path}: no source of {where} has a pattern that fits its name; {there}"
            raise EventFileError(msg)
        found.append(ForeignFile(path, source, rows_format(path, source.entry)))
    return found


def rows_format(path: Path, entry: SourceEntry) -> RowsFormat:
    """Return how a file is written, by what its source says or else by its name."""
    kind = KINDS.get(entry.format or "json")
    if kind == "jsonl" and kind_of(path) == "json":
        kind = "json"  # one array, or lines after all
    if kind is not None:
        form = RowsFormat(kind)
    elif entry.format in (None, "json"):
        form = default_format(path)
    else:
        msg = f"{path}: files cannot be read in the format {entry.format}, which is for topics"
        raise EventFileError(msg)
    if entry.xlsx is not None:
        form = replace(form, sheets=entry.xlsx.sheets, header_row=entry.xlsx.header_row)
    if (given := entry.csv) is None:
        return form
    csv = CsvFormat(
        delimiter=given.delimiter,
        encoding=given.encoding,
        header=given.header,
        columns=given.columns,
        quote=given.quote,
    )
    return replace(form, csv=csv)
