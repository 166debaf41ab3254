"""Settings of silences and of the notifier."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, Field, SecretStr

from consumers.muting.notice import Limits
from lapwing.settings.values import Positive, TopicName, words
from streams.duration import parse_duration


class DeliverySettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Notices"

    silences_topic: TopicName = Field("lapwing-silences", description="Topic of silences (compacted).")
    notify_at_most: int = Field(
        3,
        ge=0,
        description="Warnings of one customer in `notify_period` that send notices; more are deferred, "
        "unless the tier is higher than all of these. 0 is no limit.",
    )
    notify_period: Positive = Field(
        parse_duration("7d"), description="The period of `notify_at_most`, in event time."
    )
    flapping_after: int = Field(
        2,
        ge=0,
        description="Warnings of one customer by the same rule in `flapping_period` that are sent one by "
        "one; the next is sent as flapping, then none until it is stable. 0 is never.",
    )
    flapping_period: Positive = Field(
        parse_duration("30d"), description="The period of `flapping_after`, in event time."
    )

    webhook_urls: Annotated[tuple[SecretStr, ...], BeforeValidator(words)] = Field(
        (), description="Signed webhooks to send to: `NAME=https://...` with spaces between."
    )
    webhook_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(words)] = Field(
        (),
        description="What webhooks are signed with: `NAME=whsec_...` with spaces between, two for a name "
        "while a receiver changes over; read from the environment only.",
    )
    notify_templates: Path | None = Field(
        None, description="The folder of your own message templates: `NAME/LANGUAGE/KIND.txt`."
    )

    @property
    def limits(self) -> Limits:
        """Return the limits for the notifier."""
        return Limits(
            at_most=self.notify_at_most,
            period=timedelta(microseconds=self.notify_period),
            flapping_after=self.flapping_after,
            flapping_period=timedelta(microseconds=self.flapping_period),
        )

    notify_urls: Annotated[tuple[SecretStr, ...], BeforeValidator(words)] = Field(
        (),
        description="The channels to send to: Apprise URLs with spaces between; `NAME=URL` gives one a name.",
    )
    routes: Path | None = Field(
        None,
        description="The file that says who gets which notices; by default `routes.yaml` beside the rules, "
        "where there is one. Without it every notice goes to every channel.",
    )
