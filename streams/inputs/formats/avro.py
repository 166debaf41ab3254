"""Avro records with the id of their schema: each is read by the schema that it was written with."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from streams.contract.rejected import RefusalReason
from streams.inputs.formats import instants
from streams.inputs.formats.avro_schema import PREFIX, SchemaMistake, read_schema
from streams.inputs.formats.decimals import decimal_text
from streams.inputs.formats.reading import FormatUnavailable, Read, Refused, SchemasWanted, read_each
from streams.inputs.formats.schemas import Schemas, SchemaUnusable
from streams.inputs.formats.wire import HEADER, no_header, schema_id

MOST: Final = 10_000
"""Compiled schemas that are kept."""


def _decimal(content: Any, schema: dict[str, Any] | None = None, _reader: object = None) -> str:
    assert schema is not None
    return decimal_text(content, schema["scale"])


def _times(read: Callable[[int], instants.Time]) -> Callable[..., instants.Time]:
    return lambda number, _schema=None, _reader=None: read(number)


_TIMES: Final = {
    "day": instants.day,
    "instant-ms": instants.instant_ms,
    "instant-us": instants.instant_us,
    "instant-ns": instants.instant_ns,
    "local-ms": instants.local_ms,
    "local-us": instants.local_us,
    "local-ns": instants.local_ns,
}


def _fastavro() -> Any:
    """Return fastavro, which then knows the logical types of `avro_schema`. Raises `FormatUnavailable`."""
    try:
        import fastavro
        import fastavro.read
    except ImportError as error:
        msg = "Avro needs another package: pip install 'lapwing[registry]'"
        raise FormatUnavailable(msg) from error
    for name, read in _TIMES.items():
        for kind in ("int", "long"):
            fastavro.read.LOGICAL_READERS[f"{kind}-{PREFIX}{name}"] = _times(read)
    for kind in ("bytes", "fixed"):
        fastavro.read.LOGICAL_READERS[f"{kind}-{PREFIX}decimal"] = _decimal
    return fastavro


class AvroRecords:
    """Reads records of Avro as Python values. Raises `FormatUnavailable`."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._fastavro = _fastavro()
        self._compiled: dict[int, Any] = {}
        self._refused: dict[int, str] = {}

    def prepare(self, values: Sequence[bytes | None]) -> None:
        """Raise `SchemasWanted` where the schema of a record has to be fetched."""
        ids = {found for value in values if value is not None and (found := schema_id(value)) is not None}
        wanted = [each for each in sorted(ids - self._compiled.keys()) if self._is_wanted(each)]
        if wanted:
            raise SchemasWanted(wanted, lambda: self._schemas.fetch(wanted))

    def _is_wanted(self, wanted: int) -> bool:
        try:
            return self._schemas.get(wanted) is None
        except SchemaUnusable:
            return False

    def record(self, value: bytes) -> Any:
        """Return what a record holds. Raises `Refused`."""
        written_by = schema_id(value)
        if written_by is None:
            raise no_header()
        schema = self._compiled.get(written_by)
        if schema is None:
            schema = self._compile(written_by)
        file = io.BytesIO(value)
        file.seek(HEADER)
        try:
            found = self._fastavro.schemaless_reader(file, schema, None)
        except Exception as error:
            # Any: fastavro raises what happens to go wrong in it, such as IndexError.
            raise Refused(
                RefusalReason.UNREADABLE, f"the record is not what its schema ({written_by}) says"
            ) from error
        if file.tell() != len(value):
            raise Refused(
                RefusalReason.UNREADABLE, f"the record goes on after what its schema ({written_by}) says"
            )
        return found

    def _compile(self, written_by: int) -> Any:
        """Return the schema of an id as fastavro reads it. Raises `Refused`."""
        try:
            found = self._schemas.get(written_by)
        except SchemaUnusable as error:
            raise Refused(RefusalReason.SCHEMA_UNKNOWN, f"schema {written_by}: {error}") from error
        if found is None:  # forgotten between `prepare` and here
            raise Refused(RefusalReason.SCHEMA_UNKNOWN, f"schema {written_by} is not known now")
        wrong = self._refused.get(written_by)
        if wrong is None:
            try:
                if found.kind != "AVRO":
                    msg = f"it is a schema of {found.kind}, not of Avro"
                    raise SchemaMistake(msg)
                schema = read_schema(found.text, found.references)
                compiled = self._fastavro.parse_schema(schema)
            except SchemaMistake as error:
                wrong = str(error)
            except Exception as error:
                # Any, as above. Its text may hold what is in the schema, which names columns and no customer.
                wrong = f"fastavro does not take the schema: {' '.join(str(error).split())[:200]}"
            else:
                while len(self._compiled) >= MOST:
                    del self._compiled[next(iter(self._compiled))]
                self._compiled[written_by] = compiled
                return compiled
            while len(self._refused) >= MOST:
                del self._refused[next(iter(self._refused))]
            self._refused[written_by] = wrong
        raise Refused(RefusalReason.UNREADABLE, f"schema {written_by}: {wrong}")


class AvroReader:
    """Reads records of Avro: times as text, decimals as text of all their digits, bytes in base64."""

    def __init__(self, records: AvroRecords) -> None:
        self._records = records
        self._encode = msgspec.json.Encoder().encode

    def read(self, values: Sequence[bytes | None]) -> Read:
        """Return each record as JSON."""
        self._records.prepare(values)
        return read_each(values, self._one)

    def _one(self, value: bytes) -> bytes:
        return encoded(self._encode, self._records.record(value))


def encoded(encode: Callable[[Any], bytes], found: Any) -> bytes:
    """Return a record as JSON. Raises `Refused`."""
    try:
        return encode(found)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise Refused(RefusalReason.UNREADABLE, "the record holds what cannot be written as JSON") from error
