"""Event files of every kind, whole and damaged."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
import zstandard

from streams.contract.rejected import RefusalReason
from streams.core.events.batch import COLUMNS, ActionRecord, Batch, ProfileRecord
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.errors import EventFileError
from streams.files.events import FileRefusal, read_events, without_stragglers

MARCH = 1_298_937_600_000_000
COMMON = {"customer_id": "c-1", "occurred_at": "2011-03-01T00:00:00Z"}
LOGIN = COMMON | {"type": "login", "event_id": "l"}
EVENTS: list[dict[str, Any]] = [
    COMMON | {"type": "order", "event_id": "e2", "order_id": "o", "amount": 505.3},
    COMMON | {"type": "order", "event_id": "e10", "order_id": "o", "amount": 20, "status": "returned"},
    COMMON
    | {"type": "complaint", "event_id": "e", "complaint_id": "k", "status": "resolved", "satisfaction": 4},
    COMMON
    | {"type": "profile", "event_id": "e", "signed_up_at": "2011-03-01T00:00:00Z", "do_not_contact": True},
    COMMON | {"type": "action", "event_id": "e", "warning_id": "w", "kind": "call", "reasons": ["price"]},
    LOGIN | {"occurred_at": "2011-03-01T01:00:00.5+02:00"},
    COMMON | {"type": "feedback", "event_id": "e", "score": 7, "scale": 10},
]
IN_ORDER = ["l", "e", "e", "e", "e10", "e2", "e"]

WRITERS: dict[str, Callable[[Path, bytes], object]] = {
    ".jsonl": Path.write_bytes,
    ".jsonl.gz": lambda path, text: path.write_bytes(gzip.compress(text)),
    ".jsonl.zst": lambda path, text: path.write_bytes(zstandard.compress(text)),
}


def _lines(*events: dict[str, Any] | bytes) -> bytes:
    return b"".join((e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n" for e in events)


def _parquet(path: Path, events: list[dict[str, Any]]) -> Path:
    pl.DataFrame(events, infer_schema_length=None).write_parquet(path)
    return path


def _read(*paths: Path, now_us: int | None = None) -> tuple[Batch, list[FileRefusal]]:
    refused: list[FileRefusal] = []
    batch = read_events(paths, now_us=now_us, max_skew_us=0, on_refused=refused.append)
    return batch, refused


def _rows(batch: Batch) -> list[tuple[Any, ...]]:
    return [tuple(getattr(batch, name)[i] for name in COLUMNS) for i in range(len(batch))]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(_lines(*EVENTS))
    return path


def test_events_come_in_total_order(plain: Path) -> None:
    batch, refused = _read(plain)
    assert refused == []
    assert batch.event_id.tolist() == IN_ORDER
    assert batch.topic.tolist() == [
        Topic.LOGINS,
        Topic.ACTIONS,
        Topic.COMPLAINTS,
        Topic.FEEDBACK,
        Topic.ORDERS,
        Topic.ORDERS,
        Topic.PROFILES,
    ]
    assert batch.at.tolist() == [MARCH - 3_599_500_000, *[MARCH] * 6]
    assert batch.amount.tolist() == [0, 0, 0, 700_000, 20_000_000, 505_300_000, 0]
    assert batch.record[1] == ActionRecord("w", "call", reasons=("price",))
    assert batch.record[6] == ProfileRecord(signed_up_at=MARCH, do_not_contact=True)


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_kind_of_file_reads_the_same(plain: Path, suffix: str) -> None:
    path = plain.with_name("other" + suffix)
    WRITERS[suffix](path, _lines(*EVENTS))
    assert _rows(_read(path)[0]) == _rows(_read(plain)[0])


def test_parquet_reads_the_same(plain: Path) -> None:
    path = _parquet(plain.with_suffix(".parquet"), EVENTS)
    assert _rows(_read(path)[0]) == _rows(_read(plain)[0])


def test_the_order_of_lines_and_files_does_not_matter(plain: Path) -> None:
    twice = [EVENTS[0], EVENTS[0] | {"amount": 7}, LOGIN, LOGIN]
    forth, back = plain.with_name("forth.jsonl"), plain.with_name("back.jsonl")
    forth.write_bytes(_lines(*twice))
    back.write_bytes(_lines(*reversed(twice)))
    assert _rows(_read(plain, forth)[0]) == _rows(_read(back, plain)[0])
    assert len(_read(plain, forth)[0]) == len(EVENTS) + len(twice)


def test_a_line_that_is_no_event_is_refused_with_its_place_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    late = LOGIN | {"event_id": "late", "occurred_at": "2011-03-01T00:00:00.000001Z"}
    path.write_bytes(_lines(LOGIN, b"", b"{", b"  \r", LOGIN | {"type": "x"}, late, LOGIN).rstrip(b"\n"))
    batch, refused = _read(path, now_us=MARCH)
    assert len(batch) == 2
    assert [(r.path, r.line, r.reason) for r in refused] == [
        (path, 3, RefusalReason.NOT_JSON),
        (path, 5, RefusalReason.UNKNOWN_TYPE),
        (path, 6, RefusalReason.FUTURE_TIME),
    ]
    assert str(refused[1]).startswith(f"{path}:5: type: Input should be one of action, ")


def test_files_from_other_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + _lines(LOGIN, LOGIN).replace(b"\n", b"\r\n"))
    assert _read(path)[1] == []


def test_lines_longer_than_a_piece_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    long = LOGIN | {"note": "x" * 3_000_000}
    path.write_bytes(_lines(LOGIN, long, b"{", *[LOGIN] * 20_000, b"{", long))
    batch, refused = _read(path)
    assert len(batch) == 20_003
    assert [r.line for r in refused] == [3, 20_004]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_files_compressed_in_parts_are_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events{suffix}"
    WRITERS[suffix](path, _lines(LOGIN))
    path.write_bytes(path.read_bytes() * 2)
    assert len(_read(path)[0]) == 2


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
@pytest.mark.parametrize("kept", [0, 1, 10, -1])
def test_a_compressed_file_that_was_cut_short_is_an_error(tmp_path: Path, suffix: str, kept: int) -> None:
    path = tmp_path / f"events{suffix}"
    WRITERS[suffix](path, _lines(*EVENTS))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(EventFileError, match=r"events\.jsonl\.\w+: damaged: ") as caught:
        _read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_a_file_that_is_something_else_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events{suffix}"
    path.write_bytes(_lines(LOGIN))
    with pytest.raises(EventFileError, match="events") as caught:
        _read(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_parquet_file_is_an_error(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "events.parquet", EVENTS)
    content = path.read_bytes()
    for damaged in (
        content[:-20],
        content[: len(content) // 2],
        content[:4] + b"\xff" * 400 + content[404:],
        b"",
    ):
        path.write_bytes(damaged)
        with pytest.raises(EventFileError, match=r"not a readable Parquet file"):
            _read(path)


def test_a_file_that_is_not_there_or_no_event_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "events.csv").touch()
    for name, words in {
        "none.jsonl": "none.jsonl: No such file or directory",
        "folder.jsonl": "folder.jsonl: is a folder",
        "events.csv": "should end in one of .jsonl, .jsonl.gz, .jsonl.zst, .parquet",
    }.items():
        with pytest.raises(EventFileError) as caught:
            _read(tmp_path / name)
        assert words in str(caught.value)


def test_an_empty_file_holds_no_events(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.touch()
    assert len(_read(path)[0]) == 0
    assert len(_read()[0]) == 0


def test_parquet_columns_of_other_types_are_read(tmp_path: Path) -> None:
    moment = datetime(2011, 3, 1, 0, 0, 0, 123456, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "type": pl.Series(["order", "complaint"], dtype=pl.Categorical),
            "event_id": ["e1", "e2"],
            "customer_id": ["c", "c"],
            "occurred_at": pl.Series([moment, moment])
            .dt.cast_time_unit("ns")
            .dt.convert_time_zone("Asia/Tokyo"),
            "order_id": ["o", None],
            "amount": pl.Series([Decimal("505.30"), None], dtype=pl.Decimal(12, 2)),
            "complaint_id": [None, "k"],
            "status": pl.Series(["returned", "resolved"], dtype=pl.Enum(["returned", "resolved"])),
            "satisfaction": [None, 4.0],
            "unknown": [[1], [2]],
        }
    )
    frame.write_parquet(tmp_path / "events.parquet")
    batch, refused = _read(tmp_path / "events.parquet")
    assert refused == []
    assert batch.at.tolist() == [MARCH + 123456] * 2
    assert batch.satisfaction.tolist() == [4, 0]
    assert batch.amount.tolist() == [0, 505_300_000]


def test_rows_of_parquet_that_are_no_events_are_refused_with_their_number(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        LOGIN,
        LOGIN | {"type": None},
        LOGIN | {"type": "order", "order_id": "o"},
        LOGIN | {"type": "x"},
        LOGIN,
    ]
    path = _parquet(tmp_path / "events.parquet", rows)
    batch, refused = _read(path)
    assert len(batch) == 2
    assert [(r.line, r.reason, r.detail.split(":")[0]) for r in refused] == [
        (2, RefusalReason.MISSING_FIELD, "type"),
        (3, RefusalReason.MISSING_FIELD, "amount"),
        (4, RefusalReason.UNKNOWN_TYPE, "type"),
    ]


def test_parquet_without_types_or_with_local_times_is_told_apart_from_damage(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "events.parquet", [{k: v for k, v in LOGIN.items() if k != "type"}])
    with pytest.raises(EventFileError, match=r"none of its 1 lines can be accepted: 1 missing_field"):
        _read(path)
    local = _parquet(tmp_path / "local.parquet", [LOGIN | {"occurred_at": datetime(2011, 3, 1)}])  # noqa: DTZ001
    with pytest.raises(
        EventFileError, match=r"local\.parquet: the times in column occurred_at have no time zone"
    ):
        _read(local)


ORDERS: dict[str, list[Any]] = {
    "type": ["order"] * 3,
    "event_id": ["a", "b", "c"],
    "customer_id": ["c-1"] * 3,
    "occurred_at": ["2024-03-01T00:00:00Z"] * 3,
    "order_id": ["1", "2", "3"],
    "amount": [1.5, 2.0, 3.25],
}
UUIDS = [UUID(int=number) for number in range(3)]


def as_lines(columns: dict[str, list[Any]]) -> bytes:
    """Return columns as JSON lines; bytes as they are, without a look at whether they are UTF-8."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    kept = [
        {k: v.decode(errors="surrogateescape") if isinstance(v, bytes) else v for k, v in row.items()}
        for row in rows
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    return text.encode(errors="surrogateescape")


