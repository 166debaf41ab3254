"""Mappings that are guessed from a file, and what comes of the file by them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from streams.errors import EventFileError
from streams.imports.guess import EventGuess, guess, time_forms
from streams.imports.proposal import Trial, proposed, source_of_text, tried
from streams.imports.sample import read_sample

NOW_US = 1_800_000_000_000_000
SAMPLES = Path(__file__).parent / "samples"


def guessed(path: Path) -> EventGuess:
    return guess(read_sample(path))


def trial(path: Path) -> tuple[str, Trial]:
    """Return the proposal for a file and what it makes of it."""
    sample = read_sample(path)
    text = proposed(sample, guess(sample), path.name.partition(".")[0])
    return text, tried(sample, source_of_text(text), now_us=NOW_US, max_skew_us=0)


def written(tmp_path: Path, name: str, *lines: str) -> Path:
    path = tmp_path / name
    path.write_bytes(("\n".join(lines) + "\n").encode("cp1252"))
    return path


def brief(found: EventGuess) -> dict[str, Sequence[str]]:
    return {
        each.field: (each.kind, *(".".join(path) for path in each.paths), each.sure) for each in found.fields
    }


def test_a_german_export(tmp_path: Path) -> None:
    rows = [
        f'B-{n};Müller {n % 7};K{n % 7};{n % 28 + 1:02}.03.2024 10:00;"1.2{n % 10}0,50";{status}'
        for n, status in enumerate(["bezahlt", "Storniert", "retourniert"] * 20)
    ]
    path = written(
        tmp_path, "Bestellungen 2024.csv", "Bestellnummer;Name;KundenNr;Bestelldatum;Betrag;Status", *rows
    )
    text, found = trial(path)
    assert brief(guessed(path)) == {
        "event_id": ("hash", "Bestellnummer", "Status", "likely"),
        "customer_id": ("path", "KundenNr", "sure"),
        "occurred_at": ("path", "Bestelldatum", "sure"),
        "order_id": ("path", "Bestellnummer", "sure"),
        "amount": ("path", "Betrag", "sure"),
        "status": ("path", "Status", "sure"),
    }
    assert '    csv: {delimiter: ";", encoding: cp1252}\n' in text
    assert "          amount: {path: Betrag, decimal: comma}\n" in text
    assert '          occurred_at: {path: Bestelldatum, time: "%d.%m.%Y %H:%M"}\n' in text
    assert "map: {Storniert: cancelled, bezahlt: placed, retourniert: returned}" in text
    assert (found.rows, found.events, found.refused.total()) == (60, 60, 0)


def test_line_items_are_grouped(tmp_path: Path) -> None:
    text, found = trial(SAMPLES / "online_retail_II.csv")
    assert "group: {by: [Invoice], sum: [amount]}" in text
    assert "          # likely: a quantity and a price, and no total\n" in text
    assert "          amount: {product: [Quantity, Price]}\n" in text
    assert "          customer_id: {path: Customer ID, whole: true}\n" in text
    assert found.refused["missing_field"] == 2
    assert found.events == 2  # that cancellations have negative amounts is not guessed


def test_orders_whose_first_line_has_the_total(tmp_path: Path) -> None:
    rows = []
    for n in range(30):
        rows += [f"#{n},c{n % 5},2024-03-01T10:00:00Z,{n}.50,EUR,Tea", f"#{n},c{n % 5},,,,Mug"]
    path = written(tmp_path, "orders.csv", "Order,Customer,Created at,Total,Currency,Item", *rows)
    text, found = trial(path)
    assert "where: {Total: {present: true}}" in text
    assert (found.events, found.passed, found.refused.total()) == (30, 30, 0)


def test_records_that_nest(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        "".join(
            f'{{"id": "e{n}", "user": {{"id": {n % 3}}}, "timestamp": {1_700_000_000_000 + n}, '
            f'"device": "app", "tags": []}}\n'
            for n in range(50)
        )
    )
    text, found = trial(path)
    assert "      - to: logins\n" in text
    assert "          customer_id: user.id\n" in text
    assert "          occurred_at: {path: timestamp, time: epoch_ms}\n" in text
    assert found.events == 50


def test_complaints(tmp_path: Path) -> None:
    rows = [f"T{n},c{n % 4},2024-03-01 10:0{n % 10}:00" for n in range(10)]
    path = written(tmp_path, "tickets.tsv.csv", "Ticket ID,Customer ID,Created", *rows)
    text, found = trial(path)
    assert "- to: complaints" in text
    assert found.events == 10


def test_days_and_months_that_cannot_be_told_apart_are_said(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.csv", "order,customer,date,total", *(f"{n},c,0{n}/02/2024,5" for n in range(1, 9))
    )
    at = next(each for each in guessed(path).fields if each.field == "occurred_at")
    assert at.sure == "unsure"
    assert "the day and the month cannot be told apart" in at.why
    assert time_forms(["31/12/2024", "01/02/2024"]) == ["%d/%m/%Y"]
    assert time_forms(["20240131", "20240201"]) == ["%Y%m%d"]
    assert time_forms(["5", "7"]) == time_forms([]) == []


def test_nothing_is_invented(tmp_path: Path) -> None:
    path = written(tmp_path, "stock.csv", "sku,shelf", "a,1", "b,2")
    found = guessed(path)
    assert found.fields == ()
    assert set(found.missing) == {"event_id", "customer_id", "occurred_at"}
    text = proposed(read_sample(path), found, "stock")
    assert "          # customer_id: no column was found for it\n" in text


def test_words_that_are_not_known_are_said_and_not_mapped(tmp_path: Path) -> None:
    rows = [f"{n},c{n},2024-03-01 10:00:00,5,{'paid' if n % 2 else 'limbo'}" for n in range(10)]
    path = written(tmp_path, "a.csv", "order,customer,date,total,status", *rows)
    text, found = trial(path)
    assert "map: {paid: placed}" in text
    assert any("not known: limbo" in note for note in guessed(path).notes)
    assert found.refused == {"unmapped": 5}
    assert found.lines()[1].startswith(f"refused {path}:2: ")


def test_columns_that_blanks_set_apart(tmp_path: Path) -> None:
    found = read_sample(SAMPLES / "CDNOW_master.txt")
    assert found.form.csv.delimiter == "whitespace"
    assert not found.form.csv.header
    assert list(found.columns) == [("column_1",), ("column_2",), ("column_3",), ("column_4",)]


@pytest.mark.parametrize("content", ["a,b\n", ""])
def test_a_file_without_rows_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(EventFileError, match=r"a\.csv: (has no rows|is empty)"):
        read_sample(tmp_path / "a.csv")


def test_columns_with_strange_names_are_written_so_that_they_are_read(tmp_path: Path) -> None:
    header = '"order.id","customer: id","#date","total"'
    path = written(tmp_path, "a.csv", header, *(f"{n},c{n},2024-03-01 10:00:00,5" for n in range(5)))
    _, found = trial(path)
    assert found.events == 5


def test_a_bookkeeper_s_words_are_known(tmp_path: Path) -> None:
    rows = [f"INV{n},Client {n % 7},{n % 12 + 1:02}/{n % 28 + 1:02}/2024,{n}.50,Paid" for n in range(60)]
    path = written(tmp_path, "sales.csv", "Invoice ID,Client,Sold on,Net amount,Status", *rows)
    _, found = trial(path)
    assert guessed(path).topic == "orders"
    assert brief(guessed(path))["amount"] == ("path", "Net amount", "sure")
    assert brief(guessed(path))["occurred_at"] == ("path", "Sold on", "sure")
    assert (found.rows, found.events, found.refused.total()) == (60, 60, 0)
