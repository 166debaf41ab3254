"""JSON with the id of its schema before it: the mapping needs nothing of the schema, so none is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from streams.inputs.formats.reading import Read, read_each
from streams.inputs.formats.wire import HEADER, no_header, schema_id


class JsonSchemaReader:
    """Takes the id of the schema away."""

    def read(self, values: Sequence[bytes | None]) -> Read:
        """Return each record as JSON."""
        return read_each(values, without_header)


def without_header(value: bytes) -> bytes:
    """Return what follows the id of the schema. Raises `Refused`."""
    if schema_id(value) is None:
        raise no_header()
    return value[HEADER:]
