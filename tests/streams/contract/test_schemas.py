"""The published schemas say what the models do, and the AsyncAPI document holds together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.contract.audit import parse_adopted
from streams.contract.census import parse_census
from streams.contract.customer_days import parse_customer_days, parse_score
from streams.contract.decode import decode_lines, decode_poll
from streams.contract.events import EVENTS
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
from streams.contract.models import PIN, ModelLog
from streams.contract.outcomes import parse_outcome
from streams.contract.rejected import HEADERS, RefusalReason
from streams.contract.samples import SampleBatch, encode_samples
from streams.contract.schemas import TOPIC_NAMES, asyncapi, json_schemas
from streams.contract.segments import parse_segment_warning
from streams.contract.silences import encode_silence, parse_silence
from streams.contract.warnings import ControlNotice, parse_warning
from streams.core.events.calendar import DAY
from streams.core.events.topics import REQUIRED, Topic
from streams.core.model.delayed_labels import LabelledSamples
from streams.core.model.logistic import INPUTS
from streams.learning.shared import SharedLearner

SCHEMAS = json_schemas()

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
ASIDE = {
    "title",
    "description",
    "default",
    "examples",
    "format",
    "$schema",
    "$defs",
    "properties",
    "required",
}


def _fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Tell whether `value` fits `schema`: the words of JSON Schema that ours use, and no others."""
    return all(_fits_word(word, limit, schema, value, root) for word, limit in schema.items()) and (
        not isinstance(value, dict)
        or (
            all(name in value for name in schema.get("required", ()))
            and all(_fits(s, value[n], root) for n, s in schema.get("properties", {}).items() if n in value)
        )
    )


def _fits_word(word: str, limit: Any, schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match word:
        case "type" if limit == "integer":
            return number and value == int(value)
        case "type":
            return isinstance(value, TYPES[limit]) and (limit == "boolean" or not isinstance(value, bool))
        case "anyOf":
            return any(_fits(choice, value, root) for choice in limit)
        case "oneOf":
            return sum(_fits(choice, value, root) for choice in limit) == 1
        case "$ref":
            return _fits(root["$defs"][limit.removeprefix("#/$defs/")], value, root)
        case "enum":
            return value in limit
        case "const":
            return bool(value == limit)
        case "minimum":
            return not number or value >= limit
        case "maximum":
            return not number or value <= limit
        case "exclusiveMinimum":
            return not number or value > limit
        case "minLength":
            return not isinstance(value, str) or len(value) >= limit
        case "maxLength":
            return not isinstance(value, str) or len(value) <= limit
        case "pattern":
            # In Python `$` stands before a last newline, too.
            return not isinstance(value, str) or re.search(limit.replace("$", r"\Z"), value) is not None
        case "maxProperties":
            return not isinstance(value, dict) or len(value) <= limit
        case "propertyNames":
            return not isinstance(value, dict) or all(_fits(limit, name, root) for name in value)
        case "maxItems":
            return not isinstance(value, list) or len(value) <= limit
        case "items":
            return not isinstance(value, list) or all(_fits(limit, item, root) for item in value)
        case "minItems":
            return not isinstance(value, list) or len(value) >= limit
        case "additionalProperties" if limit is False:
            return not isinstance(value, dict) or set(value) <= set(schema["properties"])
        case "additionalProperties":
            return not isinstance(value, dict) or all(_fits(limit, item, root) for item in value.values())
        case _:
            assert word in ASIDE, word
            return True


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 5, 6, -1, 5.0, 2.5, 10**12, 10**12 + 1]),
    st.sampled_from(
        ["", "x", "x" * 128, "x" * 129, "x" * 257, "a\0b", "placed", "opened", "key", "other", "snooze"]
    ),
    st.sampled_from([[], ["x"], ["a b"], ["x\n"], [1], ["x"] * 33]),
    st.sampled_from([{}, {"x": 1}, {"x": -1}, {"a b": 1}, {"x": None}, {f"x{i}": 1 for i in range(17)}]),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(Topic), st.data())
