"""Whether what came out is what had to: the topic against a replay, and the database against the topic."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from consumers.broker.records import Record

SHOWN: Final = 5


def firsts(records: Iterable[Record]) -> dict[str, bytes]:
    """Return the first occurrence of each id, in the topic's order."""
    found: dict[str, bytes] = {}
    for record in records:
        found.setdefault(json.loads(record.value or b"")["id"], record.value or b"")
    return found


class Due:
    """The warnings that a replay of the good events gives."""

    def __init__(self, lines: Iterable[bytes], until: datetime) -> None:
        self.all: dict[str, bytes] = {}
        """By id; those of the time after `until` may have come, but need not."""
        self.ids: set[str] = set()
        """Those that must have come."""
        for line in lines:
            step = json.loads(line)
            self.all[step["id"]] = line
            if datetime.fromisoformat(step["time"]) <= until:
                self.ids.add(step["id"])


def topic_against_replay(records: Sequence[Record], due: Due) -> list[str]:
    """Return in what the first occurrences in the topic differ from the replay, a line each.

    Of each step id, customer, life, causes and all else count, to the byte; and the order of a customer's.
    """
    found = firsts(records)
    wrong = [f"missing: {_line(due.all[key])}" for key in due.all if key in due.ids and key not in found]
    for key, value in found.items():
        if key not in due.all:
            wrong.append(f"not in the replay: {_line(value)}")
        elif value != due.all[key]:
            wrong.append(f"different: {_line(value)}\n    {_difference(value, due.all[key])}")
    for record in records:
        key = json.loads(record.value or b"")["id"]
        if record.value != found[key]:
            wrong.append(f"sent again with other contents: {_line(record.value or b'')}")
    if not wrong:
        orders = _by_customer(found.values()), _by_customer(due.all[key] for key in due.all if key in found)
        wrong += [
            f"in another order: customer {customer}: {ids}"
            for customer, ids in orders[0].items()
            if ids != orders[1][customer]
        ]
    return wrong


def database_against_topic(database: Path, records: Sequence[Record]) -> list[str]:
    """Return in what the sink's database differs from the first occurrences in the topic."""
    found = firsts(records)
    wrong: list[str] = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        steps = {row["id"]: row for row in connection.execute("SELECT * FROM warning_steps")}
        warnings = {row["id"]: row for row in connection.execute("SELECT * FROM warnings")}
        aside = connection.execute("SELECT reason, detail FROM unreadable").fetchall()
    connection.close()
    wrong += [f"database: put aside: {row['reason']}: {row['detail']}" for row in aside]
    wrong += [f"database: not stored: {_line(found[key])}" for key in found.keys() - steps.keys()]
    wrong += [f"database: stored and not in the topic: {key}" for key in steps.keys() - found.keys()]
    last: dict[str, Any] = {}
    for key, value in found.items():
        step = json.loads(value)
        data = step["data"]
        if key in steps and json.loads(steps[key]["data"]) != data:
            wrong.append(f"database: another content: {_line(value)}")
        if data["warning_id"] not in last or last[data["warning_id"]]["step"] < data["step"]:
            last[data["warning_id"]] = data
    wrong += [f"database: no warning {key}" for key in last.keys() - warnings.keys()]
    wrong += [f"database: a warning of nowhere {key}" for key in warnings.keys() - last.keys()]
    for key, data in last.items():
        row = warnings.get(key)
        if row is not None and (
            (row["state"], row["tier"], row["last_step"]) != (data["state"], data["tier"], data["step"])
            or json.loads(row["causes"]) != data["causes"]
        ):
            wrong.append(f"database: warning {key} is not as its last step left it")
    return wrong


def outcomes_against_topic(database: Path, records: Sequence[Record]) -> list[str]:
    """Return in what the outcomes in the sink's database differ from those in their topic.

    One that comes again must say the same.
    """
    found = firsts(records)
    wrong = [
        f"outcome: sent again with other contents: {_line(record.value or b'')}"
        for record in records
        if record.value != found[json.loads(record.value or b"")["id"]]
    ]
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = dict(connection.execute("SELECT id, data FROM outcomes"))
    connection.close()
    wrong += [f"outcome: not stored: {_line(found[key])}" for key in found.keys() - rows.keys()]
    wrong += [f"outcome: stored and not in the topic: {key}" for key in rows.keys() - found.keys()]
    wrong += [
        f"outcome: another content: {_line(found[key])}"
        for key in found.keys() & rows.keys()
        if json.loads(rows[key]) != json.loads(found[key])["data"]
    ]
    return wrong


def rejected_against_garbage(records: Sequence[Record], garbage: Collection[bytes]) -> list[str]:
    """Return what of the garbage was not refused, and what was refused and is no garbage."""
    refused = {record.value or b"" for record in records}
    missing = sorted(set(garbage) - refused)
    wrong = sorted(refused - set(garbage))
    return [f"garbage that was not refused: {value[:200]!r}" for value in missing] + [
        f"refused although it is good: {value[:200]!r}" for value in wrong
    ]


def shown(differences: Sequence[str]) -> list[str]:
    """Return the first differences of each kind, and how many there are of it."""
    kinds: Mapping[str, list[str]] = defaultdict(list)
    for line in differences:
        kinds[line.partition(": ")[0]].append(line)
    counts = Counter({kind: len(lines) for kind, lines in kinds.items()})
    found = []
    for kind, lines in kinds.items():
        found.append(f"{counts[kind]} x {kind}")
        found += [f"  {line}" for line in lines[:SHOWN]]
    return found


def _by_customer(values: Iterable[bytes]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for value in values:
        step = json.loads(value)
        found[step["subject"]].append(step["id"])
    return dict(found)


def _line(value: bytes) -> str:
    step = json.loads(value)
    return f"{step['time']} {step['subject']} {step['type']} {step['id']}"


def _difference(found: bytes, due: bytes) -> str:
    """Return the fields that differ, as found and as due."""
    left, right = json.loads(found), json.loads(due)
    left, right = left | left.pop("data"), right | right.pop("data")
    names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
    differing = [f"{name}: {left.get(name)!r}, due {right.get(name)!r}" for name in sorted(names)]
    return "; ".join(differing)[:600] or "the same fields in another order"
