"""Settings of what a customer is worth, of decisions and of the holdout that measures them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from lapwing.settings.values import ByClass, CustomerClass, Positive, ShareByTier, class_words, whole_days
from streams.duration import parse_duration


class DecisionSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Worth, decisions and holdout"

    value_horizon: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("365d"), description="Over which time a customer's `value` counts."
    )
    value_prior_orders: float = Field(
        3.0,
        ge=0,
        description="The prior's weight in `value`, in order days: what all customers spend on an order day "
        "on average counts as much as so many of the customer's own.",
    )
    margin: ByClass = Field(
        {},
        description="The margin as a share of spend, by customer class (`key=0.4,unknown=0.3`; `unknown` is "
        "who has none) or one for all; a class not named has 1, and its `value` is revenue.",
    )
    referral: float = Field(
        0.0,
        ge=0,
        le=100,
        description="What a customer brings in through others, as a share of their own value.",
    )
    labour_rate: float | None = Field(
        None,
        ge=0,
        description="What a minute of the team's work costs, in the currency of the orders: set it first, as "
        "a decision on a play with labour is `unknown` without it.",
    )
    holdout_share: ShareByTier = Field(
        {"high": 0.1, "medium": 0.1, "low": 0.0},
        description="The share of customers whose warnings are shown to nobody, to measure what plays do, by "
        "the tier at the opening (`high=0.1,medium=0.1`) or for all; a tier not named has none.",
    )
    holdout_salt: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "lapwing", description="What chance decides by who is held out; another one draws anew."
    )
    holdout_exempt: Annotated[tuple[CustomerClass, ...], BeforeValidator(class_words)] = Field(
        ("key",), description="Customer classes that are never held out; `none` for no class."
    )
    min_holdout: int = Field(
        20,
        ge=1,
        description="How many of the held out must have churned before `lapwing effects` claims that a play "
        "does anything.",
    )
