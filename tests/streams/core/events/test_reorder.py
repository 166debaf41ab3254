import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.batch import Batch
from streams.core.events.reorder import ReorderBuffer

REORDER = 5


def batch(times: Sequence[tuple[int, int]]) -> Batch:
    return Batch.of([{"at": at, "customer_id": "c", "event_id": f"{number:04}"} for number, at in times])


def taken(times: list[int], cuts: list[int]) -> list[tuple[int, int, str]]:
    """Return (instant, event time, id) of all events in the order they are taken."""
    reorder = ReorderBuffer(REORDER)
    numbered = list(enumerate(times))
    edges = sorted({0, len(times), *(c for c in cuts if c < len(times))})
    result = []
    parts = [reorder.put(batch(numbered[b:e])) for b, e in itertools.pairwise(edges)]
    for part in [*parts, reorder.flush()]:
        result += list(
            zip(part.instant.tolist(), part.events.at.tolist(), part.events.event_id.tolist(), strict=True)
        )
    assert reorder.held == 0
    return result


arrivals = st.lists(st.integers(0, 40), max_size=30)


@given(arrivals, st.lists(st.integers(0, 30), max_size=6))
def test_the_order_does_not_depend_on_how_arrivals_are_cut(times: list[int], cuts: list[int]) -> None:
    assert taken(times, cuts) == taken(times, [])


@given(arrivals)
def test_an_event_below_the_watermark_is_judged_at_it(times: list[int]) -> None:
    expected = []
    for number, at in enumerate(times):
        watermark = max(times[:number], default=-(10**9)) - REORDER
        expected.append((max(at, watermark), at, f"{number:04}"))
    assert taken(times, []) == sorted(expected, key=lambda e: (e[0], e[2]))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, REORDER)), max_size=30))
def test_delays_up_to_the_limit_are_put_in_order(delayed: list[tuple[int, int]]) -> None:
    arrived = [at for at, delay in sorted(delayed, key=lambda d: d[0] + d[1])]
    result = taken(arrived, [])
    assert [at for _, at, _ in result] == sorted(arrived)
    assert all(instant == at for instant, at, _ in result)


def test_what_comes_after_a_flush_below_it_is_late() -> None:
    reorder = ReorderBuffer(REORDER)
    reorder.put(batch([(0, 100)]))
    assert len(reorder.flush().events) == 1
    reorder.put(batch([(1, 98)]))
    assert reorder.flush().instant.tolist() == [100]
