"""What reports are made with: the settings and the rule files."""

from __future__ import annotations

from datetime import timedelta

from consumers.database.database import Database
from consumers.reports.complaints import Limits
from consumers.reports.knowledge import Knowledge
from consumers.reports.report import Terms
from consumers.reports.reporter import Reporter
from lapwing.settings.settings import DEFAULT, Settings
from streams.rulebook.load import load_rulebook
from streams.rulebook.reasons_file import Reasons, shipped_reasons


def reporter_of(settings: Settings, database: Database) -> Reporter:
    """Return what makes the reports of a database."""
    return Reporter(database, knowledge_of(settings), lambda: terms_of(settings))


def knowledge_of(settings: Settings) -> Knowledge:
    """Return the settings that figures depend on."""
    return Knowledge(
        zone=settings.time_zone,
        horizon=timedelta(microseconds=settings.horizon),
        active_within=timedelta(microseconds=settings.active_within or settings.horizon),
        currency=settings.currency,
    )


def terms_of(settings: Settings) -> Terms:
    """Return what the rule files say; without any the reasons are those that come with Lapwing."""
    is_there = settings.rules.exists() or settings.source("rules") != DEFAULT
    if not is_there:
        return _terms(shipped_reasons(), {}, settings)
    rulebook = load_rulebook(settings.rules)
    plays = {each.id: each.title for each in rulebook.rules.plays.plays}
    return _terms(rulebook.reasons, plays, settings)


def _terms(reasons: Reasons, plays: dict[str, str], settings: Settings) -> Terms:
    return Terms(
        group_of={code: each.group for code, each in reasons.by_code.items()},
        reason_titles={code: each.title for code, each in reasons.by_code.items()},
        play_titles=plays,
        min_holdout=settings.min_holdout,
        complaint_limits=Limits(_limit(settings.answer_within), _limit(settings.solve_within)),
    )


def _limit(us: int) -> timedelta | None:
    return timedelta(microseconds=us) if us else None
