"""Each format of a file of inputs gets its reader."""

from __future__ import annotations

import json
import re

import pytest

from streams.inputs.formats import avro
from streams.inputs.formats.avro import AvroReader
from streams.inputs.formats.debezium import DebeziumAvroReader, DebeziumReader
from streams.inputs.formats.formats import needs_registry, readers
from streams.inputs.formats.json_schema import JsonSchemaReader
from streams.inputs.formats.reading import FormatUnavailable
from streams.inputs.formats.schemas import Schemas
from streams.inputs.load import parse_inputs
from streams.inputs.source import Source
from streams.rulebook.reader import RulebookRefused
from tests.paths import ROOT
from tests.registry_endpoint import Shelf


def source(format_: str, schemas: Schemas | None = None) -> Source:
    text = f"""\
version: 1
sources:
  shop:
    topic: shop.orders
    {format_}
    events:
      - {{to: logins, fields: {{event_id: id, customer_id: who, occurred_at: {{path: at, time: epoch_ms}}}}}}
"""
    return parse_inputs("inputs.yaml", text.encode(), readers(schemas)).sources["shop"]


@pytest.mark.parametrize(
    ("format_", "kind", "needs"),
    [
        ("format: avro", AvroReader, True),
        ("format: json_schema", JsonSchemaReader, False),
        ("format: debezium", DebeziumReader, False),
        ("format: debezium\n    debezium: {encoding: json_schema}", DebeziumReader, False),
        ("format: debezium\n    debezium: {encoding: avro, record: change}", DebeziumAvroReader, True),
    ],
)
def test_a_source_has_the_reader_of_its_format(format_: str, kind: type, needs: bool) -> None:
    found = source(format_, Schemas(Shelf(), "place"))
    assert type(found.reader) is kind
    assert needs_registry(found.entry) == needs
    if needs:
        with pytest.raises(RulebookRefused, match="Avro needs a schema registry: set schema_registry_url"):
            source(format_)


def test_json_has_none() -> None:
    assert source("format: json").reader is None


def test_rows_of_a_table_are_mapped_and_deletions_passed_over() -> None:
    row = {"id": "1", "who": "ann", "at": 1_772_359_200_000}
    changes = [{"op": "c", "after": row}, {"op": "d", "before": row, "after": None}, {"op": "?"}]
    mapped = source("format: debezium").map([*(json.dumps(each).encode() for each in changes), None])
    assert [len(part.values) for part in mapped.parts] == [1]
    assert mapped.passed == 2
    assert [(each.index, each.detail) for each in mapped.refused] == [
        (2, "shop: op: none of Debezium's c, r, u, d, t, m")
    ]


@pytest.mark.parametrize(
    ("debezium", "wrong"),
    [
        ("format: debezium\n    debezium: {record: rows}", "must be after or change"),
        ("format: debezium\n    debezium: {decimals: {total: two}}", "whole number from 0 to 100"),
        ("format: json\n    debezium: {record: after}", "is for a source with `format: debezium`"),
        ("debezium: {record: after}", "is for a source with `format: debezium`"),
    ],
)
def test_options_that_are_none_are_refused_with_their_line(debezium: str, wrong: str) -> None:
    with pytest.raises(RulebookRefused, match=wrong) as refused:
        source(debezium)
    assert ":5:" in str(refused.value) or ":6:" in str(refused.value)


def test_without_the_package_a_source_of_avro_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        msg = "Avro needs another package: pip install 'lapwing[registry]'"
        raise FormatUnavailable(msg)

    monkeypatch.setattr(avro, "_fastavro", absent)
    with pytest.raises(RulebookRefused, match=r"pip install 'lapwing\[registry\]'"):
        source("format: avro", Schemas(Shelf(), "place"))


def test_the_page_s_example_is_taken() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    sources = parse_inputs("inputs.yaml", example.encode()).sources
    local = "2026-03-01T10:00:00.123456"
    row = {"id": 7, "customer_id": "ann", "state": "paid", "total": "12.50", "changed_at": local}
    change = {"op": "d", "before": {"id": "ann"}, "after": None, "source": {"ts_ms": 1_772_359_200_000}}
    (part,) = sources["shop-orders"].map([json.dumps({"op": "c", "after": row}).encode()]).parts
    order = json.loads(part.values[0])
    assert (order["occurred_at"], order["amount"]) == ("2026-03-01T09:00:00.123456Z", 12.5)
    (part,) = sources["shop-customers"].map([json.dumps(change).encode()]).parts
    assert json.loads(part.values[0])["occurred_at"] == "2026-03-01T10:00:00Z"
