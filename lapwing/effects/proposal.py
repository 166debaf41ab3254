"""The measured success of plays as entries of plays.yaml; people adopt it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from consumers.effects.effect import Claim, Effect
from consumers.effects.report import EffectsReport, PlayEffects
from lapwing.effects.words import claim_words
from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.plays import Play, Plays, Success

DIGITS = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a play: the play with its measured success, or why there is none."""

    play: str
    measured: Play | None
    why_not: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        success = None if self.measured is None else self.measured.plain()["success"]
        return {"play": self.play, "success": success, "why_not": self.why_not}


def proposals(report: EffectsReport, plays: Plays, draw: HoldoutTerms) -> list[Proposal]:
    """Return a proposal for each play of plays.yaml, in its order, then for those that are not in it."""
    measured = {each.play: each for each in report.plays}
    found = [_proposal(play, measured.get(play.id), report, draw) for play in plays.plays]
    gone = [name for name in measured if name not in plays.by_id]
    return found + [Proposal(name, None, "it is not in plays.yaml") for name in gone]


def _proposal(play: Play, found: PlayEffects | None, report: EffectsReport, draw: HoldoutTerms) -> Proposal:
    if found is None or found.begun_at is None:
        return Proposal(play.id, None, "no warning with it and the decision `rescue` has matured")
    if found.experiment not in (None, draw.experiment(play.measured_hash)):
        why = "what was measured was another version of it, or drawn with another `holdout_salt`"
        return Proposal(play.id, None, why)
    effect = found.effects[0]
    success = measured_success(effect)
    if success is None:
        return Proposal(play.id, None, claim_words(effect, report.min_holdout))
    return Proposal(play.id, replace(play, success=success), None)


def measured_success(effect: Effect) -> Success | None:
    """Return the success of an effect that helps, as plays.yaml has it; `None` where there is no claim."""
    if effect.claim is not Claim.HELPS or effect.success is None or effect.success_interval is None:
        return None
    chance, low, high = (
        round(min(max(each, 0.0), 1.0), DIGITS) for each in (effect.success, *effect.success_interval)
    )
    return Success(chance, "measured", effect.held_out.n + effect.shown.n, (low, high))


def proposed_yaml(found: Sequence[Proposal], report: EffectsReport) -> str:
    """Return a file of the plays with a measured success, and for the others why there is none."""
    lines = ["# The success of plays as measured, to replace their entries in plays.yaml."]
    lines += [f"# {each.play}: {each.why_not}" for each in found if each.measured is None]
    plays = [each.measured for each in found if each.measured is not None]
    if plays:
        lines += ["version: 1", "plays:", *(line for play in plays for line in _entry(play))]
    else:
        lines.append("# There is nothing to propose.")
    return "\n".join(lines) + "\n"


def _entry(play: Play) -> list[str]:
    fields = {name: _flow(value) for name, value in play.plain().items()}
    lines = [f"    {name}: {text}" for name, text in fields.items()]
    return ["  - " + lines[0].lstrip(), *lines[1:]]


def _flow(value: object) -> str:
    """Return a value in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and value.replace("-", "").replace("_", "").isalnum() and value.isascii():
        return value
    return json.dumps(value, ensure_ascii=False)
