"""inputs.yaml: which foreign records there are, and how each becomes events of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from streams.core.conditions.parser import closest
from streams.core.events.topics import Topic
from streams.files.tables.csv_file import WHITESPACE
from streams.inputs.contract_fields import MONEY, TOPICS, Kind, field_names, kind_of, refusal_of, required
from streams.inputs.money import has_minor_units
from streams.inputs.numbers import typed_value
from streams.inputs.paths import Path, parse_path
from streams.inputs.texts import text_of
from streams.inputs.times import NAMED_FORMATS, TimeFormat, parse_time_format
from streams.rulebook.fields import (
    SLUG,
    Read,
    choice,
    several,
    text,
    version,
    whole_number,
    written,
    zone_field,
)
from streams.rulebook.reader import Document, FileModel, Place, Schema, WrongValueError, WrongWhole, refusal

MOST_SOURCES: Final = 200
MOST_EVENTS: Final = 20
TOPIC_FORMATS: Final = ("json", "debezium", "avro", "json_schema")
FILE_FORMATS: Final = ("jsonl", "csv", "xlsx", "parquet")
WEBHOOKS: Final = ("shopify", "woocommerce", "stripe", "signed")

_PLACES: Final = ("topic", "files", "webhook")
_VALUES: Final = ("path", "constant", "first_of", "hash", "product")
_TOPIC_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SINGLE: Final[Schema] = {"type": ["string", "number", "boolean"]}


def _path(value: Any) -> Path:
    given = written(value)
    try:
        return parse_path(given)
    except ValueError as error:
        raise WrongValueError(str(error)) from None


def _single(value: Any) -> str:
    found = text_of(value if not isinstance(value, list | dict) else written(value))
    if found is None:
        msg = "is empty"
        raise WrongValueError(msg)
    return found


def _topic_name(value: Any) -> str:
    found = written(value)
    if _TOPIC_NAME.fullmatch(found) is None or found in (".", ".."):
        msg = f"is no name of a topic: {found!r}"
        raise WrongValueError(msg)
    return found


def _time_format(value: Any) -> TimeFormat:
    given = written(value)
    try:
        return parse_time_format(given)
    except ValueError as error:
        raise WrongValueError(str(error), closest(given, NAMED_FORMATS)) from None


path_field: Final = Read(_path, {"type": "string", "minLength": 1})
"""A path to a value."""
paths_field: Final = several(path_field, "paths")
_single_field: Final = Read(_single, _SINGLE)
_formats_field: Final = several(Read(_time_format, {"type": "string", "minLength": 1}), "formats")


def _currency(value: Any) -> str:
    found = written(value).strip().upper()
    if not has_minor_units(found):
        msg = (
            f"must be a currency of ISO 4217 such as EUR, or a path such as {{path: currency}}, not {found!r}"
        )
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


class CurrencyEntry(FileModel):
    """A currency that a record names itself."""

    shape: ClassVar[str] = "must be a currency such as EUR, or {path: currency}"

    path: Annotated[Path, path_field]
    """Where the record names the currency."""


def _minor_units(value: Any) -> str | CurrencyEntry:
    return CurrencyEntry.model_validate(value) if isinstance(value, dict) else _currency(value)


def _map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        msg = "must hold what stands for what, each `word: word`"
        raise WrongValueError(msg)
    found: dict[str, str] = {}
    mistakes = []
    for name, word in value.items():
        try:
            found[name] = _single(word)
        except WrongValueError as error:
            mistakes.append(WrongValueError(error.message, None, (name,)))
    if mistakes:
        raise refusal(mistakes)
    return found


class FieldEntry(FileModel):
    """Where the value of a field comes from, and what is done to it, in the order of these fields."""

    shape: ClassVar[str] = (
        "a field is a path, or a mapping that holds path, constant, first_of, hash or product"
    )

    path: Annotated[Path | None, path_field] = None
    """The place of the value in the record."""
    constant: Annotated[str | None, _single_field] = None
    """The value itself, the same for every record."""
    first_of: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places: the first that holds something."""
    hash: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places, whose texts are hashed to an id of 32 digits (SHA-256)."""
    product: Annotated[tuple[Path, ...], paths_field] = ()
    """Several places, whose numbers are multiplied."""
    trim: bool = False
    """Takes blanks away at both ends."""
    lower: bool = False
    """Writes it in lower case."""
    upper: bool = False
    """Writes it in upper case."""
    whole: bool = False
    """Writes an id that a program took for a number without its point: 13085.0 is 13085."""
    map: Annotated[dict[str, str] | None, Read(_map, {"type": "object", "additionalProperties": _SINGLE})] = (
        None
    )
    """Says one word for another; a word that is not named is refused."""
    otherwise: Annotated[str | None, _single_field] = None
    """What stands for words that `map` does not name."""
    decimal: Annotated[str | None, choice({"comma": "comma", "point": "point"})] = None
    """How numbers are written: comma for 1.234,50 and point for 1,234.50; by default 1234.50."""
    time: Annotated[tuple[TimeFormat, ...], _formats_field] = ()
    """How times are written: rfc3339, epoch_s, epoch_ms, epoch_us, epoch_days or a form: %d.%m.%Y %H:%M."""
    zone: Annotated[str | None, zone_field] = None
    """The time zone of times that name none; by default UTC."""
    minor_units: Annotated[
        str | CurrencyEntry | None,
        Read(_minor_units, {"anyOf": [{"type": "string"}, {"type": "object", "required": ["path"]}]}),
    ] = None
    """Amounts are in the smallest unit of this currency, such as cents."""
    absolute: bool = False
    """Takes the minus sign away."""
    rates: bool = False
    """Turns the amount into the setting `currency`, by the setting `rates`: a table of rates by day."""
    prefix: Annotated[str | None, text(64)] = None
    """Is put before the text."""
    default: Annotated[str | None, _single_field] = None
    """The value where there is none."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse none and several places to take the value from."""
        there = [name for name in _VALUES if name in given]
        if len(there) != 1:
            more = f", not {' and '.join(there)}" if there else ""
            yield WrongWhole(f"a field needs exactly one of {', '.join(_VALUES)}{more}")

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse what has no meaning beside the rest."""
        if self.otherwise is not None and self.map is None:
            yield WrongWhole(
                "`otherwise` is for words that `map` does not name; there is no `map`", None, ("otherwise",)
            )
        if self.lower and self.upper:
            yield WrongWhole("`lower` and `upper` contradict each other", None, ("upper",))
        if self.constant is not None and (self.default is not None or self.map is not None):
            yield WrongWhole("a constant needs neither `default` nor `map`", None, ("constant",))
        if self.zone is not None and not any(each.is_local for each in self.time):
            yield WrongWhole(
                "`zone` is for times that name no offset; give their form in `time`", None, ("zone",)
            )


def _as_field(value: Any) -> Any:
    """Take a word alone for a path."""
    return {"path": value} if isinstance(value, str | int | float) else value


Field_ = Annotated[FieldEntry, BeforeValidator(_as_field, json_schema_input_type=str | FieldEntry)]


class FilterEntry(FileModel):
    """What must hold of a value."""

    shape: ClassVar[str] = "a filter is a value, a list of values or a mapping"

    is_: Annotated[tuple[str, ...], several(_single_field, "values")] = Field((), alias="is")
    """One of these values."""
    not_: Annotated[tuple[str, ...], several(_single_field, "values")] = Field((), alias="not")
    """None of these values; a value that is not there is none of them."""
    starts_with: Annotated[tuple[str, ...], several(_single_field, "beginnings")] = ()
    """Begins with one of these texts."""
    present: bool | None = None
    """Whether something is there."""
    above: float | None = None
    """A number greater than this."""
    below: float | None = None
    """A number less than this."""
    decimal: Annotated[str | None, choice({"comma": "comma", "point": "point"})] = None
    """How the number is written: see the fields."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a filter that says nothing."""
        if not set(given) - {"decimal"}:
            yield WrongWhole("a filter needs one of is, not, starts_with, present, above, below")


