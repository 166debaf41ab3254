"""An explanation as plain JSON values: what `lapwing explain --json` prints."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from streams.contract.instants import format_instant
from streams.contract.warnings import decision_data
from streams.core.explain.explain import Explanation, RuleView
from streams.core.explain.parts import Gap, Part
from streams.core.explain.snapshot import ModelView
from streams.core.rules.rule import Rule
from streams.core.steps import Cause, Step
from streams.core.warnings.causes import CausePhase


def as_json_value(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation; instants are RFC 3339, what is missing is null."""
    snapshot, warning = explanation.snapshot, explanation.warning
    return {
        "customer_id": explanation.customer_id,
        "at": format_instant(snapshot.at),
        "source": explanation.source,
        "rule_set": explanation.rule_set,
        "next_sweep": format_instant(explanation.next_sweep),
        "quiet_sources": {topic.label: format_instant(newest) for topic, newest in snapshot.quiet.items()},
        "sources": sorted(topic.label for topic in explanation.topics_seen),
        "features": dict(snapshot.values),
        "model": None if snapshot.model is None else _model(snapshot.model),
        "warning": None
        if warning is None
        else {
            "id": warning.id,
            "tier": warning.tier.label,
            "opened_at": format_instant(warning.opened_at),
            "steps": warning.number,
            "holdout": warning.holdout,
            "causes": [_cause(cause) for _, cause in sorted(warning.causes.items())],
        },
        "decision": decision_data(explanation.decision),
        "value_parts": None if snapshot.value_parts is None else asdict(snapshot.value_parts),
        "rules": [_rule(view) for view in explanation.rules] + [_idle(rule) for rule in explanation.idle],
        "history": [_step(step) for step in explanation.history],
        "history_from": _instant(explanation.history_from),
    }


def _model(model: ModelView) -> dict[str, Any]:
    return {
        "churn_probability": model.probability,
        "version": model.version,
        "horizon_days": model.horizon_days,
        "bias": model.bias,
        "contributions": [
            {"feature": share.feature, "value": share.value, "contribution": share.contribution}
            for share in model.shares
        ],
    }


def _rule(view: RuleView) -> dict[str, Any]:
    state, rule = view.state, view.rule
    return _idle(rule) | {
        "evaluated": True,
        "state": "idle" if state is None else state.phase.name.lower(),
        "since": None if state is None or state.phase is CausePhase.COOLING else format_instant(state.since),
        "opened_at": format_instant(state.opened_at) if state is not None and view.is_open else None,
        "due": _instant(view.due),
        "verdict": view.when.verdict.value,
        "when": _part(view.when),
        "clear_verdict": view.clear.verdict.value,
        "clear": _part(view.clear),
        "distance": _finite(view.distance),
        "out_of_reach": math.isinf(view.distance),
        "gaps": [_gap(gap) for gap in view.gaps],
        "smallest_change": None
        if view.changes is None
        else [
            {"feature": c.feature, "value": c.value, "to": c.to, "op": c.op, "bound": c.bound}
            for c in view.changes
        ],
        "change_makes_true": "clear" if view.is_open else "when",
        "endings": [{"event": end.topic.label, "count": end.count} for end in view.endings],
        "missing": [
            {"feature": each.feature, "why": each.why.value, "detail": each.detail} for each in view.missing
        ],
        "values": dict(view.values),
        "message": view.message,
    }


def _idle(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title or rule.id,
        "status": rule.status.value,
        "paused": rule.paused,
        "tier": rule.tier.label,
        "version": rule.version,
        "evaluated": False,
    }


def _part(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"text": part.text, "verdict": part.verdict.value}
    if part.parts:
        return found | {"join": part.join.value, "parts": [_part(each) for each in part.parts]}
    if part.feature:
        found |= {"measured": part.feature, "value": part.value, "op": part.op, "threshold": part.threshold}
    return found | {"values": dict(part.values)}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "measured": gap.feature,
        "value": gap.value,
        "op": gap.op,
        "threshold": gap.threshold,
        "change": gap.change,
        "distance": _finite(gap.distance),
        "out_of_reach": math.isinf(gap.distance),
        "missing": list(gap.missing),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind.value,
        "at": format_instant(step.at),
        "id": step.id,
        "tier": step.tier.label,
        "churn_probability": step.churn_probability,
        "causes": [_cause(cause) for cause in step.causes],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "rule": cause.rule,
        "version": cause.version,
        "tier": cause.tier.label,
        "since": format_instant(cause.since),
        "opened_at": format_instant(cause.opened_at),
        "message": cause.message,
        "values": cause.values,
    }


def _instant(us: int | None) -> str | None:
    return None if us is None else format_instant(us)


def _finite(distance: float) -> float | None:
    return distance if math.isfinite(distance) else None
