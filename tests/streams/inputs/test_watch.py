"""A file of inputs that changes under a worker's eyes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.errors import RuleFilesError
from streams.inputs.formats.formats import readers
from streams.inputs.load import Inputs, parse_inputs
from streams.inputs.rates import Rates, read_rates
from streams.inputs.watch import CheckpointedInputs, InputRevision, InputWatch, RefusedInputs

ORDERS = """\
version: 1
sources:
  shop:
    topic: %s
    events:
      - to: logins
        fields: {event_id: id, customer_id: who, occurred_at: at}
"""


def watch_of(folder: Path, text: str = ORDERS % "shop.logins") -> InputWatch:
    file = folder / "inputs.yaml"
    file.write_text(text)
    return InputWatch(file, parse_inputs)


def test_a_content_counts_when_two_looks_find_the_same(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    assert list(watch.current.sources) == ["shop.logins"]
    assert watch.look() is None
    watch.path.write_text(ORDERS % "half")
    assert watch.look() is None
    watch.path.write_text(ORDERS % "whole")
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, InputRevision)
    assert list(found.sources) == ["whole"]
    assert watch.current is found
    assert watch.look() is None


def test_a_bad_file_is_refused_once_with_every_mistake_and_the_one_before_stays(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    before = watch.current
    watch.path.write_text(ORDERS.replace("event_id: id, ", "") % "no topic!")
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, RefusedInputs)
    assert len(found.mistakes) == 2
    assert all(mistake.startswith(f"{watch.path}:") for mistake in found.mistakes)
    assert watch.look() is None
    assert watch.current is before


def test_a_file_that_is_gone_is_refused_and_comes_back(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    watch.path.unlink()
    assert watch.look() is None
    assert isinstance(watch.look(), RefusedInputs)
    watch.path.write_text(ORDERS % "shop.logins")
    assert watch.look() is None
    assert isinstance(watch.look(), InputRevision)


def test_a_worker_does_not_start_on_a_bad_file(tmp_path: Path) -> None:
    with pytest.raises(RuleFilesError, match=r"inputs\.yaml:2:.*sources"):
        watch_of(tmp_path, "version: 1\nsources: 7\n")


def test_a_file_behind_a_link_may_be_swapped(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(ORDERS % name)
    link = tmp_path / "inputs.yaml"
    link.symlink_to("one")
    watch = InputWatch(link, parse_inputs)
    (tmp_path / "next").symlink_to("two")
    os.replace(tmp_path / "next", link)
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, InputRevision)
    assert list(found.sources) == ["two"]


def test_what_a_checkpoint_keeps_is_read_as_it_was(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    first = watch.current
    watch.path.write_text(ORDERS % "other")
    watch.look()
    watch.look()
    found = watch.read(first.kept())
    assert found is not None
    assert (found.hash, list(found.sources)) == (first.hash, ["shop.logins"])
    assert watch.read(watch.current.kept()) is watch.current


def test_what_a_checkpoint_keeps_and_nobody_can_read_any_more_is_nothing(tmp_path: Path) -> None:
    watch = watch_of(tmp_path)
    assert watch.read(CheckpointedInputs("0" * 12, "version: 9")) is None
    assert watch.read(CheckpointedInputs("0" * 12, watch.current.text)) is None


RATES = "day,currency,rate\n2024-03-01,USD,%s\n"
SHOP = """\
version: 1
sources:
  shop:
    topic: shop
    events:
      - to: orders
        fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, currency: cur,
                 amount: {path: v, rates: true}}
"""


def test_a_table_of_rates_that_changes_is_news_and_a_checkpoint_has_the_one_of_before(tmp_path: Path) -> None:
    table, file = tmp_path / "rates.csv", tmp_path / "inputs.yaml"
    table.write_text(RATES % "0.9")
    file.write_text(SHOP)

    def parse(path: str, content: bytes, *, rates: Rates | None = None) -> Inputs:
        return parse_inputs(path, content, rates=rates or read_rates(table, "EUR"))

    watch = InputWatch(file, parse, table)
    first = watch.current
    assert watch.look() is None
    table.write_text(RATES % "0.95")
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, InputRevision)
    assert found.hash != first.hash
    assert found.sources != first.sources
    kept = watch.read(first.kept(), first.tables())
    assert kept is not None
    assert (kept.hash, kept.sources, kept.rates) == (first.hash, first.sources, first.rates)
    assert watch.read(first.kept()) is None  # what it was converted by is not known any more
    table.write_text("day,currency,rate\n2024-03-01,USD,many\n")
    assert watch.look() is None
    refused = watch.look()
    assert isinstance(refused, RefusedInputs)
    assert refused.mistakes[0].startswith(f"{table}:2:")
    assert watch.current is found
    table.write_text(RATES % "0.95")
    assert watch.look() is None
    again = watch.look()
    assert isinstance(again, InputRevision)
    assert again.hash == found.hash


def test_sources_of_a_registry_are_the_same_where_the_file_says_the_same() -> None:
    """Each reading makes readers of its own; a topic is not read again for that."""
    text = ORDERS.replace("topic: %s", "topic: shop\n    format: json_schema")
    one, other = (parse_inputs("inputs.yaml", text.encode(), readers(None)) for _ in range(2))
    assert one.sources["shop"].reader is not other.sources["shop"].reader
    assert one.sources == other.sources
