"""Words beyond a field's bound are unknown, whatever the batches are, and unused ones make room."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import Batch, LabelsRecord, ProfileRecord
from streams.core.events.calendar import DAY, HOUR, SECOND
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.features.vocabulary import MOST_CURRENCIES, Vocabulary
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.offline.replay import SweptFeatures

RULES = compile_rules([], DTYPES)
SETTINGS = EngineSettings(max_words=5, segments=True, reorder_us=0)
Row = dict[str, Any]


def profile(at: int, customer: str, segment: str | None, region: str | None = None) -> Row:
    record = ProfileRecord(segment=segment, region=region)
    return {"topic": Topic.PROFILES, "at": at, "customer_id": customer, "record": record}


def order(at: int, customer: str, channel: str | None, category: str | None = None) -> Row:
    record = LabelsRecord(channel, category, None)
    return {"topic": Topic.ORDERS, "at": at, "customer_id": customer, "record": record}


def engine_of(settings: EngineSettings = SETTINGS) -> tuple[Engine, SweptFeatures]:
    engine, swept = Engine(settings, RULES), SweptFeatures()
    engine.observe(sweeps=swept)
    return engine, swept


def with_ids(rows: Sequence[Row]) -> list[Row]:
    return [{"event_id": f"e{n:07}", **row} for n, row in enumerate(rows)]


def run(
    rows: Sequence[Row], size: int, settings: EngineSettings = SETTINGS, *, restarts: bool = False
) -> tuple[Engine, list[pl.DataFrame], Output]:
    """Return the engine, what it saw at each sweep, and the counts of all that it put out."""
    engine, swept = engine_of(settings)
    whole = Output()
    rows = with_ids(rows)
    for begin in range(0, len(rows), size):
        part = engine.step(Batch.of(rows[begin : begin + size]))
        whole.counts.add(part.counts)
        whole.sums += part.sums
        if restarts:
            state = tables(engine)
            engine = Engine(settings, RULES)
            engine.observe(sweeps=swept)
            restore(engine, state)
    whole.counts.add(engine.flush().counts)
    return engine, [frame for _, frame in swept.frames], whole


def mixed(days: int) -> list[Row]:
    """Return a history with far more words than there is room for, orders and profiles mixed."""
    generator = np.random.default_rng(7)
    rows = []
    for n in range(days * 40):
        at, customer = n * (DAY // 40) + HOUR, f"c{generator.integers(9)}"
        word = f"w{generator.integers(1 + n // 20, 8 + n // 20)}"
        rows.append(
            profile(at, customer, word, word if n % 3 else None)
            if generator.random() < 0.4
            else order(at, customer, word, word if n % 2 else None)
        )
    return rows


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("size", [1, 3, 40, 1000])
def test_which_words_are_known_does_not_depend_on_batches(size: int, restarts: bool) -> None:
    if restarts and size == 1:
        pytest.skip("the same as with 3, and slow")
    _, expected, counts = run(mixed(12), 7)
    _, frames, own = run(mixed(12), size, restarts=restarts)
    assert all(
        counts.counts.unknown_words[name] > 20 for name in ("segment", "region", "channel", "category")
    )
    assert own.counts.unknown_words == counts.counts.unknown_words
    assert len(frames) == len(expected) > 8
    assert all(a.equals(b) for a, b in zip(frames, expected, strict=True))
    assert [sums.segments for sums in own.sums] == [sums.segments for sums in counts.sums]


def slow_segments(rows: Sequence[Row], most: int) -> dict[int, dict[str, str | None]]:
    """Return each customer's segment at each midnight: a word is known while there is room for it."""
    known: set[str] = set()
    of: dict[str, str | None] = {}
    found: dict[int, dict[str, str | None]] = {}
    midnight = DAY
    for row in rows:
        while row["at"] >= midnight:
            found[midnight] = dict(of)
            if 2 * len(known) >= most:
                known &= {word for word in of.values() if word is not None}
            midnight += DAY
        of.setdefault(row["customer_id"], None)
        if row["topic"] == Topic.PROFILES:
            word = row["record"].segment
            if word is not None and word not in known and len(known) < most:
                known.add(word)
            of[row["customer_id"]] = word if word in known else None
    return found


