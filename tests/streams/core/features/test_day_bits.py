import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.features.day_bits import DAYS, as_number, as_words, next_day, weeks

ages = st.frozensets(st.integers(0, DAYS - 1), max_size=12)


def columns(rows: list[frozenset[int]]) -> list[np.ndarray]:
    words = [as_words(sum(1 << age for age in row)) for row in rows]
    return [np.array(column, dtype=np.uint64) for column in zip(*words, strict=True)]


@given(st.lists(ages, min_size=1, max_size=4), st.integers(0, DAYS + 5))
def test_days_grow_older_and_are_forgotten_at_last(rows: list[frozenset[int]], passed: int) -> None:
    words = columns(rows)
    for day in range(passed):
        forgotten = next_day(words)
        assert forgotten.tolist() == [i for i, row in enumerate(rows) if DAYS - 1 - day in row]
    for i, row in enumerate(rows):
        expected = sum(1 << age + passed for age in row if age + passed < DAYS)
        assert as_number([word[i] for word in words]) == expected


@given(st.lists(ages, min_size=1, max_size=4), st.integers(1, 26))
def test_weeks_are_counted_as_by_hand(rows: list[frozenset[int]], count: int) -> None:
    found = weeks(columns(rows), count).tolist()
    assert found == [sum(any(w * 7 <= age < w * 7 + 7 for age in row) for w in range(count)) for row in rows]
