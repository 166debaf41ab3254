"""CSV as shops export it, and as nobody should."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.errors import EventFileError
from streams.files.tables.csv_file import LONGEST_RECORD, WHITESPACE, CsvFormat, csv_rows
from streams.files.tables.table import column_names
from tests.oracle.csv_rows import read_csv

PLACE = Path("orders.csv")
Found = tuple[list[tuple[int, list[str | None]]], list[tuple[int, str]]]


def read(content: bytes, form: CsvFormat, cuts: Sequence[int] = ()) -> Found:
    """Return rows with their lines, and the lines that are none, of a file that comes in pieces."""

    def pieces() -> Iterator[tuple[bytes, int]]:
        places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
        for begin, end in pairwise(places):
            yield content[begin:end], end

    rows: list[tuple[int, list[str | None]]] = []
    bad: list[tuple[int, str]] = []
    for block in csv_rows(PLACE, pieces(), form):
        assert len(block.frame) == len(block.lines)
        rows += zip(block.lines.tolist(), map(list, block.frame.rows()), strict=True)
        bad += [(each.line, each.detail) for each in block.bad]
    return rows, bad


def test_a_file_as_shops_export_it() -> None:
    content = b'\xef\xbb\xbfName,Note\r\n#1,"a ""fine"" one,\r\nwith two lines"\r\n\r\n#2,\r\n#3\r\n'
    assert read(content, CsvFormat()) == (
        [(2, ["#1", 'a "fine" one,\r\nwith two lines']), (5, ["#2", None]), (6, ["#3", None])],
        [],
    )


def test_the_last_line_needs_no_end() -> None:
    assert read(b"a;b\n1;2", CsvFormat(delimiter=";"))[0] == [(2, ["1", "2"])]


def test_a_stray_quote_costs_no_other_line() -> None:
    content = b'a,b\n1,5" pipe\n2,"never closed\n3,"x"y\n4,5\n'
    rows, bad = read(content, CsvFormat())
    assert rows == [(2, ["1", '5" pipe']), (3, ["2", 'never closed\n3,x"y']), (5, ["4", "5"])]
    content = b'a,b\n1,5" pipe\n2,"never closed\n3,x\n4,5\n'
    rows, bad = read(content, CsvFormat())
    assert rows == [(2, ["1", '5" pipe']), (4, ["3", "x"]), (5, ["4", "5"])]
    assert bad == [(3, "a quote is opened and not closed")]


def test_a_quote_that_is_never_closed_in_a_large_file() -> None:
    many = b"".join(b"%d,x\n" % n for n in range(2 * LONGEST_RECORD // 8))
    rows, bad = read(b'a,b\n1,"open\n' + many, CsvFormat(), range(0, len(many), 100_000))
    assert len(rows) == many.count(b"\n")
    assert rows[0] == (3, ["0", "x"])
    assert bad == [(2, "a quote is opened and not closed")]


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    rows, bad = read(b"a,b\n1,2,3\n4,5\n", CsvFormat())
    assert rows == [(3, ["4", "5"])]
    assert bad == [(2, "3 cells, and the header has 2")]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_encodings(encoding: str) -> None:
    content = "naïve,b\n£5,é\n".encode(encoding)
    form = CsvFormat(encoding="utf-8" if encoding == "utf-16" else encoding)  # its mark says it
    assert read(content, form, range(len(content)))[0] == [(2, ["£5", "é"])]


def test_a_row_in_another_encoding_is_refused_alone() -> None:
    rows, bad = read("a,b\n1,é\n".encode() + "2,é\n3,x\n".encode("cp1252"), CsvFormat())
    assert rows == [(2, ["1", "é"]), (4, ["3", "x"])]
    assert bad == [(3, "not in utf-8: perhaps the encoding is another, such as cp1252")]


def test_columns_that_blanks_set_apart() -> None:
    content = b" 00001 19970101  1   11.77\r\n 00002 19970112  5   77.00 \r\n"
    form = CsvFormat(delimiter=WHITESPACE, header=False, columns=("id", "day", "count", "amount"))
    rows, _ = read(content, form, [5, 30])
    assert rows == [(1, ["00001", "19970101", "1", "11.77"]), (2, ["00002", "19970112", "5", "77.00"])]


def test_columns_without_names_are_numbered() -> None:
    (block,) = csv_rows(PLACE, [(b"1,2\n3,4\n", 8)], CsvFormat(header=False))
    assert block.frame.columns == ["column_1", "column_2"]
    assert column_names(["Phone", "", "Phone ", None, "Phone"]) == [
        "Phone",
        "column_2",
        "Phone (2)",
        "column_4",
        "Phone (3)",
    ]


def test_names_of_ones_own_take_the_place_of_a_header() -> None:
    (block,) = csv_rows(PLACE, [(b"a,b\n3,4\n", 8)], CsvFormat(columns=("x", "y")))
    assert block.frame.to_dicts() == [{"x": "3", "y": "4"}]


def test_a_header_of_one_column_asks_whether_the_delimiter_is_right() -> None:
    with pytest.raises(EventFileError, match=r'orders\.csv:1: .* perhaps the delimiter is ";"'):
        read(b"a;b;c\n1;2;3\n", CsvFormat())


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_header_is_named(content: bytes) -> None:
    with pytest.raises(EventFileError, match=r"orders\.csv: is empty"):
        read(content, CsvFormat())


def test_a_wrong_format_is_named() -> None:
    for wrong in ("", "ab", "é", '"', "\n"):
        with pytest.raises(EventFileError, match="delimiter"):
            CsvFormat(delimiter=wrong)
    with pytest.raises(EventFileError, match="quote"):
        CsvFormat(quote="ab")
    with pytest.raises(EventFileError, match="encoding 'klingon' is not known"):
        CsvFormat(encoding="klingon")


TEXTS = st.text(alphabet='",;\n\r a"é\t', max_size=60)
CELL = st.text(alphabet='",\n a1é', max_size=6)


@example('"\r"', ",", [], 1)
@given(TEXTS, st.sampled_from([",", ";"]), st.lists(st.integers(0, 70), max_size=4), st.integers(1, 4))
def test_any_text_in_any_pieces_is_what_the_twin_reads(
    text: str, delimiter: str, cuts: list[int], width: int
) -> None:
    form = CsvFormat(delimiter=delimiter, header=False, columns=tuple(f"c{n}" for n in range(width)))
    rows, bad = read(text.encode(), form, cuts)
    expected, expected_bad = read_csv(text, form, width)
    assert rows == expected
    assert [line for line, _ in bad] == expected_bad


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8), st.lists(st.integers(0, 90), max_size=4))
def test_what_pythons_writer_writes_is_read_again(table: list[list[str]], cuts: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(table)
    form = CsvFormat(header=False, columns=("a", "b"))
    rows, bad = read(text.getvalue().encode(), form, cuts)
    assert [cells for _, cells in rows] == [[cell or None for cell in row] for row in table]
    assert bad == []


def test_bytes_read_are_counted() -> None:
    found: list[Any] = list(csv_rows(PLACE, [(b"a,b\n1,2\n", 8), (b"3,4\n", 12)], CsvFormat()))
    assert [block.done for block in found] == [8, 12]
