import numpy as np
from aiokafka.partitioner import murmur2 as reference  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.partitioner import murmur2, partitions


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_murmur2_is_kafkas(keys: list[bytes]) -> None:
    assert murmur2(keys).tolist() == [reference(bytearray(key)) & 0xFFFFFFFF for key in keys]


def test_customers_fall_where_kafkas_default_partitioner_puts_them() -> None:
    ids = np.array([f"c{n}" for n in range(100)], dtype=np.object_)
    expected = [(reference(bytearray(c.encode())) & 0x7FFFFFFF) % 7 for c in ids.tolist()]
    assert partitions(ids, 7).tolist() == expected
    assert partitions(ids, 1).tolist() == [0] * 100
