"""What reads bytes from outside, one function for each: it raises only where something is broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from tempfile import TemporaryDirectory
from typing import Any, Final

import fsspec  # type: ignore[import-untyped]  # ships no type hints
import numpy as np
from fastapi.testclient import TestClient

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.sink import kinds
from streams.checkpoints.store import MANIFEST, CheckpointStore, _with_checksum
from streams.contract.audit import parse_adopted
from streams.contract.census import parse_census
from streams.contract.customer_days import parse_customer_days, parse_score
from streams.contract.decode import decode_lines, decode_poll
from streams.contract.erasures import parse_erasure
from streams.contract.models import CHAMPION, PIN, ModelLog
from streams.contract.outcomes import parse_outcome
from streams.contract.rejected import read_rejected_headers
from streams.contract.samples import parse_samples
from streams.contract.segment_days import SumsReader
from streams.contract.segments import parse_segment_warning
from streams.contract.silences import parse_silence
from streams.contract.validate import RecordRefusal, judge, judge_line
from streams.contract.warnings import parse_warning
from streams.core.conditions.parser import ConditionError, parse_condition
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.errors import LapwingError
from streams.inputs.formats.avro import AvroReader, AvroRecords
from streams.inputs.formats.debezium import Debezium, DebeziumReader, RecordOf
from streams.inputs.formats.registry import RegisteredSchema
from streams.inputs.formats.schemas import Schemas
from streams.inputs.lint import lint
from streams.inputs.load import parse_inputs
from streams.inputs.source import Source
from streams.rulebook.cases.case_file import CaseFile
from streams.rulebook.load import parse_contents
from streams.rulebook.people_file import PeopleFile
from streams.rulebook.reader import Document, read_document
from streams.rulebook.routes_file import RoutesFile
from tests.consumers.desk.desks import browser, desk_over
from tests.oracle import inputs as one_by_one
from tests.registry_endpoint import Shelf

APP: Final = "shop"
NOW: Final = datetime(2024, 3, 20, tzinfo=UTC)
NOW_US: Final = int(NOW.timestamp()) * 1_000_000
DAY_US: Final = 86_400_000_000

Target = Callable[[bytes], None]


def event(topic: Topic, data: bytes) -> None:
    """Read a record of an input topic by both decoders, which agree; refusals are printable."""
    decoded = decode_poll(topic, [data], None, None, max_skew_us=DAY_US)
    verdict = judge(topic, data)
    assert bool(decoded.refused) == isinstance(verdict, RecordRefusal), (decoded.refused, verdict)
    _check(decoded.refused)
    decode_poll(topic, [data, data], [data[:128], b"c1"], [0, 2**62], max_skew_us=DAY_US, now_us=NOW_US)


def event_line(data: bytes) -> None:
    """Read a line of an event file by both decoders."""
    decoded = decode_lines([data], latest_us=None)
    assert bool(decoded.refused) == isinstance(judge_line(data), RecordRefusal)
    _check(decoded.refused)


def _check(refused: Sequence[Any]) -> None:
    for each in refused:
        assert each.detail.isprintable(), each.detail
        assert len(each.detail) <= 1_000


def contract(read: Callable[[bytes], object], data: bytes) -> None:
    """Read a record of one of Lapwing's own topics, or refuse it as `LapwingError`."""
    text = ""
    try:
        read(data)
    except LapwingError as error:
        text = str(error)
    assert len(text) <= 1_000
    assert text.isprintable()


def model(data: bytes) -> None:
    """Read a record of the models topic, and score with what is taken."""
    log = ModelLog(APP)
    first, _, rest = data.partition(b"\n")
    for key, value in ((first, rest), (CHAMPION, rest), (PIN, rest), (first, None)):
        try:
            log.take(key, value)
        except LapwingError:
            continue
        for published in log.newest():
            found = published.model()
            scores = found.score(np.zeros((2, len(found.inputs))))
            assert np.isfinite(scores).all(), scores


def rejected(data: bytes) -> None:
    """Read the headers of a refusal."""
    names = ("reason", "topic", "partition", "offset", "detail", "truncated", "named")
    headers = [(f"lapwing-{name}", part) for name, part in zip(names, data.split(b"\n"), strict=False)]
    contract(lambda _: read_rejected_headers(headers), data)


@cache
def _store() -> Database:
    found = Database("sqlite://")
    found.prepare()
    return found


class _Undo(Exception):
    """Takes back what was stored."""


