"""plays.yaml: what the team can do about a customer, what it costs and how often it helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field, field_validator

from streams.core.decision.plays import NO_PLAY, Play, PlayCost, Success
from streams.core.features.catalogue import CLASSES
from streams.rulebook.fields import Read, choice, number, several, slug, slugs, text, version, whole_number
from streams.rulebook.reader import Document, FileModel, WrongValueError, WrongWhole

MOST: Final = 1e12
_amount: Final = number(0, MOST)
_share: Final = number(0, 1)
_class: Final = choice({name: name for name in CLASSES})


def _interval(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        msg = "must be two numbers from 0 to 1, the lower first: [0.05, 0.2]"
        raise WrongValueError(msg)
    low, high = (_share.how(each) for each in value)
    if low > high:
        msg = f"must begin with the lower number, not [{low:g}, {high:g}]"
        raise WrongValueError(msg)
    return low, high


_interval_field: Final = Read(_interval, {"type": "array", "items": _share.schema, "minItems": 2})
_classes_field: Final = several(_class, "customer classes")


class CostEntry(FileModel):
    """What a play costs for one customer, item by item."""

    shape: ClassVar[str] = "`cost` holds items, each `name: amount`"

    gift: Annotated[float | None, _amount] = None
    """What is given to the customer."""
    communication: Annotated[float | None, _amount] = None
    """Postage, calls, messages."""
    labour_minutes: Annotated[float | None, number(0, 1e6)] = None
    """Minutes of work; the setting `labour_rate` says what one costs."""
    discount: Annotated[float | None, _share] = None
    """A share of the customer's mean spend of an order day: 0.1 for 10 %."""


class SuccessEntry(FileModel):
    """The chance that a customer who would leave stays because of the play."""

    shape: ClassVar[str] = "`success` holds `chance:` and `source:`"

    chance: Annotated[float, _share]
    """The chance, from 0 to 1."""
    source: Annotated[str, choice({"prior": "prior", "measured": "measured"})]
    """prior: what people believe; measured: against customers who were held out."""
    n: Annotated[int | None, whole_number(1, 10**9)] = None
    """Customers that it was measured on."""
    interval: Annotated[tuple[float, float] | None, _interval_field] = None
    """Its confidence interval, as two numbers."""

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse a measurement without its size, and a chance outside of its interval."""
        if self.source == "measured":
            for name in ("n", "interval"):
                if getattr(self, name) is None:
                    yield WrongWhole(f"`{name}` is missing: what was measured has one")
        if self.interval is not None and not self.interval[0] <= self.chance <= self.interval[1]:
            low, high = self.interval
            yield WrongValueError(f"lies outside of its interval, {low:g} to {high:g}", None, ("chance",))


class PlayEntry(FileModel):
    """Something that the team can do about a customer."""

    shape: ClassVar[str] = "a play is a list of fields, each `name: value`"

    id: Annotated[str, slug]
    """The name by which rules, warnings and actions call it."""
    title: Annotated[str, text(120)] = ""
    """One line for people."""
    reasons: Annotated[tuple[str, ...], slugs("reasons")] = ()
    """The reasons of rules that it is for; by default all."""
    classes: Annotated[tuple[str, ...], _classes_field] = ()
    """The customer classes that it is for; by default all, customers without a class too."""
    cost: CostEntry = Field(default_factory=CostEntry)
    """What it costs for one customer; nothing where no item is named."""
    budget_month: Annotated[float | None, _amount] = None
    """What it may cost in a month, for all customers together."""
    success: SuccessEntry
    """How often it helps."""

    @field_validator("id")
    @classmethod
    def _is_not_none(cls, name: str) -> str:
        if name == NO_PLAY:
            msg = f"{NO_PLAY!r} is what a rule names where nothing is to be done: call the play otherwise"
            raise WrongValueError(msg)
        return name

    def play(self) -> Play:
        """Return the play as the engine knows it."""
        cost, success = self.cost, self.success
        return Play(
            id=self.id,
            title=self.title,
            reasons=self.reasons,
            classes=self.classes,
            cost=PlayCost(cost.gift, cost.communication, cost.labour_minutes, cost.discount),
            budget_month=self.budget_month,
            success=Success(success.chance, success.source, success.n, success.interval),
        )


class PlaysFile(Document):
    """The plays, in the order in which one is chosen where a rule names none."""

    title: ClassVar[str] = "Lapwing plays"
    shape: ClassVar[str] = "a file of plays holds `version: 1` and `plays:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"plays": ("play", "id")}

    version: Annotated[int, version]
    """Of the format."""
    plays: Annotated[list[PlayEntry], Field(min_length=1, max_length=500)]
    """What the team can do."""

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse an id that is given twice."""
        first: dict[str, int] = {}
        for i, each in enumerate(self.plays):
            if first.setdefault(each.id, i) != i:
                yield WrongValueError(f": {each.id!r} is given twice", None, ("plays", i, "id"))
