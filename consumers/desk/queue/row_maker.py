"""Makes the rows that a page shows: of the columns, and of the texts that only the database has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import numpy as np

from consumers.actions import Action
from consumers.database.database import Database
from consumers.desk.queue import store
from consumers.desk.queue.open_warnings import NEVER, TIERS
from consumers.desk.queue.order import Arrangement, Section
from consumers.desk.queue.reader import QueueReader
from consumers.desk.queue.row import Attended, DaysText, FullDecision, QueueRow, StepText
from consumers.desk.queue.team_work import ATTENTION_KINDS, CustomerWork
from streams.contract.instants import EPOCH, MICROSECOND

_step_text = msgspec.json.Decoder(StepText)
_days_text = msgspec.json.Decoder(DaysText)


class RowMaker:
    """Makes rows of what a reader has read."""

    def __init__(self, database: Database, reader: QueueReader) -> None:
        self._database = database
        self._reader = reader

    def bare(self, place: int, arrangement: Arrangement, now: int) -> QueueRow:
        """Return a row without what only the database has."""
        warnings = self._reader.warnings
        text = warnings.words.text
        decision = FullDecision(
            play=text(int(warnings.play[place])),
            value=_known(warnings.value[place]),
            probability=_known(warnings.probability[place]),
            net=_known(warnings.net[place]),
        )
        at_risk = float(warnings.probability[place] * warnings.value[place])
        deadline = int(warnings.deadline[place])
        return QueueRow(
            warning_id=warnings.ids[place],
            customer_id=warnings.customers[place],
            section=Section(int(arrangement.section[place])),
            over_budget=bool(arrangement.over_budget[place]),
            tier=TIERS[warnings.tier[place]],
            decision=decision,
            probability=_known(warnings.probability[place]),
            value_at_risk=_known(at_risk),
            opened_at=_instant(warnings.opened_at[place]),
            updated_at=_instant(warnings.updated_at[place]),
            decided_at=_instant(warnings.decided_at[place]),
            causes=(),
            reasons=(),
            segment=text(int(warnings.segment[place])),
            region=text(int(warnings.region[place])),
            customer_class=text(int(warnings.customer_class[place])),
            account_owner=text(int(warnings.owner[place])),
            assignee=text(int(warnings.assignee[place])),
            attended=self._attended(place, now),
            deadline=None if deadline == NEVER else _instant(deadline),
            holdout=bool(warnings.holdout[place]),
            do_not_contact=False,
            version=int(warnings.changed[place]),
        )

    def _attended(self, place: int, now: int) -> Attended | None:
        warnings = self._reader.warnings
        text = warnings.words.text
        waiting = self._reader.waiting.get(warnings.customers[place], {}).values()
        if warnings.closing[place]:
            by = next((each.actor for each in waiting if each.kind == "expire"), None)
            return Attended("closing", by, on_its_way=True)
        pending_until = int(warnings.pending_until[place])
        if pending_until > now:
            becomes = text(int(warnings.pending[place])) or ""
            by = text(int(warnings.pending_by[place]))
            return Attended(becomes, by, _instant(pending_until), on_its_way=True)
        if warnings.contacted[place]:
            contact = self._last_contact(place)
            on_its_way = contact is not None and any(each.event_id == contact.event_id for each in waiting)
            return Attended("contacted", contact.actor if contact else None, on_its_way=on_its_way)
        state = text(int(warnings.attention[place]))
        if state is None:
            return Attended("", None, on_its_way=True) if waiting else None
        until = int(warnings.attention_until[place])
        if state in ATTENTION_KINDS.values() and until <= now:
            state = "lapsed"  # the engine says so with the partition's next event
        by = text(int(warnings.attention_by[place]))
        return Attended(state, by, _instant(until) if until else None, on_its_way=bool(waiting))

    def _last_contact(self, place: int) -> Action | None:
        customer = self._reader.warnings.customers[place]
        opened_at = int(self._reader.warnings.opened_at[place])
        actions = (*self._reader.stored.get(customer, ()), *self._reader.waiting.get(customer, {}).values())
        found = [
            each
            for each in CustomerWork.of(actions).actions
            if each.kind in ("contact", "offer") and each.at >= opened_at
        ]
        return found[-1] if found else None

    def filled(self, rows: Sequence[QueueRow]) -> list[QueueRow]:
        """Return the rows with what only the database has; a warning that it has no more is left out."""
        if not rows:
            return []
        with self._reader.lock:
            keys = {}
            for row in rows:
                place = self._reader.warnings.places.get(row.warning_id)
                if place is not None:
                    step = f"{row.warning_id}/{self._reader.warnings.step[place]}"
                    keys[row.warning_id] = (step, self._reader.warnings.days[place])
        days_ids = [days for _step, days in keys.values() if days is not None]
        steps, days = store.contents(self._database, [step for step, _ in keys.values()], days_ids)
        filled = []
        for row in rows:
            step_id, days_id = keys.get(row.warning_id, ("", None))
            if step_id not in steps:
                continue
            text = _step_text.decode(steps[step_id])
            decision = text.decision if isinstance(text.decision, FullDecision) else None
            if days_id is not None and days_id in days:
                decision = _days_text.decode(days[days_id]).decision or decision
            filled.append(
                replace(
                    row,
                    causes=text.causes,
                    reasons=text.reasons,
                    decision=decision or row.decision,
                    do_not_contact=text.do_not_contact,
                )
            )
        return filled


def _known(value: float | np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _instant(us: int | np.int64) -> datetime:
    return EPOCH + int(us) * MICROSECOND
