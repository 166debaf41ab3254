from __future__ import annotations

from pathlib import Path

import numpy as np

from streams.contract.decode import decode_poll
from streams.core.events.batch import COLUMNS
from streams.core.events.topics import Topic
from streams.inputs.load import parse_inputs
from tests.faults.foreign import INPUTS, MAPPED, in_own_form
from tests.faults.history import Size, history_of

SMALL = Size(customers=(100, 150), backlog_days=35, live_days=12)


def test_the_shops_own_records_are_the_events_of_the_contract() -> None:
    native = history_of(2, SMALL, 3)
    own = in_own_form(native)
    text = INPUTS.format(topic="shop", remark="first")
    source = parse_inputs(str(Path("inputs.yaml")), text.encode()).by_topic["shop"]
    for topic in MAPPED:
        pairs = [
            (before, after)
            for before, after in zip(native.backlog, own.backlog, strict=True)
            if before.topic is topic
        ]
        assert len(pairs) > 100
        assert all(after.mapped for _, after in pairs)
        keys = [before.key for before, _ in pairs]
        expected = decode_poll(topic, [before.value for before, _ in pairs], keys, None, max_skew_us=0)
        found = source.decode([after.value for _, after in pairs], keys, None, max_skew_us=0)
        assert found.index.tolist() == expected.index.tolist()
        for name in COLUMNS:
            assert np.array_equal(getattr(found.batch, name), getattr(expected.batch, name)), name
        assert [bad.index for bad in found.refused] == [bad.index for bad in expected.refused]


def test_the_garbage_is_known_as_it_is_sent() -> None:
    own = in_own_form(history_of(2, SMALL, 3))
    values = {record.value for chunk in [own.backlog, *own.chunks] for record in chunk}
    assert own.garbage <= values
    assert any(record.topic is Topic.PROFILES and not record.mapped for record in own.backlog)
