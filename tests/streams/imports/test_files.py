"""Which source reads which file."""

from pathlib import Path

import pytest

from streams.errors import EventFileError
from streams.files.tables.csv_file import WHITESPACE, CsvFormat
from streams.files.tables.rows import RowsFormat
from streams.imports.files import foreign_files
from streams.inputs.load import parse_inputs
from streams.inputs.source import Source

SOURCE = """
  {name}:
    {place}
    events: [{{to: logins, fields: {{event_id: id, customer_id: c, occurred_at: at}}}}]
"""


def sources(**places: str) -> list[Source]:
    text = "version: 1\nsources:" + "".join(
        SOURCE.format(name=name, place=place) for name, place in places.items()
    )
    return list(parse_inputs("inputs.yaml", text.encode()).sources.values())


def read(path: str, *given: Source, chosen: str | None = None) -> tuple[str, RowsFormat]:
    [found] = foreign_files([Path(path)], given, chosen, where="inputs.yaml")
    return found.source.name, found.form


def test_the_source_whose_pattern_fits_reads_a_file() -> None:
    given = sources(shop='files: "orders-*.csv"', app='files: "app/*.jsonl"', other="topic: other")
    assert read("in/orders-1.csv", *given) == ("shop", RowsFormat("csv"))
    assert read("/data/app/a.jsonl", *given) == ("app", RowsFormat("jsonl"))
    with pytest.raises(
        EventFileError, match=r"^web/a\.jsonl: no source of inputs\.yaml .* 'orders-\*\.csv' "
    ):
        read("web/a.jsonl", *given)


def test_a_source_can_be_chosen() -> None:
    given = sources(shop='files: "orders-*.csv"', other="topic: other")
    assert read("x.tsv", *given, chosen="other") == ("other", RowsFormat("csv", CsvFormat(delimiter="\t")))
    with pytest.raises(
        EventFileError, match=r"inputs\.yaml: there is no source 'web'; there are shop, other"
    ):
        read("x.tsv", *given, chosen="web")


def test_two_sources_whose_patterns_fit_are_named() -> None:
    given = sources(one='files: "*.csv"', two='files: "a*"')
    with pytest.raises(EventFileError, match=r"a\.csv: the patterns of sources one and two fit it"):
        read("a.csv", *given)


def test_the_source_says_how_a_file_is_written() -> None:
    given = sources(
        text='files: "*.txt"\n    csv: {delimiter: whitespace, header: false, columns: [a, b], '
        "encoding: cp1252}",
        book='files: "*.xlsx"\n    xlsx: {sheets: [Orders], header_row: 3}',
        lines='files: "*.log"\n    format: jsonl',
        tables='files: "*.dat"\n    format: csv\n    csv: {delimiter: ";"}',
    )
    form = CsvFormat(delimiter=WHITESPACE, encoding="cp1252", header=False, columns=("a", "b"))
    assert read("a.txt", *given)[1] == RowsFormat("csv", form)
    assert read("a.xlsx", *given)[1] == RowsFormat("xlsx", sheets=("Orders",), header_row=3)
    assert read("a.log", *given)[1] == RowsFormat("jsonl")
    assert read("a.dat", *given)[1] == RowsFormat("csv", CsvFormat(delimiter=";"))


def test_formats_of_topics_are_not_for_files() -> None:
    [source] = sources(shop="topic: orders")
    with pytest.raises(EventFileError, match=r"a\.bin: its name does not say what it is"):
        read("a.bin", source, chosen="shop")
