"""Watching the file of inputs and its table of rates: what is news there, and every mistake, once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from streams.errors import RuleFilesError
from streams.inputs.load import Inputs
from streams.inputs.rates import Rates
from streams.inputs.source import Source
from streams.rulebook.files import ReadFiles, Stamp, read_files, stamp
from streams.rulebook.reader import RulebookRefused

TRIES: Final = 50
"""Reads of a file that keeps changing before a worker that starts gives up."""
TRY_S: Final = 0.1

RATES_TABLE: Final = "rates"
"""The name of the table of rates among those of a checkpoint."""


class Parse(Protocol):
    """Reads the content of a file of inputs."""

    def __call__(self, path: str, content: bytes, *, rates: Rates | None = None) -> Inputs:
        """Return what it says, by `rates` or else those of the settings; raise `RulebookRefused`."""


@dataclass(frozen=True, slots=True)
class CheckpointedInputs:
    """What a checkpoint says of the file by which the records before and after it are mapped."""

    hash: str
    text: str


@dataclass(frozen=True, slots=True)
class InputRevision:
    """What the file of inputs said at one time, as far as a worker reads it."""

    hash: str
    text: str = field(repr=False)
    sources: Mapping[str, Source]
    """By its name on the broker, the source of each topic."""
    rates: Rates | None = field(default=None, repr=False)
    """What amounts are converted by, where a source of the file wants that."""

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return what a checkpoint holds of it beside its own tables: nothing, or the table of rates."""
        return {} if self.rates is None else {RATES_TABLE: self.rates.table()}

    def kept(self) -> CheckpointedInputs:
        """Return what a checkpoint says of it."""
        return CheckpointedInputs(self.hash, self.text)


@dataclass(frozen=True, slots=True)
class RefusedInputs:
    """A file that was refused."""

    mistakes: tuple[str, ...]


_Found = tuple[ReadFiles, Stamp | None]
"""What a look finds: the content of the file, and which table of rates there is."""


class InputWatch:
    """Watches the file, and the table of `rates`; their content counts when two looks in a row find the same.

    Raises `RuleFilesError`, with all mistakes, where the file is bad to begin with.
    """

    def __init__(self, path: Path, parse: Parse, rates: Path | None = None) -> None:
        self.path = path
        self._parse = parse
        self._rates = rates
        self.current, self._judged = self._first()
        self._seen = self._judged

    def look(self) -> InputRevision | RefusedInputs | None:
        """Return what the file says where that is news, or why it is refused."""
        found = self._find()
        before, self._seen = self._seen, found
        if found != before or found == self._judged:
            return None
        self._judged = found
        news = self._judge(found)
        if isinstance(news, InputRevision):
            self.current = news
        return news

    def read(
        self, kept: CheckpointedInputs, tables: Mapping[str, pl.DataFrame] | None = None
    ) -> InputRevision | None:
        """Return what a checkpoint keeps, `tables` included; `None` where this version reads it otherwise."""
        if kept.hash == self.current.hash:
            return self.current
        try:
            table = (tables or {}).get(RATES_TABLE)
            found = self._revision(kept.text.encode(), None if table is None else Rates.of_table(table))
        except (RuleFilesError, ValueError):
            return None
        return found if found.hash == kept.hash else None

    def _judge(self, found: _Found) -> InputRevision | RefusedInputs:
        read, _ = found
        try:
            if read.mistakes:
                raise RulebookRefused(read.mistakes)
            return self._revision(read.contents[str(self.path)])
        except RulebookRefused as refused:
            return RefusedInputs(tuple(map(str, refused.mistakes)))

    def _revision(self, content: bytes, rates: Rates | None = None) -> InputRevision:
        inputs = self._parse(str(self.path), content, rates=rates)
        by_topic = inputs.by_topic
        used = next((each.rates for each in by_topic.values() if each.rates is not None), None)
        return InputRevision(inputs.hash, content.decode(), by_topic, used)

    def _find(self) -> _Found:
        """Return the file's content; of the table, which may be large, only what tells one from another."""
        return read_files([self.path]), None if self._rates is None else stamp(self._rates)

    def _first(self) -> tuple[InputRevision, _Found]:
        for _ in range(TRIES):
            found = self._find()
            if self._find() == found:
                judged = self._judge(found)
                if isinstance(judged, RefusedInputs):
                    raise RuleFilesError("\n".join(judged.mistakes))
                return judged, found
            time.sleep(TRY_S)
        message = f"{self.path}: the file changes all the time: wait until it is whole"
        raise RuleFilesError(message)
