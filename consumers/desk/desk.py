"""What all pages of the desk share."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumers.broker.records import RecordSender
from consumers.database.database import Database
from consumers.desk.acting.action_desk import ActionDesk
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.installation import Installation, Unknown
from consumers.desk.people.access import Access
from consumers.desk.people.audit import AuditLog
from consumers.desk.queue.board import Board
from consumers.desk.reports.reports import Reports
from consumers.desk.rulebook import Rulebook
from consumers.desk.silences import SilenceDesk


@dataclass(slots=True)
class Desk:
    """What all pages of the desk share; one for a process."""

    config: DeskConfig
    database: Database
    clock: DeskClock
    rulebook: Rulebook
    sender: RecordSender
    """To the broker."""
    access: Access
    installation: Installation = field(default_factory=Unknown)
    """What runs around the desk."""
    reports: Reports = field(init=False)
    silences: SilenceDesk = field(init=False)
    actions: ActionDesk = field(init=False)
    board: Board = field(init=False)
    """The open warnings."""

    def __post_init__(self) -> None:
        """Make what is made of the rest."""
        self.reports = Reports(self.database, self.config, self.clock, self.rulebook, self.installation)
        self.silences = SilenceDesk(self.database, self.sender, self.config.silences_topic, self.clock)
        self.actions = ActionDesk(self.database, self.clock)
        self.board = Board(self.database, self.clock, self.config, self.rulebook)

    @property
    def audit(self) -> AuditLog:
        """Who did what."""
        return self.access.audit
