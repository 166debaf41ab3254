"""A warning on a broker that a person acknowledges: worker, sink, `lapwing act`, worker, sink."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.database.warnings import WarningRow
from lapwing.cli import act
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Tier
from streams.errors import BrokerError
from tests.consumers.stored import store_records
from tests.integration.workers import Sent, consume, event, make_topics, produce, running, settings_on

RULES = compile_rules([Rule("buys", "orders_total > 0", Tier.HIGH, "test")], DTYPES)


def test_a_person_acknowledges_a_warning_and_the_warning_says_so(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker, 1)
    actions = f"{settings.app}-actions"
    make_topics(broker, [actions], 1)
    settings = replace(settings, topics={**settings.topics, Topic.ACTIONS: actions})
    database = f"sqlite:///{tmp_path / 'w.db'}"
    soon = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    order = Sent(settings.topics[Topic.ORDERS], b"c1", event(Topic.ORDERS, "e1", "c1", soon))

    def store(count: int) -> list[tuple[str, str | None, str | None]]:
        """Store the first steps on the warnings topic as the sink does, and return the warnings."""
        told = consume(broker, settings.warnings_topic, count)
        records = [Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value) for r in told]
        assert len(records) == count
        opened = Database(database)
        opened.prepare()
        store_records(opened, records, datetime.now(UTC))
        with opened.reading() as connection:
            found = connection.execute(select(WarningRow.__table__)).all()
        opened.close()
        return [(row.id, row.attention, row.attended_by) for row in found]

    with running(settings, lambda n: Engine(EngineSettings(app=settings.app), RULES, partition=n)) as worker:
        produce(broker, [order])
        ((warning_id, *attention),) = store(1)
        assert attention == [None, None]
        args = [warning_id, "acknowledge", "--by", "ann", "--for", "3d", "--database", database, "--json"]
        result = CliRunner().invoke(
            act.command, [*args, "--broker", broker, "--actions", actions], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        worker.wait_until(lambda: worker.stats is not None and worker.stats.steps == 2)
        _, told = consume(broker, settings.warnings_topic, 2)
    sent, step = json.loads(result.stdout), json.loads(told.value)
    assert step["type"] == "churn.warning.acknowledged"
    assert (step["data"]["attention"]["by"], step["data"]["attention"]["until"]) == ("ann", sent["until"])
    assert store(2) == [(warning_id, "acknowledged", "ann")]


def test_a_topic_that_is_not_there_is_named(broker: str) -> None:
    args = ["w", "expire", "--by", "ann", "--customer", "c", "--broker", broker, "--actions", "no-such-topic"]
    with pytest.raises(BrokerError, match=r"has no topic no-such-topic, or .*`lapwing topics`"):
        CliRunner().invoke(act.command, args, catch_exceptions=False)
