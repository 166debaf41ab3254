"""What the desk is made of: the settings and the rule folder as it takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from consumers.desk.config import DeskConfig
from consumers.desk.rulebook import PlayView, ReasonView, RulebookView, RuleView
from lapwing.settings.settings import Settings
from streams.core.decision.plays import Play
from streams.errors import LapwingError
from streams.rulebook.load import Rulebook, load_rulebook
from streams.rulebook.reasons_file import Reasons


def desk_config(settings: Settings) -> DeskConfig:
    """Return what the desk needs of the settings."""
    return DeskConfig(
        app=settings.app,
        time_zone=settings.time_zone,
        horizon=settings.horizon,
        actions_topic=settings.actions,
        silences_topic=settings.silences_topic,
        currency=settings.currency,
        base_url=settings.desk_url,
        capacity=settings.desk_capacity,
        acknowledge_for={str(tier): us for tier, us in settings.acknowledge_for.items()},
        snooze_for=settings.snooze_for,
        min_holdout=settings.min_holdout,
        holdout_exempt=tuple(settings.holdout_exempt),
    )


class RuleFolder:
    """The rule folder as the desk shows it, read again when a file in it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[Path, int] | None = None
        self._view = RulebookView()

    def current(self) -> RulebookView:
        """Return what it says now."""
        there = self._changes()
        if there != self._seen:
            try:
                self._view = rulebook_view(load_rulebook(self._path))
            except LapwingError as error:
                self._view = replace(self._view, error=str(error))
            self._seen = there
        return self._view

    def _changes(self) -> dict[Path, int]:
        files = sorted(self._path.rglob("*.yaml")) if self._path.is_dir() else [self._path]
        return {file: file.stat().st_mtime_ns for file in files if file.exists()}


def rulebook_view(rulebook: Rulebook) -> RulebookView:
    """Return what the desk shows of rule files."""
    return RulebookView(
        rules=tuple(
            RuleView(
                id=each.rule.id,
                version=each.rule.version,
                title=each.rule.title or each.rule.id,
                status="paused" if each.rule.paused else each.rule.status.value,
                tier=each.rule.tier.label,
                reason=each.rule.reason,
                owner=each.rule.owner,
                when=each.rule.when,
                clear=each.rule.clear,
                play=each.rule.play,
                by=each.by,
                place=f"{Path(each.path).name}:{each.line('id')}",
            )
            for each in rulebook.placed
        ),
        plays=tuple(_play(each.play) for each in rulebook.plays),
        reasons=_reasons(rulebook.reasons),
    )


def _play(play: Play) -> PlayView:
    cost = play.cost
    items = {
        "gift": cost.gift,
        "communication": cost.communication,
        "labour": cost.labour_minutes,
        "discount": cost.discount,
    }
    return PlayView(
        id=play.id,
        title=play.title or play.id,
        reasons=play.reasons,
        classes=play.classes,
        items=tuple(name for name, amount in items.items() if amount is not None),
        budget_month=play.budget_month,
        success=play.success.chance,
        success_source=play.success.source,
    )


def _reasons(reasons: Reasons) -> tuple[ReasonView, ...]:
    titles = {code: each.title or code for code, each in reasons.by_code.items()}
    return tuple(
        ReasonView(code, titles[code], each.group, titles.get(each.group, each.group))
        for code, each in reasons.by_code.items()
    )
