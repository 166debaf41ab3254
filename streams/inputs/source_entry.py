"""A source in inputs.yaml: where its records are, how they are written, and what they become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from streams.files.tables.csv_file import WHITESPACE
from streams.inputs.event_entry import EventEntry
from streams.inputs.field_entry import paths_field
from streams.inputs.paths import Path
from streams.rulebook.fields import Read, choice, several, text, whole_number, written
from streams.rulebook.reader import FileModel, WrongValueError, exactly_one

MOST_EVENTS: Final = 20
TOPIC_FORMATS: Final = ("json", "debezium", "avro", "json_schema")
FILE_FORMATS: Final = ("jsonl", "csv", "xlsx", "parquet")
WEBHOOKS: Final = ("shopify", "woocommerce", "stripe", "signed")

_PLACES: Final = ("topic", "files", "webhook")
_TOPIC_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


def _topic_name(value: Any) -> str:
    found = written(value)
    if _TOPIC_NAME.fullmatch(found) is None or found in (".", ".."):
        msg = f"is no name of a topic: {found!r}"
        raise WrongValueError(msg)
    return found


def _delimiter(value: Any) -> str:
    found = written(value)
    if found == "\\t" or value == "\t":
        return "\t"
    if found == WHITESPACE:
        return found
    if len(found) != 1 or not found.isascii() or found in '"\n\r\0':
        msg = f"must be one character such as ; or \\t, or whitespace, not {found!r}"
        raise WrongValueError(msg)
    return found


class CsvEntry(FileModel):
    """How a CSV file is written."""

    shape: ClassVar[str] = "`csv` holds `delimiter:`, `encoding:` or `header:`"

    delimiter: Annotated[str, Read(_delimiter, {"type": "string", "minLength": 1, "maxLength": 10})] = ","
    """The one character between fields; whitespace for columns that blanks set apart."""
    encoding: Annotated[str, text(40)] = "utf-8"
    """The encoding, as Python names it."""
    header: bool = True
    """Whether the first line names the columns; without, they are column_1, column_2 and so on."""
    columns: Annotated[tuple[str, ...], several(text(200), "names")] = ()
    """The names of the columns, where there is no header or others are wanted."""
    quote: Annotated[str, text(1)] = '"'
    """The character around fields that hold the delimiter."""


class XlsxEntry(FileModel):
    """Which part of a workbook holds the records."""

    shape: ClassVar[str] = "`xlsx` holds `sheets:` or `header_row:`"

    sheets: Annotated[tuple[str, ...], several(text(64), "names")] = ()
    """The sheets that are read; by default all."""
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    """The row that names the columns."""


class DebeziumEntry(FileModel):
    """How change records of Debezium are written, and what paths name."""

    shape: ClassVar[str] = "`debezium` holds `record:`, `encoding:` or `decimals:`"

    record: Annotated[str, choice({word: word for word in ("after", "change")})] = "after"
    """after: paths name the columns of the row after the change, and a deletion is passed over; change: the
    whole change, with op, ts_ms, source.ts_ms, before.COLUMN and after.COLUMN, deletions too."""
    encoding: Annotated[str, choice({word: word for word in ("json", "avro", "json_schema")})] = "json"
    """What the change records are written in."""
    decimals: dict[str, Annotated[int, whole_number(0, 100)]] = Field({}, max_length=500)
    """Columns of decimals in base64 with their digits after the point, where records come without schemas."""


class GroupEntry(FileModel):
    """Several lines of a file make one record, such as the items of an order."""

    shape: ClassVar[str] = "`group` holds `by:` and `sum:`"

    by: Annotated[tuple[Path, ...], paths_field]
    """Lines that have the same values here belong together; other columns are taken from the first."""
    sum: Annotated[tuple[str, ...], several(text(64), "fields")] = ()
    """Fields of the events whose numbers are added up."""


class SourceEntry(FileModel):
    """Records of one kind, from a topic, from files or from a webhook."""

    shape: ClassVar[str] = "a source holds `topic:`, `files:` or `webhook:`, and `events:`"

    topic: Annotated[str | None, Read(_topic_name, {"type": "string", "maxLength": 249})] = None
    """The Kafka topic that the records are read from."""
    files: Annotated[str | None, text(400)] = None
    """The files that the records are read from, as a pattern: orders-*.csv."""
    webhook: Annotated[str | None, choice({word: word for word in WEBHOOKS})] = None
    """Who sends the records to `lapwing ingest`."""
    format: Annotated[str | None, choice({word: word for word in (*TOPIC_FORMATS, *FILE_FORMATS)})] = None
    """How records are written; by default json, and for files what their names end in."""
    key: Annotated[str | None, choice({"checked": "checked", "trusted": "trusted"})] = None
    """checked: a record's key is its customer; trusted: the producer keeps a customer in one partition."""
    csv: CsvEntry | None = None
    """How CSV files are written."""
    debezium: DebeziumEntry | None = None
    """How change records are written."""
    xlsx: XlsxEntry | None = None
    """Which part of workbooks is read."""
    group: GroupEntry | None = None
    """For files: how several lines become one record."""
    events: Annotated[list[EventEntry], Field(min_length=1, max_length=MOST_EVENTS)]
    """What a record becomes: nothing, one event or several."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a source that has no place or two, and what belongs to another kind of place."""
        if wrong := list(exactly_one("a source", _PLACES, given)):
            yield from wrong
            return
        own = next(name for name in _PLACES if name in given)
        known = {"topic": TOPIC_FORMATS, "files": FILE_FORMATS, "webhook": ("json",)}[own]
        if (word := given.get("format")) in (*TOPIC_FORMATS, *FILE_FORMATS) and word not in known:
            msg = f"of a source with `{own}` is {' or '.join(known)}, not {word!r}"
            yield WrongValueError(msg, None, ("format",))
        if "debezium" in given and given.get("format") != "debezium":
            yield WrongValueError("is for a source with `format: debezium`", None, ("debezium",))
        for name, place in (("key", "topic"), ("csv", "files"), ("xlsx", "files"), ("group", "files")):
            if name in given and own != place:
                yield WrongValueError(f"is for a source with `{place}`", None, (name,))
