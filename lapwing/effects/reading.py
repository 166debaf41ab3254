"""What effects are measured from, read from files: outcomes and warnings of a replay, and the actions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from consumers.actions import Action
from consumers.effects.matured import TYPE, matured_frame
from consumers.effects.reasons import CLOSED, StatedReason, SuggestedStep, stated_reason, suggested_step
from consumers.effects.report import EffectsInput
from lapwing.cloud_events import actions_of, cloud_events
from lapwing.event_files import read_files
from lapwing.settings.settings import Settings
from streams.contract.instants import read_instant, to_us
from streams.contract.outcomes import parse_outcome
from streams.contract.warnings import WarningType, parse_warning

WARNING_TYPES: Final = get_args(WarningType)


def read_input(
    outcomes: Sequence[Path], actions: Sequence[Path], warnings: Sequence[Path], settings: Settings
) -> EffectsInput:
    """Return what an effects report is made from; an outcome or a step that comes again counts once."""
    matured: dict[str, Any] = {}
    stated: dict[str, StatedReason] = {}
    for event in cloud_events(outcomes, (TYPE, CLOSED), parse_outcome):
        if event["type"] == TYPE:
            matured.setdefault(event["id"], event["data"])
        elif (reason := stated_reason(_at(event), event["data"])) is not None:
            stated.setdefault(event["id"], reason)
    steps: dict[str, SuggestedStep] = {}
    for event in cloud_events(warnings, WARNING_TYPES, parse_warning):
        steps.setdefault(event["id"], suggested_step(_at(event), event["data"]))
    taken: tuple[Action, ...] = ()
    if actions:
        batch, refusals = read_files(actions, settings)
        refusals.report()
        taken = tuple(actions_of(batch))
    return EffectsInput(
        matured=matured_frame(matured.values()),
        actions=taken,
        stated=tuple(stated.values()),
        steps=tuple(steps.values()) if warnings else None,
    )


def _at(event: dict[str, Any]) -> int:
    return to_us(read_instant(event["time"]))
