"""A file of test cases: timelines of customers, and what rules must and must not make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Final, cast
from zoneinfo import ZoneInfo

from pydantic import Field, create_model

from streams.contract.events import EVENTS, Event
from streams.core.conditions.parser import closest
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import FILE_TYPES, Topic
from streams.core.features.catalogue import Priors
from streams.core.segments.counts import DIMENSIONS
from streams.core.steps import Tier
from streams.rulebook.cases.case import CUSTOMER
from streams.rulebook.cases.times import MOST, Span, parse_span, parse_time, parse_times
from streams.rulebook.fields import (
    Read,
    choice,
    number,
    parsed,
    slug,
    slugs,
    text,
    version,
    whole_number,
    written,
)
from streams.rulebook.reader import (
    Document,
    FileModel,
    Place,
    Schema,
    WrongValueError,
    WrongWhole,
    refusal,
)

TOPICS: Final[dict[str, Topic]] = {
    word: topic for word, topic in FILE_TYPES.items() if topic is not Topic.ACTIONS
}
"""The word of each kind of event; an action answers a warning, whose id a case cannot know."""
CONTRACT_ENDS: Final = "contract_ends"
"""The relative form of `contract_ends_at`."""
MOST_CUSTOMERS: Final = 1_000
"""That one entry of a timeline may stand for."""
NEVER: Final = "never"
MISSING: Final = "missing"

_OWN: Final = frozenset(Event.model_fields) | {"contract_ends_at", "signed_up_at"}

_TIME_SCHEMA: Final[Schema] = {"type": "string", "pattern": "^[0-9]", "examples": ["0d", "3d 4h"]}
_time: Final = parsed(parse_time, _TIME_SCHEMA)


def _signed(given: str) -> int:
    return -parse_time(given[1:]) if given.startswith("-") else parse_time(given)


def _several_times(value: Any) -> tuple[int, ...]:
    """Return the times of an entry: one text, or a list of them."""
    times: list[int] = []
    mistakes = []
    one = parsed(parse_times, {})
    for place, each in enumerate(value if isinstance(value, list) else [value]):
        try:
            times += one.how(each)
        except WrongValueError as error:
            mistakes.append(WrongValueError(error.message, error.hint, (place,)))
    if mistakes:
        raise refusal(mistakes)
    return tuple(times)


_EVERY: Final[Schema] = {"type": "string", "examples": ["3d 4h", "every 7d for 90d", "5d every 7d until 90d"]}
_times: Final = Read(_several_times, {"anyOf": [_EVERY, {"type": "array", "items": _EVERY}]})


def _span(value: Any) -> Span:
    found: Span = parsed(parse_span, {}).how(value)
    return found


def _resolves(value: Any) -> Span | str:
    return NEVER if written(value).strip() == NEVER else _span(value)


_SPAN_SCHEMA: Final[Schema] = {
    "type": "string",
    "examples": ["at 66d", "by 70d", "not before 60d", "between 60d and 70d"],
}


def _probability(value: Any) -> float | None:
    found: float | None = None if value == MISSING else number(0, 1).how(value)
    return found


_PROBABILITY: Final[Schema] = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"const": MISSING}]}


def _map_of(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _by_time(value: Any, example: str, read: Callable[[Any], Any]) -> tuple[tuple[int, str, Any], ...]:
    """Return the entries of a mapping from times, in their order, each with its time as it was written."""
    if not isinstance(value, dict):
        msg = f"names times, each `{example}`"
        raise WrongValueError(msg)
    found: list[tuple[int, str, Any]] = []
    mistakes: list[WrongValueError] = []
    for key, each in value.items():
        try:
            at = _time.how(key)
        except WrongValueError as error:
            mistakes.append(error)
            continue
        if any(at == other for other, _, _ in found):
            mistakes.append(WrongValueError(f"names {key} twice"))
            continue
        try:
            found.append((at, key, read(each)))
        except WrongValueError as error:
            mistakes.append(error)
    if mistakes:
        raise refusal(mistakes)
    return tuple(sorted(found, key=lambda entry: entry[0]))


def _several_probabilities(value: Any) -> tuple[float, ...]:
    """Return probabilities: each an entry of a list, or `[probability, how many customers]`."""
    if not isinstance(value, list) or not value:
        msg = "must be a list such as `[0.1, 0.3]`, or with numbers of customers `[[0.1, 90], [0.5, 10]]`"
        raise WrongValueError(msg)
    found: list[float] = []
    mistakes = []
    for place, each in enumerate(value):
        pair = each if isinstance(each, list) else [each, 1]
        try:
            if len(pair) != 2:
                msg = "must be a probability and how many customers have it"
                raise WrongValueError(msg)
            found += [number(0, 1).how(pair[0])] * whole_number(1, MOST_CUSTOMERS).how(pair[1])
        except WrongValueError as error:
            mistakes.append(WrongValueError(error.message, error.hint, (place,)))
    if mistakes:
        raise refusal(mistakes)
    return tuple(found)


_SHARE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_PAIR: Final[Schema] = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": MOST_CUSTOMERS},
    "minItems": 2,
    "maxItems": 2,
}
_others: Final = Read(
    _several_probabilities,
    {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [_SHARE, _PAIR]},
        "examples": [[0.1, 0.3], [[0.1, 90], [0.5, 10]]],
    },
)
_ids: Final = slugs("rule ids")
_ids_or_none: Final = slugs("rule ids", may_be_empty=True)


def _open_at(value: Any) -> tuple[tuple[int, str, Any], ...]:
    return _by_time(value, "70d: [overdue]", _ids_or_none.how)


def _probabilities(value: Any) -> tuple[tuple[int, str, Any], ...]:
    if isinstance(value, dict):
        return _by_time(value, "30d: 0.8", _probability)
    return ((0, "0d", _probability(value)),)


# -- events -----------------------------------------------------------------------------------------


class EventEntry(FileModel):
    """One event, or several at regular times."""

    shape: ClassVar[str] = "an event is `order: 3d` or another kind with its time, and its fields"
    word: ClassVar[str]
    """What the contract calls this kind of event."""

    customer: Annotated[str, text(128)] = CUSTOMER
    """Whom it is about, where there are several."""
    customers: Annotated[int, whole_number(1, MOST_CUSTOMERS)] | None = None
    """How many customers it stands for: `customer-1`, `customer-2` and so on."""
    arrives: Annotated[int | None, _time] = None
    """When it becomes known, where that is late."""

    @property
    def times(self) -> tuple[int, ...]:
        """Return the times at which it happens, microseconds since the begin of the case."""
        return cast(tuple[int, ...], getattr(self, self.word))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the customers whom it is about."""
        if self.customers is None:
            return (self.customer,)
        return tuple(f"{self.customer}-{n}" for n in range(1, self.customers + 1))

    def given(self) -> dict[str, Any]:
        """Return the fields of the record that were given, under the contract's names."""
        return {name: getattr(self, name) for name in fields_of(self.word) if name in self.model_fields_set}

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse what is known before it happens, and what is too much."""
        if self.arrives is not None and self.arrives < max(self.times):
            yield WrongWhole("`arrives` lies before the event itself", None, ("arrives",))
        if len(self.times) * len(self.names) > MOST:
            yield WrongWhole(f"the entry stands for more than {MOST} events", None, (self.word,))


def fields_of(word: str) -> tuple[str, ...]:
    """Return the fields that an entry of a kind may have beside its time."""
    names = [name for name in EVENTS[TOPICS[word]].model_fields if name not in _OWN]
    return (*names, *([CONTRACT_ENDS] if word == "profile" else []))


def _entry_of(word: str) -> type[EventEntry]:
    """Return the model of a kind of event: its fields are those of the contract, which judges them."""
    contract = EVENTS[TOPICS[word]].model_json_schema(mode="validation")
    known: dict[str, Any] = {word: (Annotated[tuple[int, ...], _times], ...)}
    for name in fields_of(word):
        if name == CONTRACT_ENDS:
            how = parsed(_signed, {"type": "string", "examples": ["90d"], "description": "May be negative."})
        else:
            how = Read(lambda value: value, _inlined(contract, contract["properties"][name]))
        known[name] = (Annotated[Any, how], None)
    made = create_model(f"{word.capitalize()}Entry", __base__=EventEntry, **known)
    made.word = word
    return made


def _inlined(model: Schema, schema: Schema) -> Schema:
    """Return a field's schema without references."""
    reference = schema.get("$ref")
    found = model["$defs"][reference.rpartition("/")[2]] if reference else schema
    return {name: value for name, value in found.items() if name not in ("$ref", "default")}