def _as_filter(value: Any) -> Any:
    """Take a value, or a list of them, for those that it may be."""
    return value if isinstance(value, dict) or value is None else {"is": value}


Filter = Annotated[
    FilterEntry,
    BeforeValidator(
        _as_filter, json_schema_input_type=str | float | bool | list[str | float | bool] | FilterEntry
    ),
]


class EventEntry(FileModel):
    """One event of the contract that a record becomes."""

    shape: ClassVar[str] = "an event holds `to:`, `fields:` and, where not all records become one, `where:`"

    to: Annotated[str, choice({label: label for label in TOPICS})]
    """The contract's topic."""
    where: Annotated[dict[str, Filter], Field(min_length=1, max_length=50)] | None = None
    """Which records: by path what must hold there, all of it; by default every record."""
    fields: Annotated[dict[str, Field_], Field(min_length=1)]
    """The fields of the event."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse fields that the contract does not know or that are missing, and wrong paths of filters."""
        where, fields = given.get("where"), given.get("fields")
        for name in where if isinstance(where, dict) else ():
            try:
                parse_path(name)
            except ValueError as error:
                yield WrongWhole(f"{name!r} {error}", None, ("where", name))
        topic = TOPICS.get(given.get("to")) if isinstance(given.get("to"), str) else None  # type: ignore[arg-type]
        if topic is None or not isinstance(fields, dict):
            return
        known = field_names(topic)
        for name in fields:
            if name not in known:
                yield WrongWhole(
                    f"{topic.label} have no field {name!r}", closest(name, known), ("fields", name)
                )
        for name in required(topic):
            if name not in fields:
                yield WrongWhole(f"`{name}` is missing: {topic.label} need it", None, ("fields",))

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse conversions that a field cannot have, and values that the contract does not take."""
        amount = self.fields.get("amount")
        if amount is not None and amount.rates and "currency" not in self.fields:
            msg = "`rates` needs the field `currency`: it says what the amount is in"
            yield WrongWhole(msg, None, ("fields", "amount", "rates"))
        for name, entry in self.fields.items():
            for wrong in _wrong_conversions(name, entry):
                yield WrongWhole(wrong.message, None, ("fields", name, *wrong.at))
            for at, value in _written_values(entry):
                if wrong_value := _not_taken(self.topic, name, value):
                    yield WrongWhole(
                        f"{name}: {value!r} is not taken: {wrong_value}", None, ("fields", name, *at)
                    )

    @property
    def topic(self) -> Topic:
        """The contract's topic."""
        return TOPICS[self.to]

    @property
    def filters(self) -> dict[Path, FilterEntry]:
        """What must hold, by path."""
        return {parse_path(name): each for name, each in (self.where or {}).items()}


