"""The published contract: JSON Schemas of all messages and an AsyncAPI document of all topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from streams.contract.audit import RulesAdopted
from streams.contract.census import CensusMessage
from streams.contract.customer_days import CustomerDaysEvent, ScoreEvent
from streams.contract.events import EVENTS, Event
from streams.contract.examples import (
    ADOPTED_EXAMPLE,
    CENSUS_EXAMPLE,
    CHOICE_EXAMPLE,
    CUSTOMER_DAYS_EXAMPLE,
    EXAMPLES,
    NOTICE_EXAMPLE,
    OUTCOME_EXAMPLE,
    SCORE_EXAMPLE,
    SEGMENT_EXAMPLE,
    SILENCE_EXAMPLE,
    WARNING_EXAMPLE,
)
from streams.contract.models import ModelChoice, PublishedModel
from streams.contract.outcomes import OutcomeEvent
from streams.contract.rejected import HEADERS, TRUNCATED_HEADER, RefusalReason
from streams.contract.samples import sample_schema
from streams.contract.segments import SegmentEvent
from streams.contract.silences import Silence
from streams.contract.warnings import ControlNotice, WarningEvent
from streams.core.events.topics import REQUIRED, Topic

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

TOPIC_NAMES: Final[dict[str, str]] = {topic.label: topic.label for topic in Topic} | {
    "warnings": "churn-warnings",
    "segment-warnings": "segment-warnings",
    "outcomes": "churn-outcomes",
    "census": "churn-census",
    "customer-days": "lapwing.customer-days",
    "scores": "churn-scores",
    "control": "lapwing-control",
    "audit": "lapwing-audit",
    "rejected": "lapwing.rejected",
    "silences": "lapwing-silences",
    "samples": "lapwing-samples",
    "models": "lapwing-models",
}
"""The channels of the document and the default names of their topics."""


def event_schema(topic: Topic) -> dict[str, Any]:
    """Return the JSON Schema of the events of an inbound topic."""
    return _schema(EVENTS[topic], "validation", EXAMPLES[topic])


def line_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of an event file: an event with its `type`."""
    choices = []
    for topic, model in EVENTS.items():
        schema = model.model_json_schema(mode="validation")
        schema["properties"] = {"type": {"const": model.type_word}} | schema["properties"]
        schema["required"] = ["type", *schema["required"]]
        choices.append(schema | {"examples": [{"type": model.type_word} | EXAMPLES[topic]]})
    return {"$schema": DIALECT, "title": "EventLine", "oneOf": choices}


def warning_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the warnings topic."""
    return _schema(WarningEvent, "serialization", WARNING_EXAMPLE)


def segment_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the topic of segments' warnings."""
    return _schema(SegmentEvent, "serialization", SEGMENT_EXAMPLE)


def outcome_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the outcomes topic."""
    return _schema(OutcomeEvent, "serialization", OUTCOME_EXAMPLE)


def census_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the census topic."""
    return _schema(CensusMessage, "serialization", CENSUS_EXAMPLE)


def customer_days_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the topic of customers' days."""
    return _schema(CustomerDaysEvent, "serialization", CUSTOMER_DAYS_EXAMPLE)


def score_schema() -> dict[str, Any]:
    """Return the JSON Schema of the records on the scores topic."""
    return _schema(ScoreEvent, "serialization", SCORE_EXAMPLE)


def notice_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the control topic."""
    return _schema(ControlNotice, "serialization", NOTICE_EXAMPLE)


def audit_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages on the audit topic."""
    return _schema(RulesAdopted, "serialization", ADOPTED_EXAMPLE)


def silence_schema() -> dict[str, Any]:
    """Return the JSON Schema of the records on the silences topic."""
    return _schema(Silence, "serialization", SILENCE_EXAMPLE)