ENTRIES: Final = {word: _entry_of(word) for word in TOPICS}
"""The model of each kind of event."""


def _read_event(value: Any) -> EventEntry:
    """Return an entry of a timeline, read by the model of its kind."""
    words = [word for word in TOPICS if word in value] if isinstance(value, dict) else []
    if len(words) == 1:
        return ENTRIES[words[0]].model_validate(value)
    kinds = f"kinds are {', '.join(TOPICS)}"
    given = next(iter(value), None) if isinstance(value, dict) and not words else None
    if given is None or given in EventEntry.field_names():
        raise refusal([WrongWhole(f"{EventEntry.shape}; {kinds}")])
    raise refusal([WrongWhole(f"{given!r} is no kind of event; {kinds}", closest(given, list(TOPICS)))])


_event: Final = Read(
    _read_event, {"anyOf": [model.model_json_schema(mode="validation") for model in ENTRIES.values()]}
)


# -- cases ------------------------------------------------------------------------------------------


class ExpectEntry(FileModel):
    """One opening of a rule, and what must be true of it."""

    shape: ClassVar[str] = "an expectation is `rule: ID` and what must be true of its opening"

    rule: Annotated[str, slug]
    """The rule that opens."""
    customer: Annotated[str, text(128)] = CUSTOMER
    """For whom, where there are several customers."""
    segment: Annotated[str | None, text(400)] = None
    """For which segment, of a rule of segments: `region=north`."""
    opens: Annotated[Span | None, Read(_span, _SPAN_SCHEMA)] = None
    """When it opens."""
    resolves: Annotated[Span | str | None, Read(_resolves, _SPAN_SCHEMA)] = None
    """When it resolves; `never`: it must be open at the end."""
    withdrawn: Annotated[Span | None, Read(_span, _SPAN_SCHEMA)] = None
    """When it is withdrawn."""
    tier: Annotated[Tier | None, choice({tier.label: tier for tier in Tier})] = None
    """How urgent it is."""
    message: Annotated[str | None, text(1000)] = None
    """What the team reads."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse two ends of one opening, and a customer who is a segment."""
        if "resolves" in given and "withdrawn" in given:
            yield WrongWhole("a rule is resolved or withdrawn, not both", None, ("withdrawn",))
        if "customer" in given and "segment" in given:
            yield WrongWhole("a rule opens for a customer or for a segment, not both", None, ("segment",))

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse a segment that is none."""
        if self.segment is None:
            return
        dimension, equals, value = self.segment.partition("=")
        if not equals or not value or dimension not in DIMENSIONS:
            message = f"must be a dimension and a value such as `region=north`, not {self.segment!r}"
            near = closest(dimension, DIMENSIONS)
            hint = f"{near}={value}" if near and value else None
            yield WrongValueError(message, hint, ("segment",))

    @property
    def subject(self) -> str:
        """Return the customer or segment that it is about."""
        return self.segment or self.customer


class CaseEntry(FileModel):
    """A timeline and what it must and must not set off."""

    shape: ClassVar[str] = "a case is a list of fields, each `name: value`"

    name: Annotated[str, text(200)]
    """What happens in the case; unique in the file."""
    rules: Annotated[tuple[str, ...] | None, _ids] = None
    """The rules that are judged; all if left out."""
    events: Annotated[list[Annotated[EventEntry, _event]], Field(min_length=1)]
    """What customers do."""
    until: Annotated[int, _time]
    """How far the case looks."""
    expect: list[ExpectEntry] = Field(default_factory=list)
    """What must open, and nothing else; `[]` for nothing."""
    never: Annotated[tuple[str, ...], _ids] = ()
    """Rules that must not open for anyone."""
    open: Annotated[tuple[tuple[int, str, Any], ...], Read(_open_at, _map_of(_ids_or_none.schema))] = ()
    """Which rules are open at a time, and no others."""
    probability: Annotated[
        tuple[tuple[int, str, Any], ...],
        Read(_probabilities, {"anyOf": [*_PROBABILITY["anyOf"], _map_of(_PROBABILITY)]}),
    ] = ()
    """The probability that the model gives, from each time on."""
    others: Annotated[tuple[float, ...], _others] = ()
    """The probabilities of other active customers, with whom `churn_lift` and `churn_rank` compare."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse a case that nothing can fail."""
        if not given.keys() & {"expect", "never", "open"}:
            yield WrongWhole("expects nothing: add `expect`, `never` or `open`; `expect: []` for silence")

    def as_whole(self) -> Iterator[WrongValueError]:
        """Refuse what contradicts itself, and what lies after the end."""
        if sum(len(event.times) * len(event.names) for event in self.events) > MOST:
            yield WrongWhole(f"the timeline has more than {MOST} events", None, ("events",))
        for i, event in enumerate(self.events):
            if max(event.times if event.arrives is None else (event.arrives,)) > self.until:
                yield WrongWhole("the event comes after `until`", None, ("events", i))
                break
        for i, expected in enumerate(self.expect):
            if expected.rule in self.never:
                yield WrongWhole(f"expects {expected.rule!r}, which is never to open", None, ("expect", i))
            for field in ("opens", "resolves", "withdrawn"):
                span = getattr(expected, field)
                if isinstance(span, Span) and span.last > self.until:
                    yield WrongWhole(f"`{field}` lies after `until`", None, ("expect", i, field))
        for at, key, _ in self.open:
            if at > self.until:
                yield WrongWhole("`open` lies after `until`", None, ("open", key))
        for rule, place in self.named_rules():
            if self.rules is not None and rule not in self.rules:
                message = f"{rule!r} is not among the case's `rules`"
                yield WrongWhole(message, closest(rule, list(self.rules)), place)

    def named_rules(self) -> Iterator[tuple[str, Place]]:
        """Yield every rule that the case names, with its place, those of `rules` first."""
        for field, given in (("rules", self.rules or ()), ("never", self.never)):
            yield from ((rule, (field, i)) for i, rule in enumerate(given))
        yield from ((expected.rule, ("expect", i, "rule")) for i, expected in enumerate(self.expect))
        yield from ((rule, ("open", key, i)) for _, key, rules in self.open for i, rule in enumerate(rules))


