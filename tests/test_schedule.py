from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.schedule import spread

FILES = st.dictionaries(st.text("abwx", min_size=1, max_size=3), st.integers(1, 5), max_size=12)


def order(files: dict[str, int]) -> list[str]:
    items = [(name, number) for name, count in files.items() for number in range(count)]
    found = spread(items, lambda item: item[0], lambda item: item[0].startswith("w"))
    assert sorted(found) == sorted(items)
    for name, count in files.items():
        first = found.index((name, 0))
        assert found[first : first + count] == [(name, number) for number in range(count)]
    return list(dict.fromkeys(name for name, _ in found))


@given(FILES)
def test_every_item_runs_and_a_file_stays_together(files: dict[str, int]) -> None:
    order(files)


def test_files_that_wait_are_spread_among_the_others_the_largest_first() -> None:
    computing = {f"c{number}": 20 - number for number in range(8)}
    assert order({"w1": 1, "w3": 3, "w2": 2} | computing) == [
        *("w3", "c0", "c1", "w2", "c2", "c3", "w1", "c4", "c5", "c6", "c7"),
    ]
    assert order({"w1": 1, "w2": 2}) == ["w2", "w1"]
