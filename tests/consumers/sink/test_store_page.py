"""The questions of docs/store.md, put to both databases as they stand there, against a plain recount."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from consumers.database.database import Database
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records
from tests.paths import ROOT

RETENTION, RULES, PLAYS = re.findall(r"```sql\n(.*?);\n```", (ROOT / "docs" / "store.md").read_text(), re.S)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'w.db'}" if is_file else request.getfixturevalue("postgres_url")
    opened = Database(url)
    opened.prepare()
    for topic, kind in KINDS.items():
        store_records(opened, [record for record in shop_records() if record.topic == topic], NOW, kind)
    yield opened
    opened.close()


def asked(database: Database, question: str) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def events(topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in shop_records() if record.topic == topic]


def test_retention_and_churn_of_each_month(database: Database) -> None:
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in events("churn-census"):
        data = event["data"]
        if event["type"] == "churn.census.taken" and data["by"] == "cohort" and data["original"] is not None:
            for place, name in enumerate(("original", "kept", "lost")):
                sums[event["time"]][place] += data[name]
    found = asked(database, RETENTION)
    # The first census has no original, and its sums are null.
    assert found[0][1:] == (None, None, None)
    instants = [row[0] if isinstance(row[0], datetime) else datetime.fromisoformat(row[0]) for row in found]
    assert [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in instants[1:]] == sorted(sums)
    assert [list(row[1:]) for row in found[1:]] == [sums[at] for at in sorted(sums)]
    assert all(original == kept + lost for original, kept, lost in sums.values())


def test_how_many_of_the_customers_that_each_rule_warned_of_left(database: Database) -> None:
    matured = [event["data"] for event in events("churn-outcomes") if event["type"] == "churn.cause.matured"]
    numbers = Counter((data["rule"], data["tier"]) for data in matured)
    churned = Counter((data["rule"], data["tier"]) for data in matured if data["churned"])
    assert asked(database, RULES) == [(*key, numbers[key], churned[key]) for key in sorted(numbers)]
    assert sum(churned.values()) > 0


def test_what_was_done_and_what_came_of_it(database: Database) -> None:
    acted = events("actions")
    numbers = Counter((each["play"], each["kind"], each["result"]) for each in acted)
    assert asked(database, PLAYS) == [(*key, numbers[key]) for key in sorted(numbers)]
    first = acted[0]
    record = next(each for each in shop_records() if each.topic == "actions")
    taken_back = first | {"event_id": "correction", "corrects": first["event_id"]}
    store_records(
        database,
        [type(record)("actions", 0, 9_999, record.timestamp_ms, record.key, json.dumps(taken_back).encode())],
        NOW,
        KINDS["actions"],
    )
    numbers[first["play"], first["kind"], first["result"]] -= 1
    assert asked(database, PLAYS) == [(*key, numbers[key]) for key in sorted(numbers) if numbers[key]]
