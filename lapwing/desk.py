"""What the desk is made of: the settings and the rule folder as it takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from consumers.desk.config import DeskConfig
from consumers.desk.rulebook import (
    CauseView,
    ChangeView,
    ConditionView,
    PlayView,
    ReasonView,
    RulebookView,
    RuleView,
)
from lapwing.settings.settings import Settings
from streams.core.conditions.tree import Or
from streams.core.decision.plays import Play
from streams.core.explain.parts import CustomerRow, Part, part
from streams.core.explain.smallest_change import smallest_change
from streams.core.rules.rule_set import RuleSet
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
        active_within=settings.active_within,
        answer_within=settings.answer_within,
        solve_within=settings.solve_within,
        min_holdout=settings.min_holdout,
        holdout_exempt=tuple(settings.holdout_exempt),
    )


class RuleFolder:
    """The rule folder as the desk shows it, read again when a file in it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[Path, int] | None = None
        self._view = RulebookView()
        self._rules: RuleSet | None = None

    def current(self) -> RulebookView:
        """Return what it says now."""
        there = self._changes()
        if there != self._seen:
            try:
                rulebook = load_rulebook(self._path)
                self._view, self._rules = rulebook_view(rulebook), rulebook.rules
            except LapwingError as error:
                self._view = replace(self._view, error=str(error))
            self._seen = there
        return self._view

    def explain(self, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
        """Return a rule with the values that it read; `None` where it has changed since, or is gone."""
        self.current()
        return None if self._rules is None else cause_view(self._rules, rule_id, version, values)

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


def cause_view(rules: RuleSet, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
    """Return a rule with the values that it read; `None` where the set has it no more as it was."""
    place = next(
        (n for n, rule in enumerate(rules.rules) if (rule.id, rule.version) == (rule_id, version)), None
    )
    if place is None:
        return None
    rule, clear = rules.rules[place], rules.clears[place]
    read = {name: values.get(name) for name in rules.reads(place)}
    row = CustomerRow(read)
    own_clear = clear.right if rule.only and isinstance(clear, Or) else clear
    changes = smallest_change(clear, read)
    return CauseView(
        when=_condition(part(rules.whens[place], row)),
        clear=_condition(part(own_clear, row)),
        changes=None
        if changes is None
        else tuple(ChangeView(each.feature, each.value, each.op, each.bound) for each in changes),
        keep_open_for_us=rule.keep_open_for_us,
    )


def _condition(of: Part) -> ConditionView:
    return ConditionView(
        text=of.text,
        verdict=of.verdict.value,
        join=of.join.value,
        parts=tuple(map(_condition, of.parts)),
        value=of.value,
        compares=bool(of.feature),
    )
