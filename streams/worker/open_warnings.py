"""Warnings that are open on their topic, put back into states that were rebuilt without their events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.contract.instants import to_us
from streams.contract.warnings import AcknowledgementData, CauseData, WarningEvent
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.steps import (
    Acknowledgement,
    AcknowledgementState,
    Cause,
    Reason,
    Scoring,
    Tier,
    Traits,
)
from streams.core.warnings.causes import CausePhase, CauseState
from streams.core.warnings.episodes import OpenWarning


def keep_open(engine: Engine, events: Iterable[WarningEvent]) -> Output:
    """Let warnings stay open as their newest events say, and return what their rules being gone brings about.

    A customer's warning takes the place of the one that the rebuilt state has open; causes that only that one
    has begin anew at the next evaluation. Causes of rules that are gone, or do not warn, are withdrawn.
    """
    places = {rule.id: place for place, rule in enumerate(engine.rules.rules)}
    for event in sorted(events, key=lambda event: event.time, reverse=True):
        opened_at = to_us(event.data.opened_at)
        customer = engine.know(event.data.customer_id, opened_at, to_us(event.time))
        warning = _warning(event, places)
        for place in warning.causes:
            cause = warning.causes[place]
            engine.episodes.causes.put(
                place, customer, CauseState(CausePhase.OPEN, cause.since, cause.opened_at)
            )
        engine.episodes.newest[customer] = (opened_at, 0)
        engine.episodes.keep_open(customer, warning)
    return engine.adopt()


def _warning(event: WarningEvent, places: dict[str, int]) -> OpenWarning:
    data = event.data
    causes = {cause.rule: _cause(cause) for cause in data.causes}
    reasons = tuple(Reason(r.feature, r.contribution, r.value, r.group, r.text) for r in data.reasons)
    return OpenWarning(
        data.warning_id,
        to_us(data.opened_at),
        data.step,
        Tier[data.tier.upper()],
        causes={places[rule]: cause for rule, cause in causes.items() if rule in places},
        orphans=tuple(cause for rule, cause in causes.items() if rule not in places),
        acknowledgement=None if data.attention is None else _acknowledgement(data.attention),
        scoring=Scoring(
            data.churn_probability,
            data.model_version,
            reasons,
            Traits(data.customer_class, data.segment, data.region, data.account_owner),
        ),
    )


def _cause(data: CauseData) -> Cause:
    values: dict[str, Any] = data.model_dump()
    return Cause(
        **values
        | {
            "tier": Tier[data.tier.upper()],
            "since": to_us(data.since),
            "opened_at": to_us(data.opened_at),
        }
    )


def _acknowledgement(data: AcknowledgementData) -> Acknowledgement:
    return Acknowledgement(
        AcknowledgementState(data.state),
        data.step,
        to_us(data.since),
        data.by,
        None if data.until is None else to_us(data.until),
        None if data.deadline is None else to_us(data.deadline),
        data.level,
    )
