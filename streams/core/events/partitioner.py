"""Which partition of a topic a customer's events are on."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_M: Final = np.uint32(0x5BD1E995)
_SEED: Final = np.uint32(0x9747B28C)


def murmur2(keys: list[bytes]) -> NDArray[np.uint32]:
    """Return the 32-bit MurmurHash2 of each key, (n,), as Kafka's default partitioner computes it.

    Source: `org.apache.kafka.common.utils.Utils.murmur2`.
    """
    n = len(keys)
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=n)
    starts = np.cumsum(lengths) - lengths
    data = b"".join(keys) + bytes(4)
    words = np.ndarray(shape=(len(data) - 3,), dtype="<u4", buffer=data, strides=(1,))
    state = _SEED ^ lengths.astype(np.uint32)
    whole, rest = lengths // 4, lengths % 4
    turn = 0
    live = np.flatnonzero(whole > 0)
    while len(live):
        word = words[starts[live] + 4 * turn] * _M
        word = (word ^ (word >> np.uint32(24))) * _M
        state[live] = (state[live] * _M) ^ word
        turn += 1
        live = live[whole[live] > turn]
    tail = np.flatnonzero(rest > 0)
    if len(tail):
        mask = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint32)[rest[tail]]
        word = words[starts[tail] + 4 * whole[tail]] & mask
        state[tail] = (state[tail] ^ word) * _M
    state = (state ^ (state >> np.uint32(13))) * _M
    state ^= state >> np.uint32(15)
    return state


def partitions(customer_ids: NDArray[np.object_], count: int) -> NDArray[np.int64]:
    """Return the partition of each customer, (n,), among `count`."""
    if count == 1:
        return np.zeros(len(customer_ids), dtype=np.int64)
    unique, inverse = np.unique(customer_ids.astype(np.str_), return_inverse=True)
    positive = murmur2([u.encode() for u in unique.tolist()]).astype(np.int64) & 0x7FFFFFFF
    result: NDArray[np.int64] = (positive % count)[inverse]
    return result
