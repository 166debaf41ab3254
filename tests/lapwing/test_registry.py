"""The settings of the schema registry reach what asks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lapwing.registry import readers_of, schemas_of
from lapwing.settings.settings import load_settings
from streams.errors import SettingsError
from streams.inputs.formats.reading import SchemasWanted
from streams.inputs.load import load_inputs
from tests.registry_endpoint import Producer, RegistryEndpoint, Shelf, basic

FILE = """\
version: 1
sources:
  shop:
    topic: shop.logins
    format: avro
    events:
      - {to: logins, fields: {event_id: id, customer_id: who, occurred_at: at}}
"""
SCHEMA = {"type": "record", "name": "Login", "fields": [
    {"name": "id", "type": "string"}, {"name": "who", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}  # fmt: skip


def test_without_an_address_there_is_none() -> None:
    assert schemas_of(load_settings(None, environ={})) is None


def test_a_source_of_avro_is_read_by_the_registry_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text(FILE)
    shelf = Shelf()
    value = Producer(shelf).avro(SCHEMA, {"id": "1", "who": "ann", "at": 1_772_359_200_000})
    ((schema_id, schema),) = shelf.schemas.items()
    answer = (200, json.dumps({"schema": schema.text}).encode())
    with RegistryEndpoint({f"/schemas/ids/{schema_id}": answer}) as endpoint:
        given = {
            "LAPWING_SCHEMA_REGISTRY_URL": endpoint.url,
            "LAPWING_SCHEMA_REGISTRY_USERNAME": "reader",
            "LAPWING_SCHEMA_REGISTRY_PASSWORD": "s3cret",
            "LAPWING_SCHEMA_CACHE": str(tmp_path / "schemas"),
        }
        settings = load_settings(None, environ=given)
        source = load_inputs(tmp_path / "inputs.yaml", readers_of(settings)).sources["shop"]
        with pytest.raises(SchemasWanted) as wanted:
            source.map([value])
        assert wanted.value.fetch() == 0.0
        assert endpoint.asked == [(f"/schemas/ids/{schema_id}", basic("reader", "s3cret"))]
    mapped = source.map([value])
    (part,) = mapped.parts
    assert mapped.refused == []
    assert json.loads(part.values[0]) == {
        "event_id": "1",
        "customer_id": "ann",
        "occurred_at": "2026-03-01T10:00:00Z",
    }
    # Another process knows it without the registry, which is gone.
    again = load_inputs(tmp_path / "inputs.yaml", readers_of(settings)).sources["shop"]
    with pytest.raises(SchemasWanted) as wanted:
        again.map([value])
    assert wanted.value.fetch() == 0.0
    assert again.map([value]).parts[0].values == part.values


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"SCHEMA_REGISTRY_URL": "registry:8081"}, "no web address"),
        (
            {"SCHEMA_REGISTRY_USERNAME": "reader"},
            "needs schema_registry_url, schema_registry_username and LAPWING",
        ),
        (
            {
                "SCHEMA_REGISTRY_URL": "http://registry.example:8081",
                "SCHEMA_REGISTRY_USERNAME": "reader",
                "SCHEMA_REGISTRY_PASSWORD": "s3cret",
            },
            "must be reached by https",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, str], wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong) as error:
        load_settings(None, environ={f"LAPWING_{name}": value for name, value in given.items()})
    assert "s3cret" not in str(error.value)