def _day(given: str) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        msg = f"must be a day such as 2024-01-01, not {given!r}"
        raise WrongValueError(msg) from None


def _zone(given: str) -> str:
    try:
        return ZoneInfo(given).key
    except (KeyError, ValueError, OSError):
        msg = f"{given!r} is no time zone"
        raise WrongValueError(msg) from None


class _QuietAfter(FileModel):
    """The topics that have a `quiet_after`."""

    shape: ClassVar[str] = "`quiet_after` names topics, each `logins: 2d`"

    def by_topic(self) -> dict[Topic, int]:
        """Return the topics that were named, with their times."""
        labels = {topic.label: topic for topic in Topic}
        return {labels[name]: after for name in self.model_fields_set if (after := getattr(self, name))}


_by_label: Final[dict[str, Any]] = {topic.label: (Annotated[int | None, _time], None) for topic in Topic}
_TOPICS_QUIET: Final = create_model("QuietAfter", __base__=_QuietAfter, **_by_label)
_quiet_after: Final = Read(_TOPICS_QUIET.model_validate, _TOPICS_QUIET.model_json_schema())


class _Settings(FileModel):
    """Settings of the engine."""

    shape: ClassVar[str] = "`settings` holds settings, each `name: value`"

    time_zone: Annotated[str, parsed(_zone, {"type": "string"})] = EngineSettings().time_zone
    """Whose midnights days begin at."""
    sweep_every: Annotated[int, _time] = EngineSettings().sweep_every_us
    """How often every customer is judged."""
    quiet_after: Annotated[_QuietAfter, _quiet_after] = Field(default_factory=_QuietAfter)
    """How long a topic may be silent before it counts as a broken source."""
    complaint_prior_orders: Annotated[float, number(0, 1e9)] = Priors().orders
    """The prior orders of `complaint_rate_90d`."""
    complaint_prior_rate: Annotated[float, number(0, 1)] = Priors().rate
    """The prior rate of `complaint_rate_90d`."""

    def engine(self) -> EngineSettings:
        """Return them as the engine takes them; nothing is put in order: the timeline says what is late."""
        return EngineSettings(
            reorder_us=0,
            time_zone=self.time_zone,
            sweep_every_us=self.sweep_every or EngineSettings().sweep_every_us,
            priors=Priors(self.complaint_prior_orders, self.complaint_prior_rate),
            quiet_after_us=self.quiet_after.by_topic(),
        )


class CaseFile(Document):
    """A file of test cases."""

    title: ClassVar[str] = "Lapwing test cases of rules"
    shape: ClassVar[str] = "a case file holds `version: 1` and `cases:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {"cases": ("case", "name")}

    version: Annotated[int, version]
    """Of the format."""
    start: Annotated[str, parsed(_day, {"type": "string", "format": "date"})] = "2024-01-01"
    """The local day whose midnight is 0d."""
    settings: _Settings = Field(default_factory=_Settings)
    """Settings of the engine for all cases of the file."""
    cases: Annotated[list[CaseEntry], Field(min_length=1)]
    """The cases."""
