"""Whether an Avro schema can be trusted, and as what fastavro is to read it.

Records are read in C without a limit: a schema that contains itself ends the process on a record that nests
deep, types without bytes fill the memory from a record of a few, and long decimals take minutes. Such schemas
are refused here. Times and decimals get names of their own, by which `avro` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from streams.inputs.formats.instants import NAMED

MOST_TYPES: Final = 10_000
"""Types in a schema, each counted as often as it occurs when it is written out."""
DEEPEST: Final = 40
PREFIX: Final = "lapwing-"
"""Begins the logical types that `avro` reads."""

PRIMITIVE: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_INSTANTS: Final = {
    "timestamp-millis": "instant-ms",
    "timestamp-micros": "instant-us",
    "timestamp-nanos": "instant-ns",
    "local-timestamp-millis": "local-ms",
    "local-timestamp-micros": "local-us",
    "local-timestamp-nanos": "local-ns",
    "date": "day",
}
_NAMES: Final = {
    "io.debezium.time.Date": "day",
    "io.debezium.time.Timestamp": "local-ms",
    "io.debezium.time.MicroTimestamp": "local-us",
    "io.debezium.time.NanoTimestamp": "local-ns",
}
assert _NAMES.keys() <= NAMED.keys()


class SchemaMistake(Exception):
    """A schema that is not Avro's, or that cannot be read safely."""


def read_schema(text: str, references: tuple[str, ...] = ()) -> Any:
    """Return a schema, with those that it refers to written into it, as fastavro is to read it.

    Raises `SchemaMistake`.
    """
    named: dict[str, tuple[Any, str]] = {}
    try:
        for each in references:
            _Walk(named).take_in(json.loads(each), "")
        return _Walk(named).type(json.loads(text), "", 0, False)
    except (ValueError, RecursionError) as error:
        msg = "the schema is not JSON"
        raise SchemaMistake(msg) from error