@pytest.mark.parametrize(
    ("name", "column", "written", "accepted"),
    [
        ("amount", pa.array(map(Decimal, ("1.5", "2", "3.25")), pa.decimal256(60, 20)), [1.5, 2.0, 3.25], 3),
        ("amount", pa.array(map(Decimal, ("1e30", "2", "-1")), pa.decimal256(60, 2)), [1e30, 2.0, -1.0], 1),
        ("amount", pa.array([math.nan, math.inf, 3.25]), [math.nan, math.inf, 3.25], 1),
        ("amount", pa.array([1.5, -math.inf, 3.25], pa.float16()), [1.5, -math.inf, 3.25], 2),
        ("event_id", pa.array([u.bytes for u in UUIDS], pa.uuid()), [str(u) for u in UUIDS], 3),
        ("event_id", pa.array([b"a", b"\xff\xfe", b"c"], pa.binary()), [b"a", b"\xff\xfe", b"c"], 2),
        ("event_id", pa.array([b"aa", b"\xff\xfe", b'""'], pa.binary(2)), [b"aa", b"\xff\xfe", b'""'], 2),
        ("channel", pa.array([b"a", b"\xff\xfe", b"c"], pa.binary()), [b"a", b"\xff\xfe", b"c"], 2),
    ],
)
def test_what_json_cannot_hold_has_the_verdict_of_json_lines(
    tmp_path: Path, name: str, column: Any, written: list[Any], accepted: int
) -> None:
    parquet, lines = tmp_path / "events.parquet", tmp_path / "events.jsonl"
    pq.write_table(pa.table({**ORDERS, name: column}), parquet)
    lines.write_bytes(as_lines({**ORDERS, name: written}))
    batch, refused = _read(parquet)
    expected, expected_refused = _read(lines)
    assert len(batch) == accepted
    assert batch.event_id.tolist() == expected.event_id.tolist()
    assert batch.amount.tolist() == expected.amount.tolist()
    assert [(r.line, r.reason) for r in refused] == [(r.line, r.reason) for r in expected_refused]