def model_schema() -> dict[str, Any]:
    """Return the JSON Schema of the records on the models topic: a model, or a choice of one."""
    choice = ModelChoice.model_json_schema() | {"examples": [CHOICE_EXAMPLE]}
    model = PublishedModel.model_json_schema()
    del model["$defs"]  # of any JSON value, which needs no definition
    model["properties"]["metrics"]["additionalProperties"] = {}
    return {"$schema": DIALECT, "title": "ModelRecord", "oneOf": [model, choice]}


def _schema(model: type[BaseModel], mode: Any, example: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(mode=mode)
    schema.pop("discriminator", None)  # a word of OpenAPI's; `oneOf` and the constants of `type` say as much
    return {"$schema": DIALECT} | schema | {"examples": [example]}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by the name of its channel, and that of event files as `file`."""
    return {topic.label: event_schema(topic) for topic in Topic} | {
        "warnings": warning_schema(),
        "segment-warnings": segment_schema(),
        "outcomes": outcome_schema(),
        "census": census_schema(),
        "customer-days": customer_days_schema(),
        "scores": score_schema(),
        "control": notice_schema(),
        "audit": audit_schema(),
        "silences": silence_schema(),
        "samples": {"$schema": DIALECT} | sample_schema(),
        "models": model_schema(),
        "file": line_schema(),
    }


def asyncapi(names: Mapping[str, str] | None = None, *, version: str = "1") -> dict[str, Any]:
    """Return an AsyncAPI 3.0 document of all topics; `names` gives those that are not called as usual."""
    named = TOPIC_NAMES | dict(names or {})
    unknown = sorted(set(named) - set(TOPIC_NAMES))
    if unknown:
        message = f"no such channel: {', '.join(unknown)}"
        raise ValueError(message)
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic, model in EVENTS.items():
        need = "required" if topic in REQUIRED else "optional"
        text = f"{_first_sentence(model)} Inbound, {need}; keyed by `customer_id`."
        _add(channels, messages, operations, topic.label, named, "receive", text)
        messages[topic.label] |= _event_message(topic, model)
    _add(channels, messages, operations, "warnings", named, "send", "Steps of churn warnings.")
    messages["warnings"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("The customer; all steps of a customer stay in order."),
        "payload": _payload(warning_schema()),
        "examples": [{"payload": WARNING_EXAMPLE}],
    }
    text = "Steps of segments' warnings."
    _add(channels, messages, operations, "segment-warnings", named, "send", text)
    messages["segment-warnings"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("The segment, such as `region=north`; all its steps stay in order."),
        "payload": _payload(segment_schema()),
        "examples": [{"payload": SEGMENT_EXAMPLE}],
    }
    text = "What became of customers, causes and warnings. Optional."
    _add(channels, messages, operations, "outcomes", named, "send", text)
    messages["outcomes"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("The customer; all outcomes of a customer stay in order."),
        "payload": _payload(outcome_schema()),
        "examples": [{"payload": OUTCOME_EXAMPLE}],
    }
    text = "The monthly census of customers, by profile, cohort and channel. Optional."
    _add(channels, messages, operations, "census", named, "send", text)
    messages["census"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("`partition=` and the number of the partition that was counted."),
        "payload": _payload(census_schema()),
        "examples": [{"payload": CENSUS_EXAMPLE}],
    }
    text = "What the customers of open warnings did, day by day. Optional."
    _add(channels, messages, operations, "customer-days", named, "send", text)
    messages["customer-days"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("The customer."),
        "payload": _payload(customer_days_schema()),
        "examples": [{"payload": CUSTOMER_DAYS_EXAMPLE}],
    }
    text = "Customers' scores, each when it has moved. Optional."
    _add(channels, messages, operations, "scores", named, "send", text)
    messages["scores"] |= {
        "contentType": "application/cloudevents+json",
        "bindings": _key("The customer; the newest record of each is kept."),
        "payload": _payload(score_schema()),
        "examples": [{"payload": SCORE_EXAMPLE}],
    }
    _add(channels, messages, operations, "control", named, "send", "Notices to operations.")
    messages["control"] |= {
        "contentType": "application/json",
        "payload": _payload(notice_schema()),
        "examples": [{"payload": NOTICE_EXAMPLE}],
    }
    _add(channels, messages, operations, "audit", named, "send", "Changes of the rules, by partition.")
    messages["audit"] |= {
        "contentType": "application/json",
        "payload": _payload(audit_schema()),
        "examples": [{"payload": ADOPTED_EXAMPLE}],
    }
    _add(channels, messages, operations, "rejected", named, "send", "Records that were refused, and why.")
    messages["rejected"] |= {
        "contentType": "application/octet-stream",
        "bindings": _key("The refused record's own key."),
        "headers": _rejected_headers(),
        "payload": {"description": "The refused record's own bytes, whatever they are."},
    }
    text = "Silences: which warnings send no notices. Written by `lapwing silence`, read by the sink."
    _add(channels, messages, operations, "silences", named, "send", text)
    messages["silences"] |= {
        "contentType": "application/json",
        "bindings": _key("The silence's id; the newest record of each is kept."),
        "payload": _payload(silence_schema()),
        "examples": [{"payload": SILENCE_EXAMPLE}],
    }
    text = "What a shared learner learns from. Optional."
    _add(channels, messages, operations, "samples", named, "send", text)
    messages["samples"] |= {"contentType": "application/vnd.msgpack", "payload": _payload(sample_schema())}
    text = "Models of a shared learner, and which is in force. Optional."
    _add(channels, messages, operations, "models", named, "send", text)
    messages["models"] |= {
        "contentType": "application/json",
        "bindings": _key(
            "A model's version; `champion` or `pin` for a choice. The newest record of each is kept."
        ),
        "payload": _payload(model_schema()),
        "examples": [{"payload": CHOICE_EXAMPLE}],
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lapwing",
            "version": version,
            "description": "Customer events in, churn warnings out. Fields that are not listed are ignored.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _add(
    channels: dict[str, Any],
    messages: dict[str, Any],
    operations: dict[str, Any],
    label: str,
    names: Mapping[str, str],
    action: str,
    text: str,
) -> None:
    """Add a channel of one message, and what Lapwing does with it."""
    reference = f"#/channels/{label}"
    channels[label] = {
        "address": names[label],
        "description": text,
        "messages": {label: {"$ref": f"#/components/messages/{label}"}},
    }
    operations[f"{action}-{label}"] = {
        "action": action,
        "channel": {"$ref": reference},
        "messages": [{"$ref": f"{reference}/messages/{label}"}],
    }
    messages[label] = {"name": label, "summary": text}


def _event_message(topic: Topic, model: type[Event]) -> dict[str, Any]:
    return {
        "title": model.__name__,
        "contentType": "application/json",
        "bindings": _key("The same as `customer_id`, in UTF-8."),
        "payload": _payload(event_schema(topic)),
        "examples": [{"payload": EXAMPLES[topic]}],
    }


def _payload(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as part of the document: its own definitions are put where they are used."""
    definitions = schema.get("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                rest = {k: v for k, v in node.items() if k != "$ref"}
                return inlined(definitions[reference.removeprefix("#/$defs/")]) | inlined(rest)
            return {k: inlined(v) for k, v in node.items()}
        return [inlined(item) for item in node] if isinstance(node, list) else node

    body = {k: v for k, v in schema.items() if k not in ("$defs", "$schema")}
    result: dict[str, Any] = inlined(body)
    return result


def _key(text: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": text}}}


def _rejected_headers() -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "description": text} for name, text in HEADERS.items()
    }
    properties["lapwing-reason"]["enum"] = [reason.value for reason in RefusalReason]
    properties[TRUNCATED_HEADER]["const"] = "true"
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in HEADERS if name != TRUNCATED_HEADER],
    }


def _first_sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").split("\n", 1)[0]
