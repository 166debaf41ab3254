"""The whole way of a report: lines of events, a replay, the store as the sink fills it, `lapwing report`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.sink.kinds import CENSUS, OUTCOMES, WARNINGS, AnyKind, actions, complaints
from lapwing.cli import lapwing
from tests.consumers.stored import store_records
from tests.oracle.report import Line

STORED: Final = datetime(2026, 6, 1, tzinfo=UTC)
MAX_SKEW_US: Final = 3_600_000_000


def replayed(folder: Path, lines: Sequence[Line], until: str, *words: str) -> dict[str, list[bytes]]:
    """Replay lines; return what the topics of warnings, outcomes and census would hold."""
    events = folder / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    names = {"--out": "warnings", "--outcomes": "outcomes", "--census": "census"}
    files = [word for flag, name in names.items() for word in (flag, str(folder / name))]
    given = ["replay", str(events), "--until", until, "--partitions", "2", *files, *words]
    done = CliRunner().invoke(lapwing, given, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return {name: (folder / name).read_bytes().splitlines() for name in names.values()}


def stored(folder: Path, lines: Iterable[Line], topics: dict[str, list[bytes]]) -> Path:
    """Store what a replay wrote, and the complaints and actions of its lines, as the sink does."""
    path = folder / "store.db"
    events = {"complaint": complaints(MAX_SKEW_US), "action": actions(MAX_SKEW_US)}
    kinds: dict[str, AnyKind] = {"warnings": WARNINGS, "outcomes": OUTCOMES, "census": CENSUS, **events}
    values = {name: [(_key(line), line) for line in own] for name, own in topics.items()}
    for line in lines:
        if line["type"] in events:
            value = json.dumps({name: each for name, each in line.items() if name != "type"}).encode()
            values.setdefault(line["type"], []).append((line["customer_id"], value))
    with closing(Database(f"sqlite:///{path}")) as database:
        database.prepare()
        for name, own in values.items():
            records = [
                Record(name, 0, number, int(STORED.timestamp() * 1000), key.encode(), value)
                for number, (key, value) in enumerate(own)
            ]
            counts = store_records(database, records, STORED, kinds[name])
            assert counts.stored + counts.repeats + counts.unreadable == len(own)
    return path


def _key(line: bytes) -> str:
    event = json.loads(line)
    partition = event["data"].get("partition")
    return str(event["subject"]) if partition is None else f"partition={partition}"


def reported(store: Path, period: str, *words: str) -> dict[str, Any]:
    """Return the figures of a period."""
    given = ["report", "--database", f"sqlite:///{store}", "--period", period, "--json", *words]
    done = CliRunner().invoke(lapwing, given, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
