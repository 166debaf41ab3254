import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.reorder import ReorderBuffer, last_reached
from streams.core.events.topics import Topic

REORDER = 5


def batch(times: Sequence[tuple[int, int]]) -> Batch:
    return Batch.of(
        [
            {"topic": Topic.ORDERS, "at": at, "customer_id": "c", "event_id": f"{number:04}"}
            for number, at in times
        ]
    )


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
    assert len(reorder) == 0
    return result


arrivals = st.lists(st.integers(0, 40), max_size=30)


@given(arrivals, st.lists(st.integers(0, 30), max_size=6))
def test_the_order_does_not_depend_on_how_arrivals_are_cut(times: list[int], cuts: list[int]) -> None:
    assert taken(times, cuts) == taken(times, [])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.integers(0, 4),
)
def test_the_last_ones_come_as_if_they_were_put_and_then_flushed(
    times: list[tuple[int, bool]], cuts: list[int], beginning: int
) -> None:
    def put(number: int, end: int) -> Batch:
        return Batch.of(
            [
                {
                    "topic": Topic.ACTIONS if acts else Topic.ORDERS,
                    "at": at,
                    "customer_id": "c",
                    "event_id": f"{n}",
                }
                for n, (at, acts) in enumerate(times[number:end], start=number)
            ]
        )

    apart, together = ReorderBuffer(REORDER, beginning), ReorderBuffer(REORDER, beginning)
    edges = sorted({0, len(times), *(c for c in cuts if c < len(times))})
    for edge in itertools.pairwise(edges):
        parts = [apart.put(put(*edge)), apart.flush(idle=False)]
        found = together.put_last(put(*edge))
        assert found.instant.tolist() == [each for part in parts for each in part.instant.tolist()]
        assert found.events.event_id.tolist() == [e for part in parts for e in part.events.event_id.tolist()]
        assert found.refused == [each for part in parts for each in part.refused]
        assert (together.watermark, together.newest, len(together)) == (
            apart.watermark,
            apart.newest,
            len(apart),
        )


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


Arrival = tuple[bool, int]
"""Whether it is an action, and its time."""
Taken = list[tuple[int, str]]


def mixed(arrivals: Sequence[Arrival]) -> Batch:
    return Batch.of(
        [
            {"topic": Topic.ACTIONS if act else Topic.ORDERS, "at": at, "event_id": f"{number:04}"}
            for number, (act, at) in enumerate(arrivals)
        ]
    )


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=30),
    st.lists(st.integers(0, 30), max_size=6),
    st.integers(0, 60),
)
def test_actions_wait_until_customers_events_have_come_so_far(
    arrivals: list[Arrival], cuts: list[int], until: int
) -> None:
    none = newest = -(10**9)
    judged = []
    for number, (act, at) in enumerate(arrivals):
        judged.append((max(at, newest - REORDER), 0 if act else 5, f"{number:04}"))
        newest = newest if act else max(newest, at)
    order: Taken = [(instant, name) for instant, _, name in sorted(judged)]

    reorder, batch = ReorderBuffer(REORDER), mixed(arrivals)
    found: Taken = []
    edges = sorted({0, len(batch), *(c for c in cuts if c < len(batch))})
    parts = [reorder.put(batch.take(slice(begin, end))) for begin, end in itertools.pairwise(edges)]
    for part in [*parts, reorder.flush(idle=False)]:
        found += zip(part.instant.tolist(), part.events.event_id.tolist(), strict=True)
    assert found == [(instant, name) for instant, name in order if instant <= newest]
    part = reorder.reach(until)
    found += zip(part.instant.tolist(), part.events.event_id.tolist(), strict=True)
    last = newest if newest == none else max(newest, until)
    assert found == [(instant, name) for instant, name in order if instant <= last]


def test_an_action_years_ahead_moves_no_watermark() -> None:
    reorder, batch = ReorderBuffer(REORDER), mixed([(False, 100), (True, 10**9)])
    reorder.put(batch)
    assert reorder.flush(idle=False).instant.tolist() == [100]
    assert (reorder.watermark, reorder.newest, len(reorder)) == (100, 100, 1)
    part = reorder.flush()
    assert (part.instant.tolist(), part.events.at.tolist()) == ([100], [10**9])
    assert (reorder.watermark, reorder.newest, len(reorder)) == (100, 100, 0)
    assert last_reached(batch) == 100


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=20),
    st.lists(st.integers(0, 20), max_size=6),
)
def test_where_nothing_more_comes_the_order_does_not_depend_on_cuts(
    arrivals: list[Arrival], cuts: list[int]
) -> None:
    newest = max((at for act, at in arrivals if not act), default=None)
    batch, found = mixed(arrivals), list[Taken]()
    edges = sorted({0, len(batch), *(c for c in cuts if c < len(batch))})
    for flushed in (edges, [0, len(batch)]):
        reorder, taken = ReorderBuffer(REORDER), Taken()
        parts = [reorder.put(batch.take(slice(begin, end))) for begin, end in itertools.pairwise(flushed)]
        # It is known step by step that nothing precedes what waits, as in a worker, or all at once.
        parts += [reorder.flush(idle=False), reorder.flush()] if flushed is edges else [reorder.flush()]
        for part in parts:
            taken += zip(part.instant.tolist(), part.events.event_id.tolist(), strict=True)
            assert np.all(np.diff(part.instant) >= 0)
        found.append(taken)
    assert found[0] == found[1]
    assert len(found[0]) == (0 if newest is None else len(arrivals))
    assert all(newest is not None and instant <= newest for instant, _ in found[0])


