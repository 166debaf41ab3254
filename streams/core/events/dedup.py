"""Repeats: the same event of the same customer again, found by a hash that outlives the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch, record_json
from streams.core.events.topics import Topic

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_FINAL: Final = np.uint64(0xBF58476D1CE4E5B9)
RATIO: Final = 4
"""How many times as long as the next a run is, at least."""
ANY: Final = np.uint64(0)
"""The content of an id whose content is not known."""
_TAIL: Final = np.array([0] + [(1 << (8 * k)) - 1 for k in range(1, 9)], dtype=np.uint64)


def hash_strings(strings: Sequence[str], seed: NDArray[np.uint64] | None = None) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each string's UTF-8 bytes, (n,), the same in every process and version.

    Eight bytes at a time through a multiply-xorshift mix (the finaliser of SplitMix64, Steele, Lea and
    Flood 2014). `seed`, (n,), is folded in first. Among 10^7 keys kept at once, a new one meets an equal
    hash by chance once in 10^12.
    """
    n = len(strings)
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=n)
    encoded = "".join(strings).encode("utf-8", "surrogatepass")
    if len(encoded) > lengths.sum():  # not ASCII alone
        each = (len(s.encode("utf-8", "surrogatepass")) for s in strings)
        lengths = np.fromiter(each, dtype=np.int64, count=n)
    starts = np.cumsum(lengths) - lengths
    # An unaligned 64-bit word may start at any byte; eight spare bytes keep the last one inside.
    data = encoded + bytes(8)
    words = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))
    state = lengths.astype(np.uint64) if seed is None else _mix(seed ^ lengths.astype(np.uint64))
    live = np.arange(n)
    offset = 0
    while len(live):
        live = live[lengths[live] > offset]
        left = np.minimum(lengths[live] - offset, 8)
        word = words[starts[live] + offset] & _TAIL[left]
        state[live] = _mix(state[live] ^ word)
        offset += 8
    return state


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x * _MIX
    x ^= x >> np.uint64(29)
    x *= _FINAL
    x ^= x >> np.uint64(32)
    return x


def content_hashes(events: Batch) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each event's fields but its ids, (n,); never 0.

    The time of an action is left out: it takes effect at its partition's clock, whenever it comes.
    """
    codes = events.topic.astype(np.uint64) << np.uint64(16)
    codes |= events.status.astype(np.uint64) << np.uint64(8) | events.satisfaction.astype(np.uint64)
    at = np.where(events.topic == Topic.ACTIONS, 0, events.at)
    state = _mix(_mix(_mix(at.view(np.uint64)) ^ events.amount.view(np.uint64)) ^ codes)
    complaints = np.flatnonzero(events.topic == Topic.COMPLAINTS)
    if len(complaints):
        names = [name or "" for name in events.complaint_id[complaints].tolist()]
        state[complaints] = hash_strings(names, state[complaints])
    records = events.record.tolist()
    # Few are different: they are made once for each kind that a poll holds.
    distinct = {id(record): record for record in records if record is not None}
    if distinct:
        texts = hash_strings([record_json(record) or "" for record in distinct.values()])
        by_id = dict(zip(distinct, texts.tolist(), strict=True)) | {id(None): 0}
        state ^= np.array([by_id[id(record)] for record in records], dtype=np.uint64)
    state[state == 0] = 1
    return state


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which events, (n,) each, come for the first time, and which come again with another content."""

    fresh: NDArray[np.bool_]
    differs: NDArray[np.bool_]