class _Walk:
    """Walks through a schema, type by type."""

    def __init__(self, named: dict[str, tuple[Any, str]]) -> None:
        self._named = named
        """The types that have names, with the namespace that each stands in."""
        self._open: list[str] = []
        self._written: set[str] = set()
        self._count = 0

    def take_in(self, schema: Any, space: str) -> None:
        """Remember the named types of a schema that others refer to."""
        self.type(schema, space, 0, False)

    def type(self, schema: Any, space: str, depth: int, listed: bool) -> Any:
        """Return a type as fastavro is to read it; `listed` inside a list or map."""
        self._count += 1
        if self._count > MOST_TYPES:
            msg = f"the schema has more than {MOST_TYPES:,} types when it is written out"
            raise SchemaMistake(msg)
        if depth > DEEPEST:
            msg = f"the schema nests deeper than {DEEPEST} types"
            raise SchemaMistake(msg)
        if isinstance(schema, list):
            return [self.type(each, space, depth + 1, listed) for each in schema]
        if isinstance(schema, str):
            return schema if schema in PRIMITIVE else self._referred(schema, space, depth, listed)
        if not isinstance(schema, dict):
            msg = "a type in the schema is neither a name nor an object nor a list"
            raise SchemaMistake(msg)
        kind = schema.get("type")
        if not isinstance(kind, str):
            return self.type(kind, space, depth + 1, listed)
        return self._kinds(kind)(schema, space, depth, listed)

    def _kinds(self, kind: str) -> Callable[[Mapping[str, Any], str, int, bool], Any]:
        if kind in PRIMITIVE:
            return self._primitive
        found = {
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._list,
            "map": self._list,
        }.get(kind)
        return found or (lambda schema, space, depth, listed: self.type(kind, space, depth + 1, listed))

    def _referred(self, name: str, space: str, depth: int, listed: bool) -> Any:
        for full in [name] if "." in name or not space else [f"{space}.{name}", name]:
            if full in self._open:
                msg = f"the schema contains itself: {full}; such records are not read"
                raise SchemaMistake(msg)
            if full in self._named:
                definition, stood_in = self._named[full]
                return self.type(definition, stood_in, depth + 1, listed)
        msg = f"the schema refers to a type that is nowhere: {name[:200]}"
        raise SchemaMistake(msg)

    def _primitive(self, schema: Mapping[str, Any], space: str, depth: int, listed: bool) -> Any:
        kind = schema["type"]
        logical = schema.get("logicalType")
        if kind in ("int", "long"):
            own = _NAMES.get(str(schema.get("connect.name"))) or _INSTANTS.get(str(logical))
            return {"type": kind, "logicalType": PREFIX + own} if own else kind
        if kind == "bytes" and logical == "decimal":
            return {"type": kind, "logicalType": f"{PREFIX}decimal", "scale": schema.get("scale", 0)}
        return kind

    def _define(self, schema: Mapping[str, Any], space: str) -> tuple[str, str]:
        """Remember a named type; return its full name and the namespace in it."""
        name = schema.get("name")
        if not isinstance(name, str):
            msg = "a type in the schema has no name"
            raise SchemaMistake(msg)
        within = schema.get("namespace", space)
        if "." in name:
            within = name.rpartition(".")[0]
        full = name if "." in name or not within else f"{within}.{name}"
        if self._named.setdefault(full, (schema, space))[0] != schema:
            msg = f"the schema defines {full} twice"
            raise SchemaMistake(msg)
        return full, str(within)

    def _once(self, full: str, written: dict[str, Any]) -> Any:
        """Return a named type whole where it occurs for the first time, then its name."""
        if full in self._written:
            return full
        self._written.add(full)
        return written

    def _record(self, schema: Mapping[str, Any], space: str, depth: int, listed: bool) -> Any:
        full, within = self._define(schema, space)
        fields = schema.get("fields")
        if not isinstance(fields, list) or not all(
            isinstance(each, dict) and isinstance(each.get("name"), str) and "type" in each for each in fields
        ):
            msg = f"the schema's record {full} has fields without a name or a type"
            raise SchemaMistake(msg)
        if listed and not fields:
            raise SchemaMistake(_no_bytes())
        self._open.append(full)
        inside = [
            {"name": each["name"], "type": self._with_bytes(each["type"], within, depth + 1, listed)}
            for each in fields
        ]
        self._open.pop()
        return self._once(full, {"type": "record", "name": full, "fields": inside})

    def _enum(self, schema: Mapping[str, Any], space: str, depth: int, listed: bool) -> Any:
        full, _ = self._define(schema, space)
        return self._once(full, {"type": "enum", "name": full, "symbols": schema.get("symbols")})

    def _fixed(self, schema: Mapping[str, Any], space: str, depth: int, listed: bool) -> Any:
        full, _ = self._define(schema, space)
        size = schema.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            msg = f"the schema's {full} has no size"
            raise SchemaMistake(msg)
        if listed and size == 0:
            raise SchemaMistake(_no_bytes())
        written: dict[str, Any] = {"type": "fixed", "name": full, "size": size}
        if schema.get("logicalType") == "decimal":
            written |= {"logicalType": f"{PREFIX}decimal", "scale": schema.get("scale", 0)}
        return self._once(full, written)

    def _list(self, schema: Mapping[str, Any], space: str, depth: int, listed: bool) -> Any:
        part = "items" if schema["type"] == "array" else "values"
        return {
            "type": schema["type"],
            part: self._with_bytes(schema.get(part), space, depth + 1, listed=True),
        }

    def _with_bytes(self, schema: Any, space: str, depth: int, listed: bool) -> Any:
        """Return a type that is not a branch of a union: in a list it must take at least a byte."""
        bare = schema
        while isinstance(bare, dict) and not (isinstance(bare.get("type"), str) and bare["type"] != "null"):
            bare = bare.get("type")
        if listed and bare == "null":
            raise SchemaMistake(_no_bytes())
        return self.type(schema, space, depth, listed)


def _no_bytes() -> str:
    return "the schema has a list of what takes no bytes: a record of a few could hold any number of them"