def test_what_comes_after_a_flush_below_it_is_late() -> None:
    reorder = ReorderBuffer(REORDER)
    reorder.put(batch([(0, 100)]))
    assert len(reorder.flush().events) == 1
    reorder.put(batch([(1, 98)]))
    assert reorder.flush().instant.tolist() == [100]


YEAR = 365 * DAY
BEGINNING = 20


def begun(
    times: Sequence[int], cuts: Sequence[int], *, restarts: bool = False
) -> tuple[list[str], list[int]]:
    """Return the ids of what is refused and the times of what is taken, in order, of a new partition."""
    reorder, numbered = ReorderBuffer(REORDER, BEGINNING), list(enumerate(times))
    edges = sorted({0, len(times), *(c for c in cuts if c < len(times))})
    parts = []
    for b, e in itertools.pairwise(edges):
        parts.append(reorder.put(batch(numbered[b:e])))
        if restarts:
            saved, reorder = reorder, ReorderBuffer(REORDER, BEGINNING)
            reorder.restore(*saved.waiting, saved.watermark, saved.newest, begun=saved.begun)
    parts.append(reorder.flush())
    refused = [event.event_id for part in parts for event in part.refused]
    return refused, [at for part in parts for at in part.events.at.tolist()]


def slowly_begun(times: Sequence[int]) -> tuple[list[str], list[int]]:
    """Do the same event by event: the first twenty decide, or all where there are fewer."""
    watermarks = [max(times[:n], default=0) - REORDER for n in range(len(times))]
    judged = [max(at, mark) for at, mark in zip(times, watermarks, strict=True)]
    first = sorted((at, n) for n, at in enumerate(judged[:BEGINNING]))
    early: list[int] = []
    for k in range(1, len(first)):
        far = first[k][0] - first[k - 1][0] > 5 * YEAR
        if far and (k * 10 <= len(first) or first[k - 1][0] < 2 * YEAR):
            early = [n for _, n in first[:k]]
    kept = sorted((at, n) for n, at in enumerate(judged) if n not in early)
    return [f"{n:04}" for n in sorted(early)], [times[n] for _, n in kept]


years = st.sampled_from([0, 1, 3, 30, 39, 39, 39, 39, 54, 55, 55, 55, 55, 55, 55, 55, 55])


@given(st.lists(st.tuples(years, st.integers(0, 9)), max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_few_events_years_before_the_others_do_not_begin_event_time(
    dated: list[tuple[int, int]], cuts: list[int]
) -> None:
    times = [year * YEAR + more for year, more in dated]
    if times and max(times) < 2 * YEAR:
        return  # it waits for others
    assert begun(times, cuts) == begun(times, cuts, restarts=True) == slowly_begun(times)


@pytest.mark.parametrize(
    ("times", "refused"),
    [
        ([0, *range(54 * YEAR, 54 * YEAR + 30)], ["0000"]),
        ([0, 54 * YEAR], ["0000"]),  # an unset time, however few others there are
        ([30 * YEAR, *range(54 * YEAR, 54 * YEAR + 30)], ["0000"]),
        ([30 * YEAR, *range(54 * YEAR, 54 * YEAR + 5)], []),  # more than a tenth
        ([50 * YEAR, *range(54 * YEAR, 54 * YEAR + 30)], []),  # not five years
        ([*range(54 * YEAR, 54 * YEAR + 30), 0], []),  # late: event time has begun
    ],
)
def test_what_is_refused_at_the_beginning(times: list[int], refused: list[str]) -> None:
    assert begun(times, [])[0] == refused


def test_an_unset_time_waits_for_others_while_nothing_comes() -> None:
    reorder = ReorderBuffer(REORDER, BEGINNING)
    reorder.put(batch([(0, 0)]))
    assert (len(reorder.flush().events), len(reorder), reorder.begun) == (0, 1, False)
    reorder.put(batch([(1, 54 * YEAR)]))
    flushed = reorder.flush()
    assert [event.event_id for event in flushed.refused] == ["0000"]
    assert (flushed.events.event_id.tolist(), reorder.begun) == (["0001"], True)


def test_an_unset_time_counts_where_there_is_nothing_else() -> None:
    reorder = ReorderBuffer(REORDER, BEGINNING)
    reorder.put(batch([(0, 0)]))
    assert reorder.flush(idle=False).events.event_id.tolist() == ["0000"]
