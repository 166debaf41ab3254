"""Which schemas are known, kept, waited for and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.inputs.formats import schemas as kept
from streams.inputs.formats.registry import RegisteredSchema
from streams.inputs.formats.schemas import Schemas, SchemaUnusable
from tests.registry_endpoint import Shelf

STRING = RegisteredSchema("AVRO", '"string"', ('"int"',))


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_schema_is_asked_for_once() -> None:
    shelf = Shelf({1: STRING})
    schemas = Schemas(shelf, "place")
    assert schemas.get(1) is None
    assert schemas.fetch([1]) == 0.0
    assert schemas.get(1) == STRING
    shelf.away = True
    assert schemas.get(1) == STRING
    assert shelf.asked == [1]


def test_one_that_is_not_there_is_refused_and_asked_for_again_later() -> None:
    shelf, clock = Shelf(), Clock()
    schemas = Schemas(shelf, "place", clock=clock)
    assert schemas.fetch([5]) == 0.0
    with pytest.raises(SchemaUnusable, match="does not know schema 5"):
        schemas.get(5)
    clock.now += kept.ASKED_AGAIN_S
    assert schemas.get(5) is None
    shelf.schemas[5] = STRING
    assert schemas.fetch([5]) == 0.0
    assert schemas.get(5) == STRING


def test_while_the_registry_is_away_records_wait_longer_and_longer_and_then_no_more() -> None:
    shelf, clock = Shelf({1: STRING}, away=True), Clock()
    schemas = Schemas(shelf, "place", patience_s=100, clock=clock)
    delays = []
    while (delay := schemas.fetch([1, 2])) > 0:
        delays.append(delay)
        assert schemas.get(1) is None
        clock.now += delay
    assert delays[:5] == [1, 2, 4, 8, 16]
    assert max(delays) == kept.LONGEST_DELAY_S
    assert sum(delays) == pytest.approx(100)
    assert schemas.away_s == pytest.approx(100)
    for schema_id in (1, 2):
        with pytest.raises(SchemaUnusable, match="could not be had for 100 s: the schema registry is away"):
            schemas.get(schema_id)


def test_after_its_return_all_goes_on() -> None:
    shelf, clock = Shelf({1: STRING}, away=True), Clock()
    schemas = Schemas(shelf, "place", clock=clock)
    assert schemas.fetch([1]) == 1.0
    assert schemas.away_s == 0.0
    clock.now += 3
    assert schemas.away_s == 3.0
    shelf.away = False
    assert schemas.fetch([1]) == 0.0
    assert (schemas.away_s, schemas.known) == (0.0, 1)


def test_a_time_in_which_nobody_asked_does_not_count() -> None:
    shelf, clock = Shelf(away=True), Clock()
    schemas = Schemas(shelf, "place", patience_s=100, clock=clock)
    schemas.fetch([1])
    clock.now += 10_000
    assert schemas.fetch([1]) == 1.0


def test_a_restart_needs_no_registry(tmp_path: Path) -> None:
    Schemas(Shelf({1: STRING}), "place", folder=tmp_path).fetch([1])
    away = Shelf(away=True)
    again = Schemas(away, "place", folder=tmp_path)
    assert again.fetch([1]) == 0.0
    assert again.get(1) == STRING
    assert away.asked == []
    # Another registry has other schemas of the same ids.
    assert Schemas(away, "another place", folder=tmp_path).fetch([1]) > 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"kind": 1}'])
def test_a_broken_file_is_asked_for_again(tmp_path: Path, content: bytes) -> None:
    Schemas(Shelf({1: STRING}), "place", folder=tmp_path).fetch([1])
    (file,) = tmp_path.glob("*/1.json")
    file.write_bytes(content)
    shelf = Shelf({1: STRING})
    again = Schemas(shelf, "place", folder=tmp_path)
    again.fetch([1])
    assert shelf.asked == [1]
    assert again.get(1) == STRING
    assert [path.name for path in file.parent.iterdir()] == ["1.json"]


def test_where_nothing_can_be_kept_it_goes_on_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    schemas = Schemas(Shelf({1: STRING, 2: STRING}), "place", folder=tmp_path / "file")
    assert schemas.fetch([1, 2]) == 0.0
    assert schemas.get(2) == STRING
    assert caplog.text.count("schemas are not kept for a restart") == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    schemas = Schemas(Shelf(dict.fromkeys(range(5), STRING)), "place")
    schemas.fetch(range(10))
    assert schemas.known == 3
    assert schemas.get(0) is None
    assert schemas.get(4) == STRING
    assert schemas.get(5) is None  # the oldest refusals are forgotten too
    with pytest.raises(SchemaUnusable):
        schemas.get(9)


def test_a_turn_asks_for_so_many_at_most() -> None:
    shelf = Shelf()
    Schemas(shelf, "place").fetch(range(1_000))
    assert len(shelf.asked) == kept.AT_ONCE
