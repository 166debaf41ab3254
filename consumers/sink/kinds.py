"""What the records of each topic become, one entry for each kind of record."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from consumers.database.events import ActionRow, ComplaintRow
from consumers.database.learning import AdoptionRow
from consumers.database.outcomes import CensusRow, CustomerDaysRow, OutcomeRow
from consumers.database.warnings import (
    SegmentWarningRow,
    SegmentWarningStepRow,
    WarningRow,
    WarningStepRow,
)
from consumers.sink.events import adoption, census, customer_days, outcome
from consumers.sink.inputs import MapInputs, action, complaint, events, mapped_events
from consumers.sink.reading import one_by_one
from consumers.sink.record_kind import AppendOnly, RecordKind, Steps
from consumers.sink.samples import LowestRanks, sample_entry
from consumers.sink.silences import NewestRevision, read_silences
from consumers.sink.steps import customers_step, segments_step
from streams.contract.events import Action, Complaint

AnyKind = RecordKind[Any]

WARNINGS: Final = RecordKind(
    "warnings",
    one_by_one(customers_step),
    Steps(AppendOnly(WarningStepRow, stamp="received_at"), WarningRow),
)
SEGMENT_WARNINGS: Final = RecordKind(
    "segment_warnings",
    one_by_one(segments_step),
    Steps(AppendOnly(SegmentWarningStepRow, stamp="received_at"), SegmentWarningRow),
)
OUTCOMES: Final = RecordKind("outcomes", one_by_one(outcome), AppendOnly(OutcomeRow))
CENSUS: Final = RecordKind("census", one_by_one(census), AppendOnly(CensusRow))
CUSTOMER_DAYS: Final = RecordKind("customer_days", one_by_one(customer_days), AppendOnly(CustomerDaysRow))
ADOPTIONS: Final = RecordKind("rules_adopted", one_by_one(adoption), AppendOnly(AdoptionRow))
SILENCES: Final = RecordKind("silences", read_silences, NewestRevision())

_EVENT_KEY: Final = ("event_id", "customer_id")


def complaints(max_skew_us: int) -> AnyKind:
    """Return the kind of complaints, of which none may lie further in the future."""
    return RecordKind(
        "complaints", events(Complaint, complaint, max_skew_us), AppendOnly(ComplaintRow, _EVENT_KEY)
    )


def actions(max_skew_us: int) -> AnyKind:
    """Return the kind of actions, of which none may lie further in the future."""
    return RecordKind("actions", events(Action, action, max_skew_us), AppendOnly(ActionRow, _EVENT_KEY))


def mapped_complaints(mapping: MapInputs) -> AnyKind:
    """Return the kind of records of others that `mapping` turns into complaints."""
    return RecordKind(
        "complaints", mapped_events(Complaint, complaint, mapping), AppendOnly(ComplaintRow, _EVENT_KEY)
    )


def mapped_actions(mapping: MapInputs) -> AnyKind:
    """Return the kind of records of others that `mapping` turns into actions."""
    return RecordKind("actions", mapped_events(Action, action, mapping), AppendOnly(ActionRow, _EVENT_KEY))


def samples(app: str, most: int) -> AnyKind:
    """Return the kind of an application's samples, of which `most` are kept."""
    return RecordKind("samples", one_by_one(partial(sample_entry, app)), LowestRanks(most))