def test_schemas_and_models_accept_the_same(topic: Topic, data: st.DataObject) -> None:
    event = dict(EXAMPLES[topic])
    for name in data.draw(st.lists(st.sampled_from(sorted(EVENTS[topic].model_fields)), max_size=3)):
        if not name.endswith(("_at", "until")):  # a format is no rule of JSON Schema
            event[name] = data.draw(anything)
    for name in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=1)):
        del event[name]
    try:
        EVENTS[topic].model_validate_json(json.dumps(event))
    except ValidationError as error:
        kinds = [detail["type"] for detail in error.errors()]
        accepted = kinds in (["score_range"], ["no_warning"])  # a schema cannot say it
    else:
        accepted = True
    assert _fits(SCHEMAS[topic.label], event, SCHEMAS[topic.label]) == accepted


@pytest.mark.parametrize("topic", Topic)
def test_the_examples_of_events_are_events(topic: Topic) -> None:
    [example] = SCHEMAS[topic.label]["examples"]
    assert example == EXAMPLES[topic]
    assert set(example) <= set(EVENTS[topic].model_fields)
    decoded = decode_poll(topic, [json.dumps(example).encode()], [b"c-17"], None, max_skew_us=0)
    assert decoded.refused == []


def test_the_examples_of_lines_are_lines_of_one_type_each() -> None:
    schema = SCHEMAS["file"]
    examples = [example for choice in schema["oneOf"] for example in choice["examples"]]
    assert len(examples) == len(Topic)
    assert decode_lines([json.dumps(example).encode() for example in examples], latest_us=None).refused == []
    assert all(_fits(schema, example, schema) for example in examples)
    assert not _fits(schema, EXAMPLES[Topic.LOGINS], schema)
    assert not _fits(schema, EXAMPLES[Topic.LOGINS] | {"type": "order"}, schema)


def test_the_examples_of_what_goes_out_are_read_and_fit() -> None:
    warning = parse_warning(json.dumps(WARNING_EXAMPLE).encode())
    assert json.loads(warning.model_dump_json()) == WARNING_EXAMPLE
    assert _fits(SCHEMAS["warnings"], WARNING_EXAMPLE, SCHEMAS["warnings"])
    segment = parse_segment_warning(json.dumps(SEGMENT_EXAMPLE).encode())
    assert json.loads(segment.model_dump_json()) == SEGMENT_EXAMPLE
    assert _fits(SCHEMAS["segment-warnings"], SEGMENT_EXAMPLE, SCHEMAS["segment-warnings"])
    outcome = parse_outcome(json.dumps(OUTCOME_EXAMPLE).encode())
    assert json.loads(outcome.model_dump_json()) == OUTCOME_EXAMPLE
    assert _fits(SCHEMAS["outcomes"], OUTCOME_EXAMPLE, SCHEMAS["outcomes"])
    census = parse_census(json.dumps(CENSUS_EXAMPLE).encode())
    assert json.loads(census.model_dump_json()) == CENSUS_EXAMPLE
    assert _fits(SCHEMAS["census"], CENSUS_EXAMPLE, SCHEMAS["census"])
    days = parse_customer_days(json.dumps(CUSTOMER_DAYS_EXAMPLE).encode())
    assert json.loads(days.model_dump_json()) == CUSTOMER_DAYS_EXAMPLE
    assert _fits(SCHEMAS["customer-days"], CUSTOMER_DAYS_EXAMPLE, SCHEMAS["customer-days"])
    score = parse_score(json.dumps(SCORE_EXAMPLE).encode())
    assert json.loads(score.model_dump_json()) == SCORE_EXAMPLE
    assert _fits(SCHEMAS["scores"], SCORE_EXAMPLE, SCHEMAS["scores"])
    notice = ControlNotice.model_validate_json(json.dumps(NOTICE_EXAMPLE))
    assert json.loads(notice.model_dump_json()) == NOTICE_EXAMPLE
    assert _fits(SCHEMAS["control"], NOTICE_EXAMPLE, SCHEMAS["control"])
    adopted = parse_adopted(json.dumps(ADOPTED_EXAMPLE).encode())
    assert json.loads(adopted.model_dump_json()) == ADOPTED_EXAMPLE
    assert _fits(SCHEMAS["audit"], ADOPTED_EXAMPLE, SCHEMAS["audit"])
    silence = parse_silence(json.dumps(SILENCE_EXAMPLE).encode())
    assert json.loads(encode_silence(silence)) == SILENCE_EXAMPLE
    assert _fits(SCHEMAS["silences"], SILENCE_EXAMPLE, SCHEMAS["silences"])


