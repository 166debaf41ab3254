"""Event files: JSON lines, plain or compressed, and Parquet, read in event time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from streams.contract.decode import decode_lines
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import Batch
from streams.core.events.refusal import EventRefusalReason, RefusedEvent, refused_events, stragglers
from streams.errors import EventFileError
from streams.files.content import named, pieces, size_of
from streams.files.parquet import parquet_events, parquet_lines, why_refused

SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
"""The endings of event files' names."""

_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8."""
_MARKS: Final = re.compile(rb"^(?:\xef\xbb\xbf)+|(?:\xef\xbb\xbf)+(?=\s*$)")
"""Those before and after a line; what stands inside it is text."""
_OTHER_KINDS: Final = {
    b"\x1f\x8b": "is compressed with gzip: its name should end in .jsonl.gz",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: its name should end in .jsonl.zst",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"PAR1": "is a Parquet file: its name should end in .parquet",
    b"\xff\xfe": "is in UTF-16: save it in UTF-8",
    b"\xfe\xff": "is in UTF-16: save it in UTF-8",
}
"""How files begin that are no JSON lines, whatever they are named."""


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """A line of an event file that is no event, or a row of a Parquet file; the first is 1."""

    path: Path
    line: int
    reason: RefusalReason
    detail: str

    def __str__(self) -> str:
        """Return the place and what is wrong there, in one line."""
        return f"{self.path}:{self.line}: {self.detail} ({self.reason})"


def read_events(
    paths: Sequence[Path],
    *,
    now_us: int | None,
    max_skew_us: int,
    on_refused: Callable[[FileRefusal], None],
    progress: Callable[[int, int], None] | None = None,
) -> Batch:
    """Return the events of all `paths` in total order.

    `on_refused` gets the lines that are no events, or lie more than `max_skew_us` after `now_us`, and
    `progress` the bytes read and the bytes in all files. Raises `EventFileError` for a file that cannot be
    read, or of which no line can be accepted.
    """
    latest_us = None if now_us is None else now_us + max_skew_us
    sizes = [size_of(path) for path in paths]
    batches: list[Batch] = []
    before = 0
    for path, size in zip(paths, sizes, strict=True):
        suffix, accepted, refused = _suffix(path), 0, Counter[str]()
        for batch, refusals, done in _event_blocks(path, suffix, latest_us):
            batches.append(batch)
            accepted += len(batch)
            for refusal in refusals:
                refused[refusal.reason] += 1
                on_refused(refusal)
            if progress is not None:
                progress(before + min(done, size), sum(sizes))
        if refused and not accepted:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.most_common())
            message = f"{path}: none of its {refused.total():,} lines can be accepted: {reasons}"
            raise EventFileError(message)
        before += size
    batch = Batch.concat(batches)
    return batch.take(batch.order())


def without_stragglers(events: Batch) -> tuple[Batch, list[RefusedEvent]]:
    """Return events without the few that lie years before all others, and these."""
    early = stragglers(events.topic, events.at)
    if not len(early):
        return events, []
    kept = np.ones(len(events), dtype=np.bool_)
    kept[early] = False
    return events.take(kept), refused_events(events, early, EventRefusalReason.PAST_TIME)


def _event_blocks(
    path: Path, suffix: str, latest_us: int | None
) -> Iterator[tuple[Batch, list[FileRefusal], int]]:
    """Yield events in blocks, with the lines or rows of each that are none, and the bytes read so far."""
    if suffix == ".parquet":
        with named(path), path.open("rb") as file:
            for first, batch, refused, done in parquet_events(path, file, latest_us):
                refusals = [
                    FileRefusal(path, first + row, *why_refused(line, each.reason, each.detail))
                    for row, each, line in refused
                ]
                yield batch, refusals, done
        return
    for first, lines, done in line_blocks(path, suffix):
        decoded = decode_lines(lines, latest_us=latest_us)
        refusals = [
            FileRefusal(path, first + each.index, each.reason, each.detail)
            for each in decoded.refused
            if lines[each.index].strip()
        ]
        yield decoded.batch, refusals, done


def _suffix(path: Path) -> str:
    for suffix in SUFFIXES:
        if path.name.endswith(suffix):
            return suffix
    message = f"{path}: not an event file, its name should end in one of {', '.join(SUFFIXES)}"
    raise EventFileError(message)


def line_blocks(path: Path, suffix: str) -> Iterator[tuple[int, list[bytes], int]]:
    """Yield lines in blocks: the first one's number from 1, the lines, the bytes of the file read so far."""
    with named(path), path.open("rb") as file:
        if suffix == ".parquet":
            yield from parquet_lines(path, file)
            return
        first_line = 1
        rest: list[bytes] = []
        for piece in pieces(file, suffix.removeprefix(".jsonl")):
            if suffix == ".jsonl" and first_line == 1 and not rest:
                _check_text(path, piece)
            head, newline, tail = piece.rpartition(b"\n")
            if not newline:
                rest.append(piece)
                continue
            lines = b"".join([*rest, head]).split(b"\n")
            rest = [tail]
            yield first_line, _without_marks(lines), file.tell()
            first_line += len(lines)
        last = b"".join(rest)
        if last:
            yield first_line, _without_marks([last]), file.tell()


def _check_text(path: Path, beginning: bytes) -> None:
    """Raise `EventFileError` where a file named `.jsonl` begins as another kind of file does."""
    for magic, what in _OTHER_KINDS.items():
        if beginning.startswith(magic):
            msg = f"{path}: {what}"
            raise EventFileError(msg)


def _without_marks(lines: list[bytes]) -> list[bytes]:
    """Return lines without the byte order marks that files put together had, empty ones too."""
    if not any(_MARK in line for line in lines):
        return lines
    return [_MARKS.sub(b"", line) for line in lines]
