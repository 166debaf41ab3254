from __future__ import annotations

from itertools import permutations

from consumers.ingest.recent import Recent, digest


def test_it_remembers_so_many_and_forgets_the_oldest() -> None:
    recent = Recent(2)
    for key in (b"a", b"b", b"a", b"c"):
        recent.add(key)
    assert [key in recent for key in (b"a", b"b", b"c")] == [True, False, True]


def test_a_delivery_is_its_source_its_id_and_its_body() -> None:
    parts = [
        ("s", "1", b"x"),
        ("s", "1", b"y"),
        ("s", "2", b"x"),
        ("t", "1", b"x"),
        ("s1", "", b"x"),
        ("s", "1x", b""),
    ]
    for left, right in permutations(parts, 2):
        assert digest(*left) != digest(*right)
    assert digest(*parts[0]) == digest("s", "1", b"x")
