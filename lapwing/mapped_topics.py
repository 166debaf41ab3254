"""The topics whose records the file of inputs maps, as worker, doctor and `lapwing topics` see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from consumers.follow.sources import MappingWaits
from lapwing.registry import rates_of, readers_of
from lapwing.settings.settings import Settings
from lapwing.topic_plan import planned
from streams.core.events.topics import Topic
from streams.errors import SettingsError
from streams.inputs.formats.reading import SchemasWanted, with_schemas
from streams.inputs.load import Inputs, Readers, parse_inputs
from streams.inputs.rates import Rates
from streams.inputs.source import Mapped, Source
from streams.inputs.watch import InputWatch, Parse
from streams.rulebook.files import read_files
from streams.rulebook.reader import RulebookRefused


def parser(settings: Settings, readers: Readers | None = None) -> Parse:
    """Return what reads the content of a file of inputs, by default with the registry of the settings."""
    readers = readers_of(settings) if readers is None else readers

    def parse(path: str, content: bytes, *, rates: Rates | None = None) -> Inputs:
        return parse_inputs(path, content, readers, rates_of(settings) if rates is None else rates)

    return parse


def input_watch(settings: Settings) -> InputWatch | None:
    """Return what watches the file of inputs, where there is one; raise where a worker cannot read by it."""
    if settings.inputs_file is None:
        return None
    watch = InputWatch(settings.inputs_file, parser(settings), settings.rates)
    check_topics(settings, watch.path.name, watch.current.sources)
    return watch


def check_topics(settings: Settings, file: str, sources: Collection[str]) -> None:
    """Raise `SettingsError` where a source names a topic that Lapwing itself writes to."""
    ours = {spec.name for spec in planned(settings)} - set(settings.topics.values())
    ours.add(settings.topics[Topic.ACTIONS])
    if taken := sorted(ours.intersection(sources)):
        msg = f"{file}: {taken[0]} is a topic that Lapwing writes to: no source can be read from there"
        raise SettingsError(msg)


def mapped_topics(settings: Settings) -> dict[str, tuple[Topic, ...]]:
    """Return, by name, the topics whose records are mapped, and what of the contract each brings events of.

    Raises `RulebookRefused` where the file is bad.
    """
    return {name: source.topics for name, source in _sources(settings, settings.inputs_file).items()}


def followed_topics(settings: Settings) -> dict[str, tuple[Topic, ...]]:
    """Return the same of the topics that an importer follows, by the setting `import_inputs`."""
    return {name: source.topics for name, source in _sources(settings, settings.import_inputs).items()}


def _sources(settings: Settings, path: Path | None) -> Mapping[str, Source]:
    """Return, by topic, the sources of a file. Raises `RulebookRefused` where it is bad."""
    if path is None:
        return {}
    content = read_files([path])
    if content.mistakes:
        raise RulebookRefused(content.mistakes)
    return parser(settings)(str(path), content.contents[str(path)]).by_topic


def contract_topics(settings: Settings, sources: Collection[str]) -> dict[Topic, str]:
    """Return the names of the contract's topics; one that a source names holds the source's records."""
    return {topic: name for topic, name in settings.topics.items() if name not in sources}


def mapped_now(source: Source, values: Sequence[bytes | None]) -> Mapped:
    """Map records with the schemas that are needed. Raises `MappingWaits` where they cannot be had now."""
    try:
        return with_schemas(lambda: source.map(values))
    except SchemasWanted as wanted:
        msg = f"source {source.name!r} waits: {wanted}"
        raise MappingWaits(msg) from wanted