def stored(kind: kinds.AnyKind, data: bytes) -> None:
    """Read and store a record as the sink does: what is taken can be stored."""
    key = b"c1"
    record = Record("t", 0, 0, int(NOW.timestamp() * 1000), key, data)
    reading = kind.read([record], NOW)
    database = _store()
    with suppress(_Undo), database.writing() as connection:
        kind.rule.store(database, connection, reading.entries, NOW)
        raise _Undo


def rulebook(name: str, data: bytes) -> None:
    """Load a file of a rulebook beside a rule, or refuse it with its line."""
    files = {"base.yaml": BASE, name: data} if name != "base.yaml" else {name: data}
    text = name
    try:
        parse_contents(files)
    except LapwingError as error:
        text = str(error)
    assert name in text


BASE: Final = (
    b"version: 1\nrules:\n  - {id: any, title: A, when: orders_total > 0, tier: low, reason: t, message: m}\n"
)


def inputs_file(data: bytes) -> None:
    """Read a file of inputs and map a record by it, or refuse the file with its line."""
    text = ""
    try:
        inputs = parse_inputs("inputs.yaml", data)
    except LapwingError as error:
        text = str(error)
    if text:
        assert "inputs.yaml" in text
        return
    lint(inputs)
    for source in inputs.sources.values():
        source.decode([b"{}", b'{"id": 1, "state": "paid", "at": "1"}'], None, None, max_skew_us=0)


@cache
def _source() -> tuple[dict[str, Any], Source]:
    """Return a mapping with every kind of conversion, as plain values and compiled."""
    fields: dict[str, Any] = {
        "event_id": {"hash": ["a", "b"]},
        "customer_id": {"first_of": ["c.a", "a"], "trim": True, "prefix": "p-"},
        "occurred_at": {
            "path": "t",
            "time": ["rfc3339", "epoch_ms", "%d.%m.%Y %H:%M"],
            "zone": "Europe/Berlin",
        },
        "order_id": "d.0",
        "amount": {"path": "n", "decimal": "comma", "minor_units": "KWD", "absolute": True},
        "channel": {"path": "c.b", "lower": True, "map": {"x": "y"}, "otherwise": "z", "default": "web"},
    }
    entry = {"topic": "t", "events": [{"to": "orders", "where": {"a": {"present": True}}, "fields": fields}]}
    text = json.dumps({"version": 1, "sources": {"s": entry}})
    return entry, parse_inputs("inputs.yaml", text.encode()).sources["s"]


def mapped_record(data: bytes) -> None:
    """Map a record as the slow twin does, and leave it to the decoder."""
    entry, source = _source()
    found, verdict = source.map([data]), one_by_one.judge("s", entry, data)
    reasons = [verdict.refusal[0]] if verdict.refusal is not None else []
    assert [each.reason for each in found.refused] == reasons
    assert len(found.parts[0].values) == (verdict.events[0] is not None)
    _check(
        source.decode([data, data], [data[:9], None], [0, 2**62], max_skew_us=DAY_US, now_us=NOW_US).refused
    )


def document(kind: type[Document], data: bytes) -> None:
    """Read a file by its model, or gather every mistake in it."""
    found = read_document("file.yaml", data, kind)
    assert (found.content is None) == bool(found.mistakes)
    for mistake in found.mistakes:
        assert str(mistake)


def condition(data: bytes) -> None:
    """Parse a condition, or refuse it with its place."""
    with suppress(ConditionError):
        parse_condition(data.decode(errors="replace"), DTYPES)


def manifest(data: bytes) -> None:
    """Look at a checkpoint whose manifest is this, as it is and with the right checksum."""
    contents = [data]
    with suppress(ValueError, RecursionError):
        given = json.loads(data)
        if isinstance(given, dict):
            given.pop("checksum", None)
            contents.append(_with_checksum(given))
    files = fsspec.filesystem("memory")
    store = CheckpointStore("memory://fuzz", APP, files)
    for content in contents:
        place = "/fuzz/shop/00000/0000000001-0123abcd"
        files.pipe_file(f"{place}/{MANIFEST}", content)
        for checkpoint in store.whole(0):
            checkpoint.stands_for({"orders": 3})
            checkpoint.within({"orders": 3, "logins": 0})
        store.newest(0)


@cache
def _desk() -> TestClient:
    # A file, as the desk answers in several threads.
    database = Database(f"sqlite:///{_FOLDER.name}/desk.db")
    database.prepare()
    return browser(desk_over(database))


_FOLDER: Final = TemporaryDirectory(prefix="lapwing-fuzz-")

PATHS: Final = ("/act", "/undo", "/language", "/queue/act", "/views", "/views/1/delete", "/silences")


