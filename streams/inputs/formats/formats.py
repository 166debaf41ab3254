"""From a format's name and its options, as a source has them, to what reads its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streams.inputs.formats.avro import AvroReader, AvroRecords
from streams.inputs.formats.debezium import Debezium, DebeziumAvroReader, DebeziumReader, RecordOf
from streams.inputs.formats.json_schema import JsonSchemaReader, without_header
from streams.inputs.formats.reading import FormatUnavailable
from streams.inputs.formats.schemas import Schemas
from streams.inputs.source import Reader
from streams.inputs.source_entry import DebeziumEntry, SourceEntry


def needs_registry(entry: SourceEntry) -> bool:
    """Return whether records of a source can be read with a schema registry only."""
    return entry.format == "avro" or (entry.format == "debezium" and _entry(entry).encoding == "avro")


def has_schema_ids(entry: SourceEntry) -> bool:
    """Return whether each record of a source names a schema of a registry, whether it is needed or not."""
    encoded = _entry(entry).encoding if entry.format == "debezium" else entry.format
    return encoded in ("avro", "json_schema")


def readers(schemas: Schemas | None) -> Mapping[str, Callable[[SourceEntry], Reader]]:
    """Return by format what makes the reader of a source; `schemas` is `None` where no registry is set.

    What makes one raises `FormatUnavailable` without the registry, or the package, that it needs.
    """

    def avro() -> AvroRecords:
        if schemas is None:
            msg = "Avro needs a schema registry: set schema_registry_url"
            raise FormatUnavailable(msg)
        return AvroRecords(schemas)

    def debezium(entry: SourceEntry) -> Reader:
        given = _entry(entry)
        options = Debezium(RecordOf(given.record), tuple(sorted(given.decimals.items())))
        if given.encoding == "avro":
            return DebeziumAvroReader(options, avro())
        return DebeziumReader(options, without_header if given.encoding == "json_schema" else None)

    return {
        "debezium": debezium,
        "avro": lambda entry: AvroReader(avro()),
        "json_schema": lambda entry: JsonSchemaReader(),
    }


def _entry(entry: SourceEntry) -> DebeziumEntry:
    return entry.debezium or DebeziumEntry.model_validate({})
