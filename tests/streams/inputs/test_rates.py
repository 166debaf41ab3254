"""Exchange rates by day."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.inputs.load import parse_inputs
from streams.inputs.rates import Rates, read_rates
from streams.inputs.source import Source
from streams.rulebook.reader import RulebookRefused
from tests.streams.inputs.mappings import record, records

TABLE = "day,currency,rate\n2024-03-01,USD,0.9\n2024-03-04,usd,0.5\n2024-03-01,JPY,0.006\n"
EPOCH = date(1970, 1, 1)
MAPPING = """\
version: 1
sources:
  shop:
    topic: shop
    events:
      - to: orders
        fields:
          event_id: id
          customer_id: customer
          occurred_at: at
          order_id: id
          amount: {path: v, minor_units: {path: cur}, rates: true}
          currency: cur
"""


def table(tmp_path: Path, text: str = TABLE) -> Rates:
    path = tmp_path / "rates.csv"
    path.write_text(text)
    return read_rates(path, "EUR")


def source(rates: Rates | None) -> Source:
    return parse_inputs("inputs.yaml", MAPPING.encode(), rates=rates).sources["shop"]


def test_an_amount_is_converted_by_the_rate_of_its_day_in_utc(tmp_path: Path) -> None:
    given_records = [
        record(v=1000, cur="USD", at="2024-03-01T23:59:59Z"),
        record(v=1000, cur="USD", at="2024-03-04T00:30:00+01:00"),  # still the 3rd: the rate of the 1st
        record(v=1000, cur=" usd", at="2024-03-11T00:00:00Z"),
        record(v=1000, cur="JPY", at="2024-03-08T00:00:00Z"),
        record(v=1000, cur="EUR", at="1999-01-01T00:00:00Z"),
    ]
    [part] = source(table(tmp_path)).map(records(given_records)).parts
    made = [json.loads(value) for value in part.values]
    assert [each["amount"] for each in made] == [9.0, 9.0, 5.0, 6.0, 10.0]
    assert {each["currency"] for each in made} == {"EUR"}


def test_without_a_rate_an_amount_is_refused(tmp_path: Path) -> None:
    given_records = [
        record(v=1000, cur="USD", at="2024-03-12T00:00:00Z"),
        record(v=1000, cur="USD", at="2024-02-29T00:00:00Z"),
        record(v=1000, cur="GBP", at="2024-03-01T00:00:00Z"),
        record(v=1000, cur="USD"),
    ]
    found = source(table(tmp_path)).map(records(given_records))
    assert [(each.index, each.reason.value) for each in found.refused] == [
        (0, "other_currency"),
        (1, "other_currency"),
        (2, "other_currency"),
    ]
    assert "amount from v cannot be converted: its currency has no rate" in found.refused[0].detail


def test_a_mapping_with_rates_needs_the_settings_and_a_currency() -> None:
    with pytest.raises(RulebookRefused, match=r"yaml:12: .*needs the settings `currency` and `rates`"):
        source(None)
    without = MAPPING.replace("          currency: cur\n", "")
    with pytest.raises(RulebookRefused, match="`rates` needs the field `currency`"):
        parse_inputs("inputs.yaml", without.encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "rates.csv:1: must begin with the line day,currency,rate"),
        ("day,currency,rate\n2024-02-30,USD,1\n", "rates.csv:2: day: '2024-02-30' is no day"),
        ("day,currency,rate\n2024-02-01,dollar,1\n", "rates.csv:2: currency: 'dollar' is none of ISO 4217"),
        ("day,currency,rate\n2024-02-01,USD,0\n", "rates.csv:2: rate: '0' is no number greater than 0"),
        ("day,currency,rate\n2024-02-01,USD,nan\n", "rates.csv:2: rate: 'nan'"),
        ("day,currency,rate\n2024-02-01,USD\n", "rates.csv:2: has 2 columns"),
        (TABLE + "2024-03-01,USD,0.8\n", "rates.csv:5: gives another rate"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RulebookRefused) as refused:
        table(tmp_path, text)
    assert says in str(refused.value)


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RulebookRefused, match="cannot be read"):
        read_rates(tmp_path / "none.csv", "EUR")


DAYS = st.integers(0, 40)


@given(
    st.dictionaries(DAYS, st.floats(0.1, 10), max_size=6),
    st.lists(st.tuples(DAYS, st.sampled_from(["USD", "EUR", "GBP", None])), max_size=8),
)
def test_the_newest_rate_of_up_to_a_week_counts(
    known: dict[int, float], asked: list[tuple[int, str]]
) -> None:
    days = np.array(sorted(known), dtype=np.int64)
    rates = Rates("EUR", {"USD": days}, {"USD": np.array([known[day] for day in sorted(known)])})
    found = rates.of(np.array([day for day, _ in asked], dtype=np.int64), [name for _, name in asked])
    for (day, name), rate in zip(asked, found.tolist(), strict=True):
        fitting = [EPOCH + timedelta(days=each) for each in known if day - 7 <= each <= day]
        newest = max(fitting, default=None) if name == "USD" else None
        expected = known[(newest - EPOCH).days] if newest is not None else 1.0 if name == "EUR" else None
        assert rate == expected or (expected is None and np.isnan(rate))


@given(
    known=st.dictionaries(
        st.sampled_from(["USD", "JPY", "CHF"]),
        st.dictionaries(st.integers(0, 30_000), st.floats(1e-6, 1e6), min_size=1, max_size=5),
    )
)
def test_a_table_of_rates_comes_back_from_a_checkpoint_as_it_was(known: dict[str, dict[int, float]]) -> None:
    rates = Rates(
        "EUR",
        {name: np.array(sorted(days), dtype=np.int64) for name, days in known.items()},
        {name: np.array([days[day] for day in sorted(days)]) for name, days in known.items()},
    )
    if not known:
        assert rates.table().height == 0
        return
    again = Rates.of_table(rates.table())
    assert again == rates
    assert again.days.keys() == rates.days.keys()
    for name in known:
        assert again.rates[name].tolist() == rates.rates[name].tolist()


def test_tables_are_equal_where_they_say_the_same(tmp_path: Path) -> None:
    one = table(tmp_path)
    lines = TABLE.splitlines()
    assert table(tmp_path, "\n".join([lines[0], *reversed(lines[1:]), ""])) == one
    assert table(tmp_path, TABLE.replace("0.5", "0.6")) != one
    assert table(tmp_path, TABLE.replace("JPY", "CHF")) != one
    with pytest.raises(ValueError, match="no table of rates"):
        Rates.of_table(one.table().drop("into"))


def test_rates_that_a_file_uses_are_part_of_what_names_it(tmp_path: Path) -> None:
    one, other = table(tmp_path), table(tmp_path, TABLE.replace("0.5", "0.6"))
    plain = MAPPING.replace(", rates: true", "").encode()
    hashes = [parse_inputs("i.yaml", MAPPING.encode(), rates=rates).hash for rates in (one, other, one)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert parse_inputs("i.yaml", plain, rates=one).hash == parse_inputs("i.yaml", plain, rates=other).hash
    assert source(one) == source(table(tmp_path))
    assert source(one) != source(other)
