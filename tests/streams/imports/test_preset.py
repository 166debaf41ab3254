"""Each preset on a small file with the columns that the real export has; what is in it is made up."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import openpyxl  # type: ignore[import-untyped]  # ships no types
import polars as pl
import pytest

from streams.core.events.topics import Topic
from streams.errors import EventFileError
from streams.files.events import FileRefusal
from streams.files.packing import suffix_of
from streams.imports.event_files import write_file
from streams.imports.files import foreign_files, reads
from streams.imports.preset import PRESETS, preset
from streams.imports.reading import read_all
from streams.imports.work_file import WorkFile
from streams.inputs.load import Inputs, parse_inputs

SAMPLES = Path(__file__).parent / "samples"
NOW_US = 1_800_000_000_000_000


def inputs(name: str) -> Inputs:
    return parse_inputs(f"preset {name}", preset(name))


def imported(name: str, path: Path, tmp_path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the events and the refusals of a file by a preset."""
    [source] = inputs(name).sources.values()
    work = WorkFile(tmp_path / "work", {})
    progress = work.progress(NOW_US)
    refused: list[FileRefusal] = []
    missing: list[str] = []
    read_all(
        foreign_files([path], [source], where=name),
        work,
        progress,
        max_skew_us=0,
        on_refused=refused.append,
        on_columns=lambda _, columns: missing.extend(columns),
        on_done=lambda done, total: None,
    )
    out = tmp_path / "out.jsonl"
    count = write_file(work, out, suffix_of(out), lambda done: None)
    work.remove()
    assert missing == []
    events = [
        {field: value for field, value in msgspec.json.decode(line).items() if value is not None}
        for line in out.read_bytes().splitlines()
    ]
    assert count == len(events) == sum(progress.events.values())
    return events, [f"{each.line} {each.reason}: {each.detail}" for each in refused]


def brief(events: list[dict[str, Any]], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(event.get(field) for field in fields) for event in events]


ORDER = ("occurred_at", "customer_id", "order_id", "status", "amount", "currency")


def test_shopify_orders(tmp_path: Path) -> None:
    events, refused = imported("shopify-orders", SAMPLES / "shopify-orders.csv", tmp_path)
    assert brief(events, *ORDER) == [
        ("2024-03-01T09:30:00Z", "ann@example.com", "#1001", "placed", 53.9, "EUR"),
        ("2024-03-04T07:00:00Z", "ben@example.com", "#1003", "placed", 20.0, "EUR"),
        ("2024-03-06T07:00:00Z", "ben@example.com", "#1003", "returned", 12.5, "EUR"),
        ("2024-03-31T00:59:59Z", "ann@example.com", "#1004", "placed", 99.0, "EUR"),
        ("2024-03-31T01:00:01Z", "ann@example.com", "#1004", "cancelled", 99.0, "EUR"),
    ]
    assert {event["channel"] for event in events} == {"web"}
    assert [line.split(":")[0] for line in refused] == ["5 missing_field"]


def test_woocommerce_orders(tmp_path: Path) -> None:
    events, refused = imported("woocommerce-orders", SAMPLES / "woocommerce-orders.csv", tmp_path)
    assert brief(events, *ORDER) == [
        ("2025-03-02T09:00:00Z", "g@example.com", "9001", "placed", 55.0, "INR"),
        ("2025-03-05T09:00:00Z", "i@example.com", "9004", "placed", 12.0, "INR"),
        ("2025-03-05T09:00:00Z", "i@example.com", "9004", "cancelled", 12.0, "INR"),
        ("2025-09-06T06:29:00Z", "h@example.com", "9003", "placed", 40.0, "INR"),
        ("2025-09-06T06:29:00Z", "h@example.com", "9003", "returned", 40.0, "INR"),
    ]
    assert refused == []


def test_magento_orders(tmp_path: Path) -> None:
    events, refused = imported("magento-orders", SAMPLES / "magento-orders.csv", tmp_path)
    assert brief(events, *ORDER) == [
        ("2021-01-05T10:12:45Z", "roni@example.com", "000000001", "placed", 36.39, None),
        ("2021-01-06T15:00:00Z", "roni@example.com", "000000002", "placed", 39.64, None),
        ("2021-01-06T15:00:00Z", "roni@example.com", "000000002", "returned", 39.64, None),
        ("2021-01-07T10:00:00Z", "d@example.com", "000000003", "placed", 10.0, None),
        ("2021-01-07T10:00:00Z", "d@example.com", "000000003", "cancelled", 10.0, None),
    ]
    assert refused == []


