"""What all pages of the desk share."""

from __future__ import annotations

from dataclasses import dataclass

from consumers.broker.records import RecordSender
from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.rulebook import Rulebook


@dataclass(slots=True)
class Desk:
    """What all pages of the desk share; one for a process."""

    config: DeskConfig
    database: Database
    clock: DeskClock
    rulebook: Rulebook
    sender: RecordSender
    """To the broker."""
