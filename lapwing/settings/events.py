"""Settings of events, their time, and what is counted of them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from lapwing.settings.values import (
    Duration,
    Label,
    Positive,
    currency_word,
    pairs,
    sweep_interval,
    whole_days,
    zone_name,
)
from streams.duration import parse_duration


class EventSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Events and time"

    time_zone: Annotated[str, AfterValidator(zone_name)] = Field(
        "UTC", description="The business's time zone: where its days begin and end."
    )
    sweep_every: Annotated[Positive, AfterValidator(sweep_interval)] = Field(
        parse_duration("1d"),
        description="How often every customer is judged, in event time, beginning at local midnight.",
    )
    reorder: Duration = Field(
        parse_duration("250ms"),
        description="Events this far apart in event time are put in order; a later one is late.",
    )
    repeat_window: Duration = Field(
        parse_duration("2d"),
        description="How long an `event_id` is remembered: the same id again within it is a repeat.",
    )
    max_skew: Duration = Field(
        parse_duration("1h"),
        description="How far an event's time may lie after its record's own time, or after the clock of the "
        "worker that reads it, before it is rejected.",
    )
    quiet_after: Annotated[dict[Label, Positive], BeforeValidator(pairs)] = Field(
        {},
        description="For each topic, how far its newest event may lie back before its source counts as "
        "broken and its features as missing (`orders=2d,logins=12h`); none by default.",
    )
    forget_after: Duration = Field(
        0,
        description="A customer whose last event lies further back leaves the state, and is acquired anew by "
        "the next order; 0 for never.",
    )
    currency: Annotated[str, AfterValidator(currency_word)] | None = Field(
        None,
        description="The currency of all amounts: orders in another are refused. Where it is not set, a "
        "customer's first order that names one fixes the customer's.",
    )
    max_words: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="How many values a field of profiles or orders (`segment`, `channel`) may have in a "
        "partition; one beyond them counts as unknown.",
    )
    segment_grace: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("1d"), description="How long a day of segments waits for a partition that is idle."
    )
    complaint_prior_orders: float = Field(
        5.0,
        ge=0,
        description="The prior's weight in `complaint_rate_90d`, in orders; 0 gives the plain ratio.",
    )
    complaint_prior_rate: float = Field(
        0.02, ge=0, le=1, description="The prior's complaints an order in `complaint_rate_90d`."
    )
    answer_within: Duration = Field(
        parse_duration("1d"),
        description="By when a complaint should have its first answer: reports count what came later; 0 for "
        "no limit.",
    )
    solve_within: Duration = Field(
        parse_duration("7d"), description="By when a complaint should be solved, the same."
    )
