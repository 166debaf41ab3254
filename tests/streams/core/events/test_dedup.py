import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events.dedup import Deduplicator, hash_strings

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
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(0, 60)), max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_repeats_are_those_of_the_slow_twin(events: list[tuple[int, str, int]], cuts: list[int]) -> None:
    events = sorted(events, key=lambda e: e[2])
    kept: list[tuple[int, str, int]] = []
    expected = []
    for customer, event_id, time in events:
        again = any(c == customer and i == event_id and abs(time - t) <= WINDOW for c, i, t in kept)
        expected.append(not again)
        if not again:
            kept.append((customer, event_id, time))
    repeats = Deduplicator(WINDOW)
    found: list[bool] = []
    edges = sorted({0, len(events), *(c for c in cuts if c < len(events))})
    for begin, end in itertools.pairwise(edges):
        part = events[begin:end]
        customers = hash_strings([str(c) for c, _, _ in part])
        at = np.array([t for _, _, t in part], dtype=np.int64)
        found += repeats.fresh(customers, objects([i for _, i, _ in part]), at, at).tolist()
        repeats.forget(part[0][2])
        restored = Deduplicator(WINDOW)
        restored.restore(repeats.columns())
        repeats = restored
    assert found == expected


def test_ids_older_than_the_window_are_forgotten() -> None:
    repeats = Deduplicator(WINDOW)
    customer = hash_strings(["c"])
    repeats.fresh(customer, objects(["e"]), np.array([0]), np.array([0]))
    repeats.forget(WINDOW)
    assert len(repeats.columns()["key"]) == 1
    repeats.forget(WINDOW + 1)
    assert len(repeats.columns()["key"]) == 0


def test_an_id_is_remembered_for_the_window_of_event_time() -> None:
    def again(judged: int) -> bool:
        repeats = Deduplicator(WINDOW)
        customer = hash_strings(["c"])
        repeats.fresh(customer, objects(["e"]), np.array([5]), np.array([5]))
        return not repeats.fresh(customer, objects(["e"]), np.array([5]), np.array([judged]))[0]

    assert again(5 + WINDOW)
    assert not again(5 + WINDOW + 1)
