"""Settings of churn: when a customer counts as lost, and how the model learns it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from lapwing.settings.values import Duration, Positive, class_words, each_once, labels, whole_days
from streams.duration import parse_duration


class ModelSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Churn and the model"

    model_enabled: bool = Field(True, description="Whether the model learns and scores.")
    learner: Literal["own", "shared"] = Field(
        "own",
        description="`own`: each partition has a model of its own, learned from its own customers; `shared`: "
        "`lapwing learn` learns from the customers of all partitions, for all of them.",
    )
    horizon: Annotated[Positive, AfterValidator(whole_days)] = Field(
        parse_duration("90d"), description="A customer without activity for this long has churned."
    )
    activity: Annotated[
        tuple[Literal["orders", "logins"], ...], BeforeValidator(labels), AfterValidator(each_once)
    ] = Field(
        ("orders",),
        description="What counts as a customer's activity: `orders`, `logins`, or both with a comma between.",
    )
    active_within: Duration = Field(
        0,
        description="A customer without activity for this long has lapsed, in outcomes and census; 0 for "
        "the horizon.",
    )
    decide_every: Positive = Field(
        parse_duration("7d"),
        description="How often each customer's features are frozen to learn from; rounded to whole sweeps.",
    )
    learn_within: Duration = Field(
        0,
        description="The model learns from customers whose last activity is not as old as this; 0 for twice "
        "the horizon.",
    )
    model_attributes: Annotated[
        tuple[Literal["customer_class", "segment", "region", "origin"], ...], BeforeValidator(class_words)
    ] = Field(
        (),
        description="Profile attributes that the model reads beside what customers did (`segment,origin`); "
        "`none` for none. `region` is protected in many places: name it only where you may. Age and sex are "
        "not in the contract.",
    )
    min_positives: int = Field(
        50, ge=1, description="Churned customers the model must have learned from before its score is used."
    )

    @property
    def shares_learner(self) -> bool:
        """Return whether all partitions share a learner."""
        return self.model_enabled and self.learner == "shared"