def test_a_word_is_known_where_the_twin_finds_room_for_it() -> None:
    rows = mixed(15)
    _, frames, _ = run(rows, 13)
    expected = slow_segments(rows, SETTINGS.max_words)
    assert len(frames) == len(expected)
    for frame, (_, of) in zip(frames, sorted(expected.items()), strict=True):
        assert dict(frame.select("customer_id", "segment").iter_rows()) == of
    last = expected[max(expected)]
    assert None in last.values()
    assert set(last.values()) != {None}


@pytest.mark.parametrize("field", ["segment", "channel"])
def test_a_flood_of_words_stays_within_the_bound(field: str) -> None:
    count, most = 100_000, 1000
    rows = [
        profile(n * 2 * SECOND, f"c{n % 500}", f"{field} {n} {'x' * 200}")
        if field == "segment"
        else order(n * 2 * SECOND, f"c{n % 500}", f"{field} {n} {'x' * 200}")
        for n in range(count)
    ]
    engine, _, output = run(rows, 5000, replace(SETTINGS, max_words=most, segments=False))
    assert engine.customers.vocabulary.size(field) <= most
    assert len(engine.customers.words) <= 4 * most + 1024
    assert output.counts.unknown_words[field] > count // 2
    state = json.loads(tables(engine)["engine"]["json"][0])
    assert len(json.dumps(state["words"])) < (4 * most + 1024) * 230


def test_codes_are_packed_where_most_words_are_unused() -> None:
    settings = replace(SETTINGS, max_words=2000)
    rows = [profile(n * DAY // 500, f"c{n % 300}", f"s{n}", "north") for n in range(20_000)]
    rows += [order(41 * DAY + n, f"c{n}", "shop", "shoes") for n in range(300)]
    rows += [order(43 * DAY, "c0", None)]
    engine, frames, _ = run(rows, 700, settings)
    assert len(engine.customers.words) < 4200  # of 20,003 that there were
    frame = frames[-1].sort("customer_id")
    assert frame["region"].to_list() == ["north"] * 300
    newest = {f"c{n % 300}": f"s{n}" for n in range(20_000)}
    assert frame["segment"].to_list() == [newest[name] for name in frame["customer_id"].to_list()]
    assert engine.segments is not None
    words = engine.customers.words
    assert {words[code] for code in engine.segments.bought["order_category"].tolist()} == {None, "shoes"}
    again, _ = engine_of(settings)
    restore(again, tables(engine))
    assert all(tables(again)[name].equals(frame) for name, frame in tables(engine).items())


def test_a_state_of_before_there_was_a_bound_keeps_its_words() -> None:
    engine, _, _ = run(mixed(3), 50, replace(SETTINGS, max_words=100))
    state = tables(engine)
    once = json.loads(state["engine"]["json"][0])
    del once["word_fields"]
    state["engine"] = pl.DataFrame({"json": [json.dumps(once)]})
    small, swept = engine_of()
    restore(small, state)
    assert small.customers.vocabulary.size("segment") > SETTINGS.max_words
    later = [profile(5 * DAY, "c1", "entirely new"), order(7 * DAY, "c2", "entirely new")]
    output = small.step(Batch.of([{"event_id": f"later{n}", **row} for n, row in enumerate(later)]))
    output.counts.add(small.flush().counts)
    assert output.counts.unknown_words == {"segment": 1, "channel": 1}
    before = tables(engine)["customers"].select("customer_id", "segment")
    words = engine.customers.words
    expected = {name: words[code] for name, code in before.iter_rows()} | {"c1": None}
    assert dict(swept.frames[-1][1].select("customer_id", "segment").iter_rows()) == expected


def test_an_order_in_one_currency_too_many_is_refused() -> None:
    def bought(n: int, currency: str) -> Row:
        record = LabelsRecord(None, None, currency)
        row = {"topic": Topic.ORDERS, "at": n * SECOND, "customer_id": f"c{n}", "event_id": f"e{n}"}
        return row | {"record": record}

    engine, _ = engine_of()
    output = engine.step(Batch.of([bought(n, f"X{n}") for n in range(MOST_CURRENCIES + 3)]))
    output.counts.add(engine.flush().counts)
    assert output.counts.refused == {"other_currency": 3}
    assert output.counts.unknown_words == {"currency": 3}


def test_a_word_of_two_fields_has_one_code() -> None:
    vocabulary = Vocabulary(3)
    assert vocabulary.code("region", "north") == vocabulary.code("segment", "north") == 1
    assert vocabulary.code("region", None) == 0
    assert vocabulary.size("region") == vocabulary.size("segment") == 1
