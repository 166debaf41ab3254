"""Settings of the life of a warning."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from lapwing.settings.values import TIERS, ByTier, Duration, Positive
from streams.duration import parse_duration


class WarningSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "The life of a warning"

    acknowledge_for: ByTier = Field(
        dict.fromkeys(TIERS, parse_duration("7d")),
        description="When an acknowledgement of a warning lapses, by tier (`high=2d,low=2w`) or for all; a "
        "tier not named has a week.",
    )
    snooze_for: Positive = Field(parse_duration("1d"), description="How long a snooze without an end lasts.")
    acknowledge_within: ByTier = Field(
        {},
        description="By when somebody must acknowledge a warning before it escalates, by tier (`high=4h`) or "
        "for all; none by default.",
    )
    expire_after: Duration = Field(
        0, description="A warning that has been open for so long expires; 0 for never."
    )