def _wrong_conversions(name: str, entry: FieldEntry) -> Iterator[WrongValueError]:
    """Yield each conversion that makes something else than the field takes."""
    kind = kind_of(name)
    numeric = kind in (Kind.NUMBER, Kind.WHOLE)
    allowed = {
        "time": kind is Kind.INSTANT,
        "product": numeric,
        "decimal": numeric,
        "absolute": numeric,
        "minor_units": name in MONEY,
        "rates": name == "amount",
        "hash": kind is Kind.TEXT,
        "whole": kind is Kind.TEXT,
        "prefix": kind is Kind.TEXT,
    }
    for conversion, fits in allowed.items():
        if getattr(entry, conversion) and not fits:
            yield WrongValueError(
                f"`{conversion}` is not for {name}, which takes {kind.value}", None, (conversion,)
            )
    for conversion in ("lower", "upper", "map") if entry.product else ():
        if getattr(entry, conversion):
            yield WrongWhole(f"`{conversion}` is for words, and a product is a number", None, (conversion,))


def _written_values(entry: FieldEntry) -> Iterator[tuple[Place, str]]:
    """Yield the values that stand in the file itself and come out as they are."""
    if entry.default is not None:
        yield ("default",), entry.default
    if (
        entry.minor_units is not None
        or entry.rates
        or entry.prefix is not None
        or entry.time
        or entry.decimal
    ):
        # Such a value is converted first; what comes of it is judged with each record.
        return
    if entry.constant is not None:
        yield ("constant",), entry.constant
    if entry.otherwise is not None:
        yield ("otherwise",), entry.otherwise
    for word, value in (entry.map or {}).items():
        yield ("map", word), value


def _not_taken(topic: Topic, name: str, value: str) -> str | None:
    """Return what the contract has against a value that is written in the file."""
    if name not in field_names(topic):
        return None
    typed = typed_value(kind_of(name), value)
    if typed is None:
        return f"it takes {kind_of(name).value}"
    return refusal_of(topic, name, typed)


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
        there = [name for name in _PLACES if name in given]
        if len(there) != 1:
            more = f", not {' and '.join(there)}" if there else ""
            yield WrongWhole(f"a source needs exactly one of {', '.join(_PLACES)}{more}")
            return
        known = {"topic": TOPIC_FORMATS, "files": FILE_FORMATS, "webhook": ("json",)}[there[0]]
        if (word := given.get("format")) in (*TOPIC_FORMATS, *FILE_FORMATS) and word not in known:
            msg = f"of a source with `{there[0]}` is {' or '.join(known)}, not {word!r}"
            yield WrongValueError(msg, None, ("format",))
        if "debezium" in given and given.get("format") != "debezium":
            yield WrongValueError("is for a source with `format: debezium`", None, ("debezium",))
        for name, place in (("key", "topic"), ("csv", "files"), ("xlsx", "files"), ("group", "files")):
            if name in given and there[0] != place:
                yield WrongValueError(f"is for a source with `{place}`", None, (name,))


class InputsFile(Document):
    """Which foreign records there are, and how each becomes events of the contract."""

    title: ClassVar[str] = "Lapwing inputs"
    shape: ClassVar[str] = "a file of inputs holds `version: 1` and `sources:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"sources": ("source", "")}

    version: Annotated[int, version]
    """Of the format."""
    sources: Annotated[dict[str, SourceEntry], Field(min_length=1, max_length=MOST_SOURCES)]
    """The sources by name."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse names that are no names, and two sources of one place."""
        sources = given.get("sources")
        if not isinstance(sources, dict):
            return
        topics: dict[str, str] = {}
        for name, source in sources.items():
            if SLUG.fullmatch(name) is None or len(name) > 64:
                msg = f"{name!r} must be lower-case letters, digits, - and _"
                yield WrongWhole(msg, None, ("sources", name))
            topic = source.get("topic") if isinstance(source, dict) else None
            if isinstance(topic, str):
                if topic in topics:
                    msg = (
                        f": source {topics[topic]!r} reads {topic!r} too; give one of them the events of both"
                    )
                    yield WrongValueError(msg, None, ("sources", name, "topic"))
                topics.setdefault(topic, name)
