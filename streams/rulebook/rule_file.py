"""A rule file: rules of customers, rules of segments, and what is paused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, field_validator

from streams.core.conditions.parser import LONGEST, Catalogue
from streams.core.features.catalogue import DTYPES
from streams.core.rules.phrases import ABSENCE, SEQUENCE, PhraseError, parse_absence, parse_sequence
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import condition_mistakes, message_mistakes
from streams.core.segments.catalogue import SEGMENT_DTYPES
from streams.core.segments.counts import DIMENSIONS
from streams.core.steps import Tier
from streams.rulebook.fields import Read, choice, duration, slug, slugs, text, version, written
from streams.rulebook.reader import Document, FileModel, WrongValueError, WrongWhole, refusal

ALL: Final = "all"
CONDITIONS: Final = ("when", "sequence", "absence")
"""The fields that say when the customer is in danger; what several of them say must hold together."""

_TIERS: Final = choice({tier.label: tier for tier in Tier})
_STATUSES: Final = choice({status.value: status for status in RuleStatus})


def _phrase(parse: Callable[[str], object], example: str) -> Read:
    def read(value: Any) -> str:
        found: str = text(200).how(value)
        try:
            parse(found)
        except PhraseError as error:
            msg = f"is not understood: {error}"
            raise WrongValueError(msg, error.hint) from None
        return found

    return Read(read, text(200).schema | {"examples": [example]})


class _RuleEntry(FileModel):
    """What rules of customers and of segments have in common."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in CONDITIONS]})
    shape: ClassVar[str] = "a rule is a list of fields, each `name: value`"
    catalogue: ClassVar[Catalogue]
    """The features that it may read."""
    conditions: ClassVar[tuple[str, ...]] = CONDITIONS

    id: Annotated[str, slug]
    """The rule's name in warnings, metrics and reports; unique over all files."""
    title: Annotated[str, text(120)] = ""
    """One line for people."""
    status: Annotated[RuleStatus, _STATUSES] = RuleStatus.ACTIVE
    """draft: checked only; shadow: counted, warns nobody; retired: kept for the record."""
    owner: Annotated[str | None, text(120)] = None
    """Who answers for the rule."""
    when: Annotated[str | None, text(LONGEST)] = None
    """SQL condition under which the customer is in danger."""
    clear: Annotated[str | None, text(LONGEST)] = None
    """SQL condition under which the danger is over; else the opposite of `when`."""
    only: Annotated[str | None, text(LONGEST)] = None
    """SQL condition that says for which customers the rule is."""
    for_us: Annotated[int, duration] = Field(0, alias="for")
    """How long `when` must hold before the warning opens."""
    keep_open_for_us: Annotated[int, duration] = Field(0, alias="keep_open_for")
    """How long `clear` must hold before the warning resolves."""
    cooldown_us: Annotated[int, duration] = Field(0, alias="cooldown")
    """How long after it resolved the rule may not begin again."""
    tier: Annotated[Tier, _TIERS]
    """How urgent."""
    reason: Annotated[str, slug]
    """The group the rule counts to in reports."""
    play: Annotated[str | None, slug] = None
    """What the team should do."""
    message: Annotated[str, text(500)] = ""
    """What the team reads; {feature} or {feature:.1f} stands for a value."""
    rationale: Annotated[str, text(4000)] = ""
    """Why the rule is there."""
    false_alarms: Annotated[str, text(4000)] = ""
    """When it is wrong."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a rule without any condition."""
        if not any(field in given for field in cls.conditions):
            yield WrongWhole("`when` is missing")

    @field_validator("when", "clear", "only")
    @classmethod
    def _condition(cls, sql: str | None, info: Any) -> str | None:
        found = condition_mistakes(info.field_name, sql, cls.catalogue) if sql is not None else []
        if found:
            raise refusal(WrongValueError(f": {message}", hint) for message, hint in found)
        return sql

    @field_validator("message")
    @classmethod
    def _message(cls, message: str) -> str:
        found = message_mistakes(message, cls.catalogue)
        if found:
            raise refusal(WrongValueError(f": {message}", hint) for message, hint in found)
        return message

    @property
    def condition(self) -> str:
        """Return the whole condition under which the rule warns."""
        return self.when or ""

    def rule(self) -> Rule:
        """Return the rule as the engine knows it."""
        names = set(Rule.__dataclass_fields__) & set(type(self).model_fields) - {"when"}
        return Rule(when=self.condition, **{name: getattr(self, name) for name in names})


