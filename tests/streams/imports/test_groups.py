"""Line items become orders."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.imports.groups import group_keys, grouped
from tests.oracle.import_groups import group

AMOUNTS = st.none() | st.integers(-10_000, 10_000).map(lambda cents: cents / 100)
LINES = st.lists(
    st.tuples(st.sampled_from("abc"), st.fixed_dictionaries({"amount": AMOUNTS, "order_id": st.text("xy")})),
    max_size=12,
)


@given(LINES, st.sampled_from([["amount"], []]))
def test_groups_are_what_the_twin_makes(lines: list[tuple[str, dict[str, Any]]], sums: list[str]) -> None:
    keys = group_keys([(key, None) for key, _ in lines])
    events, firsts = grouped(keys, [msgspec.json.encode(event) for _, event in lines], sums)
    assert [msgspec.json.decode(event) for event in events] == group(lines, sums)
    assert firsts == sorted(firsts)


def test_keys_of_several_columns_do_not_run_into_each_other() -> None:
    keys = group_keys(
        [("a", "bc"), ("ab", "c"), ("a", None), ("a", "None"), ("a", "bc"), (7, "x"), ("7", "x")]
    )
    assert keys[0] == keys[4]
    assert keys[5] == keys[6]
    assert len(set(keys)) == 5
