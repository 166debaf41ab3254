import polars as pl

from streams.core.features import day_bits
from streams.core.features.customers import NO_DAY
from streams.core.features.rhythm import GAPS, restored


def test_a_state_of_before_counts_its_gaps_as_even_and_knows_the_last_day() -> None:
    never = 2**31 - 1
    customers = pl.DataFrame(
        {
            "order_days": pl.Series([0, 1, 4, 2], dtype=pl.Int32),
            "first_order_day": pl.Series([never, 95, 40, 300], dtype=pl.Int32),
            "last_order_day": pl.Series([NO_DAY, 95, 100, 700], dtype=pl.Int32),
        }
    )
    columns = {name: restored(customers, name, 1000).to_list() for name in GAPS}
    assert columns["order_gap_squares"] == [0, 0, 3 * 20**2, 400**2]
    assert columns["last_gap"] == [0, 0, 20, 400]
    assert columns["older_order_day"] == [NO_DAY, 95, 100, 700]
    assert all(set(columns[name]) == {0} for name in day_bits.WORDS)
    lately = [restored(customers, name, 102)[2] for name in day_bits.WORDS]
    assert day_bits.as_number(lately) == 1 << 2