def test_every_file_that_was_put_together_may_begin_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    one, two = (_lines(LOGIN | {"event_id": name}) for name in "ab")
    path.write_bytes(b"\xef\xbb\xbf" + one + b"\xef\xbb\xbf" + two + b"\xef\xbb\xbf")
    batch, refused = _read(path)
    assert (batch.event_id.tolist(), refused) == (["a", "b"], [])


def test_empty_files_that_were_put_together_leave_their_marks_before_and_after_a_line(tmp_path: Path) -> None:
    path, mark = tmp_path / "events.jsonl", b"\xef\xbb\xbf"
    one, two = (_lines(LOGIN | {"event_id": f"{name}\ufeff"}) for name in "ab")
    path.write_bytes(mark + mark + one + mark + b"\n" + two.strip() + mark + b"\r\n")
    batch, refused = _read(path)
    assert (batch.event_id.tolist(), refused) == (["a\ufeff", "b\ufeff"], [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (gzip.compress(b"{}", mtime=0), "compressed with gzip: its name should end in .jsonl.gz"),
        (zstandard.compress(b"{}"), "compressed with zstd: its name should end in .jsonl.zst"),
        (b"PK\x03\x04 and so on", "a zip archive: unpack it first"),
        (b"PAR1 and so on", "a Parquet file: its name should end in .parquet"),
        ("{}\n".encode("utf-16"), "in UTF-16: save it in UTF-8"),
        (b"\xfe\xff" + "{}\n".encode("utf-16-be"), "in UTF-16: save it in UTF-8"),
    ],
)
def test_what_is_named_jsonl_and_is_something_else_is_named(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    with pytest.raises(EventFileError) as error:
        _read(path)
    assert str(error.value) == f"{path}: is {expected}"


def of_days(*days: float, topic: Topic = Topic.ORDERS) -> Batch:
    return Batch.of(
        [{"topic": topic, "at": int(day * DAY), "event_id": f"{day:g}", "customer_id": "c"} for day in days]
    )


def test_few_events_years_before_all_others_are_refused() -> None:
    now = 20_000
    kept, early = without_stragglers(of_days(0, 365, *(now + n for n in range(20))))
    assert [(each.event_id, each.reason.value) for each in early] == [
        ("0", "past_time"),
        ("365", "past_time"),
    ]
    assert kept.at.tolist() == [(now + n) * DAY for n in range(20)]


@pytest.mark.parametrize(
    "days",
    [
        (0, *range(1824, 1844)),  # not quite five years
        (9_000, 9_001, 9_002, *range(20_000, 20_020)),  # more than a tenth
        tuple(range(0, 20_000, 1000)),  # a slow history
    ],
)
def test_events_that_are_many_or_near_are_kept(days: tuple[int, ...]) -> None:
    kept, early = without_stragglers(of_days(*days))
    assert (len(kept), early) == (len(days), [])


def test_any_number_of_unset_times_is_refused() -> None:
    kept, early = without_stragglers(of_days(0, 1, 2, *range(20_000, 20_005)))
    assert ([each.event_id for each in early], len(kept)) == (["0", "1", "2"], 5)


def test_a_profile_may_be_as_old_as_it_is() -> None:
    both = Batch.concat([of_days(0, topic=Topic.PROFILES), of_days(*range(20_000, 20_020))])
    kept, early = without_stragglers(both)
    assert (len(kept), early) == (21, [])


def test_a_file_of_which_nothing_can_be_accepted_is_an_error_that_names_it(tmp_path: Path) -> None:
    good, csv = tmp_path / "good.jsonl", tmp_path / "csv.jsonl"
    good.write_bytes(_lines(LOGIN))
    csv.write_text("customer,amount\nc-1,5\n")
    shown: list[FileRefusal] = []
    with pytest.raises(EventFileError, match=r"csv\.jsonl: none of its 2 lines can be accepted: 2 not_json"):
        read_events([good, csv], now_us=None, max_skew_us=0, on_refused=shown.append)
    assert [refusal.line for refusal in shown] == [1, 2]


def test_a_file_without_lines_is_a_file_without_events(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text("\n\n")
    batch, refused = _read(path)
    assert (len(batch), refused) == (0, [])


@pytest.mark.parametrize("suffix", [*WRITERS, ".parquet"])
def test_progress_goes_up_to_the_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events{suffix}"
    events = [LOGIN | {"event_id": str(i)} for i in range(30_000)]
    if suffix == ".parquet":
        _parquet(path, events)
    else:
        WRITERS[suffix](path, _lines(*events))
    seen: list[tuple[int, int]] = []
    read_events(
        [path, path],
        now_us=None,
        max_skew_us=0,
        on_refused=lambda refusal: None,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert seen == sorted(seen)
    assert {whole for _, whole in seen} == {2 * path.stat().st_size}
    assert seen[-1][0] > path.stat().st_size


def test_costs_by_item_are_read_from_parquet_as_from_lines(tmp_path: Path) -> None:
    """In a struct each row has every item of the file, null where its action has none."""
    costs: list[dict[str, float] | None] = [
        *({"gift": 5.25, "labour": 12.0}, {"discount": 0.1}, {"gift": 0.0}, {}),
        None,
    ]
    action = COMMON | {"type": "action", "kind": "contact", "actor": "ann"}
    given: list[dict[str, Any]] = [{**action, "event_id": f"a{n}"} for n in range(len(costs))]
    for event, cost in zip(given, costs, strict=True):
        event |= {} if cost is None else {"cost": cost}
    (tmp_path / "e.jsonl").write_bytes(_lines(*given))
    expected, refused = _read(tmp_path / "e.jsonl")
    assert refused == []
    assert [record.cost for record in expected.record][:2] == [
        (("gift", 5_250_000), ("labour", 12_000_000)),
        (("discount", 100_000),),
    ]
    items = ("discount", "gift", "labour")
    rows = [None if cost is None else {item: cost.get(item) for item in items} for cost in costs]
    for dtype in (pl.Float64(), pl.Float32(), pl.Decimal(12, 2)):
        frame = pl.DataFrame([action | {"event_id": f"a{n}"} for n in range(len(costs))])
        column = pl.Series("cost", rows, dtype=pl.Struct(dict.fromkeys(items, pl.Float64())))
        column = column.cast(pl.Struct(dict.fromkeys(items, dtype)))
        frame.with_columns(column).write_parquet(tmp_path / "e.parquet")
        batch, refused = _read(tmp_path / "e.parquet")
        assert refused == [], dtype
        assert _rows(batch) == _rows(expected), dtype
