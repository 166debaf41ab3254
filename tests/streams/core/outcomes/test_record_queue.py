"""Records that come and go in order, against a plain list."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.outcomes.record_queue import RecordQueue


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), max_size=250), st.integers(1, 40))
def test_a_queue_holds_what_a_list_would(records: list[tuple[int, int]], keep: int) -> None:
    queue, plain = RecordQueue({"value": np.int64}), list[tuple[int, int]]()
    for turn, (customer, value) in enumerate(records):
        queue.append(customer * 70, {"value": value})
        plain.append((customer * 70, value))
        if turn % 7 == 6 and len(plain) > keep:
            queue.drop(len(plain) - keep)
            del plain[:-keep]
        assert len(queue) == len(plain)
    assert queue.live("value").tolist() == [value for _, value in plain]
    for customer in (0, 70, 140, 210, 999):
        found = [int(queue.columns["value"][place]) for place in queue.of(customer)]
        assert found == [value for c, value in reversed(plain) if c == customer]
    seen: list[tuple[int, int]] = []
    owners = np.array([70, 210, 70, 5000], dtype=np.int32)
    queue.visit(
        owners,
        lambda rows, places: seen.extend(
            zip(rows.tolist(), queue.columns["value"][places].tolist(), strict=True)
        ),
    )
    assert sorted(seen) == sorted(
        (row, value) for row, owner in enumerate(owners.tolist()) for c, value in plain if c == owner
    )
