"""inputs.yaml becomes sources, or is refused with every mistake in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from streams.core.events.topics import Topic
from streams.inputs.formats import formats
from streams.inputs.formats.reading import FormatUnavailable
from streams.inputs.inputs_file import InputsFile
from streams.inputs.rates import Rates
from streams.inputs.source import EventMapping, Reader, Source
from streams.inputs.source_entry import SourceEntry
from streams.rulebook.files import read_files
from streams.rulebook.reader import Mistake, Place, Places, RulebookRefused, read_document

HASH_DIGITS: Final = 12
PLAIN: Final = ("json", "jsonl", "csv", "xlsx", "parquet")
"""Formats that need no reader of their own: JSON, and tables, which whoever reads files reads."""

Readers = Mapping[str, Callable[[SourceEntry], Reader]]
"""By format, what makes the reader of a source."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a file of inputs says."""

    path: str
    sources: Mapping[str, Source]
    """By name, in the order of the file."""
    hash: str
    """Names the content of the file, and of the table of rates where a source uses it."""
    file: InputsFile = field(repr=False)
    places: Places = field(repr=False, compare=False)

    @property
    def by_topic(self) -> dict[str, Source]:
        """The sources that are read from Kafka, by their topics."""
        return {each.entry.topic: each for each in self.sources.values() if each.entry.topic is not None}


def load_inputs(path: FilePath, readers: Readers | None = None, rates: Rates | None = None) -> Inputs:
    """Return what a file says, or raise `RulebookRefused` with every mistake and its line."""
    if not path.is_file():
        raise RulebookRefused([Mistake(str(path), 0, 0, "there is no such file")])
    read = read_files([path])
    if read.mistakes:
        raise RulebookRefused(read.mistakes)
    return parse_inputs(str(path), read.contents[str(path)], readers, rates)


def topics_brought(content: bytes) -> dict[str, frozenset[Topic]]:
    """Return, by its name on the broker, what a file's content brings events of; nothing where it is bad.

    The file may be one of a checkpoint: neither registry nor rates are needed.
    """
    found = read_document("", content, InputsFile).content
    entries = () if found is None else found.sources.values()
    return {
        entry.topic: frozenset(event.topic for event in entry.events)
        for entry in entries
        if entry.topic is not None
    }


def parse_inputs(
    path: str, content: bytes, readers: Readers | None = None, rates: Rates | None = None
) -> Inputs:
    """Return what the content of a file says, or raise as `load_inputs` does."""
    found = read_document(path, content, InputsFile)
    if found.content is None or found.places is None:
        raise RulebookRefused(found.mistakes)
    known = formats.readers(None) if readers is None else readers
    mistakes: list[Mistake] = []
    sources: dict[str, Source] = {}
    for name, entry in found.content.sources.items():
        reader = None
        if entry.format is not None and entry.format not in PLAIN:
            place = ("sources", name, "format")
            try:
                reader = known[entry.format](entry)
            except FormatUnavailable as error:
                mistakes.append(found.places.mistake(found.places.node(place), place, f"`format`: {error}"))
                continue
        sources[name] = Source(
            name, entry, tuple(EventMapping.of(each, rates) for each in entry.events), reader
        )
        for number, event in enumerate(entry.events) if rates is None else ():
            if (amount := event.fields.get("amount")) is not None and amount.rates:
                at: Place = ("sources", name, "events", number, "fields", "amount", "rates")
                message = "`rates` needs the settings `currency` and `rates`, and they are not set"
                mistakes.append(found.places.mistake(found.places.node(at), at, message))
    if mistakes:
        raise RulebookRefused(mistakes)
    digest = hashlib.sha256(content)
    if used := next((each.rates for each in sources.values() if each.rates is not None), None):
        digest.update(used.digest.encode())
    return Inputs(path, sources, digest.hexdigest()[:HASH_DIGITS], found.content, found.places)