def test_what_a_learner_publishes_is_read_and_fits() -> None:
    schema, models = SCHEMAS["models"], ModelLog("lapwing")
    models.take(PIN, json.dumps(CHOICE_EXAMPLE).encode())
    assert models.pinned == CHOICE_EXAMPLE["version"]
    assert _fits(schema, CHOICE_EXAMPLE, schema)
    learner = SharedLearner()
    x = np.random.default_rng(1).normal(1, 2, (64, len(INPUTS))).astype(np.float32)
    names, y = tuple(each.name for each in INPUTS), np.arange(64) % 3 == 0
    learner.take(SampleBatch(0, 1, DAY, names, x, y, np.full(64, 0.4), np.ones(64)), 0)
    for version, value in learner.records("lapwing").items():
        models.take(version.encode(), value)
        assert _fits(schema, json.loads(value), schema)
        assert not _fits(schema, json.loads(value) | {"code": "import os"}, schema)
        assert not _fits(schema, json.loads(value) | {"weight": [[0.0]]}, schema)
    assert models.models


def test_a_record_of_samples_fits() -> None:
    n, m = 3, len(INPUTS)
    samples = LabelledSamples(
        DAY, np.arange(n), np.zeros((n, m), dtype=np.float32), np.full(n, 0.5), np.zeros(n), 0.0,
        np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_), np.ones(n),
        tuple(each.name for each in INPUTS),
    )  # fmt: skip
    value = encode_samples(samples, "lapwing", 1, 4)
    record = msgspec.msgpack.decode(value)
    schema = SCHEMAS["samples"]
    assert set(record) == set(schema["properties"]) == set(schema["required"])
    assert _fits(schema, record, schema)
    assert not _fits(schema, record | {"kind": "other"}, schema)
    assert not _fits(schema, record | {"customer_id": "c-1"}, schema)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _target(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_asyncapi_document_has_every_topic_and_all_references_lead_somewhere() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert {label: channel["address"] for label, channel in document["channels"].items()} == TOPIC_NAMES
    for reference in _references(document):
        assert _target(document, reference)
    for label, operation in (
        (name.split("-", 1)[1], operation) for name, operation in document["operations"].items()
    ):
        inbound = label in {topic.label for topic in Topic}
        assert operation["action"] == ("receive" if inbound else "send")
        assert operation["channel"] == {"$ref": f"#/channels/{label}"}
    assert json.loads(json.dumps(document)) == document


def test_payloads_in_the_document_are_the_schemas() -> None:
    messages = asyncapi()["components"]["messages"]
    for label in [
        *(topic.label for topic in Topic),
        "warnings",
        "outcomes",
        "census",
        "control",
        "audit",
        "silences",
        "models",
    ]:
        for example in messages[label]["examples"]:
            assert _fits(messages[label]["payload"], example["payload"], {})
            broken = {
                k: v
                for k, v in example["payload"].items()
                if k not in ("event_id", "data", "kind", "matchers")
            }
            assert not _fits(messages[label]["payload"], broken, {})


def test_channels_say_which_topics_are_required() -> None:
    channels = asyncapi()["channels"]
    for topic in Topic:
        word = "required" if topic in REQUIRED else "optional"
        assert word in channels[topic.label]["description"]


def test_topics_may_have_other_names_but_no_others_may_be_named() -> None:
    assert asyncapi({"orders": "shop.orders"})["channels"]["orders"]["address"] == "shop.orders"
    with pytest.raises(ValueError, match="no such channel: parcels"):
        asyncapi({"parcels": "x"})


def test_the_rejected_topic_names_its_headers_and_reasons() -> None:
    headers = asyncapi()["components"]["messages"]["rejected"]["headers"]
    assert set(headers["properties"]) == set(HEADERS)
    assert headers["properties"]["lapwing-reason"]["enum"] == [reason.value for reason in RefusalReason]
