"""inputs.yaml: strict, every mistake at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from streams.contract.events import EVENTS
from streams.core.events.topics import Topic
from streams.inputs.contract_fields import Kind, field_names, kind_of, refusal_of, required
from streams.inputs.inputs_file import InputsFile
from streams.inputs.load import load_inputs, parse_inputs, topics_brought
from streams.rulebook.files import rule_files
from streams.rulebook.reader import RulebookRefused, json_schema

BAD = sorted((Path(__file__).parent / "bad_inputs").glob("*.yaml"))
GOOD = """\
version: 1
sources:
  shop:
    topic: shop.logins
    events:
      - to: logins
        where: {state: in, count: [1, 2], kind: {not: test}, code: {starts_with: [A, B], above: 1}}
        fields:
          event_id: {hash: [id, state]}
          customer_id: {first_of: [a, b.0.c], trim: true, prefix: x-}
          occurred_at: {path: at, time: [rfc3339, '%d.%m.%Y'], zone: Europe/Berlin}
          channel: {constant: 5}
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_mistake_in_a_bad_file_is_named_with_its_place(path: Path) -> None:
    content = path.read_bytes()
    expected = content.decode().splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(RulebookRefused) as refused:
        parse_inputs("inputs.yaml", content)
    assert [str(each) for each in refused.value.mistakes] == [f"inputs.yaml:{expected}"]


def test_there_is_a_bad_file_for_each_promise() -> None:
    assert len(BAD) >= 35


def test_the_schema_takes_a_good_file() -> None:
    content = YAML(typ="safe", pure=True).load(GOOD)
    assert jsonschema_rs.is_valid(json_schema(InputsFile), content)
    assert list(parse_inputs("inputs.yaml", GOOD.encode()).sources) == ["shop"]


@pytest.mark.parametrize(
    "name", ["misspelled_conversion", "unknown_topic", "filter_misspelled", "no_sources", "key_of_files"]
)
def test_the_schema_refuses_what_it_can_see(name: str) -> None:
    path = next(path for path in BAD if path.stem == name)
    content = YAML(typ="safe", pure=True).load(path.read_text())
    assert jsonschema_rs.is_valid(json_schema(InputsFile), content) == (name == "key_of_files")


def test_all_mistakes_come_at_once() -> None:
    text = GOOD.replace("trim: true", "trimm: true").replace("Berlin", "Berlim").replace("{not: test}", "{}")
    with pytest.raises(RulebookRefused) as refused:
        parse_inputs("i.yaml", text.encode())
    assert [each.line for each in refused.value.mistakes] == [7, 10, 11]


def test_another_content_has_another_hash() -> None:
    one, other = (parse_inputs("i.yaml", text.encode()) for text in (GOOD, GOOD.replace("x-", "y-")))
    assert one.hash != other.hash
    assert list(one.by_topic) == ["shop.logins"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RulebookRefused, match="there is no such file"):
        load_inputs(tmp_path / "inputs.yaml")


def test_inputs_beside_rules_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text(GOOD)
    (tmp_path / "rules.yaml").write_text("version: 1\n")
    assert rule_files(tmp_path) == [tmp_path / "rules.yaml"]
    assert load_inputs(tmp_path / "inputs.yaml").sources["shop"].topics == (Topic.LOGINS,)


@pytest.mark.parametrize("topic", Topic)
def test_the_kind_of_each_field_is_the_contract_s(topic: Topic) -> None:
    samples: dict[Kind, str | float | bool] = {
        Kind.TEXT: "c1",
        Kind.NUMBER: 1.5,
        Kind.WHOLE: 3,
        Kind.BOOLEAN: True,
        Kind.INSTANT: "2024-03-01T10:00:00Z",
    }
    assert set(required(topic)) <= set(field_names(topic)) == set(EVENTS[topic].model_fields)
    for name in field_names(topic):
        taken = {kind for kind, sample in samples.items() if refusal_of(topic, name, sample) is None}
        if kind_of(name) is Kind.WORDS:
            assert name == "reasons"
            continue
        words = EVENTS[topic].model_fields[name].annotation
        assert kind_of(name) in taken or (kind_of(name) is Kind.TEXT and "Literal" in str(words)), name
        assert not taken - {kind_of(name), Kind.WHOLE, Kind.TEXT, Kind.INSTANT}, name


def test_what_topics_bring_is_known_without_registry_and_rates() -> None:
    text = GOOD.replace("topic: shop.logins", "topic: shop.logins\n    format: avro")
    assert topics_brought(text.encode()) == {"shop.logins": {Topic.LOGINS}}
    assert topics_brought(GOOD.replace("topic: shop.logins", "webhook: stripe").encode()) == {}
    assert topics_brought(b"version: 2") == {}
