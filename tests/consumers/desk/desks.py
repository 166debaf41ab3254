"""A desk over a database in memory, a clock that stands still, and a sender that keeps what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.clock import DeskClock
from consumers.desk.config import DAY_US, DeskConfig
from consumers.desk.desk import Desk
from consumers.desk.rulebook import RulebookView
from lapwing.desk import rulebook_view
from streams.rulebook.load import load_rulebook
from tests.paths import ROOT

NOW = datetime(2011, 3, 20, 9, 0, tzinfo=UTC)
"""Some days after `warning_events.T0`, where the steps that tests store lie."""
CONFIG = DeskConfig("lapwing", "UTC", 90 * DAY_US, "actions", "lapwing-silences", currency="EUR")
ADDRESS = "http://127.0.0.1:8085"


@dataclass
class Sent:
    """What was sent, by topic."""

    records: list[tuple[str, bytes | None, bytes | None]] = field(default_factory=list)

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.records.append((topic, key, value))

    def flush(self) -> None:
        """Nothing is on its way."""


class ShippedRules:
    """The rules that come with Lapwing."""

    def __init__(self) -> None:
        self._view = rulebook_view(load_rulebook(ROOT / "warning_rules"))

    def current(self) -> RulebookView:
        return self._view


def desk_over(database: Database, now: datetime = NOW, **changes: Any) -> Desk:
    """Return a desk; `changes` are of its configuration."""
    return Desk(
        config=replace(CONFIG, **changes),
        database=database,
        clock=DeskClock(lambda: now, lambda: now),
        rulebook=ShippedRules(),
        sender=Sent(),
    )


def browser(desk: Desk, headers: Mapping[str, str] | None = None) -> TestClient:
    """Return what asks the desk as a browser does."""
    return TestClient(create_app(desk), base_url=ADDRESS, headers=dict(headers or {}))
