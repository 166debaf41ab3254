"""What changed: rules and plays, silences, models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import select

from consumers.audit import RuleSetChange, together
from consumers.database.database import Database
from consumers.database.learning import AdoptionRow
from consumers.desk.desk import Desk
from consumers.desk.installation import ModelChange
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render, wall_times
from consumers.desk.silences import ShownSilence
from consumers.language import _
from streams.contract.audit import parse_adopted
from streams.contract.instants import read_instant

router = APIRouter()

SHOWN = 50
ADOPTIONS = 5_000
"""Of partitions: the newest that are looked through."""
KINDS = {"rules": _("Rules and plays"), "silences": _("Silences"), "models": _("Models")}
CHANGES = {"added": _("added"), "removed": _("removed"), "changed": _("changed")}
SHAPES = {"added": "good", "removed": "bad", "changed": "warm"}
MODEL_WORDS = {
    "model.promoted": _("The learner has another champion"),
    "model.pinned": _("A model was put in force by hand"),
    "model.rolled_back": _("The model before was put in force again"),
    "model.unpinned": _("The learner's champion is in force again"),
    "model.adopted": _("A partition adopted a model"),
    "model.drift": _("The model's errors have moved"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed; one of the three is there."""

    at: datetime
    rules: RuleSetChange | None = None
    silence: ShownSilence | None = None
    silence_ended: bool = False
    model: ModelChange | None = None


@router.get("/changes")
def show(request: Request, person: Viewer, kind: str = "", before: str = "") -> Response:
    """Show what changed, the newest first."""
    if kind not in ("", *KINDS):
        raise HTTPException(422)
    try:
        end = read_instant(before) if before else None
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    desk: Desk = request.app.state.desk
    view = desk.rulebook.current()
    around = desk.reports.installation()
    changes: list[Change] = []
    if kind in ("", "rules"):
        changes += rule_changes(desk.database)
    if kind in ("", "silences"):
        changes += _silences(desk.silences.all())
    if kind in ("", "models") and around.value is not None:
        changes += [Change(each.at, model=each) for each in around.value.changes]
    shown = sorted((each for each in changes if end is None or each.at < end), key=_at, reverse=True)
    return render(
        request,
        "changes.html",
        changes=shown[:SHOWN],
        further=shown[SHOWN - 1].at.isoformat() if len(shown) > SHOWN else None,
        around=around,
        kinds=KINDS,
        chosen=kind,
        words=CHANGES,
        shapes=SHAPES,
        model_words=MODEL_WORDS,
        titles={rule.id: rule.title for rule in view.rules},
        plays={play.id: play.title for play in view.plays},
        times=wall_times(request, person),
    )


def rule_changes(database: Database) -> list[Change]:
    """Return the newest changes of rules, those that partitions made alike as one."""
    query = select(AdoptionRow.data).order_by(AdoptionRow.adopted_at.desc()).limit(ADOPTIONS)
    with database.reading() as connection:
        found: list[dict[str, Any]] = list(connection.scalars(query))
    adopted = [parse_adopted(msgspec.json.encode(each)) for each in reversed(found)]
    return [Change(each.first.adopted_at, rules=each) for each in together(adopted)]


def _silences(found: list[ShownSilence]) -> Iterator[Change]:
    for each in found:
        yield Change(each.silence.created_at, silence=each)
        if each.silence.expired_at is not None:
            yield Change(each.silence.expired_at, silence=each, silence_ended=True)


def _at(change: Change) -> datetime:
    return change.at
