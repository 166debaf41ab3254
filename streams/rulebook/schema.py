"""JSON Schemas of rule files and case files, for editors: what may be written where, with its meaning."""

from __future__ import annotations

from typing import Any, Final

from streams.contract.events import EVENTS
from streams.core.conditions.parser import LONGEST
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE
from streams.core.rules.phrases import ABSENCE, SEQUENCE
from streams.core.rules.rule import RuleStatus
from streams.core.segments.catalogue import SEGMENT_CATALOGUE
from streams.core.segments.counts import DIMENSIONS
from streams.core.steps import Tier
from streams.rulebook import pause as rule_pause
from streams.rulebook.cases.read import CASE, EXPECT, SETTINGS, TOP
from streams.rulebook.cases.timeline import CONTRACT_ENDS, TOPICS, fields_of
from streams.rulebook.files import CONDITIONS, FIELDS, SEGMENT_FIELDS
from streams.rulebook.inhibits import INHIBITS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
RULES_FILE: Final = "rules.schema.json"
CASES_FILE: Final = "cases.schema.json"

Schema = dict[str, Any]

_SLUG: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9]+([-_][a-z0-9]+)*$", "maxLength": 64}
_DURATION: Final[Schema] = {
    "anyOf": [{"const": 0}, {"type": "string", "pattern": "^(0|([0-9]+(us|ms|s|m|h|d|w))+)$"}],
    "examples": ["30m", "12h", "2d", "1w"],
}
_CONDITION: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_TIERS: Final[Schema] = {"enum": [tier.label for tier in reversed(Tier)]}


def _text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest}


_RULE: Final[dict[str, tuple[str, Schema]]] = {
    "id": ("The rule's name in warnings, metrics and reports; unique over all files.", _SLUG),
    "title": ("One line for people.", _text(120)),
    "status": (
        "draft: checked only; shadow: counted, warns nobody; retired: kept for the record.",
        {"enum": [status.value for status in RuleStatus], "default": RuleStatus.ACTIVE.value},
    ),
    "owner": ("Who answers for the rule.", _text(120)),
    "sequence": ("Something happened and another thing did not.", _text(200) | {"examples": [SEQUENCE]}),
    "absence": ("Something has not happened, though others do it.", _text(200) | {"examples": [ABSENCE]}),
    "when": ("SQL condition under which the customer is in danger.", _CONDITION),
    "clear": (
        "SQL condition under which the danger is over; else the opposite of `when`.",
        _CONDITION,
    ),
    "only": ("SQL condition that says for which customers the rule is.", _CONDITION),
    "for": ("How long `when` must hold before the warning opens.", _DURATION),
    "keep_open_for": ("How long `clear` must hold before the warning resolves.", _DURATION),
    "cooldown": ("How long after it resolved the rule may not begin again.", _DURATION),
    "tier": ("How urgent.", _TIERS),
    "reason": ("The group the rule counts to in reports.", _SLUG),
    INHIBITS: (
        "Milder rules of which the team is not told while this one is open.",
        {"anyOf": [_SLUG, {"type": "array", "items": _SLUG, "minItems": 1}]},
    ),
    "play": ("What the team should do.", _SLUG),
    "message": ("What the team reads; {feature} or {feature:.1f} stands for a value.", _text(500)),
    "rationale": ("Why the rule is there.", _text(4000)),
    "false_alarms": ("When it is wrong.", _text(4000)),
}


def rules_schema() -> Schema:
    """Return the JSON Schema of rule files."""
    assert set(_RULE) == {*FIELDS, INHIBITS}
    properties = {name: {"description": text, **schema} for name, (text, schema) in _RULE.items()}
    rule = _object(properties, ["id", "tier", "reason"])
    rule["anyOf"] = [{"required": [name]} for name in CONDITIONS]
    rule["$comment"] = "features: " + ", ".join(CATALOGUE)
    by: Schema = {"description": "What the segments are.", "enum": list(DIMENSIONS)}
    own = {name: by if name == "by" else properties[name] for name in SEGMENT_FIELDS}
    segment = _object(own, ["id", "by", "when", "tier", "reason"])
    segment["$comment"] = "features: " + ", ".join(SEGMENT_CATALOGUE)
    pause = {
        "rules": {"anyOf": [{"const": rule_pause.ALL}, _list(_SLUG)]},
        "reason": _text(rule_pause.LONGEST),
        "by": _text(rule_pause.LONGEST),
    }
    assert set(pause) == set(rule_pause.FIELDS)
    top = {
        "version": {"const": 1},
        "rules": _list(rule),
        "segments": {"description": "Rules of groups of customers.", **_list(segment)},
        "pause": {
            "description": "Rules that warn nobody while this stands here.",
            **_object(pause, ["rules"]),
        },
    }
    return _document("Lapwing rules", top, ["version"]) | {
        "anyOf": [{"required": [n]} for n in ("rules", "segments", "pause")]
    }


