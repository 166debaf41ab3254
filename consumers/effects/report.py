"""The whole report on effects, as text, page and JSON show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from consumers.actions import Action, cost_by_warning, standing
from consumers.effects.cohort import Exclusions, cohorts
from consumers.effects.effect import Effect, effects_of
from consumers.effects.money import Money, money_of
from consumers.effects.reasons import ReasonAgreement, StatedReason, SuggestedStep, agreement
from streams.contract.instants import format_instant

CAUTIONS: Final = (
    "Compared is as drawn (intention to treat): all who were not held out, contacted or not, with those who "
    "were. Each customer counts once: the first matured warning with the decision `rescue` and this play.",
    "Exempt classes, tiers without a share and warnings that only an earlier one keeps from being shown were "
    "not drawn: they are on neither side.",
    "There is no claim where fewer of the held out churned than `min_holdout`, or where the 99 % interval of "
    "the difference holds 0. Of a hundred comparisons of plays that do nothing, one is claimed all the same.",
    "s is the effect of being contacted after a warning with this play, whichever play was then followed.",
    "What was gained is the difference times the customers not held out times their mean value; its interval "
    "takes the mean value as given.",
)


@dataclass(frozen=True, slots=True)
class PlayEffects:
    """What is known of a play: over all tiers first, then by tier."""

    play: str
    experiment: str | None
    begun_at: int | None
    effects: tuple[Effect, ...]
    money: tuple[Money, ...]
    """Of each effect."""
    excluded: Exclusions

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        pairs = zip(self.effects, self.money, strict=True)
        return {
            "play": self.play,
            "experiment": self.experiment,
            "begun_at": None if self.begun_at is None else format_instant(self.begun_at),
            "effects": [effect.as_dict() | {"money": money.as_dict()} for effect, money in pairs],
            "excluded": self.excluded.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class EffectsReport:
    """Effects of all plays and the agreement of reasons; instants in microseconds."""

    since: int | None
    until: int | None
    as_of: int | None
    min_holdout: int
    matured: int
    """Warnings that have matured, with or without a play."""
    plays: tuple[PlayEffects, ...]
    reasons: ReasonAgreement | None
    """`None` where the warnings' steps are not known."""

    @property
    def compared(self) -> list[tuple[Effect, Money]]:
        """Return the groups that have a customer on one side at least, each with its money."""
        pairs = [pair for play in self.plays for pair in zip(play.effects, play.money, strict=True)]
        return [(effect, money) for effect, money in pairs if effect.held_out.n or effect.shown.n]

    @property
    def uncompared(self) -> list[str]:
        """Return the plays without a customer on either side."""
        compared = {effect.play for effect, _ in self.compared}
        return [play.play for play in self.plays if play.play not in compared]

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        instants = {"since": self.since, "until": self.until, "as_of": self.as_of}
        return {
            **{name: None if at is None else format_instant(at) for name, at in instants.items()},
            "min_holdout": self.min_holdout,
            "matured": self.matured,
            "plays": [play.as_dict() for play in self.plays],
            "reasons": None if self.reasons is None else self.reasons.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class EffectsInput:
    """What a report is made from."""

    matured: pl.DataFrame
    """As `matured.SCHEMA`."""
    actions: tuple[Action, ...]
    """All, those that were taken back too."""
    stated: tuple[StatedReason, ...] = ()
    steps: tuple[SuggestedStep, ...] | None = None
    """Of warnings, in the order of time; `None` where they are not known."""


def report(
    given: EffectsInput,
    *,
    min_holdout: int,
    group_of: Mapping[str, str],
    since: int | None = None,
    until: int | None = None,
    as_of: int | None = None,
) -> EffectsReport:
    """Return the report on warnings that opened in [since, until)."""
    actions = standing(given.actions)
    spent = cost_by_warning(actions)
    made = []
    for cohort in cohorts(given.matured, since, until):
        effects = effects_of(cohort.play, cohort.warnings, min_holdout)
        money = tuple(money_of(effect, cohort.warnings, spent) for effect in effects)
        made.append(
            PlayEffects(
                cohort.play, cohort.experiment, cohort.begun_at, tuple(effects), money, cohort.excluded
            )
        )
    reasons = None
    if given.steps is not None:
        steps = _opened_within(given.steps, since, until)
        reasons = agreement(steps, actions, given.stated, group_of)
    return EffectsReport(since, until, as_of, min_holdout, len(given.matured), tuple(made), reasons)


def _opened_within(
    steps: Iterable[SuggestedStep], since: int | None, until: int | None
) -> list[SuggestedStep]:
    """Return the steps of warnings that opened in the period; a warning's first step is its opening."""
    steps = list(steps)
    opened: dict[str, int] = {}
    for step in steps:
        opened[step.warning_id] = min(step.at, opened.get(step.warning_id, step.at))
    return [
        step
        for step in steps
        if (since is None or opened[step.warning_id] >= since)
        and (until is None or opened[step.warning_id] < until)
    ]