def test_stripe_events(tmp_path: Path) -> None:
    events, refused = imported("stripe-events", SAMPLES / "stripe-events.jsonl", tmp_path)
    assert brief(events, "type", "customer_id", "status", "amount", "currency", "reason", "category") == [
        ("order", "cus_1", "placed", 10.99, "USD", None, None),
        ("order", "cus_2", "placed", 1200.0, "JPY", None, None),
        ("order", "cus_1", "returned", 5.99, "USD", None, None),
        ("complaint", "cus_2", "opened", None, None, None, "delivery"),
        ("closure", "cus_1", None, None, None, "too_expensive", None),
        ("closure", "cus_2", None, None, None, "deleted", None),
    ]
    assert [line.split(":")[0] for line in refused] == ["5 wrong_type"]


def test_ga4(tmp_path: Path) -> None:
    events, refused = imported("ga4", SAMPLES / "ga4.json", tmp_path)
    assert brief(events, "type", "occurred_at", "customer_id", "status", "amount", "channel") == [
        ("login", "2021-01-31T05:05:20.766593Z", "u-7", None, None, "web"),
        ("order", "2021-01-31T05:05:30.766593Z", "u-7", "placed", 92.0, "web"),
        ("order", "2021-02-02T05:05:30.766593Z", "555.1", "placed", 18.5, "android"),
        ("order", "2021-02-03T05:05:30.766593Z", "u-7", "returned", 46.0, "web"),
    ]
    assert [line.split(":")[0] for line in refused] == ["6 missing_field"]


ONLINE_RETAIL = [
    ("2009-12-01T07:45:00Z", "13085", "489434", "placed", 304.8, "GBP"),
    ("2009-12-01T07:46:00Z", "13085", "489435", "placed", 30.6, "GBP"),
    ("2009-12-01T10:33:00Z", "16321", "C489449", "cancelled", 45.3, "GBP"),
]


def test_online_retail_ii(tmp_path: Path) -> None:
    events, refused = imported("online-retail-ii", SAMPLES / "online_retail_II.csv", tmp_path)
    assert brief(events, *ORDER) == ONLINE_RETAIL
    assert refused == []


def test_the_workbook_of_online_retail_ii(tmp_path: Path) -> None:
    frame = pl.read_csv(SAMPLES / "online_retail_II.csv", infer_schema=False)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Year 2009-2010"
    sheet.append(frame.columns)
    for row in frame.with_columns(
        pl.col("InvoiceDate").str.to_datetime(), pl.col("Quantity", "Price", "Customer ID").cast(pl.Float64)
    ).rows():
        sheet.append(row)
    other = book.create_sheet("Year 2010-2011")
    other.append(frame.columns)
    book.save(tmp_path / "online_retail_II.xlsx")
    events, refused = imported("online-retail-ii", tmp_path / "online_retail_II.xlsx", tmp_path)
    assert brief(events, *ORDER) == ONLINE_RETAIL
    assert refused == []


def test_cdnow(tmp_path: Path) -> None:
    events, refused = imported("cdnow", SAMPLES / "CDNOW_master.txt", tmp_path)
    assert brief(events, "occurred_at", "customer_id", "amount") == [
        ("1997-01-01T00:00:00Z", "00001", 11.77),
        ("1997-01-12T00:00:00Z", "00002", 12.0),
        ("1997-01-12T00:00:00Z", "00002", 77.0),
        ("1998-05-28T00:00:00Z", "00003", 0.0),
    ]
    assert [line.split(":")[0] for line in refused] == ["4 wrong_value"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_one_source_with_a_sample_that_its_pattern_fits(name: str) -> None:
    [source] = inputs(name).sources.values()
    assert source.name == name
    assert any(reads(source, path) for path in SAMPLES.iterdir())
    assert Topic.ORDERS in source.topics


def test_the_folder_holds_the_presets_and_no_others() -> None:
    there = [each.name for each in (files("streams.imports") / "presets").iterdir()]
    assert sorted(there) == [f"{name}.yaml" for name in PRESETS]
    with pytest.raises(EventFileError, match="no preset 'shop'; there are cdnow, ga4, "):
        preset("shop")
