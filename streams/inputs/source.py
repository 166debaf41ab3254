"""A source: records of one kind, and the events of the contract that they become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.decode import Decoded, RefusedRecord, decode_poll
from streams.contract.instants import read_instants
from streams.contract.mistakes import one_line
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.inputs.contract_fields import required
from streams.inputs.event_entry import EventEntry
from streams.inputs.fields import FieldMapping
from streams.inputs.filter_entry import FilterEntry
from streams.inputs.filters import holds
from streams.inputs.paths import Path, show_path
from streams.inputs.problems import Problems
from streams.inputs.rates import DAYS_BACK, Rates
from streams.inputs.records import RecordReader
from streams.inputs.source_entry import SourceEntry
from streams.inputs.texts import Column, Columns, text_column

KEY_DETAIL: Final = (
    "the record's key is not the customer that the mapping finds; where keys are something else, "
    "`lapwing import --follow` writes the events under the right ones"
)


NO_CURRENCY_TO_CONVERT: Final = "cannot be converted: the record names no currency"
NO_RATE: Final = f"cannot be converted: its currency has no rate for its day or the {DAYS_BACK} days before"
DAY_US: Final = 86_400_000_000


class Reader(Protocol):
    """A format: whatever bytes records have become JSON objects."""

    def read(self, values: Sequence[bytes | None]) -> tuple[list[bytes | None], list[RefusedRecord]]:
        """Return for each record (n,) its JSON, and the records that cannot be read.

        A record that is `None` and not refused is passed over.
        """
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one topic that came of a poll: `topic, values, index = part`."""

    topic: Topic
    values: list[bytes]
    """(m,) the events as the contract's JSON."""
    index: NDArray[np.int64]
    """(m,) the place of the record that each came of."""

    def __iter__(self) -> Iterator[Any]:
        """Yield topic, values and index."""
        yield from (self.topic, self.values, self.index)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapping made of a poll; the contract has not judged it yet."""

    parts: list[Part]
    """For each event of the source, in its order there, those records that became one."""
    customers: list[list[str]]
    """For each part (m,) the customers, which are the keys of the contract's topics."""
    refused: list[RefusedRecord]
    """Records that could not be mapped, each once, in the order of the poll."""
    passed: int
    """How many records no filter took."""


