"""What all pages of the desk share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from consumers.broker.records import RecordSender
from consumers.database.database import Database
from consumers.desk.acting.action_desk import ActionDesk
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.installation import Installation, Unknown
from consumers.desk.live.feed import Feed
from consumers.desk.live.presence import Presence
from consumers.desk.metrics import DeskFigures
from consumers.desk.people.access import REFUSALS, Access
from consumers.desk.people.audit import AuditLog
from consumers.desk.queue.board import Board
from consumers.desk.queue.budgets import Budgets, PastRulebook, budgets_at
from consumers.desk.queue.past import PastBoards
from consumers.desk.reports.reports import Reports
from consumers.desk.rulebook import Rulebook
from consumers.desk.silences import SilenceDesk
from consumers.web.requests import RequestMeter


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
    past: PastBoards = field(init=False)
    """The open warnings of past instants."""
    live: Feed = field(init=False)
    """What happens while somebody looks."""
    presence: Presence = field(init=False)
    """Who looks at which customer."""
    meter: RequestMeter = field(default_factory=RequestMeter)
    """Counts the requests."""

    def __post_init__(self) -> None:
        """Make what is made of the rest."""
        self.reports = Reports(self.database, self.config, self.clock, self.rulebook, self.installation)
        self.silences = SilenceDesk(self.database, self.sender, self.config.silences_topic, self.clock)
        self.actions = ActionDesk(self.database, self.clock)
        self.board = self._board()
        self.past = PastBoards(self._board)
        self.live = Feed()
        self.presence = Presence(self.database)
        self.actions.on_change.append(self._on_action)

    @property
    def audit(self) -> AuditLog:
        """Who did what."""
        return self.access.audit

    def figures(self) -> DeskFigures:
        """Return what was counted until now."""
        return DeskFigures(
            requests=self.meter.requests(),
            request_seconds=self.meter.seconds(),
            signins_refused={reason: self.access.refused[reason] for reason in REFUSALS},
            live_streams=self.live.listeners,
            open_warnings=None if self.board.loading is not None else len(self.board),
            database=self.database.timing.figures(),
        )

    def _board(self, as_of: datetime | None = None) -> Board:
        rulebook = self.rulebook if as_of is None else PastRulebook(self.rulebook, self.budgets_at(as_of))
        return Board(self.database, self.clock, self.config, rulebook, self._team_of, as_of)

    def budgets_at(self, instant: datetime) -> Budgets:
        """Return the plays' budgets of a past instant."""
        plays = self.rulebook.current().plays
        now = {each.id: each.budget_month for each in plays if each.budget_month is not None}
        return budgets_at(self.database, now, instant)

    def _team_of(self, actor: str | None) -> str | None:
        """Return the name of the team of whoever an action names."""
        member = self.access.people.named(actor or "")
        team = member.person.team if member is not None else None
        return team.name if team is not None else None

    def _on_action(self) -> None:
        """Take in what somebody did: it shows in the answer to it."""
        if self.board.loading is None:
            self.board.refresh()
