"""What is read back of the warnings topic: the application's own steps, whatever else lies there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Step, Tier
from streams.intake.sent_steps import WarningsTopic

AT = 1_700_000_000_000_000
NOW_MS = AT // 1_000


@dataclass
class Record:
    value: bytes | None
    timestamp: int = NOW_MS


class Tail:
    """Replaces a `TopicTail`."""

    def __init__(self, *records: Record) -> None:
        self._records = records

    async def records(self, offsets: object) -> AsyncIterator[Record]:
        for record in self._records:
            yield record


def steps_of(app: str) -> list[Step]:
    rules = compile_rules([Rule("buys", "orders_total >= 1", Tier.LOW, "test")], DTYPES)
    engine = Engine(EngineSettings(app=app, reorder_us=0), rules)
    rows = [
        {"topic": Topic.ORDERS, "at": AT + i, "customer_id": name, "event_id": name, "amount": 1}
        for i, name in enumerate("ab")
    ]
    return engine.step(Batch.of(rows)).steps + engine.flush().steps


def changed(value: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(value) | fields).encode()


async def test_only_the_applications_own_steps_count() -> None:
    ours, others = steps_of("shop"), steps_of("other")
    value = encode_step(ours[0], "shop")
    records = [
        *(Record(encode_step(step, "shop")) for step in ours),
        *(Record(encode_step(step, "other"), NOW_MS + 10**9) for step in others),
        Record(None),
        Record(b"[" * 20_000),
        Record(b"9" * 5_000),
        Record(b"[1]"),
        Record(changed(value, id="far/1", time="2200-01-01T00:00:00Z")),
        Record(changed(value, id="wrong/1", time="9999-99-99")),
        Record(changed(value, id="nobody/1", source=None)),
    ]
    topic = WarningsTopic(Tail(*records), "shop")  # type: ignore[arg-type]  # replaces it
    sent = await topic.since({0: 3})
    assert sent.ids == {step.id for step in ours}
    assert sent.until == max(step.at for step in ours)
    assert sent.since == {0: 3}
    everything = await topic.all()
    assert (everything.ids, everything.until) == (sent.ids, sent.until)
    assert set(everything.open) == {step.warning_id for step in ours}


async def test_a_replayed_history_is_older_than_its_records() -> None:
    (first, *_) = steps_of("shop")
    later = Record(encode_step(first, "shop"), NOW_MS + 900 * DAY // 1_000)
    assert (await WarningsTopic(Tail(later), "shop").since({})).ids == {first.id}  # type: ignore[arg-type]  # it too
