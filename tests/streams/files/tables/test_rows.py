"""Which reader a file gets by its name, and that all of them yield rows."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import zstandard

from streams.errors import EventFileError
from streams.files.tables.rows import ENDINGS, JsonRows, RowsFormat, default_format, kind_of, read_rows
from streams.files.tables.table import TableRows

PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


def json_of(path: Path, form: RowsFormat | None = None) -> tuple[list[bytes], list[int]]:
    values: list[bytes] = []
    lines: list[int] = []
    for block in read_rows(path, form or default_format(path)):
        assert isinstance(block, JsonRows)
        values += block.values
        lines += block.lines.tolist()
    return values, lines


def test_the_name_says_what_a_file_is() -> None:
    assert kind_of(Path("a.CSV.gz")) == "csv"
    assert kind_of(Path("a.b.ndjson.zst")) == "jsonl"
    assert kind_of(Path("a.pdf")) is None
    assert default_format(Path("a.tsv")).csv.delimiter == "\t"
    assert {kind_of(Path(f"x{ending}")) for ending in ENDINGS} == set(ENDINGS.values())
    with pytest.raises(EventFileError, match=r"a\.pdf: its name does not say what it is"):
        default_format(Path("a.pdf"))


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_csv_plain_and_compressed(tmp_path: Path, packed: str) -> None:
    path = tmp_path / f"a.csv{packed}"
    content = b"a,b\n" + b"1,2\n" * 3
    pack = PACK[packed]
    path.write_bytes(pack(content))
    (block,) = read_rows(path, default_format(path))
    assert isinstance(block, TableRows)
    assert block.frame.height == 3
    assert block.done == path.stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", gzip.compress(b"a,b", mtime=0), "compressed with gzip"),
        ("a.csv", b"PK\x03\x04", "a workbook or a zip archive"),
        ("a.csv.gz", gzip.compress(b"a,b\n" * 999, mtime=0)[:-9], "damaged"),
        ("a.parquet", b"no", "not a readable Parquet file"),
        ("a.json", b"[1, 2", "not JSON"),
        ("a.json", b"[\xff]", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_something_else_is_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EventFileError, match=rf"{name}: .*{says}"):
        list(read_rows(path, default_format(path)))


def test_what_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "away.csv", tmp_path):
        with pytest.raises(EventFileError, match=str(path)):
            list(read_rows(path, RowsFormat("csv")))


def test_lines_of_json_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":1}\n\n{"a":2}\nno json')
    assert json_of(path) == ([b'{"a":1}', b'{"a":2}', b"no json"], [1, 3, 4])


def test_an_array_gives_its_items(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('\ufeff[ {"a": 1},\n {"b": [2]} ]', encoding="utf-8")
    assert json_of(path) == ([b'{"a": 1}', b'{"b": [2]}'], [1, 2])
    path.write_bytes(b'{"object": "list", "data": [{"id": "evt_1"}], "has_more": false}')
    assert json_of(path) == ([b'{"id": "evt_1"}'], [1])
    path.write_bytes(b'{"object": "event", "data": [1]}\n{"object": "event", "data": [2]}\n')
    assert json_of(path)[1] == [1, 2]


def test_parquet_gives_objects_with_every_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    moment = datetime(2009, 12, 1, 7, 45, tzinfo=UTC)
    pl.DataFrame(
        {
            "id": [1, 2],
            "user": [{"email": "a@example.com"}, {"email": None}],
            "at": [moment, moment.replace(microsecond=5)],
            "local": [moment.replace(tzinfo=None), moment.replace(tzinfo=None, microsecond=5)],
            "day": [date(2009, 12, 1), None],
            "amount": [Decimal("1.50"), Decimal("2.25")],
        }
    ).write_parquet(path)
    values, lines = json_of(path)
    assert lines == [1, 2]
    assert values[0] == (
        b'{"id":1,"user":{"email":"a@example.com"},"at":"2009-12-01T07:45:00.000000Z",'
        b'"local":"2009-12-01 07:45:00","day":"2009-12-01","amount":1.5}'
    )
    assert b'"local":"2009-12-01 07:45:00.000005","day":null,"amount":2.25' in values[1]
