"""Repeats: the same event of the same customer again, found by a hash that outlives the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_FINAL: Final = np.uint64(0xBF58476D1CE4E5B9)
RATIO: Final = 4
"""How many times as long as the next a run is, at least."""
_TAIL: Final = np.array([0] + [(1 << (8 * k)) - 1 for k in range(1, 9)], dtype=np.uint64)


def hash_strings(strings: Sequence[str], seed: NDArray[np.uint64] | None = None) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each string's UTF-8 bytes, (n,), the same in every process and version.

    Eight bytes at a time through a multiply-xorshift mix (the finaliser of SplitMix64, Steele, Lea and
    Flood 2014). `seed`, (n,), is folded in first. Among 10^7 keys held at once, a new one meets an equal
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


class Deduplicator:
    """The event ids of the last `window` microseconds, and the verdict whether one comes again.

    Ids are held as 64-bit hashes with their event times, in a few sorted runs each less than a quarter as
    long as the one before, so that a look-up is a binary search in each and a small batch moves little (a
    log-structured merge-tree: O'Neil, Cheng, Gawlick and O'Neil 1996).
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._runs: list[_Run] = []

    def fresh(
        self,
        customer_hash: NDArray[np.uint64],
        event_id: NDArray[np.object_],
        at: NDArray[np.int64],
        instant: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Say of each event, (n,), in the order they are to be taken, whether it is no repeat; keep its id.

        An event is a repeat when one of the same customer and id that was not itself a repeat lies within
        `window` of it, either way, and was judged no more than `window` before the `instant` at which this
        one is: so long an id is remembered.
        """
        keys = hash_strings(event_id.tolist(), customer_hash)
        order = np.argsort(keys, kind="stable")
        key, time, judged = keys[order], at[order], instant[order]
        fresh = np.ones(len(keys), dtype=np.bool_)
        for run in self._runs:
            fresh[order[run.near(key, time, judged, self.window)]] = False
        same = np.flatnonzero(key[1:] == key[:-1]) + 1
        if len(same):
            self._within(same, key, time, judged, order, fresh)
        keep = fresh[order]
        self._add(_Run(key[keep], time[keep], judged[keep]))
        return fresh

    def _within(
        self,
        same: NDArray[np.int64],
        key: NDArray[np.uint64],
        time: NDArray[np.int64],
        judged: NDArray[np.int64],
        order: NDArray[np.int64],
        fresh: NDArray[np.bool_],
    ) -> None:
        """Mark repeats within the batch; `same` are the sorted rows whose key equals the one before."""
        row = 0
        while row < len(same):
            first = int(same[row]) - 1
            last = first + 1
            while last + 1 < len(key) and key[last + 1] == key[first]:
                last += 1
            kept: list[tuple[int, int]] = []
            for i in range(first, last + 1):
                t, clock = int(time[i]), int(judged[i])
                if fresh[order[i]]:
                    if any(abs(t - k) <= self.window and clock - j <= self.window for k, j in kept):
                        fresh[order[i]] = False
                    else:
                        kept.append((t, clock))
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
        """Return what is held now, which does not change when more comes."""
        held = Deduplicator(self.window)
        held._runs = list(self._runs)
        return held

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the hashes, event times and instants of judgement held, (k,) each, sorted by hash."""
        run = _Run.empty()
        for each in reversed(self._runs):
            run = each.merged(run)
        return {"key": run.key, "time": run.time, "judged": run.judged}

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Hold what `columns` returned."""
        self._runs = [_Run(columns["key"], columns["time"], columns["judged"])]


class _Run:
    """Hashes in ascending order, with their event times and the instants at which they were judged."""

    def __init__(self, key: NDArray[np.uint64], time: NDArray[np.int64], judged: NDArray[np.int64]) -> None:
        self.key = key
        self.time = time
        self.judged = judged

    @classmethod
    def empty(cls) -> _Run:
        none = np.empty(0, dtype=np.int64)
        return cls(none.astype(np.uint64), none, none)

    def near(
        self, key: NDArray[np.uint64], time: NDArray[np.int64], judged: NDArray[np.int64], window: int
    ) -> NDArray[np.bool_]:
        """Say whether each (n,) sorted key is held and within `window`, by its time and its judgement."""
        found = np.zeros(len(key), dtype=np.bool_)
        if not len(self.key):
            return found
        at = np.searchsorted(self.key, key)
        rows = np.flatnonzero(at < len(self.key))
        rows = rows[self.key[at[rows]] == key[rows]]
        step = 0
        while len(rows):
            place = at[rows] + step
            found[rows] |= (np.abs(self.time[place] - time[rows]) <= window) & (
                judged[rows] - self.judged[place] <= window
            )
            step += 1
            rows = rows[at[rows] + step < len(self.key)]
            rows = rows[self.key[at[rows] + step] == key[rows]]
        return found

    def merged(self, other: _Run) -> _Run:
        if not len(other.key):
            return self
        if not len(self.key):
            return other
        key = np.concatenate([self.key, other.key])
        order = np.argsort(key, kind="stable")
        time = np.concatenate([self.time, other.time])
        judged = np.concatenate([self.judged, other.judged])
        return _Run(key[order], time[order], judged[order])

    def since(self, at: int) -> _Run:
        keep = self.judged >= at
        return self if bool(keep.all()) else _Run(self.key[keep], self.time[keep], self.judged[keep])