def cases_schema() -> Schema:
    """Return the JSON Schema of files of test cases."""
    time = {"type": "string", "pattern": "^[0-9]", "examples": ["0d", "3d 4h"]}
    span = {"type": "string", "examples": ["at 66d", "by 70d", "not before 60d", "between 60d and 70d"]}
    slugs = {"anyOf": [_SLUG, {"type": "array", "items": _SLUG}]}
    probability = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"const": "missing"}]}
    expected = {
        "rule": _SLUG,
        "customer": _text(128),
        "opens": span,
        "resolves": span | {"description": "`never`: it must be open at the end."},
        "withdrawn": span,
        "tier": _TIERS,
        "message": _text(1000),
    }
    case = {
        "name": _text(200),
        "rules": slugs | {"description": "The rules that are judged; all if left out."},
        "events": _list({"anyOf": [_event(word) for word in TOPICS]}),
        "until": time | {"description": "How far the case looks."},
        "expect": {"type": "array", "items": _object(expected, ["rule"])},
        "never": slugs | {"description": "Rules that must not open for anyone."},
        "open": {"type": "object", "additionalProperties": slugs, "description": "What is open at a time."},
        "probability": {
            "anyOf": [*probability["anyOf"], {"type": "object", "additionalProperties": probability}]
        },
    }
    quiet = {topic.label: _DURATION for topic in Topic}
    settings = {
        "time_zone": {"type": "string"},
        "sweep_every": _DURATION,
        "quiet_after": _object(quiet, []),
        "complaint_prior_orders": {"type": "number", "minimum": 0},
        "complaint_prior_rate": {"type": "number", "minimum": 0, "maximum": 1},
    }
    top = {
        "version": {"const": 1},
        "start": {"type": "string", "format": "date", "description": "The local day whose midnight is 0d."},
        "settings": _object(settings, []),
        "cases": _list(_object(case, ["name", "events", "until"])),
    }
    for properties, names in ((top, TOP), (case, CASE), (expected, EXPECT), (settings, SETTINGS)):
        assert set(properties) == set(names)
    return _document("Lapwing test cases of rules", top, ["version", "cases"])


def _event(word: str) -> Schema:
    times = {"type": "string", "examples": ["3d 4h", "every 7d for 90d", "5d every 7d until 90d"]}
    model = EVENTS[TOPICS[word]].model_json_schema(mode="validation")
    names = [name for name in fields_of(word) if name != CONTRACT_ENDS]
    fields = {name: _inlined(model, model["properties"][name]) for name in names}
    if word == "profile":
        fields[CONTRACT_ENDS] = {"type": "string", "examples": ["90d"], "description": "May be negative."}
    own = {
        word: {"anyOf": [times, {"type": "array", "items": times}]},
        "customer": _text(128) | {"description": "Whom it is about, where there are several."},
        "arrives": {"type": "string", "description": "When it becomes known, where that is late."},
    }
    return _object(own | fields, [word])


def _inlined(model: Schema, schema: Schema) -> Schema:
    """Return a field's schema without pydantic's titles and references."""
    reference = schema.get("$ref")
    found = model["$defs"][reference.rpartition("/")[2]] if reference else schema
    return {name: value for name, value in found.items() if name not in ("title", "$ref")}


def _object(properties: Schema, required: list[str]) -> Schema:
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _document(title: str, properties: Schema, required: list[str]) -> Schema:
    return {"$schema": DIALECT, "title": title, **_object(properties, required)}
