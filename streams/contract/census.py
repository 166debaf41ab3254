"""The outbound messages of the census: its cells, its summary, and what became of those counted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, StrictBool

from streams.contract.instants import format_instant
from streams.contract.mistakes import read_json
from streams.contract.outcomes import Total, cloud_event
from streams.contract.warnings import Id, Number, Outbound, Time
from streams.core.outcomes.outcome import CensusCell, CensusEvent, CensusMatured

Partition = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Family = Literal["profile", "cohort", "channel"]


class CellData(Outbound):
    """Which cell of which partition."""

    partition: Partition
    by: Family = Field(description="The family of cells; each counts every customer once.")
    customer_class: str | None = Field(None, description="Of `profile`; `null` where it is unknown.")
    segment: str | None = None
    region: str | None = None
    origin: str | None = None
    cohort: str | None = Field(None, description="Local month of the first activity, as `2026-01`.")
    channel: str | None = Field(None, description="Of the last order.")
    other: StrictBool = Field(description="Whether it is the cell of all that have none with a name.")


class TakenData(CellData):
    """The counts of one cell: those of `original` by the cell at the census before, the rest by today's."""

    since: Time | None = Field(description="The census before; `null` at the first one.")
    quiet: StrictBool = Field(description="Whether a topic of activity was quiet.")
    original: Total | None = Field(description="Active at the census before.")
    kept: Total | None = Field(description="Of these, active now.")
    lost: Total | None = Field(description="Of these, not active now.")
    acquired: Total = Field(description="Active now, with the first activity since.")
    returned: Total = Field(description="Active now, not at the census before, first activity earlier.")
    active: Total
    value_original: Number | None
    value_original_n: Total | None
    value_lost: Number | None
    value_lost_n: Total | None
    scored: Total = Field(description="Of the active, those with a churn probability.")
    expected: Number = Field(description="The sum of these probabilities.")
    orders: int
    spend: Number
    logins: int
    complaints: int
    answers: int = Field(description="Complaints resolved with a satisfaction.")
    satisfaction: int = Field(description="The sum of these.")


class SummaryData(Outbound):
    """What a partition counted, so that a missing partition is seen."""

    partition: Partition
    since: Time | None
    quiet: StrictBool
    customers: Total
    active: Total
    cells: Total


class UntreatedData(Outbound):
    """The same counts over those who were not treated."""

    active: Total
    churned: Total
    scored: Total
    expected: Number


class MaturedData(CellData):
    """What became of the active of one cell in the horizon after a census."""

    census_at: Time
    active: Total
    churned: Total
    treated: Total
    scored: Total = Field(description="As at the census.")
    expected: Number = Field(description="As at the census.")
    untreated: UntreatedData


class CensusEnvelope(Outbound):
    """A message of the census as a CloudEvent 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: Id
    source: str = Field(description="`/lapwing/` and the application's name.")
    subject: Id = Field(description="`partition=` and its number; also the record's key.")
    time: Time = Field(description="The sweep.")
    datacontenttype: Literal["application/json"]


class TakenEvent(CensusEnvelope):
    """One cell of a census."""

    type: Literal["churn.census.taken"]
    data: TakenData


class SummaryEvent(CensusEnvelope):
    """The summary of a partition's census."""

    type: Literal["churn.census.summary"]
    data: SummaryData


class MaturedEvent(CensusEnvelope):
    """One cell of a census that has matured."""

    type: Literal["churn.census.matured"]
    data: MaturedData


AnyCensus = TakenEvent | SummaryEvent | MaturedEvent


class CensusMessage(RootModel[Annotated[AnyCensus, Field(discriminator="type")]]):
    """A message of the census, as a CloudEvent 1.0 in structured JSON."""


def parse_census(value: bytes) -> AnyCensus:
    """Return the message of the census that the bytes of a record hold."""
    return read_json(CensusMessage, value, "a message of the census").root


def census_key(event: CensusEvent) -> str:
    """Return the subject of a message, which is also its key."""
    return f"partition={event.partition}"


def encode_census(event: CensusEvent, app: str) -> bytes:
    """Return the bytes of a message of the census; the same one gives the same bytes."""
    if isinstance(event, CensusMatured):
        kind, data = "matured", _matured(event)
    elif isinstance(event, CensusCell):
        kind, data = "taken", _taken(event)
    else:
        kind = "summary"
        data = {
            "partition": event.partition,
            "since": None if event.since is None else format_instant(event.since),
            "quiet": event.quiet,
            "customers": event.customers,
            "active": event.active,
            "cells": event.cells,
        }
    return cloud_event(event.id, f"churn.census.{kind}", census_key(event), event.at, data, app)


def _cell(event: CensusCell | CensusMatured) -> dict[str, Any]:
    return {"partition": event.partition, "by": event.by, **event.cell, "other": not event.cell}


def _taken(event: CensusCell) -> dict[str, Any]:
    return {
        **_cell(event),
        "since": None if event.since is None else format_instant(event.since),
        "quiet": event.quiet,
        "original": event.original,
        "kept": event.kept,
        "lost": event.lost,
        "acquired": event.acquired,
        "returned": event.returned,
        "active": event.active,
        "value_original": event.value_original,
        "value_original_n": event.value_original_n,
        "value_lost": event.value_lost,
        "value_lost_n": event.value_lost_n,
        "scored": event.scored,
        "expected": event.expected,
        **event.sums,
    }


def _matured(event: CensusMatured) -> dict[str, Any]:
    return {
        **_cell(event),
        "census_at": format_instant(event.census_at),
        "active": event.active,
        "churned": event.churned,
        "treated": event.treated,
        "scored": event.scored,
        "expected": event.expected,
        "untreated": {
            "active": event.active - event.treated,
            "churned": event.untreated_churned,
            "scored": event.untreated_scored,
            "expected": event.untreated_expected,
        },
    }