def desk_form(data: bytes) -> None:
    """Send a form to the desk: the first line says which."""
    first, _, body = data.partition(b"\n")
    path = PATHS[(first[0] if first else 0) % len(PATHS)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = _desk().post(path, content=body, headers=headers, follow_redirects=False)
    assert answer.status_code < 500, answer.text[:500]


PAGES: Final = (
    "/",
    "/queue/rows",
    "/queue.csv",
    "/operations",
    "/silences",
    "/warnings",
    "/rules",
    "/lapsed",
)


def desk_address(data: bytes) -> None:
    """Ask the desk for a page with this query."""
    first, _, query = data.partition(b"\n")
    path = PAGES[(first[0] if first else 0) % len(PAGES)]
    text = query.decode("latin-1").encode("ascii", "replace").decode()
    plain = "".join(each for each in text if each.isprintable() and each not in ' #"<>\\^`{|}')
    answer = _desk().get(f"{path}?{plain[:2_000]}", follow_redirects=False)
    assert answer.status_code < 500, answer.text[:500]


def _samples(data: bytes) -> object:
    batch = parse_samples(data, APP)
    assert all(math.isfinite(each) for each in batch.weight.tolist())
    return batch


def debezium(data: bytes) -> None:
    """Read a change record as rows and as changes; what cannot be read is refused, and nothing else."""
    for options in (Debezium(), Debezium(RecordOf.CHANGE, (("total", 2),))):
        found, refused = DebeziumReader(options).read([data, None])
        _check(refused)
        assert len(found) == 2


def avro(data: bytes) -> None:
    """Read a schema and a record of it, with a line between them."""
    schema, _, record = data.partition(b"\n")
    text = schema.decode(errors="replace")
    schemas = Schemas(Shelf({1: RegisteredSchema("AVRO", text)}), "place")
    schemas.fetch([1])
    found, refused = AvroReader(AvroRecords(schemas)).read([b"\0\0\0\0\1" + record])
    _check(refused)
    assert (found == [None]) == bool(refused)


TARGETS: Final[dict[str, Target]] = {
    **{f"event-{topic.label}": partial(event, topic) for topic in Topic},
    "event-line": event_line,
    "warning": partial(contract, parse_warning),
    "segment-warning": partial(contract, parse_segment_warning),
    "outcome": partial(contract, parse_outcome),
    "census": partial(contract, parse_census),
    "customer-days": partial(contract, parse_customer_days),
    "score": partial(contract, parse_score),
    "silence": partial(contract, parse_silence),
    "erasure": partial(contract, parse_erasure),
    "adoption": partial(contract, parse_adopted),
    "segment-days": partial(contract, lambda data: SumsReader().read(data)),
    "samples": partial(contract, _samples),
    "model": model,
    "rejected": rejected,
    "sink-warnings": partial(stored, kinds.WARNINGS),
    "sink-segment-warnings": partial(stored, kinds.SEGMENT_WARNINGS),
    "sink-outcomes": partial(stored, kinds.OUTCOMES),
    "sink-census": partial(stored, kinds.CENSUS),
    "sink-customer-days": partial(stored, kinds.CUSTOMER_DAYS),
    "sink-adoptions": partial(stored, kinds.ADOPTIONS),
    "sink-silences": partial(stored, kinds.SILENCES),
    "sink-complaints": partial(stored, kinds.complaints(DAY_US)),
    "sink-actions": partial(stored, kinds.actions(DAY_US)),
    "sink-samples": partial(stored, kinds.samples(APP, 100)),
    "rules": partial(rulebook, "base.yaml"),
    "plays": partial(rulebook, "plays.yaml"),
    "reasons": partial(rulebook, "reasons.yaml"),
    "routes": partial(document, RoutesFile),
    "people": partial(document, PeopleFile),
    "inputs": inputs_file,
    "mapped-record": mapped_record,
    "cases": partial(document, CaseFile),
    "condition": condition,
    "manifest": manifest,
    "debezium": debezium,
    "avro": avro,
    "desk-form": desk_form,
    "desk-address": desk_address,
}
"""By name, which is that of its folder in the corpus."""
CORPUS_OF: Final = {
    "sink-warnings": "warning",
    "sink-segment-warnings": "segment-warning",
    "sink-outcomes": "outcome",
    "sink-census": "census",
    "sink-customer-days": "customer-days",
    "sink-adoptions": "adoption",
    "sink-silences": "silence",
    "sink-complaints": "event-complaints",
    "sink-actions": "event-actions",
    "sink-samples": "samples",
}
"""Targets that read the corpus of another one too."""