class Deduplicator:
    """The event ids of the last `window` microseconds, and the verdict whether one comes again.

    Ids are kept as 64-bit hashes with their event times, in a few sorted runs each less than a quarter as
    long as the one before, so that a look-up is a binary search in each and a small batch moves little (a
    log-structured merge-tree: O'Neil, Cheng, Gawlick and O'Neil 1996).
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._runs: list[_Run] = []

    def check(
        self,
        customer_hash: NDArray[np.uint64],
        event_id: NDArray[np.object_],
        at: NDArray[np.int64],
        instant: NDArray[np.int64],
        content: NDArray[np.uint64],
    ) -> Repeats:
        """Say of each event, (n,), in the order they are to be taken, whether it is no repeat; keep its id.

        An event is a repeat when one of the same customer and id that was not itself a repeat lies within
        `window` of it, either way, and was judged no more than `window` before the `instant` at which this
        one is: so long an id is remembered. It differs when none of these has its `content`.
        """
        return self._check(customer_hash, event_id, at, instant, content, keep=True)

    def look(
        self,
        customer_hash: NDArray[np.uint64],
        event_id: NDArray[np.object_],
        at: NDArray[np.int64],
        instant: NDArray[np.int64],
        content: NDArray[np.uint64],
    ) -> Repeats:
        """Say the same as `check`, and keep nothing."""
        return self._check(customer_hash, event_id, at, instant, content, keep=False)

    def _check(
        self,
        customer_hash: NDArray[np.uint64],
        event_id: NDArray[np.object_],
        at: NDArray[np.int64],
        instant: NDArray[np.int64],
        content: NDArray[np.uint64],
        *,
        keep: bool,
    ) -> Repeats:
        keys = hash_strings(event_id.tolist(), customer_hash)
        order = np.argsort(keys, kind="stable")
        asked = _Run(keys[order], at[order], instant[order], content[order])
        repeat = np.zeros(len(keys), dtype=np.bool_)
        alike = np.zeros(len(keys), dtype=np.bool_)
        for run in self._runs:
            near, same = run.near(asked, self.window)
            repeat |= near
            alike |= same
        twice = np.flatnonzero(asked.key[1:] == asked.key[:-1]) + 1
        if len(twice):
            self._within(twice, asked, repeat, alike)
        if keep:
            self._add(asked.take(~repeat))
        fresh, differs = np.empty_like(repeat), np.empty_like(repeat)
        fresh[order], differs[order] = ~repeat, repeat & ~alike
        return Repeats(fresh, differs)

    def _within(
        self, twice: NDArray[np.int64], asked: _Run, repeat: NDArray[np.bool_], alike: NDArray[np.bool_]
    ) -> None:
        """Mark repeats within the batch; `twice` are the sorted rows whose key equals the one before."""
        row = 0
        key = asked.key
        while row < len(twice):
            first = int(twice[row]) - 1
            last = first + 1
            while last + 1 < len(key) and key[last + 1] == key[first]:
                last += 1
            kept: list[tuple[int, int, int]] = []
            for i in range(first, last + 1):
                t, clock, content = int(asked.time[i]), int(asked.judged[i]), int(asked.content[i])
                near = [c for k, j, c in kept if abs(t - k) <= self.window and clock - j <= self.window]
                alike[i] |= content in near
                if near:
                    repeat[i] = True
                elif not repeat[i]:
                    kept.append((t, clock, content))
            row += last - first

    def _add(self, run: _Run) -> None:
        if not len(run.key):
            return
        while self._runs and len(self._runs[-1].key) < RATIO * len(run.key):
            run = self._runs.pop().merged(run)
        self._runs.append(run)

    def forget(self, clock: int) -> None:
        """Drop the ids of events judged more than `window` before `clock`."""
        left = (run.since(clock - self.window) for run in self._runs)
        self._runs = [run for run in left if len(run.key)]

    def at_rest(self) -> Deduplicator:
        """Return what is remembered now, which does not change when more comes."""
        copy = Deduplicator(self.window)
        copy._runs = list(self._runs)
        return copy

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the hashes of ids, event times, instants of judgement and hashes of contents remembered.

        (k,) each, sorted by the first.
        """
        run = _Run.empty()
        for each in reversed(self._runs):
            run = each.merged(run)
        return {"key": run.key, "time": run.time, "judged": run.judged, "content": run.content}

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Remember what `columns` returned; contents that were not kept are alike with any."""
        unknown = np.full(len(columns["key"]), ANY, dtype=np.uint64)
        content = columns.get("content", unknown)
        self._runs = [_Run(columns["key"], columns["time"], columns["judged"], content)]


@dataclass(frozen=True, slots=True)
class _Run:
    """Hashes of ids in ascending order, with event times, instants of judgement and hashes of contents."""

    key: NDArray[np.uint64]
    time: NDArray[np.int64]
    judged: NDArray[np.int64]
    content: NDArray[np.uint64]

    @classmethod
    def empty(cls) -> _Run:
        none = np.empty(0, dtype=np.int64)
        return cls(none.astype(np.uint64), none, none, none.astype(np.uint64))

    def take(self, rows: NDArray[Any]) -> _Run:
        return _Run(self.key[rows], self.time[rows], self.judged[rows], self.content[rows])

    def near(self, asked: _Run, window: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say whether each (n,) one asked for is here and within `window`, and whether with its content."""
        found = np.zeros(len(asked.key), dtype=np.bool_)
        alike = np.zeros(len(asked.key), dtype=np.bool_)
        if not len(self.key):
            return found, alike
        at = np.searchsorted(self.key, asked.key)
        rows = np.flatnonzero(at < len(self.key))
        rows = rows[self.key[at[rows]] == asked.key[rows]]
        step = 0
        while len(rows):
            place = at[rows] + step
            here = (np.abs(self.time[place] - asked.time[rows]) <= window) & (
                asked.judged[rows] - self.judged[place] <= window
            )
            found[rows] |= here
            content = self.content[place]
            alike[rows] |= here & ((content == asked.content[rows]) | (content == ANY))
            step += 1
            rows = rows[at[rows] + step < len(self.key)]
            rows = rows[self.key[at[rows] + step] == asked.key[rows]]
        return found, alike

    def merged(self, other: _Run) -> _Run:
        if not len(other.key):
            return self
        if not len(self.key):
            return other
        order = np.argsort(np.concatenate([self.key, other.key]), kind="stable")
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return _Run(*(np.concatenate(pair)[order] for pair in pairs))

    def since(self, at: int) -> _Run:
        keep = self.judged >= at
        return self if bool(keep.all()) else self.take(keep)