@dataclass(frozen=True, slots=True)
class EventMapping:
    """How records become events of one topic."""

    topic: Topic
    filters: Mapping[Path, FilterEntry]
    fields: tuple[FieldMapping, ...]
    rates: Rates | None = None
    """Where the amount is to be in another currency: what turns it into that."""

    @classmethod
    def of(cls, entry: EventEntry, rates: Rates | None = None) -> EventMapping:
        """Return what an entry of the file says; `rates` are those of the settings."""
        amount = entry.fields.get("amount")
        needed = required(entry.topic)
        fields = tuple(FieldMapping(name, each, name in needed) for name, each in entry.fields.items())
        return cls(entry.topic, entry.filters, fields, rates if amount is not None and amount.rates else None)

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is read of a record."""
        return (*self.filters, *(path for each in self.fields for path in each.paths))

    def taken(self, columns: Columns, n: int) -> NDArray[np.int64]:
        """Return the places of records that the filters take, of n."""
        return np.flatnonzero(holds(self.filters, columns, n))

    def events(self, columns: Columns, n: int) -> tuple[pl.DataFrame, Problems]:
        """Return the fields (n rows), and what is wrong with records."""
        problems = Problems(n)
        made = {each.name: each.values(columns, n, problems) for each in self.fields}
        if self.rates is not None:
            self._convert(self.rates, made, problems)
        return pl.DataFrame(made), problems

    def _convert(self, rates: Rates, made: dict[str, pl.Series], problems: Problems) -> None:
        """Turn the amounts into the currency of `rates`, each by the rate of its day in UTC."""
        names = made["currency"].cast(pl.String).str.strip_chars().str.to_uppercase()
        instants, _ = read_instants([text or "" for text in made["occurred_at"].to_list()])
        found = rates.of(instants // DAY_US, names.to_list())
        amounts = made["amount"]
        there = amounts.is_not_null().to_numpy()
        origin = self.origin("amount")
        no_currency = there & names.is_null().to_numpy()
        problems.note(no_currency, RefusalReason.MISSING_FIELD, f"{origin} {NO_CURRENCY_TO_CONVERT}")
        problems.note(there & np.isnan(found), RefusalReason.OTHER_CURRENCY, f"{origin} {NO_RATE}")
        made["amount"] = pl.Series(amounts.to_numpy() * found, nan_to_null=True, dtype=pl.Float64)
        made["currency"] = pl.repeat(rates.currency, len(amounts), dtype=pl.String, eager=True)

    def origin(self, field_name: str) -> str | None:
        """Return what a refusal of the contract says of a field, `None` where there is no such field."""
        return next((each.origin for each in self.fields if each.name == field_name), None)


@dataclass(frozen=True, slots=True)
class Source:
    """Records of one kind, and the events of the contract that they become."""

    name: str
    entry: SourceEntry
    """As it stands in the file."""
    events: tuple[EventMapping, ...]
    reader: Reader | None = field(default=None, compare=False)
    """What reads another format than JSON: `entry` says which."""
    _records: RecordReader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        paths = dict.fromkeys(path for each in self.events for path in each.paths)
        object.__setattr__(self, "_records", RecordReader(tuple(paths)))

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The contract's topics that it feeds, each once."""
        return tuple(dict.fromkeys(each.topic for each in self.events))

    @property
    def rates(self) -> Rates | None:
        """What turns amounts into another currency, where one of its events wants that."""
        return next((each.rates for each in self.events if each.rates is not None), None)

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is read of a record."""
        return self._records.paths

    @property
    def checks_keys(self) -> bool:
        """Whether a record's key has to be its customer."""
        return self.entry.key != "trusted"

    def missing_columns(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that the mapping reads and a table does not have."""
        there = set(columns)
        return [_column_name(path) for path in self.paths if _column_name(path) not in there]

    def map(self, values: Sequence[bytes | None]) -> Mapped:
        """Return what records become; a record that cannot be mapped costs no other one."""
        refused: list[RefusedRecord] = []
        tombstones = [i for i, value in enumerate(values) if value is None] if None in values else []
        if self.reader is not None:
            values, refused = self.reader.read(values)
            known = {each.index for each in refused}
            tombstones = [i for i, value in enumerate(values) if value is None and i not in known]
        elif Topic.PROFILES not in self.topics:
            tombstones = []
        read = self._records.read(values)
        gone = {each.index for each in refused} | set(tombstones)
        refused += [each for each in read.refused if each.index not in gone]
        refused = [self._named(each) for each in refused]
        columns = {path: Column.of(found) for path, found in zip(self.paths, read.columns, strict=True)}
        mapped = self._map_columns(columns, np.array(read.index, dtype=np.int64), refused)
        return replace(mapped, passed=mapped.passed + len(tombstones)) if tombstones else mapped

    def map_table(self, frame: pl.DataFrame) -> Mapped:
        """Return what the rows of a table become; a column that is not there is empty in every row."""
        columns = {}
        for path in self.paths:
            name = _column_name(path)
            if name not in frame.columns:
                column = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
            elif frame.schema[name] == pl.String:
                column = frame[name]
                column = column.set((column == "").fill_null(False), None)
            else:
                column = text_column(frame[name].to_list())
            columns[path] = Column(column, {})
        return self._map_columns(columns, np.arange(frame.height, dtype=np.int64), [])

    def decode(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        timestamps_ms: Sequence[int] | NDArray[np.int64] | None,
        *,
        max_skew_us: int,
        now_us: int | None = None,
    ) -> Decoded:
        """Return the events of a poll as columns, as `decode_poll` does for a topic of the contract.

        A record may become several events: then its place stands in `index` several times. A record of which
        one event is refused is in `refused` once, and its other events are accepted.
        """
        mapped = self.map(values)
        batches: list[Batch] = []
        places: list[NDArray[np.int64]] = []
        refused = list(mapped.refused)
        for number, part in enumerate(mapped.parts):
            found = self._decoded(number, mapped, keys, timestamps_ms, max_skew_us, now_us)
            batches.append(found.batch)
            places.append(part.index[found.index])
            refused += [replace(each, index=int(part.index[each.index])) for each in found.refused]
        index = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        order = np.argsort(index, kind="stable")
        return Decoded(Batch.concat(batches).take(order), index[order], _each_once(refused))

    def judged(
        self,
        mapped: Mapped,
        keys: Sequence[bytes | None] | None = None,
        timestamps_ms: Sequence[int] | NDArray[np.int64] | None = None,
        *,
        max_skew_us: int,
        now_us: int | None = None,
    ) -> Mapped:
        """Return what the contract takes of what was mapped; the rest is refused too, as by `decode`."""
        parts, customers = [], []
        refused = list(mapped.refused)
        for number, part in enumerate(mapped.parts):
            found = self._decoded(number, mapped, keys, timestamps_ms, max_skew_us, now_us)
            kept = found.index.tolist()
            parts.append(Part(part.topic, [part.values[i] for i in kept], part.index[found.index]))
            customers.append([mapped.customers[number][i] for i in kept])
            refused += [replace(each, index=int(part.index[each.index])) for each in found.refused]
        return Mapped(parts, customers, _each_once(refused), mapped.passed)

    def _map_columns(
        self, columns: Columns, index: NDArray[np.int64], refused: list[RefusedRecord]
    ) -> Mapped:
        """Return what columns (n,) of records become whose places in the poll are `index` (n,)."""
        n = len(index)
        untaken = np.ones(n, dtype=np.bool_)
        parts: list[Part] = []
        customers: list[list[str]] = []
        for event in self.events:
            taken = event.taken(columns, n)
            untaken[taken] = False
            some = columns if len(taken) == n else {path: columns[path].take(taken) for path in event.paths}
            frame, problems = event.events(some, len(taken))
            places = index[taken]
            if not problems.none:
                refused += [self._named(each) for each in problems.refused(places)]
                right = ~problems.wrong()
                frame, places = frame.filter(right), places[right]
            parts.append(Part(event.topic, _as_json(frame), places))
            customers.append(frame["customer_id"].to_list())
        return Mapped(parts, customers, _each_once(refused), int(untaken.sum()))

    def _named(self, record: RefusedRecord) -> RefusedRecord:
        return replace(record, detail=one_line(f"{self.name}: {record.detail}"))

    def _decoded(
        self,
        number: int,
        mapped: Mapped,
        keys: Sequence[bytes | None] | None,
        timestamps_ms: Sequence[int] | NDArray[np.int64] | None,
        max_skew_us: int,
        now_us: int | None,
    ) -> Decoded:
        """Return a part as the contract reads it; refusals name the source and where a value came from."""
        part, event = mapped.parts[number], self.events[number]
        own = None if timestamps_ms is None else np.asarray(timestamps_ms, dtype=np.int64)[part.index]
        found = decode_poll(part.topic, part.values, None, own, max_skew_us=max_skew_us, now_us=now_us)
        if found.refused:
            refused = []
            for each in found.refused:
                name, colon, rest = each.detail.partition(":")
                origin = event.origin(name.partition(".")[0]) if colon else None
                detail = f"{origin}:{rest}" if origin is not None else each.detail
                refused.append(self._named(replace(each, detail=detail)))
            found = replace(found, refused=refused)
        if keys is None or not self.checks_keys:
            return found
        given = [keys[i] for i in part.index.tolist()]
        return _with_right_keys(self.name, found, mapped.customers[number], given)


def _column_name(path: Path) -> str:
    """Return the column of a table that a path names."""
    return str(path[0]) if len(path) == 1 else show_path(path)


def _as_json(frame: pl.DataFrame) -> list[bytes]:
    """Return the rows of a table as JSON objects; columns without any value are left out."""
    if not frame.height:
        return []
    there = [column for column in frame.get_columns() if column.null_count() < frame.height]
    texts = pl.DataFrame(there).select(pl.struct(pl.all()).struct.json_encode().cast(pl.Binary))
    return texts.to_series().to_list()


def _with_right_keys(
    name: str, found: Decoded, expected: Sequence[str], given: Sequence[bytes | None]
) -> Decoded:
    """Refuse the accepted events whose record has another key than is expected (m,)."""
    texts = pl.Series(expected, dtype=pl.String).cast(pl.Binary)
    same = (texts == pl.Series(given, dtype=pl.Binary)).fill_null(False).to_numpy()
    wrong = found.index[~same[found.index]]
    if not len(wrong):
        return found
    return found.refuse(wrong.tolist(), RefusalReason.KEY_MISMATCH, f"{name}: {KEY_DETAIL}")


def _each_once(refused: Iterable[RefusedRecord]) -> list[RefusedRecord]:
    """Return refused records by their places, each with the first thing that is wrong with it.

    A time in the future comes before all else: whether a record is refused for it depends on when it is read.
    """
    first: dict[int, RefusedRecord] = {}
    for each in refused:
        if each.index not in first or each.reason is RefusalReason.FUTURE_TIME:
            first[each.index] = each
    return sorted(first.values(), key=lambda each: each.index)
