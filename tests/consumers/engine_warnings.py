"""Records of the warnings topic that the engine made: events and rules through `lapwing replay`."""

from __future__ import annotations

import functools
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lapwing.cli import replay

BEGIN = datetime(2024, 1, 1, 12, tzinfo=UTC)
CUSTOMER = "c1"

RULES = """\
version: 1
rules:
  - id: fewer-orders
    title: Fewer orders than before
    when: orders_prev_30d >= 3 AND orders_30d <= 2
    tier: low
    reason: activity_decline
    owner: retention-east
    play: care-call
    message: "{orders_30d} orders in 30 days, {orders_prev_30d} in the 30 before"
  - id: no-order
    title: No order for three weeks
    when: days_since_order >= 21
    tier: high
    reason: silence
    play: win-back
    inhibits: [fewer-orders]
    message: "no order for {days_since_order} days"
"""


def time(day: float) -> str:
    return (BEGIN + timedelta(days=day)).isoformat()


def events() -> list[dict[str, Any]]:
    """Return a customer who orders every five days until day 50, and one who logs in until day 100."""
    common = {"customer_id": CUSTOMER}
    found: list[dict[str, Any]] = [
        common | {"type": "profile", "event_id": "p", "occurred_at": time(0), "customer_class": "key"}
    ]
    found += [
        common
        | {
            "type": "order",
            "event_id": f"o{n}",
            "order_id": f"o{n}",
            "amount": 20,
            "occurred_at": time(5 * n),
        }
        for n in range(11)
    ]
    found += [
        {"type": "login", "event_id": f"l{n}", "customer_id": "other", "occurred_at": time(n)}
        for n in range(100)
    ]
    return found


def action(kind: str, warning_id: str, day: float, **more: Any) -> dict[str, Any]:
    fields = {"type": "action", "event_id": f"a{day}", "customer_id": CUSTOMER, "warning_id": warning_id}
    return fields | {"kind": kind, "occurred_at": time(day), "actor": "ann", **more}


def replayed(lines: list[dict[str, Any]], rules: str = RULES, **settings: str) -> list[bytes]:
    """Return the warnings that these events make, as they are on the topic."""
    with tempfile.TemporaryDirectory() as folder:
        history, rule_file, out = (Path(folder) / name for name in ("e.jsonl", "rules.yaml", "out.jsonl"))
        history.write_text("".join(json.dumps(line) + "\n" for line in lines))
        rule_file.write_text(rules)
        environ = {f"LAPWING_{name.upper()}": value for name, value in settings.items()}
        arguments = [str(history), "--rules", str(rule_file), "--out", str(out)]
        result = CliRunner(env=environ).invoke(replay.command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return out.read_bytes().splitlines()


@functools.cache
def warned() -> tuple[bytes, ...]:
    """Return the steps of the customer's warning while nobody does anything."""
    return tuple(replayed(events()))


@functools.cache
def attended() -> tuple[bytes, ...]:
    """Return a warning that opens, escalates, is acknowledged, lapses, and passes its deadline in a week."""
    opening = json.loads(warned()[0])
    day = (datetime.fromisoformat(json.loads(warned()[1])["time"]) - BEGIN) / timedelta(days=1)
    lines = [*events(), action("acknowledge", opening["data"]["warning_id"], day + 0.5)]
    return tuple(replayed(lines, acknowledge_for="1d", acknowledge_within="high=2d"))
