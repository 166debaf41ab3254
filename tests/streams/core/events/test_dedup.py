import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events.batch import ActionRecord, Batch, LabelsRecord, OrderStatus, ProfileRecord
from streams.core.events.dedup import Deduplicator, content_hashes, hash_strings
from streams.core.events.topics import Topic

WINDOW = 10


def objects(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def slow_hash(text: str, seed: int | None) -> int:
    """SplitMix64's finaliser over words of eight bytes, in plain integers."""

    def mix(x: int) -> int:
        x = x * 0x9E3779B97F4A7C15 % 2**64
        x ^= x >> 29
        x = x * 0xBF58476D1CE4E5B9 % 2**64
        return x ^ (x >> 32)

    data = text.encode()
    state = len(data) if seed is None else mix(seed ^ len(data))
    for start in range(0, len(data), 8):
        state = mix(state ^ int.from_bytes(data[start : start + 8], "little"))
    return state


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=20), st.booleans())
def test_the_hash_is_that_of_its_slow_twin(texts: list[str], seeded: bool) -> None:
    seeds = np.arange(len(texts), dtype=np.uint64) * np.uint64(7919) if seeded else None
    expected = [slow_hash(t, int(seeds[i]) if seeds is not None else None) for i, t in enumerate(texts)]
    assert hash_strings(texts, seeds).tolist() == expected


def test_short_and_padded_strings_have_hashes_of_their_own() -> None:
    texts = ["", "\0", "\0\0", "a", "a\0", "aaaaaaaa", "aaaaaaaa\0", "aaaaaaaaa"]
    assert len(set(hash_strings(texts).tolist())) == len(texts)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(0, 60), st.integers(1, 3)),
        max_size=40,
    ),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_repeats_are_those_of_the_slow_twin(events: list[tuple[int, str, int, int]], cuts: list[int]) -> None:
    events = sorted(events, key=lambda e: e[2])
    kept: list[tuple[int, str, int, int]] = []
    expected = []
    for customer, event_id, time, content in events:
        near = [m for c, i, t, m in kept if c == customer and i == event_id and abs(time - t) <= WINDOW]
        expected.append((not near, bool(near) and content not in near))
        if not near:
            kept.append((customer, event_id, time, content))
    repeats = Deduplicator(WINDOW)
    found: list[tuple[bool, bool]] = []
    edges = sorted({0, len(events), *(c for c in cuts if c < len(events))})
    for begin, end in itertools.pairwise(edges):
        part = events[begin:end]
        customers = hash_strings([str(c) for c, *_ in part])
        at = np.array([t for _, _, t, _ in part], dtype=np.int64)
        contents = np.array([m for *_, m in part], dtype=np.uint64)
        made = repeats.check(customers, objects([i for _, i, _, _ in part]), at, at, contents)
        found += zip(made.fresh.tolist(), made.differs.tolist(), strict=True)
        repeats.forget(part[0][2])
        restored = Deduplicator(WINDOW)
        restored.restore(repeats.columns())
        repeats = restored
    assert found == expected


def once(repeats: Deduplicator, at: int, judged: int) -> bool:
    """Give the same event again; return whether it is taken for a new one."""
    content = np.array([7], dtype=np.uint64)
    made = repeats.check(hash_strings(["c"]), objects(["e"]), np.array([at]), np.array([judged]), content)
    return bool(made.fresh[0])


def test_ids_older_than_the_window_are_forgotten() -> None:
    repeats = Deduplicator(WINDOW)
    once(repeats, 0, 0)
    repeats.forget(WINDOW)
    assert len(repeats.columns()["key"]) == 1
    repeats.forget(WINDOW + 1)
    assert len(repeats.columns()["key"]) == 0


def test_an_id_is_remembered_for_the_window_of_event_time() -> None:
    def again(judged: int) -> bool:
        repeats = Deduplicator(WINDOW)
        once(repeats, 5, 5)
        return not once(repeats, 5, judged)

    assert again(5 + WINDOW)
    assert not again(5 + WINDOW + 1)


def test_contents_that_a_state_of_before_does_not_have_differ_from_none() -> None:
    repeats = Deduplicator(WINDOW)
    once(repeats, 5, 5)
    columns = repeats.columns()
    del columns["content"]
    restored = Deduplicator(WINDOW)
    restored.restore(columns)
    made = restored.check(
        hash_strings(["c"]), objects(["e"]), np.array([5]), np.array([5]), np.array([8], dtype=np.uint64)
    )
    assert (made.fresh.tolist(), made.differs.tolist()) == ([False], [False])


ORDER = {"topic": Topic.ORDERS, "at": 5, "customer_id": "c", "event_id": "e", "amount": 3}


@pytest.mark.parametrize(
    "other",
    [
        {"at": 6},
        {"amount": 4},
        {"status": OrderStatus.RETURNED},
        {"topic": Topic.FEEDBACK},
        {"record": LabelsRecord("web", None, None)},
        {"record": LabelsRecord(None, None, "EUR")},
        {"topic": Topic.COMPLAINTS, "complaint_id": "q"},
        {"topic": Topic.COMPLAINTS, "complaint_id": "r"},
        {"topic": Topic.COMPLAINTS, "complaint_id": "q", "satisfaction": 3},
        {"topic": Topic.PROFILES, "record": ProfileRecord(region="east")},
    ],
)
def test_another_content_has_another_hash(other: dict[str, object]) -> None:
    batch = Batch.of([ORDER, ORDER | other, ORDER | {"event_id": "f", "customer_id": "d", "offset": 9}])
    same, different, again = content_hashes(batch).tolist()
    assert same == again
    assert same != different


def test_the_hash_of_a_content_does_not_depend_on_what_comes_with_it() -> None:
    rows = [ORDER | {"record": LabelsRecord("web", None, None)}, ORDER | {"at": 6}, ORDER]
    together = content_hashes(Batch.of(rows)).tolist()
    assert together == [int(content_hashes(Batch.of([row]))[0]) for row in rows]
    assert together[0] == 12_651_697_962_409_907_695  # it is kept in checkpoints


def test_the_time_of_an_action_is_not_part_of_its_content() -> None:
    act = {"topic": Topic.ACTIONS, "record": ActionRecord("w", "snooze")}
    first, later = content_hashes(Batch.of([act | {"at": 5}, act | {"at": 9}])).tolist()
    assert first == later
