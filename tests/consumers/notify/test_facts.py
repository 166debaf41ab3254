"""What templates get of a warning, as the engine makes it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.notify.facts import desk_link, event_of, line, segment_facts, warning_facts
from consumers.notify.template_samples import SAMPLES
from tests.consumers.engine_warnings import attended, warned
from tests.consumers.segment_events import value as segment_value


def of(content: bytes, **more: Any) -> dict[str, Any]:
    event = json.loads(content)
    return warning_facts(event["type"], event["data"] | more, "https://desk.example")


def test_the_facts_are_those_that_templates_are_tried_with() -> None:
    (full, bare), (segment, _) = SAMPLES["notice"], SAMPLES["segment"]
    notes = {"is_news", "note"}
    for found in (of(warned()[0]), of(attended()[3])):
        assert found.keys() == full.keys() - notes == bare.keys() - notes
        assert found["causes"][0].keys() == full["causes"][0].keys()
    event = json.loads(segment_value())
    assert segment_facts(event["type"], event["data"]).keys() == segment.keys() - notes


def test_what_a_step_is_about() -> None:
    events = [json.loads(content) for content in attended()]
    assert [event_of(each["type"], each["data"]) for each in events] == [
        *("opened", "escalated", "acknowledged", "lapsed", "overdue")
    ]
    assert [of(content)["attended"] for content in attended()] == [None, None, "acknowledged", None, None]


def test_causes_that_are_hidden_are_counted() -> None:
    found = of(warned()[1])
    assert (len(found["causes"]), found["hidden_causes"], found["more_causes"]) == (1, 1, 0)


def test_the_link_leads_to_the_customer_whatever_the_id() -> None:
    assert of(warned()[0])["link"] == "https://desk.example/customers/c1"
    assert (
        desk_link("https://desk.example/x", "a/../b?c#d")
        == "https://desk.example/x/customers/a%2F..%2Fb%3Fc%23d"
    )
    assert desk_link(None, "c1") is None


@given(st.text(max_size=400))
def test_a_text_is_one_line_that_can_be_printed(text: str) -> None:
    made = line(text)
    assert made.isprintable()
    assert len(made) == min(len(text), 300)