class RuleEntry(_RuleEntry):
    """A rule that judges one customer."""

    catalogue: ClassVar[Catalogue] = DTYPES

    sequence: Annotated[str | None, _phrase(parse_sequence, SEQUENCE)] = None
    """Something happened and another thing did not."""
    absence: Annotated[str | None, _phrase(parse_absence, ABSENCE)] = None
    """Something has not happened, though others do it."""
    inhibits: Annotated[tuple[str, ...], slugs("rule ids")] = ()
    """Milder rules that are hidden from the team while this one is open."""

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse a condition that is too long with what its phrases stand for."""
        if len(self.condition) > LONGEST:
            yield WrongWhole(f"`when` and its phrase are longer than {LONGEST} characters", None, ("when",))

    @property
    def condition(self) -> str:
        """Return the whole condition: `when` and what the phrases stand for."""
        parts = []
        if self.sequence:
            parts.append(parse_sequence(self.sequence).condition)
        if self.absence:
            parts.append(parse_absence(self.absence).condition)
        if self.when:
            parts.append(f"({self.when})" if parts else self.when)
        return " AND ".join(parts)


class SegmentRuleEntry(_RuleEntry):
    """A rule that judges a group of customers."""

    model_config = ConfigDict(json_schema_extra={"required": ["id", "tier", "reason", "by", "when"]})
    catalogue: ClassVar[Catalogue] = SEGMENT_DTYPES
    conditions: ClassVar[tuple[str, ...]] = ("when",)

    by: Annotated[str, choice({name: name for name in DIMENSIONS})]
    """What the segments are."""


def _paused(value: Any) -> tuple[str, ...] | None:
    if value == ALL:
        return None
    if not isinstance(value, list) or not value:
        msg = f"must be `{ALL}` or a list of ids"
        raise WrongValueError(msg)
    found: tuple[str, ...] = slugs("ids").how(value)
    return found


def _line(value: Any) -> str:
    given = written(value).strip()
    if not given or len(given) > 500:
        msg = "must be a line of text of at most 500 characters"
        raise WrongValueError(msg)
    return " ".join(given.split())


class PauseEntry(FileModel):
    """Rules that warn nobody for as long as this stands there."""

    shape: ClassVar[str] = "`pause` is a mapping with `rules:`, and `reason:` and `by:` where you like"
    absent: ClassVar[Mapping[str, str]] = {"rules": f": write `rules: {ALL}`, or a list of ids"}

    rules: Annotated[
        tuple[str, ...] | None,
        Read(_paused, {"anyOf": [{"const": ALL}, {"type": "array", "minItems": 1, "items": slug.schema}]}),
    ]
    """Which rules are paused: `all`, or a list of ids; `None` is all."""
    reason: Annotated[str, Read(_line, text(500).schema)] = ""
    """Why they are paused."""
    by: Annotated[str, Read(_line, text(500).schema)] = ""
    """Who paused them."""

    def pauses(self, rule: Rule) -> bool:
        """Return whether a rule is paused by this."""
        return self.rules is None or rule.id in self.rules

    @property
    def why(self) -> str:
        """Return reason and author in a line."""
        return ", by ".join(each for each in (self.reason, self.by) if each) or "no reason given"


class RuleFile(Document):
    """A file of rules."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [name]} for name in ("rules", "segments", "pause")]}
    )
    title: ClassVar[str] = "Lapwing rules"
    shape: ClassVar[str] = "a rule file holds `version: 1` and `rules:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"rules": ("rule", "id"), "segments": ("rule", "id")}

    version: Annotated[int, version]
    """Of the format."""
    rules: list[RuleEntry] = Field(default_factory=list, min_length=1)
    """Rules that judge one customer."""
    segments: list[SegmentRuleEntry] = Field(default_factory=list, min_length=1)
    """Rules that judge a group of customers."""
    pause: PauseEntry | None = None
    """Rules that warn nobody while this stands here."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a file in which there is nothing."""
        if not given.keys() & {"rules", "segments", "pause"}:
            yield WrongWhole("`rules` is missing")
